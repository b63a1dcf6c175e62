"""Classification by example: brute force, ties, scikit-learn's answers, bad input."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import segkit
from segkit import KNNSegmenter, PixelClassifier
from tests.reference import classification as plain
from tests.strategies import REAL_DTYPES, shapes

IDS = [0, 0, -2, 1, 3, 2**40]


@st.composite
def scribbled(draw, max_channels=3, high=3):
    """Images with channels last, of one number of channels, and annotations with a sample."""
    n_channels = draw(st.integers(1, max_channels))
    dtype = draw(st.sampled_from(REAL_DTYPES[1:]))
    images, annotations = [], []
    for _ in range(draw(st.integers(1, 2))):
        shape = draw(shapes(max_pixels=40))
        images.append(draw(hnp.arrays(dtype, (*shape, n_channels), elements=st.integers(0, high))))
        annotations.append(draw(hnp.arrays(np.int64, shape, elements=st.sampled_from(IDS))))
    if not any(marks.any() for marks in annotations):
        annotations[-1].flat[-1] = 1
    return images, annotations


def exact(image):
    """Return an image of Python's numbers, with which nothing is rounded and nothing wraps."""
    return image.astype(object)


# What it gives


@given(scribbled(), st.data())
def test_equal_to_brute_force(pair, data):
    images, annotations = pair
    samples = plain.samples_of(map(exact, images), annotations)
    k = data.draw(st.integers(1, len(samples)))
    weights = data.draw(st.sampled_from(["uniform", "distance"]))
    knn = KNNSegmenter(k, weights=weights, channel_axis=-1).fit(images, annotations)
    image = images[0]
    found, proba = knn.predict(image), knn.predict_proba(image)
    assert knn.n_samples_ == len(samples)
    assert knn.classes_.tolist() == sorted({owner for _, owner in samples})
    assert found.shape == image.shape[:-1]
    assert proba.shape == (*found.shape, knn.classes_.size)
    for place in np.ndindex(found.shape):
        pixel = exact(image)[place]
        if weights == "uniform":
            assert found[place] == plain.winner(samples, pixel, k)
        else:  # where sums of 1 / d round, a tie may go either way
            shares = plain.shares(samples, pixel, k, weights)
            chosen = shares[knn.classes_.tolist().index(found[place])]
            assert chosen >= max(shares) - 1e-12
        np.testing.assert_allclose(
            proba[place], plain.shares(samples, pixel, k, weights), rtol=1e-6
        )


def many(n, n_features, n_classes, n_levels, seed):
    """Return an image, and an annotation of all its pixels: far more samples than a leaf has."""
    generator = np.random.default_rng(seed)
    image = generator.integers(0, n_levels, (n, n_features))
    return image, generator.integers(1, n_classes + 1, n)


def brute_force(samples, owner, pixels, k):
    """Return the winners by sorting all distances, ties to the lowest class."""
    squares = ((pixels[:, np.newaxis] - samples[np.newaxis]) ** 2).sum(axis=-1)
    near = np.lexsort((np.broadcast_to(owner, squares.shape), squares))[:, :k]
    return np.array([np.bincount(owner[row]).argmax() for row in near])


@pytest.mark.parametrize("n_features", [1, 2, 3, 4, 10])
@pytest.mark.parametrize("n", [48, 49, 700, 6000])
@pytest.mark.parametrize("n_levels", [2, 12, 4000])
def test_equal_to_brute_force_with_many_samples(n, n_features, n_levels):
    image, marks = many(n, n_features, 3, n_levels, seed=n + n_features)
    for k, dtype in (
        (1, np.uint16), (5, np.float32), (40, np.float64), (min(n, 300), np.int16),
    ):  # fmt: skip
        knn = KNNSegmenter(k, channel_axis=-1).fit(image.astype(dtype), marks)
        pixels = many(300, n_features, 3, n_levels, seed=1)[0]
        found = knn.predict(pixels.astype(dtype))
        assert np.array_equal(found, brute_force(image, marks, pixels, k))


