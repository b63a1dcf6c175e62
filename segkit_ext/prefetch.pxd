"""Asking the processor for memory that is needed soon.

A hint only: any address is allowed, and nothing is read or written.
"""

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define SEGKIT_PREFETCH(address) __builtin_prefetch((const void *) (address), 1)
    #else
    #define SEGKIT_PREFETCH(address) ((void) (address))
    #endif
    """
    void SEGKIT_PREFETCH(const void* address) noexcept nogil
