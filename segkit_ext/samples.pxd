"""Types of samples: those that turn into a double without rounding."""

from libc.stdint cimport int32_t, uint8_t, uint16_t

ctypedef fused sample_t:
    uint8_t
    uint16_t
    int32_t
    float
    double