@pytest.mark.parametrize("n_features", [1, 3, 7])
def test_equal_to_scikit_learn_where_there_are_no_ties(n_features):
    from sklearn.neighbors import KNeighborsClassifier

    generator = np.random.default_rng(n_features)
    image = generator.normal(size=(60, 70, n_features)).astype(np.float32)
    marks = (image.sum(axis=-1) > 0) + 2 * (image[..., 0] > 0.5) + 1
    marks[generator.random(marks.shape) < 0.5] = 0
    other = generator.normal(size=(40, 50, n_features)).astype(np.float32)
    flat, labeled = image.reshape(-1, n_features), marks.ravel() > 0
    for k, weights in ((1, "uniform"), (5, "uniform"), (8, "distance")):
        knn = KNNSegmenter(k, weights=weights, channel_axis=-1).fit(image, marks)
        theirs = KNeighborsClassifier(k, weights=weights).fit(flat[labeled], marks.ravel()[labeled])
        wanted = theirs.predict_proba(other.reshape(-1, n_features))
        proba = knn.predict_proba(other)
        np.testing.assert_allclose(proba.reshape(wanted.shape), wanted, rtol=1e-5, atol=1e-6)
        clear = np.diff(np.sort(wanted, axis=1)[:, -2:]).ravel() > 1e-9
        found = knn.predict(other).ravel()
        assert np.array_equal(found[clear], theirs.predict(other.reshape(-1, n_features))[clear])


@given(hnp.arrays(np.int16, st.integers(1, 120), unique=True), st.integers(0, 3))
def test_the_nearest_neighbor_of_a_sample_is_itself(image, seed):
    marks = np.random.default_rng(seed).integers(1, 4, image.shape)
    knn = KNNSegmenter(1).fit(image, marks)
    assert np.array_equal(knn.predict(image), marks)
    assert (knn.predict_proba(image).max(axis=-1) == 1).all()


