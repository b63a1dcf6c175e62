"""The sample images are there without a download."""

import numpy as np

from segkit import datasets


def test_samples_are_pictures_and_a_volume():
    images = datasets.samples()
    assert {image.ndim for image in images.values()} == {2, 3}
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
