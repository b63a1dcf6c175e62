"""Pixels at the boundaries of regions.

A row is compared with four neighbor rows at a time in one loop without
branches, as exclusive or: any bit left over means that some neighbor differs.
A neighbor row that does not exist is replaced by the row itself, which differs
nowhere; the first and the last pixel of a row are done one by one.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from .interrupt cimport POLL_STEPS, poll
from .types cimport id_t

cdef enum:
    ROW_AXES = 3    # axes that tell rows apart: at most four dimensions
    CHUNK = 4096    # pixels of a row done before the next: they stay in the L1


cdef inline uint8_t any_bit(id_t x) noexcept nogil:
    """Whether x is not 0."""
    if id_t is int64_t:
        # SSE2 has no test of 64 bits: fold the halves.
        return <uint32_t> (<uint64_t> x | <uint64_t> x >> 32) != 0
    return x != 0


cdef inline Py_ssize_t row_of(
    Py_ssize_t row, const Py_ssize_t[::1] row_shape, const Py_ssize_t[:, ::1] steps, Py_ssize_t k
) noexcept nogil:
    """Return the row that step `k` leads to, or -1 when it leads outside."""
    cdef Py_ssize_t axis, place, above = 0, stride = 1
    for axis in range(ROW_AXES - 1, -1, -1):
        place = row % row_shape[axis] + steps[k, axis]
        row = row // row_shape[axis]
        if not 0 <= place < row_shape[axis]:
            return -1
        above += stride * place
        stride *= row_shape[axis]
    return above


cdef inline bint differs(
    const id_t[::1] labels,
    Py_ssize_t p,
    Py_ssize_t col,
    Py_ssize_t width,
    const Py_ssize_t[::1] jumps,
    const Py_ssize_t[:, ::1] steps,
    Py_ssize_t n,
    bint labeled,
) noexcept nogil:
    """Whether pixel `p`, at `col`, has a neighbor of another id (and not 0 if `labeled`)."""
    cdef Py_ssize_t k
    cdef id_t other
    for k in range(n):
        if 0 <= col + steps[k, ROW_AXES] < width:
            other = labels[p + jumps[k]]
            if other != labels[p] and (other != 0 or not labeled):
                return True
    return False


cdef int find_jumps(
    Py_ssize_t row,
    const Py_ssize_t[::1] row_shape,
    const Py_ssize_t[:, ::1] steps,
    Py_ssize_t width,
    Py_ssize_t[::1] jumps,
) except -1 nogil:
    """Write how far each neighbor is in the flat array; 0 where its row does not exist."""
    cdef Py_ssize_t k, above
    for k in range(steps.shape[0]):
        above = row_of(row, row_shape, steps, k)
        jumps[k] = 0 if above < 0 else (above - row) * width + steps[k, ROW_AXES]
    for k in range(steps.shape[0], jumps.shape[0]):
        jumps[k] = 0
    return 0


cdef int mark_rows(
    const id_t[::1] labels,
    const Py_ssize_t[::1] row_shape,
    const Py_ssize_t[:, ::1] steps,
    Py_ssize_t width,
    bint labeled,
    bint zero_counts,
    Py_ssize_t[::1] jumps,
    uint8_t[::1] out,
) except -1 nogil:
    cdef Py_ssize_t n_rows = labels.shape[0] // width, n = steps.shape[0]
    cdef Py_ssize_t row, p, q, k, first, last, u, v, w, x, work = 0
    cdef id_t here, a, b, c, d
    for row in range(n_rows):
        find_jumps(row, row_shape, steps, width, jumps)
        p = row * width
        out[p] = differs(labels, p, 0, width, jumps, steps, n, labeled)
        q = p + width - 1
        out[q] = differs(labels, q, width - 1, width, jumps, steps, n, labeled)
        if not zero_counts:
            out[p] &= labels[p] != 0
            out[q] &= labels[q] != 0
        first = p + 1
        while first < q:
            last = min(first + CHUNK, q)
            for k in range(0, jumps.shape[0], 4):
                u, v, w, x = jumps[k], jumps[k + 1], jumps[k + 2], jumps[k + 3]
                if labeled:
                    for p in range(first, last):
                        here = labels[p]
                        a = labels[p + u]
                        b = labels[p + v]
                        c = labels[p + w]
                        d = labels[p + x]
                        out[p] = (
                            ((k > 0) & out[p])
                            | ((a != here) & (a != 0))
                            | ((b != here) & (b != 0))
                            | ((c != here) & (c != 0))
                            | ((d != here) & (d != 0))
                        )
                elif k == 0:
                    for p in range(first, last):
                        here = labels[p]
                        out[p] = any_bit[id_t](
                            (here ^ labels[p + u]) | (here ^ labels[p + v])
                            | (here ^ labels[p + w]) | (here ^ labels[p + x])
                        )
                else:
                    for p in range(first, last):
                        here = labels[p]
                        out[p] |= any_bit[id_t](
                            (here ^ labels[p + u]) | (here ^ labels[p + v])
                            | (here ^ labels[p + w]) | (here ^ labels[p + x])
                        )
            if not zero_counts:
                for p in range(first, last):
                    out[p] &= labels[p] != 0
            work += (last - first) * jumps.shape[0]
            first = last
            if work >= POLL_STEPS:
                work = 0
                poll()
        work += 4 * n
    return 0


def mark_differing(
    const id_t[::1] labels,
    const Py_ssize_t[::1] row_shape,
    const Py_ssize_t[:, ::1] steps,
    Py_ssize_t width,
    bint labeled,
    bint zero_counts,
    Py_ssize_t[::1] jumps,
    uint8_t[::1] out,
):
    """Mark the pixels that have a neighbor of another id (that is not 0, if `labeled`).

    Pixels of id 0 are marked only if `zero_counts`.

    Pre: width >= 1 divides the number of pixels; row_shape holds the three
    leading sides (1 for those there are not); steps (n, 4) lead to neighbors,
    along these axes, then along the row; `jumps` has n elements, rounded up to a
    multiple of four.
    Post: out is 0 or 1.
    Cost: O(pixels * n), without a branch on the labels.
    """
    with nogil:
        mark_rows(labels, row_shape, steps, width, labeled, zero_counts, jumps, out)
