"""What all classifiers of pixels share: scikit-learn's conventions, for images.

A segmenter is an object with parameters that are given once, `fit`, and `predict`.
As in scikit-learn, parameters are read from the signature of `__init__`, which stores
them under their names without a look at them; `fit` checks them, before any work; and
what `fit` finds has a name that ends in an underscore.  So segmenters can be cloned,
searched over and put into pipelines, although scikit-learn need not be there.

An image becomes a table: one row for each pixel (inside the mask), one column for
each feature.  What a classifier says about rows is put back into the image's shape.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from math import prod
from typing import Any, NamedTuple, Self

import numpy as np

from . import _check, _filters, features


class NotFittedError(ValueError, AttributeError):
    """A method that needs what `fit` finds was called before it."""


class Pixels(NamedTuple):
    """Pixels as the rows of a table."""

    values: np.ndarray  # (n, p), C-contiguous
    shape: tuple[int, ...]  # of the image, without channels
    inside: np.ndarray | None  # flat, bool: which pixels the rows are; None: all

    def spread(self, rows: np.ndarray, fill: float = 0) -> np.ndarray:
        """Return what belongs to each row at its pixel, `fill` elsewhere.

        rows (n, ...) gives an array of the spatial shape, then (...).
        """
        if self.inside is not None:
            whole = np.full((self.inside.size, *rows.shape[1:]), fill, dtype=rows.dtype)
            whole[self.inside] = rows
            rows = whole
        return rows.reshape(*self.shape, *rows.shape[1:])


class Tiled(NamedTuple):
    """Pixels of an image, a tile at a time, so that memory does not follow its size."""

    shape: tuple[int, ...]  # of the image, without channels
    tiles: list[_filters.Where]
    rows_of: Callable[[_filters.Where], np.ndarray]  # a tile -> (n, p), C-contiguous
    n_features: int  # p


class Segmenter:
    """Parameters, their checks and the way from an image to rows of features.

    A subclass has `features`, `sigmas` and `channel_axis` among its parameters, sets
    `n_features_in_` in `fit`, and refuses bad parameters of its own in `_check_parameters`.
    """

    features: Sequence[str]
    sigmas: Sequence[float]
    channel_axis: int | None

    @classmethod
    def _parameter_names(cls) -> list[str]:
        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name; with `deep` also those of estimators among them."""
        found: dict[str, Any] = {}
        for name in self._parameter_names():
            value = found[name] = getattr(self, name)
            if deep and hasattr(value, "get_params") and not isinstance(value, type):
                inner = value.get_params()
                found |= {f"{name}__{key}": part for key, part in inner.items()}
        return found

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name, those of an estimator among them as name__parameter."""
        names = self._parameter_names()
        inner: dict[str, dict[str, Any]] = {}
        for key in params:
            name, deeper, _ = key.partition("__")
            if name not in names or (deeper and not hasattr(getattr(self, name), "set_params")):
                raise ValueError(
                    f"`{key}` is no parameter of {type(self).__name__}, which has "
                    + ", ".join(f"`{one}`" for one in names)
                )
        for key, value in params.items():
            name, deeper, rest = key.partition("__")
            if deeper:
                inner.setdefault(name, {})[rest] = value
            else:
                setattr(self, name, value)
        for name, values in inner.items():
            getattr(self, name).set_params(**values)
        return self

    def __repr__(self) -> str:
        """Return the call that makes this object, without what is left at its default."""
        shown = []
        for name, parameter in inspect.signature(type(self).__init__).parameters.items():
            if name == "self":
                continue
            value = getattr(self, name)
            if not _same(value, parameter.default):
                shown.append(f"{name}={_short(value)}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn asks of an estimator."""
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=False),
            input_tags=InputTags(two_d_array=True, three_d_array=True),
        )

    def _check_parameters(self) -> None:
        """Refuse parameters that are wrong for any image."""
        _check.words(self.features, "features", features.FEATURES)
        _check.sigmas(self.sigmas)

    def _check_place(self, shape: tuple[int, ...], mask: np.ndarray | None) -> None:
        """Refuse parameters that do not suit the pixels of an image, before any work on them."""

    def _pixels(
        self, image: Any, mask: Any = None, *, native: bool = False, least: int = 0
    ) -> Pixels:
        """Return the features of the pixels inside the mask, one row each.

        float32; with `native`, intensities alone keep the type of the image (in native
        byte order, bool as uint8), which is then not copied if it need not be.  Fewer pixels
        than `least`, a number of classes, are refused.
        """
        array = _check.channels_last(image, self.channel_axis)
        shape = array.shape[:-1]
        mask = _check.mask(mask, shape, "image")
        _check.enough_pixels(prod(shape) if mask is None else int(np.count_nonzero(mask)), least)
        self._check_place(shape, mask)
        if native and tuple(self.features) == ("intensity",):
            _check.refuse_not_finite(array, "image")
            table = _native(array)
        else:
            table = _finite(
                features.pixel_features(array, self.features, sigmas=self.sigmas, channel_axis=-1)
            )
        table = table.reshape(-1, table.shape[-1])
        inside = None
        if mask is not None:
            inside = np.ascontiguousarray(mask).reshape(-1)
            table = table[inside]
        return Pixels(table, shape, inside)

    def _tiled(self, image: Any, *, native: bool = False) -> Tiled:
        """Return the features of an image tile by tile, as `_pixels` has them."""
        array = _check.channels_last(image, self.channel_axis)
        shape = array.shape[:-1]
        if not native or tuple(self.features) != ("intensity",):
            tiles, computed, n = features._tiled(array, self.features, self.sigmas)
            return Tiled(shape, tiles, lambda where: _finite(computed(where)), n)
        _check.refuse_not_finite(array, "image")

        def rows_of(where: _filters.Where) -> np.ndarray:
            return _native(array[where]).reshape(-1, array.shape[-1])

        return Tiled(shape, list(_filters.tiles(shape, 0)), rows_of, array.shape[-1])

    def _refuse_unfitted(self) -> None:
        """Refuse to go on without what `fit` finds."""
        if hasattr(self, "n_features_in_"):
            return
        learned = sys.modules.get("sklearn.exceptions")  # theirs, where it is loaded
        error = learned.NotFittedError if learned else NotFittedError
        raise error(f"this {type(self).__name__} knows no classes yet: call `fit` first")

    def _refuse_other_features(self, n_features: int) -> None:
        """Refuse pixels with another number of features than those of `fit`."""
        if n_features != self.n_features_in_:
            raise ValueError(
                f"`image` has {n_features} feature(s) per pixel, {type(self).__name__} is "
                f"expecting {self.n_features_in_} features as input, as in `fit`"
            )

    n_features_in_: int


def _finite(table: np.ndarray) -> np.ndarray:
    """Return features; refuse infinite ones."""
    with np.errstate(all="ignore"):
        if np.isfinite(np.add.reduce(table, axis=None, dtype=np.float64)):
            return table
    raise ValueError("`image` must hold smaller values: its features exceed float32")


def _native(array: np.ndarray) -> np.ndarray:
    """Return values C-contiguous in native byte order, bool as uint8; copied only if need be."""
    dtype = np.dtype(np.uint8) if array.dtype == np.bool_ else array.dtype
    return np.ascontiguousarray(array, dtype=dtype.newbyteorder("="))


def _same(one: Any, other: Any) -> bool:
    """Return whether two parameters are equal, arrays included."""
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return False
    return bool(one is other or (type(one) is type(other) and one == other))


def _short(value: Any) -> str:
    """Return a parameter as it stands in a repr, arrays by their shape."""
    if isinstance(value, np.ndarray):
        return f"array of shape {value.shape}"
    return repr(value)


__all__ = ["NotFittedError", "Pixels", "Segmenter", "Tiled"]
