"""How often each pair of labels meets, two label images at a time.

Pixels of one region lie side by side, so a pair is looked up once for a run of
equal pairs, not once for a pixel.  Pairs stand in the order in which they were
found; a hash table of places in that list finds them again.  Both grow with the
number of pairs: the cost follows the data, never the largest id.
"""

from libc.stdint cimport int64_t, uint64_t

from .interrupt cimport POLL_STEPS, poll
from .prefetch cimport SEGKIT_PREFETCH
from .types cimport id_t, label_t

cdef enum:
    FIRST     # columns of the pairs
    SECOND
    COUNT
    MANY = 1 << 14    # pairs that no longer stay in the cache: memory is asked for beforehand,
    FAR = 16          # a slot so many pixels ahead of its turn,
    NEAR = 8          # and the pair that it points to so many


cdef inline Py_ssize_t home_of(Py_ssize_t n_slots, int64_t first, int64_t second) noexcept nogil:
    """Return the slot where the search for a pair begins.  Pre: n_slots is a power of two."""
    # Fibonacci hashing: the upper bits of a product depend on all bits of its factors.
    cdef uint64_t mixed = <uint64_t> first * <uint64_t> 0x9E3779B97F4A7C15
    mixed = ((mixed ^ (mixed >> 32)) + <uint64_t> second) * <uint64_t> 0xD6E8FEB86659FD93
    return <Py_ssize_t> ((mixed ^ (mixed >> 32)) & <uint64_t> (n_slots - 1))


cdef inline Py_ssize_t slot_of(
    const label_t[::1] slots, const int64_t[:, ::1] pairs, int64_t first, int64_t second
) noexcept nogil:
    """Return the slot of a pair, or the free one where it would stand.

    Pre: slots hold 1 + the place of a pair, 0 where free; one at least is free.
    """
    cdef Py_ssize_t slot = home_of(slots.shape[0], first, second)
    cdef Py_ssize_t place = <Py_ssize_t> slots[slot] - 1
    while place >= 0 and (pairs[place, FIRST] != first or pairs[place, SECOND] != second):
        slot = (slot + 1) & (slots.shape[0] - 1)
        place = <Py_ssize_t> slots[slot] - 1
    return slot


cdef Py_ssize_t count_all(
    const id_t[::1] first,
    const id_t[::1] second,
    label_t[::1] slots,
    int64_t[:, ::1] pairs,
    int64_t[::1] n_found,
    Py_ssize_t begin,
) except -1 nogil:
    cdef Py_ssize_t start = begin, i, last, slot, size = first.shape[0]
    cdef Py_ssize_t n = <Py_ssize_t> n_found[0], next_poll = begin + POLL_STEPS
    cdef id_t u, v
    while start < size:
        if n >= MANY and start + FAR < size:
            i = start + FAR
            slot = home_of(slots.shape[0], <int64_t> first[i], <int64_t> second[i])
            SEGKIT_PREFETCH(&slots[slot])
            i = start + NEAR
            slot = home_of(slots.shape[0], <int64_t> first[i], <int64_t> second[i])
            if slots[slot] != 0:
                SEGKIT_PREFETCH(&pairs[<Py_ssize_t> slots[slot] - 1, 0])
        u = first[start]
        v = second[start]
        last = min(size, start + POLL_STEPS)
        i = start + 1
        while i < last and first[i] == u and second[i] == v:
            i += 1
        slot = slot_of(slots, pairs, <int64_t> u, <int64_t> v)
        if slots[slot] == 0:
            if n == pairs.shape[0]:
                break
            pairs[n, FIRST] = <int64_t> u
            pairs[n, SECOND] = <int64_t> v
            pairs[n, COUNT] = 0
            n += 1
            slots[slot] = <label_t> n
        pairs[<Py_ssize_t> slots[slot] - 1, COUNT] += i - start
        start = i
        if start >= next_poll:
            next_poll = start + POLL_STEPS
            poll()
    n_found[0] = n
    return start


def count_pairs(
    const id_t[::1] first,
    const id_t[::1] second,
    label_t[::1] slots,
    int64_t[:, ::1] pairs,
    int64_t[::1] n_found,
    Py_ssize_t begin,
):
    """Count the pairs (first[i], second[i]) from pixel `begin` on; return where it stopped.

    Pre: first and second have the same length; pairs (room, 3) holds the two ids
    and the count of n_found[0] pairs; slots are a power of two, more than room,
    and find these pairs (see `find_places`).
    Post: pairs, slots and n_found are up to date to the pixel returned: the last,
    or one with a new pair when there is no room (enlarge both, and go on).
    Cost: O(pixels) expected, one look-up for each run of equal pairs.
    Paper: Knuth (1998), The Art of Computer Programming 3, section 6.4 (open
    addressing, multiplicative hashing).
    """
    cdef Py_ssize_t stopped
    with nogil:
        stopped = count_all(first, second, slots, pairs, n_found, begin)
    return stopped


cdef int place_all(const int64_t[:, ::1] pairs, label_t[::1] slots) except -1 nogil:
    cdef Py_ssize_t i, slot
    for i in range(pairs.shape[0]):
        slot = home_of(slots.shape[0], pairs[i, FIRST], pairs[i, SECOND])
        while slots[slot] != 0:
            slot = (slot + 1) & (slots.shape[0] - 1)
        slots[slot] = <label_t> (i + 1)
        if i & (POLL_STEPS - 1) == POLL_STEPS - 1:
            poll()
    return 0


def find_places(const int64_t[:, ::1] pairs, label_t[::1] slots):
    """Fill an empty hash table with the places of pairs.

    Pre: no pair stands twice; slots are all 0, a power of two, more than pairs.
    Post: slots hold 1 + the place of a pair, or 0.
    Cost: O(pairs) expected.
    """
    with nogil:
        place_all(pairs, slots)
