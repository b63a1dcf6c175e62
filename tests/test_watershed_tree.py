"""The hierarchical watershed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import segkit
from tests import strategies as own
from tests.reference import lakes as reference
from tests.reference.merging import tree as plain_tree

ATTRIBUTES = ("depth", "area", "volume")


@pytest.mark.parametrize("attribute", ATTRIBUTES)
@given(data=st.data())
def test_it_equals_the_plain_version(attribute, data):
    relief = data.draw(own.images(dtypes=own.REAL_DTYPES, max_pixels=60, n_levels=6))
    mask = data.draw(own.masks(relief.shape))
    connectivity = data.draw(own.connectivities(relief.ndim))
    labels, tree = segkit.watershed_tree(
        relief, attribute=attribute, connectivity=connectivity, mask=mask
    )
    np.testing.assert_array_equal(
        labels, segkit.watershed(relief, connectivity=connectivity, mask=mask)
    )
    n = int(labels.max(initial=0))
    merges = reference.merges(labels, relief, attribute, connectivity)
    levels = [level for level, _, _ in merges]
    np.testing.assert_allclose(
        tree.level, [0.0] * n + levels + [np.inf] * (max(n - 1, 0) - len(levels))
    )
    node, numbered = {k: k - 1 for k in range(1, n + 1)}, []
    for count, (level, one, two) in enumerate(merges):
        numbered.append((node[one], node[two], level))
        joined = {node[one], node[two]}
        node = {k: n + count if at in joined else at for k, at in node.items()}
    parent, _ = plain_tree(n, numbered) if n else ([], [])
    assert tree.parent.tolist() == parent
    assert tree.n_components == n - len(merges)


@given(data=st.data())
def test_cut_by_depth_leaves_the_minima_of_that_depth(data):
    relief = data.draw(own.images(n_levels=8, max_pixels=100))
    connectivity = data.draw(own.connectivities(relief.ndim))
    labels, tree = segkit.watershed_tree(relief, connectivity=connectivity)
    for depth in (0.5, 1.5, 3.5):  # no minimum is exactly so deep
        markers = segkit.local_minima(relief, depth=depth, connectivity=connectivity)
        coarse = tree.labels(labels, level=depth)
        assert coarse.max(initial=0) == markers.max(initial=0)
        for marker in range(1, markers.max(initial=0) + 1):
            assert np.unique(coarse[markers == marker]).size == 1


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_cuts_are_nested_and_cover_the_image(attribute):
    rng = np.random.default_rng(0)
    relief = segkit.gradient(rng.random((60, 70)), sigma=2)
    labels, tree = segkit.watershed_tree(relief, attribute=attribute)
    finer = labels
    for n in (50, 20, 5, 1):
        coarse = tree.labels(labels, n_regions=n)
        assert coarse.max() == n
        assert coarse.min() == 1
        pairs = {*zip(finer.ravel().tolist(), coarse.ravel().tolist(), strict=True)}
        assert len(pairs) == finer.max()
        finer = coarse


def test_by_hand():
    relief = [0, 5, 4, 4, 5, 2, 6, 6]
    for attribute, levels in (("depth", [1, 3]), ("area", [1, 1]), ("volume", [2, 3])):
        labels, tree = segkit.watershed_tree(relief, attribute=attribute)
        assert labels.tolist() == [1, 1, 2, 2, 3, 3, 3, 3]
        assert tree.level[3:].tolist() == levels
        assert tree.criterion == attribute


def test_64_bit_heights_are_exact():
    top = 2**63 - 10
    relief = np.array([top, top + 5, top + 4, top + 7, top + 6, top + 9], dtype=np.int64)
    assert segkit.watershed_tree(relief).tree.level[3:].tolist() == [1, 1]
    wide = np.array([-(2**63), 2**63 - 1, 5], dtype=np.int64)
    assert segkit.watershed_tree(wide).tree.level[-1] == 2.0**63


def test_infinities():
    relief = np.array([-np.inf, 3, -np.inf, np.inf, 7])
    level = segkit.watershed_tree(relief).tree.level
    assert level.tolist() == [0, 0, 0, np.inf, np.inf]
    for attribute in ATTRIBUTES:
        assert not np.isnan(segkit.watershed_tree(relief, attribute=attribute).tree.level).any()


@pytest.mark.parametrize("shape", [(0,), (0, 3), (1,), (3, 3)])
def test_one_basin_or_none(shape):
    labels, tree = segkit.watershed_tree(np.zeros(shape))
    assert labels.shape == shape
    assert tree.n_regions == min(1, np.prod(shape))
