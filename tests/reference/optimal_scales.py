"""ODS, OIS and Best by definition, from small records of each image at each scale."""

from tests.reference.boundary_scores import scores as boundary_scores


def optimal_scores(table, better):
    """Return the best mean at one scale and the mean of the best."""
    best = max if better == "higher" else min
    n = len(table)
    ods = best(sum(row[k] for row in table) / n for k in range(len(table[0])))
    return ods, sum(best(row) for row in table) / n


def optimal_boundary_scores(images):
    """Return (precision, recall, F) at one scale and at each image's best."""

    def pooled(chosen):
        return boundary_scores(*(sum(column) for column in zip(*chosen, strict=True)))

    def f_of(result):
        return result[2]

    n_scales = len(images[0])
    ods = max((pooled([image[k] for image in images]) for k in range(n_scales)), key=f_of)
    ois = pooled([max(image, key=lambda counts: boundary_scores(*counts)[2]) for image in images])
    return ods, ois


def optimal_covering(images):
    """Return covering at one scale, at each image's best, and at each region's best."""
    total = sum(sum(image[0][0]) for image in images)
    if total == 0:
        return 1.0, 1.0, 1.0

    def covered(image, k):
        areas, overlaps = image[k]
        return sum(a * o for a, o in zip(areas, overlaps, strict=True))

    scales = range(len(images[0]))
    ods = max(sum(covered(image, k) for image in images) for k in scales)
    ois = sum(max(covered(image, k) for k in scales) for image in images)
    best = sum(
        area * max(image[k][1][region] for k in scales)
        for image in images
        for region, area in enumerate(image[0][0])
    )
    return ods / total, ois / total, best / total
