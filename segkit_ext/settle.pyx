"""The Potts model on a padded grid by local steps: its energy, ICM, and mean field.

Every pixel pays the cost of its class, and every pair of neighbors of different class pays
its weight.  Iterated conditional modes (ICM) visits the pixels in raster order and gives
each the class that is cheapest as its neighbors stand now.  The mean field does the same
with probabilities: each pixel gets those that its costs and the mean of its neighbors'
weights give.  Both write in place, so that each step sees the one before: then
ICM never raises the energy, and the mean field never its free energy.
"""

from libc.math cimport exp, fabs
from libc.stdint cimport int32_t, int64_t, uint8_t

from .interrupt cimport POLL_STEPS, poll


def add_energy(
    const int32_t[:, ::1] costs, const int32_t[:, :] weights, const Py_ssize_t[::1] offsets,
    const int32_t[::1] labels,
):
    """Return the energy of a labeling, in units of the costs.

    Pre: arrays padded; labels 1..K, 0 outside; weights[p, h] of the pair of p and
         p + offsets[n // 2 + h]. Pairs with a pixel outside cost nothing.
    Cost: O(pixels x offsets).
    """
    cdef int64_t total
    with nogil:
        total = energy_of(costs, weights, offsets, labels)
    return total


cdef int64_t energy_of(
    const int32_t[:, ::1] costs, const int32_t[:, :] weights, const Py_ssize_t[::1] offsets,
    const int32_t[::1] labels,
) except -1 nogil:
    cdef Py_ssize_t p, h, half = offsets.shape[0] // 2, until_poll = POLL_STEPS
    cdef int64_t total = 0
    cdef int32_t other
    for p in range(labels.shape[0]):
        if labels[p] == 0:
            continue
        total += costs[p, labels[p] - 1]
        for h in range(half):
            other = labels[p + offsets[half + h]]
            if other != 0 and other != labels[p]:
                total += weights[p, h]
        until_poll -= half
        if until_poll <= 0:
            until_poll = POLL_STEPS
            poll()
    return total


def settle_labels(
    const int32_t[:, ::1] costs, const int32_t[:, :] weights, const Py_ssize_t[::1] offsets,
    int32_t[::1] labels, uint8_t[::1] stale, int64_t[::1] price, int64_t max_sweeps,
):
    """Give each pixel its cheapest class, sweep after sweep, until none changes.

    A pixel keeps its class unless another is cheaper; of several cheapest it takes the
    lowest. Only pixels with a neighbor that has changed are looked at again.

    Pre: as for `add_energy`; stale is 1; price has one element for each class.
    Post: labels; returns the number of sweeps in which pixels were looked at.
    Cost: O(looks x (offsets + classes)).
    Paper: Besag (1986), On the statistical analysis of dirty pictures,
    doi:10.1111/j.2517-6161.1986.tb01412.x.
    """
    cdef int64_t n
    with nogil:
        n = sweep_labels(costs, weights, offsets, labels, stale, price, max_sweeps)
    return n


cdef int64_t sweep_labels(
    const int32_t[:, ::1] costs, const int32_t[:, :] weights, const Py_ssize_t[::1] offsets,
    int32_t[::1] labels, uint8_t[::1] stale, int64_t[::1] price, int64_t max_sweeps,
) except -1 nogil:
    cdef Py_ssize_t p, q, d, k, best, n = offsets.shape[0], half = offsets.shape[0] // 2
    cdef Py_ssize_t n_classes = costs.shape[1], until_poll = POLL_STEPS
    cdef int64_t sweeps = 0, changed = 1
    cdef int64_t lowest
    while changed and sweeps < max_sweeps:
        changed = 0
        sweeps += 1
        for p in range(labels.shape[0]):
            if not stale[p] or labels[p] == 0:
                continue
            stale[p] = 0
            for k in range(n_classes):
                price[k] = costs[p, k]
            for d in range(n):
                q = p + offsets[d]
                if labels[q] != 0:    # what all classes pay alike is left out
                    price[labels[q] - 1] -= (
                        weights[q, half - 1 - d] if d < half else weights[p, d - half]
                    )
            best = 0
            lowest = price[0]
            for k in range(1, n_classes):
                if price[k] < lowest:
                    lowest = price[k]
                    best = k
            if lowest < price[labels[p] - 1]:
                labels[p] = <int32_t> (best + 1)
                changed += 1
                for d in range(n):
                    stale[p + offsets[d]] = 1
            until_poll -= n + n_classes
            if until_poll <= 0:
                until_poll = POLL_STEPS
                poll()
    return sweeps


