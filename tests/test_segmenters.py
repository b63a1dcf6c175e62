"""What all segmenters have in common: parameters, cloning, rows of features and back.

SEGMENTERS holds a minimal valid one of each class; what is swept follows from it.  A
class that is public and missing here fails a test.
"""

import inspect
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import numpy as np
import pytest

import segkit
from segkit._segmenter import NotFittedError, Segmenter
from tests.strategies import REAL_DTYPES
from tests.test_every_function import LAYOUTS, NOT_NUMBERS, WRONG_TYPES, picture


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


# Every segmenter, over all that it must accept and must refuse


def classifier():
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(random_state=0)


# name and variant -> a new segmenter, given what each test varies
SEGMENTERS = {
    "KMeansSegmenter": lambda **given: segkit.KMeansSegmenter(3, **given),
    "KMeansSegmenter, random": lambda **given: segkit.KMeansSegmenter(
        2, **{"init": "random", "n_init": 3, "features": ["smooth"], "sigmas": [0.6]} | given
    ),
    "KNNSegmenter": lambda **given: segkit.KNNSegmenter(3, **given),
    "KNNSegmenter, distance": lambda **given: segkit.KNNSegmenter(
        2, **{"weights": "distance", "features": ["smooth"], "sigmas": [0.6]} | given
    ),
    "PixelClassifier": lambda **given: segkit.PixelClassifier(classifier(), **given),
    "GaussianMixtureSegmenter": lambda **given: segkit.GaussianMixtureSegmenter(2, **given),
    "HiddenMarkovChainSegmenter": lambda **given: segkit.HiddenMarkovChainSegmenter(2, **given),
    "HiddenMarkovChainSegmenter, viterbi": lambda **given: segkit.HiddenMarkovChainSegmenter(
        2, **{"scan": "snake", "decoding": "viterbi"} | given
    ),
    "MarkovRandomFieldSegmenter": lambda **given: segkit.MarkovRandomFieldSegmenter(2, **given),
}
SUPERVISED = ("KNNSegmenter", "PixelClassifier")
CLASSES = [
    name
    for name in segkit.__all__
    if inspect.isclass(getattr(segkit, name)) and issubclass(getattr(segkit, name), Segmenter)
]


def class_of(name):
    return getattr(segkit, name.split(",")[0])


def is_supervised(name):
    return name.split(",")[0] in SUPERVISED


def annotated(shape):
    """Return an annotation: two classes and, mostly, none."""
    annotation = np.zeros(shape, dtype=np.int32)
    annotation.reshape(-1)[::3] = 1
    annotation.reshape(-1)[1::3] = 4
    return annotation


def fitted(name, image, segmenter=None, **given):
    """Return a segmenter that has seen an image."""
    segmenter = SEGMENTERS[name](**given) if segmenter is None else segmenter
    spatial = np.shape(image)[:-1] if segmenter.channel_axis == -1 else np.shape(image)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # few different pixels
        if is_supervised(name):
            return segmenter.fit(image, annotated(spatial))
        return segmenter.fit(image)


def test_every_segmenter_is_in_the_table():
    assert {name.split(",")[0] for name in SEGMENTERS} == set(CLASSES)


@pytest.mark.parametrize("name", CLASSES)
def test_every_parameter_is_described(name):
    text = inspect.getdoc(class_of(name))
    for parameter in inspect.signature(class_of(name)).parameters:
        assert f"\n{parameter}" in text or f", {parameter}" in text, parameter
    for section in ("Parameters", "Attributes", "Notes", "Examples"):
        assert f"\n{section}\n---" in text
    assert "**Ties**" in text
    assert "**Cost**" in text
    assert ">>>" in text


