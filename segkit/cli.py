"""The command line: compare, segment, benchmark.

What a user can get wrong (a path, a name, a value) is answered by one line on
stderr and exit status 2, without a traceback.  Ctrl-C ends with status 130.
"""

from __future__ import annotations

import ast
import logging
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from . import (
    __version__,
    _cases,
    _files,
    _pipelines,
    _quality,
    _quality_tables,
    _scoring,
    comparison,
    datasets,
    plot,
)
from .cnn import CNNSegmenter

app = typer.Typer(
    name="segkit",
    help="Classical image segmentation: region growing, watershed, label images.",
    epilog="segkit COMMAND --help tells more, with examples.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
benchmark = typer.Typer(help="Measure segkit beside other libraries: speed, quality.")
app.add_typer(benchmark, name="benchmark")

MaxPixels = Annotated[
    int, typer.Option(help="Refuse images of more pixels than this.", show_default=True)
]


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"segkit {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Tell the version."),
    ] = False,
) -> None:
    pass


@app.command()
def compare(
    images: Annotated[
        list[Path] | None, typer.Argument(metavar="IMAGE", help="Image files.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the page.")] = Path("report"),
    method: Annotated[
        list[str] | None, typer.Option(help="Only this method; can be given several times.")
    ] = None,
    truth: Annotated[
        list[Path] | None,
        typer.Option(
            help="Label image to score by, one for each IMAGE, in their order; "
            "with one IMAGE several are its annotators."
        ),
    ] = None,
    kind: Annotated[
        str,
        typer.Option(
            help="What the truths are: partitions, regions (0 left out), instances, "
            "classes, structures or mask."
        ),
    ] = "partitions",
    markers: Annotated[
        list[Path] | None,
        typer.Option(help="Label image of where regions start, one for each IMAGE."),
    ] = None,
    cnn: Annotated[
        bool, typer.Option("--cnn", help="A trained network too: ESPNet, for road scenes.")
    ] = False,
    max_pixels: MaxPixels = _files.MAX_PIXELS,
) -> None:
    """Segment images by every method, and set the results side by side on one page.

    Without IMAGE the samples are taken: five photographs, and two volumes whose truth is known.

    \b
    Examples:
      segkit compare
      segkit compare photo.jpg stack.tif --out report
      segkit compare photo.jpg --method watershed --method growing
      segkit compare street.jpg --cnn
      segkit compare cells.png --truth drawn.png --kind instances
    """
    _page_can_be_made()
    for name in method or ():
        _known_method(name)
    _known_kind(kind)
    for option, given in (("--truth", truth), ("--markers", markers)):
        if given and not images:
            raise ValueError(f"{option} needs the IMAGE that it belongs to")
    networks = CNNSegmenter.pretrained() if cnn else None
    if images:
        files = _names(images)
        truths = _for_each(files, truth, "--truth", several=True)
        starts = _for_each(files, markers, "--markers")
        named = {
            name: _files.read_image(path, max_pixels=max_pixels) for name, path in files.items()
        }
        known = {
            name: [_files.read_labels(path, max_pixels=max_pixels) for path in paths]
            for name, paths in truths.items()
        }
        drawn = {
            name: _files.read_labels(path, max_pixels=max_pixels)
            for name, (path,) in starts.items()
        }
        result = comparison.compare(
            named,
            methods=method or None,
            truths={name: one[0] if len(one) == 1 else one for name, one in known.items()},
            kind=dict.fromkeys(known, kind),
            markers=drawn,
            networks=networks,
            progress=True,
        )
    else:
        named = datasets.samples()
        result = comparison.compare(
            named,
            methods=method or None,
            truths={"blobs": datasets.blobs()[1], "tubes": datasets.tubes()[1] > 0},
            kind={"blobs": "instances", "tubes": "mask"},
            networks=networks,
            progress=True,
        )
    print(f"{len(result.table)} results on {len(named)} image(s): {result.save(out)}")


