"""The command line: what it writes, and that a user's mistake is one line and status 2."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import segkit
from segkit import _pipelines, comparison
from segkit.cli import main
from tests.conftest import ROOT, hear_interrupts


@pytest.fixture
def photo(tmp_path):
    """Return the path of a small color picture: two squares on a ground."""
    image = np.full((40, 60, 3), 30, dtype=np.uint8)
    image[8:30, 6:26] = (200, 60, 40)
    image[10:34, 32:54] = (40, 180, 90)
    segkit.write_image(tmp_path / "photo.png", image)
    return tmp_path / "photo.png"


def one_line(capsys):
    """Return the only line on stderr; nothing was printed on stdout."""
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("segkit: ")
    return captured.err.strip()


def test_version_and_help(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"segkit {segkit.__version__}\n"
    assert main([]) == 0
    for command in ("compare", "segment"):
        assert command in capsys.readouterr().out or main([command, "--help"]) == 0
    for command in (["compare"], ["segment"], ["benchmark", "speed"], ["benchmark", "quality"]):
        assert main([*command, "--help"]) == 0
        text = capsys.readouterr().out
        assert "Examples:" in text
        assert "\n    segkit " + " ".join(command) in text, "each on a line of its own"


@pytest.mark.parametrize("method", comparison.METHODS)
def test_segment_writes_the_labels_of_every_method(photo, tmp_path, capsys, method):
    out, strokes = tmp_path / "labels.png", tmp_path / "strokes.png"
    arguments, given = [], {}
    if _pipelines.takes_markers(comparison.METHODS[method]):
        given["markers"] = np.zeros((40, 60), dtype=np.int32)
        given["markers"][4, 10:50], given["markers"][20, 10:20] = 5, 2
        segkit.write_labels(strokes, given["markers"])
        arguments = ["--markers", str(strokes)]
    assert main(["segment", str(photo), "--method", method, "--out", str(out), *arguments]) == 0
    image = segkit.read_image(photo)
    np.testing.assert_array_equal(
        segkit.read_labels(out), segkit.segment(image, method, channel_axis=-1, **given)
    )
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out.startswith(f"{method}: ")
    assert str(out) in captured.out


def test_segment_takes_parameters_and_draws(photo, tmp_path):
    out, picture = tmp_path / "labels.npz", tmp_path / "picture.png"
    arguments = ["segment", str(photo), "--method", "compact_watershed", "--set", "spacing=10"]
    assert main([*arguments, "--out", str(out), "--overlay", str(picture)]) == 0
    assert segkit.read_labels(out).max() == 24
    assert segkit.read_image(picture).shape == (40, 60, 3)


def test_segment_takes_a_stack_of_16_bits(tmp_path):
    stack = np.zeros((6, 20, 20), dtype=np.uint16)
    stack[1:5, 4:16, 4:16] = 40000
    segkit.write_image(tmp_path / "stack.tif", stack)
    arguments = ["segment", str(tmp_path / "stack.tif"), "--method", "growing_unseeded"]
    labels, picture = str(tmp_path / "labels.tif"), str(tmp_path / "picture.png")
    assert main([*arguments, "--set", "sigma=0", "--out", labels, "--overlay", picture]) == 0
    assert segkit.read_labels(labels).shape == stack.shape
    assert segkit.read_image(picture).shape == (20, 20, 3)


@pytest.mark.parametrize(
    ("place", "told"),
    [("picture.gif", "suffix '.gif' is not one of"), ("nowhere/picture.png", "there is no folder")],
)
def test_a_picture_that_cannot_be_written_is_refused_before_the_work(
    photo, tmp_path, place, told, capsys
):
    out = tmp_path / "labels.png"
    arguments = ["segment", str(photo), "--out", str(out), "--overlay", str(tmp_path / place)]
    assert main(arguments) == 2
    assert told in capsys.readouterr().err
    assert not out.exists()


def test_alpha_is_dropped_with_one_line(tmp_path, capsys):
    from PIL import Image

    Image.fromarray(np.full((20, 20, 4), 90, dtype=np.uint8)).save(tmp_path / "x.png")
    assert main(["segment", str(tmp_path / "x.png"), "--out", str(tmp_path / "y.png")]) == 0
    assert capsys.readouterr().err.endswith("x.png: the alpha channel was dropped\n")


def test_compare_writes_a_page_of_the_users_images(photo, tmp_path, capsys):
    truth = tmp_path / "truth.png"
    segkit.write_labels(truth, np.ones((40, 60), dtype=np.int32))
    out = tmp_path / "report"
    arguments = ["compare", str(photo), "--out", str(out), "--truth", str(truth)]
    assert main([*arguments, "--method", "growing", "--method", "watershed"]) == 0
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "Truth: one region" in page
    assert ">Covering</button>" in page
    assert page.count('<article class="card"') == 2
    assert str(out / "index.html") in capsys.readouterr().out


def test_compare_takes_several_annotators_and_a_kind(photo, tmp_path):
    truths = []
    for number in (1, 2):
        labels = np.ones((40, 60), dtype=np.int32)
        labels[:, 30 * number - 10 :] = 2
        truths += ["--truth", str(tmp_path / f"{number}.png")]
        segkit.write_labels(truths[-1], labels)
    out = tmp_path / "report"
    arguments = ["compare", str(photo), "--out", str(out), "--method", "growing", *truths]
    assert main(arguments) == 0
    assert "Annotator 2: 2 regions" in (out / "index.html").read_text(encoding="utf-8")
    assert main([*arguments, "--kind", "instances"]) == 0
    assert ">PQ</button>" in (out / "index.html").read_text(encoding="utf-8")


def test_compare_starts_from_markers(photo, tmp_path):
    strokes = np.zeros((40, 60), dtype=np.uint8)
    strokes[15, 10:20] = strokes[20, 40:50] = 1
    strokes[3, 5:55] = 2
    segkit.write_labels(tmp_path / "strokes.png", strokes)
    segkit.write_labels(tmp_path / "mask.png", np.where(strokes == 1, 1, 0))
    arguments = ["compare", str(photo), "--markers", str(tmp_path / "strokes.png")]
    arguments += ["--truth", str(tmp_path / "mask.png"), "--kind", "mask"]
    assert main([*arguments, "--method", "scribbles", "--out", str(tmp_path)]) == 0
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "markers=markers" in page
    assert ">Hausdorff</button>" in page


def test_compare_without_an_image_takes_the_samples_and_their_truths(tmp_path, monkeypatch):
    monkeypatch.setattr("segkit.datasets._PHOTOGRAPHS", ("coins",))
    assert main(["compare", "--method", "flat_zones", "--out", str(tmp_path)]) == 0
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    for title in ("AP", "PQ", "IoU", "Dice", "Explained"):
        assert f">{title}</button>" in page


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["segment", "nowhere.png"], "nowhere.png: No such file"),
        (["compare", "nowhere.png"], "nowhere.png: No such file"),
        (["segment", "."], "Is a directory"),
        (["segment", "notes.png"], "notes.png: not an image that can be read"),
        (["segment", "cut.png"], "cut.png: damaged"),
        (["segment", "photo.png", "--max-pixels", "100"], "more than the 100 allowed"),
        (["segment", "photo.png", "--max-pixels", "many"], "--max-pixels"),
        (["segment", "photo.png", "--method", "slic"], "no method 'slic'; there are watershed"),
        (["compare", "photo.png", "--method", "slic"], "no method 'slic'"),
        (["segment", "photo.png", "--set", "depth"], "--set wants NAME=VALUE"),
        (["segment", "photo.png", "--markers", "none.png"], "none.png: No such file"),
        (["segment", "photo.png", "--markers", "photo.png"], "label image has one channel"),
        (["segment", "photo.png", "--set", "depht=1"], "it has sigma, depth, min_size"),
        (["segment", "photo.png", "--set", "image=1"], "it has sigma, depth, min_size"),
        (["segment", "photo.png", "--set", "markers=1"], "it has sigma, depth, min_size"),
        (["segment", "photo.png", "--set", "channel_axis=0"], "it has sigma, depth, min_size"),
        (["segment", "photo.png", "--set", "depth=-1"], "`depth` must be a finite number >= 0"),
        (["segment", "photo.png", "--set", "depth=deep"], "`depth` must be"),
        (["segment", "photo.png", "--out", "labels.jpg"], "suffix '.jpg' is not one of"),
        (["segment", "photo.png", "--out", "no/labels.png"], "no/labels.png"),
        (
            ["compare", "photo.png", "cut.png", "--truth", "x"],
            "--truth must be given once for each",
        ),
        (["compare", "photo.png", "--markers", "x", "--markers", "y"], "--markers must be given"),
        (["compare", "--markers", "photo.png"], "--markers needs the IMAGE that it belongs to"),
        (["compare", "--truth", "photo.png"], "--truth needs the IMAGE that it belongs to"),
        (["compare", "photo.png", "--kind", "cells"], "no kind of truth 'cells'; there are part"),
        (["compare", "photo.png", "--truth", "small.png"], "has shape (4, 5), `images['photo']`"),
        (["compare", "photo.png", "--truth", "photo.png"], "label image has one channel"),
        (["segment"], "Missing argument 'IMAGE'"),
        (["segment", "--frobnicate"], "No such option"),
        (["frobnicate"], "No such command 'frobnicate'"),
        (["benchmark"], "Missing command"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_line_and_status_2(photo, monkeypatch, capsys, arguments, told):
    monkeypatch.chdir(photo.parent)
    (photo.parent / "notes.png").write_text("not a picture")
    segkit.write_labels(photo.parent / "small.png", np.ones((4, 5), dtype=np.int32))
    (photo.parent / "cut.png").write_bytes(photo.read_bytes()[:-30])
    before = sorted(photo.parent.iterdir())
    assert main(arguments) == 2
    assert told in one_line(capsys)
    assert sorted(photo.parent.iterdir()) == before


def test_a_cut_tiff_is_one_line(tmp_path):
    whole = tmp_path / "stack.tif"
    segkit.write_image(whole, np.random.default_rng(0).integers(0, 255, (6, 40, 50), np.uint8))
    cut = tmp_path / "cut.tif"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    # In a process of its own, where nothing but the command line has set up logging.
    command = [sys.executable, "-m", "segkit", "segment", str(cut)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"segkit: {cut}: damaged")
    assert done.stderr.count("\n") == 1


def test_a_missing_extra_is_one_line(photo, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert main(["compare", str(photo)]) == 2
    assert one_line(capsys) == "segkit: the page needs jinja2: pip install 'segkit[report]'"


def test_benchmark_without_its_folder_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("segkit.cli.__file__", str(tmp_path / "lib" / "segkit" / "cli.py"))
    assert main(["benchmark", "speed"]) == 2
    assert "there is no folder benchmarks here" in one_line(capsys)


def test_benchmark_runs_the_package_with_its_arguments(tmp_path, monkeypatch, capfd):
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "__init__.py").touch()  # or an installed package would go first
    (tmp_path / "benchmarks" / "__main__.py").write_text("import sys; print(sys.argv[1:])")
    monkeypatch.chdir(tmp_path)
    assert main(["benchmark", "speed", "--quick"]) == 0
    assert capfd.readouterr().out.strip() == "['speed', '--quick']"


@pytest.mark.skipif(os.name != "posix", reason="signals are sent the POSIX way")
def test_ctrl_c_ends_with_130_and_one_line(tmp_path):
    segkit.write_image(
        tmp_path / "noise.npy",
        np.random.default_rng(0).integers(0, 256, (3000, 3000), dtype=np.uint8),
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "segkit", "compare", str(tmp_path / "noise.npy"),
         "--out", str(tmp_path / "report")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        preexec_fn=hear_interrupts,
    )  # fmt: skip
    time.sleep(2.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    # Caught while modules are imported, Python ends by the signal itself: 130 to a shell too.
    assert process.returncode in (130, -signal.SIGINT), err
    assert err.strip().splitlines()[-1] == "segkit: stopped"
    assert "Traceback" not in err
    assert out == ""
    assert not (tmp_path / "report").exists()
