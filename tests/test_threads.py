"""Blocks of work in threads: the order of results, and how many threads there are."""

import os
import threading

import pytest

from segkit import _threads


def test_results_come_in_the_order_of_blocks_whatever_the_threads():
    for n_threads in (1, 2, 5):
        squares = _threads.in_order(lambda x: x * x, range(100), n_threads)
        assert list(squares) == [x * x for x in range(100)]
    assert _threads.run(str, [3, 1, 2], n_jobs=2) == ["3", "1", "2"]


def test_segkit_num_threads_is_the_most(monkeypatch):
    monkeypatch.setenv("SEGKIT_NUM_THREADS", "2")
    assert [_threads.count(n) for n in (1, 2, 8)] == [1, 2, 2]
    assert _threads.count(-1) <= 2
    monkeypatch.delenv("SEGKIT_NUM_THREADS")
    assert _threads.count(8) == 8
    assert _threads.count(10**9) <= max(256, os.cpu_count())
    assert _threads.count(-1) == os.cpu_count()


def test_an_error_ends_the_work():
    begun = []
    lock = threading.Event()

    def work(x):
        begun.append(x)
        if x == 0:
            lock.wait(1)
            raise RuntimeError("no more")
        lock.set()

    with pytest.raises(RuntimeError, match="no more"):
        _threads.run(work, range(100_000), n_jobs=2)
    assert len(begun) < 1000


def test_slices_cover_everything_once():
    assert _threads.slices(5, 2) == [slice(0, 2), slice(2, 4), slice(4, 5)]
    assert _threads.slices(0, 2) == []
