"""Label images: components, numbering and what is made of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from skimage import measure

import segkit
from segkit.labels import _nearest_label
from tests import strategies as own
from tests.reference import labels as reference

STEPS = (0, 1, 2, 1.5)


def same_partition(first, second):
    """Whether two label images agree up to renumbering, 0 being 0 in both."""
    return np.array_equal(segkit.relabel(first), segkit.relabel(second))


# --- connected_components ---------------------------------------------------------------


@given(data=st.data())
def test_components_equal_the_plain_version(data):
    image = data.draw(own.images(dtypes=own.REAL_DTYPES))
    connectivity = data.draw(own.connectivities(image.ndim))
    mask = data.draw(own.masks(image.shape))
    tolerance = data.draw(st.sampled_from(STEPS))
    background = data.draw(st.sampled_from([None, 0, 1, -1]))
    before = image.copy()
    got = segkit.connected_components(
        image, connectivity=connectivity, tolerance=tolerance, mask=mask, background=background
    )
    wanted = reference.connected_components(image, connectivity, tolerance, mask, background)
    assert got.dtype == np.int32
    np.testing.assert_array_equal(got, wanted)
    np.testing.assert_array_equal(image, before)


@given(data=st.data())
def test_components_of_long_rows_equal_scikit_image(data):
    # Rows longer than a word of 64 pixels, with runs that end at its borders.
    width = data.draw(st.sampled_from([63, 64, 65, 127, 128, 129, 200]))
    shape = data.draw(st.sampled_from([(width,), (3, width), (2, 3, width), (2, 2, 2, width)]))
    seed = data.draw(st.integers(0, 2**16))
    stretch = data.draw(st.sampled_from([1, 2, 16, 64]))
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 3, (*shape[:-1], -(-width // stretch)))
    image = np.repeat(image, stretch, axis=-1)[..., :width].astype(np.uint8)
    for connectivity in range(1, image.ndim + 1):
        got = segkit.connected_components(image, connectivity=connectivity)
        if image.ndim <= 3:  # the limit of scikit-image
            wanted = measure.label(image, connectivity=connectivity)
        else:
            wanted = reference.connected_components(image, connectivity)
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("shape", [(64, 64), (40, 300), (24, 24, 70), (9, 8, 7, 66)])
@pytest.mark.parametrize("density", [0.2, 0.5, 0.8])
def test_components_of_binary_images_equal_scipy(shape, density):
    image = np.random.default_rng(5).random(shape) < density
    for connectivity in range(1, len(shape) + 1):
        structure = ndimage.generate_binary_structure(len(shape), connectivity)
        wanted, n = ndimage.label(image, structure)
        got = segkit.connected_components(image, connectivity=connectivity)
        assert got.max() == n
        assert same_partition(got, wanted)
        np.testing.assert_array_equal(got, segkit.relabel(got))


@pytest.mark.parametrize("connectivity", [1, 2])
@pytest.mark.parametrize("n_levels", [1, 2, 4, 200])
def test_components_of_many_blocks_of_rows_equal_scikit_image(connectivity, n_levels):
    # More pixels than one call of the kernels takes.
    image = np.random.default_rng(1).integers(0, n_levels, (900, 700))
    for background in (0, None):
        got = segkit.connected_components(image, connectivity=connectivity, background=background)
        wanted = measure.label(
            image, connectivity=connectivity, background=-1 if background is None else background
        )
        np.testing.assert_array_equal(got, wanted)


def test_components_of_one_column_and_of_axes_of_length_one():
    column = np.repeat(np.arange(1, 6), 3)
    wanted = np.repeat(np.arange(1, 6), 3)
    for shape in ((15, 1), (1, 15), (1, 15, 1), (1, 1, 1, 15)):
        for connectivity in range(1, len(shape) + 1):
            got = segkit.connected_components(column.reshape(shape), connectivity=connectivity)
            np.testing.assert_array_equal(got.ravel(), wanted)
    np.testing.assert_array_equal(segkit.connected_components(np.full((1, 1, 1), 7)), [[[1]]])


@pytest.mark.parametrize("dtype", own.INTEGER_DTYPES[1:])
def test_differences_never_wrap(dtype):
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    image = np.array([low, high, high - 1, high - 3, low + 5], dtype=dtype)
    got = segkit.connected_components(image, tolerance=2, background=None)
    np.testing.assert_array_equal(got, [1, 2, 2, 2, 3])
    whole = int(high) - int(low)
    for tolerance, wanted in ((whole, [1, 1]), (whole - 1, [1, 2]), (10 * whole, [1, 1])):
        got = segkit.connected_components(image[:2], tolerance=tolerance, background=None)
        np.testing.assert_array_equal(got, wanted)


def test_64_bit_integers_are_compared_exactly():
    image = np.array([2**53, 2**53 + 1, 2**53 + 3])
    got = segkit.connected_components(image)
    np.testing.assert_array_equal(got, [1, 2, 3])
    np.testing.assert_array_equal(segkit.connected_components(image, tolerance=1), [1, 1, 2])
    got = segkit.connected_components(image, background=2**53 + 1)
    np.testing.assert_array_equal(got, [1, 0, 2])


def test_infinite_values_equal_themselves():
    image = np.array([np.inf, np.inf, 0, -np.inf, -np.inf, 1e300])
    for tolerance in (0, 1e300):
        got = segkit.connected_components(image, tolerance=tolerance, background=0)
        np.testing.assert_array_equal(got, [1, 1, 0, 2, 2, 3])
    got = segkit.connected_components(image, background=np.inf)
    np.testing.assert_array_equal(got, [0, 0, 1, 2, 2, 3])


def test_background_that_no_pixel_can_have():
    image = np.array([0, 1, 1], dtype=np.uint8)
    for background in (-1, 256, 0.5, np.inf):
        got = segkit.connected_components(image, background=background)
        np.testing.assert_array_equal(got, [1, 2, 2])


def test_nan_outside_the_mask_is_ignored():
    image = np.array([1.0, np.nan, 1.0])
    got = segkit.connected_components(image, mask=[True, False, True])
    np.testing.assert_array_equal(got, [1, 0, 2])
    with pytest.raises(ValueError, match="`image` must not hold NaN"):
        segkit.connected_components(image)


@given(data=st.data())
def test_components_do_not_depend_on_layout(data):
    image = data.draw(own.images(min_dims=2, max_dims=3))
    wanted = segkit.connected_components(image)
    padded = np.zeros([2 * side for side in image.shape], dtype=image.dtype)
    strided = padded[(slice(None, None, 2),) * image.ndim]
    strided[...] = image
    flipped = np.ascontiguousarray(image[::-1])[::-1]
    swapped = image.astype(image.dtype.newbyteorder())
    read_only = image.copy()
    read_only.flags.writeable = False
    for other in (np.asfortranarray(image), strided, flipped, swapped, read_only, image.tolist()):
        np.testing.assert_array_equal(segkit.connected_components(other), wanted)


@given(data=st.data())
def test_flips_and_swaps_carry_components_through(data):
    image = data.draw(own.images(min_dims=2, max_dims=3))
    connectivity = data.draw(own.connectivities(image.ndim))
    labels = segkit.connected_components(image, connectivity=connectivity)
    for move in (np.flip, np.transpose):
        moved = segkit.connected_components(move(image), connectivity=connectivity)
        assert same_partition(move(moved), labels)


def test_a_larger_tolerance_gives_a_coarser_partition():
    image = np.random.default_rng(3).integers(0, 50, (30, 40))
    finer = segkit.connected_components(image, background=None)
    for tolerance in (1, 5, 10, 50):
        coarser = segkit.connected_components(image, tolerance=tolerance, background=None)
        pairs = np.unique(np.stack([finer.ravel(), coarser.ravel()]), axis=1)
        assert pairs.shape[1] == finer.max()
        finer = coarser


def test_components_of_empty_arrays_and_empty_masks():
    for shape in ((0,), (0, 4), (4, 0), (2, 0, 3)):
        assert segkit.connected_components(np.zeros(shape)).shape == shape
        assert segkit.relabel(np.zeros(shape, dtype=int)).shape == shape
    image = np.ones((3, 4))
    assert not segkit.connected_components(image, mask=np.zeros((3, 4), bool)).any()


@pytest.mark.parametrize(
    ("error", "message", "options"),
    [
        (ValueError, "`tolerance` must be a finite number >= 0", {"tolerance": -1}),
        (ValueError, "`tolerance` must be a finite number >= 0", {"tolerance": np.nan}),
        (ValueError, "`tolerance` must be a finite number >= 0", {"tolerance": np.inf}),
        (TypeError, "`tolerance` must be", {"tolerance": "1"}),
        (ValueError, "`connectivity` must be an integer from 1 to 2", {"connectivity": 0}),
        (ValueError, "`connectivity` must be an integer from 1 to 2", {"connectivity": 3}),
        (TypeError, "`connectivity` must be an integer", {"connectivity": 1.5}),
        (ValueError, "`mask` has shape", {"mask": np.ones((3, 5), bool)}),
        (TypeError, "`mask` must be bool", {"mask": np.ones((3, 4))}),
        (ValueError, "`mask` must be bool", {"mask": np.full((3, 4), 2)}),
        (ValueError, "`background` must be", {"background": np.nan}),
        (TypeError, "`background` must be", {"background": "black"}),
    ],
)
def test_bad_arguments_of_components(error, message, options):
    with pytest.raises(error, match=message):
        segkit.connected_components(np.ones((3, 4)), **options)


@pytest.mark.parametrize(
    ("error", "image"),
    [
        (TypeError, np.ones((2, 2), complex)),
        (TypeError, np.array(["a", "b"])),
        (TypeError, np.array([None, None])),
        (TypeError, np.array(["2020-01-01"], dtype="datetime64[D]")),
        (TypeError, None),
        (ValueError, np.array(3)),
        (ValueError, np.ones((1,) * 5)),
        (ValueError, [[1, 2], [3]]),
    ],
)
def test_bad_images_of_components(error, image):
    with pytest.raises(error, match="`image`"):
        segkit.connected_components(image)


# --- relabel ----------------------------------------------------------------------------


IDS = (0, 0, 0, 1, 2, 7, 255, 256, 65535, 2**31 - 1, 2**31, 2**40, 2**63 - 1, 2**64 - 1)


@given(data=st.data())
def test_relabel_equals_the_plain_version(data):
    dtype = np.dtype(data.draw(st.sampled_from(own.INTEGER_DTYPES)))
    high = 1 if dtype == np.bool_ else np.iinfo(dtype).max
    ids = st.sampled_from([k for k in IDS if k <= high])
    shape = data.draw(own.shapes(min_side=0))
    size = int(np.prod(shape))
    labels = np.array(data.draw(st.lists(ids, min_size=size, max_size=size)), dtype=dtype)
    labels = labels.reshape(shape)
    got = segkit.relabel(labels)
    assert got.dtype == np.int32
    np.testing.assert_array_equal(got, reference.relabel(labels))
    np.testing.assert_array_equal(segkit.relabel(got), got)


@pytest.mark.parametrize("scale", [1, 3, 10**12])
def test_relabel_many_ids(scale):
    # Tables have to grow several times.
    ids = np.random.default_rng(2).permutation(50_000).reshape(200, 250) * scale
    got = segkit.relabel(ids)
    wanted = np.arange(1, ids.size + 1).reshape(ids.shape)
    wanted -= np.cumsum(ids.ravel() == 0).reshape(ids.shape)
    wanted[ids == 0] = 0
    np.testing.assert_array_equal(got, wanted)


def test_relabel_costs_nothing_for_large_ids():
    import tracemalloc

    labels = np.where(np.arange(10_000) % 3 == 0, 7, 2**40).reshape(100, 100)
    tracemalloc.start()
    got = segkit.relabel(labels)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert set(np.unique(got)) == {1, 2}
    assert peak < 1_000_000


@pytest.mark.parametrize(
    ("error", "message", "labels"),
    [
        (ValueError, "`labels` must hold ids >= 0, got -3", [[0, -3]]),
        (TypeError, "`labels` must hold integers", [[0.0, 1.0]]),
        (TypeError, "`labels` has dtype complex128", [[1j]]),
        (TypeError, "`labels` must be an array", None),
        (ValueError, "`labels` must have 1 to 4 dimensions", np.ones((1,) * 5, int)),
        (ValueError, "`labels` must be an array of 1 to 4 dimensions", 3),
    ],
)
def test_bad_labels_of_relabel(error, message, labels):
    with pytest.raises(error, match=message):
        segkit.relabel(labels)


# --- join, remove_small, masks ----------------------------------------------------------


@given(data=st.data())
def test_join_equals_the_plain_version(data):
    first = data.draw(own.label_images())
    second = data.draw(own.label_images(shape=first.shape))
    got = segkit.join(first, second)
    assert got.dtype == np.int32
    np.testing.assert_array_equal(got, reference.join(first, second))
    assert same_partition(got, segkit.join(second, first))
    assert same_partition(segkit.join(first, first), first)


@given(data=st.data())
def test_remove_small_equals_the_plain_version(data):
    labels = data.draw(own.label_images(n_ids=6))
    min_size = data.draw(st.integers(0, 12))
    fill = data.draw(st.sampled_from(["none", "nearest"]))
    got = segkit.remove_small(labels, min_size, fill=fill)
    assert got.dtype == np.int32
    np.testing.assert_array_equal(got, reference.remove_small(labels, min_size, fill))


@pytest.mark.parametrize("shape", [(300,), (31, 40), (9, 11, 10)])
@pytest.mark.parametrize("density", [0.003, 0.02, 0.3])
def test_nearest_label_is_at_the_distance_scipy_finds(shape, density):
    # Sparse sources: long parabolas, many of them hidden.
    rng = np.random.default_rng(7)
    sources = rng.random(shape) < density
    sources[(0,) * len(shape)] = True
    ids = np.where(sources, 1 + np.arange(sources.size).reshape(shape), 0)
    nearest = _nearest_label(ids) - 1
    positions = np.stack(np.unravel_index(nearest, shape))
    distance = np.sqrt(((positions - np.indices(shape)) ** 2).sum(axis=0))
    np.testing.assert_allclose(distance, ndimage.distance_transform_edt(~sources))


@given(data=st.data())
def test_masks_equal_the_plain_version(data):
    labels = data.draw(own.label_images())
    got = list(segkit.masks(labels))
    wanted = reference.masks(labels)
    assert [label for label, _ in got] == [label for label, _ in wanted]
    for (label, mask), (_, plain) in zip(got, wanted, strict=True):
        assert isinstance(label, int)
        assert mask.dtype == np.bool_
        np.testing.assert_array_equal(mask, plain)
    assert sum(int(mask.sum()) for _, mask in got) == np.count_nonzero(labels)


def test_masks_come_one_by_one_and_check_at_once():
    labels = np.array([[1, 2], [2, 3]], dtype=np.int32)
    iterator = segkit.masks(labels)
    labels[...] = 0
    assert [label for label, _ in iterator] == [1, 2, 3]
    with pytest.raises(ValueError, match="`labels` must hold ids >= 0"):
        segkit.masks([-1])


@pytest.mark.parametrize("name", ["boundaries", "masks", "remove_small", "join", "regions"])
def test_bad_labels_everywhere(name):
    function = getattr(segkit, name)

    def call(labels):
        if name == "join":
            return function(labels, labels)
        return function(labels, 2) if name == "remove_small" else function(labels)

    with pytest.raises(TypeError, match="must hold integers, got dtype float64"):
        call([[0.0, 1.0]])
    with pytest.raises(TypeError, match="has dtype complex128"):
        call([[1j]])
    with pytest.raises(ValueError, match="must hold ids >= 0, got -1"):
        call([[0, -1]])
    with pytest.raises(ValueError, match="must have 1 to 4 dimensions"):
        call(np.ones((1,) * 5, int))


def test_bad_arguments_of_join_and_remove_small():
    with pytest.raises(ValueError, match=r"`second` has shape \(3,\), `first` has shape \(2,\)"):
        segkit.join([1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="`min_size` must be an integer >= 0"):
        segkit.remove_small([1, 2], -1)
    with pytest.raises(TypeError, match="`min_size` must be an integer >= 0"):
        segkit.remove_small([1, 2], 1.5)
    with pytest.raises(ValueError, match="`fill` must be one of"):
        segkit.remove_small([1, 2], 1, fill="closest")


def test_label_tools_on_empty_arrays():
    empty = np.zeros((0, 3), dtype=np.uint16)
    assert segkit.join(empty, empty).shape == (0, 3)
    assert segkit.remove_small(empty, 3, fill="nearest").shape == (0, 3)
    assert list(segkit.masks(empty)) == []


@given(data=st.data())
def test_label_tools_do_not_depend_on_layout_and_leave_inputs_alone(data):
    labels = data.draw(own.label_images(min_dims=2, max_dims=3))
    swapped = labels.astype(labels.dtype.newbyteorder())
    read_only = np.asfortranarray(labels).copy(order="F")
    read_only.flags.writeable = False
    before = labels.copy()
    for call in (
        segkit.relabel,
        segkit.boundaries,
        lambda a: segkit.join(a, a),
        lambda a: segkit.remove_small(a, 3, fill="nearest"),
        lambda a: np.stack([m for _, m in segkit.masks(a)] or [a]),
        lambda a: segkit.mean_image(a, a),
        lambda a: np.stack([c.astype(float) for c in segkit.regions(a, a).values()]),
    ):
        wanted = call(labels)
        for other in (swapped, read_only, labels[::-1].copy()[::-1]):
            np.testing.assert_array_equal(call(other), wanted)
    np.testing.assert_array_equal(labels, before)


def test_false_is_the_background_of_a_binary_image():
    image = [[True, False], [False, True]]
    for false in (False, np.False_, 0):
        labels = segkit.connected_components(image, background=false)
        np.testing.assert_array_equal(labels, [[1, 0], [0, 2]])
    labels = segkit.connected_components(image, background=True)
    np.testing.assert_array_equal(labels, [[0, 1], [2, 0]])
