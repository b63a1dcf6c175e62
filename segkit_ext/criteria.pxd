"""What it costs to merge two regions: the criteria of `merge_tree`, and how regions add up.

A region is a row of doubles, the border between two regions another; what their
columns hold depends on the criterion:

    RANGE                  least values, then largest values, one for each channel
    all others             size, sums of values
    STUDENT, BAATZ_SCHAPE  then sums of squared differences from the mean
    BAATZ_SCHAPE           then perimeter, first row and column, last row and column
    borders                touching pairs, sum of strength over these, faces

Differences of means are taken as (s1 n2 - s2 n1) / (n1 n2): for integer images
numerator and denominator are exact while below 2**53, so that equal differences
are equal as doubles, and ties are ties.
"""

from libc.math cimport INFINITY, fabs, sqrt

cdef enum:
    MEAN = 0
    WARD = 1
    STRENGTH = 2
    RANGE = 3
    STUDENT = 4
    BAATZ_SCHAPE = 5
    COLOR_STRENGTH = 6

cdef enum:
    CONTACT = 0         # columns of a border
    TOTAL = 1
    FACES = 2
    FLOOR = 0           # options: the least variance,
    SHAPE = 1           # how much shape counts against color,
    COMPACT = 2         # compactness against smoothness,
    BY_MEAN = 3         # the factors of the difference of means
    BY_STRENGTH = 4     # and of strength,
    WEIGHTS = 5         # then the weight of each channel

cdef inline double squared_distance(
    const double[:, ::1] rows, Py_ssize_t u, Py_ssize_t v, Py_ssize_t n_channels
) noexcept nogil:
    """Return the squared distance of two means."""
    cdef double n = rows[u, 0], m = rows[v, 0], pairs = n * m, d, total = 0.0
    cdef Py_ssize_t c
    for c in range(1, n_channels + 1):
        d = (rows[u, c] * m - rows[v, c] * n) / pairs
        total += d * d
    return total

cdef inline double distance(
    const double[:, ::1] rows, Py_ssize_t u, Py_ssize_t v, Py_ssize_t n_channels
) noexcept nogil:
    """Return the distance of two means."""
    if n_channels == 1:
        return fabs((rows[u, 1] * rows[v, 0] - rows[v, 1] * rows[u, 0]) / (rows[u, 0] * rows[v, 0]))
    return sqrt(squared_distance(rows, u, v, n_channels))

cdef inline double largest_range(
    const double[:, ::1] rows, Py_ssize_t u, Py_ssize_t v, Py_ssize_t n_channels
) noexcept nogil:
    """Return the largest range of a channel in the union."""
    cdef double low, high, other, largest = 0.0
    cdef Py_ssize_t c
    for c in range(n_channels):
        low = rows[u, c]
        other = rows[v, c]
        if other < low:
            low = other
        high = rows[u, n_channels + c]
        other = rows[v, n_channels + c]
        if other > high:
            high = other
        if high - low > largest:
            largest = high - low
    return largest

cdef inline double student(
    const double[:, ::1] rows,
    Py_ssize_t u,
    Py_ssize_t v,
    Py_ssize_t n_channels,
    const double[::1] options,
) noexcept nogil:
    """Return the distance of two means in units of its standard error."""
    cdef double n = rows[u, 0], m = rows[v, 0], spread = 0.0
    cdef double apart = squared_distance(rows, u, v, n_channels)
    cdef Py_ssize_t c
    if apart == 0.0:
        return 0.0
    for c in range(n_channels + 1, 2 * n_channels + 1):
        spread += rows[u, c] + rows[v, c]
    spread /= n + m
    if spread < options[FLOOR]:
        spread = options[FLOOR]
    return sqrt(apart / (spread * (1.0 / n + 1.0 / m)))

cdef inline double box_perimeter(double rows, double cols) noexcept nogil:
    return 2.0 * (rows + cols)

