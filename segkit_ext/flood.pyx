"""Flooding from sources in order of level, first come first served within a level.

The level at which a flood reaches a pixel never falls along its way: it is the
larger of the pixel's own value and the level reached so far.  So no priority
queue is needed.  Pixels are entered once, and the number of pixels on each
level is known: a pixel above the current level goes to the slice of its level
in one array of slots.  A pixel at or below the current level joins the end of
the current slice.  When that is full it goes on at the start of the array: the
slices below are done with, and there are at most as many such pixels as there
are slots up to here.  Slots are read in the order they were written, so the
memory that a pixel needs can be asked for ahead of time.

One word of `state` holds all that is known of a pixel:

    < 0    not reached; -1 - state is its own level doubled, plus 1 if others share it
    QUEUED reached, not yet labelled (mode LINES)
    0      outside the mask, on the border, or on a line
    > 0    its label (mode HEIGHTS: 1 + the level it was reached at)

Paper: Meyer, "Topographic distance and watershed lines", Signal Processing 38,
1994, doi:10.1016/0165-1684(94)90060-4.
"""

from libc.math cimport sqrt
from libc.stdint cimport INT32_MIN, INT64_MIN, int32_t, uint8_t, uint16_t

from .heap cimport Entry, Heap, heap_close, heap_open, heap_pop, heap_push
from .interrupt cimport POLL_STEPS, poll
from .prefetch cimport SEGKIT_PREFETCH
from .types cimport label_t

ctypedef fused small_t:
    uint8_t
    uint16_t

cdef enum:
    AHEAD = 12    # how many pixels before its turn the memory of a pixel is asked for
    LABELS = 0    # modes of the flood, as said there
    LINES = 1
    HEIGHTS = 2
    UNSEEN = -1   # in the flood by heap, where values stand in an array of their own


cdef inline label_t queued_mark(label_t like) noexcept nogil:
    """Return QUEUED: the lowest number of the type, which no level comes near."""
    if label_t is int32_t:
        return INT32_MIN
    else:
        return INT64_MIN


cdef int load_rows(
    const small_t[::1] values, const uint8_t[::1] mask, const Py_ssize_t[::1] row_starts,
    label_t[::1] state, label_t[::1] counts,
) except -1 nogil:
    cdef Py_ssize_t row, col, i = 0, p, n_rows = row_starts.shape[0]
    cdef Py_ssize_t n_cols = values.shape[0] // n_rows if n_rows else 0
    cdef Py_ssize_t since = 0
    cdef bint masked = mask.shape[0] > 0
    for row in range(n_rows):
        p = row_starts[row]
        if masked:
            for col in range(n_cols):
                if mask[i + col]:
                    state[p + col] = -2 - 2 * <label_t> values[i + col]
                    counts[values[i + col]] += 1
        else:
            for col in range(n_cols):
                state[p + col] = -2 - 2 * <label_t> values[i + col]
            for col in range(n_cols):
                counts[values[i + col]] += 1
        i += n_cols
        since += n_cols
        if since >= POLL_STEPS:
            since = 0
            poll()
    return 0


def load(
    const small_t[::1] values, const uint8_t[::1] mask, const Py_ssize_t[::1] row_starts,
    label_t[::1] state, label_t[::1] counts,
):
    """Write the state of unreached pixels into a padded array, and count each value.

    Pre: `state` is all 0; `mask` is empty or as long as `values`; `row_starts`
    as of `_grid.row_starts`; `counts` is zero, one place a value.
    Cost: one pass.
    """
    with nogil:
        load_rows(values, mask, row_starts, state, counts)


