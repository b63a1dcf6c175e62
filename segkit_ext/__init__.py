"""The kernels of segkit: private, single-threaded loops over flat arrays."""
