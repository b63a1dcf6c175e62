"""Ids to 1..n in the order in which they first appear; 0 stays 0.

Pixels of one region lie side by side, so the last id and its number are kept at
hand.  A new id is looked up in a table by id when the largest id is small, and
by hashing otherwise, so that the cost follows the data, not the largest id.
"""

from libc.stdint cimport int64_t, uint64_t

from .interrupt cimport POLL_STEPS, poll
from .types cimport id_t, label_t

cdef Py_ssize_t look_up_all(
    const id_t[::1] ids, label_t[::1] table, label_t[::1] out
) except -1 nogil:
    cdef Py_ssize_t i = 0, last, size = ids.shape[0]
    cdef id_t previous = 0
    cdef label_t n = 0, label = 0
    while i < size:
        last = min(i + POLL_STEPS, size)
        for i in range(i, last):
            if ids[i] != previous:
                previous = ids[i]
                label = table[<Py_ssize_t> previous]
                if label == 0 and previous != 0:
                    n += 1
                    label = n
                    table[<Py_ssize_t> previous] = label
            out[i] = label
        i = last
        poll()
    return n


def renumber_by_table(const id_t[::1] ids, label_t[::1] table, label_t[::1] out):
    """Number ids through a table; return n.

    Pre: ids from 0 to len(table) - 1; table all 0.
    Post: out holds 1..n in the order of first appearance, 0 where the id is 0;
    table maps ids to numbers.
    Cost: O(pixels).
    """
    cdef Py_ssize_t n
    with nogil:
        n = look_up_all(ids, table, out)
    return n


cdef int look_up_groups(
    const label_t[::1] ids, const label_t[::1] group_of, label_t[::1] table, label_t[::1] out
) except -1 nogil:
    cdef Py_ssize_t i = 0, last, size = ids.shape[0]
    cdef label_t previous = 0, group, n = 0, label = 0
    while i < size:
        last = min(i + POLL_STEPS, size)
        for i in range(i, last):
            if ids[i] != previous:
                previous = ids[i]
                group = group_of[previous]
                if group < 0:
                    return 0
                label = table[group]
                if label == 0 and group != 0:
                    n += 1
                    label = n
                    table[group] = label
            out[i] = label
        i = last
        poll()
    return 1


def renumber_groups(
    const label_t[::1] ids, const label_t[::1] group_of, label_t[::1] table, label_t[::1] out
):
    """Number the groups of ids; return whether every id has one.

    Pre: ids from 0 to len(group_of) - 1; groups from 0 to len(table) - 1, or -1 for none;
    group_of[0] = 0; table all 0.
    Post: out holds 1..n in the order of first appearance of groups, 0 where the group is 0;
    undefined if an id has no group.
    Cost: O(pixels).
    """
    cdef int known
    with nogil:
        known = look_up_groups(ids, group_of, table, out)
    return bool(known)


cdef inline Py_ssize_t slot_of(const int64_t[::1] keys, int64_t key) noexcept nogil:
    """Return where `key` stands, or where it would; keys hold 0 where free.

    Pre: key != 0; len(keys) is a power of two and one slot at least is free.
    """
    cdef Py_ssize_t last = keys.shape[0] - 1
    # Fibonacci hashing: the upper bits of the product depend on all bits of the key.
    cdef uint64_t mixed = <uint64_t> key * <uint64_t> 0x9E3779B97F4A7C15
    cdef Py_ssize_t slot = <Py_ssize_t> ((mixed ^ (mixed >> 32)) & <uint64_t> last)
    while keys[slot] != key and keys[slot] != 0:
        slot = (slot + 1) & last
    return slot


cdef Py_ssize_t hash_all(
    const id_t[::1] ids,
    Py_ssize_t begin,
    label_t n,
    int64_t[::1] keys,
    label_t[::1] numbers,
    label_t[::1] out,
) except -1 nogil:
    cdef Py_ssize_t i, slot, size = ids.shape[0], until_poll = POLL_STEPS
    cdef label_t label = 0, full = <label_t> (keys.shape[0] // 2)
    cdef id_t previous = 0
    for i in range(begin, size):
        if ids[i] != previous:
            if ids[i] == 0:
                label = 0
            else:
                slot = slot_of(keys, <int64_t> ids[i])
                if keys[slot] == 0:
                    if n == full:
                        return i
                    n += 1
                    keys[slot] = <int64_t> ids[i]
                    numbers[slot] = n
                label = numbers[slot]
            previous = ids[i]
        out[i] = label
        until_poll -= 1
        if until_poll == 0:
            until_poll = POLL_STEPS
            poll()
    return size


def renumber_by_hash(
    const id_t[::1] ids,
    Py_ssize_t begin,
    Py_ssize_t n,
    int64_t[::1] keys,
    label_t[::1] numbers,
    label_t[::1] out,
):
    """Number ids from pixel `begin` on through a hash table; return where it stopped.

    Pre: keys and numbers have a power of two slots, keys 0 where free, n of them
    taken and at most half.
    Post: done up to the pixel returned: the last, or one with a new id when half
    of the slots are taken (call `rehash` into a larger table and go on).
    Cost: O(pixels) expected.
    Paper: Knuth (1998), The Art of Computer Programming 3, section 6.4 (open
    addressing, multiplicative hashing).
    """
    cdef Py_ssize_t stopped
    with nogil:
        stopped = hash_all(ids, begin, <label_t> n, keys, numbers, out)
    return stopped


def rehash(
    const int64_t[::1] old_keys,
    const label_t[::1] old_numbers,
    int64_t[::1] keys,
    label_t[::1] numbers,
):
    """Move all entries of one table into an empty, larger one.  Cost: O(slots)."""
    cdef Py_ssize_t i, slot
    with nogil:
        for i in range(old_keys.shape[0]):
            if old_keys[i] != 0:
                slot = slot_of(keys, old_keys[i])
                keys[slot] = old_keys[i]
                numbers[slot] = old_numbers[i]
