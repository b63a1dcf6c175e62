"""The strength of contours along their own direction."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import segkit
from segkit import _contact_lines, _half_discs
from tests.reference import contact_lines as reference


@st.composite
def labels_and_strengths(draw):
    """Return labels with gaps, holes and corners that touch, and strengths in some directions."""
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=7))
    labels = draw(hnp.arrays(np.int32, shape, elements=st.integers(0, 4)))
    n = draw(st.integers(1, 5))
    levels = draw(hnp.arrays(np.int64, (n, *shape), elements=st.integers(0, 8)))
    return labels, (levels / 8).astype(np.float32)


@given(case=labels_and_strengths(), reach=st.integers(0, 4))
def test_sums_equal_the_plain_version_in_the_order_of_the_graph(case, reach):
    labels, oriented = case
    got = _contact_lines.strength_sums(labels, oriented, reach)
    wanted = reference.strength_sums(labels, oriented, reach)
    graph = segkit.region_graph(labels)
    ends = zip(graph.label[graph.u].tolist(), graph.label[graph.v].tolist(), strict=True)
    np.testing.assert_allclose(got, [wanted[pair] for pair in ends], rtol=1e-5, atol=1e-6)


@given(case=labels_and_strengths(), reach=st.integers(0, 4))
def test_no_direction_is_stronger_than_the_strongest(case, reach):
    labels, oriented = case
    strongest = segkit.region_graph(labels, strength=oriented.max(axis=0)).strength_sum
    weakest = segkit.region_graph(labels, strength=oriented.min(axis=0)).strength_sum
    got = _contact_lines.strength_sums(labels, oriented, reach)
    assert (got <= strongest + 1e-4).all()
    assert (got >= weakest - 1e-4).all()


@given(case=labels_and_strengths(), reach=st.integers(0, 4))
def test_a_half_turn_and_other_ids_change_nothing(case, reach):
    labels, oriented = case
    wanted = _contact_lines.strength_sums(labels, oriented, reach)
    turned = _contact_lines.strength_sums(labels[::-1, ::-1], oriented[:, ::-1, ::-1], reach)
    np.testing.assert_allclose(turned, wanted, rtol=1e-5, atol=1e-6)
    apart = np.where(labels > 0, 3 * labels + 5, 0)
    np.testing.assert_allclose(
        _contact_lines.strength_sums(apart, oriented, reach), wanted, rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("degrees", [0, 20, 45, 70, 90, 120, 155])
def test_the_line_has_the_direction_of_the_border(degrees):
    """Each direction answers with its own number, so that the mean tells which was asked."""
    rows, cols = np.indices((81, 81)) - 40
    angle = np.deg2rad(degrees)  # turned from the columns towards the rows
    labels = np.where(rows * np.cos(angle) > cols * np.sin(angle), 2, 1)
    answers = np.abs(np.sin(np.pi * np.arange(36) / 36 - angle))  # 0 along the border, 1 across
    oriented = np.broadcast_to(answers[:, None, None], (36, 81, 81))
    total = _contact_lines.strength_sums(labels, oriented, 10)
    assert total / len(_contact_lines.contacts(labels).p) < 0.05


def test_a_strong_edge_that_crosses_a_weak_border_lends_it_nothing():
    """Two edges cross; the one between the upper and the lower half is faint."""
    values = np.zeros((60, 60))
    values[:, 30:] = 10
    values[30:] += 0.25  # of a bin
    oriented = _half_discs.oriented([(values, 1.0, 1.0, 13)], values.shape, (5,), 8)
    labels = np.ones((60, 60), dtype=np.int32)
    labels[30:] += 1
    labels[:, 30:] += 2
    graph = segkit.region_graph(labels, strength=oriented.max(axis=0))
    along = _contact_lines.strength_sums(labels, oriented, 10) / graph.contact
    up_down = 0  # between labels 1 and 2
    assert (graph.u[up_down], graph.v[up_down]) == (0, 1)
    # Both are as strong as before but for the places where they meet
    assert along[up_down] < 0.85 * graph.strength[up_down]
    left_right = np.flatnonzero((graph.u == 0) & (graph.v == 2))[0]
    np.testing.assert_allclose(along[left_right], graph.strength[left_right], rtol=0.05)


def test_one_region_or_none_has_no_contacts():
    for labels in (np.zeros((3, 4), int), np.ones((3, 4), int), np.ones((0, 4), int)):
        oriented = np.ones((2, *labels.shape), np.float32)
        assert _contact_lines.strength_sums(labels, oriented, 3).shape == (0,)
