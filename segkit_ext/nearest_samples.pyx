"""The classes of the k nearest samples of each pixel, by a tree of boxes.

Samples lie in leaves of a few dozen, feature by feature, so that eight of them are
measured at once.  Above them, each node has up to sixteen children and knows the
box around the samples of each, so that these are measured together too.  The
nearest box is opened first; what is by then farther than the k-th neighbor so far
is left alone.

A pixel mostly looks like the one before.  The neighbors of that one are k
samples at known places, so the farthest of them is a bound to begin with; and a
pixel that was seen shortly before, as a table of recent ones tells, is answered
at once.

While searching, distances are in the type of the samples, and all that may be
near enough is put into a pool; a small ordered list of the k least distances,
kept without branches, says what that is.  Where more than k are left in the end,
double decides.  Neighbors are ordered by distance, then class.  So neither the
tree nor the order of pixels has a part in the result.
"""

from libc.math cimport INFINITY, sqrt
from libc.stdint cimport int32_t, uint32_t, uint64_t

from .bits cimport lowest_bit
from .interrupt cimport POLL_STEPS, poll
from .lanes cimport FAN, LANES, feature_t, measure_boxes, measure_places, near_boxes

cdef enum:
    LEAF = 48       # places in a leaf, at most
    FEW = 32        # neighbors up to which looking costs more than inserting
    DEPTH = 24      # levels above the leaves, at most
    NONE = -1       # no pixel, no sample

cdef enum:
    TAG = 0xFFFFFFFF00000000    # of an entry for a recent pixel: this half of its hash, and where

cdef struct Branch:
    double distance
    Py_ssize_t level
    Py_ssize_t node     # counted from the first of its level
    Py_ssize_t opened   # which child was opened first; NONE: not measured yet


def fan():
    """Return how many children a node has, the root aside."""
    return FAN


def lanes():
    """Return what the number of places in a leaf is a multiple of."""
    return LANES


def leaf():
    """Return how many places a leaf has, at most."""
    return LEAF


cdef inline double away(
    const feature_t[:, :, ::1] places,
    const feature_t[:, ::1] pixels,
    Py_ssize_t leaf,
    Py_ssize_t lane,
    Py_ssize_t p,
) noexcept nogil:
    """Return the squared distance of a sample and a pixel, added up in the order of features."""
    cdef double d, total = 0.0
    cdef Py_ssize_t f
    for f in range(places.shape[1]):
        d = <double> places[leaf, f, lane] - <double> pixels[p, f]
        total += d * d
    return total


cdef inline double certainly(double bound, Py_ssize_t n_features, feature_t one) noexcept nogil:
    """Return what no distance up to `bound` exceeds when it is rounded on the way."""
    cdef double largest, step, tiny
    if feature_t is float:
        largest, step, tiny = 3.4028234663852886e38, 2.0**-23, 1e-37
    else:
        largest, step, tiny = 1.7976931348623157e308, 2.0**-52, 1e-306
    bound = bound * (1.0 + (n_features + 4) * step) + (n_features + 1) * tiny
    return bound if bound < largest else INFINITY


