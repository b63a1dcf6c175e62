"""Sorting pixels by value, and the level of each among the distinct values.

A flood needs no heap when the order of all pixels is known beforehand.  Radix
sorting gives that order in a few passes over memory, whatever the type, once
values are turned into unsigned keys of the same order.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from .interrupt cimport POLL_STEPS, poll
from .prefetch cimport SEGKIT_PREFETCH
from .types cimport label_t

ctypedef fused key_t:
    uint32_t
    uint64_t

cdef enum:
    DIGIT = 11
    BINS = 1 << DIGIT
    AHEAD = 24      # how many pairs before its turn the memory of a pixel is asked for


cdef inline key_t ordered(key_t bits, key_t sign, bint is_float) noexcept nogil:
    """Return the key of a value's bits: larger for larger values, as unsigned numbers."""
    if is_float:
        if bits == sign:
            return sign     # -0.0 is 0.0
        if bits & sign:
            return ~bits    # below 0 the bits grow downwards
    return bits ^ sign


cdef Py_ssize_t load_rows(
    const key_t[::1] bits, bint is_float, const uint8_t[::1] mask,
    const Py_ssize_t[::1] row_starts, key_t[::1] keys, label_t[::1] items,
) except -1 nogil:
    cdef Py_ssize_t row, col, i = 0, p, n = 0, since = 0, n_rows = row_starts.shape[0]
    cdef Py_ssize_t n_cols = bits.shape[0] // n_rows if n_rows else 0
    cdef key_t sign = <key_t> 1 << (8 * sizeof(key_t) - 1)
    cdef bint masked = mask.shape[0] > 0
    for row in range(n_rows):
        p = row_starts[row]
        if masked:
            for col in range(n_cols):
                if mask[i + col]:
                    keys[n] = ordered(bits[i + col], sign, is_float)
                    items[n] = <label_t> (p + col)
                    n += 1
        else:
            for col in range(n_cols):
                keys[n + col] = ordered(bits[i + col], sign, is_float)
            for col in range(n_cols):
                items[n + col] = <label_t> (p + col)
            n += n_cols
        i += n_cols
        since += n_cols
        if since >= POLL_STEPS:
            since = 0
            poll()
    return n


def load_keys(
    const key_t[::1] bits, bint is_float, const uint8_t[::1] mask,
    const Py_ssize_t[::1] row_starts, key_t[::1] keys, label_t[::1] items,
):
    """Write the sorting key and the padded position of each pixel inside the mask.

    Pre: `bits` are values of a signed or a floating type, seen as unsigned;
    `mask` is empty or as long; no NaN inside; `keys` and `items` are long enough.
    Post: returns how many pairs were written.
    Cost: one pass.
    """
    cdef Py_ssize_t n
    with nogil:
        n = load_rows(bits, is_float, mask, row_starts, keys, items)
    return n


cdef int scatter(
    const key_t[::1] keys, const label_t[::1] items,
    key_t[::1] keys_out, label_t[::1] items_out,
    int64_t[::1] start, int shift,
) except -1 nogil:
    """Move every pair to the next place of its digit's bin; bins keep their order."""
    cdef Py_ssize_t i, place, stop, size = keys.shape[0]
    cdef Py_ssize_t digit
    cdef key_t key
    i = 0
    while i < size:
        stop = min(size, i + POLL_STEPS * 4)
        while i < stop:
            key = keys[i]
            digit = <Py_ssize_t> ((key >> shift) & (BINS - 1))
            place = start[digit]
            start[digit] = place + 1
            keys_out[place] = key
            items_out[place] = items[i]
            i += 1
        poll()
    return 0


cdef int count_digits(const key_t[::1] keys, int64_t[:, ::1] counts) except -1 nogil:
    """Count the digits of every pass in one reading."""
    cdef Py_ssize_t i, stop, size = keys.shape[0]
    cdef Py_ssize_t n_passes = counts.shape[0], k
    cdef key_t key
    i = 0
    while i < size:
        stop = min(size, i + POLL_STEPS * 4)
        while i < stop:
            key = keys[i]
            for k in range(n_passes):
                counts[k, <Py_ssize_t> (key & (BINS - 1))] += 1
                key >>= DIGIT
            i += 1
        poll()
    return 0


