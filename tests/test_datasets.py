"""The sample images are there without a download, and the drawn ones know their truth."""

import numpy as np
import pytest

import segkit
from segkit import datasets


def test_samples_are_pictures_and_volumes():
    images = datasets.samples()
    assert {image.ndim for image in images.values()} == {2, 3}
    assert {"blobs", "tubes"} <= set(images)
    for name, image in images.items():
        assert image.dtype == np.uint8, name
        assert np.ptp(image) > 100, name


def test_samples_are_the_callers_own():
    first = datasets.samples()
    first["coins"][:] = 0
    assert datasets.samples()["coins"].max() > 0


def test_blobs_are_the_same_each_time_and_know_their_truth():
    image, truth = datasets.blobs()
    again, _ = datasets.blobs()
    np.testing.assert_array_equal(image, again)
    assert image.shape == truth.shape
    assert image[truth > 0].mean() > image[truth == 0].mean() + 60


def test_tubes_are_the_same_each_time_and_know_their_truth():
    image, truth = datasets.tubes()
    again, _ = datasets.tubes()
    np.testing.assert_array_equal(image, again)
    assert image.shape == truth.shape
    assert image[truth > 0].mean() > image[truth == 0].mean() + 60


@pytest.mark.parametrize(("shape", "n_levels"), [((48, 112, 112), 5), ((60, 80), 4), ((30, 40), 1)])
def test_tubes_are_one_tree_that_branches_in_two(shape, n_levels):
    _, truth = datasets.tubes(shape, n_levels=n_levels)
    np.testing.assert_array_equal(np.unique(truth), np.arange(2**n_levels))
    assert segkit.connected_components(truth > 0).max() == 1
    for tube in range(2, 2**n_levels):
        both = (truth == tube) | (truth == tube // 2)
        assert segkit.connected_components(both, connectivity=truth.ndim).max() == 1, tube
    trunk, tips = ((truth == tube).sum() for tube in (1, 2**n_levels - 1))
    assert n_levels == 1 or trunk > tips


def test_tubes_differ_by_their_seed():
    assert (datasets.tubes((40, 60))[1] != datasets.tubes((40, 60), rng=1)[1]).any()


@pytest.mark.parametrize(
    ("make", "arguments", "error", "told"),
    [
        (datasets.blobs, {"shape": 5}, TypeError, "`shape` must be a sequence of sides, got 5"),
        (datasets.blobs, {"shape": ()}, ValueError, "`shape` must hold 1 to 4 sides"),
        (datasets.blobs, {"shape": (4, -1)}, ValueError, r"`shape\[1\]` must be an integer >= 0"),
        (datasets.blobs, {"n_blobs": -1}, ValueError, "`n_blobs` must be an integer >= 0"),
        (datasets.blobs, {"rng": "x"}, TypeError, "`rng` must be an integer >= 0"),
        (datasets.tubes, {"shape": (40,)}, ValueError, "`shape` must hold 2 to 4 sides"),
        (datasets.tubes, {"shape": (4.5, 3)}, TypeError, r"`shape\[0\]` must be an integer >= 0"),
        (datasets.tubes, {"n_levels": 17}, ValueError, "`n_levels` must be an integer from 0 to"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(make, arguments, error, told):
    with pytest.raises(error, match=told):
        make(**arguments)
