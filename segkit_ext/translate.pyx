"""Replacing every label by another, through a table."""

from .interrupt cimport POLL_STEPS, poll
from .types cimport label_t


cdef int translate_pixels(label_t[::1] labels, const label_t[::1] table) except -1 nogil:
    cdef Py_ssize_t i, stop, size = labels.shape[0]
    i = 0
    while i < size:
        stop = min(size, i + 8 * POLL_STEPS)
        while i < stop:
            labels[i] = table[labels[i]]
            i += 1
        poll()
    return 0


def translate(label_t[::1] labels, const label_t[::1] table):
    """Replace each label by its entry in `table`, in place.

    Pre: labels are 0 .. n, `table` has n + 1 places.
    Cost: one pass; the table's own memory is read at random.
    """
    with nogil:
        translate_pixels(labels, table)
