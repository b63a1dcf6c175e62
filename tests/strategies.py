"""Random inputs for hypothesis: tiny images on which ties, plateaus and length-1 axes abound."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

KERNEL_DTYPES = (np.uint8, np.uint16, np.int32, np.int64, np.float32, np.float64)
INTEGER_DTYPES = (
    np.bool_, np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64,
)  # fmt: skip
REAL_DTYPES = (*INTEGER_DTYPES, np.float16, np.float32, np.float64)


def shapes(min_dims=1, max_dims=4, min_side=1, max_pixels=200):
    """Shapes of 1 to 4 dimensions, sides up to 7, small enough for a plain reference."""
    return hnp.array_shapes(
        min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=7
    ).filter(lambda shape: np.prod(shape) <= max_pixels)


@st.composite
def images(draw, dtypes=KERNEL_DTYPES, shape=None, n_levels=4, **shape_options):
    """Images of few grey levels, in one of `dtypes`; signed types get negative levels too."""
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    shape = draw(shapes(**shape_options)) if shape is None else shape
    high = 1 if dtype == np.bool_ else draw(st.integers(0, n_levels - 1))
    levels = draw(hnp.arrays(np.int64, shape, elements=st.integers(0, high)))
    if dtype.kind in "if" and draw(st.booleans()):
        levels = levels - 2
    return levels.astype(dtype)


def masks(shape):
    """None, or a random mask of a given shape."""
    return st.none() | hnp.arrays(np.bool_, shape)


def markers(shape, n_markers=3):
    """Marker images: mostly 0, ids with gaps."""
    ids = st.sampled_from([0, 0, 0, 0, 0, *(3 * k + 2 for k in range(n_markers))])
    return hnp.arrays(np.int32, shape, elements=ids)


@st.composite
def connectivities(draw, ndim):
    """Return a connectivity that fits `ndim`."""
    return draw(st.integers(1, ndim))


@st.composite
def label_images(draw, shape=None, n_ids=4, **shape_options):
    """Label images with gaps between ids, some of them beyond 32 bits where the type allows."""
    dtype = np.dtype(draw(st.sampled_from(INTEGER_DTYPES)))
    shape = draw(shapes(**shape_options)) if shape is None else shape
    ids = [0, 1, 5, 3, 40, 2**31 + 7, 2**40, 2**40 + 1][: n_ids + 3]
    high = 1 if dtype == np.bool_ else np.iinfo(dtype).max
    ids = [k for k in ids if k <= high]
    chosen = draw(hnp.arrays(np.intp, shape, elements=st.integers(0, len(ids) - 1)))
    return np.array(ids)[chosen].astype(dtype)
