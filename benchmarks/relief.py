"""Contours from half-discs: no library has them in Python.

The limit is 3 s for a photograph, which are 6477 ns for each of its values.
"""

import numpy as np

import segkit
from benchmarks import inputs
from benchmarks.harness import Case


def photograph(size):
    """Return colors, of the size of a photograph in BSDS500."""
    rows, cols = (64, 64) if size == "tiny" else (321, 481)
    grey = inputs.mosaic(1024)
    channels = [np.roll(grey, shift, 0)[:rows, :cols] for shift in (0, 3, 5)]
    return {"image": np.stack(channels, axis=-1)}


CASES = [
    Case(
        name="boundary_strength, 2-D color",
        input_name="481 x 321",
        inputs=photograph,
        ours=lambda image: segkit.boundary_strength(image, channel_axis=-1),
        small=False,
    ),
]
