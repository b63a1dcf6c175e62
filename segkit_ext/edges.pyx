"""Which regions touch, and along how many pixels.

Each row is compared with itself one pixel on, and with each row before it that
holds neighbors, 64 pixels at a time as bits; only where two regions meet is
anything done per pixel.  A pair of regions is looked up in a hash table of
edges.  What a row meets the next row meets again, so the edges of late are kept
at hand in a small table, which stays in the cache when the large one does not.
"""

from libc.stdint cimport int32_t, int64_t, uint64_t

from .bits cimport WORD, differing, lowest_bit
from .interrupt cimport POLL_STEPS, poll
from .types cimport value_t

cdef enum:
    ROW_AXES = 3       # axes that tell rows apart: at most four dimensions
    SEGMENT = 1 << 12  # pixels of a row between two looks at the room for edges
    FREE = -1          # a slot of the table without an edge
    RECENT = 1 << 12   # edges at hand: more than a wide row of small regions meets
    BUCKET = 8         # slots for the edges of a region, before others are taken
    PAIR = 32          # a key is smaller << PAIR | larger number


def segment_pixels():
    """Return how many pixels of a row are done between two looks at the room for edges."""
    return SEGMENT


def n_recent():
    """Return the length that `recent` must have."""
    return RECENT


cdef inline Py_ssize_t slot_of(
    const int32_t[::1] slots, const int64_t[::1] keys, int64_t key
) noexcept nogil:
    """Return the slot of the edge with this key, or the free one where it belongs.

    Regions are mostly numbered as they lie, so the first edges of each stand together,
    next to those of its neighbors.  Others, of which a region may have any number, go
    anywhere, in steps that depend on the key: full stretches of the table do no harm.

    Pre: len(slots) is a power of two, BUCKET at least; half of them are free.
    """
    cdef Py_ssize_t last = slots.shape[0] - 1, i, step
    cdef Py_ssize_t slot = <Py_ssize_t> (key >> PAIR) * BUCKET & last
    cdef uint64_t mixed
    for i in range(slot, slot + BUCKET):
        if slots[i] == FREE or keys[slots[i]] == key:
            return i
    # Fibonacci hashing: the upper bits of the product depend on all bits of the key.
    mixed = <uint64_t> key * <uint64_t> 0x9E3779B97F4A7C15
    slot = <Py_ssize_t> ((mixed ^ (mixed >> 32)) & <uint64_t> last)
    step = <Py_ssize_t> (mixed >> 33) | 1    # odd: every slot is visited
    while slots[slot] != FREE and keys[slots[slot]] != key:
        slot = (slot + step) & last
    return slot