cdef int plant_rows(
    const label_t[::1] markers, const Py_ssize_t[::1] row_starts,
    label_t[::1] state, label_t[::1] slots, label_t[::1] free,
) except -1 nogil:
    cdef Py_ssize_t row, col, i = 0, p, n_rows = row_starts.shape[0]
    cdef Py_ssize_t n_cols = markers.shape[0] // n_rows if n_rows else 0
    cdef Py_ssize_t since = 0
    cdef label_t level
    for row in range(n_rows):
        for col in range(n_cols):
            if markers[i + col] > 0:
                p = row_starts[row] + col
                if state[p] < 0:
                    level = (-1 - state[p]) >> 1
                    slots[free[level]] = <label_t> p
                    free[level] += 1
                    state[p] = markers[i + col]
        i += n_cols
        since += n_cols
        if since >= POLL_STEPS:
            since = 0
            poll()
    return 0


def plant(
    const label_t[::1] markers, const Py_ssize_t[::1] row_starts,
    label_t[::1] state, label_t[::1] slots, label_t[::1] free,
):
    """Label the marker pixels and enter each on its own level, in raster order.

    Pre: `markers` is not padded; `free[level]` is the first slot of the level.
    Post: markers outside the mask are dropped.
    Cost: one pass.
    """
    with nogil:
        plant_rows(markers, row_starts, state, slots, free)


cdef inline label_t only_label(
    label_t[::1] state, Py_ssize_t p, const Py_ssize_t[::1] offsets,
) noexcept nogil:
    """Return the label that the neighbors of `p` share, 0 if they have two."""
    cdef Py_ssize_t k
    cdef label_t label = 0, other
    for k in range(offsets.shape[0]):
        other = state[p + offsets[k]]
        if other > 0:
            if label == 0:
                label = other
            elif other != label:
                return 0
    return label


cdef int flood_levels(
    label_t[::1] state, label_t[::1] slots, const label_t[::1] first, label_t[::1] free,
    const Py_ssize_t[::1] offsets, const Py_ssize_t[::1] rows_ahead,
    Py_ssize_t last, int mode, bint ranked,
) except -1 nogil:
    cdef Py_ssize_t level, own, i, end, here, p, q, k, place, waiting, since = 0
    cdef Py_ssize_t n_offsets = offsets.shape[0], n_ahead = rows_ahead.shape[0]
    cdef Py_ssize_t n_slots = slots.shape[0]
    cdef label_t mark, seen, queued = queued_mark[label_t](0)
    cdef label_t* base = &state[0]
    for level in range(last + 1):
        i = first[level]
        end = first[level + 1]
        here = free[level]
        waiting = here - i
        if waiting == 0:
            if not ranked or end - i != 1:
                continue
            # A pixel alone on its level stands in its slot from the start.
            seen = state[slots[i]]
            if seen < 0 and seen != queued:
                continue
            waiting = 1
            here = end
        if here == end:
            here = 0
        while waiting > 0:
            p = slots[i]
            i += 1
            if i == end:
                i = 0
            waiting -= 1
            if i + AHEAD < n_slots:
                place = slots[i + AHEAD]
                for k in range(n_ahead):
                    SEGKIT_PREFETCH(base + place + rows_ahead[k])
            mark = state[p]
            if mark < 0:
                mark = <label_t> (level + 1) if mode == HEIGHTS else only_label(state, p, offsets)
                state[p] = mark
                if mark == 0:
                    continue
            if mode == LINES:
                mark = queued
            for k in range(n_offsets):
                q = p + offsets[k]
                seen = state[q]
                if seen >= 0 or seen == queued:
                    continue
                own = -1 - <Py_ssize_t> seen
                if own > 2 * level + 1:
                    if own > 2 * last + 1:
                        continue
                    if own & 1:
                        own >>= 1
                        place = free[own]
                        slots[place] = <label_t> q
                        free[own] = <label_t> (place + 1)
                        state[q] = <label_t> (own + 1) if mode == HEIGHTS else mark
                    else:
                        state[q] = mark
                else:
                    slots[here] = <label_t> q
                    here += 1
                    if here == end:
                        here = 0
                    waiting += 1
                    state[q] = <label_t> (level + 1) if mode == HEIGHTS else mark
            since += 1
            if since == POLL_STEPS:
                since = 0
                poll()
    return 0