@given(scribbled(high=50), st.integers(0, 5))
def test_neither_the_order_of_samples_nor_of_pixels_matters(pair, seed):
    images, annotations = pair
    image = images[0].reshape(-1, images[0].shape[-1])
    values = np.concatenate([one.reshape(-1, image.shape[1]) for one in images])
    marks = np.concatenate([one.ravel() for one in annotations])
    k = max(1, np.count_nonzero(marks) // 2)
    order = np.random.default_rng(seed).permutation(len(values))
    for weights in ("uniform", "distance"):
        one = KNNSegmenter(k, weights=weights, channel_axis=-1).fit(values, marks)
        other = KNNSegmenter(k, weights=weights, channel_axis=-1).fit(values[order], marks[order])
        assert np.array_equal(one.predict(image), other.predict(image[::-1])[::-1])
        assert np.array_equal(one.predict_proba(image), other.predict_proba(image[::-1])[::-1])


def test_at_the_last_place_the_lowest_class_is_nearer():
    image = np.array([4, 6, 4, 6, 5])
    marks = np.array([3, 3, 1, 2, 0])
    assert KNNSegmenter(1).fit(image, marks).predict(image)[4] == 1
    assert KNNSegmenter(2).fit(image, marks).predict_proba(image)[4].tolist() == [0.5, 0.5, 0]


def test_of_equally_many_votes_the_lowest_class_wins():
    image = np.array([4, 4, 6, 6, 5])
    assert KNNSegmenter(4).fit(image, [9, 9, 2, 2, 0]).predict(image)[4] == 2
    assert KNNSegmenter(4).fit(image, [2, 2, 9, 9, 0]).predict(image)[4] == 2


def test_by_distance_a_neighbor_at_distance_0_outvotes_all_others():
    image = np.array([4, 5, 5, 6, 6, 6, 5])
    knn = KNNSegmenter(6, weights="distance").fit(image, [1, 3, 2, 1, 1, 1, 0])
    assert knn.predict(image)[6] == 2
    assert knn.predict_proba(image)[6].tolist() == [0, 0.5, 0.5]
    assert KNNSegmenter(6).fit(image, [1, 3, 2, 1, 1, 1, 0]).predict(image)[6] == 1


@pytest.mark.parametrize("n_features", [1, 3])
def test_all_samples_equal(n_features):
    image = np.full((70, 50, n_features), 7, np.uint8)
    marks = np.arange(3500).reshape(70, 50) % 3 + 1
    knn = KNNSegmenter(9, channel_axis=-1).fit(image, marks)
    assert (knn.predict(image) == 1).all()
    assert (knn.predict_proba(image) == [1, 0, 0]).all()
    assert (knn.predict(image + np.uint8(200)) == 1).all()


def test_pixels_may_be_of_a_wider_type_than_samples():
    knn = KNNSegmenter(1).fit(np.array([127, 128, 0], np.uint8), [1, 2, 0])
    assert knn.predict([127.5 - 1e-9, 127.5, 127.5 + 1e-9]).tolist() == [1, 1, 2]
    assert knn.predict(np.array([-1e100, 1e39])).tolist() == [1, 1]  # of equally far the lowest
    assert knn.predict(np.array([-(2**40), 2**40])).tolist() == [1, 2]
    wide = KNNSegmenter(1).fit(np.array([2**40, 2**40 + 2]), [1, 2])
    assert wide.predict(np.array([0, 255], np.uint8)).tolist() == [1, 1]
    assert wide.predict(np.array([2.0**40, 2.0**40 + 1, 2.0**40 + 1.5])).tolist() == [1, 1, 2]


def test_64_bit_integers_are_told_apart():
    for low in (-(2**63), 2**63 - 9, 0):
        image = np.array([low, low + 2, low + 6, low + 8], dtype=np.int64)
        knn = KNNSegmenter(1).fit(image[1:], [1, 0, 2])
        assert knn.predict(image).tolist() == [1, 1, 2, 2]
    image = np.array([2**64 - 5, 2**64 - 1, 0], dtype=np.uint64)
    assert KNNSegmenter(1).fit(image[:2], [1, 2]).predict(image).tolist() == [1, 2, 1]


@pytest.mark.parametrize("factor", [1e-30, 1e-18, 1.0, 1e18, 1e34])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_very_small_and_very_large_values(factor, dtype):
    image, marks = many(900, 3, 3, 1000, seed=2)
    pixels = many(200, 3, 3, 1000, seed=3)[0]
    knn = KNNSegmenter(5, channel_axis=-1).fit((image * factor).astype(dtype), marks)
    found = knn.predict((pixels * factor).astype(dtype))
    assert np.mean(found == brute_force(image, marks, pixels, 5)) > 0.99  # ties may round apart


@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_pixels_seen_before_and_blocks_change_nothing(weights):
    image, marks = many(4000, 2, 4, 30, seed=4)
    knn = KNNSegmenter(7, weights=weights, channel_axis=-1).fit(image, marks)
    pixels = np.tile(many(3000, 2, 4, 30, seed=5)[0], (15, 1))
    found, proba = knn.predict(pixels), knn.predict_proba(pixels)
    assert np.array_equal(found, np.tile(found[:3000], 15))
    assert np.array_equal(proba, np.tile(proba[:3000], (15, 1)))
    for p in range(0, 3000, 100):
        assert found[p] == knn.predict(pixels[p : p + 1])[0]


@pytest.mark.parametrize("n_jobs", [2, 3, -1])
def test_any_number_of_threads_gives_the_same(n_jobs):
    image, marks = many(60_000, 3, 5, 40, seed=6)
    alone = KNNSegmenter(max_samples=2000, channel_axis=-1).fit(image, marks)
    together = KNNSegmenter(max_samples=2000, channel_axis=-1, n_jobs=n_jobs).fit(image, marks)
    assert np.array_equal(alone.predict(image), together.predict(image))
    assert np.array_equal(alone.predict_proba(image), together.predict_proba(image))


# Samples


@given(st.lists(st.integers(0, 30), min_size=1, max_size=5).filter(any), st.data())
def test_samples_are_drawn_from_each_class_as_many(counts, data):
    marks = np.repeat(np.arange(1, len(counts) + 1), counts)
    marks = np.random.default_rng(1).permutation(marks)
    present = [n for n in counts if n]
    most = data.draw(st.integers(len(present), len(marks) + 3))
    image = np.arange(len(marks))
    knn = KNNSegmenter(1, max_samples=most).fit(image, marks)
    wanted = plain.balanced(present, most)
    assert knn.n_samples_ == sum(wanted) == min(most, len(marks))
    kept = PixelClassifier(Remembers(), max_samples=most).fit(image, marks).estimator_
    assert np.unique(kept.classes, return_counts=True)[1].tolist() == wanted
    assert np.array_equal(marks[kept.values[:, 0].astype(int)], kept.classes)
    assert (np.diff(kept.values[:, 0]) > 0).all()


def test_samples_are_drawn_over_all_images():
    images = [np.arange(0, 50), np.arange(50, 60), np.arange(60, 200)]
    marks = [np.where(image % 7 < 3, 1 + image % 2, 0) for image in images]
    marks[1][:] = 0
    drawn = PixelClassifier(Remembers(), max_samples=40).fit(images, marks).estimator_
    assert len(drawn.values) == 40
    assert len(set(drawn.values[:, 0])) == 40
    assert {int(value) // 50 for value in drawn.values[:, 0]} == {0, 1, 2, 3}
    again = PixelClassifier(Remembers(), max_samples=40, rng=0).fit(images, marks).estimator_
    assert np.array_equal(drawn.values, again.values)
    other = PixelClassifier(Remembers(), max_samples=40, rng=1).fit(images, marks).estimator_
    assert not np.array_equal(drawn.values, other.values)


class Remembers:
    """A classifier that only remembers what it was fitted to."""

    def get_params(self, deep=True):
        return {}

    def set_params(self):
        return self

    def fit(self, values, classes):
        self.values, self.classes = values, classes
        return self

    def predict(self, values):
        return np.full(len(values), self.classes[0])


def test_annotation_of_one_image_or_of_many_is_the_same():
    image = np.arange(12).reshape(3, 4)
    marks = np.where(image % 5 == 0, 1 + image // 6, 0)
    one = KNNSegmenter(1).fit(image, marks).predict(image)
    several = KNNSegmenter(1).fit([image[:1], image[1:]], [marks[:1], marks[1:]]).predict(image)
    lists = KNNSegmenter(1).fit(image.tolist(), marks.tolist()).predict(image.tolist())
    assert np.array_equal(one, several)
    assert np.array_equal(one, lists)


def test_classes_are_the_values_of_the_annotation():
    image = np.arange(4)
    knn = KNNSegmenter(1).fit(image, np.array([2**40, 0, -7, 0]))
    assert knn.classes_.tolist() == [-7, 2**40]
    assert knn.predict(image).tolist() == [2**40, -7, -7, -7]
    assert knn.predict(image).dtype == np.int64
    assert (
        KNNSegmenter(1).fit(image, np.array([0, 3, 0, 1], np.uint64)).predict(image).dtype == "i4"
    )
    marked = KNNSegmenter(1).fit(image, image > 1)
    assert marked.predict(image).tolist() == [1, 1, 1, 1]


def test_neighbors_and_weights_may_be_set_anew_after_fit():
    image, marks = many(300, 2, 4, 20, seed=7)
    knn = KNNSegmenter(1, channel_axis=-1).fit(image, marks)
    for parameters in ({"n_neighbors": 9}, {"weights": "distance"}, {"n_neighbors": 300}):
        knn.set_params(**parameters)
        again = KNNSegmenter(**knn.get_params()).fit(image, marks)
        assert np.array_equal(knn.predict_proba(image), again.predict_proba(image))
    for bad in (301, 0):
        with pytest.raises(ValueError, match="`n_neighbors` must be"):
            knn.set_params(n_neighbors=bad).predict(image)


# Any classifier


def classifiers():
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression, Perceptron
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    return {
        "logistic regression": make_pipeline(StandardScaler(), LogisticRegression()),
        "perceptron": make_pipeline(StandardScaler(), Perceptron(random_state=0)),
        "multilayer perceptron": make_pipeline(
            StandardScaler(), MLPClassifier((8,), max_iter=800, random_state=0)
        ),
        "support vector machine": make_pipeline(StandardScaler(), SVC()),
        "random forest": RandomForestClassifier(20, random_state=0),
    }


def two_grounds(seed=0):
    """Return a color image with a bright disc on a dark ground, scribbles and the truth."""
    rows, cols = np.indices((60, 70))
    truth = 1 + 6 * ((rows - 30) ** 2 + (cols - 35) ** 2 < 300)
    noise = np.random.default_rng(seed).normal(0, 12, (60, 70, 3))
    image = np.clip(80 + 10 * truth[..., np.newaxis] + noise, 0, 255).astype(np.uint8)
    scribbles = np.zeros_like(truth)
    scribbles[5, 5:60] = 1
    scribbles[28:33, 30:40] = 7
    return image, scribbles, truth


@pytest.mark.parametrize("name", classifiers())
def test_any_classifier_of_scikit_learn(name):
    image, scribbles, truth = two_grounds()
    estimator = classifiers()[name]
    classifier = PixelClassifier(estimator, features=["intensity", "smooth"], channel_axis=-1)
    found = classifier.fit(image, scribbles).predict(image)
    assert found.shape == truth.shape
    assert found.dtype == np.int32
    assert set(np.unique(found)) <= {1, 7}
    assert np.mean(found == truth) > 0.93
    features = segkit.pixel_features(image, ["intensity", "smooth"], channel_axis=-1)
    direct = classifiers()[name].fit(features[scribbles > 0], scribbles[scribbles > 0])
    assert np.array_equal(found.ravel(), direct.predict(features.reshape(-1, 12)))
    assert not hasattr(estimator, "n_features_in_"), "the estimator itself was fitted"
    if hasattr(direct, "predict_proba"):
        proba = classifier.predict_proba(image)
        assert proba.dtype == np.float32
        np.testing.assert_allclose(proba.sum(axis=-1), 1, rtol=1e-5)
        np.testing.assert_allclose(
            proba.reshape(-1, 2), direct.predict_proba(features.reshape(-1, 12)), atol=1e-6
        )
    else:
        assert not hasattr(classifier, "predict_proba")
        told = f"`estimator` gives no .*: {type(direct[-1]).__name__} has no `predict_proba`"
        with pytest.raises(AttributeError, match=told):
            classifier.predict_proba(image)


def test_scikit_learn_is_loaded_by_who_passes_a_classifier():
    from tests.test_layers import fresh

    code = (
        "import sys, segkit; knn = segkit.KNNSegmenter(1).fit([1, 2], [1, 2]); knn.predict([3]); "
        "print('sklearn' in sys.modules)"
    )
    assert fresh(code) == "False"


# Conventions


def test_clone_pickle_and_parameters():
    from sklearn.base import clone
    from sklearn.linear_model import LogisticRegression

    image, scribbles, _ = two_grounds()
    for one in (
        KNNSegmenter(3, weights="distance", channel_axis=-1),
        PixelClassifier(LogisticRegression(C=3.0), channel_axis=-1),
    ):
        copied = clone(one)
        assert repr(copied) == repr(one)
        one.fit(image, scribbles)
        again = pickle.loads(pickle.dumps(one))
        assert np.array_equal(again.predict(image), one.predict(image))
        assert np.array_equal(again.predict_proba(image), one.predict_proba(image))
        with pytest.raises(ValueError, match="call `fit` first"):
            copied.predict(image)
    assert one.get_params()["estimator__C"] == 3.0
    one.set_params(estimator__C=2.0)
    assert one.estimator.C == 2.0


def test_an_image_without_pixels_is_predicted_as_nothing():
    knn = KNNSegmenter(1).fit([1, 2], [1, 2])
    assert knn.predict(np.zeros((0, 3))).shape == (0, 3)
    assert knn.predict_proba(np.zeros((3, 0))).shape == (3, 0, 2)


def test_inputs_are_not_changed():
    image, scribbles, _ = two_grounds()
    before = image.copy(), scribbles.copy()
    image.flags.writeable = scribbles.flags.writeable = False
    KNNSegmenter(channel_axis=-1, max_samples=20).fit(image, scribbles).predict(image)
    assert np.array_equal(image, before[0])
    assert np.array_equal(scribbles, before[1])


# Bad input

IMAGE = np.arange(12.0).reshape(3, 4)
MARKS = np.where(IMAGE % 5 == 0, 1 + IMAGE // 6, 0).astype(int)
NAN = np.where(IMAGE == 3, np.nan, IMAGE)


@pytest.mark.parametrize(
    ("image", "annotation", "error", "message"),
    [
        (NAN, MARKS, ValueError, "`image` must not hold NaN"),
        (np.where(IMAGE == 3, -np.inf, IMAGE), MARKS, ValueError, "`image` must not hold inf"),
        (IMAGE * 1j, MARKS, TypeError, "`image` has dtype complex128"),
        (IMAGE, MARKS * 1.0, TypeError, "`annotation` must hold integers, got dtype float64"),
        (IMAGE, MARKS.astype(str), TypeError, "`annotation` has dtype"),
        (IMAGE, MARKS[:2], ValueError, r"`annotation` has shape \(2, 4\), `image` has shape"),
        (np.stack([IMAGE] * 3, -1), MARKS, ValueError, "pass channel_axis=-1"),
        (IMAGE, 0 * MARKS, ValueError, "at least one pixel of a class, got none"),
        (IMAGE[:0], MARKS[:0], ValueError, "at least one pixel of a class, got none"),
        ([IMAGE], MARKS, ValueError, "one class image for each of `image`, got one array"),
        (IMAGE, [MARKS], ValueError, "got a list of 1 for one array"),
        ([IMAGE, IMAGE], [MARKS], ValueError, "got a list of 1 for a list of 2"),
        ([], [], ValueError, "got a list of 0 for a list of 0"),
        (None, MARKS, TypeError, "`image` must be an array, got None"),
        (IMAGE, None, TypeError, "`annotation` must be an array, got None"),
        (3, 1, ValueError, "`image` must be an array of 1 to 4 dimensions"),
        (np.zeros((1,) * 5), np.ones((1,) * 5, int), ValueError, "1 to 4 spatial dimensions"),
        (IMAGE, np.full((3, 4), 2**63, np.uint64), ValueError, r"ids below 2\*\*63"),
        (IMAGE * 1e160, MARKS, ValueError, r"values up to 1e\+150"),
        ((IMAGE * 2e37).astype("f4"), MARKS, ValueError, r"values up to 1e\+38, got 2e\+38"),
    ],
)
def test_images_and_annotations_that_are_refused(image, annotation, error, message):
    with pytest.raises(error, match=message):
        KNNSegmenter(1).fit(image, annotation)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"n_neighbors": 0}, ValueError, "`n_neighbors` must be an integer >= 1, got 0"),
        ({"n_neighbors": 2.5}, TypeError, "`n_neighbors` must be an integer >= 1, got 2.5"),
        ({"n_neighbors": 4}, ValueError, "at most the number of samples, 3, got 4"),
        ({"n_neighbors": 3, "max_samples": 2}, ValueError, "at most the number of samples, 2"),
        ({"weights": "gauss"}, ValueError, '`weights` must be one of "uniform", "distance"'),
        ({"weights": None}, TypeError, "`weights`"),
        ({"max_samples": 1}, ValueError, "at least the number of classes, 2, got 1"),
        ({"max_samples": 0}, ValueError, "`max_samples` must be an integer >= 1"),
        ({"max_samples": True}, TypeError, "`max_samples`"),
        ({"rng": -1}, ValueError, "`rng`"),
        ({"rng": "0"}, TypeError, "`rng`"),
        ({"n_jobs": 0}, ValueError, "`n_jobs`"),
        ({"features": "intensity"}, TypeError, "`features` must be a sequence of words"),
        ({"features": ["color"]}, ValueError, "`features` must be one of"),
        ({"sigmas": [-1.0]}, ValueError, "`sigmas`"),
        ({"channel_axis": 2}, ValueError, "`channel_axis` must be an axis of `image`"),
    ],
)
def test_parameters_that_are_refused(parameters, error, message):
    with pytest.raises(error, match=message):
        KNNSegmenter(**{"n_neighbors": 1, **parameters}).fit(IMAGE, MARKS)


