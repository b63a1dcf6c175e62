"""k-means against its definition, scikit-learn and what holds whatever the start."""

import warnings
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import segkit
from segkit import _lloyd
from segkit_ext.assign import label_nearest
from segkit_ext.cells import count_colors, list_colors, page_sizes
from tests.reference import clustering as plain
from tests.strategies import REAL_DTYPES, images

KMeans = segkit.KMeansSegmenter


def quiet(function, *arguments):
    """Call without the warning about classes without pixels."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return function(*arguments)


def rows_of(image):
    return image.reshape(-1, image.shape[-1])


def blobs(n, p, k=4, seed=0, dtype=np.float64):
    """Return n points around k others."""
    rng = np.random.default_rng(seed)
    middle = rng.random((k, p)) * 200 + 20
    return (middle[rng.integers(0, k, n)] + rng.normal(0, 12, (n, p))).clip(0, 255).astype(dtype)


@st.composite
def problems(draw):
    """Images with channels, and as many starts as there are pixels at most, anywhere."""
    p = draw(st.integers(1, 4))
    n = draw(st.integers(1, 24))
    image = draw(images(dtypes=REAL_DTYPES, shape=(n, p), n_levels=5))
    k = draw(st.integers(1, min(n, 5)))
    start = draw(images(dtypes=(np.float64,), shape=(k, p), n_levels=5))
    return image, start + draw(st.sampled_from([0.0, 0.5, 0.3]))


@given(problems(), st.integers(1, 6), st.sampled_from([0.0, 1e-4, 0.3]))
def test_it_is_the_iteration_of_the_definition(problem, max_iter, tol):
    image, start = problem
    got = KMeans(len(start), init=start, max_iter=max_iter, tol=tol, channel_axis=-1)
    quiet(got.fit, image)
    centers, inertia, rounds = plain.k_means(image.tolist(), start.tolist(), max_iter, tol)
    np.testing.assert_allclose(got.centers_, centers, rtol=1e-12, atol=1e-12)
    assert got.inertia_ == pytest.approx(inertia, rel=1e-9, abs=1e-9)
    assert got.n_iter_ == rounds
    labels = got.predict(image)
    assert labels.dtype == np.int32
    assert labels.tolist() == [
        1 + plain.nearest(x, got.centers_.tolist()) for x in image.astype(float).tolist()
    ]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("p", [1, 2, 3, 4, 7])
def test_many_points_as_few(dtype, p):
    """Cells, equal colors and float32 change nothing: the labels are those of double."""
    image = blobs(20_000, p, dtype=dtype)
    start = image[:: 20_000 // 5][:5].astype(float)
    got = KMeans(5, init=start, max_iter=7, channel_axis=-1).fit(image)
    centers = start
    for _ in range(got.n_iter_):
        squares = sum((image[:, c, None] - centers[:, c]) ** 2 for c in range(p))
        labels = squares.argmin(axis=1)
        centers = np.stack([image[labels == j].mean(axis=0, dtype=float) for j in range(5)])
    np.testing.assert_allclose(got.centers_, centers, rtol=1e-12)
    squares = sum((image[:, c, None] - got.centers_[:, c]) ** 2 for c in range(p))
    np.testing.assert_array_equal(got.predict(image), squares.argmin(axis=1) + 1)
    assert got.inertia_ == pytest.approx(squares.min(axis=1).sum(), rel=1e-12)


@pytest.mark.parametrize("offset", [0, 1e6, -1e9, 1e15])
@pytest.mark.parametrize("scale", [1, 1e-6, 1e30])
def test_far_from_zero_and_in_other_units(offset, scale):
    """What float32 cannot tell apart is taken in double."""
    image = (offset + blobs(3000, 3)) * scale
    start = image[:4]
    got = KMeans(4, init=start, tol=0, max_iter=10, channel_axis=-1).fit(image)
    squares = sum((image[:, c, None] - got.centers_[:, c]) ** 2 for c in range(3))
    np.testing.assert_array_equal(got.predict(image), squares.argmin(axis=1) + 1)


def test_an_outlier_beyond_float32_hides_nothing():
    image = blobs(5000, 2)
    image[7] = 1e100, -1e120
    got = KMeans(4, rng=1, channel_axis=-1).fit(image)
    squares = sum((image[:, c, None] - got.centers_[:, c]) ** 2 for c in range(2))
    np.testing.assert_array_equal(got.predict(image), squares.argmin(axis=1) + 1)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("n_channels", [1, 3])
def test_scikit_learn_with_the_same_start_ends_the_same(dtype, n_channels):
    from sklearn.cluster import KMeans as Theirs

    image = blobs(3000, n_channels, dtype=dtype).reshape(60, 50, n_channels)
    rows = rows_of(image).astype(np.float64)
    start = rows[[3, 500, 1200, 2222, 2999]]
    theirs = Theirs(5, init=start, n_init=1, algorithm="lloyd", max_iter=100, tol=1e-4).fit(rows)
    ours = KMeans(5, init=start, channel_axis=-1).fit(image)
    np.testing.assert_allclose(ours.centers_, theirs.cluster_centers_, rtol=1e-9)
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-9)
    np.testing.assert_array_equal(ours.predict(image).ravel(), theirs.labels_ + 1)


def test_starts_are_about_as_good_as_those_of_scikit_learn():
    from sklearn.cluster import KMeans as Theirs

    image = blobs(2000, 2, k=12, seed=5)
    theirs = [Theirs(12, n_init=1, random_state=s, max_iter=1).fit(image).inertia_
              for s in range(20)]  # fmt: skip
    ours = [KMeans(12, rng=s, max_iter=1, channel_axis=-1).fit(image).inertia_ for s in range(20)]
    chance = [
        KMeans(12, init="random", rng=s, max_iter=1, channel_axis=-1).fit(image).inertia_
        for s in range(20)
    ]
    assert np.median(ours) < 1.1 * np.median(theirs)
    assert np.median(ours) < 0.8 * np.median(chance)


@given(problems())
def test_inertia_never_rises(problem):
    image, start = problem
    inertias = [
        quiet(
            KMeans(len(start), init=start, max_iter=n, tol=0, channel_axis=-1).fit, image
        ).inertia_
        for n in range(1, 8)
    ]
    for before, after in pairwise(inertias):
        assert after <= before * (1 + 1e-12)


@given(problems())
def test_at_the_end_centers_are_the_means_of_their_pixels(problem):
    image, start = problem
    got = quiet(KMeans(len(start), init=start, tol=0, channel_axis=-1).fit, image)
    labels = got.predict(image)
    for j, center in enumerate(got.centers_):
        if (labels == j + 1).any():
            np.testing.assert_allclose(
                image[labels == j + 1].mean(axis=0, dtype=float), center, atol=1e-9
            )


def test_more_starts_are_never_worse():
    image = blobs(500, 2, k=9, seed=3)
    one, many = (
        [
            KMeans(9, init="random", rng=s, n_init=n, channel_axis=-1).fit(image).inertia_
            for s in range(5)
        ]
        for n in (1, 6)
    )
    assert all(better <= first for better, first in zip(many, one, strict=True))
    assert sum(many) < sum(one)


def test_an_empty_class_takes_the_value_farthest_from_its_center():
    image = [0, 0, 0, 1, 9, 9]
    got = KMeans(2, init=[[0], [100]], max_iter=1).fit(image)
    assert got.centers_.ravel().tolist() == [0.25, 9.0]


def test_fewer_different_pixels_than_classes_give_a_warning_and_finite_centers():
    for image in (np.full((4, 5), 7), np.full((4, 5), 7.5), np.full((80, 80), 7, np.uint8)):
        with pytest.warns(UserWarning, match="only 1 of 3 classes have pixels") as seen:
            got = KMeans(3).fit(image)
        assert [one.filename for one in seen] == [__file__], "told to who called"
        assert got.centers_.ravel().tolist() == [image.flat[0]] * 3
        assert got.inertia_ == 0
        assert (got.predict(image) == 1).all()


def test_more_classes_than_pixels_are_refused():
    with pytest.raises(
        ValueError, match=r"`n_classes` must be at most the number of pixels .*, 2, got 3"
    ):
        KMeans(3).fit([1, 2])
    with pytest.raises(
        ValueError, match=r"`n_classes` must be at most the number of pixels .*, 1, got 2"
    ):
        KMeans(2).fit([1, 2, 3], mask=[0, 1, 0])


def test_pixels_outside_the_mask_do_not_count_and_get_0():
    image = np.array([[0, 1, 200], [0, 1, 255], [9, 9, 9]])
    mask = image < 100
    got = KMeans(2, init=[[0], [9]])
    labels = got.fit_predict(image, mask)
    assert labels.tolist() == [[1, 1, 0], [1, 1, 0], [2, 2, 2]]
    assert got.centers_.ravel().tolist() == [0.5, 9.0]
    assert got.predict(image)[0, 2] == 2
    np.testing.assert_array_equal(labels, KMeans(2, init=[[0], [9]]).fit_predict(image, mask * 1))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_the_number_of_threads_changes_nothing(dtype, monkeypatch):
    rng = np.random.default_rng(0)
    image = (rng.random((500, 600, 3)) * 255).astype(dtype)
    one = KMeans(6, max_iter=8, tol=0, channel_axis=-1)
    labels = one.fit_predict(image)
    for n_jobs in (2, 5, -1):
        other = KMeans(6, max_iter=8, tol=0, channel_axis=-1, n_jobs=n_jobs)
        np.testing.assert_array_equal(other.fit_predict(image), labels)
        assert other.centers_.tobytes() == one.centers_.tobytes()
        assert other.inertia_ == one.inertia_
    monkeypatch.setenv("SEGKIT_NUM_THREADS", "1")
    again = KMeans(6, max_iter=8, tol=0, channel_axis=-1, n_jobs=7)
    np.testing.assert_array_equal(again.fit_predict(image), labels)


@pytest.mark.parametrize("shape", [(40, 50), (400, 500, 3)])
def test_equal_colors_are_counted_once_with_the_same_result(shape):
    """Small integers as floats go another way, to the same end."""
    image = np.random.default_rng(2).integers(0, 9, shape).astype(np.uint8) * 20
    axis = -1 if len(shape) == 3 else None
    start = np.linspace(10, 170, 4)[:, None] * np.ones((1, shape[-1] if axis else 1))
    counted = _lloyd._colors if axis else _lloyd._levels
    assert counted(image.reshape(-1, start.shape[1])) is not None
    wanted = KMeans(4, init=start, channel_axis=axis).fit(image)
    got = KMeans(4, init=start, channel_axis=axis).fit(image.astype(np.float64))
    assert got.centers_.tobytes() == wanted.centers_.tobytes()
    assert got.n_iter_ == wanted.n_iter_
    assert got.inertia_ == pytest.approx(wanted.inertia_)


@given(images(dtypes=(np.uint8,), shape=(5, 4, 3), n_levels=200))
def test_colors_are_counted_and_listed_page_by_page(image):
    n_pages, page = page_sizes()
    page_of = np.full(n_pages, -1, np.int32)
    rows = np.zeros((20, page), np.int32)
    wanted = plain.colors(image)
    assert count_colors(rows_of(image), page_of, rows) == 20
    for color, count in wanted.items():
        high = np.array(color) >> 3
        low = np.array(color) & 7
        slot = page_of[high @ [1024, 32, 1]]
        assert rows[slot, low @ [64, 8, 1]] == count
    assert rows.sum() == 20
    colors, counts = np.zeros((len(wanted), 3), np.uint8), np.zeros(len(wanted))
    starts = np.zeros(page_of.max() + 2, np.intp)
    list_colors(page_of, rows, colors, counts, starts)
    assert dict(zip(map(tuple, colors.tolist()), counts.tolist(), strict=True)) == wanted
    assert starts[0] == 0
    assert starts[-1] == len(wanted)
    for begin, end in pairwise(starts):
        assert len(np.unique(colors[begin:end] >> 3, axis=0)) == 1


def test_counting_colors_stops_when_the_pages_are_full():
    image = np.array([[0, 0, 0], [7, 7, 7], [0, 0, 8], [0, 0, 0]], np.uint8)
    page_of = np.full(page_sizes()[0], -1, np.int32)
    assert count_colors(image, page_of, np.zeros((1, page_sizes()[1]), np.int32)) == 2


@pytest.mark.parametrize("k", [2, 3, 9])
def test_pixels_between_centers_go_to_the_first(k):
    """Ties that float32 cannot see are decided as in double."""
    centers = np.arange(k, dtype=float)[:, None] * 2 + 100_000
    points = np.arange(2 * k, dtype=np.float64)[:, None] - 0.5 + 100_000 + 0.5
    labels = np.empty(len(points), np.int32)
    label_nearest(points, centers, *_lloyd._workspace(k, 1), labels)
    assert labels.tolist() == [1 + plain.nearest(x, centers.tolist()) for x in points.tolist()]


def test_probabilities_are_0_and_1():
    image = [[0, 9], [1, 8]]
    got = KMeans(2, init=[[0], [9]]).fit(image)
    assert got.predict_proba(image).tolist() == [[[1, 0], [0, 1]], [[1, 0], [0, 1]]]
    assert got.predict_proba(image).dtype == np.float32


def test_centers_of_another_number_of_rows_or_columns_are_refused():
    for init in ([[1], [2]], [[1, 2], [3, 4], [5, 6]]):
        with pytest.raises(ValueError, match=r"`init` must have a row for each class .*\(3, 1\)"):
            KMeans(3, init=init).fit(np.arange(9))


def test_numbers_that_double_cannot_tell_apart_are_refused():
    with pytest.raises(ValueError, match=r"`image` must hold integers up to 2\*\*53"):
        KMeans(2).fit([2**60, 2**60 + 1])
    with pytest.raises(ValueError, match="`image` must hold values up to 1e"):
        KMeans(2).fit([1e200, 0.0])


def test_a_generator_goes_on_where_it_was():
    image = blobs(400, 2, k=30)
    generator = np.random.default_rng(0)
    first = KMeans(9, init="random", max_iter=1, rng=generator, channel_axis=-1).fit(image)
    second = KMeans(9, init="random", max_iter=1, rng=generator, channel_axis=-1).fit(image)
    assert not np.array_equal(first.centers_, second.centers_)
