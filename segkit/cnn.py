"""A convolutional network as one more segmenter: any ONNX file, and one that is there.

A network for semantic segmentation takes an image and gives each pixel a score for each
class.  Around that core lies what people get wrong: in which order the channels are,
how the values are scaled, which sizes the network takes, what happens at the borders of
tiles, what its outputs are called.  `CNNSegmenter` is told these things once, and gives a
class image like any other method here: 1..K at the size of the image, 0 for no class.

Values are taken as they are, in the units of `mean` and `std`: an image of 0..1 is not the same to
a network as one of 0..255.  Nothing is stretched.

A model is data that a library turns into work.  Files are read with suspicion (`_onnx`), and what
comes out is checked; formats that can hold programs are refused.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from . import _backends, _check, _doubts, _models, _onnx, _planes, _tiles, _trial

_CHANNELS = (1, 3, 4)  # of pictures


class CNNSegmenter:
    """A network for semantic segmentation in an ONNX file.

    Parameters
    ----------
    model : str or path
        The file.  It takes one image as (n, channels, rows, columns), floats or uint8, of fixed or
        free size, and gives scores or probabilities, (n, classes, rows, columns), or
        labels, (n, rows, columns); of several outputs the first one counts.  One channel of
        scores stands for two classes: it is that of the second against the first.
    class_names : sequence of str
        A name for each output, in their order.  Outputs of the name "void" are no class.
    mean, std : number, or one for each channel
        The network sees (value - mean) / std: in the units of the image, and in the order in which
        the network takes the channels.  Where figures are for images of
        0..1, as for many networks trained on ImageNet, multiply them by 255.
    channels : {"rgb", "bgr"}, default "rgb"
        The order in which the network takes red, green and blue; that of images is always RGB.
    size : int or (rows, columns), optional
        The size that images are brought to for the network, and its results back from.
        None: the size that the model is made for, or the image's own if it takes any.
    backend : {"auto", "opencv", "onnxruntime"}, default "auto"
        What runs the network; "auto" takes onnxruntime if it is installed.
    channel_axis : int or None, default -1
        The axis of channels of images that have three axes; images of two are grey, and
        are shown to a network for colors three times.
    max_bytes : int, default 2**29
        A larger file is refused.

    Attributes
    ----------
    classes : dict of str by int
        The names of the numbers 1..K in the class image.
    backend : str
        "opencv" or "onnxruntime".

    Raises
    ------
    TypeError
        An argument is of the wrong type.
    ValueError
        The file is no ONNX model, damaged, too large, has weights outside its folder, or cannot
        be run; it does not give as many classes as there are names; a value is not accepted.
    OSError
        There is no such file, or it cannot be read.
    ImportError
        `backend` is not installed.

    Notes
    -----
    **Ties** the lowest class.  Backends round differently: where the two best scores are
    equal to six digits they may choose differently.

    **Cost** that of the network.  One object can be used from several threads.  Ctrl-C ends a call
    at once; OpenCV, which cannot be stopped, computes what it has begun to its end, unheard.

    Examples
    --------
    >>> import segkit
    >>> from segkit import datasets
    >>> network = segkit.CNNSegmenter.pretrained("espnet-camvid")
    >>> network.classes[4]
    'road'
    >>> labels = network.predict(datasets.samples()["coffee"])
    >>> labels.shape, labels.dtype
    ((400, 600), dtype('int32'))
    """

    def __init__(
        self,
        model: Any,
        *,
        class_names: Sequence[str],
        mean: Any,
        std: Any,
        channels: str = "rgb",
        size: Any = None,
        backend: str = "auto",
        channel_axis: int | None = -1,
        max_bytes: int = _onnx.MAX_BYTES,
    ) -> None:
        self.path = _check.path(model, "model")
        self.class_names = _models.names(class_names)
        self.channels = _check.choice(channels, "channels", ("rgb", "bgr"))
        _check.choice(backend, "backend", _backends.BACKENDS)
        self.channel_axis = channel_axis
        if channel_axis is not None:
            self.channel_axis = _check.integer(channel_axis, "channel_axis", low=-3, high=2)
        size = None if size is None else _models.pair(size, "size")
        max_bytes = _check.integer(max_bytes, "max_bytes", low=1)
        self.mean, self.std = _models.per_channel(mean, "mean"), _models.per_channel(std, "std")
        if (self.std <= 0).any():
            raise ValueError(f"`std` must be > 0, got {self.std.min():g}")

        self.backend = _backends.chosen(backend)
        self._model = _models.opened(self.path, max_bytes)
        known = _models.known_multiple(self._model.data)
        if self.backend == "opencv" and not known:
            self._model = _doubts.settled(self._model)
        self._n_channels = self._taken_channels()
        self._dtype = _onnx.IMAGES[self._model.image.dtype]
        self.size = self._taken_size(size)
        self._engine, self._multiple = (self.backend, known) if known else self._tried()
        self._load()

        numbers = np.zeros(len(self.class_names), dtype=np.int32)
        named = [k for k, name in enumerate(self.class_names) if name != _models.VOID]
        numbers[named] = np.arange(1, len(named) + 1)
        self._numbers, self._named = numbers, named
        self.classes = {int(numbers[k]): self.class_names[k] for k in named}

    @classmethod
    def pretrained(
        cls, name: str = "espnet-camvid", *, backend: str = "auto", channel_axis: int | None = -1
    ) -> CNNSegmenter:
        """Return a network that comes with segkit, trained.

        Parameters
        ----------
        name : str, default "espnet-camvid"
            ESPNet (Mehta et al. 2018), 0.35 million parameters, for road scenes as a
            camera in a car sees them, in the 11 classes of CamVid.  MIT license, see
            ``segkit/models``.
        backend, channel_axis
            As for `CNNSegmenter`.

        Returns
        -------
        network : CNNSegmenter

        Raises
        ------
        ValueError
            There is no such network.
        ImportError
            `backend` is not installed.

        References
        ----------
        Mehta, Rastegari, Caspi, Shapiro, Hajishirzi (2018). ESPNet: efficient spatial
        pyramid of dilated convolutions for semantic segmentation. ECCV.
        doi:10.1007/978-3-030-01249-6_34
        """
        _check.choice(
            name, "name", tuple(sorted(path.stem for path in _models.FOLDER.glob("*.json")))
        )
        told = _models.told(name)
        keys = ("class_names", "mean", "std", "channels")
        return cls(
            _models.FOLDER / f"{name}.onnx",
            **{key: told[key] for key in keys},
            backend=backend,
            channel_axis=channel_axis,
        )

    def predict(
        self,
        image: Any,
        *,
        tile: Any = None,
        overlap: float = 0.25,
        mask: Any = None,
        batch_size: int = 1,
        progress: bool = False,
    ) -> np.ndarray:
        """Return the class image of an image.

        Parameters
        ----------
        image : (R, C) or (R, C, 3) array
            Grey or RGB, of any real type, its values in the units of `mean` and `std`.
        tile : int or (rows, columns), optional
            Cut the image into tiles of this size, and blend their probabilities.  None: all
            at once.  A model of fixed size takes tiles of that size only.
        overlap : number, default 0.25
            By how much tiles overlap: below 1 a part of the tile, from 1 on pixels.
        mask : (R, C) bool array, optional
            What lies outside becomes 0.
        batch_size : int, default 1
            How many tiles are run together.
        progress : bool, default False
            Whether a progress bar is drawn on stderr.

        Returns
        -------
        labels : (R, C) int32 array
            1..K, see `classes`; 0 where void is likeliest, and outside `mask`.

        Raises
        ------
        TypeError
            `image` is not real.
        ValueError
            `image` is empty, not finite, or no picture; `model` gives what it should not.
        """
        array = self._picture(image)
        inside = _check.mask(mask, array.shape[:2], "image")
        labels = np.empty(array.shape[:2], dtype=np.int32)
        for row, values in self._bands(array, tile, overlap, batch_size, progress):
            labels[row : row + values.shape[1]] = self._numbers[values.argmax(axis=0)]
        if inside is not None:
            labels[~inside] = 0
        return labels

    def predict_proba(
        self,
        image: Any,
        *,
        tile: Any = None,
        overlap: float = 0.25,
        batch_size: int = 1,
        progress: bool = False,
    ) -> np.ndarray:
        """Return the probability of each class at each pixel.

        Parameters
        ----------
        image, tile, overlap, batch_size, progress
            As for `predict`.

        Returns
        -------
        proba : (R, C, K) float32 array
            In the order of `classes`.  What is missing to 1 is the probability of void.

        Raises
        ------
        TypeError, ValueError
            As for `predict`.
        """
        array = self._picture(image)
        proba = np.empty((*array.shape[:2], len(self._named)), dtype=np.float32)
        for row, values in self._bands(array, tile, overlap, batch_size, progress, scores=False):
            proba[row : row + values.shape[1]] = np.moveaxis(values[self._named], 0, -1)
        return proba

    def predict_each(
        self,
        images: Iterable[Any],
        *,
        batch_size: int = 8,
        progress: bool = False,
    ) -> Iterator[np.ndarray]:
        """Yield the class image of each of many images, in their order.

        Parameters
        ----------
        images : iterable of arrays
            As for `predict`; taken one after the other.
        batch_size : int, default 8
            How many images of one size are run together.
        progress : bool, default False
            Whether a progress bar is drawn on stderr.

        Yields
        ------
        labels : (R, C) int32 array

        Raises
        ------
        TypeError, ValueError
            As for `predict`.
        """
        batch_size = _check.integer(batch_size, "batch_size", low=1)
        total = len(images) if isinstance(images, Sequence) else None
        with _Bar(total, progress, "image") as bar:
            waiting: list[np.ndarray] = []
            for image in images:
                array = self._picture(image)
                if waiting and (waiting[0].shape != array.shape or len(waiting) == batch_size):
                    yield from self._together(waiting, bar)
                    waiting = []
                waiting.append(array)
            yield from self._together(waiting, bar)

    def __repr__(self) -> str:
        """Return what it is."""
        return f"<CNNSegmenter {self.path.name}: {len(self.classes)} classes, {self.backend}>"

    def __getstate__(self) -> dict[str, Any]:
        """Return all but what the backend has made of the model."""
        return {key: value for key, value in vars(self).items() if key != "_run"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the state, and load the model into the backend again."""
        vars(self).update(state)
        self._load()

    # The model

    def _wrong(self, text: str) -> ValueError:
        return ValueError(f"`model` {self.path}: {text}")

    def _load(self) -> None:
        try:
            self._run = _backends.load(
                self._model.data, self._engine, self._model.result.name, self._dtype
            )
        except _backends.BackendError as error:
            raise self._wrong(f"{self.backend} cannot read it ({error})") from None

    def _taken_channels(self) -> int:
        """Return how many channels the network takes, where mean and std must agree."""
        image = self._model.image
        wanted = "must take one array (n, channels, rows, columns) of floats or uint8"
        if image.dtype not in _onnx.IMAGES or image.sides is None or len(image.sides) != 4:
            raise self._wrong(wanted)
        if image.sides[1] not in _CHANNELS and image.sides[3] in _CHANNELS:
            raise self._wrong(f"{wanted}, but takes channels last")
        given = {len(each) for each in (self.mean, self.std)} - {1}
        n = image.sides[1] or max(given, default=3)
        if given - {n}:
            raise ValueError(
                f"`mean` and `std` must hold one number, or one for each of the {n} channel(s) "
                f"that `model` takes, got {len(self.mean)} and {len(self.std)}"
            )
        return n

    def _taken_size(self, size: tuple[int, int] | None) -> tuple[int, int] | None:
        """Return the size that the network is run at, None for that of the image."""
        assert self._model.image.sides is not None
        rows, columns = self._model.image.sides[2:]
        if size is None and (rows is None) != (columns is None):
            raise ValueError("`size` must be given: `model` has one free side")
        if size is None:
            return None if rows is None or columns is None else (rows, columns)
        if (rows or size[0], columns or size[1]) != size:
            raise ValueError(f"`size` must be that of `model`, {(rows, columns)}, got {size}")
        return size

    def _tried(self) -> tuple[str, int]:
        """Run the model elsewhere; return what runs it, and the multiples that sides must be of."""
        assert self._model.image.sides is not None
        n = self._model.image.sides[0] or 1
        engines = _backends.ENGINES[self.backend]
        result, taken = self._model.result.name, (n, self._n_channels)
        opencv = self.backend == "opencv"
        try:
            found = _trial.tried(
                self._model.data,
                engines,
                result,
                taken,
                self.size,
                dtype=self._dtype,
                judge="onnxruntime" if opencv and _backends.faster() else None,
                doubted=_doubts.doubted(self._model) if opencv else frozenset(),
            )
        except _trial.TrialError as error:
            hint = "; onnxruntime runs more models" if opencv else ""
            raise self._wrong(f"{self.backend} cannot run it: {error}{hint}") from None
        self._refuse_shape(found.shape, (*taken, *found.size))
        return found.engine, found.multiple

    # Images

    def _picture(self, image: Any) -> np.ndarray:
        """Return an image, checked, as (R, C, channels of the network)."""
        array = _check.as_array(image, "image")
        grey = array.ndim == 2
        if not grey and (array.ndim != 3 or self.channel_axis is None):
            raise ValueError(
                f"`image` must be a picture, (rows, columns) or with channels along "
                f"`channel_axis`, got shape {array.shape}"
                + ("" if self.channel_axis is not None else _check.channel_hint(array.shape))
            )
        array = _check.channels_last(array, None if grey else self.channel_axis)
        if array.size == 0:
            raise ValueError(f"`image` must not be empty, got shape {array.shape[:2]}")
        _check.refuse_not_finite(array, "image")
        above = array.dtype.kind == "f" and self.mean.min() > 1
        if above and array.min() >= 0 and array.max() <= 1:
            text = (
                "`image` holds numbers from 0 to 1, and `mean` is above 1: are the units the same?"
            )
            warnings.warn(text, stacklevel=3)
        if grey and self._n_channels == 3:
            return np.broadcast_to(array, (*array.shape[:2], 3))
        if array.shape[-1] != self._n_channels:
            raise ValueError(
                f"`image` must have {self._n_channels} channel(s), as `model` takes them, got "
                f"{array.shape[-1]}"
            )
        return array if self.channels == "rgb" or self._n_channels != 3 else array[..., ::-1]

    def _normalized(self, array: np.ndarray) -> np.ndarray:
        """Return (channels, R, C) as the network takes it."""
        planes = np.empty((array.shape[2], *array.shape[:2]), dtype=np.float32)
        for k, plane in enumerate(planes):
            mean, std = self.mean[k % len(self.mean)], self.std[k % len(self.std)]
            with np.errstate(over="ignore"):
                plane[...] = (array[..., k] - mean) / std
        if array.dtype.kind == "f" and not np.isfinite(planes.sum()) and np.isinf(planes).any():
            raise ValueError("`image` holds values that are too large for float32")
        return planes

    # From images to values

    def _bands(
        self,
        array: np.ndarray,
        tile: Any,
        overlap: Any,
        batch_size: Any,
        progress: bool,
        *,
        scores: bool = True,
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Yield bands of rows of the result, (K, rows, C), each with its first row.

        All at once gives the scores as they are, unless they must be probabilities.
        """
        overlap = _check.number(overlap, "overlap")
        batch_size = _check.integer(batch_size, "batch_size", low=1)
        shape = array.shape[:2]
        sides = None if tile is None else self._tile(tile, shape)
        if sides is None:
            with _Bar(1, progress, "image") as bar:
                (values,) = self._values([array], scores=scores)
                bar.step()
            yield 0, values
            return
        overlaps = [_models.pixels(overlap, side) for side in sides]
        padding = [max(0, side - n) for side, n in zip(sides, shape, strict=True)]
        if any(padding):
            array = np.pad(array, [(0, padding[0]), (0, padding[1]), (0, 0)], mode="edge")
        rows, columns = (
            _tiles.starts(n, side, by)
            for n, side, by in zip(array.shape[:2], sides, overlaps, strict=True)
        )
        weight = tuple(_tiles.ramp(side, by) for side, by in zip(sides, overlaps, strict=True))
        places = [(row, column) for row in rows for column in columns]
        with _Bar(len(places), progress, "tile") as bar:
            results = self._tiles(array, places, sides, batch_size, bar)
            for row, values in _tiles.blended(
                results, rows, columns, (weight[0], weight[1]), array.shape[1]
            ):
                yield row, values[:, : shape[0] - row, : shape[1]]

    def _tile(self, tile: Any, shape: tuple[int, int]) -> tuple[int, int] | None:
        """Return the sides of tiles; None where one covers the image."""
        sides = _models.pair(tile, "tile")
        if self.size is not None and sides != self.size:
            raise ValueError(f"`tile` must be the size of `model`, {self.size}, got {sides}")
        if self.size is not None:
            return sides
        sides = (min(sides[0], shape[0]), min(sides[1], shape[1]))
        return None if sides == shape else sides

    def _tiles(
        self,
        array: np.ndarray,
        places: list[tuple[int, int]],
        sides: tuple[int, int],
        batch_size: int,
        bar: _Bar,
    ) -> Iterator[np.ndarray]:
        """Yield the probabilities of each tile."""
        for k in range(0, len(places), batch_size):
            parts = [
                array[row : row + sides[0], column : column + sides[1]]
                for row, column in places[k : k + batch_size]
            ]
            for values in self._values(parts, scores=False):
                yield values
                bar.step()

    def _together(self, arrays: list[np.ndarray], bar: _Bar) -> Iterator[np.ndarray]:
        """Yield the class images of images of one size."""
        for values in self._values(arrays, scores=True) if arrays else ():
            yield self._numbers[values.argmax(axis=0)]
            bar.step()

    def _values(self, arrays: list[np.ndarray], *, scores: bool) -> np.ndarray:
        """Return scores or probabilities, (n, K, R, C), of pictures of one size."""
        batch = np.stack([self._normalized(array) for array in arrays])
        shape = batch.shape[2:]
        resized = self.size is not None and shape != self.size
        if resized:
            batch = _planes.resized(batch, self.size)
        values, given = self._forward(batch)
        if given == "scores" and (resized or not scores):
            values = _planes.softmax(values)
        return _planes.resized(values, shape) if resized else values

    def _forward(self, batch: np.ndarray) -> tuple[np.ndarray, str]:
        """Return values that grow with how likely a class is, (n, K, R, C), and what they are."""
        n, _, rows, columns = batch.shape
        assert self._model.image.sides is not None
        fixed = self._model.image.sides[0]
        if self.size is None:
            more = [-side % self._multiple for side in (rows, columns)]
            if any(more):
                batch = np.pad(batch, [(0, 0), (0, 0), (0, more[0]), (0, more[1])], mode="edge")
        at_once = fixed or n
        found = []
        for k in range(0, n, at_once):
            part = batch[k : k + at_once]
            if len(part) < at_once:
                part = np.concatenate([part, np.repeat(part[-1:], at_once - len(part), axis=0)])
            try:
                result = self._run(np.ascontiguousarray(part))
            except _backends.BackendError as error:
                raise self._wrong(
                    f"{self.backend} cannot run it on {part.shape} ({error})"
                ) from None
            found.append(self._checked(result, part.shape)[: n - k])
        values = np.concatenate(found)[..., :rows, :columns]
        if self._model.meaning == "labels":
            return _planes.one_hot(values, len(self.class_names)), "probabilities"
        if values.shape[1] == 1:
            rest = 1 - values if self._model.meaning == "probabilities" else np.zeros_like(values)
            values = np.concatenate([rest, values], axis=1)
        return values, self._model.meaning

    def _checked(self, result: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Return what the network gave for a batch; refuse what it must not give."""
        self._refuse_shape(result.shape, shape)
        with np.errstate(all="ignore"):
            scores = result.astype(np.float32, copy=False)
        if not np.isfinite(scores).all():
            raise self._wrong("must give finite values, gave NaN or infinite ones")
        if self._model.meaning != "labels":
            return scores
        labels = result.reshape(shape[0], *shape[2:]).astype(np.int64)
        high = len(self.class_names) - 1
        if (
            (labels != result.reshape(labels.shape)).any()
            or labels.min() < 0
            or labels.max() > high
        ):
            raise self._wrong(f"must give labels from 0 to {high}, gave others")
        return labels

    def _refuse_shape(self, given: tuple[int, ...], shape: tuple[int, ...]) -> None:
        """Refuse a result that is not one label, or one score for each class, at each pixel."""
        n, (rows, columns) = shape[0], shape[2:]
        n_classes = len(self.class_names)
        if self._model.meaning == "labels":
            wanted, accepted = "one label", [(n, rows, columns), (n, 1, rows, columns)]
        else:
            wanted = f"{n_classes} values, one for each of `class_names`,"
            both = (n_classes, 1) if n_classes == 2 else (n_classes,)
            accepted = [(n, k, rows, columns) for k in both]
        if given not in accepted:
            raise self._wrong(
                f"must give {wanted} for each of the {rows} x {columns} pixels of {n} image(s), "
                f"gave an array of shape {given}"
            )


class _Bar:
    """A progress bar, or nothing where it is off."""

    def __init__(self, total: int | None, on: bool, unit: str) -> None:
        self.bar: Any = None
        if on:
            from tqdm import tqdm

            self.bar = tqdm(total=total, unit=unit, leave=False, disable=None)

    def __enter__(self) -> _Bar:
        return self

    def step(self) -> None:
        if self.bar is not None:
            self.bar.update(1)

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()