def _list_of_methods() -> str:
    """Return the methods and their parameters, one on a line."""
    lines = ["\b", "Methods, and their parameters for --set:"]
    for name, pipeline in comparison.METHODS.items():
        defaults = _pipelines.defaults_of(pipeline)
        settings = [f"{key}={value}" for key, value in defaults.items()]
        if _pipelines.takes_markers(pipeline):
            settings.append("(takes --markers)")
        lines.append(f"  {name:20}{' '.join(settings)}")
    return "\n".join(lines)


@app.command(epilog=_list_of_methods())
def segment(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="Image file.")],
    method: Annotated[str, typer.Option(help="Which of the methods below.")] = "watershed",
    out: Annotated[
        Path, typer.Option(help="Where the labels go: .png, .tif, .npz or .npy.")
    ] = Path("labels.png"),
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the method."),
    ] = None,
    markers: Annotated[
        Path | None,
        typer.Option(help="Label image of where regions start, for the methods that take one."),
    ] = None,
    overlay: Annotated[
        Path | None, typer.Option(help="Also write a picture of the regions over the image.")
    ] = None,
    max_pixels: MaxPixels = _files.MAX_PIXELS,
) -> None:
    """Segment one image, and write its label image.

    \b
    Examples:
      segkit segment photo.jpg --out labels.png --overlay picture.png
      segkit segment stack.tif --method growing --out labels.tif
      segkit segment photo.jpg --method watershed --set depth=6 --set sigma=1.5
      segkit segment photo.jpg --method scribbles --markers strokes.png
    """
    _known_method(method)
    _files.refuse_target(out, _files.LABEL_SUFFIXES)
    if overlay is not None:
        _files.refuse_target(overlay, _files.IMAGE_SUFFIXES)
    parameters = dict(_setting(text) for text in settings or ())
    _pipelines.refuse_unknown(parameters, method)
    pixels = _files.read_image(image, max_pixels=max_pixels)
    if markers is not None:
        parameters["markers"] = _files.read_labels(markers, max_pixels=max_pixels)
    start = time.perf_counter()
    labels = comparison.segment(
        pixels, method, channel_axis=_cases.color_axis(pixels), **parameters
    )
    seconds = time.perf_counter() - start
    _files.write_labels(out, labels)
    print(f"{method}: {int(labels.max(initial=0))} regions in {seconds:.2f} s: {out}")
    if overlay is not None:
        picture = plot.overlay(pixels, labels)
        if overlay.suffix.lower() not in (".tif", ".tiff"):
            picture = plot.middle_plane(picture, labels.ndim)
        _files.write_image(overlay, picture)
        print(f"overlay: {overlay}")


@benchmark.command(
    "speed", context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
)
def speed(context: typer.Context) -> None:
    """Time every kernel beside its peers: python -m benchmarks speed.

    Needs the benchmarks folder of the source, and the peers: pip install 'segkit[bench]'.
    Further arguments are passed on.

    \b
    Examples:
      segkit benchmark speed
      segkit benchmark speed --help
    """
    for root in (Path.cwd(), Path(__file__).resolve().parent.parent):
        if (root / "benchmarks" / "__main__.py").is_file():
            command = [sys.executable, "-m", "benchmarks", "speed", *context.args]
            raise typer.Exit(subprocess.run(command, cwd=root, check=False).returncode)
    raise ValueError("there is no folder benchmarks here: run this in a clone of the source")


