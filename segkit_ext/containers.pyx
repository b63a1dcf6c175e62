"""The containers behind Python names, for their tests alone: no method uses this module."""

from libc.stdint cimport int64_t

from .buckets cimport (
    Buckets, buckets_close, buckets_lowest, buckets_open, buckets_pop, buckets_push,
)
from .fifo cimport Fifo, fifo_close, fifo_length, fifo_open, fifo_peek, fifo_pop, fifo_push
from .heap cimport Entry, Heap, heap_close, heap_open, heap_pop, heap_push
from .union_find cimport find, unite


cdef class PyFifo:
    """A Fifo."""
    cdef Fifo queue

    def __cinit__(self):
        fifo_open(&self.queue)

    def __dealloc__(self):
        fifo_close(&self.queue)

    def __len__(self):
        return fifo_length(&self.queue)

    @property
    def room(self):
        return self.queue.room

    def push(self, int64_t item):
        fifo_push(&self.queue, item)

    def pop(self):
        if fifo_length(&self.queue) == 0:
            raise IndexError("empty")
        return fifo_pop(&self.queue)

    def peek(self, Py_ssize_t ahead):
        if not 0 <= ahead < fifo_length(&self.queue):
            raise IndexError("no such item")
        return fifo_peek(&self.queue, ahead)


cdef class PyHeap:
    """A Heap; entries come out as (key, age, item, source)."""
    cdef Heap heap

    def __cinit__(self):
        heap_open(&self.heap)

    def __dealloc__(self):
        heap_close(&self.heap)

    def __len__(self):
        return self.heap.length

    @property
    def steps(self):
        return self.heap.steps

    def push(self, double key, int64_t item, int64_t source=0):
        heap_push(&self.heap, key, item, source)

    def pop(self):
        if self.heap.length == 0:
            raise IndexError("empty")
        cdef Entry entry = heap_pop(&self.heap)
        return entry.key, entry.age, entry.item, entry.source


cdef class PyBuckets:
    """A Buckets queue; pop returns (level, item) of the lowest level."""
    cdef Buckets buckets

    def __cinit__(self, Py_ssize_t n_levels):
        buckets_open(&self.buckets, n_levels)

    def __dealloc__(self):
        buckets_close(&self.buckets)

    def __len__(self):
        return self.buckets.length

    @property
    def word(self):
        return self.buckets.word

    def push(self, Py_ssize_t level, int64_t item):
        if not 0 <= level < self.buckets.n_levels:
            raise IndexError("no such level")
        buckets_push(&self.buckets, level, item)

    def pop(self):
        if self.buckets.length == 0:
            raise IndexError("empty")
        cdef Py_ssize_t level = buckets_lowest(&self.buckets)
        return level, buckets_pop(&self.buckets, level)


def unite_pairs(int64_t[::1] parent, const int64_t[::1] u, const int64_t[::1] v):
    """Unite each pair in turn; return how many links the finds walked."""
    cdef Py_ssize_t i
    cdef int64_t w, steps = 0
    for i in range(u.shape[0]):
        for w in (u[i], v[i]):
            while parent[w] != w:
                w = parent[w]
                steps += 1
        unite[int64_t](parent, u[i], v[i])
    return steps


def find_root(int64_t[::1] parent, int64_t u):
    """Return the root of `u`."""
    return find[int64_t](parent, u)
