"""k-means by its definition: every point, every center, every round.

Stands beside `segkit_ext/assign.pyx` and `segkit_ext/cells.pyx`, which leave out what
cannot matter.
"""

from itertools import product


def squared(x, center):
    """Return the squared distance, summed axis after axis."""
    total = 0.0
    for a, b in zip(x, center, strict=True):
        total += (a - b) * (a - b)
    return total


def nearest(x, centers):
    """Return which center is nearest, the first of several."""
    distances = [squared(x, center) for center in centers]
    return distances.index(min(distances))


def mean(points):
    """Return the mean of some points."""
    return [sum(column) / len(points) for column in zip(*points, strict=True)]


def farthest(points, centers):
    """Return the point that is farthest from its nearest center, the least of several."""
    far = max(min(squared(x, center) for center in centers) for x in points)
    return min(x for x in points if min(squared(x, center) for center in centers) == far), far


def fill_empty(groups, points, centers):
    """Give each empty group the value farthest from all centers, and all points that have it."""
    known = list(centers)
    for j, group in enumerate(groups):
        if group:
            continue
        value, far = farthest(points, known)
        if far == 0:
            return
        taken = [x for x in points if x == value]
        old = nearest(value, centers)
        rest = [x for x in groups[old] if x != value]
        if rest:
            groups[old] = rest
        groups[j] = taken
        known.append(value)


def k_means(points, centers, max_iter, tol):
    """Return centers, inertia and the number of rounds; points and centers are lists of lists."""
    points = [[float(x) for x in point] for point in points]
    centers = [[float(x) for x in center] for center in centers]
    middle = mean(points)
    variance = sum(squared(x, middle) for x in points) / len(points) / len(middle)
    rounds = 0
    while rounds < max_iter:
        rounds += 1
        groups = [[] for _ in centers]
        for x in points:
            groups[nearest(x, centers)].append(x)
        fill_empty(groups, points, centers)
        moved = [
            mean(group) if group else center for group, center in zip(groups, centers, strict=True)
        ]
        shift = sum(squared(a, b) for a, b in zip(moved, centers, strict=True))
        centers = moved
        if shift <= tol * variance:
            break
    inertia = sum(min(squared(x, center) for center in centers) for x in points)
    return centers, inertia, rounds


def colors(image):
    """Return how often each color comes, a dictionary."""
    counts = {}
    for place in product(*map(range, image.shape[:-1])):
        color = tuple(image[place].tolist())
        counts[color] = counts.get(color, 0) + 1
    return counts
