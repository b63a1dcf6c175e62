"""Connected components from the bits that `links` wrote.

A run is a stretch of linked pixels of one row.  Runs are counted by the bits at
their starts, so a pixel's run is a count of bits.  Two runs are united once, at
the first pixel where they meet.  The smallest run is the root of its set, so
one pass in raster order numbers the sets by their first pixels.

The table of runs lies in the output itself: run k starts at a pixel >= k, so
labels can be spread from the last pixel back to the first without overwriting
an entry that is still needed.
"""

from libc.stdint cimport uint8_t, uint64_t

from .bits cimport WORD, count_bits, lowest_bit
from .interrupt cimport POLL_STEPS, poll
from .types cimport label_t
from .union_find cimport unite

cdef enum:
    BURST = 8    # pixels written at once; what is too many is overwritten
    DENSE = 16   # turns in a word from which on each pixel is written by itself


def spare_pixels():
    """Return the length that `scratch` must have."""
    return WORD + BURST


cdef int unite_block(
    const uint64_t[::1] start,
    const uint64_t[::1] links,
    Py_ssize_t first_row,
    Py_ssize_t last_row,
    Py_ssize_t n_words,
    const Py_ssize_t[:, ::1] steps,
    const uint8_t[:, ::1] implied,
    label_t n_runs,
    label_t[::1] runs_before,
    label_t[::1] parent,
) except -1 nogil:
    cdef Py_ssize_t n_links = steps.shape[0], row, link, shift, w, at, above, here, straight, b
    cdef Py_ssize_t block, other, work = 0
    cdef uint64_t word, first, mine, others, before, straight_before, old_start
    cdef label_t run, u, v
    for row in range(first_row, last_row):
        at = row * n_words
        run = n_runs
        for w in range(at, at + n_words):
            runs_before[w] = run
            run += count_bits(start[w])
        for u in range(n_runs, run):
            parent[u] = u
        work += n_words * (n_links + 1) + run - n_runs
        n_runs = run
        block = (row - first_row) * n_links * n_words
        for link in range(n_links):
            if steps[link, 0] > row:
                continue    # no such row, and no links
            above = (row - steps[link, 0]) * n_words
            shift = steps[link, 1]
            here = block + link * n_words
            straight = block + steps[link, 2] * n_words
            before = straight_before = old_start = 0
            for w in range(n_words):
                word = links[here + w]
                if word == 0:
                    before = 0
                    straight_before = links[straight + w] >> (WORD - 1)
                    old_start = start[above + w] >> (WORD - 1)
                    continue
                mine = start[at + w]
                others = start[above + w]
                if shift == 0:
                    first = word & ~(((word << 1) | before) & ~mine & ~others)
                elif shift < 0:
                    first = word & ~(
                        ((word << 1) | before) & ~mine & ~((others << 1) | old_start)
                    )
                    # The straight link at this pixel, or at the one before, does the same.
                    first &= ~(links[straight + w] & ~others)
                    first &= ~(((links[straight + w] << 1) | straight_before) & ~mine)
                    straight_before = links[straight + w] >> (WORD - 1)
                    old_start = others >> (WORD - 1)
                else:
                    others >>= 1
                    if w + 1 < n_words:
                        others |= start[above + w + 1] << (WORD - 1)
                    first = word & ~(((word << 1) | before) & ~mine & ~others)
                    first &= ~(links[straight + w] & ~others)
                    first &= ~((links[straight + w] >> 1) & ~(mine >> 1))
                before = word >> (WORD - 1)
                if first:
                    for other in range(link):
                        if implied[link, other]:
                            first &= ~links[block + other * n_words + w]
                while first:
                    b = lowest_bit(first)
                    first &= first - 1
                    u = runs_before[at + w] - 1 + count_bits(mine & (<uint64_t> -1 >> (63 - b)))
                    word = <uint64_t> -1 >> (63 - b)
                    if shift == 0:
                        v = count_bits(others & word)
                    elif shift < 0:
                        v = count_bits(others & (word >> 1))
                    else:
                        # `others` was moved down by one: its lowest bit is missing.
                        v = count_bits(others & word) + <label_t> (start[above + w] & 1)
                    unite(parent, runs_before[above + w] - 1 + v, u)
                    work += 1
        if work >= POLL_STEPS:
            work = 0
            poll()
    return 0


