"""A growable first-in-first-out queue of positions.

A ring in one block of memory whose size is a power of two; it doubles when
full, so memory follows the longest the queue ever was, not all that passed.

    cdef Fifo queue
    fifo_open(&queue)
    try: ... fifo_push(&queue, p) ... p = fifo_pop(&queue) ...
    finally: fifo_close(&queue)

Cost: O(1) per operation, amortised; at most 2 copies per item for growth.
"""

from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

cdef enum:
    FIFO_START = 1 << 6

cdef struct Fifo:
    int64_t* items
    Py_ssize_t head    # counts all pops
    Py_ssize_t tail    # counts all pushes
    Py_ssize_t room    # a power of two, or 0 before the first push

cdef inline void fifo_open(Fifo* queue) noexcept nogil:
    queue.items = NULL
    queue.head = queue.tail = queue.room = 0

cdef inline void fifo_close(Fifo* queue) noexcept nogil:
    free(queue.items)
    queue.items = NULL
    queue.head = queue.tail = queue.room = 0

cdef inline Py_ssize_t fifo_length(const Fifo* queue) noexcept nogil:
    return queue.tail - queue.head

cdef inline int fifo_grow(Fifo* queue) except -1 nogil:
    """Double the room; the items are laid out from the start in their order."""
    cdef Py_ssize_t room = 2 * queue.room if queue.room else FIFO_START
    cdef Py_ssize_t first, length = queue.tail - queue.head
    cdef int64_t* items = <int64_t*> malloc(<size_t> room * sizeof(int64_t))
    if items == NULL:
        raise MemoryError("no memory for a queue")
    if length:
        first = queue.head & (queue.room - 1)
        memcpy(items, queue.items + first, <size_t> (queue.room - first) * sizeof(int64_t))
        memcpy(items + queue.room - first, queue.items, <size_t> first * sizeof(int64_t))
    free(queue.items)
    queue.items = items
    queue.room = room
    queue.head = 0
    queue.tail = length
    return 0

cdef inline int fifo_push(Fifo* queue, int64_t item) except -1 nogil:
    if queue.tail - queue.head == queue.room:
        fifo_grow(queue)
    queue.items[queue.tail & (queue.room - 1)] = item
    queue.tail += 1
    return 0

cdef inline int64_t fifo_pop(Fifo* queue) noexcept nogil:
    """Return the oldest item.  Pre: the queue is not empty."""
    cdef int64_t item = queue.items[queue.head & (queue.room - 1)]
    queue.head += 1
    return item

cdef inline int64_t fifo_peek(const Fifo* queue, Py_ssize_t ahead) noexcept nogil:
    """Return the item `ahead` places behind the oldest.  Pre: there are that many."""
    return queue.items[(queue.head + ahead) & (queue.room - 1)]
