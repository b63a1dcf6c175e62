"""Tissues of a brain as a benchmark: who takes part, what counts."""

import numpy as np
import pytest

from segkit import _tissues, datasets
from segkit._quality import Benchmark
from segkit._quality_measures import measure, summarize
from segkit._tissues import Tissues, grouped
from tests import tiny_data

GRAY = (0, 40, 90, 150)  # outside, fluid, gray matter, white matter


def a_brain(shape=(12, 30, 36)):
    """Return nested tissues, and an image of them; FreeSurfer's numbers of one each."""
    grid = np.indices(shape) - np.array(shape).reshape(3, 1, 1, 1) / 2
    far = np.sqrt(((grid / np.array(shape).reshape(3, 1, 1, 1)) ** 2).sum(axis=0))
    truth = (far < 0.5).astype(int) + (far < 0.4) + (far < 0.3)
    return truth, np.array(GRAY, np.uint8)[truth], np.array([0, 24, 3, 41], np.uint8)[truth]


@pytest.mark.parametrize("name", _tissues._SEGMENTERS)
def test_every_contender_finds_tissues_from_dark_to_bright(name):
    truth, image, _ = a_brain()
    found = Tissues(name, 8)(image)
    assert np.mean(found == truth) > 0.97
    assert not found[truth == 0].any()


def test_noise_is_the_same_for_all_and_neighbors_help():
    truth, image, _ = a_brain()
    wrong = {
        name: np.mean(Tissues(name, 30)(image) != truth)
        for name in ("mixture", "hidden chain", "random field, graph cut")
    }
    assert wrong["random field, graph cut"] < wrong["mixture"] / 2
    assert wrong["hidden chain"] < wrong["mixture"]
    assert np.array_equal(Tissues("mixture", 30)(image), Tissues("mixture", 30)(image))


def test_there_is_a_contender_for_each_level_of_noise():
    made = _tissues.contenders()
    assert len(made) == len(_tissues._SEGMENTERS) * len(_tissues._NOISE)
    assert {each.tasks for each in made.values()} == {("tissues",)}


def test_structures_are_grouped_and_the_rest_is_left_out(tmp_path):
    folder = tmp_path / "brain3d"
    folder.mkdir()
    truth, image, label = a_brain()
    label[0, 0, :3] = 16, 30, 80  # brain stem, vessel: of mixed tissue
    np.savez(folder / "brain3d.npz", image=image, label=label, spacing=np.ones(3))
    dataset = grouped(datasets.open("brain3d", tmp_path))
    assert dataset.kind == "tissues"
    (item,) = dataset
    np.testing.assert_array_equal(item.truth, truth)
    scores = summarize("tissues", [[measure(item, truth)]])
    assert scores == {"mean_dice": 1.0, "dice_1": 1.0, "dice_2": 1.0, "dice_3": 1.0}
    changed = np.where(truth == 0, 3, truth)  # outside the tissues nothing counts
    changed[truth == 1] = 2
    scores = summarize("tissues", [[measure(item, changed)]])
    n = np.bincount(truth.ravel())
    assert scores["dice_1"] == 0.0
    assert scores["dice_2"] == pytest.approx(2 * n[2] / (n[1] + 2 * n[2]))
    assert scores["dice_3"] == 1.0


def test_the_benchmark_of_a_brain(tmp_path):
    tiny_data.brain3d(tmp_path / "data")
    method = "random field, ICM, noise 10"
    made = Benchmark("brain3d", tmp_path / "data", methods=[method], out=tmp_path / "out")
    made.check("test", tune=False)
    summary = made.report("test")
    (row,) = summary["rows"]
    assert row["method"] == method
    assert row["failures"] == 0
    assert set(row["scores"]) == {"mean_dice", "dice_3"}
    assert "white matter" in (tmp_path / "out" / "brain3d-test.md").read_text()
    with pytest.raises(ValueError, match="gives regions, and brain3d asks for tissues"):
        Benchmark("brain3d", tmp_path / "data", methods=["watershed"], out=tmp_path / "out")
