"""Training as a user calls it: `fit` from scratch, `fine_tune` from a trained network, `search`.

`fit` trains all weights.  `fine_tune` starts from a network that was trained for something else:
its encoder knows edges, textures and parts already, and few images are enough to teach the rest
of it new classes; when that has settled, all is trained together, at a small rate, so that what
was known is adapted and not overwritten.  `search` tries settings and keeps the ones that did best
on images that were not trained on.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _check
from ._training_data import Data, read_data
from ._training_loop import Loop, Settings

if TYPE_CHECKING:
    import torch

_LAST = "classifier"  # the layer that scores classes, in any part
_OPTIONS = {each.name for each in fields(Settings)}


@dataclass(frozen=True)
class Trained:
    """A trained network, and how it came about.

    Attributes
    ----------
    model : torch.nn.Module
        With the weights of the best epoch, for use (not in training mode).
    history : dict of list of float
        For each epoch: "learning_rate", "loss", "validation_loss", "validation_accuracy",
        "validation_mean_iou".
    best_epoch : int
        The epoch of the lowest validation loss, counted from 0: the weights are of its end.
    mean, std : numpy.ndarray, (C,)
        What values were scaled by, (value - mean) / std, as `CNNSegmenter` takes them.
    """

    model: torch.nn.Module
    history: dict[str, list[float]]
    best_epoch: int
    mean: np.ndarray
    std: np.ndarray

    @property
    def score(self) -> float:
        """The lowest validation loss."""
        return self.history["validation_loss"][self.best_epoch]


def fit(
    model: torch.nn.Module,
    images: Any,
    annotations: Any,
    *,
    validation: float | tuple[Any, Any] = 0.2,
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
    checkpoint: str | Path | None = None,
    device: str = "cpu",
    progress: bool = False,
    channel_axis: int | None = None,
    **settings: Any,
) -> Trained:
    """Train all weights of a network on annotated images.

    Parameters
    ----------
    model : torch.nn.Module
        As `unet` and `espnet` make them: attributes `n_classes`, `stride`. It is left as it
        is; a copy is trained.
    images : list of array_like, (R, C), with one more axis if `channel_axis` is given
        Finite. They may differ in shape if `augmentation` has a "crop". Several of one shape
        may be one array, along its first axis; a single one may be without a list.
    annotations : list of array_like of integers, (R, C)
        Class images: 1 to n_classes, 0 where nobody said; these pixels teach nothing.
    validation : float in (0, 1), or (images, annotations)
        What the network is tried on after each epoch: a part of the images, drawn by `rng`, at
        least one; or others.
    mean, std : float, sequence of float or None
        Values are scaled to (value - mean) / std for each channel. None: those of the training
        images.
    checkpoint : path or None
        A file that all is kept in after each epoch. If it is there, training goes on from it, and
        ends with the result it would have had; if it is of another training: a ValueError.
    device : str
        Where PyTorch computes: "cpu", "cuda", ...
    progress : bool
        Show a bar.
    channel_axis : int or None
        The axis of each image that holds channels.
    **settings
        epochs : int >= 1, default 50.
            Rounds through the training images.
        batch_size : int >= 1, default 8.
            Images that are looked at together before weights move.
        optimizer : {"adam", "sgd", "rmsprop"}
        learning_rate : float > 0, default 0.001.
        momentum : float, 0 to 1, default 0.9.
            For "sgd" and "rmsprop".
        decay : {"none", "step", "inverse", "exponential"}
            How the rate r falls with the epoch t: r; r q^floor(t / s); r / (1 + q t); r exp(-q t),
            where q is `decay_rate` (0.1) and s is `decay_every` (10).
        l1, l2 : float >= 0, default 0.
            Weights w of convolutions cost l1 |w| + l2 w^2 / 2.
        class_weights : "frequency", None or sequence of float >= 0
            How much a pixel of each class counts in the loss. "frequency": the median of the
            classes' frequencies over the class's own.
        augmentation : dict
            Arguments of `augment`; empty (default): images are shown as they are.
        patience : int >= 1 or None
            Stop after so many epochs without a lower validation loss.
        rng : int >= 0, default 0.
            The seed of all that is random.

    Returns
    -------
    Trained
        With `model`, `history`, `best_epoch`, `mean`, `std`.

    Raises
    ------
    ImportError
        PyTorch is missing.
    TypeError, ValueError
        An argument of a wrong type or value; a loss that is not finite any more.

    Notes
    -----
    **Repeatability**: the same arguments give the same weights, on the processor of the same
    machine with as many threads; also when stopped and resumed. CUDA sums some things in any
    order. **Ties**: of two epochs with the same validation loss the earlier one is the best.

    Examples
    --------
    >>> import numpy as np
    >>> from segkit import training
    >>> image = np.zeros((8, 8)); image[:, 4:] = 9
    >>> model = training.unet(2, n_channels=1, width=4, depth=1)  # doctest: +SKIP
    >>> trained = training.fit(model, [image] * 4, [1 + (image > 5)] * 4)  # doctest: +SKIP

    References
    ----------
    D. Eigen, R. Fergus. Predicting depth, surface normals and semantic labels with a common
    multi-scale convolutional architecture. ICCV 2015. doi:10.1109/ICCV.2015.304 (class weights)
    """
    plan = _plan(settings)
    torch = _torch()
    data, held = _divided(model, images, annotations, validation, channel_axis, plan.rng)
    center, spread = _scaling(data, mean, std)
    own = copy.deepcopy(model).to(_device(torch, device))
    loop = Loop(own, data, held, plan, mean=center, std=spread)
    loop.run(_path(checkpoint), progress=progress)
    return Trained(own.cpu(), loop.history, loop.best_epoch, center, spread)


def fine_tune(
    model: torch.nn.Module,
    images: Any,
    annotations: Any,
    *,
    freeze: str = "encoder",
    unfrozen_epochs: int = 20,
    unfrozen_rate: float = 0.1,
    validation: float | tuple[Any, Any] = 0.2,
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
    checkpoint: str | Path | None = None,
    device: str = "cpu",
    progress: bool = False,
    channel_axis: int | None = None,
    **settings: Any,
) -> Trained:
    """Teach a trained network new classes: first its last layers, then all of it, gently.

    Parameters
    ----------
    model, images, annotations, validation, device, progress, channel_axis, **settings
        As for `fit`. `settings` are those of the first stage.
    freeze : str
        The part of `model` (an attribute) that stays as it is in the first stage, its running
        means too; but a layer in it of the name "classifier" is trained.
    unfrozen_epochs : int >= 0
        Epochs of the second stage, where everything is trained. 0: there is none.
    unfrozen_rate : float > 0
        The learning rate of the second stage, in parts of the first one's.
    mean, std : float, sequence of float or None
        As for `fit`; give those that the trained part was trained with.
    checkpoint : path or None
        As for `fit`; the second stage has a file of its own beside it, with "-unfrozen" in its
        name.

    Returns
    -------
    Trained
        The history is that of both stages. The better one of both stages is the result.

    Raises
    ------
    ImportError
        PyTorch is missing.
    TypeError, ValueError
        As for `fit`; a `freeze` that is not a part of `model`, or is all of it.

    References
    ----------
    J. Yosinski, J. Clune, Y. Bengio, H. Lipson. How transferable are features in deep neural
    networks? NIPS 2014.
    """
    plan = _plan(settings)
    later = _check.integer(unfrozen_epochs, "unfrozen_epochs", low=0)
    rate = float(_check.number(unfrozen_rate, "unfrozen_rate", above=True))
    torch = _torch()
    data, held = _divided(model, images, annotations, validation, channel_axis, plan.rng)
    center, spread = _scaling(data, mean, std)
    own = copy.deepcopy(model).to(_device(torch, device))
    part = getattr(own, freeze, None) if isinstance(freeze, str) else None
    if not isinstance(part, torch.nn.Module):
        raise ValueError(f"`freeze` must name a part of `model`, got {freeze!r}")
    frozen = [each for name, each in part.named_parameters() if _LAST not in name.split(".")]
    if len(frozen) == len(list(own.parameters())):
        raise ValueError(f"`freeze` must leave something of `model` to train, got {freeze!r}")
    path = _path(checkpoint)

    for each in frozen:
        each.requires_grad_(False)
    first = Loop(own, data, held, plan, mean=center, std=spread, stage=f"{freeze} frozen")
    first.run(path, progress=progress)
    for each in frozen:
        each.requires_grad_(True)
    best = Trained(own, first.history, first.best_epoch, center, spread)
    if later == 0:
        own.cpu()
        return best
    gentle = copy.copy(plan)
    gentle.epochs, gentle.learning_rate = later, plan.learning_rate * rate
    all_of_it = copy.deepcopy(own)
    second = Loop(all_of_it, data, held, gentle, mean=center, std=spread, stage="all")
    if path is not None:
        path = path.with_stem(f"{path.stem}-unfrozen")
    second.run(path, progress=progress)
    history = {name: first.history[name] + second.history[name] for name in first.history}
    after = Trained(all_of_it.cpu(), second.history, second.best_epoch, center, spread)
    if after.score < best.score:
        found = len(first.history["loss"]) + second.best_epoch
        return Trained(after.model, history, found, center, spread)
    return Trained(own.cpu(), history, first.best_epoch, center, spread)


def search(
    build: Callable[..., torch.nn.Module],
    images: Any,
    annotations: Any,
    options: dict[str, Sequence[Any]],
    *,
    n_trials: int | None = None,
    rng: int = 0,
    progress: bool = False,
    **arguments: Any,
) -> list[tuple[dict[str, Any], Trained]]:
    """Train with every combination of some settings, or with some of them; best first.

    Parameters
    ----------
    build : callable
        Gives a network; it is called with those of `options` that are not arguments of `fit`,
        for example "width" or "dropout".
    images, annotations
        As for `fit`. All trials are tried on the same validation images.
    options : dict of sequences
        The values to try for each name.
    n_trials : int >= 1 or None
        So many combinations, drawn at random without repetition. None: all.
    rng : int >= 0
        The seed of the draw, and of every training.
    progress : bool
        Show a bar.
    **arguments
        Those of `fit` that all trials share. Of `checkpoint` each has a file of its own beside
        it, with the number of the combination in its name.

    Returns
    -------
    list of (dict, Trained)
        The values that were chosen and what came of them, by rising validation loss; ties in the
        order of the combinations, the last name changing fastest.

    Raises
    ------
    ImportError
        PyTorch is missing.
    TypeError, ValueError
        As for `fit`; options without values.

    References
    ----------
    J. Bergstra, Y. Bengio. Random search for hyper-parameter optimization. Journal of Machine
    Learning Research 13, 2012.
    """
    if not callable(build):
        raise TypeError(f"`build` must be callable, got {type(build).__name__}")
    trials = list(enumerate(_combinations(options), start=1))
    seed = _check.integer(rng, "rng", low=0)
    if n_trials is not None:
        wanted = min(_check.integer(n_trials, "n_trials", low=1), len(trials))
        drawn = np.random.default_rng(seed).choice(len(trials), size=wanted, replace=False)
        trials = [trials[index] for index in sorted(drawn)]
    checkpoint = _path(arguments.pop("checkpoint", None))
    arguments = {"rng": seed, **arguments}
    for _, trial in trials:  # what is wrong with the last one is said before the first one starts
        _plan({k: v for k, v in (arguments | trial).items() if k in _OPTIONS})
    from tqdm import tqdm

    found = []
    for number, trial in tqdm(trials, disable=not progress, unit=" trials"):
        of_fit = {name: value for name, value in trial.items() if name in _OPTIONS}
        model = build(**{name: value for name, value in trial.items() if name not in _OPTIONS})
        path = checkpoint and checkpoint.with_stem(f"{checkpoint.stem}-{number}")
        trained = fit(model, images, annotations, checkpoint=path, **(arguments | of_fit))
        found.append((trial, trained))
    return sorted(found, key=lambda pair: pair[1].score)


def _combinations(options: Any) -> list[dict[str, Any]]:
    """Return every choice of one value for each name."""
    if not isinstance(options, dict):
        raise TypeError(f"`options` must be a dict of values to try, got {type(options).__name__}")
    if not options:
        raise ValueError("`options` must hold at least one name, got none")
    values = [_check.listed(each, f"options[{name!r}]") for name, each in options.items()]
    return [dict(zip(options, each, strict=True)) for each in itertools.product(*values)]


def _torch() -> Any:
    """Return PyTorch, or say in one line how to get it."""
    try:
        import torch
    except ImportError:
        raise ImportError("training needs torch: pip install 'segkit[train]'") from None
    return torch


def _plan(settings: dict[str, Any]) -> Settings:
    unknown = sorted(settings.keys() - _OPTIONS)
    if unknown:
        raise TypeError(f"`{unknown[0]}` is no setting; there are: {', '.join(sorted(_OPTIONS))}")
    return Settings(**settings)


def _classes_of(model: Any) -> int:
    if not hasattr(model, "n_classes") or not hasattr(model, "stride"):
        raise TypeError(
            "`model` must be a network of training.unet or training.espnet, or have their "
            f"attributes n_classes and stride, got {type(model).__name__}"
        )
    return int(model.n_classes)


def _device(torch: Any, device: Any) -> Any:
    try:
        found = torch.device(device)
        torch.empty(0, device=found)
    except (RuntimeError, TypeError, AssertionError) as error:
        raise ValueError(f"`device` {device!r} cannot be used: {error}") from None
    return found


def _path(checkpoint: Any) -> Path | None:
    if checkpoint is None:
        return None
    path = _check.path(checkpoint, "checkpoint")
    if path.suffix != ".npz":
        raise ValueError(f"`checkpoint` must end in .npz, got {path}")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"`checkpoint` {path}: there is no such folder")
    return path


def _divided(
    model: Any, images: Any, annotations: Any, validation: Any, axis: int | None, seed: int
) -> tuple[Data, Data]:
    """Return what to train on, and what to try on."""
    n_classes = _classes_of(model)
    data = read_data(images, annotations, n_classes, axis)
    n_channels = data.images[0].shape[-1]
    if getattr(model, "n_channels", n_channels) != n_channels:
        raise ValueError(
            f"`images` must have {model.n_channels} channel(s), as `model` takes them, got "
            f"{n_channels}; see `channel_axis`"
        )
    if isinstance(validation, (tuple, list)):
        if len(validation) != 2:
            raise ValueError("`validation` must be a part, or a pair (images, annotations)")
        try:
            held = read_data(validation[0], validation[1], n_classes, axis)
        except (TypeError, ValueError) as error:
            raise type(error)(f"`validation`: {error}") from None
        if held.images[0].shape[-1] != n_channels:
            raise ValueError("`validation` must have as many channels as `images`")
        return data, held
    part = _check.between(validation, "validation", 0, 1)
    n_held = max(1, round(part * len(data)))
    if not 0 < part < 1 or n_held >= len(data):
        raise ValueError(
            f"`validation` must leave at least one of {len(data)} image(s) to train on, "
            f"and one to try on, got {validation!r}"
        )
    order = np.random.default_rng(seed).permutation(len(data))
    return data.only(sorted(order[n_held:])), data.only(sorted(order[:n_held]))


def _scaling(data: Data, mean: Any, std: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return what values are scaled by, for each channel."""
    n_channels = data.images[0].shape[-1]
    pixels = sum(image[..., 0].size for image in data.images)
    total = sum(image.sum(axis=(0, 1), dtype=np.float64) for image in data.images)
    center = total / pixels if mean is None else _per_channel(mean, "mean", n_channels)
    if std is not None:
        spread = _per_channel(std, "std", n_channels)
        if (spread <= 0).any():
            raise ValueError(f"`std` must hold numbers > 0, got {std!r}")
        return center, spread
    squares = sum(((image - center) ** 2).sum(axis=(0, 1)) for image in data.images)
    spread = np.sqrt(squares / pixels)
    return center, np.where(spread > 0, spread, 1.0)


def _per_channel(value: Any, name: str, n_channels: int) -> np.ndarray:
    array = _check.table([value] if np.ndim(value) == 0 else value, name, ["channel"])
    if array.shape not in ((1,), (n_channels,)):
        raise ValueError(f"`{name}` must hold {n_channels} number(s), one for each channel")
    return np.broadcast_to(array, n_channels).copy()
