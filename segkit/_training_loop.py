"""Training a network for semantic segmentation: the loop, and what it is made of.

One step: a mini-batch of images, each changed at random (`augment`), goes through the network;
the loss says how wrong it was (cross-entropy, rare classes weighted up, plus penalties on large
weights); the optimizer moves all weights a little against the gradient.  One epoch: every image
once.  After each epoch the network is tried on images kept apart.  The weights that did best on
those are the result, and when there was no better epoch for a while, training stops: what comes
after is learning by heart.

Everything random follows from one seed and the number of the epoch.  So a training that was
killed goes on from its checkpoint with the result it would have had.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _augment, _check, _checkpoints
from ._training_data import Data, frequency_weights

if TYPE_CHECKING:
    import torch

OPTIMIZERS = ("adam", "sgd", "rmsprop")
DECAYS = ("none", "step", "inverse", "exponential")
_CHANGES = {"brightness", "contrast", "crop", "flips", "noise", "quarter_turns", "scale"}
_EVALUATIONS = ("loss", "accuracy", "mean_iou")


@dataclass
class Settings:
    """How to train; each field is an argument of `fit`, and described there."""

    epochs: int = 50
    batch_size: int = 8
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    momentum: float = 0.9
    decay: str = "none"
    decay_rate: float = 0.1
    decay_every: int = 10
    l1: float = 0.0
    l2: float = 0.0
    class_weights: Any = "frequency"
    augmentation: dict[str, Any] = field(default_factory=dict)
    patience: int | None = None
    rng: int = 0

    def __post_init__(self) -> None:
        self.epochs = _check.integer(self.epochs, "epochs", low=1)
        self.batch_size = _check.integer(self.batch_size, "batch_size", low=1)
        _check.choice(self.optimizer, "optimizer", OPTIMIZERS)
        self.learning_rate = float(_check.number(self.learning_rate, "learning_rate", above=True))
        self.momentum = _check.between(self.momentum, "momentum", 0, 1)
        _check.choice(self.decay, "decay", DECAYS)
        self.decay_rate = float(_check.number(self.decay_rate, "decay_rate", above=True))
        self.decay_every = _check.integer(self.decay_every, "decay_every", low=1)
        self.l1 = float(_check.number(self.l1, "l1"))
        self.l2 = float(_check.number(self.l2, "l2"))
        if self.patience is not None:
            self.patience = _check.integer(self.patience, "patience", low=1)
        self.rng = _check.integer(self.rng, "rng", low=0)
        if not isinstance(self.augmentation, dict):
            raise TypeError(f"`augmentation` must be a dict, got {type(self.augmentation)}")
        unknown = sorted(map(str, self.augmentation.keys() - _CHANGES))
        if unknown:
            raise TypeError(
                f"`augmentation` has {unknown[0]!r}; there are: {', '.join(sorted(_CHANGES))}"
            )

    def rate(self, epoch: int) -> float:
        """Return the learning rate of an epoch, counted from 0."""
        if self.decay == "step":
            return self.learning_rate * self.decay_rate ** (epoch // self.decay_every)
        if self.decay == "inverse":
            return self.learning_rate / (1 + self.decay_rate * epoch)
        if self.decay == "exponential":
            return self.learning_rate * math.exp(-self.decay_rate * epoch)
        return self.learning_rate


class Loop:
    """One training: a network, its data, and the state that a checkpoint holds."""

    def __init__(
        self,
        model: Any,  # a torch.nn.Module with n_classes and stride
        data: Data,
        validation: Data,
        settings: Settings,
        *,
        mean: np.ndarray,
        std: np.ndarray,
        stage: str = "",
    ) -> None:
        import torch

        self.model, self.data, self.validation, self.settings = model, data, validation, settings
        self.mean, self.std, self.stage = mean, std, stage
        self.device = next(model.parameters()).device
        self.n_classes = int(model.n_classes)
        self.weights = self._class_weights()
        self._refuse_nothing(data, "annotations", "of the images that are trained on")
        self._refuse_nothing(validation, "validation", "whose weight is not 0")
        self.trained = [each for each in model.parameters() if each.requires_grad]
        make: dict[str, Callable[..., torch.optim.Optimizer]] = {
            "adam": lambda weights, lr: torch.optim.Adam(weights, lr=lr),
            "sgd": lambda weights, lr: torch.optim.SGD(weights, lr=lr, momentum=settings.momentum),
            "rmsprop": lambda weights, lr: torch.optim.RMSprop(
                weights, lr=lr, momentum=settings.momentum
            ),
        }
        self.optimizer = make[settings.optimizer](self.trained, settings.learning_rate)
        self.history: dict[str, list[float]] = {
            name: []
            for name in ("learning_rate", "loss", *(f"validation_{e}" for e in _EVALUATIONS))
        }
        self.best: dict[str, Any] = {}
        self.best_epoch = -1

    # The loop

    def run(self, checkpoint: Path | None, *, progress: bool) -> None:
        """Train until the epochs are over, or none was better for `patience` of them."""
        from tqdm import tqdm

        name = self._name()
        if checkpoint is not None and checkpoint.exists():
            self._resume(checkpoint, name)
        start = len(self.history["loss"])
        bar = tqdm(total=self.settings.epochs, initial=start, disable=not progress, unit=" epochs")
        with bar, _one_answer(self.device):
            for epoch in range(start, self.settings.epochs):
                if self._waited(epoch):
                    break
                self._learn(epoch)
                found = self.evaluate()
                self._refuse_divergence(epoch, found["loss"])
                for what, value in found.items():
                    self.history[f"validation_{what}"].append(value)
                self._keep_if_best(epoch)
                if checkpoint is not None:
                    self._save(checkpoint, name)
                bar.update()
                bar.set_postfix(
                    loss=f"{self.history['loss'][-1]:.3f}",
                    validation=f"{self.history['validation_loss'][-1]:.3f}",
                )
        self.model.load_state_dict(self.best)
        self.model.eval()

    def _waited(self, epoch: int) -> bool:
        patience = self.settings.patience
        return patience is not None and epoch - 1 - self.best_epoch >= patience

    def _learn(self, epoch: int) -> None:
        """Show every image once, in an order and with changes of this epoch's own."""
        import torch

        rng = np.random.default_rng([self.settings.rng, epoch])
        rate = self.settings.rate(epoch)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.model.train()
        self._keep_frozen()
        total = 0.0
        with torch.random.fork_rng(devices=[] if self.device.type == "cpu" else None):
            torch.manual_seed(int(rng.integers(2**31)))  # for dropout
            for indices in _batches(rng.permutation(len(self.data)), self.settings.batch_size):
                images, marks = self._batch(indices, rng)
                self.optimizer.zero_grad()
                loss = self._loss(self._scores(images), marks)
                wrong = loss + self._penalty()
                wrong.backward()
                self.optimizer.step()
                total += float(loss.detach()) * len(indices)
        mean = total / len(self.data)
        self._refuse_divergence(epoch, mean)
        self.history["learning_rate"].append(rate)
        self.history["loss"].append(mean)

    def _scores(self, images: torch.Tensor) -> torch.Tensor:
        try:
            scores: torch.Tensor = self.model(images)
        except ValueError as error:  # a norm of a single value
            shape = tuple(images.shape[2:])
            raise ValueError(
                f"`batch_size` {len(images)} with `images` of {shape} is too little: {error}"
            ) from None
        return scores

    def _refuse_nothing(self, data: Data, name: str, which: str) -> None:
        """Refuse data on which every loss is 0."""
        counted = np.concatenate([[0.0], self.weights.numpy()])
        if not any(counted[labels.astype(np.intp)].any() for labels in data.annotations):
            raise ValueError(f"`{name}` must hold at least one pixel with a class, {which}")

    def _refuse_divergence(self, epoch: int, loss: float) -> None:
        if not math.isfinite(loss):
            raise ValueError(
                f"`learning_rate` {self.settings.learning_rate:g} is too large: "
                f"the loss is not finite any more in epoch {epoch + 1}"
            )

    def _keep_frozen(self) -> None:
        """Leave the running means of frozen parts alone too."""
        for module in self.model.modules():
            own = list(module.parameters(recurse=False))
            if own and not any(each.requires_grad for each in own):
                module.eval()

    def _batch(
        self, indices: np.ndarray, rng: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        pairs = [
            _augment.augment(
                self.data.images[i],
                self.data.annotations[i],
                **(_STILL | self.settings.augmentation),
                rng=rng,
                channel_axis=-1,
            )
            for i in indices
        ]
        shapes = {pair.annotation.shape for pair in pairs}
        if len(shapes) > 1:
            raise ValueError(
                "`images` of different shapes need a `crop` in `augmentation`, or a "
                f"`batch_size` of 1; got {sorted(shapes)[0]} and {sorted(shapes)[-1]}"
            )
        images = np.stack([pair.image for pair in pairs])
        marks = np.stack([pair.annotation for pair in pairs])
        return self._tensors(images, marks)

    def _tensors(self, images: np.ndarray, marks: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (N, C, R, C) scaled, and classes from 0 with -1 for none; sides filled up."""
        import torch

        lack = [-side % int(self.model.stride) for side in marks.shape[1:]]
        scaled = ((images - self.mean) / self.std).astype(np.float32)
        around = [(0, 0), *((0, each) for each in lack)]
        scaled = np.pad(scaled, [*around, (0, 0)], mode="symmetric")
        marks = np.pad(marks.astype(np.int64), around) - 1
        planes = np.ascontiguousarray(np.moveaxis(scaled, -1, 1))
        return torch.from_numpy(planes).to(self.device), torch.from_numpy(marks).to(self.device)

    def _loss(self, scores: torch.Tensor, marks: torch.Tensor) -> torch.Tensor:
        """Return the cross-entropy per pixel, each weighted by its class."""
        from torch.nn.functional import cross_entropy

        weights = self.weights.to(scores.device)
        total = cross_entropy(scores, marks, weight=weights, ignore_index=-1, reduction="sum")
        weight = weights[marks[marks >= 0]].sum()
        return total / weight.clamp(min=1e-12)  # 0, not NaN, where no pixel has a class

    def _penalty(self) -> Any:
        """Return what weights cost: l1 |w| + l2 w^2 / 2, of convolutions alone."""
        if not (self.settings.l1 or self.settings.l2):
            return 0.0
        weights = [each for each in self.trained if each.ndim > 1]
        return sum(
            self.settings.l1 * each.abs().sum() + self.settings.l2 / 2 * (each**2).sum()
            for each in weights
        )

    # Looking at it

    def evaluate(self) -> dict[str, float]:
        """Return loss, accuracy and mean IoU on the validation images, one at a time."""
        import torch

        self.model.eval()
        total, weight = 0.0, 0.0
        table = np.zeros((self.n_classes, self.n_classes), dtype=np.int64)
        with torch.no_grad():
            for image, labels in zip(
                self.validation.images, self.validation.annotations, strict=True
            ):
                planes, marks = self._tensors(image[np.newaxis], labels[np.newaxis])
                scores = self.model(planes)
                here = float(self.weights[(marks[marks >= 0]).cpu()].sum())
                total += float(self._loss(scores, marks)) * here
                weight += here
                known = marks >= 0
                true, found = marks[known].cpu().numpy(), scores.argmax(1)[known].cpu().numpy()
                pairs = np.bincount(true * self.n_classes + found, minlength=table.size)
                table += pairs.reshape(table.shape)
        right = np.diag(table).astype(float)
        union = table.sum(axis=0) + table.sum(axis=1) - right
        seen = table.sum(axis=1) > 0
        return {
            "loss": total / max(weight, 1e-12),
            "accuracy": float(right.sum() / max(table.sum(), 1)),
            "mean_iou": float((right[seen] / union[seen]).mean()) if seen.any() else 0.0,
        }

    def _class_weights(self) -> torch.Tensor:
        import torch

        wanted = self.settings.class_weights
        if wanted is None:
            weights = np.ones(self.n_classes)
        elif isinstance(wanted, str):
            _check.choice(wanted, "class_weights", ("frequency",))
            weights = frequency_weights(self.data.annotations, self.n_classes)
        else:
            weights = _check.table(wanted, "class_weights", ["class"])
            if weights.shape != (self.n_classes,) or (weights < 0).any() or not weights.any():
                raise ValueError(
                    f"`class_weights` must hold {self.n_classes} numbers >= 0, got {wanted!r}"
                )
        return torch.from_numpy(weights.astype(np.float32))

    # The state

    def _keep_if_best(self, epoch: int) -> None:
        *before, last = self.history["validation_loss"]
        if last < min(before, default=math.inf):
            self.best_epoch = epoch
            self.best = {k: v.detach().clone() for k, v in self.model.state_dict().items()}

    def _name(self) -> str:
        """Return a name for all that the result depends on, before the first epoch."""
        settings = {k: repr(v) for k, v in vars(self.settings).items() if k != "epochs"}
        frozen = [not each.requires_grad for each in self.model.parameters()]
        scaling = self.mean.tolist(), self.std.tolist()
        first = sorted(settings.items()), str(self.model), frozen, scaling, self.stage
        found = hashlib.sha256(repr(first).encode())
        for digest in (self.data.digest(), self.validation.digest()):
            found.update(digest.encode())
        for value in self.model.state_dict().values():
            found.update(value.cpu().numpy().tobytes())
        return found.hexdigest()[:16]

    def _save(self, path: Path, name: str) -> None:
        state = self.optimizer.state_dict()["state"]
        _checkpoints.write(
            path,
            {
                "model": {k: v.cpu().numpy() for k, v in self.model.state_dict().items()},
                "best": {k: v.cpu().numpy() for k, v in self.best.items()},
                "optimizer": {
                    f"{index}/{key}": np.asarray(value.cpu() if hasattr(value, "cpu") else value)
                    for index, each in state.items()
                    for key, value in each.items()
                    if value is not None
                },
            },
            {"name": name, "history": self.history, "best_epoch": self.best_epoch},
        )

    def _resume(self, path: Path, name: str) -> None:
        import torch

        groups, text = _checkpoints.read(path)
        if text.get("name") != name:
            raise ValueError(
                f"`checkpoint` {path} is of another training: other data, settings or model; "
                "give another name, or remove it"
            )

        def tensors(group: str) -> dict[str, torch.Tensor]:
            return {k: torch.from_numpy(v.copy()) for k, v in groups.get(group, {}).items()}

        try:
            self.model.load_state_dict(tensors("model"))
            self.best = tensors("best")
            state: dict[int, dict[str, Any]] = {}
            for key, value in tensors("optimizer").items():
                index, _, what = key.partition("/")
                state.setdefault(int(index), {})[what] = value
            own = self.optimizer.state_dict()
            self.optimizer.load_state_dict({"state": state, "param_groups": own["param_groups"]})
            self.history = {k: [float(v) for v in text["history"][k]] for k in self.history}
            self.best_epoch = int(text["best_epoch"])
        except (RuntimeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"`checkpoint` {path} is damaged: {error}") from None


_STILL: dict[str, Any] = {"flips": False, "quarter_turns": False}


def _batches(order: np.ndarray, size: int) -> Iterator[np.ndarray]:
    for start in range(0, len(order), size):
        yield order[start : start + size]


@contextmanager
def _one_answer(device: torch.device) -> Iterator[None]:
    """Ask PyTorch for algorithms that give the same sums each time."""
    import torch

    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True, warn_only=device.type != "cpu")
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
