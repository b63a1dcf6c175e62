"""The U-Net of Ronneberger, Fischer and Brox (2015), small.

On the way down the image is halved again and again while channels double: what a pixel
is depends on more and more of its surroundings.  On the way up the resolution comes back,
and at each step the features of the same size from the way down are laid beside, because
they still know where the edges are.  Unlike the original, convolutions are padded, so that
the result has the size of the image, and normalized over the batch.

Imported by `training` alone, since it needs PyTorch.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class UNet(nn.Module):
    """Scores of K classes for each pixel of an image with sides divisible by `stride`."""

    def __init__(
        self, n_classes: int, n_channels: int, width: int, depth: int, dropout: float
    ) -> None:
        super().__init__()
        self.n_classes, self.n_channels, self.stride = n_classes, n_channels, 2**depth
        self._options = n_channels, width, depth, dropout
        widths = [width * 2**level for level in range(depth + 1)]
        self.encoder = nn.ModuleList(
            _double(before, after, dropout)
            for before, after in zip([n_channels, *widths], widths, strict=False)
        )
        self.shrink = nn.MaxPool2d(2)
        self.enlarge = nn.ModuleList(
            nn.ConvTranspose2d(2 * after, after, kernel_size=2, stride=2)
            for after in reversed(widths[:-1])
        )
        self.decoder = nn.ModuleList(
            _double(2 * after, after, dropout) for after in reversed(widths[:-1])
        )
        self.classifier = nn.Conv2d(width, n_classes, kernel_size=1)

    def of_classes(self, n_classes: int) -> UNet:
        """Return one for other classes, alike in all else, with new weights."""
        return UNet(n_classes, *self._options)

    def forward(self, image: Tensor) -> Tensor:
        """Return scores (N, K, R, C) of images (N, channels, R, C)."""
        beside = []
        features = image
        for level, block in enumerate(self.encoder):
            features = block(self.shrink(features) if level else features)
            beside.append(features)
        beside.pop()
        for enlarge, block in zip(self.enlarge, self.decoder, strict=True):
            features = block(torch.cat([beside.pop(), enlarge(features)], 1))
        return self.classifier(features)


def _double(before: int, after: int, dropout: float) -> nn.Sequential:
    """Return two convolutions of 3 x 3, each normalized and rectified."""
    return nn.Sequential(
        nn.Conv2d(before, after, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
        nn.Dropout2d(dropout),
        nn.Conv2d(after, after, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
    )
