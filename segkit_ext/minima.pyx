"""Which pixels have a lower neighbor, and which flat zones have none."""

from libc.stdint cimport uint8_t

from .interrupt cimport POLL_STEPS, poll
from .types cimport label_t, value_t


cdef inline void compare_rows(
    const value_t[::1] values, const uint8_t[::1] mask, uint8_t[::1] lower,
    Py_ssize_t here, Py_ssize_t there, Py_ssize_t size,
) noexcept nogil:
    """Mark pixels of one row that are above those of another; both are `size` long."""
    cdef Py_ssize_t i
    if mask.shape[0]:
        for i in range(size):
            lower[here + i] |= (values[here + i] > values[there + i]) & mask[there + i]
    else:
        for i in range(size):
            lower[here + i] |= values[here + i] > values[there + i]


cdef int compare_neighbors(
    const value_t[::1] values, const uint8_t[::1] mask, uint8_t[::1] lower,
    const Py_ssize_t[::1] shape, const Py_ssize_t[:, ::1] steps,
) except -1 nogil:
    cdef Py_ssize_t a, b, c, k, i = 0, there, skip, n_cols = shape[3], since = 0
    for a in range(shape[0]):
        for b in range(shape[1]):
            for c in range(shape[2]):
                for k in range(steps.shape[0]):
                    if not (
                        0 <= a + steps[k, 0] < shape[0]
                        and 0 <= b + steps[k, 1] < shape[1]
                        and 0 <= c + steps[k, 2] < shape[2]
                    ):
                        continue
                    there = i + n_cols * (
                        (steps[k, 0] * shape[1] + steps[k, 1]) * shape[2] + steps[k, 2]
                    )
                    skip = 1 if steps[k, 3] < 0 else 0   # the first column has no neighbor there
                    compare_rows(
                        values, mask, lower, i + skip, there + skip + steps[k, 3],
                        n_cols - (steps[k, 3] != 0),
                    )
                i += n_cols
                since += n_cols
                if since >= POLL_STEPS:
                    since = 0
                    poll()
    return 0


def mark_lower(
    const value_t[::1] values, const uint8_t[::1] mask, uint8_t[::1] lower,
    const Py_ssize_t[::1] shape, const Py_ssize_t[:, ::1] steps,
):
    """Set `lower` to 1 where a pixel has a neighbor below it.

    Pre: `values` is flat and not padded, `shape` has four axes, `steps` is
    (k, 4); `mask` is empty or as long, and only neighbors inside it count.
    Post: as said; `lower` keeps the ones it came with.
    Cost: one vectorised pass per step.
    """
    with nogil:
        compare_neighbors(values, mask, lower, shape, steps)


cdef int mark_zones_pixels(
    const label_t[::1] zones, const uint8_t[::1] lower, uint8_t[::1] drained,
) except -1 nogil:
    cdef Py_ssize_t i
    for i in range(zones.shape[0]):
        if lower[i]:
            drained[zones[i]] = 1
        if not (i + 1) % POLL_STEPS:
            poll()
    return 0


def mark_zones(const label_t[::1] zones, const uint8_t[::1] lower, uint8_t[::1] drained):
    """Set `drained` to 1 for every zone with a pixel that has a lower neighbor.

    Pre: `zones` are 0 .. n, `drained` has n + 1 places.
    Cost: one pass.
    """
    with nogil:
        mark_zones_pixels(zones, lower, drained)


cdef Py_ssize_t number_kept(const uint8_t[::1] drained, label_t[::1] table) except -1 nogil:
    cdef Py_ssize_t zone
    cdef label_t n = 0
    table[0] = 0
    for zone in range(1, drained.shape[0]):
        if drained[zone]:
            table[zone] = 0
        else:
            n += 1
            table[zone] = n
        if not (zone + 1) % POLL_STEPS:
            poll()
    return n


def number_zones(const uint8_t[::1] drained, label_t[::1] table):
    """Number the zones that are not drained, in their order; the others get 0.

    Pre: both arrays have one place a zone, and one for 0 before them.
    Post: returns how many there are.
    Cost: one pass over the zones.
    """
    cdef Py_ssize_t n
    with nogil:
        n = number_kept(drained, table)
    return n


cdef int first_pixels_scan(const label_t[::1] labels, Py_ssize_t[::1] found) except -1 nogil:
    cdef Py_ssize_t i, n = 0
    for i in range(labels.shape[0]):
        if labels[i] > n:
            found[n] = i
            n += 1
        if not (i + 1) % POLL_STEPS:
            poll()
    return 0


def first_pixels(const label_t[::1] labels, Py_ssize_t[::1] found):
    """Write the position of the first pixel of each label.

    Pre: labels 1 .. n in raster order of first pixel; `found` has n places.
    Cost: one pass.
    """
    with nogil:
        first_pixels_scan(labels, found)
