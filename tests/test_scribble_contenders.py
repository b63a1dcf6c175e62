"""Nearest neighbors from strokes, alone and under a random field."""

import numpy as np
import pytest

from segkit import _scribble_contenders as contenders
from segkit import datasets, metrics


def scene():
    """Return a bright square on a dark ground with noise, and a stroke in each."""
    truth = np.full((60, 70), 2)
    truth[15:45, 20:50] = 1
    noise = np.random.default_rng(0).normal(0, 25, (*truth.shape, 3))
    image = np.where(truth[..., np.newaxis] == 1, 170, 90) + noise
    strokes = np.zeros_like(truth)
    strokes[30, 25:45] = 1
    strokes[5, 5:65] = strokes[54, 5:65] = 2
    return np.clip(image, 0, 255).astype(np.uint8), strokes, truth


@pytest.mark.parametrize("channels", [3, 1, None])
def test_the_field_removes_the_speckle(channels):
    image, strokes, truth = scene()
    axis = None if channels is None else -1
    image = image[..., 0] if channels is None else image[..., :channels]
    alone = contenders.knn(image, markers=strokes, place=0.1, channel_axis=axis)
    field = contenders.knn_field(image, markers=strokes, channel_axis=axis)
    assert np.mean(alone == truth) > 0.75
    assert np.mean(field == truth) > max(0.97, np.mean(alone == truth))
    assert np.array_equal(field[strokes > 0], strokes[strokes > 0])


def test_strokes_of_any_number_and_a_single_one():
    image, strokes, _ = scene()
    far = np.array([0, 7, 40])[strokes]
    found = contenders.knn_field(image, markers=far, channel_axis=-1)
    assert set(np.unique(found)) == {7, 40}
    only = np.where(strokes == 1, 9, 0)
    for run in (contenders.knn, contenders.knn_field):
        assert (run(image, markers=only, channel_axis=-1) == 9).all()


def test_a_signal_and_a_volume():
    image, strokes, _ = scene()
    line = image[30, :, 0], strokes[30] + 2 * (np.arange(70) < 3)
    volume = image.reshape(6, 10, 70, 3)[..., 0], strokes.reshape(6, 10, 70)
    for values, marks in (line, volume):
        found = contenders.knn_field(values, markers=marks)
        assert found.shape == values.shape


def test_on_real_photographs(data_root):
    held_back = datasets.open("seeds50", data_root, split="test")[::4]
    scores = []
    for item in held_back:
        for strokes in item.scribbles:
            found = contenders.knn_field(item.image, markers=strokes, channel_axis=-1)
            known = item.truth > 0
            scores.append(metrics.jaccard((item.truth == 1)[known], (found == 1)[known]))
    assert np.mean(scores) > 0.75, scores
