"""Ctrl-C inside a kernel.

A kernel runs without the GIL, so Python cannot deliver a signal to it.  Each
kernel therefore calls `poll` once in about POLL_STEPS units of work, which are
a few tens of milliseconds: rare enough that taking the GIL costs nothing, often
enough that Ctrl-C ends any call within half a second.
"""

from cpython.exc cimport PyErr_CheckSignals

cdef enum:
    POLL_STEPS = 1 << 19

cdef inline int poll() except -1 nogil:
    """Raise KeyboardInterrupt if the user asked for it."""
    with gil:
        PyErr_CheckSignals()
    return 0
