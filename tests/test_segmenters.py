"""What all segmenters have in common: parameters, cloning, rows of features and back."""

import numpy as np
import pytest

from segkit._segmenter import NotFittedError, Segmenter


class Nothing(Segmenter):
    """The least a segmenter can be."""

    def __init__(self, n=1, *, features=("intensity",), sigmas=(1.0,), channel_axis=None):
        self.n = n
        self.features = features
        self.sigmas = sigmas
        self.channel_axis = channel_axis


def test_parameters_are_read_from_the_signature_and_set_by_name():
    one = Nothing(3, features=["lab"])
    assert one.get_params() == {
        "n": 3, "features": ["lab"], "sigmas": (1.0,), "channel_axis": None,
    }  # fmt: skip
    assert one.set_params(n=4) is one
    assert one.n == 4
    with pytest.raises(ValueError, match="`m` is no parameter of Nothing"):
        one.set_params(m=1)


def test_parameters_of_an_estimator_inside():
    one = Nothing(Nothing(2))
    assert one.get_params()["n__n"] == 2
    assert "n__n" not in one.get_params(deep=False)
    one.set_params(n__n=5)
    assert one.n.n == 5
    with pytest.raises(ValueError, match="`channel_axis__n` is no parameter"):
        one.set_params(channel_axis__n=1)


def test_repr_leaves_out_what_is_left_at_its_default():
    assert repr(Nothing(3, channel_axis=-1)) == "Nothing(n=3, channel_axis=-1)"
    assert repr(Nothing(np.zeros((2, 3)))) == "Nothing(n=array of shape (2, 3))"


def test_intensities_keep_their_type_and_memory_where_asked():
    image = np.arange(24, dtype=np.uint16).reshape(2, 4, 3)
    pixels = Nothing(channel_axis=-1)._pixels(image, native=True)
    assert np.shares_memory(pixels.values, image)
    assert pixels.values.shape == (8, 3)
    assert pixels.shape == (2, 4)
    assert Nothing(channel_axis=-1)._pixels(image).values.dtype == np.float32
    assert Nothing()._pixels(image > 3, native=True).values.dtype == np.uint8


def test_rows_inside_a_mask_are_spread_to_their_pixels():
    image = np.arange(6).reshape(2, 3)
    mask = image % 2 == 1
    pixels = Nothing()._pixels(image, mask)
    assert pixels.values.tolist() == [[1], [3], [5]]
    assert pixels.spread(np.array([7, 8, 9])).tolist() == [[0, 7, 0], [8, 0, 9]]
    assert pixels.spread(np.ones((3, 2)), fill=-1).shape == (2, 3, 2)


def test_unfitted_is_a_value_error_and_scikit_learns_own():
    from sklearn.exceptions import NotFittedError as Theirs

    with pytest.raises(Theirs, match="call `fit` first"):
        Nothing()._refuse_unfitted()
    assert issubclass(Theirs, ValueError)
    assert issubclass(NotFittedError, (ValueError, AttributeError))


def test_an_image_of_other_features_than_in_fit_is_refused():
    one = Nothing()
    one.n_features_in_ = 3
    with pytest.raises(ValueError, match=r"`image` has 1 feature\(s\) per pixel"):
        one._refuse_other_features(1)


def test_scikit_learn_clones_it():
    from sklearn.base import clone

    one = Nothing(3, features=["lab"])
    assert clone(one).get_params() == one.get_params()
