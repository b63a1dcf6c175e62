"""The network that comes with segkit, and any other, whose answer is known."""

import io
import pickle
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

import segkit
from segkit import CNNSegmenter, datasets
from tests.networks import NAMES, helper, nearest_grey, pointwise, saved
from tests.strategies import REAL_DTYPES

BACKENDS = ("opencv", "onnxruntime")
GREYS = {"class_names": NAMES, "mean": 0, "std": 1}


@pytest.fixture(params=BACKENDS)
def backend(request):
    """Each backend that is installed."""
    if request.param == "onnxruntime":
        pytest.importorskip("onnxruntime")
    return request.param


@pytest.fixture
def image():
    """An image of three grey levels, with noise."""
    levels = np.array([10, 110, 190])[np.indices((37, 52)).sum(axis=0) // 12 % 3]
    noise = np.random.default_rng(0).integers(-9, 10, levels.shape)
    return (levels + noise).astype(np.uint8)


@pytest.fixture(scope="module")
def greys(tmp_path_factory):
    """A network for grey images of any size, by OpenCV."""
    path = nearest_grey(tmp_path_factory.mktemp("greys") / "greys.onnx")
    return CNNSegmenter(path, **GREYS, backend="opencv")


def nearest(image):
    """Return the class that `nearest_grey` gives, by the definition."""
    distances = np.abs(np.asarray(image, float)[..., np.newaxis] - (0, 100, 200))
    return distances.argmin(axis=-1) + 1


# The trained network


@pytest.fixture(scope="session")
def reference(data_root):
    """The image and the answer that were published with the parameters."""
    return np.load(data_root / "espnet_camvid" / "reference.npz")


def test_the_trained_network_gives_the_published_labels(reference, backend):
    network = CNNSegmenter.pretrained("espnet-camvid", backend=backend)
    wanted = (reference["labels"].astype(int) + 1) % 12  # void, 11 there, is 0
    np.testing.assert_array_equal(network.predict(reference["image_rgb"]), wanted)


def test_probabilities_are_those_of_the_published_scores(reference, backend):
    network = CNNSegmenter.pretrained(backend=backend)
    proba = network.predict_proba(reference["image_rgb"])
    scores = np.moveaxis(reference["logits_stride8"], 0, -1).astype(float)
    wanted = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(proba[::8, ::8], wanted[..., :11], atol=1e-4)


def test_backends_agree_on_road_scenes_and_reach_the_published_accuracy(data_root):
    pytest.importorskip("onnxruntime")
    scenes = datasets.open("camvid", data_root)[::24]
    networks = [CNNSegmenter.pretrained(backend=name) for name in BACKENDS]
    matrix = np.zeros((12, 12), dtype=np.int64)
    for _, picture, truth in scenes:
        first, second = (network.predict(picture) for network in networks)
        assert np.count_nonzero(first != second) <= 1  # scores that are equal to six digits
        matrix += np.bincount(12 * truth.ravel() + first.ravel(), minlength=144).reshape(12, 12)
    known = matrix[1:]  # void in the truth is left out
    both = known.diagonal(1)
    assert both.sum() / known.sum() > 0.84
    assert np.mean(both / (known.sum(axis=1) + known[:, 1:].sum(axis=0) - both)) > 0.53


def test_classes_are_those_of_the_data_set(data_root):
    network = CNNSegmenter.pretrained()
    assert network.classes == datasets.open("camvid", data_root).class_names
    assert list(network.classes) == list(range(1, 12))


def test_the_trained_network_needs_no_data_and_no_trial(monkeypatch, backend):
    monkeypatch.setattr(segkit.cnn._trial, "tried", None)
    picture = datasets.samples()["chelsea"]
    assert any(side % 8 for side in picture.shape[:2])
    labels = CNNSegmenter.pretrained(backend=backend).predict(picture)
    assert labels.shape == picture.shape[:2]
    assert 1 < labels.max() <= 11


def test_there_are_no_other_trained_networks():
    with pytest.raises(ValueError, match='`name` must be one of "espnet-camvid"'):
        CNNSegmenter.pretrained("../../secret")


# What a network gives


def test_the_class_is_that_of_the_highest_score(tmp_path, image, backend):
    network = CNNSegmenter(nearest_grey(tmp_path / "a.onnx"), **GREYS, backend=backend)
    labels = network.predict(image)
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, nearest(image))