def flood(
    label_t[::1] state, label_t[::1] slots, const label_t[::1] first, label_t[::1] free,
    const Py_ssize_t[::1] offsets, const Py_ssize_t[::1] rows_ahead,
    Py_ssize_t last, int mode, bint ranked,
):
    """Flood `state` from the pixels entered in the slots, up to the level `last`.

    `mode` 0 gives every pixel the label it is reached with.  1 decides when
    the pixel's turn comes, and makes it 0 if it then touches two labels.  2
    gives it 1 + the level it is reached at: the pixels entered are then points
    of a surface above the relief, each on the level of the surface, and the
    flood is a reconstruction by erosion (Vincent, "Morphological grayscale
    reconstruction in image analysis", 1993, doi:10.1109/83.217222).

    Pre: `first[level]` to `first[level + 1]` are the slots of a level, as many
    as it has pixels (mode 2: pixels and sources); `free[level]` lies behind the
    slots in use.  If `ranked`, a pixel alone on its level is in its slot, in
    use or not; otherwise every level counts as shared.
    Post: as said for pixels reached at a level <= last.
    Cost: O(pixels x neighbors + levels); each pixel is entered once.
    """
    with nogil:
        flood_levels(state, slots, first, free, offsets, rows_ahead, last, mode, ranked)


cdef inline double distance(
    Py_ssize_t p, Py_ssize_t q, const Py_ssize_t[::1] strides,
) noexcept nogil:
    """Return the Euclidean distance between two positions in a padded array."""
    cdef Py_ssize_t k, step
    cdef double total = 0
    for k in range(strides.shape[0]):
        step = p // strides[k] - q // strides[k]
        p %= strides[k]
        q %= strides[k]
        total += <double> (step * step)
    return sqrt(total)


cdef int flood_heap(
    const double[::1] relief, label_t[::1] state, const Py_ssize_t[::1] sources,
    const Py_ssize_t[::1] offsets, const Py_ssize_t[::1] strides,
    double compactness, double last, bint lines, Heap* heap,
) except -1 nogil:
    cdef Py_ssize_t i, k, p, q, since = 0
    cdef Entry entry
    cdef double key
    cdef label_t label
    for i in range(sources.shape[0]):
        heap_push(heap, relief[sources[i]], sources[i], sources[i])
    while heap.length > 0:
        entry = heap_pop(heap)
        if entry.key > last:
            break
        p = entry.item
        if p != entry.source:
            if state[p] != UNSEEN:    # entered more than once, taken the first time
                continue
            label = state[entry.source]
            if lines and only_label(state, p, offsets) == 0:
                state[p] = 0
                continue
            state[p] = label
        for k in range(offsets.shape[0]):
            q = p + offsets[k]
            if state[q] == UNSEEN:
                key = relief[q] + compactness * distance(q, entry.source, strides)
                heap_push(heap, key if key > entry.key else entry.key, q, entry.source)
        since += 1
        if since == POLL_STEPS // 16:
            since = 0
            poll()
    return 0


def flood_compact(
    const double[::1] relief, label_t[::1] state, const Py_ssize_t[::1] sources,
    const Py_ssize_t[::1] offsets, const Py_ssize_t[::1] strides,
    double compactness, double last, bint lines,
):
    """Flood with a price on the distance to the marker pixel that the water comes from.

    Pre: `state` is UNSEEN inside, the label on markers, 0 outside; `sources`
    are the marker pixels in raster order; `strides` of the padded array.
    Post: as `flood`.
    Cost: O(n log n) for n = pixels x neighbors: the same pixel can be entered
    from several sides at different prices, and the cheapest is taken.
    Paper: Neubert and Protzel, "Compact Watershed and Preemptive SLIC", ICPR
    2014, doi:10.1109/ICPR.2014.181.
    """
    cdef Heap heap
    heap_open(&heap)
    try:
        with nogil:
            flood_heap(
                relief, state, sources, offsets, strides, compactness, last, lines, &heap,
            )
    finally:
        heap_close(&heap)
