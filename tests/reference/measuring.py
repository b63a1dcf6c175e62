"""Measuring regions by definition: the plain version of ``segkit_ext/measure.pyx``."""

from fractions import Fraction

import numpy as np


def members(labels):
    """Return the pixels of each id but 0, ids in rising order."""
    found = {}
    for p in np.ndindex(labels.shape):
        if labels[p]:
            found.setdefault(labels[p].item(), []).append(p)
    return dict(sorted(found.items()))


def shape_of(pixels, labels, spacing):
    """Return what is measured without an image, by name."""
    ndim = labels.ndim
    low = [min(p[axis] for p in pixels) for axis in range(ndim)]
    high = [max(p[axis] for p in pixels) + 1 for axis in range(ndim)]
    unit = np.prod(spacing)
    perimeter = 0.0
    inside = set(pixels)
    for p in pixels:
        for axis in range(ndim):
            for step in (-1, 1):
                q = (*p[:axis], p[axis] + step, *p[axis + 1 :])
                if q not in inside:
                    perimeter += unit / spacing[axis]
    return {
        "pixels": len(pixels),
        "area": len(pixels) * unit,
        "bbox": list(zip(low, high, strict=True)),
        "centroid": [
            spacing[axis] * sum(p[axis] for p in pixels) / len(pixels) for axis in range(ndim)
        ],
        "perimeter": perimeter,
        "extent": len(pixels) / np.prod(np.subtract(high, low)),
        "touches_border": any(
            a == 0 or b == side for a, b, side in zip(low, high, labels.shape, strict=True)
        ),
    }


def values_of(pixels, image):
    """Return what is measured of one channel, mean and variance from exact fractions."""
    values = [Fraction(image[p].item()) for p in pixels]
    mean = sum(values) / len(values)
    variance = sum((x - mean) ** 2 for x in values) / len(values)
    return {"mean": mean, "variance": variance, "min": min(values), "max": max(values)}


def mean_image(labels, image):
    """Replace each pixel but those of label 0 by its region's mean."""
    out = image.astype(np.float64)
    for pixels in members(labels).values():
        mean = float(values_of(pixels, image)["mean"])
        for p in pixels:
            out[p] = mean
    return out
