"""The drawing of a score against time: its names are apart, and it is the page's own."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segkit import _chart

BOUNDS = (40.0, 40.0, 440.0, 340.0)


def apart(one, other):
    """Whether two boxes (left, bottom, width, height) share no point."""
    return any(one[k] + one[k + 2] <= other[k] or other[k] + other[k + 2] <= one[k] for k in (0, 1))


def boxes(dots, sizes):
    found = _chart.places(np.array(dots, float), np.array(sizes, float), BOUNDS)
    return [(*corner, *size) for corner, size in zip(found, sizes, strict=True)]


@pytest.mark.parametrize("n", [1, 2, 9, 16])
@pytest.mark.parametrize("spread", [0, 1, 20, 150])
def test_names_cover_neither_each_other_nor_a_dot(n, spread):
    generator = np.random.default_rng(n)
    dots = generator.normal((240, 190), spread, (n, 2)).clip((60, 60), (420, 320))
    placed = boxes(dots, [(generator.integers(40, 110), 13) for _ in range(n)])
    for k, box in enumerate(placed):
        assert all(apart(box, other) for other in placed[:k])
        assert all(apart(box, (x - 3, y - 3, 6, 6)) for x, y in dots)


@given(
    st.lists(st.tuples(st.floats(40, 440), st.floats(40, 340)), min_size=1, max_size=6),
    st.integers(20, 150),
)
def test_names_stay_inside(dots, width):
    for x, y, wide, high in boxes(dots, [(width, 13)] * len(dots)):
        assert BOUNDS[0] <= x <= x + wide <= BOUNDS[2]
        assert BOUNDS[1] <= y <= y + high <= BOUNDS[3]


def test_a_name_alone_stands_right_of_its_dot():
    ((x, y, _, high),) = boxes([(100, 100)], [(60, 13)])
    assert 105 < x < 115
    assert y + high / 2 == 100


def drawing(**more):
    arguments = {"title": "Covering", "best": [True, False], "prefix": "a"} | more
    return _chart.chart([0.01, 0.2], [0.5, 0.7], ["Watershed", "A < B & C"], **arguments)


def test_a_drawing_is_text_in_the_pages_colors():
    text = drawing()
    assert text.startswith('<svg class="chart" viewBox="0 0 440 350" role="img" aria-label="Cov')
    for part in ("Watershed", "A &lt; B &amp; C", "seconds", "Covering"):
        assert f">{part}</text>" in text
    assert "http" not in text
    assert "<metadata" not in text
    assert not re.search(r"#[0-9a-f]{6}", text), "a color that is not the page's"
    assert "var(--accent)" in text


def test_drawings_share_no_ids():
    first, second = (set(re.findall(r'id="([^"]*)"', drawing(prefix=mark))) for mark in "ab")
    assert first
    assert not first & second
    for name in re.findall(r'href="#([^"]*)"|url\(#([^)]*)\)', drawing()):
        assert max(name) in first


def test_a_drawing_is_the_same_each_time():
    assert drawing() == drawing()


@pytest.mark.parametrize("values", [[0.0, 0.0], [1e-9, 1e9], [-3.0, 5.0]])
@pytest.mark.parametrize("seconds", [[1e-6, 1e3], [0.1, 0.1], [0.0, 0.1]])
def test_any_values_can_be_drawn(values, seconds):
    text = _chart.chart(seconds, values, ["a", "b"], title="t", best=[False, False], prefix="x")
    assert "nan" not in text
