"""Names of the element types that kernels take.

`value_t` are the types that `segkit._dtypes.kernel_values` hands over: every
other real type is brought to one of them without changing order or differences.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t

ctypedef fused value_t:
    uint8_t
    uint16_t
    int32_t
    int64_t
    float
    double

ctypedef fused label_t:
    int32_t
    int64_t

# Ids of any integer type, told apart but not compared: the bits of an unsigned
# or a signed type of the same width do equally well.
ctypedef fused id_t:
    uint8_t
    uint16_t
    int32_t
    int64_t
