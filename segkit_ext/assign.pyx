"""Points to their nearest centers, and the sums that the next centers are made of.

Points come in groups that lie in a small box.  A center that is farther from the
whole box than another one is no candidate for any point in it.  Most boxes have one
candidate, and then the group needs no look at its points: its sums are known.

Else each point is compared with the candidates, many points at a time, in float32
and relative to the middle of the box.  That is quick, and nearly always enough: the
two best distances differ by more than float32 can err.  Where they do not, distances
are taken in double, axis after axis.  So the outcome is that of double, to the last tie.
"""

from libc.math cimport sqrt
from libc.stdint cimport int32_t

from .interrupt cimport POLL_STEPS, poll
from .samples cimport sample_t

cdef enum:
    STRETCH = 256    # points that are taken at once
    RUN = 64         # pixels in raster order that get a box of their own
    LOW = 0          # rows of a box
    HIGH = 1
    MIDDLE = 2
    ROWS_OF_BOX = 3
    BEST = 0         # rows of `planes`: the lowest and the second lowest score,
    SECOND = 1
    SCORE = 2        # that of one candidate,
    FIRST = 3        # and from here on the coordinates of the points
    INERTIA = 1      # column of `sums` behind the weight, which is behind the coordinates


def plane_shape(Py_ssize_t n_axes):
    """Return the shape of the workspace `planes`."""
    return FIRST + n_axes, STRETCH


def box_shape(Py_ssize_t n_axes):
    """Return the shape of the workspace `box`."""
    return ROWS_OF_BOX, n_axes


cdef inline Py_ssize_t find_candidates(
    double[:, ::1] box, const double[:, ::1] centers, double[::1] far, Py_ssize_t[::1] chosen
) noexcept nogil:
    """List, in increasing order, the centers that may be nearest to a point in the box.

    Return their number; far becomes a bound of their squared distance from any point in
    the box.  With i the center nearest to the middle, j is no candidate if it is farther
    away by the diameter of the box, or else if it is farther than i from the corner that
    lies farthest in the direction from i to j: by more than distances in double can err.
    """
    cdef Py_ssize_t n_axes = centers.shape[1], n = 0, j, c, least = 0
    cdef double near, lowest = 0.0, radius = 0.0, limit, d, corner, excess
    for c in range(n_axes):
        box[MIDDLE, c] = <double> <float> (0.5 * box[LOW, c] + 0.5 * box[HIGH, c])
        d = max(box[HIGH, c] - box[MIDDLE, c], box[MIDDLE, c] - box[LOW, c])
        radius += d * d
    for j in range(centers.shape[0]):
        near = 0.0
        for c in range(n_axes):
            d = centers[j, c] - box[MIDDLE, c]
            near += d * d
        far[j] = near
        if j == 0 or near < lowest:
            lowest = near
            least = j
    limit = sqrt(lowest) + 2.0 * sqrt(radius)
    limit = limit * limit * (1.0 + 1e-9)
    for j in range(centers.shape[0]):
        if far[j] > limit and j != least:
            continue
        far[j] = 2.0 * (far[j] + radius)
        excess = 0.0
        for c in range(n_axes):
            d = centers[j, c] - centers[least, c]
            corner = box[HIGH, c] if d > 0.0 else box[LOW, c]
            excess += d * ((centers[j, c] - corner) + (centers[least, c] - corner))
        if not excess > 1e-12 * (far[j] + 2.0 * (lowest + radius)):
            chosen[n] = j
            n += 1
    return n


cdef inline int32_t nearest_exactly(
    const sample_t[:, ::1] points,
    Py_ssize_t p,
    const double[:, ::1] centers,
    const Py_ssize_t[::1] chosen,
    Py_ssize_t n_chosen,
) noexcept nogil:
    """Return the nearest of the candidates, the first where several are."""
    cdef Py_ssize_t a, c
    cdef double d, total, lowest = 0.0
    cdef int32_t best = -1
    for a in range(n_chosen):
        total = 0.0
        for c in range(centers.shape[1]):
            d = <double> points[p, c] - centers[chosen[a], c]
            total += d * d
        if best < 0 or total < lowest:
            lowest = total
            best = <int32_t> chosen[a]
    return best


