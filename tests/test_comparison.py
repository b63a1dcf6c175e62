"""Pipelines, and the table of a comparison: complete, right for any kind of image and truth."""

import json
import re
import time
import tracemalloc
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import segkit
from segkit import _pipelines, _scoring, comparison, datasets, metrics


def squares(dtype=np.uint8, scale=1):
    """Return a picture of two squares on a ground, 3 regions."""
    image = np.full((40, 60), 30, dtype=dtype)
    image[8:30, 6:26] = 120 * scale
    image[10:34, 32:54] = 220 * scale
    return image


@pytest.mark.parametrize("method", comparison.METHODS)
@pytest.mark.parametrize("kind", ["grey", "color", "volume", "tiny", "flat", "bool", "float"])
def test_every_method_takes_every_kind_of_image(method, kind):
    grey = squares()
    image, axis = {
        "grey": (grey, None),
        "color": (np.stack([grey, 255 - grey, grey // 2], axis=-1), -1),
        "volume": (np.stack([grey[:20, :30]] * 6), None),
        "tiny": (np.array([[7]], dtype=np.uint8), None),
        "flat": (np.full((20, 30), 80, dtype=np.uint8), None),
        "bool": (grey > 100, None),
        "float": (grey / 255, None),
    }[kind]
    before = image.copy()
    shape = image.shape[:-1] if axis == -1 else image.shape
    labels = segkit.segment(image, method, channel_axis=axis)
    np.testing.assert_array_equal(image, before)
    assert labels.shape == shape
    assert labels.dtype in (np.int32, np.int64)
    np.testing.assert_array_equal(labels, segkit.relabel(labels))
    again = segkit.segment(image, method, channel_axis=axis)
    np.testing.assert_array_equal(labels, again)


@pytest.mark.parametrize("method", ["watershed", "growing_unseeded", "growing_neighbor"])
def test_two_squares_are_found(method):
    truth = segkit.connected_components(squares(), background=None)
    found = segkit.segment(squares(), method, sigma=1)
    assert found.max() == 3
    assert np.mean(segkit.relabel(found) == segkit.relabel(truth)) > 0.9


@pytest.mark.parametrize("method", ["watershed", "growing"])
def test_a_brighter_camera_changes_nothing(method):
    eight = squares()
    stretched = comparison.stretch(squares(np.uint16, scale=100))
    np.testing.assert_array_equal(
        segkit.segment(stretched, method),
        segkit.segment(squares(np.uint16, scale=100), method),
    )
    assert segkit.segment(eight, method).max() > 1


def test_segment_refuses_in_words():
    with pytest.raises(ValueError, match='`method` must be one of "watershed"'):
        segkit.segment(squares(), "slic")
    with pytest.raises(ValueError, match="`depht` is not a parameter of watershed; it has sigma"):
        segkit.segment(squares(), "watershed", depht=3)
    with pytest.raises(ValueError, match="`image` must not hold NaN"):
        segkit.segment(np.array([[np.nan, 1.0]]), "watershed")
    with pytest.raises(TypeError, match="`image` has dtype complex128"):
        segkit.segment(np.ones((3, 3), dtype=complex), "watershed")
    with pytest.raises(ValueError, match="`channel_axis`"):
        segkit.segment(squares(), "watershed", channel_axis=5)
    with pytest.raises(ValueError, match="`spacing` must be an integer >= 1"):
        segkit.segment(squares(), "compact_watershed", spacing=0)


@pytest.mark.parametrize(
    "method",
    [
        name
        for name, found in comparison.METHODS.items()
        if "sigma" in _pipelines.defaults_of(found)
    ],
)
def test_a_sigma_that_cannot_be_sampled_is_refused_by_every_method(method):
    image = np.zeros((4, 5), np.uint8)
    with pytest.raises(ValueError, match="`sigma` must be a number of pixels from 0 to"):
        segkit.segment(image, method, sigma=1e9)


@pytest.mark.parametrize(
    "method",
    [name for name, found in comparison.METHODS.items() if _pipelines.takes_markers(found)],
)
def test_markers_keep_their_values(method):
    markers = np.zeros((40, 60), dtype=np.int64)
    markers[2, 5:40] = 9
    markers[15:20, 12] = 2**40
    markers[20, 40:46] = 4
    labels = segkit.segment(squares(), method, markers=markers)
    assert set(np.unique(labels)) == {4, 9, 2**40}
    assert labels.dtype == np.int64
    np.testing.assert_array_equal(labels[markers > 0], markers[markers > 0])
    truth = np.choose(squares() // 100, [9, 2**40, 4])
    assert np.mean(labels == truth) > 0.9


@pytest.mark.parametrize("shape", [(60, 80), (61, 3), (9, 40, 40), (50,)])
def test_without_strokes_the_middle_of_the_image_is_taken_from_its_rim(shape):
    middle = tuple(slice(side // 3, side - side // 3) for side in shape)
    image = np.full(shape, 40, dtype=np.uint8)
    image[middle] = 200
    wanted = np.ones(shape, dtype=int)
    wanted[middle] = 2
    assert np.mean(segkit.segment(image, "scribbles") == wanted) > 0.97  # but for corners
    assert segkit.segment(np.zeros((2, 1)), "scribbles").tolist() == [[1], [1]]


def test_markers_are_refused_in_words():
    image = squares()
    with pytest.raises(ValueError, match="`markers` are of no use to flat_zones; marker_watershed"):
        segkit.segment(image, "flat_zones", markers=np.ones((40, 60), int))
    with pytest.raises(ValueError, match=r"`markers` has shape \(40, 59\), `image` has shape"):
        segkit.segment(image, "scribbles", markers=np.ones((40, 59), int))
    with pytest.raises(TypeError, match="`markers` must hold integers, got dtype float64"):
        segkit.segment(image, "scribbles", markers=np.ones((40, 60)))
    with pytest.raises(ValueError, match="`markers` must hold ids >= 0, got -1"):
        segkit.segment(image, "scribbles", markers=np.full((40, 60), -1))
    with pytest.raises(ValueError, match="`markers` must mark at least one pixel"):
        segkit.segment(image, "scribbles", markers=np.zeros((40, 60), int))
    with pytest.raises(ValueError, match="pass channel_axis=-1"):
        segkit.segment(np.stack([image] * 3, -1), "scribbles", markers=np.ones((40, 60), int))


def test_what_can_be_tuned_is_declared_for_every_method():
    assert set(_pipelines.SEARCH) == set(comparison.METHODS)
    for method, space in _pipelines.SEARCH.items():
        defaults = _pipelines.defaults_of(comparison.METHODS[method])
        assert set(space) <= set(defaults), method
        for values in space.values():
            assert list(values) == sorted(values)


def test_by_default_pictures_are_compared_by_the_methods_for_photographs():
    result = segkit.compare([squares()])
    assert [row["method"] for row in result.table] == list(_pipelines.PHOTOGRAPHS)


def test_methods_may_be_the_dict_of_methods_itself():
    few = {name: segkit.METHODS[name] for name in ("watershed", "flat_zones")}
    result = segkit.compare([squares()], methods=few)
    assert [row["method"] for row in result.table] == list(few)
    with pytest.raises(TypeError, match=r"`methods\['watershed'\]` must be a dict of parameters"):
        segkit.compare([squares()], methods={"watershed": 4})


def test_empty_images_give_empty_labels():
    assert segkit.segment(np.zeros((0, 5), np.uint8), "watershed").shape == (0, 5)


@pytest.mark.parametrize(
    "method",
    ["watershed", "merged_watershed", "growing_unseeded", "growing_neighbor", "flat_zones"],
)
@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 9, 3), (9, 1, 3)])
def test_an_image_of_fewer_pixels_than_the_least_region_still_has_one(method, shape):
    labels = segkit.segment(np.full(shape, 100, dtype=np.uint8), method, channel_axis=-1)
    assert (labels == 1).all()


def test_compare_makes_one_row_for_each_image_and_method():
    color = np.stack([squares()] * 3, axis=-1)
    result = segkit.compare(
        {"grey": squares(), "color": color},
        methods={"watershed": {"depth": 3}, "growing": {}},
    )
    assert [(row["image"], row["method"]) for row in result.table] == [
        ("grey", "watershed"), ("grey", "growing"), ("color", "watershed"), ("color", "growing"),
    ]  # fmt: skip
    for row in result.table:
        labels = result.labels[row["image"], row["method"]]
        assert labels.shape == (40, 60)
        assert row["n_regions"] == labels.max()
        assert row["seconds"] > 0
        assert row["kind"] is None
        assert 0 <= row["explained_variation"] <= 1
    assert result.table[0]["parameters"] == {"sigma": 2.0, "depth": 3, "min_size": 50}


def test_the_table_is_plain_data():
    result = segkit.compare([squares()], methods=["watershed"], truths=[squares()])
    assert json.loads(json.dumps(result.table)) == result.table


def test_compare_runs_by_default_what_suits():
    default = {row["method"] for row in segkit.compare([squares()]).table}
    assert "watershed" in default
    assert not default & {"nuclei", "membranes", "scribbles"}
    truth = squares() // 100
    for kind, more in (("instances", "nuclei"), ("regions", "membranes")):
        table = segkit.compare([squares()], truths=[truth], kind=kind).table
        assert {row["method"] for row in table} == default | {more}
    table = segkit.compare([squares()], markers=[strokes()]).table
    assert {row["method"] for row in table} == default | {"scribbles"}


# Time and memory


def test_time_is_without_what_is_loaded_first(monkeypatch):
    calls = []

    def slow_at_first(image, *, channel_axis=None):
        calls.append(image.shape)
        time.sleep(0.3 if len(calls) == 1 else 0.02)
        return np.ones(image.shape, dtype=np.int32)

    monkeypatch.setitem(comparison.METHODS, "slow", slow_at_first)
    row = segkit.compare([squares()], methods=["slow"]).table[0]
    assert calls[0] == (32, 32)
    assert 3 <= len(calls) <= 5
    assert 0.02 <= row["seconds"] < 0.3


def test_time_is_that_of_the_quickest_run(monkeypatch):
    calls = []

    def slow_once(image, *, channel_axis=None):
        calls.append(image.shape)
        time.sleep(0.06 if len(calls) == 3 else 0)  # loading, memory, then the first timed one
        return np.ones(image.shape, dtype=np.int32)

    monkeypatch.setitem(comparison.METHODS, "slow once", slow_once)
    assert segkit.compare([squares()], methods=["slow once"]).table[0]["seconds"] < 0.05
    assert len(calls) > 3


def test_memory_is_the_peak_beyond_the_image(monkeypatch):
    def hungry(image, *, channel_axis=None):
        work = np.ones(3_000_000, dtype=np.uint8)
        del work
        return np.ones(image.shape, dtype=np.int32)

    monkeypatch.setitem(comparison.METHODS, "hungry", hungry)
    row = segkit.compare([squares()], methods=["hungry"]).table[0]
    assert 3_000_000 <= row["memory"] < 3_200_000
    assert not tracemalloc.is_tracing()


def test_memory_is_measured_beside_the_users_own_tracing():
    tracemalloc.start()
    try:
        row = segkit.compare([squares()], methods=["watershed"]).table[0]
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()
    assert 40 * 60 * 4 <= row["memory"] < 2_000_000


def test_tracing_ends_when_a_method_fails():
    with pytest.raises(ValueError, match="`depth`"):
        segkit.compare([squares()], methods={"watershed": {"depth": -1}})
    assert not tracemalloc.is_tracing()


# Truths


def strokes():
    """Return strokes in the two squares, 1, and on the ground, 2."""
    markers = np.zeros((40, 60), dtype=np.uint8)
    markers[15, 10:20] = markers[20, 40:50] = 1
    markers[3, 5:55] = 2
    return markers


TRUTH = np.where(squares() == 120, 1, np.where(squares() == 220, 2, 0))


@pytest.mark.parametrize(
    ("kind", "truth", "perfect"),
    [
        ("partitions", TRUTH + 1, {"covering": 1, "rand_index": 1, "variation_of_information": 0,
                                   "boundary_f": 1, "undersegmentation_error": 0,
                                   "achievable_accuracy": 1}),
        ("regions", TRUTH + 1, {"adapted_rand_error": 0, "variation_of_information": 0,
                                "vi_split": 0, "vi_merge": 0}),
        ("instances", TRUTH, {}),
        ("classes", TRUTH * 5 + 1, {"mean_iou": 1, "pixel_accuracy": 1, "boundary_f1": 1}),
        ("structures", TRUTH * 5, {"mean_dice": 1, "mean_iou": 1}),
        ("mask", TRUTH > 0, {"jaccard": 1, "dice": 1, "hausdorff": 0}),
        ("mask", np.where(TRUTH > 0, 255, 0), {"jaccard": 1, "dice": 1, "hausdorff": 0}),
        ("mask", np.where(TRUTH > 0, 1, 2), {"jaccard": 1, "dice": 1, "hausdorff": 0}),
    ],
)  # fmt: skip
def test_a_perfect_result_scores_perfect(monkeypatch, kind, truth, perfect):
    monkeypatch.setitem(
        comparison.METHODS, "perfect", lambda image, channel_axis=None: TRUTH.astype(np.int32) + 1
    )
    row = segkit.compare([squares()], methods=["perfect"], truths=[truth], kind=kind).table[0]
    assert row["kind"] == kind
    for name, value in perfect.items():
        assert row[name] == pytest.approx(value, abs=1e-12), name


def test_instances_are_scored_as_the_measures_do():
    image, truth = datasets.blobs((60, 80), n_blobs=8)
    result = segkit.compare({"a": image}, methods=["nuclei"], truths={"a": truth}, kind="instances")
    row, labels = result.table[0], result.labels["a", "nuclei"]
    assert row["average_precision"] == metrics.average_precision(truth, labels)
    quality = metrics.panoptic_quality(truth, labels)
    assert (row["panoptic_quality"], row["segmentation_quality"]) == (quality.pq, quality.sq)
    assert row["average_precision"] > 0


def test_what_belongs_to_no_region_is_left_out_of_the_scores():
    truth = np.where(np.arange(60) % 7 == 0, 0, TRUTH + 1)
    result = segkit.compare([squares()], methods=["watershed"], truths=[truth], kind="regions")
    row, labels = result.table[0], result.labels["image 1", "watershed"]
    split, merge = metrics.variation_of_information(truth, labels, ignore=0)
    assert (row["vi_split"], row["vi_merge"]) == (split, merge)
    assert row["variation_of_information"] == split + merge
    error = metrics.adapted_rand_error(truth, labels, ignore=0).error
    assert row["adapted_rand_error"] == error != metrics.adapted_rand_error(truth, labels).error


def test_several_annotators_are_pooled_or_averaged():
    first, second = TRUTH + 1, np.where(squares() > 100, 2, 1)
    several = segkit.compare([squares()], methods=["watershed"], truths=[[first, second]])
    labels = several.labels["image 1", "watershed"]
    row = several.table[0]
    assert row["covering"] == metrics.segmentation_covering([first, second], labels)
    assert row["boundary_f"] == metrics.boundary_scores([first, second], labels).f
    rand = [metrics.rand_index(truth, labels) for truth in (first, second)]
    assert row["rand_index"] == pytest.approx(np.mean(rand))
    stacked = segkit.compare(
        [squares()], methods=["watershed"], truths=[np.stack([first, second])]
    ).table[0]
    lists = segkit.compare(
        [squares()], methods=["watershed"], truths=[[first.tolist(), second.tolist()]]
    ).table[0]
    for name in ("covering", "boundary_f", "rand_index", "variation_of_information"):
        assert row[name] == stacked[name] == lists[name]


def test_regions_count_as_what_most_of_their_pixels_are():
    labels = np.array([[1, 1, 1, 2, 2, 0, 3]])
    truth = np.array([[7, 7, 9, 0, 9, 9, 0]])
    found = _scoring.most_frequent(truth, labels)
    np.testing.assert_array_equal(found, [[7, 7, 7, 0, 0, 0, 0]])  # a tie goes to the lower
    found = _scoring.most_frequent(truth, labels, ignore=0)
    np.testing.assert_array_equal(found, [[7, 7, 7, 9, 9, 0, 0]])


def test_what_started_from_markers_is_taken_by_its_numbers():
    markers = strokes()
    mask = np.where(TRUTH > 0, 1, 2)
    result = segkit.compare(
        [squares()], methods=["scribbles"], truths=[mask], kind="mask", markers=[markers]
    )
    assert result.table[0]["jaccard"] > 0.8
    swapped = segkit.compare(
        [squares()], methods=["scribbles"], truths=[3 - mask], kind="mask", markers=[markers]
    )
    assert swapped.table[0]["jaccard"] < 0.1


def test_undecided_pixels_of_a_mask_are_left_out(monkeypatch):
    wrong = np.where(TRUTH == 1, 1, 2).astype(np.int32)
    monkeypatch.setitem(comparison.METHODS, "wrong", lambda image, channel_axis=None: wrong)
    mask = np.where(TRUTH == 1, 1, np.where(TRUTH == 2, 0, 2))
    row = segkit.compare([squares()], methods=["wrong"], truths=[mask], kind="mask").table[0]
    assert (row["jaccard"], row["dice"], row["hausdorff"]) == (1, 1, 0)


def test_a_region_that_is_nothing_is_not_the_object(monkeypatch):
    nothing = np.zeros((40, 60), dtype=np.int32)
    monkeypatch.setitem(comparison.METHODS, "nothing", lambda image, channel_axis=None: nothing)
    row = segkit.compare([squares()], methods=["nothing"], truths=[TRUTH > 0], kind="mask").table[0]
    assert (row["jaccard"], row["hausdorff"]) == (0, np.inf)
    assert row["unlabelled"] == 1


@dataclass
class Item:
    name: str
    image: Any
    truth: Any
    kind: str
    scribbles: Any = None


def test_items_of_a_data_set_bring_truth_and_kind():
    items = [
        Item("a", squares(), [TRUTH + 1, TRUTH + 1], "partitions"),
        Item("b", squares(), np.where(TRUTH > 0, 1, 2), "mask", (strokes(), strokes())),
        Item("c", squares(), None, ""),
    ]
    result = segkit.compare(iter(items), methods=["marker_watershed"])
    assert [row["kind"] for row in result.table] == ["partitions", "mask", None]
    assert len(result.truths["a"]) == 2
    assert result.table[1]["jaccard"] > 0.8
    np.testing.assert_array_equal(result.markers["b"], strokes())
    again = segkit.compare(items, methods=["marker_watershed"], kind={"b": "structures"})
    assert again.table[1]["kind"] == "structures"


def test_a_data_set_can_be_compared(data_root):
    photographs = datasets.open("bsds500", data_root)[:1]
    row = segkit.compare(photographs, methods=["watershed"]).table[0]
    assert row["image"] == photographs.names[0]
    assert 0.2 < row["covering"] < 1


# What is refused


def test_compare_refuses_in_words():
    with pytest.raises(TypeError, match="`images` must be a dict of arrays"):
        segkit.compare(squares())
    with pytest.raises(TypeError, match="`images` must be a dict of arrays"):
        segkit.compare(5)
    with pytest.raises(ValueError, match="`images` must hold at least one"):
        segkit.compare([])
    with pytest.raises(ValueError, match="must be a picture or a volume"):
        segkit.compare([np.zeros((0, 3))])
    with pytest.raises(ValueError, match="`methods` must be one of"):
        segkit.compare([squares()], methods=["slic"])
    with pytest.raises(ValueError, match="`depht` is not a parameter of watershed"):
        segkit.compare([squares()], methods={"watershed": {"depht": 3}})
    with pytest.raises(TypeError, match="`folder` must be a str or a path, got None"):
        segkit.compare([squares()], methods=["watershed"]).save(None)
    with pytest.raises(ValueError, match="`images` has two names that are the same as text"):
        segkit.compare({1: squares(), "1": squares()})
    with pytest.raises(ValueError, match="`images` has two items of the name 'a'"):
        segkit.compare([Item("a", squares(), None, "")] * 2)


@pytest.mark.parametrize(
    ("truths", "kind", "error", "told"),
    [
        ({"b": squares()}, None, ValueError, "`truths` has 'b', which is not the name of an image"),
        ([squares()] * 2, None, ValueError, "`truths` must hold one for each of the 1"),
        (squares(), None, TypeError, "`truths` must be a dict of label images"),
        ({"a": squares()[1:]}, None, ValueError, "`TRUTH` has shape (39, 60), `images['a']` has"),
        ({"a": [squares(), squares()[1:]]}, None, ValueError, "`TRUTH` has shape (39, 60)"),
        ({"a": []}, None, ValueError, "`TRUTH` must hold at least one"),
        ({"a": squares() / 2}, None, TypeError, "`TRUTH` must hold integers, got dtype float64"),
        ({"a": squares() - 99.0}, None, TypeError, "`TRUTH` must hold integers"),
        ({"a": squares().astype(int) - 99}, None, ValueError, "`TRUTH` must hold ids >= 0"),
        ({"a": "labels.png"}, None, TypeError, "`TRUTH` has dtype"),
        ({"a": squares()}, "region", ValueError, '`kind` must be one of "partitions"'),
        ({"a": squares()}, 5, TypeError, '`kind` must be one of "partitions"'),
        ({"a": squares()}, {"a": "region"}, ValueError, "`kind['a']` must be one of"),
        ({"a": squares()}, {"b": "mask"}, ValueError, "`kind` has 'b', which is not the name"),
        ({"a": squares()}, "mask", ValueError, '`TRUTH` of kind "mask" must hold two values'),
    ],
)
def test_bad_truths_are_refused_before_the_work(monkeypatch, truths, kind, error, told):
    monkeypatch.setattr(comparison, "segment", lambda *_, **__: pytest.fail("worked"))
    with pytest.raises(error, match=re.escape(told.replace("TRUTH", "truths['a']"))):
        segkit.compare({"a": squares()}, truths=truths, kind=kind)


@pytest.mark.parametrize(
    ("markers", "error", "told"),
    [
        ({"b": squares()}, ValueError, "`markers` has 'b'"),
        ({"a": squares()[1:]}, ValueError, r"`markers\['a'\]` has shape"),
        ({"a": squares() / 2}, TypeError, r"`markers\['a'\]` must hold integers"),
    ],
)
def test_bad_markers_are_refused(markers, error, told):
    with pytest.raises(error, match=told):
        segkit.compare({"a": squares()}, markers=markers)