@pytest.mark.parametrize("channels", ["rgb", "bgr"])
def test_channels_come_in_the_order_that_the_network_takes(tmp_path, backend, channels):
    network = CNNSegmenter(
        pointwise(tmp_path / "a.onnx", np.eye(3), np.zeros(3)), class_names=NAMES,
        mean=(0, 10, 20), std=(1, 1, 1.5), channels=channels, backend=backend,
    )  # fmt: skip
    color = np.random.default_rng(1).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    seen = color if channels == "rgb" else color[..., ::-1]
    values = (seen - np.array([0.0, 10.0, 20.0])) / (1, 1, 1.5)
    np.testing.assert_array_equal(network.predict(color), values.argmax(axis=-1) + 1)


def test_grey_images_are_shown_to_a_network_for_colors_three_times(tmp_path, image):
    path = pointwise(tmp_path / "a.onnx", np.eye(3), (0, 1, -1))
    network = CNNSegmenter(path, **GREYS, backend="opencv")
    stacked = np.stack([image] * 3, axis=-1)
    np.testing.assert_array_equal(network.predict(image), network.predict(stacked))
    assert (network.predict(image) == 2).all()


def test_channels_may_lie_along_another_axis(tmp_path):
    path = pointwise(tmp_path / "a.onnx", np.eye(3), np.zeros(3))
    color = np.random.default_rng(1).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    first = CNNSegmenter(path, **GREYS, backend="opencv").predict(color)
    other = CNNSegmenter(path, **GREYS, backend="opencv", channel_axis=0)
    np.testing.assert_array_equal(other.predict(np.moveaxis(color, -1, 0)), first)


def test_void_is_no_class(tmp_path, image, backend):
    path = nearest_grey(tmp_path / "a.onnx")
    names = ("dark", "void", "bright")
    network = CNNSegmenter(path, class_names=names, mean=0, std=1, backend=backend)
    assert network.classes == {1: "dark", 2: "bright"}
    numbers = np.array([0, 1, 0, 2])
    np.testing.assert_array_equal(network.predict(image), numbers[nearest(image)])
    proba = network.predict_proba(image)
    assert proba.shape == (*image.shape, 2)
    assert (proba.sum(axis=-1)[nearest(image) == 2] < 0.5).all()


def softened(path, **fields):
    """Write a network whose scores are small enough for probabilities between 0 and 1."""
    levels = np.array([0.0, 100.0, 200.0])
    return pointwise(path, levels[:, np.newaxis] / 1e4, -(levels**2) / 2e4, **fields)


def soft(image):
    """Return the probabilities that `softened` gives, by the definition."""
    levels = np.array([0.0, 100.0, 200.0])
    powers = np.exp(image[..., np.newaxis] * levels / 1e4 - levels**2 / 2e4)
    return powers / powers.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("after", [[], [("Softmax", {"axis": 1})]])
def test_scores_and_probabilities_give_the_same(tmp_path, image, backend, after):
    network = CNNSegmenter(softened(tmp_path / "a.onnx", after=after), **GREYS, backend=backend)
    proba = network.predict_proba(image)
    assert proba.dtype == np.float32
    np.testing.assert_allclose(proba, soft(image), atol=1e-5)
    np.testing.assert_array_equal(network.predict(image), nearest(image))


