"""Images to try things on, and images to measure with.

`samples` needs no download: the photographs come with scikit-image, the volumes
are drawn by a few lines here.  `open` reads a data set that is on disk already,
in the form that it is found in: a sequence of items, each with an image, the
truth, and what kind of truth it is, because that decides how it is scored.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import _check
from ._dataset_forms import FORMS

__all__ = ["KINDS", "Dataset", "Item", "blobs", "open", "samples", "tubes"]

_MOST_LEVELS = 16  # of tubes: each doubles their number
_PHOTOGRAPHS = ("coins", "camera", "astronaut", "coffee", "chelsea")


def samples() -> dict[str, np.ndarray]:
    """Return sample images by name.

    Returns
    -------
    images : dict of uint8 arrays
        ``coins`` and ``camera`` are grey, ``(R, C)``; ``astronaut``, ``coffee``
        and ``chelsea`` (a cat) are color, ``(R, C, 3)``; ``blobs`` is a volume
        of touching balls and ``tubes`` one of a branching vessel, ``(P, R, C)``,
        see `blobs` and `tubes`.

    Examples
    --------
    >>> from segkit import datasets
    >>> for name, image in datasets.samples().items():
    ...     print(name, image.shape)
    coins (303, 384)
    camera (512, 512)
    astronaut (512, 512, 3)
    coffee (400, 600, 3)
    chelsea (300, 451, 3)
    blobs (48, 112, 112)
    tubes (48, 112, 112)
    """
    from skimage import data

    images = {name: getattr(data, name)() for name in _PHOTOGRAPHS}
    images["blobs"] = blobs()[0]
    images["tubes"] = tubes()[0]
    return images


def blobs(
    shape: tuple[int, ...] = (48, 112, 112),
    *,
    n_blobs: int = 60,
    rng: int | np.random.Generator = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Return a volume of touching balls, and the label image that it was made from.

    Parameters
    ----------
    shape : tuple of int, default (48, 112, 112)
        Sides in pixels, in any number of dimensions.
    n_blobs : int, default 60
        How many balls are placed, of radius 6 to 12; some hide others.
    rng : int or Generator, default 0
        Where the random places come from.

    Returns
    -------
    image : uint8 array
        Bright balls, fading towards their rims, on a dark ground, with noise.
    truth : int32 array
        The ball nearest to each pixel, by distance to its center over its radius; 0 outside.

    Raises
    ------
    TypeError, ValueError
        Sides that are not integers >= 0, or not 1 to 4 of them; a negative number of balls.

    Examples
    --------
    >>> from segkit import datasets
    >>> image, truth = datasets.blobs((40, 40), n_blobs=5)
    >>> image.dtype, int(truth.max())
    (dtype('uint8'), 5)
    """
    shape = _check.shape(shape, "shape")
    n_blobs = _check.integer(n_blobs, "n_blobs", low=0)
    generator = _check.generator(rng)
    nearest = np.full(shape, np.inf)
    truth = np.zeros(shape, dtype=np.int32)
    grid = np.ogrid[tuple(slice(side) for side in shape)]
    for blob in range(1, n_blobs + 1):
        center = generator.uniform(0, shape)
        radius = generator.uniform(6, 12)
        squares = sum((axis - c) ** 2 for axis, c in zip(grid, center, strict=True))
        distance = np.sqrt(squares) / radius
        closer = distance < nearest
        nearest[closer] = distance[closer]
        truth[closer & (distance < 1)] = blob
    brightness = np.where(nearest < 1, 90 + 120 * (1 - nearest), 25)
    noisy = brightness + generator.normal(0, 9, shape)
    return np.clip(np.round(noisy), 0, 255).astype(np.uint8), truth


