"""Which leaves of a quadtree share a face, found leaf by leaf.

Across a face of a leaf lies either one leaf that is as large or larger, or several that
are smaller.  So each pair of neighbors is seen from its smaller leaf, and looking at one
pixel beyond each face is enough: if the leaf there is larger it covers the whole face,
and if it is smaller it will find the pair itself.  Of two equal ones the later finds it.

Leaves are listed part by part within each block, so of two neighbors the one that comes
first along the axis comes first in the list, and pairs come nearly in order.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t

from .blocks cimport AXES
from .interrupt cimport POLL_STEPS, poll


cdef inline Py_ssize_t pixel_of(
    const int64_t[:, ::1] corner, const Py_ssize_t[:, ::1] sides, Py_ssize_t leaf,
    Py_ssize_t* begin, Py_ssize_t* extent, const uint8_t[::1] level_of,
) noexcept nogil:
    """Write the box of a leaf along all four axes; return the flat position of its first pixel."""
    cdef Py_ssize_t axis, p = 0, lead = AXES - corner.shape[1]
    for axis in range(AXES):
        begin[axis] = 0 if axis < lead else corner[leaf, axis - lead]
        extent[axis] = min(<Py_ssize_t> 1 << level_of[leaf], sides[0, axis] - begin[axis])
        p = p * sides[0, axis] + begin[axis]
    return p


cdef inline int64_t area_of(const Py_ssize_t* extent, Py_ssize_t across) noexcept nogil:
    """Return the number of pixels of a face."""
    cdef Py_ssize_t axis
    cdef int64_t area = 1
    for axis in range(AXES):
        if axis != across:
            area *= extent[axis]
    return area


cdef int visit(
    const int64_t[:, ::1] corner, const uint8_t[::1] level_of, const Py_ssize_t[:, ::1] sides,
    const int32_t[::1] labels, Py_ssize_t[::1] begins, Py_ssize_t[::1] later, int64_t[::1] contact,
) except -1 nogil:
    """Count pairs by their first leaf in begins, or if there is room for them, write them.

    Counting leaves begins[u + 2] as the number of pairs of u; writing takes begins[u + 1]
    as where they begin and leaves it as where they end.
    """
    cdef Py_ssize_t leaf, other, axis, p, stride, work = 0
    cdef Py_ssize_t[AXES] begin, extent
    cdef bint counting = later.shape[0] == 0
    for leaf in range(corner.shape[0]):
        p = pixel_of(corner, sides, leaf, &begin[0], &extent[0], level_of)
        stride = 1
        for axis in range(AXES - 1, AXES - 1 - corner.shape[1], -1):
            if begin[axis] > 0:
                other = labels[p - stride] - 1
                if level_of[other] >= level_of[leaf]:
                    if counting:
                        begins[other + 2] += 1
                    else:
                        later[begins[other + 1]] = leaf
                        contact[begins[other + 1]] = area_of(&extent[0], axis)
                        begins[other + 1] += 1
            if begin[axis] + extent[axis] < sides[0, axis]:
                other = labels[p + stride * extent[axis]] - 1
                if level_of[other] > level_of[leaf]:
                    if counting:
                        begins[leaf + 2] += 1
                    else:
                        later[begins[leaf + 1]] = other
                        contact[begins[leaf + 1]] = area_of(&extent[0], axis)
                        begins[leaf + 1] += 1
            stride *= sides[0, axis]
        work += 8
        if work >= POLL_STEPS:
            work = 0
            poll()
    return 0


cdef int order(
    const Py_ssize_t[::1] begins, Py_ssize_t[::1] earlier, Py_ssize_t[::1] later,
    int64_t[::1] contact,
) except -1 nogil:
    """Name the first leaf of each pair, and sort the pairs of each by the other.

    Only those that a leaf found itself, at most one for each axis, can be out of order,
    and they stand in front: moving the others past them takes few steps.
    """
    cdef Py_ssize_t leaf, e, f, other, work = 0
    cdef int64_t area
    for leaf in range(begins.shape[0] - 2):
        for e in range(begins[leaf], begins[leaf + 1]):
            earlier[e] = leaf
            other = later[e]
            area = contact[e]
            f = e
            while f > begins[leaf] and later[f - 1] > other:
                later[f] = later[f - 1]
                contact[f] = contact[f - 1]
                f -= 1
            later[f] = other
            contact[f] = area
            work += 2 + e - f
        work += 1
        if work >= POLL_STEPS:
            work = 0
            poll()
    return 0


def count_pairs_of_leaves(
    const int64_t[:, ::1] corner, const uint8_t[::1] level_of, const Py_ssize_t[:, ::1] sides,
    const int32_t[::1] labels, Py_ssize_t[::1] begins,
):
    """Count the leaves that touch each leaf and come after it; return how many pairs there are.

    Pre: leaves as `list_leaves` of leaves.pyx gives them, with every pixel in one; labels
    as `fill_leaves` writes them; `begins` has two places more than there are leaves, all 0.
    Post: begins[u + 1] says how many pairs come before those of leaf u.
    Cost: O(leaves * axes).
    """
    cdef Py_ssize_t i
    cdef Py_ssize_t[::1] later = begins[:0]
    cdef int64_t[::1] contact = None
    with nogil:
        visit(corner, level_of, sides, labels, begins, later, contact)
        for i in range(1, begins.shape[0]):
            begins[i] += begins[i - 1]
    return begins[begins.shape[0] - 1]


def list_pairs_of_leaves(
    const int64_t[:, ::1] corner, const uint8_t[::1] level_of, const Py_ssize_t[:, ::1] sides,
    const int32_t[::1] labels, Py_ssize_t[::1] begins,
    Py_ssize_t[::1] earlier, Py_ssize_t[::1] later, int64_t[::1] contact,
):
    """List the pairs of leaves that share a face, and how many pixels it has.

    Pre: as `count_pairs_of_leaves` left it; a place for each pair, one at least.
    Post: earlier < later, sorted by the one, then the other.
    Cost: O(leaves * axes + pairs * axes).
    """
    with nogil:
        visit(corner, level_of, sides, labels, begins, later, contact)
        order(begins, earlier, later, contact)