@pytest.mark.parametrize("keepdims", [0, 1])
def test_a_network_may_give_labels(tmp_path, image, backend, keepdims):
    given = ("n", 1, "r", "c") if keepdims else ("n", "r", "c")
    path = nearest_grey(
        tmp_path / "a.onnx", after=[("ArgMax", {"axis": 1, "keepdims": keepdims})], given=given,
        dtype=7,
    )  # fmt: skip
    network = CNNSegmenter(path, **GREYS, backend=backend)
    np.testing.assert_array_equal(network.predict(image), nearest(image))
    proba = network.predict_proba(image)
    np.testing.assert_array_equal(proba.argmax(axis=-1) + 1, nearest(image))
    np.testing.assert_array_equal(proba.sum(axis=-1), 1)


@pytest.mark.parametrize("after", [[], [("Sigmoid", {})]])
def test_one_channel_of_scores_tells_two_classes_apart(tmp_path, image, backend, after):
    path = pointwise(tmp_path / "a.onnx", [[0.01]], [-1], after=after)
    network = CNNSegmenter(path, class_names=("void", "bright"), mean=0, std=1, backend=backend)
    np.testing.assert_array_equal(network.predict(image), image > 100)
    wanted = 1 / (1 + np.exp(1 - 0.01 * image[..., np.newaxis]))
    np.testing.assert_allclose(network.predict_proba(image), wanted, atol=1e-5)


def test_a_fixed_size_resizes_the_image_and_the_result(tmp_path, backend):
    path = nearest_grey(tmp_path / "a.onnx", sides=(1, 16, 24))
    network = CNNSegmenter(path, **GREYS, backend=backend)
    assert network.size == (16, 24)
    halves = np.repeat([[0, 200]], 32, axis=0).repeat(24, axis=1).astype(np.uint8)
    labels = network.predict(halves)
    np.testing.assert_array_equal(labels, np.where(halves == 0, 1, 3))
    assert network.predict_proba(halves).shape == (32, 48, 3)


def test_a_size_can_be_chosen_for_a_network_that_takes_any(tmp_path, image):
    path = nearest_grey(tmp_path / "a.onnx")
    network = CNNSegmenter(path, **GREYS, size=(20, 30), backend="opencv")
    labels = network.predict(image)
    assert labels.shape == image.shape
    assert np.mean(labels == nearest(image)) > 0.8


def test_sides_are_padded_to_the_multiples_that_a_network_takes(tmp_path, backend):
    """Shrunk by 4 and enlarged by 4: only multiples of 4 come back at their size."""
    shrunk = ("SpaceToDepth", {"blocksize": 4})
    path = nearest_grey(tmp_path / "a.onnx", after=[shrunk, ("DepthToSpace", {"blocksize": 4})])
    network = CNNSegmenter(path, **GREYS, backend=backend)
    labels = network.predict(np.full((9, 14), 190, np.uint8))
    np.testing.assert_array_equal(labels, np.full((9, 14), 3))


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float64])
def test_a_network_may_take_other_types(tmp_path, image, backend, dtype):
    """Cast to float within; bytes are rounded, and cut off at 0 and 255."""
    first = helper.make_node("Cast", ["image"], ["cast"], to=1)
    levels = np.array([0.0, 100.0, 200.0], np.float32)
    weights = {"w": 2 * levels.reshape(3, 1, 1, 1), "b": -(levels**2)}
    taken = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    path = saved(
        tmp_path / "a.onnx", [first, helper.make_node("Conv", ["cast", "w", "b"], ["out"])],
        weights, given=("n", 3, "r", "c"), taken=("n", 1, "r", "c"), taken_dtype=taken,
    )  # fmt: skip
    network = CNNSegmenter(path, **GREYS, backend=backend)
    np.testing.assert_array_equal(network.predict(image), nearest(image))
    values = np.array([[-900.0, 49.6, 151.4, 900.0]])
    np.testing.assert_array_equal(network.predict(values), [[1, 1, 3, 3]])


@pytest.mark.parametrize("dtype", REAL_DTYPES)
def test_values_are_taken_as_they_are_in_any_type(greys, dtype):
    high = 2 if dtype == np.bool_ else 120
    image = (np.indices((9, 11)).sum(axis=0) * 9 % high).astype(dtype)
    np.testing.assert_array_equal(greys.predict(image), nearest(image))


