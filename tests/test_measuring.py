"""Measuring regions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.measure import regionprops_table

import segkit
from tests import strategies as own
from tests.reference import measuring as reference

IDS = np.array([0, 1, 5, 2**40])


@given(data=st.data())
def test_regions_equal_the_plain_version(data):
    shape = data.draw(own.shapes())
    labels = IDS[data.draw(own.images(dtypes=(np.uint8,), shape=shape))]
    image = data.draw(own.images(dtypes=own.REAL_DTYPES, shape=shape))
    spacing = data.draw(st.sampled_from([None, (0.5, 2.0, 3.0, 0.25)[: labels.ndim]]))
    table = segkit.regions(labels, image, spacing=spacing)
    members = reference.members(labels)
    assert table["label"].tolist() == list(members)
    for row, pixels in enumerate(members.values()):
        wanted = reference.shape_of(pixels, labels, spacing or (1.0,) * labels.ndim)
        wanted |= reference.values_of(pixels, image)
        for name, value in wanted.items():
            np.testing.assert_allclose(
                np.asarray(table[name][row], dtype=float),
                np.asarray(value, dtype=float),
                rtol=1e-12,
                err_msg=name,
            )


@given(data=st.data())
def test_mean_image_equals_the_plain_version(data):
    shape = data.draw(own.shapes())
    labels = IDS[data.draw(own.images(dtypes=(np.uint8,), shape=shape))]
    image = data.draw(own.images(dtypes=own.REAL_DTYPES, shape=shape))
    got = segkit.mean_image(labels, image)
    small = image.dtype.itemsize <= 2 or image.dtype == np.float32
    assert got.dtype == (np.float32 if small else np.float64)
    np.testing.assert_allclose(got, reference.mean_image(labels, image), rtol=1e-6)


@pytest.mark.parametrize("shape", [(60, 150), (12, 20, 70), (1, 200), (200, 1), (5, 1, 70)])
def test_regions_equal_scikit_image(shape):
    rng = np.random.default_rng(0)
    labels = np.repeat(rng.integers(0, 30, shape), 9, axis=-1)[..., : shape[-1]]
    image = rng.integers(0, 255, shape).astype(np.uint8)
    got = segkit.regions(labels, image)
    names = ("label", "area", "bbox", "centroid", "intensity_mean", "intensity_min", "extent")
    wanted = regionprops_table(labels, image, properties=names)
    for name in wanted:
        ours = name.replace("intensity_", "")
        np.testing.assert_allclose(got[ours], wanted[name], rtol=1e-12, err_msg=name)


def test_perimeter_counts_faces_also_at_the_image_border():
    table = segkit.regions(np.ones((2, 3, 4), int), spacing=(1, 10, 100))
    # Faces of 10 x 100, 1 x 100 and 1 x 10, twice each, of a box of 2 x 3 x 4 pixels.
    assert table["perimeter"].tolist() == [2 * (12 * 1000 + 8 * 100 + 6 * 10)]
    assert segkit.regions([1, 1, 1])["perimeter"].tolist() == [2]


def test_long_rows_and_large_regions():
    labels = np.repeat([1, 0, 2], [5000, 1, 9000])
    image = np.arange(14001, dtype=np.uint16)
    table = segkit.regions(labels, image)
    assert table["pixels"].tolist() == [5000, 9000]
    assert table["centroid-0"].tolist() == [2499.5, 9500.5]
    assert table["perimeter"].tolist() == [2, 2]
    assert table["mean"].tolist() == [2499.5, 9500.5]
    np.testing.assert_allclose(table["variance"], [(5000**2 - 1) / 12, (9000**2 - 1) / 12])


@pytest.mark.parametrize("dtype", [np.int64, np.uint64, np.float64, np.int32, np.uint16])
def test_variance_survives_a_large_offset(dtype):
    offset = {"i": 2**30, "u": 60_000, "f": 2.0**40}[np.dtype(dtype).kind]
    image = (np.arange(1000) % 7 + offset).astype(dtype)
    table = segkit.regions(np.ones(1000, int), image)
    np.testing.assert_allclose(table["variance"], np.var(np.arange(1000) % 7), rtol=1e-12)
    constant = segkit.regions(np.ones(1000, int), np.full(1000, image[3]))
    assert constant["variance"].tolist() == [0]


def test_64_bit_values_are_exact():
    image = np.array([2**63 + 5, 2**64 - 1, 3], dtype=np.uint64)
    table = segkit.regions([1, 1, 2], image)
    assert table["min"].tolist() == [2**63 + 5, 3]
    assert table["max"].tolist() == [2**64 - 1, 3]
    assert table["mean"][1] == 3
    wide = segkit.regions([1, 1], np.array([-(2**63), 2**63 - 1]))
    np.testing.assert_allclose(wide["variance"], 2.0**126)


def test_values_whose_squares_overflow_give_an_infinite_variance():
    table = segkit.regions([1, 1, 2], np.array([1e300, -1e300, 7.0]))
    assert table["variance"].tolist() == [np.inf, 0]


def test_channels_and_grouped_columns():
    image = np.arange(24).reshape(2, 2, 3, 2)
    labels = np.array([[[1, 1, 2], [1, 0, 2]], [[2, 2, 2], [2, 2, 2]]])
    last = segkit.regions(labels, image, channel_axis=-1)
    first = segkit.regions(labels, np.moveaxis(image, -1, 0), channel_axis=0)
    assert last.keys() == first.keys()
    np.testing.assert_array_equal(last["mean"], first["mean"])
    np.testing.assert_array_equal(last["mean"][0], image[labels == 1].mean(axis=0))
    assert last["bbox"].tolist() == [[[0, 1], [0, 2], [0, 2]], [[0, 2], [0, 2], [0, 3]]]
    assert last["centroid"].shape == (2, 3)
    assert all(column.shape == (2,) for column in last.values())
    with pytest.raises(KeyError, match="median"):
        last["median"]
    means = segkit.mean_image(labels, np.moveaxis(image, -1, 1), channel_axis=1)
    assert means.shape == (2, 2, 2, 3)
    np.testing.assert_array_equal(means[0, :, 1, 1], image[0, 1, 1])


def test_tables_go_into_pandas():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(segkit.regions([[1, 1], [0, 4]], [[1, 2], [3, 4]]))
    assert frame["label"].tolist() == [1, 4]
    assert list(frame.columns[:5]) == ["label", "pixels", "area", "bbox-0", "bbox-1"]


def test_sizes_add_up_and_large_ids_cost_nothing():
    import tracemalloc

    labels = np.random.default_rng(1).integers(0, 50, (100, 100))
    small = segkit.regions(labels)
    tracemalloc.start()
    large = segkit.regions(labels * 2**50)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert small["pixels"].sum() == np.count_nonzero(labels)
    assert large["label"].tolist() == [k * 2**50 for k in small["label"].tolist()]
    np.testing.assert_array_equal(large["perimeter"], small["perimeter"])
    assert peak < 1_000_000


def test_nan_counts_only_inside_regions():
    image = np.array([1.0, np.nan, 3.0])
    assert segkit.regions([1, 0, 1], image)["mean"].tolist() == [2]
    got = segkit.mean_image([1, 0, 1], image)
    np.testing.assert_array_equal(got, [2, np.nan, 2])
    for function in (segkit.regions, segkit.mean_image):
        with pytest.raises(ValueError, match="`image` must not hold NaN"):
            function([1, 1, 1], image)
        with pytest.raises(ValueError, match="`image` must not hold infinite"):
            function([1, 1], [1.0, np.inf])


def test_empty_arrays_and_no_regions():
    for labels in (np.zeros((0, 3), int), np.zeros((2, 3), int)):
        table = segkit.regions(labels, labels.astype(float))
        assert all(len(column) == 0 for column in table.values())
        assert segkit.mean_image(labels, labels.astype(float)).shape == labels.shape


@pytest.mark.parametrize(
    ("error", "message", "options"),
    [
        (ValueError, "`spacing` must hold 2 finite", {"spacing": (1, 2, 3)}),
        (ValueError, "`spacing` must hold 2 finite", {"spacing": (1, 0)}),
        (ValueError, "`spacing` must hold 2 finite", {"spacing": (1, -1)}),
        (ValueError, "`spacing` must hold 2 finite", {"spacing": (1, np.nan)}),
        (TypeError, "`spacing` must hold 2 finite", {"spacing": ("a", "b")}),
        (ValueError, "`labels` has shape", {"image": np.ones((3, 5))}),
        (ValueError, "pass channel_axis=-1", {"image": np.ones((3, 4, 3))}),
        (ValueError, "`channel_axis` must be an axis", {"image": np.ones(3), "channel_axis": 5}),
        (TypeError, "`image` has dtype complex128", {"image": np.ones((3, 4), complex)}),
    ],
)
def test_bad_arguments_of_regions(error, message, options):
    with pytest.raises(error, match=message):
        segkit.regions(np.ones((3, 4), int), **options)


def test_bad_arguments_of_mean_image():
    with pytest.raises(ValueError, match="`labels` has shape"):
        segkit.mean_image([1, 2], [1, 2, 3])
    with pytest.raises(TypeError, match="`labels` must hold integers"):
        segkit.mean_image([1.0, 2.0], [1, 2])
    with pytest.raises(TypeError, match="`image` must be an array"):
        segkit.mean_image([1, 2], None)


def test_an_area_beyond_a_double_is_infinite_without_a_warning():
    assert segkit.regions([[1]], spacing=[1e200, 1e200])["area"] == np.inf