def unite_runs(
    const uint64_t[::1] start,
    const uint64_t[::1] links,
    Py_ssize_t first_row,
    Py_ssize_t last_row,
    Py_ssize_t n_words,
    const Py_ssize_t[:, ::1] steps,
    const uint8_t[:, ::1] implied,
    Py_ssize_t n_runs,
    label_t[::1] runs_before,
    label_t[::1] parent,
):
    """Number the runs of the rows first_row to last_row - 1 and unite those that are linked.

    Return the number of runs up to last_row.

    Pre: bits as `links.find_links` wrote them, earlier rows done, with n_runs
    runs; steps (n_links, 3) hold how many rows back, the shift, and which link
    goes to the same row without a shift (an earlier one); implied[link, other],
    other < link, says that a pixel with both links needs only the other, because
    the two neighbors are linked with each other.
    Post: runs_before[word] counts the runs that start before that word;
    parent[0:runs] is a forest, roots being smallest.
    Cost: O(words * n_links + unions), near O(1) each.
    Paper: He, Chao, Suzuki (2008), A run-based two-scan labeling algorithm,
    doi:10.1109/TIP.2008.919369 (runs and their equivalences).
    """
    with nogil:
        unite_block(
            start, links, first_row, last_row, n_words, steps, implied, <label_t> n_runs,
            runs_before, parent,
        )
    return runs_before[last_row * n_words - 1] + count_bits(start[last_row * n_words - 1])


cdef Py_ssize_t number_sets(label_t[::1] parent, Py_ssize_t n_runs) except -1 nogil:
    cdef Py_ssize_t u = 0, last
    cdef label_t n = 0, above, number, is_root
    while u < n_runs:
        last = min(u + POLL_STEPS, n_runs)
        for u in range(u, last):
            # The parent comes earlier, so its slot holds its number by now.  Roots and
            # others alternate at random: a choice by a mask, as a branch would be missed.
            above = parent[u]
            number = parent[above]
            is_root = above == u
            n += is_root
            parent[u] = number ^ ((number ^ n) & -is_root)
        u = last
        poll()
    return n


cdef int spread(
    const uint64_t[::1] inside,
    const uint64_t[::1] start,
    const label_t[::1] runs_before,
    Py_ssize_t width,
    label_t[::1] scratch,
    label_t[::1] out,
) except -1 nogil:
    cdef Py_ssize_t n_words = (width + WORD - 1) // WORD, n_rows = inside.shape[0] // n_words
    cdef Py_ssize_t row, w, at, p, n, b, end, i, run, is_inside, work = 0
    cdef uint64_t here, begins, turns
    cdef label_t label
    for row in range(n_rows - 1, -1, -1):
        for w in range(n_words - 1, -1, -1):
            at = row * n_words + w
            p = row * width + w * WORD
            n = min(<Py_ssize_t> WORD, width - w * WORD)
            here = inside[at]
            begins = start[at]
            run = runs_before[at] - 1
            # A pixel of one value more: a run starts, or background does.
            turns = begins | (~here & (here << 1))
            if turns & ~<uint64_t> 1 == 0:
                run += begins & 1
                label = out[run] if here & 1 else 0
                for i in range(n):
                    out[p + i] = label
                continue
            turns |= 1
            if count_bits(turns) > DENSE:
                for i in range(n):
                    run += (begins >> i) & 1
                    is_inside = (here >> i) & 1
                    scratch[i] = out[run & -is_inside] & -<label_t> is_inside
                turns = 0
            while turns:
                b = lowest_bit(turns)
                turns &= turns - 1
                end = lowest_bit(turns) if turns else n
                run += (begins >> b) & 1
                label = out[run] if (here >> b) & 1 else 0
                while True:
                    for i in range(BURST):
                        scratch[b + i] = label
                    b += BURST
                    if b >= end:
                        break
            for i in range(n):
                out[p + i] = scratch[i]
        work += width + WORD
        if work >= POLL_STEPS:
            work = 0
            poll()
    return 0


def label_runs(
    const uint64_t[::1] inside,
    const uint64_t[::1] start,
    const label_t[::1] runs_before,
    Py_ssize_t n_runs,
    Py_ssize_t width,
    label_t[::1] scratch,
    label_t[::1] out,
):
    """Number the sets of runs 1..n and write each pixel's number; return n.

    Pre: out[0:n_runs] holds the parents that `unite_runs` wrote; `scratch` has
    `spare_pixels()` elements.
    Post: out has one label per pixel, 0 where not inside.
    Cost: O(pixels); no memory.
    """
    cdef Py_ssize_t n
    with nogil:
        n = number_sets(out, n_runs)
        spread(inside, start, runs_before, width, scratch, out)
    return n