@pytest.mark.parametrize("name", SEGMENTERS)
def test_results_have_their_types_and_shapes(name):
    for shape in ((40,), (9, 8), (5, 4, 3), (3, 2, 3, 4)):
        image = picture(shape)
        segmenter = fitted(name, image)
        labels = segmenter.predict(image)
        assert labels.shape == shape
        assert labels.dtype.kind == "i"
        proba = segmenter.predict_proba(image)
        assert proba.shape[:-1] == shape
        np.testing.assert_allclose(proba.sum(axis=-1), 1, rtol=1e-5)
        if is_supervised(name):
            assert set(np.unique(labels)) <= {1, 4}
            assert segmenter.classes_.tolist() == [1, 4]
        else:
            assert labels.min() >= 1
            assert labels.max() <= segmenter.n_classes


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", SEGMENTERS)
def test_layouts(name, layout, tmp_path):
    for shape, channel_axis in (((9, 8), None), ((5, 6, 4), -1)):
        image = picture(shape, np.uint16)
        wanted = fitted(name, image, channel_axis=channel_axis).predict(image)
        arranged = LAYOUTS[layout](image, tmp_path)
        before = np.array(arranged)
        got = fitted(name, arranged, channel_axis=channel_axis).predict(arranged)
        np.testing.assert_array_equal(got, wanted)
        np.testing.assert_array_equal(arranged, before, err_msg="input changed")


@pytest.mark.parametrize("dtype", REAL_DTYPES)
@pytest.mark.parametrize("name", SEGMENTERS)
def test_dtypes(name, dtype):
    image = picture((9, 8)) // (2 if dtype == np.bool_ else 1)
    if not name.startswith(("K", "Pixel")):  # the floor of its variances depends on the type
        wanted = fitted(name, image.astype(dtype)).predict(image)
    else:
        wanted = fitted(name, image).predict(image)
    for order in "=S":
        given = image.astype(np.dtype(dtype).newbyteorder(order))
        np.testing.assert_array_equal(fitted(name, given).predict(given), wanted)


@pytest.mark.parametrize("name", SEGMENTERS)
def test_sides_of_one(name):
    for shape in ((12, 1), (1, 12), (1, 3, 4), (2, 1, 3, 2)):
        image = picture(shape)
        assert fitted(name, image).predict(image).shape == shape


@pytest.mark.parametrize("name", SEGMENTERS)
def test_an_empty_image_has_nothing_to_learn_from(name):
    for shape in ((0,), (0, 3), (3, 0, 2)):
        with pytest.raises(ValueError, match=r"`(image|n_classes|annotation|n_neighbors)`"):
            fitted(name, np.zeros(shape, np.uint8))


@pytest.mark.parametrize("name", SEGMENTERS)
def test_the_same_answer_twice_and_from_eight_threads_at_once(name):
    image = picture((30, 20))
    segmenter = fitted(name, image)
    wanted = segmenter.predict(image)
    start = Barrier(8)

    def task(own):
        start.wait(10)
        return (fitted(name, image) if own % 2 else segmenter).predict(image)

    with ThreadPoolExecutor(8) as pool, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for labels in pool.map(task, range(8)):
            np.testing.assert_array_equal(labels, wanted)


@pytest.mark.parametrize("name", SEGMENTERS)
def test_clones_pickles_and_repr(name):
    from sklearn.base import clone

    image = picture((9, 8))
    segmenter = fitted(name, image)
    fresh = clone(segmenter)
    assert not hasattr(fresh, "n_features_in_")
    assert repr(fresh) == repr(segmenter)
    wanted = segmenter.predict(image)
    np.testing.assert_array_equal(fitted(name, image, fresh).predict(image), wanted)
    copied = pickle.loads(pickle.dumps(segmenter))
    np.testing.assert_array_equal(copied.predict(image), wanted)
    assert repr(segmenter).startswith(f"{name.split(',')[0]}(")


@pytest.mark.parametrize("name", SEGMENTERS)
def test_parameters_are_stored_as_they_are_and_found_again(name):
    segmenter = SEGMENTERS[name](features=["lab"], channel_axis=-1)
    found = segmenter.get_params(deep=False)
    assert set(found) == set(inspect.signature(class_of(name)).parameters)
    assert found["features"] == ["lab"]
    assert vars(segmenter) == found
    assert segmenter.set_params(channel_axis=None) is segmenter
    assert segmenter.channel_axis is None
    with pytest.raises(ValueError, match="`unknown` is no parameter"):
        segmenter.set_params(unknown=1)