def test_lists_and_views_are_images_too(greys, image):
    wanted = nearest(image)
    np.testing.assert_array_equal(greys.predict(image.tolist()), wanted)
    np.testing.assert_array_equal(greys.predict(np.asfortranarray(image)), wanted)
    np.testing.assert_array_equal(greys.predict(image[::-2, ::-1]), wanted[::-2, ::-1])
    np.testing.assert_array_equal(greys.predict(image.astype(">u2")), wanted)
    image.flags.writeable = False
    np.testing.assert_array_equal(greys.predict(image), wanted)


def test_floats_of_other_units_are_noticed():
    network = CNNSegmenter.pretrained(backend="opencv")
    with pytest.warns(UserWarning, match="`image` holds numbers from 0 to 1"):
        network.predict(np.full((16, 16, 3), 0.5))


# Tiles, many images, threads


@pytest.mark.parametrize("tile", [8, 16, (5, 52), (37, 9), 1])
@pytest.mark.parametrize("overlap", [0, 0.25, 0.9, 3])
def test_tiles_of_a_network_without_surroundings_change_nothing(greys, image, tile, overlap):
    if overlap == 3 and tile == 1:
        with pytest.raises(ValueError, match="`overlap` must be less than the side of `tile`, 1"):
            greys.predict(image, tile=tile, overlap=overlap)
        return
    labels = greys.predict(image, tile=tile, overlap=overlap, batch_size=3)
    np.testing.assert_array_equal(labels, nearest(image))
    proba = greys.predict_proba(image, tile=tile, overlap=overlap)
    np.testing.assert_allclose(proba, greys.predict_proba(image), atol=1e-5)


def test_tiles_blend_by_the_distance_from_their_border(tmp_path):
    """A network that gives each tile the mean of its first column: the blend is a ramp."""
    from segkit import _tiles

    assert _tiles.starts(20, 8, 2) == [0, 6, 12]
    assert _tiles.starts(21, 8, 2) == [0, 6, 12, 13]
    assert _tiles.starts(8, 8, 2) == [0]
    np.testing.assert_allclose(_tiles.ramp(6, 2), [1 / 3, 2 / 3, 1, 1, 2 / 3, 1 / 3])
    ones = np.ones((1, 4, 6), np.float32)
    weight = (_tiles.ramp(4, 0), _tiles.ramp(6, 2))
    ((row, values),) = _tiles.blended([ones * 0, ones * 3], [0], [0, 4], weight, 10)
    assert row == 0
    np.testing.assert_allclose(values[0, 0], [0, 0, 0, 0, 1, 2, 3, 3, 3, 3], atol=1e-6)


def test_tiles_of_a_fixed_size_cover_larger_and_smaller_images(tmp_path, image, backend):
    path = nearest_grey(tmp_path / "a.onnx", sides=(2, 16, 24))
    network = CNNSegmenter(path, **GREYS, backend=backend)
    for part in (image, image[:10], image[:9, :20]):
        labels = network.predict(part, tile=(16, 24), overlap=4, batch_size=3)
        np.testing.assert_array_equal(labels, nearest(part))
    with pytest.raises(ValueError, match=r"`tile` must be the size of `model`, \(16, 24\), got"):
        network.predict(image, tile=16)


def test_a_tile_that_covers_the_image_is_the_whole():
    network = CNNSegmenter.pretrained()
    picture = datasets.samples()["chelsea"][:96, :120]
    whole = network.predict_proba(picture)
    np.testing.assert_array_equal(network.predict_proba(picture, tile=1000), whole)


def test_many_images_of_several_sizes(greys, image):
    pictures = [image, image + 5, image[:8], image[:8] + 9, image]
    found = list(greys.predict_each(iter(pictures), batch_size=2))
    for picture, labels in zip(pictures, found, strict=True):
        assert labels.dtype == np.int32
        np.testing.assert_array_equal(labels, nearest(picture))
    assert list(greys.predict_each([])) == []


