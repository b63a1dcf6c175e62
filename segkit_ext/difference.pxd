"""The difference of two values of one type, which never wraps."""

from libc.stdint cimport int64_t, uint64_t

from .types cimport value_t

cdef inline double difference(value_t x, value_t base) noexcept nogil:
    """Return x - base, rounded once."""
    if value_t is float or value_t is double:
        return <double> x - <double> base
    elif value_t is int64_t:
        # The distance of two 64-bit integers fits 64 bits without a sign.
        if x < base:
            return -(<double> (<uint64_t> base - <uint64_t> x))
        return <double> (<uint64_t> x - <uint64_t> base)
    else:
        return <double> (<int64_t> x - <int64_t> base)
