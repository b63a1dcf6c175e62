"""Points brought together: into the cells of a grid, and equal colors into one.

Where clusters are sought, many points lie deep inside one of them, together with
their surroundings.  Sorted into cells, with the box and the sums of each cell at hand,
they can be dealt with together.
"""

from libc.stdint cimport int32_t, uint8_t

from .interrupt cimport POLL_STEPS, poll
from .samples cimport sample_t
from .types cimport label_t

cdef enum:
    LOW = 0             # rows of a box
    HIGH = 1
    BITS = 3            # of each channel that tell the colors of a page apart
    PAGE = 1 << 9       # colors on a page
    PAGES = 1 << 15
    NO_PAGE = -1


def page_sizes():
    """Return how many pages of colors there are, and how many colors on a page."""
    return PAGES, PAGE


cdef inline Py_ssize_t cell_of(
    const sample_t[:, ::1] points,
    Py_ssize_t p,
    const Py_ssize_t[::1] axes,
    const double[::1] low,
    const double[::1] scale,
    const Py_ssize_t[::1] sides,
) noexcept nogil:
    """Return the cell of a point; what lies beyond the grid belongs to its rim."""
    cdef Py_ssize_t a, cell = 0, place
    cdef double x
    for a in range(axes.shape[0]):
        x = (<double> points[p, axes[a]] - low[a]) * scale[a]
        place = 0
        if x >= <double> sides[a]:
            place = sides[a] - 1
        elif x > 0.0:
            place = <Py_ssize_t> x
        cell = cell * sides[a] + place
    return cell


cdef int count_all(
    const sample_t[:, ::1] points,
    const Py_ssize_t[::1] axes,
    const double[::1] low,
    const double[::1] scale,
    const Py_ssize_t[::1] sides,
    Py_ssize_t[::1] counts,
) except -1 nogil:
    cdef Py_ssize_t p = 0, last
    while p < points.shape[0]:
        last = min(points.shape[0], p + POLL_STEPS)
        for p in range(p, last):
            counts[cell_of(points, p, axes, low, scale, sides)] += 1
        p = last
        poll()
    return 0


def count_cells(
    const sample_t[:, ::1] points,
    const Py_ssize_t[::1] axes,
    const double[::1] low,
    const double[::1] scale,
    const Py_ssize_t[::1] sides,
    Py_ssize_t[::1] counts,
):
    """Count the points in each cell of a grid.

    Pre: finite points (n, n_axes); axes: those that are divided, into sides[a] parts of
    length 1 / scale[a] from low[a] on; counts: one for each cell, 0.
    Cost: O(points * axes).
    """
    with nogil:
        count_all(points, axes, low, scale, sides, counts)


cdef int sort_all(
    const sample_t[:, ::1] points,
    const double[::1] weights,
    const Py_ssize_t[::1] axes,
    const double[::1] low,
    const double[::1] scale,
    const Py_ssize_t[::1] sides,
    Py_ssize_t[::1] free,
    sample_t[:, ::1] sorted_points,
    double[::1] sorted_weights,
) except -1 nogil:
    cdef Py_ssize_t p = 0, last, cell, at, c
    cdef bint weighted = weights.shape[0] > 0
    while p < points.shape[0]:
        last = min(points.shape[0], p + POLL_STEPS)
        for p in range(p, last):
            cell = cell_of(points, p, axes, low, scale, sides)
            at = free[cell]
            free[cell] += 1
            for c in range(points.shape[1]):
                sorted_points[at, c] = points[p, c]
            if weighted:
                sorted_weights[at] = weights[p]
        p = last
        poll()
    return 0


def sort_cells(
    const sample_t[:, ::1] points,
    const double[::1] weights,
    const Py_ssize_t[::1] axes,
    const double[::1] low,
    const double[::1] scale,
    const Py_ssize_t[::1] sides,
    Py_ssize_t[::1] free,
    sample_t[:, ::1] sorted_points,
    double[::1] sorted_weights,
):
    """Write the points cell after cell, within a cell in the order in which they come.

    Pre: as for `count_cells`; weights (n,) or none; free: where each cell begins.
    Post: free: where each cell ends.
    Cost: O(points * n_axes).
    """
    with nogil:
        sort_all(
            points, weights, axes, low, scale, sides, free, sorted_points, sorted_weights
        )