cdef Py_ssize_t collect(
    const int32_t[::1] regions,
    const value_t[::1] strength,
    const Py_ssize_t[::1] shape,
    const Py_ssize_t[:, ::1] steps,
    Py_ssize_t n_straight,
    Py_ssize_t unit,
    bint lowest,
    int32_t[::1] recent,
    int32_t[::1] slots,
    int64_t[::1] keys,
    int64_t[::1] contact,
    int64_t[::1] faces,
    double[::1] total,
    value_t[::1] least,
    Py_ssize_t[::1] n_found,
) except -1 nogil:
    cdef Py_ssize_t width = shape[ROW_AXES], n_steps = steps.shape[0]
    cdef Py_ssize_t n_rows = regions.shape[0] // width
    cdef Py_ssize_t per_row = (width + SEGMENT - 1) // SEGMENT
    cdef Py_ssize_t room = min(keys.shape[0], slots.shape[0] // 2)
    cdef Py_ssize_t n_edges = n_found[0], edge, slot, near
    cdef Py_ssize_t row, rest, axis, k, start, stop, col, end, p, q, n, offset, stride, b
    cdef Py_ssize_t work = 0
    cdef Py_ssize_t[ROW_AXES] place
    cdef uint64_t word
    cdef bint exists, straight, weighed = strength.shape[0] > 0, slanted = faces.shape[0] > 0
    cdef int32_t one, two
    cdef int64_t key
    cdef value_t high, other
    while unit < n_rows * per_row:
        if n_edges + n_steps * min(width, <Py_ssize_t> SEGMENT) > room:
            break
        row = unit // per_row
        start = (unit - row * per_row) * SEGMENT
        stop = min(width, start + SEGMENT)
        rest = row
        for axis in range(ROW_AXES - 1, -1, -1):
            place[axis] = rest % shape[axis]
            rest = rest // shape[axis]
        for k in range(n_steps):
            exists = True
            straight = k < n_straight
            offset = steps[k, ROW_AXES]
            stride = width
            for axis in range(ROW_AXES - 1, -1, -1):
                rest = place[axis] + steps[k, axis]
                exists = exists and 0 <= rest < shape[axis]
                offset += stride * steps[k, axis]
                stride *= shape[axis]
            if not exists:
                continue
            col = max(start, -steps[k, ROW_AXES])
            end = min(stop, width - steps[k, ROW_AXES])
            while col < end:
                n = min(<Py_ssize_t> WORD, end - col)
                p = row * width + col
                q = p + offset
                word = differing(regions, p, q, n)
                while word:
                    b = lowest_bit(word)
                    word &= word - 1
                    work += 1
                    one = regions[p + b]
                    two = regions[q + b]
                    if one == 0 or two == 0:
                        continue
                    key = <int64_t> min(one, two) << PAIR | max(one, two)
                    near = <Py_ssize_t> ((8 * (key >> PAIR) + key) & (RECENT - 1))
                    edge = recent[near]
                    if keys[edge] != key:
                        slot = slot_of(slots, keys, key)
                        edge = slots[slot]
                        if edge == FREE:
                            edge = n_edges
                            n_edges += 1
                            slots[slot] = <int32_t> edge
                            keys[edge] = key
                            if lowest:
                                high = strength[p + b]
                                other = strength[q + b]
                                least[edge] = other if other > high else high
                        recent[near] = <int32_t> edge
                    contact[edge] += 1
                    if slanted:
                        faces[edge] += straight
                    if weighed:
                        high = strength[p + b]
                        other = strength[q + b]
                        if lowest:
                            if other > high:
                                high = other
                            if high < least[edge]:
                                least[edge] = high
                        else:
                            total[edge] += <double> high + <double> other
                col += WORD
            work += (stop - start) >> 4
        unit += 1
        if work >= POLL_STEPS:
            work = 0
            poll()
    n_found[0] = n_edges
    return unit


def find_edges(
    const int32_t[::1] regions,
    const value_t[::1] strength,
    const Py_ssize_t[::1] shape,
    const Py_ssize_t[:, ::1] steps,
    Py_ssize_t n_straight,
    Py_ssize_t unit,
    bint lowest,
    int32_t[::1] recent,
    int32_t[::1] slots,
    int64_t[::1] keys,
    int64_t[::1] contact,
    int64_t[::1] faces,
    double[::1] total,
    value_t[::1] least,
    Py_ssize_t[::1] n_found,
):
    """Count the touching pixels of each pair of regions; return the unit where it stopped.

    A unit is a stretch of `segment_pixels()` of a row.

    Pre: numbers from 0 to n_regions - 1, 0 belongs to no region; shape holds four
    sides (leading ones 1 for axes there are not); steps (k, 4) lead to pixels
    before, the first n_straight of them along one axis; `strength` is empty or
    has a value for each pixel; `recent` has n_recent() places, 0 at first;
    len(slots) is a power of two, 8 at least, and slots without an edge hold -1; contact,
    faces, total and least are as long as keys, or empty where not asked for, and 0 beyond
    n_found[0] edges, as are keys; units before `unit` are done.
    Post: keys (smaller << 32 | larger number), touching pairs of pixels,
    those along an axis, and the sum of `strength` over both pixels of all pairs,
    or with `lowest` the least of the larger of the two.  Edges stand in the order
    in which they were met first.  It stops before its end where keys or slots
    could become too few (call `rehash` with larger ones and go on).
    Cost: O(pixels * steps / 16 + touching pairs) expected.
    """
    cdef Py_ssize_t stopped
    with nogil:
        stopped = collect(
            regions, strength, shape, steps, n_straight, unit, lowest, recent,
            slots, keys, contact, faces, total, least, n_found,
        )
    return stopped


def rehash(const int64_t[::1] keys, Py_ssize_t n_edges, int32_t[::1] slots):
    """Enter the first edges into a table of free slots.  Cost: O(edges) expected."""
    cdef Py_ssize_t edge
    with nogil:
        for edge in range(n_edges):
            slots[slot_of(slots, keys, keys[edge])] = <int32_t> edge