cdef inline void choose(
    const sample_t[:, ::1] points,
    Py_ssize_t begin,
    Py_ssize_t n,
    const double[:, ::1] centers,
    const double[::1] far,
    const Py_ssize_t[::1] chosen,
    Py_ssize_t n_chosen,
    const double[:, ::1] box,
    float[:, ::1] planes,
    int32_t[::1] picked,
) noexcept nogil:
    """Pick the nearest of the candidates for each of n points.

    The score of a center is its squared distance, less what all have in common:
    |center - middle|^2 - 2 (center - middle) (x - middle).  Of two candidates only the
    difference is taken: how much farther the second is.

    All in one function: a memoryview is so large that calls would cost as much as the points.
    """
    cdef Py_ssize_t n_axes = centers.shape[1], a, b, c, i
    cdef bint two = n_chosen == 2
    cdef int32_t j, label, first = <int32_t> chosen[0]
    cdef double d, middle, origin, total, farthest = 0.0
    cdef float s, best, second, bound, m0, m1, m2
    for c in range(n_axes):
        middle = box[MIDDLE, c]
        for i in range(n):
            if sample_t is int32_t or sample_t is double:
                planes[FIRST + c, i] = <float> (<double> points[begin + i, c] - middle)
            else:  # these values are float32 as they are, and so is the middle
                planes[FIRST + c, i] = <float> points[begin + i, c] - <float> middle
    for i in range(n):
        planes[BEST, i] = 0.0 if two else <float> 3.4e38
        planes[SECOND, i] = 3.4e38
        picked[i] = first
    b = chosen[0]
    for a in range(1 if two else 0, n_chosen):
        j = <int32_t> chosen[a]
        total = 0.0
        for c in range(n_axes):
            d = centers[j, c] - box[MIDDLE, c]
            if two:
                total += (centers[j, c] - centers[b, c]) * (d + (centers[b, c] - box[MIDDLE, c]))
            else:
                total += d * d
        s = <float> total
        m0 = <float> (-2.0 * (centers[j, 0] - (centers[b, 0] if two else box[MIDDLE, 0])))
        m1 = m2 = 0.0
        if n_axes > 1:
            m1 = <float> (-2.0 * (centers[j, 1] - (centers[b, 1] if two else box[MIDDLE, 1])))
        if n_axes > 2:
            m2 = <float> (-2.0 * (centers[j, 2] - (centers[b, 2] if two else box[MIDDLE, 2])))
            for i in range(n):
                best = s + m0 * planes[FIRST, i] + m1 * planes[FIRST + 1, i]
                planes[SCORE, i] = best + m2 * planes[FIRST + 2, i]
        elif n_axes == 2:
            for i in range(n):
                planes[SCORE, i] = s + m0 * planes[FIRST, i] + m1 * planes[FIRST + 1, i]
        else:
            for i in range(n):
                planes[SCORE, i] = s + m0 * planes[FIRST, i]
        for c in range(3, n_axes):
            origin = centers[b, c] if two else box[MIDDLE, c]
            m0 = <float> (-2.0 * (centers[j, c] - origin))
            for i in range(n):
                planes[SCORE, i] += m0 * planes[FIRST + c, i]
        for i in range(n):
            s = planes[SCORE, i]
            best = planes[BEST, i]
            second = planes[SECOND, i]
            label = picked[i]    # read before it is decided: so the loop has no branches
            second = s if s < second else second
            second = best if s < best else second
            label = j if s < best else label
            best = s if s < best else best
            picked[i] = label
            planes[SECOND, i] = second
            planes[BEST, i] = best
        farthest = max(farthest, far[j])
    farthest = max(farthest, far[b])
    # A score has n_axes + 1 terms, at most three times `farthest` together, each of three
    # factors that are rounded; twice that for the difference of two.
    bound = <float> (6.0 * (n_axes + 6) * farthest / (1 << 24))
    for i in range(n):
        if not planes[SECOND, i] - planes[BEST, i] > bound:  # also where float32 overflows
            picked[i] = nearest_exactly(points, begin + i, centers, chosen, n_chosen)


cdef inline double distance(
    const sample_t[:, ::1] points, Py_ssize_t p, const double[:, ::1] centers, Py_ssize_t j
) noexcept nogil:
    """Return the squared distance of a point from a center."""
    cdef Py_ssize_t c
    cdef double d, total = 0.0
    for c in range(centers.shape[1]):
        d = <double> points[p, c] - centers[j, c]
        total += d * d
    return total


