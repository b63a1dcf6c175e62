"""Measures of partitions."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage import metrics as theirs

from segkit import _contingency, _partitions, datasets, metrics
from tests import strategies as own
from tests.reference import partitions as reference

FLOATS = {
    name: getattr(metrics, name)
    for name in ("rand_index", "adjusted_rand_index", "normalized_mutual_information")
}
TUPLES = {
    name: getattr(metrics, name) for name in ("adapted_rand_error", "variation_of_information")
}
MEASURES = {**FLOATS, **TUPLES, "segmentation_covering": metrics.segmentation_covering}
PERFECT = {"adapted_rand_error": (0, 1, 1), "variation_of_information": (0, 0)}
IGNORED = st.sampled_from([None, 0, 1, 40])


@st.composite
def images(draw, n=2, max_pixels=30):
    """Return label images of the same shape."""
    shape = draw(own.shapes(max_pixels=max_pixels))
    return [draw(own.label_images(shape=shape)) for _ in range(n)]


def halves(shape, cut):
    labels = np.ones(shape, dtype=np.int32)
    labels[:, cut:] = 2
    return labels


@given(pair=images(), ignore=IGNORED)
@pytest.mark.parametrize("name", [*FLOATS, *TUPLES])
def test_measures_equal_the_plain_version(name, pair, ignore):
    got = MEASURES[name](*pair, ignore=ignore)
    if len(reference.positions(pair[0], ignore)) == 0:
        assert got == PERFECT.get(name, 1)
        return
    wanted = getattr(reference, name)(*pair, ignore)
    if name in TUPLES:
        assert got == pytest.approx([float(x) for x in wanted], abs=1e-12)
        assert all(type(x) is float for x in got)
    else:
        assert got == pytest.approx(float(wanted), abs=1e-12)
        assert type(got) is float


@given(trio=images(3), ignore=IGNORED)
def test_covering_and_overlaps_equal_the_plain_version(trio, ignore):
    *truths, test = trio
    got = metrics.region_overlaps(truths[0], test, ignore=ignore)
    wanted = reference.region_overlaps(truths[0], test, ignore)
    columns = list(zip(*wanted, strict=True)) or [()] * 4
    for column, values in zip(got, columns, strict=True):
        assert column.tolist() == [float(x) if isinstance(x, Fraction) else x for x in values]
    covering = metrics.segmentation_covering(truths, test, ignore=ignore)
    wanted = reference.segmentation_covering(truths, test, ignore)
    assert covering == pytest.approx(float(wanted), abs=1e-12)


@given(pair=images(1))
@pytest.mark.parametrize("name", MEASURES)
def test_the_same_partition_is_perfect_whatever_its_ids(name, pair):
    (labels,) = pair
    renamed = np.unique(labels, return_inverse=True)[1].reshape(labels.shape)
    renamed = np.array([9, 2, 0, 7, 2**40, 3, 1, 8])[renamed]
    assert MEASURES[name](labels, labels) == PERFECT.get(name, 1)
    assert MEASURES[name](labels, renamed) == PERFECT.get(name, 1)


@given(pair=images())
@pytest.mark.parametrize("name", MEASURES)
def test_renumbering_changes_nothing_at_all(name, pair):
    truth, test = (np.unique(one, return_inverse=True)[1].reshape(one.shape) for one in pair)
    renamed = np.array([9, 2, 0, 7, 2**40, 3, 1, 8])[test]
    assert MEASURES[name](truth, renamed) == MEASURES[name](truth, test)


@given(pair=images())
def test_what_is_symmetric_is_exactly_symmetric(pair):
    one, two = pair
    for measure in FLOATS.values():
        assert measure(one, two) == measure(two, one)
    error, precision, recall = metrics.adapted_rand_error(one, two)
    assert metrics.adapted_rand_error(two, one) == (error, recall, precision)
    split, merge = metrics.variation_of_information(one, two)
    assert metrics.variation_of_information(two, one) == (merge, split)


@given(trio=images(3))
def test_variation_of_information_is_a_distance(trio):
    one, two, three = trio

    def distance(a, b):
        return metrics.variation_of_information(a, b).total

    assert distance(one, three) <= distance(one, two) + distance(two, three) + 1e-12
    of_one, of_two, mutual = reference.information(one, two)
    assert distance(one, two) == pytest.approx(of_one + of_two - 2 * mutual, abs=1e-12)


@given(trio=images(3), ignore=IGNORED)
@pytest.mark.parametrize("name", [*FLOATS, *TUPLES])
def test_a_list_of_truths_gives_the_mean(name, trio, ignore):
    *truths, test = trio
    single = [np.array(MEASURES[name](truth, test, ignore=ignore)) for truth in truths]
    assert MEASURES[name](truths, test, ignore=ignore) == pytest.approx(sum(single) / 2)
    assert MEASURES[name](tuple(truths[:1]), test) == MEASURES[name](truths[0], test)


def test_nested_lists_are_one_image_or_many_by_their_depth():
    test = [[1, 1], [2, 2]]
    assert metrics.rand_index([[3, 3], [4, 4]], test) == 1.0
    assert metrics.rand_index([test, [[1, 1], [1, 1]]], test) == pytest.approx(2 / 3)
    assert metrics.rand_index(np.array([[3, 3, 4]]), [1, 1, 2]) == 1.0, "a stack"
    assert metrics.rand_index([[3, 3, 4]], [1, 1, 2]) == 1.0
    assert metrics.rand_index([3, 3, 4], [1, 1, 2]) == 1.0


@pytest.mark.parametrize("name", MEASURES)
def test_bad_truths_in_a_list(name):
    test = np.ones((3, 4), int)
    with pytest.raises(ValueError, match="`truth` must hold at least one annotation"):
        MEASURES[name]([], test)
    with pytest.raises(ValueError, match=r"`truth` has shape \(4, 3\), `test` has shape"):
        MEASURES[name]([test, test.T], test)
    with pytest.raises(TypeError, match="`truth` must hold integers"):
        MEASURES[name]([test, test * 1.0], test)
    with pytest.raises(ValueError, match="`truth` must hold ids >= 0"):
        MEASURES[name]([test, -test], test)
    with pytest.raises(ValueError, match="`truth` must hold ids below"):
        MEASURES[name]([test, test.astype(np.uint64) << 63], test)
    with pytest.raises(ValueError, match="`truth` must be a rectangular array"):
        MEASURES[name]([[1, 2], [3]], [[1, 2], [3, 4]])
    with pytest.raises(ValueError, match="`truth` must be a rectangular array"):
        MEASURES[name]([[[1, 2], [3]]], [[1, 2], [3, 4]])


@pytest.mark.parametrize("name", MEASURES)
def test_nothing_left_is_perfect(name):
    perfect = PERFECT.get(name, 1)
    assert MEASURES[name](np.zeros((0, 2), int), np.zeros((0, 2), int)) == perfect
    assert MEASURES[name]([3, 3], [1, 2], ignore=3) == perfect
    assert MEASURES[name]([3], [1]) == perfect
    assert MEASURES[name]([3, 4, 5], [1, 2, 9]) == perfect, "singletons"


def test_pairs_in_one_only():
    """Dice of the two sets of pairs: 0 when one of them is empty."""
    assert metrics.adapted_rand_error([1, 2, 3], [1, 1, 1]) == (1, 0, 0)
    assert metrics.adapted_rand_error([1, 1, 1], [1, 2, 3]) == (1, 0, 0)
    assert metrics.adjusted_rand_index([1, 1, 1], [1, 2, 3]) == 0
    assert metrics.normalized_mutual_information([1, 1, 1], [1, 2, 3]) == 0


def test_pairs_beyond_64_bits_are_counted_exactly():
    """Tables of 2**34 pixels, made by hand: squares of sizes exceed 64 bits."""
    half = 2**33
    ids = np.array([1, 2])
    sizes = np.array([half, half])
    place = np.arange(2)
    same = _contingency.ContingencyTable(ids, ids, sizes, sizes, place, place, sizes, 2 * half)
    assert _partitions.scores(same)["rand_index"] == 1.0
    assert _partitions.scores(same)["adjusted_rand_index"] == 1.0
    assert _partitions.scores(same)["adapted_rand_error"] == 0.0
    cross = same._replace(
        row=np.array([0, 0, 1, 1]), col=np.array([0, 1, 0, 1]), counts=np.full(4, half // 2)
    )
    n = 2 * half
    together = 4 * ((half // 2) * (half // 2 - 1) // 2)
    alone = 2 * (half * (half - 1) // 2)
    total = n * (n - 1) // 2
    wanted = (total + 2 * together - 2 * alone) / total
    assert _partitions.scores(cross)["rand_index"] == wanted


@pytest.mark.parametrize("shape", [(40, 60), (12, 20, 9)])
@pytest.mark.parametrize("n_regions", [(3, 4), (300, 20), (1, 5)])
def test_measures_equal_scikit_image(shape, n_regions):
    rng = np.random.default_rng(1)
    truth, test = (rng.integers(0, n + 1, shape) for n in n_regions)
    for ignore, ignored in ((None, ()), (0, (0,)), (2, (2,))):
        ours = metrics.adapted_rand_error(truth, test, ignore=ignore)
        error, *both = theirs.adapted_rand_error(truth, test, ignore_labels=ignored)
        assert ours.error == pytest.approx(error, abs=1e-10)
        # Which of the two scikit-image calls the precision depends on its version.
        assert sorted(ours[1:]) == pytest.approx(sorted(both), abs=1e-10)
        ours = metrics.variation_of_information(truth, test, ignore=ignore)
        wanted = theirs.variation_of_information(truth, test, ignore_labels=ignored)
        assert ours == pytest.approx(wanted.tolist(), abs=1e-10)
        assert ours.total == pytest.approx(wanted.sum(), abs=1e-10)


@pytest.mark.parametrize("n_regions", [(3, 4), (300, 20), (1, 5), (1, 1)])
def test_measures_equal_scikit_learn(n_regions):
    sklearn = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(1)
    truth, test = (rng.integers(0, n, 2000) for n in n_regions)
    assert metrics.rand_index(truth, test) == pytest.approx(
        sklearn.rand_score(truth, test), abs=1e-10
    )
    assert metrics.adjusted_rand_index(truth, test) == pytest.approx(
        sklearn.adjusted_rand_score(truth, test), abs=1e-10
    )
    assert metrics.normalized_mutual_information(truth, test) == pytest.approx(
        sklearn.normalized_mutual_info_score(truth, test), abs=1e-10
    )
    split, merge = metrics.variation_of_information(truth, test)
    table = metrics.contingency(truth, test)
    homogeneity, completeness, _ = sklearn.homogeneity_completeness_v_measure(truth, test)
    for lost, sizes, wanted in (
        (merge, table.truth_sizes, homogeneity),
        (split, table.test_sizes, completeness),
    ):
        entropy = -np.sum(sizes / table.n * np.log2(sizes / table.n))
        assert 1 - (lost / entropy if entropy else 0) == pytest.approx(wanted, abs=1e-10)
    counts = table.to_sparse().toarray()
    assert np.array_equal(counts, sklearn.cluster.contingency_matrix(truth, test))


def test_precision_falls_with_regions_run_together_and_recall_with_regions_cut_up():
    truth = halves((4, 6), 3)
    merged = metrics.adapted_rand_error(truth, np.ones_like(truth))
    assert merged.recall == 1.0
    assert merged.precision < 1
    cut = metrics.adapted_rand_error(np.ones_like(truth), truth)
    assert cut.precision == 1.0
    assert cut.recall < 1
    assert metrics.variation_of_information(truth, np.ones_like(truth)) == (0, 1)
    assert metrics.variation_of_information(np.ones_like(truth), truth) == (1, 0)


@given(pair=images())
def test_scores_of_a_table_are_those_of_the_functions(pair):
    found = _partitions.scores(metrics.contingency(*pair))
    for name in (*FLOATS, "segmentation_covering"):
        assert found[name] == MEASURES[name](*pair)
    assert found["variation_of_information"] == metrics.variation_of_information(*pair).total
    information = metrics.variation_of_information(*pair)
    assert (found["split"], found["merge"]) == information
    assert found["adapted_rand_error"] == metrics.adapted_rand_error(*pair).error


def test_of_equal_overlaps_the_lowest_id_is_named():
    found = metrics.region_overlaps([5, 5, 0, 0], [9, 3, 4, 4])
    assert found.truth_ids.tolist() == [0, 5]
    assert found.test_ids.tolist() == [4, 3]
    assert found.iou.tolist() == [1.0, 0.5]


def test_people_agree_with_each_other_as_published(data_root):
    """Each annotator against the rest: 0.72 covering, 1.17 bits on all 200 test images."""
    covering, bits = [], []
    for item in datasets.open("bsds500", data_root / "bsds500"):
        for k, one in enumerate(item.truth):
            others = [*item.truth[:k], *item.truth[k + 1 :]]
            covering.append(metrics.segmentation_covering(others, one))
            bits.append(metrics.variation_of_information(others, one).total)
    assert np.mean(covering) == pytest.approx(0.722, abs=0.01)
    assert np.mean(bits) == pytest.approx(1.169, abs=0.03)
