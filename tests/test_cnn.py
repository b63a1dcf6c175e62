"""The network that comes with segkit, and any other, whose answer is known."""

import numpy as np
import pytest

import segkit
from segkit import CNNSegmenter, datasets
from tests.networks import NAMES, nearest_grey, pointwise

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
        assert np.count_nonzero(first != second) <= 1  # equal scores to six digits
        matrix += np.bincount(12 * truth.ravel() + first.ravel(), minlength=144).reshape(12, 12)
    known = matrix[1:]  # void in the truth is left out
    both = known.diagonal(1)
    assert both.sum() / known.sum() > 0.84
    assert np.mean(both / (known.sum(axis=1) + known[:, 1:].sum(axis=0) - both)) > 0.53


def test_classes_are_those_of_the_data_set(data_root):
    network = CNNSegmenter.pretrained()
    assert network.classes == datasets.open("camvid", data_root).class_names
    assert list(network.classes) == list(range(1, 12))


def test_sizes_that_the_network_does_not_take_are_padded(backend):
    picture = datasets.samples()["chelsea"]
    assert any(side % 8 for side in picture.shape[:2])
    labels = CNNSegmenter.pretrained(backend=backend).predict(picture)
    assert labels.shape == picture.shape[:2]
    assert labels.max() > 1


# Any network


def test_the_class_is_that_of_the_highest_score(tmp_path, image, backend):
    network = CNNSegmenter(nearest_grey(tmp_path / "a.onnx"), **GREYS, backend=backend)
    labels = network.predict(image)
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, nearest(image))


@pytest.mark.parametrize("channels", ["rgb", "bgr"])
def test_channels_come_in_the_order_that_the_network_takes(tmp_path, backend, channels):
    matrix = np.eye(3)  # the largest of the channels
    network = CNNSegmenter(
        pointwise(tmp_path / "a.onnx", matrix, np.zeros(3)), class_names=NAMES,
        mean=(0, 10, 20), std=1, channels=channels, backend=backend,
    )  # fmt: skip
    color = np.random.default_rng(1).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    seen = color if channels == "rgb" else color[..., ::-1]
    wanted = (seen - np.array([0.0, 10.0, 20.0])).argmax(axis=-1) + 1
    np.testing.assert_array_equal(network.predict(color), wanted)


def test_it_is_exported():
    assert segkit.CNNSegmenter is CNNSegmenter