cdef inline double heterogeneity(
    const double[:, ::1] rows,
    Py_ssize_t u,
    Py_ssize_t v,
    Py_ssize_t n_channels,
    double faces,
    const double[::1] options,
) noexcept nogil:
    """Return the increase of heterogeneity of Baatz and Schaepe."""
    cdef double n = rows[u, 0], m = rows[v, 0], both = n + m
    cdef double color = 0.0, d, joint, compact, smooth, length, top, left, bottom, right
    cdef Py_ssize_t c, q, k
    for c in range(1, n_channels + 1):
        q = n_channels + c
        d = (rows[u, c] * m - rows[v, c] * n) / (n * m)
        joint = rows[u, q] + rows[v, q] + n * m / both * d * d
        # n times the standard deviation is the root of n times the squares.
        color += options[WEIGHTS + c - 1] * (
            sqrt(both * joint) - sqrt(n * rows[u, q]) - sqrt(m * rows[v, q])
        )
    if options[SHAPE] == 0.0:
        return color
    k = 2 * n_channels + 1
    length = rows[u, k] + rows[v, k] - 2.0 * faces
    compact = sqrt(both) * length - sqrt(n) * rows[u, k] - sqrt(m) * rows[v, k]
    top = min(rows[u, k + 1], rows[v, k + 1])
    left = min(rows[u, k + 2], rows[v, k + 2])
    bottom = max(rows[u, k + 3], rows[v, k + 3])
    right = max(rows[u, k + 4], rows[v, k + 4])
    smooth = both * length / box_perimeter(bottom - top, right - left)
    smooth -= n * rows[u, k] / box_perimeter(
        rows[u, k + 3] - rows[u, k + 1], rows[u, k + 4] - rows[u, k + 2]
    )
    smooth -= m * rows[v, k] / box_perimeter(
        rows[v, k + 3] - rows[v, k + 1], rows[v, k + 4] - rows[v, k + 2]
    )
    return (1.0 - options[SHAPE]) * color + options[SHAPE] * (
        options[COMPACT] * compact + (1.0 - options[COMPACT]) * smooth
    )

cdef inline double merging_cost(
    int criterion,
    Py_ssize_t n_channels,
    const double[::1] options,
    const double[:, ::1] rows,
    Py_ssize_t u,
    Py_ssize_t v,
    const double[:, ::1] borders,
    Py_ssize_t edge,
) noexcept nogil:
    """Return what it costs to merge the regions u and v, which share a border.  Never NaN."""
    cdef double cost, n, m
    if criterion == MEAN:
        cost = distance(rows, u, v, n_channels)
    elif criterion == WARD:
        n = rows[u, 0]
        m = rows[v, 0]
        cost = n * m / (n + m) * squared_distance(rows, u, v, n_channels)
    elif criterion == STRENGTH:
        cost = borders[edge, TOTAL] / borders[edge, CONTACT]
    elif criterion == RANGE:
        cost = largest_range(rows, u, v, n_channels)
    elif criterion == STUDENT:
        cost = student(rows, u, v, n_channels, options)
    elif criterion == BAATZ_SCHAPE:
        cost = heterogeneity(rows, u, v, n_channels, borders[edge, FACES], options)
    else:
        cost = options[BY_MEAN] * distance(rows, u, v, n_channels)
        cost += options[BY_STRENGTH] * (borders[edge, TOTAL] / borders[edge, CONTACT])
    if cost != cost:    # sums beyond the largest double
        return INFINITY
    return cost

cdef inline void add_region(
    int criterion,
    Py_ssize_t n_channels,
    double[:, ::1] rows,
    Py_ssize_t u,
    Py_ssize_t v,
    double faces,
) noexcept nogil:
    """Add the region v to the region u."""
    cdef Py_ssize_t c, q, k
    cdef double n, m, d
    if criterion == STRENGTH:
        return
    if criterion == RANGE:
        for c in range(n_channels):
            rows[u, c] = min(rows[u, c], rows[v, c])
            q = n_channels + c
            rows[u, q] = max(rows[u, q], rows[v, q])
        return
    n = rows[u, 0]
    m = rows[v, 0]
    if criterion == STUDENT or criterion == BAATZ_SCHAPE:
        for c in range(1, n_channels + 1):
            q = n_channels + c
            d = (rows[u, c] * m - rows[v, c] * n) / (n * m)
            rows[u, q] = rows[u, q] + rows[v, q] + n * m / (n + m) * d * d
    for c in range(n_channels + 1):
        rows[u, c] += rows[v, c]
    if criterion == BAATZ_SCHAPE:
        k = 2 * n_channels + 1
        rows[u, k] += rows[v, k] - 2.0 * faces
        for c in range(k + 1, k + 3):
            rows[u, c] = min(rows[u, c], rows[v, c])
        for c in range(k + 3, k + 5):
            rows[u, c] = max(rows[u, c], rows[v, c])