def test_a_result_is_not_overwritten_by_the_next(greys, image):
    first = greys.predict_proba(image)
    kept = first.copy()
    greys.predict_proba(255 - image)
    np.testing.assert_array_equal(first, kept)


def test_eight_threads_get_the_same(backend):
    network = CNNSegmenter.pretrained(backend=backend)
    picture = datasets.samples()["coffee"][:160, :200]
    parts = [picture[k:] for k in range(0, 64, 8)]  # of different sizes
    wanted = [network.predict(part) for part in parts]
    barrier = Barrier(len(parts))

    def run(part):
        barrier.wait()
        return [network.predict(part) for _ in range(3)]

    with ThreadPoolExecutor(len(parts)) as pool:
        for results, labels in zip(pool.map(run, parts), wanted, strict=True):
            for result in results:
                np.testing.assert_array_equal(result, labels)


def test_a_network_can_be_pickled(greys, image):
    again = pickle.loads(pickle.dumps(greys))
    np.testing.assert_array_equal(again.predict(image), greys.predict(image))
    assert repr(again) == repr(greys) == "<CNNSegmenter greys.onnx: 3 classes, opencv>"


def test_long_work_shows_a_bar(greys, image, monkeypatch):
    stream = io.StringIO()
    stream.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", stream)
    greys.predict(image, tile=8)
    assert stream.getvalue() == ""
    greys.predict(image, tile=8, progress=True)
    assert re.search(r"\d+/54", stream.getvalue())
    list(greys.predict_each([image] * 3, progress=True))
    assert "/3" in stream.getvalue()


def test_the_input_is_not_changed(greys, image):
    kept = image.copy()
    greys.predict(image, tile=16)
    np.testing.assert_array_equal(image, kept)


# Bad input: the column CNN


def test_a_mask_leaves_out(greys, image):
    mask = image > 50
    labels = greys.predict(image, mask=mask)
    np.testing.assert_array_equal(labels, np.where(mask, nearest(image), 0))
    assert (greys.predict(image, mask=mask & False) == 0).all()
    with pytest.raises(ValueError, match=r"`mask` has shape \(2, 52\), `image` has shape"):
        greys.predict(image, mask=mask[:2])
    with pytest.raises(TypeError, match="`mask` must be bool"):
        greys.predict(image, mask=image.astype(float))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_an_image_that_is_not_finite(greys, value):
    image = np.ones((4, 5))
    image[1, 2] = value
    with pytest.raises(ValueError, match="`image` must not hold"):
        greys.predict(image)
    with pytest.raises(ValueError, match="`image` must not hold"):
        list(greys.predict_each([image]))


def test_an_image_beyond_float32(greys):
    with pytest.raises(ValueError, match="`image` holds values that are too large"):
        greys.predict(np.full((4, 5), 1e300))


@pytest.mark.parametrize("dtype", ["complex128", "object", "U3", "M8[s]"])
def test_an_image_of_a_wrong_type(greys, dtype):
    with pytest.raises(TypeError, match="`image` has dtype"):
        greys.predict(np.zeros((4, 5)).astype(dtype))


@pytest.mark.parametrize("shape", [(), (5,), (0, 5), (5, 0), (0, 0), (2, 3, 4, 1), (2, 2, 2, 2, 1)])
def test_an_image_of_a_wrong_shape(greys, shape):
    with pytest.raises(ValueError, match="`image` must"):
        greys.predict(np.zeros(shape))


