"""Outlines of a result against those of the truth, pixel by pixel, to look at.

The same pixels and partners as in boundary scores: what is drawn as found,
missed or invented is what precision and recall count.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ._boundary_scores import _boundary, partners, radius_of

TOLERANCE = 0.0075  # of the diagonal


def against(
    labels: np.ndarray, truths: Sequence[np.ndarray], *, void: bool = False
) -> dict[str, np.ndarray]:
    """Return bool maps of the same shape: extra, missed, found.

    `found` and `extra` are boundary pixels of `labels` with and without a partner on
    any annotator's boundary, `missed` those of annotators without one on `labels`.
    With `void` pixels of truth 0, and outlines around them, are left out.
    """
    own = _boundary(labels)
    if void:
        own &= np.any([truth != 0 for truth in truths], axis=0)
    outlines = [_boundary(truth) for truth in truths]
    if void:
        outlines = [one & ~_beside_void(truth) for one, truth in zip(outlines, truths, strict=True)]
    right = np.zeros(np.count_nonzero(own), dtype=bool)
    missed = np.zeros_like(own)
    pairs = partners(outlines, own, radius_of(TOLERANCE, labels.shape))
    for outline, (matched, reached) in zip(outlines, pairs, strict=True):
        right |= matched
        missed.flat[np.flatnonzero(outline)[~reached]] = True
    found = np.zeros_like(own)
    found[own] = right
    return {"extra": own & ~found, "missed": missed, "found": found}


def _beside_void(truth: np.ndarray) -> np.ndarray:
    """Return which pixels are 0 or have a next neighbor that is."""
    empty = truth == 0
    beside = empty.copy()
    for axis in range(truth.ndim):
        before = (slice(None),) * axis
        beside[(*before, slice(None, -1))] |= empty[(*before, slice(1, None))]
    return beside