def test_images_of_other_numbers_of_features_are_refused():
    knn = KNNSegmenter(1, channel_axis=-1).fit(IMAGE[..., np.newaxis], MARKS)
    with pytest.raises(ValueError, match=r"`image` has 4 feature\(s\) per pixel"):
        knn.predict(IMAGE)
    for image in (NAN, IMAGE * 1e160):
        with pytest.raises(ValueError, match="`image` must"):
            KNNSegmenter(1).fit(IMAGE, MARKS).predict(image)
    with pytest.raises(ValueError, match="one number of features per pixel, got 4 and 3"):
        KNNSegmenter(1, channel_axis=-1).fit([IMAGE, IMAGE[:, :3]], [MARKS[:, 0], MARKS[0, :3]])


def test_an_image_without_annotated_pixels_is_looked_at_too():
    marks = [MARKS, 0 * MARKS]
    with pytest.raises(ValueError, match="`image` must not hold NaN"):
        KNNSegmenter(1).fit([IMAGE, NAN], marks)
    assert KNNSegmenter(1).fit([IMAGE, IMAGE], marks).n_samples_ == 3


@pytest.mark.parametrize("estimator", [None, 5, "svm", dict])
def test_what_is_no_classifier_is_refused(estimator):
    with pytest.raises(TypeError, match="`estimator` must be a classifier"):
        PixelClassifier(estimator).fit(IMAGE, MARKS)