def test_an_image_of_other_channels(greys, tmp_path):
    with pytest.raises(ValueError, match=r"`image` must have 1 channel\(s\), as `model` takes"):
        greys.predict(np.zeros((5, 6, 3)))
    path = pointwise(tmp_path / "a.onnx", np.eye(3), np.zeros(3))
    colors = CNNSegmenter(path, **GREYS, backend="opencv")
    with pytest.raises(ValueError, match=r"`image` must have 3 channel\(s\)"):
        colors.predict(np.zeros((5, 6, 4)))
    flat = CNNSegmenter(path, **GREYS, backend="opencv", channel_axis=None)
    with pytest.raises(ValueError, match="channel_axis=-1"):
        flat.predict(np.zeros((5, 6, 3)), mask=np.ones((5, 6), bool))


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        ({"overlap": -1}, ValueError, "`overlap` must be a finite number >= 0"),
        ({"overlap": np.nan}, ValueError, "`overlap` must be a finite number >= 0"),
        ({"overlap": np.inf}, ValueError, "`overlap` must be a finite number >= 0"),
        ({"overlap": 8}, ValueError, "`overlap` must be less than the side of `tile`, 8"),
        ({"overlap": 2.5}, TypeError, "`overlap` must be an integer"),
        ({"overlap": "2"}, TypeError, "`overlap`"),
        ({"tile": 0}, ValueError, "`tile` must be an integer >= 1"),
        ({"tile": (4, 4, 4)}, ValueError, "`tile` must be one side or two"),
        ({"tile": 2.5}, TypeError, "`tile` must be an integer >= 1"),
        ({"batch_size": 0}, ValueError, "`batch_size` must be an integer >= 1"),
        ({"batch_size": True}, TypeError, "`batch_size` must be an integer >= 1"),
    ],
)
def test_bad_ways_to_predict(greys, wrong, error, text):
    for method in (greys.predict, greys.predict_proba):
        with pytest.raises(error, match=text):
            method(np.zeros((20, 20)), **{"tile": 8} | wrong)


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        ({"class_names": "abc"}, TypeError, "`class_names` must be a sequence of str"),
        ({"class_names": 3}, TypeError, "`class_names` must be a sequence of str"),
        ({"class_names": (1, 2, 3)}, TypeError, "`class_names` must hold str"),
        ({"class_names": ()}, ValueError, "`class_names` must name at least one class"),
        ({"class_names": ["void"] * 3}, ValueError, "`class_names` must name at least one class"),
        ({"class_names": NAMES[:2]}, ValueError, "`model` .* must give 2 values, one for each of"),
        ({"class_names": (*NAMES, "x")}, ValueError, "`model` .* must give 4 values"),
        ({"mean": np.nan}, ValueError, "`mean` must be a finite number"),
        ({"mean": (1, 2, 3)}, ValueError, "`mean` and `std` must hold one number, or one for each"),
        ({"mean": "0"}, TypeError, "`mean` must be a finite number"),
        ({"mean": [[0]]}, ValueError, "`mean` must be a finite number, or one for each channel"),
        ({"mean": [[0], [1, 2]]}, ValueError, "`mean`"),
        ({"std": 0}, ValueError, "`std` must be > 0, got 0"),
        ({"std": -1}, ValueError, "`std` must be > 0, got -1"),
        ({"std": np.inf}, ValueError, "`std` must be a finite number"),
        ({"std": None}, TypeError, "`std` must be a finite number"),
        ({"channels": "hsv"}, ValueError, '`channels` must be one of "rgb", "bgr"'),
        ({"channels": None}, TypeError, "`channels` must be one of"),
        ({"size": 0}, ValueError, "`size` must be an integer >= 1"),
        ({"size": (4,)}, ValueError, "`size` must be one side or two"),
        ({"size": "x"}, TypeError, "`size` must be an integer >= 1"),
        ({"backend": "tensorflow"}, ValueError, '`backend` must be one of "auto", "opencv"'),
        ({"backend": 1}, TypeError, "`backend` must be one of"),
        ({"channel_axis": 7}, ValueError, "`channel_axis` must be an integer from -3 to 2"),
        ({"channel_axis": 1.5}, TypeError, "`channel_axis` must be an integer"),
        ({"max_bytes": 0}, ValueError, "`max_bytes` must be an integer >= 1"),
        ({"model": 3}, TypeError, "`model` must be a str or a path"),
        ({"model": None}, TypeError, "`model` must be a str or a path"),
    ],
)
def test_bad_ways_to_make_one(greys, wrong, error, text):
    with pytest.raises(error, match=text):
        CNNSegmenter(**{"model": greys.path, "backend": "opencv"} | GREYS | wrong)