def settle_means(
    const int32_t[:, ::1] costs, const int32_t[:, :] weights, const Py_ssize_t[::1] offsets,
    const uint8_t[::1] inside, double unit, double tol, int64_t max_sweeps,
    double[::1] gain, double[:, ::1] belief,
):
    """Bring the probabilities of each pixel in line with its neighbors', sweep after sweep.

    Pre: as for `add_energy`; belief holds probabilities where `inside`, 0 elsewhere; one
         cost is `unit`; gain has one element for each class.
    Post: belief after the first sweep that changes none by more than `tol`, or after
          max_sweeps; returns the number of sweeps.
    Cost: O(sweeps x pixels x offsets x classes), an exponential for each class.
    Paper: Zhang (1992), The mean field theory in EM procedures for Markov random fields,
    doi:10.1109/78.157297; visiting one pixel at a time is coordinate descent.
    """
    cdef int64_t n
    with nogil:
        n = sweep_means(
            costs, weights, offsets, inside, unit, tol, max_sweeps, gain, belief
        )
    return n


cdef int64_t sweep_means(
    const int32_t[:, ::1] costs, const int32_t[:, :] weights, const Py_ssize_t[::1] offsets,
    const uint8_t[::1] inside, double unit, double tol, int64_t max_sweeps,
    double[::1] gain, double[:, ::1] belief,
) except -1 nogil:
    cdef Py_ssize_t p, q, d, k, n = offsets.shape[0], half = offsets.shape[0] // 2
    cdef Py_ssize_t n_classes = costs.shape[1], until_poll = POLL_STEPS
    cdef int64_t sweeps = 0
    cdef double change = tol + 1, weight, highest, total
    while change > tol and sweeps < max_sweeps:
        change = 0
        sweeps += 1
        for p in range(inside.shape[0]):
            if not inside[p]:
                continue
            for k in range(n_classes):
                gain[k] = -<double> costs[p, k]
            for d in range(n):
                q = p + offsets[d]
                if inside[q]:
                    weight = weights[q, half - 1 - d] if d < half else weights[p, d - half]
                    for k in range(n_classes):
                        gain[k] += weight * belief[q, k]
            highest = gain[0]
            for k in range(1, n_classes):
                highest = max(highest, gain[k])
            total = 0
            for k in range(n_classes):
                gain[k] = exp(unit * (gain[k] - highest))
                total += gain[k]
            for k in range(n_classes):
                change = max(change, fabs(gain[k] / total - belief[p, k]))
                belief[p, k] = gain[k] / total
            until_poll -= (n + 8) * n_classes
            if until_poll <= 0:
                until_poll = POLL_STEPS
                poll()
    return sweeps


def add_support(
    const int32_t[:, :] weights, const Py_ssize_t[::1] offsets, const int32_t[::1] labels,
    const Py_ssize_t[::1] places, double unit, double[:, ::1] support,
):
    """Add for each place and class the weights of the neighbors that are of that class.

    Pre: arrays padded; labels 1..K, 0 outside; weights as for `add_energy`, in units of `unit`;
         places are inside; support (K, places).
    Cost: O(places x offsets).
    """
    with nogil:
        sum_support(weights, offsets, labels, places, unit, support)


cdef int sum_support(
    const int32_t[:, :] weights, const Py_ssize_t[::1] offsets, const int32_t[::1] labels,
    const Py_ssize_t[::1] places, double unit, double[:, ::1] support,
) except -1 nogil:
    cdef Py_ssize_t i, p, q, d, n = offsets.shape[0], half = offsets.shape[0] // 2
    cdef Py_ssize_t until_poll = POLL_STEPS
    cdef int32_t weight
    for i in range(places.shape[0]):
        p = places[i]
        for d in range(n):
            q = p + offsets[d]
            if labels[q] != 0:
                weight = weights[q, half - 1 - d] if d < half else weights[p, d - half]
                support[labels[q] - 1, i] += unit * weight
        until_poll -= n
        if until_poll <= 0:
            until_poll = POLL_STEPS
            poll()
    return 0
