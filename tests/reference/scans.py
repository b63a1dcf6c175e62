"""The plain version of segkit_ext/hilbert.pyx: boxes cut into boxes, down to single pixels.

A box is a corner and, for each axis, how many steps of which vector lead to the other side;
its first axis is the one that is traveled.  Pixels are tuples of coordinates.
"""

import numpy as np


def path_through(corner, axes):
    """Return the pixels of a box, from `corner` to the other end of the first axis.

    axes is a list of (side, step): the step is a vector of coordinates.
    """
    travel, others = axes[0], axes[1:]
    width = travel[0]
    by_length = sorted(range(1, len(axes)), key=lambda k: -axes[k][0])  # equals as they stand
    if all(side == 1 for side, _ in others):
        return [corner + i * travel[1] for i in range(width)]

    b = by_length[0]
    height = axes[b][0]
    if height == 2 and width == 2:
        steps = [step for side, step in others if side == 2] + [travel[1]]
        return gray_code(corner, steps)
    if height == 2 or 2 * width > 3 * height:  # cut along the travel axis
        half = 2 if height == 2 else even_half(width)
        first = path_through(corner, [(half, travel[1]), *others])
        return first + path_through(corner + half * travel[1], [(width - half, travel[1]), *others])

    c = by_length[1] if len(by_length) > 1 else None
    along, up = travel[1], axes[b][1]
    left = width // 2
    if width % 2 == 1 or c is None or axes[c][0] == 1 or 3 * axes[c][0] < 2 * height:
        low = even_half(height)
        far = corner + (width - 1) * along + (low - 1) * up
        return [
            *go(b, corner, axes, {0: (left, along), b: (low, up)}),
            *go(0, corner + low * up, axes, {b: (height - low, up)}),
            *go(b, far, axes, {0: (width - left, -along), b: (low, -up)}),
        ]

    if axes[c][0] % 2 == 1 and height % 2 == 0:
        b, c = c, b
    elif axes[c][0] % 2 == 1 and len(by_length) > 2 and axes[by_length[2]][0] % 2 == 0:
        c = by_length[2]
    (height, up), (depth, deeper) = axes[b], axes[c]
    if depth % 2 == 1:
        left = left if left % 2 == 1 else left + 1
    low, near = even_half(height), depth // 2
    right, high, deep = width - left, height - low, depth - near
    end = corner + (width - 1) * along
    bottom = (depth - 1) * deeper
    return [
        *go(b, corner, axes, {0: (left, along), b: (low, up), c: (near, deeper)}),
        *go(c, corner + low * up, axes, {0: (left, along), b: (high, up)}),
        *go(0, corner + (low - 1) * up + bottom, axes, {b: (low, -up), c: (deep, -deeper)}),
        *go(c, end + low * up + bottom, axes,
            {0: (right, -along), b: (high, up), c: (depth, -deeper)}),
        *go(b, end + (low - 1) * up, axes,
            {0: (right, -along), b: (low, -up), c: (near, deeper)}),
    ]  # fmt: skip


def go(travel, corner, axes, changed):
    """Return the path through a part of a box that is traveled along another axis."""
    part = [changed.get(k, axis) for k, axis in enumerate(axes)]
    part[0], part[travel] = part[travel], part[0]
    return path_through(corner, part)


def even_half(side):
    """Return the even number nearest to half of `side`; of two, the smaller."""
    return min(range(2, side, 2), key=lambda k: (abs(2 * k - side), k))


def gray_code(corner, steps):
    """Return the corners of a cube, one step apart; the last bit is set at the end, alone."""
    if not steps:
        return [corner]
    before = gray_code(corner, steps[:-1])
    return before + [pixel + steps[-1] for pixel in reversed(before)]


def hilbert_scan(shape):
    """Return the raveled indices of all pixels in the order of the scan."""
    if 0 in shape:
        return []
    unit = np.eye(len(shape), dtype=int)
    sides, pixels = list(shape), []
    corner = np.zeros(len(shape), dtype=int)
    while True:
        long_axes = [k for k in range(len(shape)) if sides[k] > 1] or [0]
        longest = max(long_axes, key=lambda k: (sides[k], k))
        even = [k for k in long_axes if sides[k] % 2 == 0]
        travel = max(even, key=lambda k: (sides[k], k)) if even else longest
        if last := 3 * sides[travel] >= 2 * sides[longest]:
            part = sides[travel]
        else:  # part of an odd side first, all but half of it
            travel, part = longest, even_half(sides[longest])
        here = {k: sides[k] for k in long_axes} | {travel: part}
        order = [travel, *(k for k in long_axes if k != travel)]
        pixels += path_through(corner, [(here[k], unit[k]) for k in order])
        if last:
            return [int(np.ravel_multi_index(tuple(pixel), shape)) for pixel in pixels]
        corner = corner + part * unit[travel]
        sides[travel] -= part


def snake_scan(shape):
    """Return the raveled indices row by row, every other row backwards, in any dimension."""
    if not shape:
        return [0]
    rest = snake_scan(shape[1:])
    size = len(rest)
    return [i * size + p for i in range(shape[0]) for p in (rest if i % 2 == 0 else reversed(rest))]
