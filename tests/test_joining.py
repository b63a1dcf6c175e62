"""Felzenszwalb and Huttenlocher's joining, and Nock and Nielsen's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from skimage import data as pictures
from skimage.segmentation import felzenszwalb as skimage_felzenszwalb

import segkit
from tests import strategies as own
from tests.reference import joining as reference


def channel_images(data, dtypes):
    shape = data.draw(own.shapes(max_pixels=100))
    n_channels = data.draw(st.integers(1, 3))
    return data.draw(own.images(dtypes=dtypes, shape=(*shape, n_channels), n_levels=6)), shape


def smoothed(image, sigma, dtype):
    """Return what both versions start from: less the least value, channel by channel."""
    image = image.astype(float) - image.min().astype(float)
    out = np.empty(image.shape, dtype)
    for c in range(image.shape[-1]):
        plane = image[..., c].astype(dtype)
        out[..., c] = ndimage.gaussian_filter(plane, sigma, mode="nearest") if sigma else plane
    return out


@given(data=st.data())
def test_felzenszwalb_of_few_levels_equals_the_plain_version(data):
    image, shape = channel_images(data, own.INTEGER_DTYPES)
    scale = data.draw(st.sampled_from([0, 0.5, 1, 2.5, 4, 30]))
    min_size = data.draw(st.integers(0, 6))
    sigma = data.draw(st.sampled_from([0, 0, 0.8]))
    connectivity = data.draw(st.none() | own.connectivities(len(shape)))
    got = segkit.felzenszwalb(
        image, scale=scale, min_size=min_size, sigma=sigma, connectivity=connectivity,
        channel_axis=-1,
    )  # fmt: skip
    wanted = reference.felzenszwalb(
        smoothed(image, sigma, np.float32), scale, min_size,
        connectivity or min(2, len(shape)), most=255 * image.shape[-1] ** 0.5,
    )  # fmt: skip
    assert got.dtype == np.int32
    np.testing.assert_array_equal(got, wanted)


@given(data=st.data())
def test_felzenszwalb_of_other_images_equals_the_plain_version(data):
    image, shape = channel_images(data, (np.int16, np.int32, np.int64, np.float32, np.float64))
    image *= 300
    image.flat[0] = 1500  # never few levels
    scale = data.draw(st.sampled_from([0, 150, 300, 450.5, 1200, 9000]))
    sigma = data.draw(st.sampled_from([0, 0, 0.8]))
    got = segkit.felzenszwalb(image, scale=scale, min_size=3, sigma=sigma, channel_axis=-1)
    narrow = image.dtype in (np.float32,) or image.dtype.kind == "i"
    planes = smoothed(image, sigma, np.float32 if narrow else np.float64)
    wanted = reference.felzenszwalb(planes, scale, 3, min(2, len(shape)))
    np.testing.assert_array_equal(got, wanted)


@given(data=st.data())
def test_statistical_merging_equals_the_plain_version(data):
    image, _ = channel_images(data, own.INTEGER_DTYPES)
    if image.dtype.itemsize > 1 or image.dtype == np.uint8:
        image *= image.dtype.type(17)
    complexity = data.draw(st.sampled_from([0.5, 32, 1000, 30_000.5, 1e6]))
    min_size = data.draw(st.integers(0, 6))
    got = segkit.statistical_region_merging(
        image, complexity=complexity, min_size=min_size, channel_axis=-1
    )
    plain = image.astype(float) - image.min().astype(float)
    assert got.dtype == np.int32
    np.testing.assert_array_equal(
        got, reference.statistical_region_merging(plain, complexity, min_size)
    )


@given(data=st.data())
def test_statistical_merging_stretches_what_is_no_8_bit_image(data):
    image, _ = channel_images(data, (np.float32, np.float64, np.int32))
    image *= 1000
    complexity = data.draw(st.sampled_from([0.5, 32, 1000, 30_000.5, 1e6]))
    got = segkit.statistical_region_merging(image, complexity=complexity, channel_axis=-1)
    plain = image.astype(float) - image.min().astype(float)
    few = image.dtype.kind == "i" and plain.max() < 256
    levels = 256 if few else 256 * plain.max() / 255
    wanted = reference.statistical_region_merging(plain, complexity, 1, levels)
    np.testing.assert_array_equal(got, wanted)


METHODS = {
    "felzenszwalb": lambda image, **options: segkit.felzenszwalb(
        image, **({"scale": 60} | options)
    ),
    "statistical_region_merging": segkit.statistical_region_merging,
}


@pytest.mark.parametrize("name", METHODS)
def test_regions_are_connected_and_cover_the_image(name):
    image = pictures.coffee()[100:180, 200:300]
    labels = METHODS[name](image, min_size=30, channel_axis=-1)
    assert np.array_equal(labels, segkit.relabel(labels))
    connected = segkit.connected_components(labels, connectivity=2)
    assert connected.max() == labels.max() > 3
    assert segkit.regions(labels)["pixels"].min() >= 30


@pytest.mark.parametrize("name", METHODS)
def test_a_constant_and_an_axis_swap_change_nothing_but_ties(name):
    image = pictures.coins()[:90, :120].astype(np.int64)
    wanted = METHODS[name](image)
    assert np.array_equal(METHODS[name](image + 10**15), wanted)
    assert np.array_equal(METHODS[name](image.astype(np.uint8)), wanted)
    channels = np.stack([image] * 3)
    first = METHODS[name](channels, channel_axis=0)
    assert np.array_equal(first, METHODS[name](np.moveaxis(channels, 0, -1), channel_axis=-1))


def test_a_volume_of_two_boxes():
    volume = np.full((12, 14, 16), 40, np.uint8)
    volume[2:9, 3:11, 4:13] = 200
    for labels in (
        segkit.felzenszwalb(volume, scale=60, sigma=0),
        segkit.statistical_region_merging(volume),
    ):
        assert np.array_equal(labels, np.where(volume == 200, 2, 1))


@pytest.mark.parametrize("name", METHODS)
def test_a_flat_image_is_one_region_and_min_size_may_be_larger_than_it(name):
    flat = np.full((9, 11), 7.5)
    assert METHODS[name](flat).max() == 1
    rng = np.random.default_rng(0)
    assert METHODS[name](rng.random((9, 11)), min_size=10**12).max() == 1


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("shape", [(1,), (1, 1), (1, 7), (7, 1), (2, 1, 3, 1)])
def test_sides_of_one(name, shape):
    assert METHODS[name](np.zeros(shape, np.uint8)).tolist() == np.ones(shape, int).tolist()


def test_felzenszwalb_is_nearly_scikit_images():
    image = pictures.coffee()
    ours = segkit.felzenszwalb(image, scale=300, channel_axis=-1)
    theirs = skimage_felzenszwalb(image, scale=300, sigma=0.8, min_size=20, channel_axis=-1)
    assert segkit.metrics.adjusted_rand_index(theirs + 1, ours) > 0.9
    exact = segkit.felzenszwalb(image.astype(float), scale=300, channel_axis=-1)
    assert segkit.metrics.adjusted_rand_index(theirs + 1, exact) > 0.9
    small = segkit.felzenszwalb(image / 255, scale=300 / 255, channel_axis=-1)
    assert segkit.metrics.adjusted_rand_index(exact, small) > 0.9


def test_felzenszwalb_of_plain_regions_is_scikit_images():
    image = pictures.camera()[:200, :200] // 16 * 16
    for scale in (10, 100):
        ours = segkit.felzenszwalb(image, scale=scale, sigma=0, min_size=1)
        theirs = skimage_felzenszwalb(
            image, scale=scale * (1 + 1e-9), sigma=0, min_size=1, channel_axis=None
        )
        assert segkit.metrics.adjusted_rand_index(theirs + 1, ours) > 0.99


def test_statistical_merging_of_noise_finds_the_means():
    rng = np.random.default_rng(0)
    truth = np.ones((60, 80), int)
    truth[10:40, 20:60] = 2
    image = np.where(truth == 2, 170, 80) + rng.normal(0, 20, truth.shape)
    labels = segkit.statistical_region_merging(image.clip(0, 255).astype(np.uint8), min_size=9)
    assert np.mean(labels == truth) > 0.99
    fine = segkit.statistical_region_merging(image.astype(np.uint8), complexity=500)
    assert fine.max() > labels.max()


@pytest.mark.parametrize("name", METHODS)
def test_extreme_floats(name):
    image = np.array([[0.0, 1e149], [0.0, 1e149]])
    assert METHODS[name](image, min_size=0).tolist() == [[1, 2], [1, 2]]
    wide = np.stack([np.float32(image / 1e120)] * 2, axis=-1)
    assert METHODS[name](wide, min_size=0, channel_axis=-1).tolist() == [[1, 2], [1, 2]]
    with pytest.raises(ValueError, match="`image` must span less than"):
        METHODS[name](np.array([-1.7e308, 1.7e308]))


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"image": [[1.0, np.nan]]}, "`image` must not hold NaN"),
        ({"image": [[1.0, np.inf]]}, "`image` must not hold infinite"),
        ({"min_size": -1}, "`min_size`"),
        ({"channel_axis": 2}, "`channel_axis`"),
    ],
)
def test_bad_input(name, changes, match):
    with pytest.raises(ValueError, match=match):
        METHODS[name](**({"image": np.arange(6).reshape(2, 3)} | changes))


def test_a_complexity_of_zero_is_refused():
    with pytest.raises(ValueError, match="`complexity` must be a finite number > 0"):
        segkit.statistical_region_merging([1, 2], complexity=0)
