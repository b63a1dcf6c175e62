"""The contingency table."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.metrics import contingency_table

from segkit import metrics
from tests import strategies as own
from tests.reference import partitions as reference


@st.composite
def two_images(draw):
    """Return two label images of the same shape and of any two types."""
    truth = draw(own.label_images())
    return truth, draw(own.label_images(shape=truth.shape))


def as_dict(table):
    """Return a table as the plain version has it."""
    pairs = zip(
        table.truth_ids[table.row].tolist(), table.test_ids[table.col].tolist(), strict=True
    )
    return dict(zip(pairs, table.counts.tolist(), strict=True))


@given(images=two_images(), ignore=st.sampled_from([None, 0, 1, 40, 2**40, 77]))
def test_contingency_equals_the_plain_version(images, ignore):
    truth, test = images
    table = metrics.contingency(truth, test, ignore=ignore)
    wanted = reference.contingency(truth, test, ignore)
    assert as_dict(table) == wanted
    assert list(as_dict(table)) == list(wanted), "rising order"
    counted = reference.positions(truth, ignore)
    assert table.n == len(counted)
    for ids, sizes, labels in (
        (table.truth_ids, table.truth_sizes, truth),
        (table.test_ids, table.test_sizes, test),
    ):
        regions = reference.members(labels, counted)
        assert ids.tolist() == list(regions)
        assert sizes.tolist() == [len(region) for region in regions.values()]
        assert ids.dtype == sizes.dtype == np.int64


@pytest.mark.parametrize(("rows", "cols"), [(7, 5), (3000, 900), (10**6, 10**6), (70_000, 3)])
@pytest.mark.parametrize("run", [1, 9])
def test_contingency_equals_scikit_image(rows, cols, run):
    rng = np.random.default_rng(0)
    truth, test = (
        np.repeat(rng.integers(0, high, (300, 400)), run, axis=1)[:, :400] for high in (rows, cols)
    )
    ours = metrics.contingency(truth, test)
    theirs = contingency_table(truth, test, sparse_type="array")
    assert ours.n == truth.size
    sparse = ours.to_sparse()
    assert sparse.shape == (len(ours.truth_ids), len(ours.test_ids))
    assert sparse.has_canonical_format
    assert (sparse != theirs[ours.truth_ids][:, ours.test_ids]).nnz == 0


def test_more_pairs_than_the_first_table_holds_are_found_again():
    truth = np.arange(5000, dtype=np.int32).repeat(2)
    test = np.tile(np.arange(100, dtype=np.uint8), 100)
    once = metrics.contingency(truth, test)
    twice = metrics.contingency(np.tile(truth, 2), np.tile(test, 2))
    assert np.array_equal(once.row, twice.row)
    assert np.array_equal(2 * once.counts, twice.counts)


@pytest.mark.parametrize("large", [2**31 + 5, 2**40, 2**63 - 1])
def test_memory_follows_the_pairs_not_the_largest_id(large):
    small = np.zeros((64, 64), dtype=np.int64)
    small[3:9, 5:60] = 2
    small[30:, 5:60] = 1
    peaks, tables = [], []
    for ids in ([0, 1, 2], [0, 7, large]):
        labels = np.array(ids)[small]
        tracemalloc.start()
        tables.append(metrics.contingency(labels, labels))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] <= 2 * peaks[0] + 100_000
    assert tables[1].truth_ids.tolist() == [0, 7, large]
    assert np.array_equal(tables[0].counts, tables[1].counts)


def test_uint32_ids_with_the_top_bit():
    labels = np.array([0, 2**32 - 1, 2**31], dtype=np.uint32)
    table = metrics.contingency(labels, labels.astype(np.uint8))
    assert table.truth_ids.tolist() == [0, 2**31, 2**32 - 1]
    assert table.test_ids.tolist() == [0, 255]


@pytest.mark.parametrize("order", "<>")
def test_uint32_beside_ids_of_more_bits(order):
    top = np.array([0, 2**32 - 1, 2**31], dtype=f"{order}u4")
    table = metrics.contingency(top, np.array([2**40, 2**32, 2**40]))
    assert as_dict(table) == {(0, 2**40): 1, (2**31, 2**40): 1, (2**32 - 1, 2**32): 1}
    assert metrics.contingency(top, top).truth_ids.tolist() == [0, 2**31, 2**32 - 1]


def test_ids_of_64_bits_are_refused():
    with pytest.raises(ValueError, match=r"`test` must hold ids below 2\*\*63"):
        metrics.contingency([1, 2], np.array([1, 2**63], dtype=np.uint64))


def test_no_pixels_give_an_empty_table():
    table = metrics.contingency(np.zeros((0, 3), int), np.zeros((0, 3), int))
    assert table.n == 0
    assert all(len(column) == 0 for column in table[:-1])
    assert table.to_sparse().shape == (0, 0)