cdef inline Py_ssize_t decide(
    const feature_t[:, ::1] pixels,
    Py_ssize_t p,
    const feature_t[:, :, ::1] places,
    const int32_t[::1] owner,
    feature_t[::1] squares,
    Py_ssize_t[::1] pool,
    Py_ssize_t n_pool,
    double[::1] near,
    int32_t[::1] owners,
    Py_ssize_t[::1] held,
) noexcept nogil:
    """Keep the k nearest of the pool, in order: by distance in double, then class."""
    cdef Py_ssize_t k = near.shape[0], n_places = places.shape[2], n_held = 0, j, i
    cdef double distance
    cdef int32_t one
    for j in range(n_pool):
        one = owner[pool[j]]
        if one == NONE:
            continue
        distance = away(places, pixels, pool[j] // n_places, pool[j] % n_places, p)
        if n_held == k:
            if distance > near[k - 1] or (distance == near[k - 1] and one >= owners[k - 1]):
                continue
            n_held -= 1
        i = n_held
        while i > 0 and (
            distance < near[i - 1] or (distance == near[i - 1] and one < owners[i - 1])
        ):
            near[i] = near[i - 1]
            owners[i] = owners[i - 1]
            held[i] = held[i - 1]
            i -= 1
        near[i] = distance
        owners[i] = one
        held[i] = pool[j]
        n_held += 1
    for j in range(n_held):
        pool[j] = held[j]
        squares[j] = <feature_t> near[j]
    return n_held


cdef inline Py_ssize_t within(
    feature_t reach, Py_ssize_t n_pool, feature_t[::1] squares, Py_ssize_t[::1] pool
) noexcept nogil:
    """Keep what lies within reach."""
    cdef Py_ssize_t j, n = 0
    for j in range(n_pool):
        squares[n] = squares[j]
        pool[n] = pool[j]
        n += squares[j] <= reach
    return n


cdef inline void insert(feature_t value, feature_t[::1] top) noexcept nogil:
    """Put a value among the least so far, for which the largest of them, top[0], falls out.

    Few are a list in falling order, kept without branches, many a heap.
    """
    cdef Py_ssize_t c, child, k = top.shape[0]
    cdef feature_t other
    if k <= FEW:
        for c in range(k - 1, -1, -1):
            other = top[c]
            top[c] = value if value < other else other
            value = value if value > other else other
        return
    if value >= top[0]:
        return
    c = 0
    child = 1
    while child < k:
        if child + 1 < k and top[child + 1] > top[child]:
            child += 1
        if value >= top[child]:
            break
        top[c] = top[child]
        c = child
        child = 2 * c + 1
    top[c] = value


cdef Py_ssize_t search(
    const feature_t[:, ::1] pixels,
    Py_ssize_t p,
    const feature_t[:, :, :, ::1] boxes,
    const Py_ssize_t[::1] first,
    const feature_t[:, :, ::1] places,
    const int32_t[::1] owner,
    double bound,
    bint in_order,
    feature_t[::1] top,
    feature_t[::1] squares,
    Py_ssize_t[::1] pool,
    double[::1] near,
    int32_t[::1] owners,
    Py_ssize_t[::1] held,
) noexcept nogil:
    """Fill the k nearest samples of a pixel in; return the work done.

    Pre: at least k samples lie within `bound`, squared.
    """
    cdef Branch stack[DEPTH * (FAN + 1)]
    cdef Branch branch
    cdef feature_t lane[LANES]
    cdef uint64_t bits
    cdef feature_t measured[DEPTH * FAN]    # boxes of one node of each level: the one under way
    cdef feature_t* box
    cdef feature_t reach, least, kth
    cdef Py_ssize_t k = near.shape[0], n_features = places.shape[1]
    cdef Py_ssize_t n_places = places.shape[2], n_levels = first.shape[0] - 1
    cdef Py_ssize_t depth, g, i, j, n_pool = 0, work = 0
    reach = <feature_t> certainly(bound, n_features, <feature_t> 0)
    for i in range(k):
        top[i] = <feature_t> INFINITY
    stack[0].distance = 0.0
    stack[0].level = 0
    stack[0].node = 0
    stack[0].opened = NONE
    depth = 1
    while depth > 0:
        depth -= 1
        branch = stack[depth]
        if branch.distance > reach:
            continue
        if branch.level < n_levels:
            box = &measured[branch.level * FAN]
            if branch.opened == NONE:
                least = measure_boxes(boxes, first[branch.level] + branch.node, pixels, p, box)
                work += n_features + FAN
                if least > reach:
                    continue
                # The others wait until this one has made reach small
                stack[depth] = branch
                stack[depth].opened = lowest_bit(near_boxes(box, least))
                bits = <uint64_t> 1 << stack[depth].opened
                depth += 1
            else:
                bits = near_boxes(box, reach) & ~(<uint64_t> 1 << branch.opened)
                if branch.level == 0:   # it may have fewer; they are filled from the left
                    bits &= (<uint64_t> 1 << first[n_levels]) - 1
            while bits:
                i = lowest_bit(bits)
                bits &= bits - 1
                stack[depth].distance = box[i]
                stack[depth].level = branch.level + 1
                stack[depth].node = branch.node * FAN + i
                stack[depth].opened = NONE
                depth += 1
            continue
        if n_pool + n_places > pool.shape[0]:
            n_pool = within(reach, n_pool, squares, pool)
            if n_pool + n_places > pool.shape[0]:
                n_pool = decide(
                    pixels, p, places, owner, squares, pool, n_pool, near, owners, held
                )
        work += n_features * n_places // FAN
        for g in range(n_places // LANES):
            i = g * LANES
            bits = measure_places(places, branch.node, i, pixels, p, reach, lane)
            if not bits:
                continue
            while bits:
                j = lowest_bit(bits)
                bits &= bits - 1
                squares[n_pool] = lane[j]
                pool[n_pool] = branch.node * n_places + i + j
                n_pool += 1
                insert(lane[j], top)
            kth = <feature_t> certainly(top[0], 2 * n_features, <feature_t> 0)
            reach = kth if kth < reach else reach
    n_pool = within(reach, n_pool, squares, pool)
    if n_pool > k or in_order:
        decide(pixels, p, places, owner, squares, pool, n_pool, near, owners, held)
    else:
        for j in range(k):
            held[j] = pool[j]
            owners[j] = owner[pool[j]]
    return work


cdef inline void count_votes(
    const double[::1] near, const int32_t[::1] owners, bint by_distance, double[::1] votes
) noexcept nogil:
    """Add the votes of the neighbors up, class by class.

    By distance, a neighbor at distance 0 outvotes all that are not.
    """
    cdef Py_ssize_t i, k = near.shape[0]
    for i in range(k):
        if not by_distance:
            votes[owners[i]] += 1.0
        elif near[0] > 0.0:
            votes[owners[i]] += 1.0 / sqrt(near[i])
        elif near[i] == 0.0:
            votes[owners[i]] += 1.0


cdef inline uint64_t hashed(const uint32_t[:, ::1] bits, Py_ssize_t p) noexcept nogil:
    cdef uint64_t code = 0
    cdef Py_ssize_t f
    for f in range(bits.shape[1]):
        code = (code ^ bits[p, f]) * <uint64_t> 0x9E3779B97F4A7C15
        code ^= code >> 29
    return code


cdef inline bint alike(const uint32_t[:, ::1] bits, Py_ssize_t p, Py_ssize_t q) noexcept nogil:
    cdef Py_ssize_t f
    for f in range(bits.shape[1]):
        if bits[p, f] != bits[q, f]:
            return False
    return True


cdef int answer(
    const feature_t[:, ::1] pixels,
    const uint32_t[:, ::1] bits,
    const feature_t[:, :, :, ::1] boxes,
    const Py_ssize_t[::1] first,
    const feature_t[:, :, ::1] places,
    const int32_t[::1] owner,
    bint by_distance,
    feature_t[::1] top,
    feature_t[::1] squares,
    Py_ssize_t[::1] pool,
    double[::1] near,
    int32_t[::1] owners,
    Py_ssize_t[::1] held,
    double[::1] votes,
    uint64_t[::1] recent,
    int32_t[::1] winner,
    float[:, ::1] proba,
) except -1 nogil:
    cdef Py_ssize_t n = pixels.shape[0], k = near.shape[0], n_lanes = places.shape[2]
    cdef Py_ssize_t n_features = places.shape[1]
    cdef Py_ssize_t p, q, i, c, slot, work = 0
    cdef bint known
    cdef uint64_t code, mask = <uint64_t> recent.shape[0] - 1
    cdef double bound, distance, total
    cdef int32_t best
    cdef bint chances = proba.shape[0] > 0
    held[0] = NONE
    for p in range(n):
        work += n_features
        code = hashed(bits, p)
        slot = <Py_ssize_t> (code & mask)
        code = (code & TAG) | <uint64_t> p
        q = <Py_ssize_t> (recent[slot] & ~<uint64_t> TAG)
        known = (recent[slot] ^ code) >> 32 == 0 and q < p
        recent[slot] = code
        if known and alike(bits, p, q):
            winner[p] = winner[q]
            if chances:
                for c in range(proba.shape[1]):
                    proba[p, c] = proba[q, c]
            continue
        bound = 1.7976931348623157e308
        if held[0] != NONE:
            bound = 0.0
            for i in range(k):
                distance = away(places, pixels, held[i] // n_lanes, held[i] % n_lanes, p)
                bound = distance if distance > bound else bound
        work += search(
            pixels, p, boxes, first, places, owner, bound, by_distance,
            top, squares, pool, near, owners, held,
        ) + k * n_features
        count_votes(near, owners, by_distance, votes)
        best = owners[0]
        for i in range(1, k):
            if votes[owners[i]] > votes[best] or (
                votes[owners[i]] == votes[best] and owners[i] < best
            ):
                best = owners[i]
        winner[p] = best
        if chances:
            total = 0.0
            for c in range(proba.shape[1]):
                total += votes[c]
            for c in range(proba.shape[1]):
                proba[p, c] = <float> (votes[c] / total)
        for i in range(k):
            votes[owners[i]] = 0.0
        if work >= POLL_STEPS:
            work = 0
            poll()
    return 0


def nearest_samples(
    const feature_t[:, ::1] pixels,
    const uint32_t[:, ::1] bits,
    const feature_t[:, :, :, ::1] boxes,
    const Py_ssize_t[::1] first,
    const feature_t[:, :, ::1] places,
    const int32_t[::1] owner,
    bint by_distance,
    feature_t[::1] top,
    feature_t[::1] squares,
    Py_ssize_t[::1] pool,
    double[::1] near,
    int32_t[::1] owners,
    Py_ssize_t[::1] held,
    double[::1] votes,
    uint64_t[::1] recent,
    int32_t[::1] winner,
    float[:, ::1] proba,
):
    """Write which class the k nearest samples of each pixel vote for, and how they are divided.

    Pre: `pixels` (n, features) are finite, `bits` their bits; `places` (leaves,
    features, places of a leaf) hold the samples, infinity where there is none,
    `owner` the class of each, 0.. ; `boxes` (nodes, 2, features, FAN) the least and the
    largest value of the samples of each child, node by node and level by level from
    the root, `first` the first node of each level, then the number of the root's
    children; the children of node i of a level are nodes (of the last level:
    leaves) FAN i, FAN i + 1, ... of the next; `near`, `owners`, `held` have k elements, k
    at most the number of samples; `votes` are 0, one for each class; `recent` are -1, a
    power of two of them.
    Post: `winner` has the class of most votes, the lowest of several; `proba`
    (n, classes), unless empty, the share of each class in the votes.
    Cost: about O(log samples) per pixel for few features, O(samples) for many.
    Paper: Friedman, Bentley, Finkel (1977), An algorithm for finding best matches in
    logarithmic expected time, doi:10.1145/355744.355745.
    """
    with nogil:
        answer(
            pixels, bits, boxes, first, places, owner, by_distance,
            top, squares, pool, near, owners, held, votes, recent, winner, proba,
        )
