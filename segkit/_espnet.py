"""ESPNet: a small network that looks at a road scene at many scales at once.

A convolution that sees far has many weights.  An ESP module (efficient spatial
pyramid) first reduces the channels to a fifth, then looks at the result through five
3 x 3 windows, each twice as wide as the one before (dilation 1, 2, 4, 8, 16), and
joins what they saw.  Wide windows alone leave a grid in the result, so each is added
to the narrower ones before the joining.

The encoder shrinks the image three times by two, and sees a reduced copy of the
image itself before each of two stages.  The decoder enlarges the scores again, and adds what
the encoder saw at the same size.  Sides of the image must be multiples of 8.

Parts bear the names of the published parameters, so that these load by their
names.  This is the one module that needs PyTorch to be read: `training` imports it
inside its functions.
"""

from __future__ import annotations

import torch
from torch import nn

EPSILON = 1e-3  # of every batch norm, as it was trained
DILATIONS = (1, 2, 4, 8, 16)
LEAST_WIDTH = 5  # what an ESP module divides among its windows
STRIDE = 8  # how often the encoder shrinks: sides are multiples of it


class Convolution(nn.Module):
    """A convolution without bias that keeps the size, or halves it."""

    def __init__(
        self, n_in: int, n_out: int, side: int, *, stride: int = 1, dilation: int = 1
    ) -> None:
        super().__init__()
        reach = side // 2 * dilation
        self.conv = nn.Conv2d(n_in, n_out, side, stride, reach, dilation, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the convolution of x."""
        return self.conv(x)


class Activation(nn.Module):
    """A batch norm, then a PReLU with a slope for each channel."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.bn = nn.BatchNorm2d(n, EPSILON)
        self.act = nn.PReLU(n)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return x normalized and bent."""
        return self.act(self.bn(x))


class ActivatedConvolution(nn.Module):
    """A 3 x 3 convolution, a batch norm, a PReLU."""

    def __init__(self, n_in: int, n_out: int, *, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False)
        self.bn = nn.BatchNorm2d(n_out, EPSILON)
        self.act = nn.PReLU(n_out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the three, one after the other."""
        return self.act(self.bn(self.conv(x)))


class Pyramid(nn.Module):
    """Reduce, look through windows of five widths, join: the core of an ESP module."""

    def __init__(self, n_in: int, n_out: int, *, side: int = 1, stride: int = 1) -> None:
        super().__init__()
        n = n_out // 5
        first = n_out - 4 * n  # what does not divide by five goes to the narrowest
        self.c1 = Convolution(n_in, n, side, stride=stride)
        self.d1 = Convolution(n, first, 3)
        self.d2 = Convolution(n, n, 3, dilation=2)
        self.d4 = Convolution(n, n, 3, dilation=4)
        self.d8 = Convolution(n, n, 3, dilation=8)
        self.d16 = Convolution(n, n, 3, dilation=16)

    def pyramid(self, x: torch.Tensor) -> torch.Tensor:
        """Return the views joined, each of the wider ones added to those before it."""
        reduced = self.c1(x)
        narrow, second = self.d1(reduced), self.d2(reduced)
        third = second + self.d4(reduced)
        fourth = third + self.d8(reduced)
        return torch.cat([narrow, second, third, fourth, fourth + self.d16(reduced)], 1)


class Downsampler(Pyramid):
    """An ESP module that halves the size."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__(n_in, n_out, side=3, stride=2)
        self.bn = nn.BatchNorm2d(n_out, EPSILON)
        self.act = nn.PReLU(n_out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return n_out channels of half the size."""
        return self.act(self.bn(self.pyramid(x)))


class Block(Pyramid):
    """An ESP module that keeps the size; with `residual` it adds its input."""

    def __init__(self, n_in: int, n_out: int, *, residual: bool = True) -> None:
        super().__init__(n_in, n_out)
        self.residual = residual
        self.bn = Activation(n_out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return n_out channels."""
        seen = self.pyramid(x)
        return self.bn(x + seen if self.residual else seen)


class Encoder(nn.Module):
    """The image at an eighth of its size, as scores of the classes."""

    def __init__(self, n_classes: int, p: int, q: int) -> None:
        super().__init__()
        self.level1 = ActivatedConvolution(3, 16, stride=2)
        self.shrink = nn.AvgPool2d(3, 2, 1)  # the padding counts in the mean
        self.b1 = Activation(16 + 3)
        self.level2_0 = Downsampler(16 + 3, 64)
        self.level2 = nn.ModuleList(Block(64, 64) for _ in range(p))
        self.b2 = Activation(64 + 64 + 3)
        self.level3_0 = Downsampler(64 + 64 + 3, 128)
        self.level3 = nn.ModuleList(Block(128, 128) for _ in range(q))
        self.b3 = Activation(128 + 128)
        self.classifier = Convolution(256, n_classes, 1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return what is seen at half and at a quarter of the size, and scores at an eighth."""
        half = self.shrink(x)
        quarter = self.shrink(half)
        first = self.b1(torch.cat([self.level1(x), half], 1))
        entry = self.level2_0(first)
        seen = entry
        for block in self.level2:
            seen = block(seen)
        second = self.b2(torch.cat([seen, entry, quarter], 1))
        entry = self.level3_0(second)
        seen = entry
        for block in self.level3:
            seen = block(seen)
        third = self.b3(torch.cat([entry, seen], 1))
        return first, second, self.classifier(third)


class ESPNet(nn.Module):
    """ESPNet with its decoder: (n, 3, R, C) in, (n, n_classes, R, C) scores out.

    Parameters
    ----------
    n_classes : int
        How many scores each pixel gets, void included.
    p, q : int
        How many ESP modules there are at a quarter, and at an eighth of the size.
    width : int, optional
        Channels of the decoder; as many as classes in the paper, where there are at least 5.

    References
    ----------
    Mehta, Rastegari, Caspi, Shapiro, Hajishirzi (2018). ESPNet: efficient spatial
    pyramid of dilated convolutions for semantic segmentation. ECCV.
    doi:10.1007/978-3-030-01249-6_34
    """

    def __init__(self, n_classes: int, *, p: int = 2, q: int = 8, width: int | None = None) -> None:
        super().__init__()
        n = max(n_classes, LEAST_WIDTH) if width is None else width
        self.n_classes = n_classes
        self.n_channels, self.stride = 3, STRIDE
        self._options = {"p": p, "q": q, "width": n}
        self.encoder = Encoder(n, p, q)
        self.br = nn.BatchNorm2d(n, EPSILON)
        self.up_l3 = nn.Sequential(nn.ConvTranspose2d(n, n, 2, 2, bias=False))
        self.level3_C = Convolution(64 + 64 + 3, n, 1)
        self.combine_l2_l3 = nn.Sequential(Activation(2 * n), Block(2 * n, n, residual=False))
        self.up_l2 = nn.Sequential(nn.ConvTranspose2d(n, n, 2, 2, bias=False), Activation(n))
        self.conv = ActivatedConvolution(n + 16 + 3, n)
        self.classifier = nn.ConvTranspose2d(n, n_classes, 2, 2, bias=False)

    def of_classes(self, n_classes: int) -> ESPNet:
        """Return one for other classes, alike in all else, with new weights."""
        return ESPNet(n_classes, **self._options)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the scores of each pixel."""
        half, quarter, scores = self.encoder(x)
        scores = self.up_l3(self.br(scores))
        joined = self.combine_l2_l3(torch.cat([self.level3_C(quarter), scores], 1))
        joined = self.conv(torch.cat([self.up_l2(joined), half], 1))
        return self.classifier(joined)
