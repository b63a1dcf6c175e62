"""Choosing points that keep their distance, the most wanted first.

A point that is chosen blocks all places that are too near to it.  So each
candidate is one look, and each choice one walk over its ball.
"""

from libc.stdint cimport int64_t, uint8_t

from .interrupt cimport POLL_STEPS, poll


def space_out(
    const int64_t[::1] candidates, const Py_ssize_t[::1] ball, uint8_t[::1] free,
    int64_t[::1] chosen,
):
    """Choose candidates in their order, none too near to one before; return how many.

    Pre: `free` is padded so far that p + ball[k] lies in it for every candidate p, and
         not 0 at every candidate; `ball` holds the steps to what is too near, 0 included.
    Post: chosen[:n] are the choices, as many as there is room for.
    Cost: O(candidates + choices x ball).
    """
    cdef Py_ssize_t i, k, p, n = 0, work = 0
    with nogil:
        for i in range(candidates.shape[0]):
            if n == chosen.shape[0]:
                break
            p = candidates[i]
            work += 1
            if free[p]:
                chosen[n] = p
                n += 1
                for k in range(ball.shape[0]):
                    free[p + ball[k]] = 0
                work += ball.shape[0]
            if work >= 16 * POLL_STEPS:
                poll()
                work = 0
    return n