cdef int add_all(
    const sample_t[:, ::1] points,
    const double[::1] weights,
    const Py_ssize_t[::1] starts,
    const double[:, :, ::1] boxes,
    const double[:, ::1] totals,
    Py_ssize_t first,
    Py_ssize_t last,
    const double[:, ::1] centers,
    bint measured,
    double[:, ::1] box,
    double[::1] far,
    Py_ssize_t[::1] chosen,
    float[:, ::1] planes,
    int32_t[::1] picked,
    double[:, ::1] sums,
) except -1 nogil:
    cdef Py_ssize_t n_axes = centers.shape[1], cell, n_chosen, c, i, j, begin, n, work = 0
    cdef bint weighted = weights.shape[0] > 0
    cdef double w = 1.0, d, total
    for cell in range(first, last):
        if starts[cell] == starts[cell + 1]:
            continue
        for c in range(n_axes):
            box[LOW, c] = boxes[cell, LOW, c]
            box[HIGH, c] = boxes[cell, HIGH, c]
        n_chosen = find_candidates(box, centers, far, chosen)
        work += centers.shape[0]
        begin = starts[cell]
        if n_chosen == 1:
            j = chosen[0]
            for c in range(n_axes + 1):
                sums[j, c] += totals[cell, c]
            if measured:  # the squares about the mean, and those of the mean
                total = 0.0
                for c in range(n_axes):
                    d = totals[cell, c] / totals[cell, n_axes] - centers[j, c]
                    total += d * d
                sums[j, n_axes + INERTIA] += (
                    totals[cell, n_axes + INERTIA] + totals[cell, n_axes] * total
                )
            begin = starts[cell + 1]
        while begin < starts[cell + 1]:
            n = min(<Py_ssize_t> STRETCH, starts[cell + 1] - begin)
            choose(points, begin, n, centers, far, chosen, n_chosen, box, planes, picked)
            for i in range(n):
                j = picked[i]
                if weighted:
                    w = weights[begin + i]
                for c in range(n_axes):
                    sums[j, c] += w * <double> points[begin + i, c]
                sums[j, n_axes] += w
                if measured:
                    sums[j, n_axes + INERTIA] += w * distance(points, begin + i, centers, j)
            begin += n
            work += n * n_chosen
        if work >= POLL_STEPS:
            work = 0
            poll()
    return 0


def add_to_nearest(
    const sample_t[:, ::1] points,
    const double[::1] weights,
    const Py_ssize_t[::1] starts,
    const double[:, :, ::1] boxes,
    const double[:, ::1] totals,
    Py_ssize_t first,
    Py_ssize_t last,
    const double[:, ::1] centers,
    bint measured,
    double[:, ::1] box,
    double[::1] far,
    Py_ssize_t[::1] chosen,
    float[:, ::1] planes,
    int32_t[::1] picked,
    double[:, ::1] sums,
):
    """Add each point of the cells first to last - 1 to the sums of its nearest center.

    Pre: finite points (n, axes), those of cell i from starts[i] to starts[i + 1] - 1;
    weights (n,), or none for 1 each; boxes and totals as `sum_cells` leaves them;
    centers (k, axes); workspaces box (box_shape()), far (k,), chosen (k,), planes
    (plane_shape()), picked (plane_shape()[1],).
    Post: row j of sums (k, axes + 2) has grown by the sums of the coordinates and weights
    of the points whose first nearest center is j, squared distances taken in double axis
    after axis; with `measured` also by the sum of weighted squared distances.
    Cost: O(cells * k * axes) plus, in cells of several candidates, points * candidates * axes.
    Paper: Kanungo, Mount, Netanyahu, Piatko, Silverman, Wu (2002), An efficient k-means
    clustering algorithm: analysis and implementation.
    """
    with nogil:
        add_all(
            points, weights, starts, boxes, totals, first, last, centers, measured,
            box, far, chosen, planes, picked, sums,
        )


cdef int label_all(
    const sample_t[:, ::1] points,
    const double[:, ::1] centers,
    double[:, ::1] box,
    double[::1] far,
    Py_ssize_t[::1] chosen,
    float[:, ::1] planes,
    int32_t[::1] picked,
    int32_t[::1] labels,
) except -1 nogil:
    cdef Py_ssize_t n_axes = centers.shape[1], n_chosen, c, i, n, begin = 0, work = 0
    cdef sample_t x, low, high
    while begin < points.shape[0]:
        n = min(<Py_ssize_t> RUN, points.shape[0] - begin)
        for c in range(n_axes):
            low = high = points[begin, c]
            for i in range(n):
                x = points[begin + i, c]
                low = x if x < low else low
                high = x if x > high else high
            box[LOW, c] = <double> low
            box[HIGH, c] = <double> high
        n_chosen = find_candidates(box, centers, far, chosen)
        if n_chosen == 1:
            for i in range(n):
                labels[begin + i] = <int32_t> chosen[0] + 1
        else:
            choose(points, begin, n, centers, far, chosen, n_chosen, box, planes, picked)
            for i in range(n):
                labels[begin + i] = picked[i] + 1
        begin += n
        work += n * n_chosen + centers.shape[0]
        if work >= POLL_STEPS:
            work = 0
            poll()
    return 0


def label_nearest(
    const sample_t[:, ::1] points,
    const double[:, ::1] centers,
    double[:, ::1] box,
    double[::1] far,
    Py_ssize_t[::1] chosen,
    float[:, ::1] planes,
    int32_t[::1] picked,
    int32_t[::1] labels,
):
    """Label each point 1 + the first of its nearest centers.

    Pre: finite points (n, axes), neighbors best next to each other; centers (k, axes);
    workspaces as for `add_to_nearest`; labels (n,).
    Post: labels by squared distances in double, taken axis after axis.
    Cost: O(points * candidates * axes).
    """
    with nogil:
        label_all(points, centers, box, far, chosen, planes, picked, labels)
