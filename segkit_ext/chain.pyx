"""A hidden Markov chain, block by block: forward, backward, and the best path.

The chain is in one of K hidden classes at each pixel.  From one pixel to the next it
changes from i to j with probability A[i, j]; a class shows itself by a density.
Forward: the shares of the classes at a pixel, given all pixels up to it, follow from
those at the pixel before.  Backward: what the pixels behind say is carried the other
way, and both together give the shares given the whole chain.  The best path takes the
largest product in place of the sum.

Nothing underflows however long the chain: what is carried forward is scaled to the sum
1 whenever it has become small, which is seldom, because a division at each pixel is what
a pixel would wait for.  Densities come divided by the largest of the pixel, and neither
they nor A count less than a floor (1e-100) that keeps every product a positive number.

A block ends with what the next needs to begin, so a chain of any length takes the
memory of a block.  The number of classes is a constant in the loops for 2 to 4.
"""

from libc.math cimport log
from libc.stdint cimport uint8_t

from .interrupt cimport POLL_STEPS, poll

cdef enum:
    MOST = 256    # classes; the labels of a path are bytes

# The floor, and below which what is carried forward is scaled. No variables: no state.
cdef extern from *:
    """
    #define SEGKIT_FLOOR 1e-100
    #define SEGKIT_SMALL 1e-50
    #define SEGKIT_LOW -1e3
    """
    const double FLOOR "SEGKIT_FLOOR"
    const double SMALL "SEGKIT_SMALL"
    const double LOW "SEGKIT_LOW"


cdef inline double above_floor(double density) noexcept nogil:
    return density if density > FLOOR else FLOOR


cdef inline double forward_steps(
    const double[:, ::1] emissions,
    const double[:, ::1] transition,
    double[::1] expected,
    bint keep,
    double[:, ::1] shares,
    double[::1] scale,
    Py_ssize_t begin,
    Py_ssize_t end,
    Py_ssize_t n_classes,
) noexcept nogil:
    cdef double[MOST] ahead
    cdef double[MOST] here
    cdef double total, before = 1.0, inverse, logarithm = 0.0
    cdef Py_ssize_t t, i, j
    for j in range(n_classes):
        ahead[j] = expected[j]
    for t in range(begin, end):
        total = 0.0
        for j in range(n_classes):
            here[j] = ahead[j] * above_floor(emissions[j, t])
            total += here[j]
        if keep:
            inverse = 1.0 / total
            scale[t] = before * inverse
            for j in range(n_classes):
                shares[t, j] = here[j] * inverse
        if total < SMALL:
            inverse = 1.0 / total
            for j in range(n_classes):
                here[j] = here[j] * inverse
            logarithm += log(total)
            total = 1.0
        for j in range(n_classes):
            ahead[j] = here[0] * transition[0, j]
            for i in range(1, n_classes):
                ahead[j] += here[i] * transition[i, j]
        before = total
    inverse = 1.0 / before
    for j in range(n_classes):
        expected[j] = ahead[j] * inverse
    return logarithm + log(before)


