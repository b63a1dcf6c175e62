"""A binary heap with first in, first out among equal keys.

Entries are ordered by (key, age); ages are given by the heap, in the order of
pushing, so equal keys come out as they went in.  `heap_push_ranked` and
`heap_replace` take a rank of the caller's instead.  `source` is the caller's.

    cdef Heap heap
    heap_open(&heap)
    try: ... heap_push(&heap, key, item, source) ... entry = heap_pop(&heap) ...
    finally: heap_close(&heap)

Cost: O(log n) per operation.  `steps` counts the levels that entries moved,
for the tests.  Pre: keys are never NaN.
"""

from libc.stdint cimport int64_t
from libc.stdlib cimport free, realloc

cdef enum:
    HEAP_START = 1 << 10

cdef struct Entry:
    double key
    int64_t age
    int64_t item
    int64_t source

cdef struct Heap:
    Entry* entries
    Py_ssize_t length
    Py_ssize_t room
    int64_t age      # of the next push
    int64_t steps

cdef inline void heap_open(Heap* heap) noexcept nogil:
    heap.entries = NULL
    heap.length = heap.room = 0
    heap.age = heap.steps = 0

cdef inline void heap_close(Heap* heap) noexcept nogil:
    free(heap.entries)
    heap_open(heap)

cdef inline bint entry_before(const Entry* a, const Entry* b) noexcept nogil:
    return a.key < b.key or (a.key == b.key and a.age < b.age)

cdef inline int heap_push(Heap* heap, double key, int64_t item, int64_t source) except -1 nogil:
    """Add an entry behind all of equal key."""
    heap_push_ranked(heap, key, heap.age, item, source)
    heap.age += 1
    return 0

cdef inline int heap_push_ranked(
    Heap* heap, double key, int64_t rank, int64_t item, int64_t source
) except -1 nogil:
    """Add an entry with a rank of the caller's among equal keys, in place of its age."""
    cdef Py_ssize_t child, above, room
    cdef Entry* entries
    cdef Entry entry
    if heap.length == heap.room:
        room = 2 * heap.room if heap.room else HEAP_START
        entries = <Entry*> realloc(heap.entries, <size_t> room * sizeof(Entry))
        if entries == NULL:
            raise MemoryError("no memory for a heap")
        heap.entries = entries
        heap.room = room
    entry.key = key
    entry.age = rank
    entry.item = item
    entry.source = source
    entries = heap.entries
    child = heap.length
    heap.length += 1
    while child > 0:
        above = (child - 1) >> 1
        if not entry_before(&entry, &entries[above]):
            break
        entries[child] = entries[above]
        child = above
        heap.steps += 1
    entries[child] = entry
    return 0

cdef inline void heap_sink(Heap* heap, Entry last) noexcept nogil:
    """Enter `last` in place of the first entry."""
    cdef Entry* entries = heap.entries
    cdef Py_ssize_t hole = 0, child, length = heap.length
    while True:
        child = 2 * hole + 1
        if child >= length:
            break
        if child + 1 < length and entry_before(&entries[child + 1], &entries[child]):
            child += 1
        if not entry_before(&entries[child], &last):
            break
        entries[hole] = entries[child]
        hole = child
        heap.steps += 1
    entries[hole] = last

cdef inline Entry heap_pop(Heap* heap) noexcept nogil:
    """Return the first entry.  Pre: the heap is not empty."""
    cdef Entry first = heap.entries[0]
    heap.length -= 1
    if heap.length:
        heap_sink(heap, heap.entries[heap.length])
    return first

cdef inline const Entry* heap_first(const Heap* heap) noexcept nogil:
    """Return the first entry, which stays.  Pre: the heap is not empty."""
    return &heap.entries[0]

cdef inline void heap_replace(
    Heap* heap, double key, int64_t rank, int64_t item, int64_t source
) noexcept nogil:
    """Pop the first entry and add another.  Pre: the heap is not empty."""
    cdef Entry entry
    entry.key = key
    entry.age = rank
    entry.item = item
    entry.source = source
    heap_sink(heap, entry)
