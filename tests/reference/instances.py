"""Matching instances by definition: every one-to-one assignment is tried."""

from fractions import Fraction


def objects(labels):
    """Return the set of pixels of each id but 0."""
    found = {}
    for p, label in enumerate(labels.ravel().tolist()):
        if label:
            found.setdefault(label, set()).add(p)
    return dict(sorted(found.items()))


def overlaps(truth, test):
    """Return {(truth id, test id): IoU} of the objects that share a pixel."""
    return {
        (u, v): Fraction(len(first & second), len(first | second))
        for u, first in objects(truth).items()
        for v, second in objects(test).items()
        if first & second
    }


def assignments(pairs):
    """Yield every set of pairs in which no object stands twice."""
    if not pairs:
        yield ()
        return
    (u, v), rest = pairs[0], pairs[1:]
    yield from assignments(rest)
    for others in assignments([(a, b) for a, b in rest if a != u and b != v]):
        yield ((u, v), *others)


def best(truth, test, least):
    """Return the largest number of matches with IoU >= least, then the largest sum of IoU."""
    iou = overlaps(truth, test)
    # As doubles: 1/5 reaches a threshold of 0.2, which as a double is a little above it.
    allowed = [pair for pair, value in iou.items() if float(value) >= least]
    return max((len(chosen), sum(iou[pair] for pair in chosen)) for chosen in assignments(allowed))


def average_precision(truth, test, least):
    n_objects = len(objects(truth)) + len(objects(test))
    matched = best(truth, test, least)[0]
    return Fraction(matched, n_objects - matched) if n_objects else 1


def panoptic_quality(truth, test):
    """Return pq, sq, rq."""
    n_objects = len(objects(truth)) + len(objects(test))
    if n_objects == 0:
        return 1, 1, 1
    fits = [value for value in overlaps(truth, test).values() if value > Fraction(1, 2)]
    sq = sum(fits) / Fraction(len(fits)) if fits else 0
    false_positives_and_negatives = n_objects - 2 * len(fits)
    rq = Fraction(len(fits)) / (len(fits) + Fraction(false_positives_and_negatives, 2))
    return sq * rq, sq, rq