cdef int sum_all(
    const sample_t[:, ::1] points,
    const double[::1] weights,
    const Py_ssize_t[::1] starts,
    double[:, :, ::1] boxes,
    double[:, ::1] totals,
) except -1 nogil:
    cdef Py_ssize_t cell, c, p, begin, end, n_axes = points.shape[1], work = 0
    cdef bint weighted = weights.shape[0] > 0
    cdef sample_t x, low, high
    cdef double w = 1.0, d, mean, total
    for cell in range(starts.shape[0] - 1):
        begin = starts[cell]
        end = starts[cell + 1]
        if begin == end:
            continue
        total = <double> (end - begin)
        if weighted:
            total = 0.0
            for p in range(begin, end):
                total += weights[p]
        totals[cell, n_axes] = total
        totals[cell, n_axes + 1] = 0.0
        for c in range(n_axes):
            low = high = points[begin, c]
            total = 0.0
            for p in range(begin, end):
                x = points[p, c]
                low = x if x < low else low
                high = x if x > high else high
                if weighted:
                    w = weights[p]
                total += w * <double> x
            boxes[cell, LOW, c] = <double> low
            boxes[cell, HIGH, c] = <double> high
            totals[cell, c] = total
            mean = total / totals[cell, n_axes]
            total = 0.0
            for p in range(begin, end):
                if weighted:
                    w = weights[p]
                d = <double> points[p, c] - mean
                total += w * d * d
            totals[cell, n_axes + 1] += total
        work += 2 * (end - begin) * n_axes
        if work >= POLL_STEPS:
            work = 0
            poll()
    return 0


def sum_cells(
    const sample_t[:, ::1] points,
    const double[::1] weights,
    const Py_ssize_t[::1] starts,
    double[:, :, ::1] boxes,
    double[:, ::1] totals,
):
    """Measure each cell: its box, its sums, and its squares about its mean.

    Pre: points of cell i from starts[i] to starts[i + 1] - 1; weights (n,) or none.
    Post: boxes (cells, 2, n_axes) the lowest and the highest coordinates; totals
    (cells, n_axes + 2) the sums of the weighted coordinates, the weight, and the weighted
    sum of squared distances from the mean.  Empty cells are left as they are.
    Cost: O(points * n_axes).
    """
    with nogil:
        sum_all(points, weights, starts, boxes, totals)


cdef Py_ssize_t count_all_colors(
    const uint8_t[:, ::1] points, int32_t[::1] page_of, label_t[:, ::1] counts
) except -1 nogil:
    cdef Py_ssize_t p = 0, last, page, color
    cdef int32_t n_pages = 0, slot
    while p < points.shape[0]:
        last = min(points.shape[0], p + POLL_STEPS)
        for p in range(p, last):
            page = points[p, 0] >> BITS
            page = page << 5 | points[p, 1] >> BITS
            page = page << 5 | points[p, 2] >> BITS
            slot = page_of[page]
            if slot == NO_PAGE:
                if n_pages == counts.shape[0]:
                    return p
                slot = page_of[page] = n_pages
                n_pages += 1
            color = points[p, 0] & 7
            color = color << BITS | points[p, 1] & 7
            color = color << BITS | points[p, 2] & 7
            counts[slot, color] += 1
        p = last
        poll()
    return p


def count_colors(
    const uint8_t[:, ::1] points, int32_t[::1] page_of, label_t[:, ::1] counts
):
    """Count how often each color comes; return how many points were counted.

    Colors that differ only in the three lowest bits of each channel are on one page; a
    picture has few pages, and neighbors are mostly on the same.

    Pre: points (n, 3); page_of: page_sizes()[0] times -1; counts: rows of page_sizes()[1]
    zeros, as many as there may be pages.
    Post: row page_of[page] of counts has the colors of a page; fewer points than n are
    counted if the rows did not suffice.
    Cost: O(points).
    """
    cdef Py_ssize_t n
    with nogil:
        n = count_all_colors(points, page_of, counts)
    return n


cdef int list_all_colors(
    const int32_t[::1] page_of,
    const label_t[:, ::1] counts,
    uint8_t[:, ::1] points,
    double[::1] weights,
    Py_ssize_t[::1] starts,
) except -1 nogil:
    cdef Py_ssize_t page, color, n = 0, n_pages = 0
    cdef int32_t slot
    for page in range(PAGES):
        slot = page_of[page]
        if slot == NO_PAGE:
            continue
        starts[n_pages] = n
        n_pages += 1
        for color in range(PAGE):
            if counts[slot, color] == 0:
                continue
            points[n, 0] = <uint8_t> ((page >> 10) << BITS | color >> 6)
            points[n, 1] = <uint8_t> ((page >> 5 & 31) << BITS | color >> BITS & 7)
            points[n, 2] = <uint8_t> ((page & 31) << BITS | color & 7)
            weights[n] = <double> counts[slot, color]
            n += 1
        if n_pages * PAGE % POLL_STEPS == 0:
            poll()
    starts[n_pages] = n
    return 0


def list_colors(
    const int32_t[::1] page_of,
    const label_t[:, ::1] counts,
    uint8_t[:, ::1] points,
    double[::1] weights,
    Py_ssize_t[::1] starts,
):
    """Write the colors that come, page after page, and how often: a page is a cell.

    Pre: page_of and counts as `count_colors` leaves them, with all points counted; points
    (m, 3) and weights (m,) for m different colors; starts one longer than there are pages.
    Cost: O(pages).
    """
    with nogil:
        list_all_colors(page_of, counts, points, weights, starts)