@benchmark.command("quality")
def quality(
    dataset: Annotated[
        str, typer.Option(metavar="NAME", help=f"One of {', '.join(_quality.DATASETS)}.")
    ],
    root: Annotated[
        Path, typer.Option(metavar="DIR", help="Its folder, or the folder that holds it.")
    ],
    methods: Annotated[
        list[str] | None,
        typer.Option(
            "--methods",
            "--method",
            help="Only these, with commas between them; else all that suit the data set.",
        ),
    ] = None,
    peers: Annotated[bool, typer.Option("--peers", help="Other libraries too.")] = False,
    tune: Annotated[
        bool,
        typer.Option("--tune", help="First search parameters on the training split: tuned.json."),
    ] = False,
    split: Annotated[str, typer.Option(help="test, train, val or all.")] = "test",
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only so many images, evenly spread.")
    ] = None,
    tune_limit: Annotated[
        int, typer.Option(min=1, help="So many training images at most when tuning.")
    ] = 40,
    jobs: Annotated[
        int, typer.Option(min=1, help="Processes, of one thread each.", show_default="processors")
    ] = os.cpu_count() or 1,
    out: Annotated[Path, typer.Option(help="Folder for results and tables.")] = Path("quality"),
) -> None:
    """Score methods on a data set with human answers, all in the same way.

    Results are kept as they come: the same command goes on where it was stopped.
    Nothing is downloaded; segkit.datasets.open tells which forms of a data set are read.

    \b
    Examples:
      segkit benchmark quality --dataset bsds500 --root BSR/BSDS500 --peers
      segkit benchmark quality --dataset dsb2018 --root data --methods nuclei --tune
    """
    names = [name.strip() for each in methods or () for name in each.split(",")]
    bench = _quality.Benchmark(
        dataset, root, methods=names or None, peers=peers, out=out, n_jobs=jobs, progress=True
    )
    bench.check(split, tune=tune)
    if tune:
        bench.tune(limit=tune_limit)
    print(_quality_tables.markdown(bench.report(split, limit=limit)))
    print(f"{out / f'{dataset}-{split}.json'}, .md; every result: .jsonl")


def _page_can_be_made() -> None:
    """Say what is missing before the work, not after it."""
    from . import _page

    _page.template()


def _known_method(name: str) -> None:
    if name not in comparison.METHODS:
        raise ValueError(f"no method {name!r}; there are {', '.join(comparison.METHODS)}")


def _for_each(
    files: dict[str, Path], given: Sequence[Path] | None, option: str, *, several: bool = False
) -> dict[str, list[Path]]:
    """Return the files given for each image: one, or `several` for a single image."""
    paths = list(given or ())
    if paths and several and len(files) == 1:
        return dict.fromkeys(files, paths)
    if len(paths) not in (0, len(files)):
        raise ValueError(f"{option} must be given once for each IMAGE, got {len(paths)}")
    return {name: [path] for name, path in zip(files, paths, strict=False)}


def _known_kind(name: str) -> None:
    if name not in _scoring.KINDS:
        raise ValueError(f"no kind of truth {name!r}; there are {', '.join(_scoring.KINDS)}")


def _setting(text: str) -> tuple[str, Any]:
    """Return a parameter given as NAME=VALUE; VALUE is a Python literal, else a word."""
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise ValueError(f"--set wants NAME=VALUE, got {text!r}")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value


def _names(paths: Sequence[Path]) -> dict[str, Path]:
    """Return the paths by the shortest name that tells them apart."""
    stems = [path.stem for path in paths]
    return {path.stem if stems.count(path.stem) == 1 else str(path): path for path in paths}


def _tell(text: object) -> None:
    print("segkit:", " ".join(str(text).split()), file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        In place of those of the process.
    """
    command = typer.main.get_command(app)
    given = list(sys.argv[1:] if arguments is None else arguments)
    # What is wrong with a TIFF file is told once, by the error.
    logging.getLogger("tifffile").addHandler(logging.NullHandler())
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = lambda message, *_: _tell(message)
        try:
            status = command.main(
                args=given or ["--help"],
                prog_name="segkit",
                standalone_mode=False,
            )
        except (KeyboardInterrupt, typer.Abort):
            _tell("stopped")
            return 130
        except OSError as error:
            named = error.filename is not None and error.strerror is not None
            _tell(f"{error.filename}: {error.strerror}" if named else error)
            return 2
        except (ValueError, TypeError, ImportError) as error:
            _tell(error)
            return 2
        except MemoryError:
            _tell("out of memory")
            return 1
        except Exception as error:
            # Wrong options: typer's own errors, whose class lies in another package
            # from version to version.
            message = getattr(error, "format_message", None)
            if message is None:
                raise
            _tell(message() or "wrong options; see --help")
            return 2
    if status == 130:  # newer typers turn Ctrl-C into a status
        _tell("stopped")
    return status if isinstance(status, int) else 0