def test_a_size_that_is_not_that_of_the_model(tmp_path):
    path = nearest_grey(tmp_path / "a.onnx", sides=(1, 16, 24))
    with pytest.raises(ValueError, match=r"`size` must be that of `model`, \(16, 24\), got"):
        CNNSegmenter(path, **GREYS, size=16)
    path = nearest_grey(tmp_path / "b.onnx", sides=(1, 16, "c"))
    with pytest.raises(ValueError, match="`size` must be given: `model` has one free side"):
        CNNSegmenter(path, **GREYS)
    assert CNNSegmenter(path, **GREYS, size=(16, 20), backend="opencv").size == (16, 20)


@pytest.mark.parametrize("missing", ["onnxruntime", "torch"])
def test_what_is_not_installed_is_named_with_its_extra(monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    if missing == "onnxruntime":
        with pytest.raises(ImportError, match=r"onnxruntime .*: pip install 'segkit\[onnx\]'"):
            CNNSegmenter.pretrained(backend="onnxruntime")
        assert CNNSegmenter.pretrained().backend == "opencv"
        return
    monkeypatch.delitem(sys.modules, "segkit._espnet", raising=False)
    from segkit import training

    with pytest.raises(ImportError, match=r"torch: pip install 'segkit\[train\]'"):
        training.espnet(3)


def test_what_a_layer_gives_can_be_looked_at(tmp_path, image, backend):
    from segkit import _backends, _onnx

    path = nearest_grey(tmp_path / "a.onnx", after=[("Relu", {}), ("Softmax", {"axis": 1})])
    model = CNNSegmenter(path, **GREYS, backend=backend)._model
    assert [node.kind for node in _onnx.nodes(model)] == ["Conv", "Relu", "Softmax"]
    name = _onnx.nodes(model)[1].gives[0]
    run = _backends.load(_onnx.giving(model, name), backend, name)
    values = image[np.newaxis, np.newaxis].astype(np.float32)
    levels = np.array([0, 100, 200], np.float32)[:, np.newaxis, np.newaxis]
    wanted = np.maximum(2 * levels * values[0] - levels**2, 0)
    np.testing.assert_allclose(run(values)[0], wanted, rtol=1e-5)


def test_a_network_like_those_that_pytorch_exports(tmp_path, backend):
    """Strides, a gate, a mean over the image that is added everywhere, and a resize back."""
    rng = np.random.default_rng(0)
    weights = {
        "a": rng.normal(size=(4, 3, 3, 3)).astype(np.float32) / 500,
        "b": rng.normal(size=(5, 4, 1, 1)).astype(np.float32),
        "scales": np.array([1, 1, 2, 2], np.float32),
    }
    steps = [
        ("Conv", ["image", "a"], "c", {"strides": [2, 2], "pads": [1, 1, 1, 1]}),
        ("Sigmoid", ["c"], "s", {}),
        ("Mul", ["c", "s"], "m", {}),
        ("GlobalAveragePool", ["m"], "g", {}),
        ("Add", ["m", "g"], "p", {}),
        ("Conv", ["p", "b"], "q", {}),
        ("Resize", ["q", "", "scales"], "out", {"mode": "linear"}),
    ]
    nodes = [helper.make_node(kind, reads, [gives], **told) for kind, reads, gives, told in steps]
    path = saved(tmp_path / "a.onnx", nodes, weights, given=("n", 5, "r", "c"))
    network = CNNSegmenter(path, class_names=list("abcde"), mean=0, std=1, backend=backend)
    color = rng.integers(0, 256, (31, 46, 3), dtype=np.uint8)
    first = network.predict_proba(color)
    assert first.shape == (31, 46, 5)
    assert np.ptp(first) > 0.1
    pytest.importorskip("onnxruntime")
    other = CNNSegmenter(path, class_names=list("abcde"), mean=0, std=1, backend="onnxruntime")
    np.testing.assert_allclose(first, other.predict_proba(color), atol=1e-4)