cdef int sort_passes(
    key_t[::1] keys, label_t[::1] items, key_t[::1] spare_keys, label_t[::1] spare_items,
    int64_t[:, ::1] counts,
) except -1 nogil:
    """Return how many passes moved the pairs; a digit that all keys share needs none."""
    cdef Py_ssize_t k, b, total, before, n_passes = counts.shape[0]
    cdef Py_ssize_t size = keys.shape[0]
    cdef int moved = 0
    cdef bint shared
    count_digits(keys, counts)
    for k in range(n_passes):
        total = 0
        shared = False
        for b in range(BINS):
            before = total
            total += counts[k, b]
            if counts[k, b] == size:
                shared = True
            counts[k, b] = before
        if shared:
            continue
        if moved % 2 == 0:
            scatter(keys, items, spare_keys, spare_items, counts[k], <int> (k * DIGIT))
        else:
            scatter(spare_keys, spare_items, keys, items, counts[k], <int> (k * DIGIT))
        moved += 1
    return moved


def radix_sort(
    key_t[::1] keys, label_t[::1] items, key_t[::1] spare_keys, label_t[::1] spare_items,
    int64_t[:, ::1] counts,
):
    """Sort `items` by `keys`, equal keys keeping their order.

    Pre: four arrays of one length; `counts` is zero, (passes, 2048), with
    passes = ceil(bits of a key / 11).
    Post: the sorted pairs are in the first two arrays if the returned number
    of moves is even, else in the spare ones.
    Cost: at most `passes` sequential readings and scattered writings.
    Paper: Knuth, The Art of Computer Programming 3, section 5.2.5.
    """
    cdef int moved
    with nogil:
        moved = sort_passes(keys, items, spare_keys, spare_items, counts)
    return moved


cdef int sort_pairs(
    const Py_ssize_t[::1] u, const Py_ssize_t[::1] v,
    Py_ssize_t[::1] start, Py_ssize_t[::1] spare, Py_ssize_t[::1] order,
) except -1 nogil:
    cdef Py_ssize_t i, e, k, stop, pass_, n = u.shape[0], before, total
    for pass_ in range(2):
        start[:] = 0
        i = 0
        while i < n:
            stop = min(n, i + POLL_STEPS * 4)
            for i in range(i, stop):
                k = u[i] if pass_ else v[i]
                start[k] += 1
            i = stop
            poll()
        total = 0
        for k in range(start.shape[0]):
            before = total
            total += start[k]
            start[k] = before
        i = 0
        while i < n:
            stop = min(n, i + POLL_STEPS * 4)
            for i in range(i, stop):
                if pass_:
                    e = spare[i]
                    k = u[e]
                    order[start[k]] = e
                else:
                    k = v[i]
                    spare[start[k]] = i
                start[k] += 1
            i = stop
            poll()
    return 0


def order_pairs(
    const Py_ssize_t[::1] u, const Py_ssize_t[::1] v,
    Py_ssize_t[::1] start, Py_ssize_t[::1] spare, Py_ssize_t[::1] order,
):
    """Find the order of pairs by u, then by v, equal ones as they stand.

    Pre: numbers from 0 to len(start) - 1; `spare` and `order` as long as u and v.
    Post: positions of the pairs, in `order`.
    Cost: O(pairs + numbers), twice a scattered writing; what lies near is near in memory
    if pairs stand about in order already.
    Paper: Knuth, The Art of Computer Programming 3, section 5.2.5.
    """
    with nogil:
        sort_pairs(u, v, start, spare, order)


cdef Py_ssize_t rank_groups(
    const key_t[::1] keys, const label_t[::1] items, label_t[::1] state, label_t[::1] first,
) except -1 nogil:
    cdef Py_ssize_t i, stop, size = keys.shape[0]
    cdef label_t level = -1, shared
    cdef key_t last = 0
    cdef label_t* base = &state[0]
    i = 0
    while i < size:
        stop = min(size, i + POLL_STEPS)
        while i < stop:
            shared = 1
            if i == 0 or keys[i] != last:
                last = keys[i]
                level += 1
                first[level] = <label_t> i
                shared = i + 1 < size and keys[i + 1] == last
            if i + AHEAD < size:
                SEGKIT_PREFETCH(base + items[i + AHEAD])
            state[items[i]] = -1 - (2 * level + shared)
            i += 1
        poll()
    first[level + 1] = <label_t> size
    return level + 1


def rank(
    const key_t[::1] keys, const label_t[::1] items, label_t[::1] state, label_t[::1] first,
):
    """Write the level of each item into `state` as `flood.pyx` wants it.

    The level counts distinct keys; a bit says whether others share it.

    Pre: sorted pairs; `first` has one place more than there are pairs.
    Post: `first[level]` is the number of pairs below the level; one entry more
    holds the number of all pairs.  Returns the number of levels.
    Cost: one pass with scattered writes.
    """
    cdef Py_ssize_t n_levels
    with nogil:
        n_levels = rank_groups(keys, items, state, first)
    return n_levels