@pytest.mark.parametrize("name", SEGMENTERS)
def test_before_fit_nothing_is_known(name):
    for method in ("predict", "predict_proba"):
        with pytest.raises(ValueError, match="call `fit` first"):
            getattr(SEGMENTERS[name](), method)(picture((4, 4)))


@pytest.mark.parametrize("name", SEGMENTERS)
def test_an_image_of_other_channels_is_refused(name):
    segmenter = fitted(name, picture((5, 6, 3)), channel_axis=-1)
    with pytest.raises(ValueError, match="`image` has"):
        segmenter.predict(picture((5, 6, 4)))


BAD_PARAMETERS = {
    "n_classes": (
        NOT_NUMBERS | {"half": 2.5, "none": None}, {"zero": 0, "many": 10**6, "nan": np.nan},
    ),
    "n_neighbors": (
        NOT_NUMBERS | {"half": 2.5, "none": None}, {"zero": 0, "many": 10**6, "nan": np.nan},
    ),
    "features": ({"text": "lab", "none": None, "numbers": [1]}, {"none": [], "unknown": ["x"]}),
    "sigmas": ({"number": 1.0, "none": None}, {"none": [], "zero": [0], "nan": [np.nan]}),
    "init": ({"none": None, "words": [["a"]]},
             {"number": 1, "unknown": "best", "nan": [[np.nan]] * 3, "empty": []}),
    "n_init": (NOT_NUMBERS | {"half": 2.5}, {"zero": 0, "inf": np.inf}),
    "max_iter": (NOT_NUMBERS | {"half": 2.5}, {"zero": 0, "inf": np.inf}),
    "tol": (NOT_NUMBERS, {"negative": -1, "nan": np.nan, "inf": np.inf}),
    "beta": (NOT_NUMBERS, {"negative": -1, "nan": np.nan, "inf": np.inf}),
    "rng": ({"half": 0.5, "text": "a"}, {"negative": -1}),
    "n_jobs": (NOT_NUMBERS | {"half": 1.5}, {"zero": 0, "below": -2}),
    "channel_axis": ({"half": 0.5, "text": "last"}, {"above": 2, "below": -3}),
    "weights": ({"number": 1, "none": None}, {"unknown": "near"}),
    "solver": ({"number": 1, "none": None}, {"unknown": "best"}),
    "max_samples": (NOT_NUMBERS | {"half": 2.5}, {"zero": 0, "nan": np.nan}),
    "connectivity": (NOT_NUMBERS | {"half": 1.5}, {"zero": 0, "three": 3}),
    "covariance": ({"number": 1, "none": None}, {"unknown": "round"}),
    "scan": ({"number": 1, "none": None}, {"unknown": "spiral"}),
    "decoding": ({"number": 1, "none": None}, {"unknown": "best"}),
}  # fmt: skip
TESTED_BY_THEIR_OWN = ("estimator", "prior")


def bad_parameters():
    for name in CLASSES:
        for parameter in inspect.signature(class_of(name)).parameters:
            if parameter in TESTED_BY_THEIR_OWN:
                continue
            for error, values in zip((TypeError, ValueError), BAD_PARAMETERS[parameter],
                                     strict=True):  # fmt: skip
                for kind, value in values.items():
                    yield pytest.param(
                        name, parameter, value, error, id=f"{name}-{parameter}-{kind}"
                    )


@pytest.mark.parametrize(("name", "parameter", "value", "error"), list(bad_parameters()))
def test_bad_parameters_are_refused_in_fit(name, parameter, value, error):
    segmenter = SEGMENTERS[name]()
    segmenter.set_params(**{parameter: value})
    given = [picture((5, 6))] + [annotated((5, 6))] * is_supervised(name)
    with pytest.raises(error, match=f"`{parameter}`"):
        segmenter.fit(*given)