def tubes(
    shape: tuple[int, ...] = (48, 112, 112),
    *,
    n_levels: int = 5,
    rng: int | np.random.Generator = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Return a volume with a branching tree of tubes, as of vessels, and its label image.

    Parameters
    ----------
    shape : tuple of int, default (48, 112, 112)
        Sides in pixels, in two or more dimensions.  The tree grows along the last axis.
    n_levels : int, default 5
        The trunk is the first level; each tube of a level ends in two of the next,
        which share its cross section (their radii are 2 ** (-1 / 3) of it).
    rng : int or Generator, default 0
        Where the random directions come from.

    Returns
    -------
    image : uint8 array
        Bright tubes, fading towards their walls, on a dark ground, with noise.
    truth : int32 array
        The tube that each pixel lies in, of those that share it the nearest by
        distance over radius; 1 is the trunk; 0 outside.

    Raises
    ------
    TypeError, ValueError
        Sides that are not integers >= 0, or not 2 to 4 of them; a number of levels
        outside 0 to 16.

    Examples
    --------
    >>> from segkit import datasets
    >>> image, truth = datasets.tubes((60, 80), n_levels=3)
    >>> image.dtype, int(truth.max())
    (dtype('uint8'), 7)
    """
    shape = _check.shape(shape, "shape", least=2)
    n_levels = _check.integer(n_levels, "n_levels", low=0, high=_MOST_LEVELS)
    generator = _check.generator(rng)
    nearest = np.ones(shape)  # over the radius: 1 at the wall and outside
    truth = np.zeros(shape, dtype=np.int32)
    sides = np.array(shape, dtype=np.float64)
    along = np.eye(len(shape))[-1]
    # Each tube: where it starts, its direction in units of the sides, length, radius.
    level = [(sides * (1 - along) / 2, along, 0.28, max(2.0, min(shape) / 9))]
    for depth in range(n_levels):
        following = []
        for number, (start, direction, length, radius) in enumerate(level, 2**depth):
            way = direction * length * sides
            box, distance = _around_a_line(start, way, radius, shape)
            closer = distance < nearest[box]
            nearest[box][closer] = distance[closer]
            truth[box][closer] = number
            aside = generator.normal(size=len(shape))
            aside -= direction * (aside @ direction)
            aside /= np.sqrt(aside @ aside)
            for side in (-0.65, 0.65):
                turned = direction + side * aside
                turned /= np.sqrt(turned @ turned)
                following.append((start + way, turned, 0.78 * length, radius * 2 ** (-1 / 3)))
        level = following
    brightness = np.where(nearest < 1, 90 + 120 * (1 - nearest**2), 25)
    noisy = brightness + generator.normal(0, 9, shape)
    return np.clip(np.round(noisy), 0, 255).astype(np.uint8), truth


def _around_a_line(
    start: np.ndarray, way: np.ndarray, radius: float, shape: tuple[int, ...]
) -> tuple[tuple[slice, ...], np.ndarray]:
    """Return the box around a thick line, and the distance from it over `radius` there."""
    ends = np.stack([start, start + way])
    low = np.clip(np.floor(ends.min(axis=0) - radius), 0, shape).astype(int)
    high = np.clip(np.ceil(ends.max(axis=0) + radius) + 1, low, shape).astype(int)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    offset = np.stack(np.meshgrid(*(np.arange(s.start, s.stop) for s in box), indexing="ij"), -1)
    offset = offset - start
    offset -= np.clip(offset @ way / (way @ way), 0, 1)[..., np.newaxis] * way
    return box, np.sqrt((offset * offset).sum(axis=-1)) / radius


KINDS = ("partitions", "regions", "instances", "classes", "mask", "structures")


@dataclass(frozen=True, eq=False)
class Item:
    """One image of a data set, and what is known of it.

    ``name, image, truth = item`` works too.

    Attributes
    ----------
    name : str
        Tells it from the others in the data set.
    image : (R, C), (R, C, 3) or (P, R, C) array
    truth : label image, or a list of them
        As `kind` says, see `open`; int32.
    kind : str
        One of `KINDS`.
    boundaries : list of bool arrays, or None
        The boundaries that belong to each truth (bsds500).
    scribbles : tuple of label images, or None
        Two sets of strokes drawn by people, numbered as `truth`, 0 elsewhere (seeds50).
    supervoxels : label image, or None
        Pieces to merge (fib25).
    spacing : tuple of float, or None
        Pixel size along each axis: nm for electron microscopy, mm for MRI.
    group : str or None
        What sort of image it is (dsb2018).
    """

    name: str
    image: np.ndarray
    truth: Any
    kind: str
    boundaries: list[np.ndarray] | None = None
    scribbles: tuple[np.ndarray, ...] | None = None
    supervoxels: np.ndarray | None = None
    spacing: tuple[float, ...] | None = None
    group: str | None = None

    def __iter__(self) -> Iterator[Any]:
        """Yield name, image and truth."""
        return iter((self.name, self.image, self.truth))

    @property
    def channel_axis(self) -> int | None:
        """The axis of channels: -1 for a color picture, else None."""
        truth = self.truth[0] if isinstance(self.truth, list) else self.truth
        return -1 if self.image.ndim > truth.ndim else None


class Dataset(Sequence[Item]):
    """A data set on disk: a sequence of `Item`, each read when it is asked for.

    ``len(dataset)``, ``dataset[0]``, ``dataset["name"]``, ``dataset[:10]`` (a smaller
    data set) and ``for name, image, truth in dataset`` work.

    Attributes
    ----------
    name, split : str
        As they were given to `open`.
    kind : str
        What the truth is, one of `KINDS`.
    names : list of str
        Of the items, in their order.
    class_names : dict of str by int
        The names of the numbers in the truth, where they have names.
    """

    def __init__(
        self,
        name: str,
        split: str,
        kind: str,
        class_names: dict[int, str],
        readers: dict[str, Callable[[], dict[str, Any]]],
    ) -> None:
        self.name, self.split, self.kind = name, split, kind
        self.class_names = class_names
        self._readers = readers

    @property
    def names(self) -> list[str]:
        """The names of the items."""
        return list(self._readers)

    def __len__(self) -> int:
        """Return how many items there are."""
        return len(self._readers)

    def __getitem__(self, key: Any) -> Any:
        """Return an item by its number or its name; a slice gives a smaller data set."""
        names = self.names
        if isinstance(key, slice):
            readers = {name: self._readers[name] for name in names[key]}
            return Dataset(self.name, self.split, self.kind, self.class_names, readers)
        name = key if isinstance(key, str) else names[key]
        if name not in self._readers:
            raise KeyError(f"{self.name} has no image {name!r}")
        return Item(name=name, kind=self.kind, **self._readers[name]())

    def __contains__(self, name: object) -> bool:
        """Return whether there is an item of this name; nothing is read."""
        return name in self._readers

    def __iter__(self) -> Iterator[Item]:
        """Read one item after the other."""
        return (self[name] for name in self.names)

    def __repr__(self) -> str:
        """Return what it is and how large."""
        return f"<Dataset {self.name}, {self.split}: {len(self)} of kind {self.kind!r}>"


def open(name: str, root: str | os.PathLike[str], *, split: str = "test") -> Dataset:
    """Open a data set that lies on disk; nothing is downloaded, nothing is written.

    Parameters
    ----------
    name : str
        ============= ============== ====================================================
        name          kind           what
        ============= ============== ====================================================
        bsds500       "partitions"   photographs, each segmented by several people
        camvid        "classes"      road scenes in 11 classes
        dsb2018       "instances"    microscope images of nuclei
        seeds50       "mask"         photographs with an object and scribbles
        isbi2012      "regions"      electron microscope sections with cells
        fib25         "regions"      an electron microscope volume with cells
        hippocampus   "structures"   MRI volumes with two structures
        oasis_trt20   "structures"   MRI slices with about 45 structures
        brain3d       "structures"   an MRI volume with FreeSurfer's structures
        ============= ============== ====================================================
    root : str or path
        The folder of the data set, or the one that holds it.  bsds500 and camvid
        are read in the form of their authors too: ``BSR/BSDS500/data`` with MATLAB
        files in ``groundTruth``, and SegNet's ``CamVid`` with ``train``, ``trainannot``,
        ``train.txt`` and so on.  Which form it is, is seen from what lies there.
    split : {"test", "train", "val", "all"}, default "test"
        bsds500 and camvid have train, val and test of their own.  dsb2018, seeds50,
        isbi2012, hippocampus and oasis_trt20 have not: here the first, third, fifth,
        ... of their names in sorted order are "train", the others "test".  Of fib25 the
        planes before number 50 are "train".  The one image of brain3d is "test".

    Returns
    -------
    dataset : Dataset
        A sequence of `Item`; each is read when it is asked for.

    Raises
    ------
    TypeError
        `name` or `split` is not a str, `root` is not a path.
    ValueError
        The name or the split is not known; a file is damaged (when it is read).
    OSError
        The data set is not there; a file is missing (when it is read).

    Notes
    -----
    What `truth` is, by kind:

    - "partitions": a list of label images, one for each person who drew.
    - "regions": a label image; 0 belongs to no region, and is left out of scores.
    - "instances": a label image of objects on the background 0.
    - "classes": a class image of 1..K with names in `class_names`; 0 is void, left out
      of scores.  The classes of CamVid count from 1 here, in their order.
    - "mask": 1 the object, 2 the background, 0 undecided, left out of scores.  Scribbles
      have the same numbers, and 0 where nothing was drawn.
    - "structures": a label image with the data set's own numbers, named in
      `class_names`; 0 is everything else, and counts.

    Examples
    --------
    >>> from segkit import datasets
    >>> datasets.open("bsds500", "nowhere")
    Traceback (most recent call last):
    ...
    FileNotFoundError: nowhere: there is no such folder
    """
    _check.choice(name, "name", tuple(FORMS))
    forms = FORMS[name]
    _check.choice(split, "split", forms[0].splits)
    place = _check.path(root, "root").expanduser()
    if not place.is_dir():
        raise FileNotFoundError(f"{place}: there is no such folder")
    for form in forms:
        folder = form.folder(place)
        if folder is not None:
            break
    else:
        wanted = " or ".join(" and ".join(form.marks) for form in forms)
        raise FileNotFoundError(
            f"{place}: {name} is not there: neither the folder nor one in it named "
            f"{forms[0].places[0]} holds {wanted}"
        )
    readers = form.list_items(folder, split)
    if not readers:
        raise ValueError(f"{folder}: nothing of {name} belongs to the split {split!r}")
    names = form.class_names(folder) if callable(form.class_names) else form.class_names
    return Dataset(name, split, form.kind, dict(names), readers)