class Odd(Remembers):
    """A classifier that answers as it is told; `fit` returns nothing."""

    def __init__(self, answer, classes=(1, 2)):
        self.answer, self.classes = answer, classes

    def get_params(self, deep=True):
        return {"answer": self.answer, "classes": self.classes}

    def fit(self, values, classes):
        self.classes_ = np.array(self.classes)

    def predict(self, values):
        return self.answer(len(values))

    predict_proba = predict


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda n: 1, r"one class for each of 12 pixel\(s\), got an array of shape \(\)"),
        (lambda n: np.ones(n + 1), r"got an array of shape \(13,\)"),
        (lambda n: np.ones((n, 2)), r"got an array of shape \(12, 2\)"),
        (lambda n: np.full(n, 3), r"the classes of `annotation`, \[1 2\], got 3"),
        (lambda n: np.full(n, 1.5), "got 1.5"),  # a regressor
        (lambda n: np.full(n, np.nan), "got nan"),
        (lambda n: np.full(n, "1"), "got 1"),
        (lambda n: np.full(n, None), "got None"),
    ],
)
def test_classes_that_were_not_annotated_are_refused(answer, message):
    with pytest.raises(ValueError, match=f"`estimator` must .*{message}"):
        PixelClassifier(Odd(answer)).fit(IMAGE, MARKS).predict(IMAGE)


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ([1.0], r"of shape \(12, 2\), got float64 of shape \(12, 1\)"),
        ([0.5, 0.3, 0.2], r"of shape \(12, 3\)"),
        ([np.nan, np.nan], "from 0 on and 1 in all"),
        ([-1.0, 2.0], "from 0 on and 1 in all"),
        ([0.5, np.inf], "from 0 on and 1 in all"),
        ([0.5, 0.6], "from 0 on and 1 in all"),
        (["a", "b"], "got <U1"),
    ],
)
def test_what_are_no_probabilities_is_refused(shares, message):
    odd = PixelClassifier(Odd(lambda n: np.array([shares] * n))).fit(IMAGE, MARKS)
    with pytest.raises(ValueError, match=f"`estimator` must give probabilities.*{message}"):
        odd.predict_proba(IMAGE)


def test_probabilities_follow_the_order_of_the_classifiers_own_classes():
    odd = Odd(lambda n: np.array([[0.9, 0.1]] * n), classes=(2, 1))
    proba = PixelClassifier(odd).fit(IMAGE, MARKS).predict_proba(IMAGE)
    np.testing.assert_allclose(proba[1, 1], [0.1, 0.9], rtol=1e-6)
    with pytest.raises(ValueError, match="`estimator` must learn the classes of `annotation`"):
        PixelClassifier(Odd(None, classes=(0, 1))).fit(IMAGE, MARKS)


def test_a_classifier_without_a_method_is_refused_before_any_work():
    class Lazy(Remembers):
        fit = None

    with pytest.raises(TypeError, match=r"`estimator` must be .* with `fit`"):
        PixelClassifier(Lazy()).fit(IMAGE, MARKS)
