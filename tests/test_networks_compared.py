"""Networks beside the other methods: on the page of a comparison."""

import re

import numpy as np
import pytest

import segkit
from segkit import CNNSegmenter
from segkit.cli import main
from tests.networks import NAMES, nearest_grey
from tests.test_cnn import nearest

METHODS = ["flat_zones"]


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    path = nearest_grey(tmp_path_factory.mktemp("greys") / "greys.onnx")
    return CNNSegmenter(path, class_names=NAMES, mean=0, std=1, backend="opencv")


@pytest.fixture
def squares():
    image = np.full((40, 60), 9, np.uint8)
    image[8:30, 6:26] = image[8:30, 34:54] = 120
    image[32:36, 2:50] = 205
    return image


def test_a_network_gets_a_row_like_the_methods(network, squares):
    found = segkit.compare({"squares": squares}, methods=METHODS, networks=network)
    method, row = found.table
    assert (method["method"], row["method"]) == ("flat_zones", "greys")
    assert method.keys() == row.keys()
    np.testing.assert_array_equal(found.labels["squares", "greys"], nearest(squares))
    assert (row["n_regions"], row["unlabelled"], row["parameters"]) == (3, 0, {})
    assert row["seconds"] > 0
    assert row["memory"] > 0


def test_classes_are_scored_by_their_numbers(network, squares):
    truth = nearest(squares)
    swapped = np.choose(truth - 1, [2, 1, 3])
    found = segkit.compare(
        {"right": squares, "swapped": squares}, methods=METHODS, networks={"net": network},
        truths={"right": truth, "swapped": swapped}, kind="classes",
    )  # fmt: skip
    scores = {(row["image"], row["method"]): row["mean_iou"] for row in found.table}
    assert scores["right", "net"] == 1
    assert scores["swapped", "net"] < 0.5
    assert scores["swapped", "flat_zones"] == scores["right", "flat_zones"] > 0.5


@pytest.mark.parametrize("kind", ["partitions", "regions", "instances"])
def test_regions_are_the_components_of_classes(network, squares, kind):
    truth = segkit.connected_components(nearest(squares))
    found = segkit.compare(
        {"a": squares}, methods=METHODS, networks=network, truths={"a": truth}, kind=kind
    )
    np.testing.assert_array_equal(found.labels["a", "greys"], truth)


def test_volumes_are_left_to_the_methods(network):
    volume = np.zeros((3, 9, 9), np.uint8)
    found = segkit.compare([volume, volume[..., 0]], methods=METHODS, networks=network)
    assert [row["method"] for row in found.table] == ["flat_zones", "flat_zones", "greys"]


def test_the_page_tells_of_the_network(network, squares, tmp_path):
    truth = nearest(squares)
    found = segkit.compare(
        {"a": squares}, methods=METHODS, networks=network, truths={"a": truth}, kind="classes"
    )
    page = found.save(tmp_path).read_text(encoding="utf-8")
    assert "network.predict(image)" in page
    assert "A trained network: &lt;CNNSegmenter greys.onnx: 3 classes, opencv&gt;." in page
    assert re.search(r"Greys \*", page)
    assert "* gives classes itself and is scored by its numbers" in page


@pytest.mark.parametrize(
    ("networks", "error", "text"),
    [
        ("espnet", TypeError, "`networks` must be a CNNSegmenter, or a dict of them, got 'espnet'"),
        ({"a": 3}, TypeError, r"`networks\['a'\]` must be a CNNSegmenter, got 3"),
        ("itself", ValueError, "`networks` has 'watershed', which is the name of a method"),
    ],
)
def test_networks_are_refused_in_words(network, squares, networks, error, text):
    given = {"watershed": network} if networks == "itself" else networks
    with pytest.raises(error, match=text):
        segkit.compare([squares], methods=METHODS, networks=given)


def test_the_command_adds_the_trained_network(squares, tmp_path):
    photo, out = tmp_path / "photo.png", tmp_path / "report"
    segkit.write_image(photo, np.stack([squares] * 3, axis=-1))
    assert main(["compare", str(photo), "--method", "flat_zones", "--cnn", "--out", str(out)]) == 0
    assert "Espnet-camvid" in (out / "index.html").read_text(encoding="utf-8")
