"""What is to be compared: images, each with a name, and with its truth where that is known.

Here, and only here, a last axis of 3 is taken as color: pages are made of files
and data sets, whose pictures are what they look like.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import _check
from ._scoring import KINDS


@dataclass(frozen=True)
class Case:
    """One image, the label images of its annotators, and where regions may start."""

    name: str
    image: np.ndarray
    truths: tuple[np.ndarray, ...] = ()
    kind: str | None = None
    markers: np.ndarray | None = None

    @property
    def channel_axis(self) -> int | None:
        """The axis of colors, or None."""
        return color_axis(self.image)


def color_axis(image: np.ndarray) -> int | None:
    """Return -1 for an image whose last axis of 3 holds colors, else None."""
    return -1 if image.ndim >= 3 and image.shape[-1] == 3 else None


def cases(images: Any, truths: Any, kind: Any, markers: Any) -> list[Case]:
    """Return what is given, checked: the arguments of `compare`."""
    named, items = _named_images(images)
    truths = {name: item.truth for name, item in items.items()} | _by_name(truths, "truths", named)
    truths = {name: truth for name, truth in truths.items() if truth is not None}
    drawn = {name: item.scribbles[0] for name, item in items.items() if _has_scribbles(item)}
    drawn |= _by_name(markers, "markers", named)
    kinds = dict.fromkeys(truths, "partitions")
    kinds |= {name: item.kind for name, item in items.items() if name in truths}
    kinds |= _kinds_asked(kind, truths)
    found = []
    for name, image in named.items():
        shape = image.shape if color_axis(image) is None else image.shape[:-1]
        place = f"images[{name!r}]"
        known: tuple[np.ndarray, ...] = ()
        if name in truths:
            _check.choice(kinds[name], f"kind[{name!r}]", tuple(KINDS))
            known = _annotators(truths[name], f"truths[{name!r}]", shape, place)
            if kinds[name] == "mask":
                _refuse_no_mask(known, f"truths[{name!r}]")
        start = None
        if drawn.get(name) is not None:
            start = _check.labels(drawn[name], f"markers[{name!r}]")
            _check.same_shape(start, f"markers[{name!r}]", shape, place, hint=False)
        found.append(Case(name, image, known, kinds.get(name), start))
    return found


def _named_images(images: Any) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return images by name, and the items of a data set among them."""
    if isinstance(images, (np.ndarray, str)) or not isinstance(images, Iterable):
        raise TypeError("`images` must be a dict of arrays by name, or a sequence of arrays")
    items: dict[str, Any] = {}
    if isinstance(images, Mapping):
        given = {str(name): image for name, image in images.items()}
        if len(given) < len(images):
            raise ValueError("`images` has two names that are the same as text")
    else:
        given = {}
        for number, entry in enumerate(images, start=1):
            is_item = hasattr(entry, "image") and hasattr(entry, "truth")
            name = str(entry.name) if is_item else f"image {number}"
            if name in given:
                raise ValueError(f"`images` has two items of the name {name!r}")
            given[name] = entry.image if is_item else entry
            if is_item:
                items[name] = entry
    if not given:
        raise ValueError("`images` must hold at least one image")
    named = {}
    for name, image in given.items():
        array = _check.as_array(image, f"images[{name!r}]")
        if array.size == 0 or array.ndim < 2:
            raise ValueError(
                f"`images[{name!r}]` must be a picture or a volume, got shape {array.shape}"
            )
        named[name] = array
    return named, items


def _by_name(given: Any, argument: str, images: Mapping[str, Any]) -> dict[str, Any]:
    """Return what goes with images, by their names; a sequence goes in their order."""
    if given is None:
        return {}
    if isinstance(given, Mapping):
        for name in given:
            if name not in images:
                raise ValueError(f"`{argument}` has {name!r}, which is not the name of an image")
        return dict(given)
    if isinstance(given, (np.ndarray, str)) or not isinstance(given, Sequence):
        raise TypeError(
            f"`{argument}` must be a dict of label images by the name of the image, or a "
            "sequence with one for each image"
        )
    if len(given) != len(images):
        raise ValueError(
            f"`{argument}` must hold one for each of the {len(images)} image(s), got {len(given)}"
        )
    return dict(zip(images, given, strict=True))


def _has_scribbles(item: Any) -> bool:
    return bool(getattr(item, "scribbles", None))


def _kinds_asked(kind: Any, truths: Mapping[str, Any]) -> dict[str, Any]:
    if kind is None:
        return {}
    if not isinstance(kind, Mapping):
        return dict.fromkeys(truths, _check.choice(kind, "kind", tuple(KINDS)))
    for name in kind:
        if name not in truths:
            raise ValueError(f"`kind` has {name!r}, which is not the name of an image with a truth")
    return dict(kind)


def _annotators(
    truth: Any, argument: str, shape: tuple[int, ...], image: str
) -> tuple[np.ndarray, ...]:
    """Return the label images of all annotators, each of the shape of the image."""
    several = _check.truths(truth, shape, argument, like=image)
    for array in several:
        _check.largest_label(array, argument)
    return tuple(several)


def _refuse_no_mask(truths: Sequence[np.ndarray], argument: str) -> None:
    for truth in truths:
        values = np.unique(truth)
        if len(values) > 2 and values.max() > 2:
            raise ValueError(
                f'`{argument}` of kind "mask" must hold two values, 0 the background, or 1 the '
                f"object, 2 the background, 0 undecided; got {len(values)} values up to "
                f"{values.max()}"
            )
