"""Networks, and their training, in PyTorch: extra `train`.

A network is made (`unet`, `espnet`) or made over for other classes (`adapt`), trained on
annotated images (`fit`, `fine_tune`, `search`), which are prepared (`equalize`, `whiten`) and
changed at random (`augment`).  What is trained here is used without PyTorch: `export_onnx`
writes a network as a file that `CNNSegmenter` reads.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from . import _check, _files
from ._augment import Pair, augment, equalize, whiten
from ._fitting import Trained, fine_tune, fit, search

__all__ = [
    "Pair",
    "Trained",
    "adapt",
    "augment",
    "equalize",
    "espnet",
    "export_onnx",
    "fine_tune",
    "fit",
    "search",
    "unet",
    "whiten",
]


def _needs(error: ImportError) -> ImportError:
    return ImportError(f"training needs {error.name}: pip install 'segkit[train]'")


def espnet(n_classes: int = 12, *, arrays: Mapping[str, Any] | None = None, rng: int = 0) -> Any:
    """Return an ESPNet (p = 2, q = 8) as a PyTorch module, in evaluation mode.

    Parameters
    ----------
    n_classes : int, default 12
        How many scores each pixel gets.
    arrays : mapping of arrays by name, optional
        Its parameters, under the names of the published ones, as `numpy.load` gives them;
        all of them.  None: random ones.
    rng : int >= 0, default 0
        The seed of random ones.

    Returns
    -------
    model : torch.nn.Module
        It takes (n, 3, R, C) float32, R and C multiples of 8, and gives (n, n_classes, R, C).

    Raises
    ------
    ImportError
        The extra `train` is not installed.
    TypeError
        `n_classes` is no integer, or an array is not real.
    ValueError
        `arrays` lacks a parameter, or has another or one of another shape.

    Notes
    -----
    **Cost** 0.35 million parameters, 3 GFLOP for 360 x 480 pixels.

    References
    ----------
    Mehta, Rastegari, Caspi, Shapiro, Hajishirzi (2018). ESPNet: efficient spatial
    pyramid of dilated convolutions for semantic segmentation. ECCV.
    doi:10.1007/978-3-030-01249-6_34

    Examples
    --------
    >>> from segkit import training
    >>> model = training.espnet(5)  # doctest: +SKIP
    """
    n_classes = _check.integer(n_classes, "n_classes", low=1)
    seed = _check.integer(rng, "rng", low=0)
    try:
        import torch

        from ._espnet import ESPNet
    except ImportError as error:
        raise _needs(error) from None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = ESPNet(n_classes).eval()
    if arrays is None:
        return model
    # How many batches a norm has seen: of no use once it is trained.
    wanted = {
        name: value
        for name, value in model.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    given = {name: _check.as_array(arrays[name], f"arrays[{name!r}]") for name in arrays}
    if given.keys() != wanted.keys():
        wrong = sorted(given.keys() ^ wanted.keys())
        raise ValueError(
            f"`arrays` must hold the parameters of the network, differs in {wrong[:3]}"
        )
    for name, value in wanted.items():
        _check.same_shape(given[name], f"arrays[{name!r}]", tuple(value.shape), name, hint=False)
        _check.refuse_not_finite(given[name], f"arrays[{name!r}]")
    state = {name: torch.from_numpy(array.astype(np.float32)) for name, array in given.items()}
    model.load_state_dict(state, strict=False)
    return model


def unet(
    n_classes: int,
    *,
    n_channels: int = 3,
    width: int = 16,
    depth: int = 3,
    dropout: float = 0.0,
    rng: int = 0,
) -> Any:
    """Return a small U-Net with random weights.

    Parameters
    ----------
    n_classes : int >= 1
        Classes are 1 to `n_classes`; background is one of them.
    n_channels : int >= 1
        Channels of the images.
    width : int >= 1
        Features at full resolution; they double at each step down.
    depth : int >= 1
        How often the image is halved.
    dropout : float, 0 to 1
        The part of the features that are left out at random while training.
    rng : int
        The seed of the weights.

    Returns
    -------
    torch.nn.Module
        It takes float32 (N, n_channels, R, C) with sides divisible by its `stride`, 2 ** depth,
        and gives scores (N, n_classes, R, C). With the defaults 482 771 weights for 3 classes.

    Raises
    ------
    ImportError
        PyTorch is missing.
    ValueError
        A number out of range.

    References
    ----------
    O. Ronneberger, P. Fischer, T. Brox. U-Net: Convolutional networks for biomedical image
    segmentation. MICCAI 2015. doi:10.1007/978-3-319-24574-4_28
    """
    n_classes = _check.integer(n_classes, "n_classes", low=1)
    n_channels = _check.integer(n_channels, "n_channels", low=1)
    width = _check.integer(width, "width", low=1)
    depth = _check.integer(depth, "depth", low=1, high=8)
    dropout = _check.between(dropout, "dropout", 0, 1)
    seed = _check.integer(rng, "rng", low=0)
    try:
        import torch

        from ._unet import UNet
    except ImportError as error:
        raise _needs(error) from None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return UNet(n_classes, n_channels, width, depth, dropout)


def adapt(model: Any, n_classes: int, *, rng: int = 0) -> Any:
    """Return a network of the same kind for other classes, with what it knows already.

    Parameters
    ----------
    model : torch.nn.Module
        As `unet` and `espnet` make them, trained. It is left as it is.
    n_classes : int >= 1
        How many classes the new one has.
    rng : int >= 0
        The seed of the weights that are new.

    Returns
    -------
    torch.nn.Module
        Every parameter whose shape does not depend on the classes is that of `model`; the others
        are random. For `fine_tune`.

    Raises
    ------
    ImportError
        The extra `train` is not installed.
    TypeError
        `model` is no network of this module.
    ValueError
        A number out of range.

    Notes
    -----
    Only the last layer is new. The decoder of an ESPNet keeps its width, which is that of the
    classes it was made for.

    Examples
    --------
    >>> from segkit import training
    >>> model = training.adapt(training.espnet(), 3)  # doctest: +SKIP
    """
    n_classes = _check.integer(n_classes, "n_classes", low=1)
    seed = _check.integer(rng, "rng", low=0)
    if not hasattr(model, "of_classes"):
        raise TypeError(f"`model` must be a network of unet or espnet, got {type(model).__name__}")
    import torch  # is there, or there were no model

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = model.of_classes(n_classes)
    known = model.state_dict()
    kept = {
        name: known[name].detach().clone()
        for name, value in fresh.state_dict().items()
        if known[name].shape == value.shape
    }
    fresh.load_state_dict(kept, strict=False)
    return fresh.eval()


def export_onnx(
    model: Any, path: str | os.PathLike[str], *, n_channels: int | None = None, about: str = ""
) -> None:
    """Write a trained network as an ONNX file, for `CNNSegmenter`.

    Parameters
    ----------
    model : torch.nn.Module
        In evaluation mode, on any device; made of convolutions, batch norms, PReLU, ReLU, poolings,
        sums and concatenations along the channels.
    path : str or path
        Where to.
    n_channels : int, optional
        How many channels it takes.  None: as many as its attribute of that name says, or 3.
    about : str, optional
        A text that is kept in the file: where it comes from, its license.

    Returns
    -------
    None
        The file is there, complete, when the call returns.

    Raises
    ------
    ImportError
        The extra `train` is not installed.
    TypeError
        `model` is no PyTorch module.
    ValueError
        `model` is in training mode, or made of other parts.
    OSError
        The file cannot be written.

    Notes
    -----
    Batch norms are folded into the convolutions before them. The same parameters give the
    same bytes, with every version of PyTorch. Weights are float32, and in the file.
    """
    target = _check.path(path, "path")
    known = getattr(model, "n_channels", None)
    n_channels = _check.integer(
        known or 3 if n_channels is None else n_channels, "n_channels", low=1
    )
    if known not in (None, n_channels):
        raise ValueError(f"`n_channels` must be {known}, as `model` takes them, got {n_channels}")
    try:
        import torch

        from ._export import to_onnx
    except ImportError as error:
        raise _needs(error) from None
    if not isinstance(model, torch.nn.Module):
        raise TypeError(f"`model` must be a PyTorch module, got {type(model).__name__}")
    data = to_onnx(model, n_channels=n_channels, about=about)
    _files.write_complete(target, lambda stream: stream.write(data))