cdef double forward_block(
    const double[:, ::1] emissions,
    const double[:, ::1] transition,
    double[::1] expected,
    bint keep,
    double[:, ::1] shares,
    double[::1] scale,
) except? -1 nogil:
    cdef Py_ssize_t n = emissions.shape[1], n_classes = emissions.shape[0], begin, end = 0
    cdef Py_ssize_t stretch = max(<Py_ssize_t> 1, POLL_STEPS // (n_classes * n_classes))
    cdef double total = 0.0
    while end < n:
        begin = end
        end = min(n, begin + stretch)
        if n_classes == 2:
            total += forward_steps(
                emissions, transition, expected, keep, shares, scale, begin, end, 2
            )
        elif n_classes == 3:
            total += forward_steps(
                emissions, transition, expected, keep, shares, scale, begin, end, 3
            )
        elif n_classes == 4:
            total += forward_steps(
                emissions, transition, expected, keep, shares, scale, begin, end, 4
            )
        else:
            total += forward_steps(
                emissions, transition, expected, keep, shares, scale, begin, end, n_classes
            )
        poll()
    return total


def forward(
    const double[:, ::1] emissions,
    const double[:, ::1] transition,
    double[::1] expected,
    bint keep,
    double[:, ::1] shares,
    double[::1] scale,
):
    """Find the shares of the classes at each pixel of a block, given all pixels up to it.

    Pre: emissions (K, pixels) from 0 to 1, the largest of a pixel 1, K <= 256; transition
    (K, K) at least 1e-100, rows that sum to 1; expected (K,) the shares at the first pixel
    before it is seen.
    Post: expected, for the block behind; with `keep`, shares (pixels, K) and
    scale (pixels,), the inverse of the likelihood of each pixel given those before.
    Returns the log-likelihood of the block given those before.
    Cost: O(pixels * K * K).
    Paper: Baum, Petrie, Soules, Weiss (1970), Annals of Mathematical Statistics 41(1),
    164-171; in scaled form, Rabiner (1989), Proceedings of the IEEE 77(2), 257-286.
    """
    cdef double total
    with nogil:
        total = forward_block(emissions, transition, expected, keep, shares, scale)
    return total


cdef inline void backward_steps(
    const double[:, ::1] emissions,
    const double[:, ::1] transition,
    const double[:, ::1] shares,
    const double[::1] scale,
    double[::1] ahead,
    double[:, ::1] given_all,
    double[:, ::1] pairs,
    Py_ssize_t begin,
    Py_ssize_t end,
    Py_ssize_t n_classes,
) noexcept nogil:
    cdef double[MOST] after
    cdef double[MOST] here
    cdef Py_ssize_t t, i, j
    for j in range(n_classes):
        after[j] = ahead[j]
    for t in range(end - 1, begin - 1, -1):
        for i in range(n_classes):
            here[i] = transition[i, 0] * after[0]
            for j in range(1, n_classes):
                here[i] += transition[i, j] * after[j]
        for i in range(n_classes):
            for j in range(n_classes):
                pairs[i, j] += shares[t, i] * after[j]
        for i in range(n_classes):
            given_all[i, t] = shares[t, i] * here[i]
        for j in range(n_classes):
            after[j] = here[j] * above_floor(emissions[j, t]) * scale[t]
    for j in range(n_classes):
        ahead[j] = after[j]


cdef int backward_block(
    const double[:, ::1] emissions,
    const double[:, ::1] transition,
    const double[:, ::1] shares,
    const double[::1] scale,
    double[::1] ahead,
    double[:, ::1] given_all,
    double[:, ::1] pairs,
) except -1 nogil:
    cdef Py_ssize_t n = emissions.shape[1], n_classes = emissions.shape[0], begin, end
    cdef Py_ssize_t stretch = max(<Py_ssize_t> 1, POLL_STEPS // (n_classes * n_classes))
    end = n
    while end > 0:
        begin = max(<Py_ssize_t> 0, end - stretch)
        if n_classes == 2:
            backward_steps(
                emissions, transition, shares, scale, ahead, given_all, pairs, begin, end, 2
            )
        elif n_classes == 3:
            backward_steps(
                emissions, transition, shares, scale, ahead, given_all, pairs, begin, end, 3
            )
        elif n_classes == 4:
            backward_steps(
                emissions, transition, shares, scale, ahead, given_all, pairs, begin, end, 4
            )
        else:
            backward_steps(
                emissions, transition, shares, scale, ahead, given_all, pairs, begin, end,
                n_classes,
            )
        end = begin
        poll()
    return 0


def backward(
    const double[:, ::1] emissions,
    const double[:, ::1] transition,
    const double[:, ::1] shares,
    const double[::1] scale,
    double[::1] ahead,
    double[:, ::1] given_all,
    double[:, ::1] pairs,
):
    """Find the shares of the classes at each pixel of a block, given all pixels.

    Pre: what `forward` gave for this block; ahead (K,) from the block behind, or at the
    end of the chain all 1.
    Post: ahead, for the block before; given_all (K, pixels) sums to 1 over the classes;
    pairs (K, K) has grown so that transition * pairs counts the changes from this
    block's pixels to the next ones: at the end of the chain one too many, of sum 1.
    Cost: O(pixels * K * K).
    Paper: as `forward`.
    """
    with nogil:
        backward_block(emissions, transition, shares, scale, ahead, given_all, pairs)


cdef int best_block(
    const double[:, ::1] scores,
    const double[:, ::1] transition,
    double[::1] expected,
    bint keep,
    uint8_t[:, ::1] origin,
) except -1 nogil:
    cdef Py_ssize_t n = scores.shape[1], n_classes = scores.shape[0], t, i, j, arg
    cdef Py_ssize_t until_poll = POLL_STEPS
    cdef double[MOST] here
    cdef double best, value, largest
    for t in range(n):
        largest = expected[0] + scores[0, t]
        for i in range(n_classes):
            here[i] = expected[i] + scores[i, t]
            if here[i] > largest:
                largest = here[i]
        if largest < LOW:    # a long chain must not wear off digits
            for i in range(n_classes):
                here[i] = here[i] - largest
        for j in range(n_classes):
            best = here[0] + transition[0, j]
            arg = 0
            for i in range(1, n_classes):
                value = here[i] + transition[i, j]
                if value > best:
                    best = value
                    arg = i
            expected[j] = best
            if keep:
                origin[t, j] = <uint8_t> arg
        until_poll -= n_classes * n_classes
        if until_poll <= 0:
            until_poll = POLL_STEPS
            poll()
    return 0


def best(
    const double[:, ::1] scores,
    const double[:, ::1] transition,
    double[::1] expected,
    bint keep,
    uint8_t[:, ::1] origin,
):
    """Find the likeliest path into each class at the first pixel behind a block.

    Pre: scores (K, pixels) log densities, K <= 256; transition (K, K) logarithms, finite;
    expected (K,) the logarithm of the best path into each class at the first pixel,
    but for its own density.
    Post: expected, for the block behind; with `keep`, origin (pixels, K): the class at a
    pixel on the best path into each class at the next, of equals the lowest.
    Cost: O(pixels * K * K).
    Paper: Viterbi (1967), IEEE Transactions on Information Theory 13(2), 260-269.
    """
    with nogil:
        best_block(scores, transition, expected, keep, origin)


def trace(const uint8_t[:, ::1] origin, Py_ssize_t last, uint8_t[::1] path):
    """Write the classes of the best path through a block; return the first pixel's.

    Pre: origin from `best`; last is the class at the first pixel behind the block.
    Post: path (pixels,).
    Cost: O(pixels).
    """
    cdef Py_ssize_t t
    with nogil:
        for t in range(path.shape[0] - 1, -1, -1):
            last = origin[t, last]
            path[t] = <uint8_t> last
    return last