WHOLE = {
    "n_classes": 2, "n_neighbors": 3, "max_samples": 20, "n_jobs": 2, "n_init": 2, "max_iter": 3,
    "connectivity": 1, "channel_axis": -1, "rng": 5,
}  # fmt: skip


@pytest.mark.parametrize("name", CLASSES)
def test_an_integer_may_be_a_whole_float_or_of_numpy(name):
    image = picture((9, 8, 3))
    for parameter in set(WHOLE) & set(inspect.signature(class_of(name)).parameters):
        wanted = None
        for kind in (int, np.int16, np.float64) if parameter != "rng" else (int, np.int16):
            given = {"channel_axis": -1, parameter: kind(WHOLE[parameter])}
            segmenter = SEGMENTERS[name]().set_params(**given)
            spatial = image.shape[:-1]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # EM is stopped
                segmenter.fit(*[image] + [annotated(spatial)] * is_supervised(name))
            found = segmenter.predict(image), segmenter.predict_proba(image)
            wanted = wanted or found
            np.testing.assert_array_equal(found[0], wanted[0], err_msg=parameter)
            np.testing.assert_array_equal(found[1], wanted[1], err_msg=parameter)


@pytest.mark.parametrize("method", ["fit", "predict"])
@pytest.mark.parametrize("name", SEGMENTERS)
def test_bad_images(name, method):
    segmenter = fitted(name, picture((3, 3)))
    call = segmenter.predict
    if method == "fit":
        call = partial(segmenter.fit, annotation=annotated((3, 3))) if is_supervised(name) else (
            segmenter.fit
        )  # fmt: skip
    for value in WRONG_TYPES.values():
        with pytest.raises(TypeError, match="`image`"):
            call(value)
    for value in (3, [[1], []], np.zeros((1,) * 5)):
        with pytest.raises(ValueError, match="`image`"):
            call(value)
    for bad in (np.nan, np.inf, -np.inf):
        image = picture((3, 3), np.float64)
        image[1, 2] = bad
        with pytest.raises(ValueError, match="`image`"):
            call(image)


@pytest.mark.parametrize("name", CLASSES)
def test_features_beyond_float32_are_refused(name):
    image = picture((6, 5), np.float64)
    segmenter = fitted(name, image, features=["smooth"])
    with pytest.raises(ValueError, match=r"`image` must hold .* values"):
        segmenter.predict(1e40 * image)
    with pytest.raises(ValueError, match=r"`image` must hold .* values"):
        fitted(name, 1e40 * image, features=["smooth"])


@pytest.mark.parametrize("name", [name for name in CLASSES if name not in SUPERVISED])
def test_bad_masks(name):
    segmenter = SEGMENTERS[name]()
    image = picture((6, 5))
    for value in ({"floats": 1.0}, image.astype(float), image.astype(str)):
        with pytest.raises(TypeError, match="`mask`"):
            segmenter.fit(image, value)
    for value in (image[:5] > 0, image + 2, True):
        with pytest.raises(ValueError, match="`mask`"):
            segmenter.fit(image, value)
    with pytest.raises(ValueError, match="`n_classes`"):
        segmenter.fit(image, np.zeros((6, 5), bool))
    with pytest.raises(ValueError, match="channel_axis=-1"):
        segmenter.fit(picture((6, 5, 3)), np.ones((6, 5), bool))


@pytest.mark.parametrize("name", [name for name in CLASSES if name not in SUPERVISED])
def test_0_outside_the_mask_and_a_class_inside(name):
    image = picture((9, 8))
    mask = image != 2
    segmenter = SEGMENTERS[name]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        labels = segmenter.fit_predict(image, mask)
    np.testing.assert_array_equal(labels > 0, mask)
    np.testing.assert_array_equal(segmenter.predict(image, mask * 1), labels)
    proba = segmenter.predict_proba(image, mask)
    assert not proba[~mask].any()
    np.testing.assert_allclose(proba[mask].sum(axis=-1), 1, rtol=1e-6)
    for method in (segmenter.predict, segmenter.predict_proba):
        with pytest.raises(ValueError, match="`mask`"):
            method(image, mask[1:])
