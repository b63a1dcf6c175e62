"""Outlines of regions by definition: what ``segkit_ext/outline.pyx`` computes."""

from itertools import product

import numpy as np

from .grid import neighbors


def boundaries(labels, mode="inner", connectivity=1):
    """Look at each pixel's neighbors, or at the pixels around each crack."""
    shape = labels.shape
    if mode == "subpixel":
        out = np.zeros([max(0, 2 * side - 1) for side in shape], dtype=bool)
        for p in np.ndindex(out.shape):
            # An even coordinate lies on a pixel, an odd one between two.
            sides = [(c // 2,) if c % 2 == 0 else (c // 2, c // 2 + 1) for c in p]
            out[p] = len({labels[q] for q in product(*sides)}) > 1
        return out
    out = np.zeros(shape, dtype=bool)
    for p in np.ndindex(shape):
        thick = any(labels[q] != labels[p] for q in neighbors(p, shape, connectivity))
        box = neighbors(p, shape, len(shape))
        contested = any(labels[q] not in (0, labels[p]) for q in box)
        out[p] = {
            "thick": thick,
            "inner": thick and labels[p] != 0,
            "outer": thick and (labels[p] == 0 or contested),
        }[mode]
    return out
