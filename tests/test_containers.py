"""The containers of segkit_ext, each alone: what they answer, and how many steps they take.

The answers are compared with plain lists, `heapq` and dicts.  The costs are
counted, not timed, and bounded by the worst case that theory gives.
"""

import heapq
import math
from collections import defaultdict, deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segkit_ext.containers import PyBuckets, PyFifo, PyHeap, find_root, unite_pairs

from .reference.containers import plain_roots

FIFO_START = 64  # room after the first push
KEYS = st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.5, math.inf, -math.inf, 5e-324, 1e308])


# A push is a number (how many items), a pop is None: long runs of either are common.
fifo_work = st.lists(st.integers(1, 150) | st.integers(-150, -1), max_size=20)


@given(fifo_work)
def test_fifo_gives_items_back_in_their_order(work):
    queue, plain, item, longest = PyFifo(), deque(), 0, 0
    for count in work:
        for _ in range(abs(count)):
            if count > 0:
                queue.push(item)
                plain.append(item)
                item += 1
            elif plain:
                assert queue.pop() == plain.popleft()
        longest = max(longest, len(plain))
        assert len(queue) == len(plain)
        for ahead in {0, len(plain) // 2, len(plain) - 1} if plain else ():
            assert queue.peek(ahead) == plain[ahead]
        assert queue.room <= max(FIFO_START, 2 * longest)
    assert [queue.pop() for _ in range(len(queue))] == list(plain)


def test_fifo_room_follows_the_longest_queue_not_all_that_passed():
    queue = PyFifo()
    for item in range(10_000):
        queue.push(item)
        if item >= 10:
            assert queue.pop() == item - 10
    assert queue.room == FIFO_START


@pytest.mark.parametrize("n", [0, 1, 63, 64, 65, 127, 128, 129, 1000])
def test_fifo_grows_while_it_wraps_around(n):
    queue = PyFifo()
    for item in range(40):  # the head now lies inside the ring
        queue.push(item)
    for item in range(40):
        assert queue.pop() == item
    for item in range(n):
        queue.push(item)
    assert [queue.pop() for _ in range(n)] == list(range(n))
    assert len(queue) == 0


@pytest.mark.parametrize("item", [-(2**63), -1, 0, 2**31, 2**63 - 1])
def test_fifo_keeps_64_bit_items(item):
    queue = PyFifo()
    queue.push(item)
    assert queue.pop() == item


@given(st.lists(KEYS | st.none(), max_size=300))
def test_heap_pops_the_lowest_key_and_the_oldest_among_equals(work):
    heap, plain, age = PyHeap(), [], 0
    for key in work:
        if key is not None:
            heap.push(key, 3 * age, -age)
            heapq.heappush(plain, (key, age, 3 * age, -age))
            age += 1
        elif plain:
            assert heap.pop() == heapq.heappop(plain)
        assert len(heap) == len(plain)
    while plain:
        assert heap.pop() == heapq.heappop(plain)
    assert len(heap) == 0


@pytest.mark.parametrize("order", ["rising", "falling", "equal", "random"])
def test_heap_steps_stay_below_the_depth_of_the_tree(order):
    n = 3000
    keys = {
        "rising": np.arange(n),
        "falling": np.arange(n)[::-1],
        "equal": np.zeros(n),
        "random": np.random.default_rng(0).random(n),
    }[order]
    heap, before = PyHeap(), 0
    for length, key in enumerate(keys, start=1):
        heap.push(float(key), 0)
        assert heap.steps - before <= math.floor(math.log2(length))
        before = heap.steps
    if order in ("rising", "equal"):  # the best case: an entry stays where it was put
        assert heap.steps == 0
    for length in range(n, 0, -1):
        heap.pop()
        assert heap.steps - before <= math.floor(math.log2(length))
        before = heap.steps


@given(
    st.integers(1, 300),
    st.lists(st.tuples(st.booleans(), st.integers(0, 299)), max_size=300),
)
def test_buckets_pop_the_lowest_level_first_in_first_out(n_levels, work):
    buckets, plain = PyBuckets(n_levels), defaultdict(deque)
    for item, (push, level) in enumerate(work):
        if push:
            buckets.push(level % n_levels, item)
            plain[level % n_levels].append(item)
        elif any(plain.values()):
            lowest = min(level for level, queue in plain.items() if queue)
            assert buckets.pop() == (lowest, plain[lowest].popleft())
        assert len(buckets) == sum(map(len, plain.values()))
    for lowest in sorted(plain):
        for item in plain[lowest]:
            assert buckets.pop() == (lowest, item)
    assert len(buckets) == 0


def test_buckets_walk_over_each_word_of_levels_once_when_levels_only_rise():
    n_levels = 1 << 16
    buckets, walked = PyBuckets(n_levels), 0
    for level in range(0, n_levels, 97):
        buckets.push(level, level)
    while len(buckets):
        before = buckets.word
        level, _ = buckets.pop()
        walked += buckets.word - before
        if level + 1 < n_levels and level % 2:  # a flood: what is pushed lies no lower
            buckets.push(level + 1, 0)
    assert walked <= n_levels // 64


def test_buckets_walk_at_most_all_words_for_one_pop():
    buckets = PyBuckets(1 << 16)
    buckets.push(0, 0)
    buckets.push((1 << 16) - 1, 1)
    assert buckets.pop() == (0, 0)
    assert buckets.pop() == ((1 << 16) - 1, 1)
    assert buckets.word <= (1 << 16) // 64
    buckets.push(5, 2)
    assert buckets.word == 0
    assert buckets.pop() == (5, 2)


@given(st.data())
def test_union_find_gives_the_smallest_member_of_each_set(data):
    n = data.draw(st.integers(1, 30))
    node = st.integers(0, n - 1)
    pairs = data.draw(st.lists(st.tuples(node, node), max_size=60))
    parent = np.arange(n, dtype=np.int64)
    u, v = np.array(pairs, dtype=np.int64).reshape(-1, 2).T.copy()
    unite_pairs(parent, u, v)
    assert (parent <= np.arange(n)).all()
    assert [find_root(parent, p) for p in range(n)] == plain_roots(n, pairs)


def chain(n):
    """Link a long path from its end: the deepest tree that links by index can make."""
    u = np.arange(n - 1, 0, -1)
    return u, u - 1


def binomial(n):
    """Return the pairs that make binomial trees, the worst case without union by size."""
    u, v = [], []
    half = 1
    while half < n:
        first = np.arange(0, n - half, 2 * half)
        u.append(first)
        v.append(first + half)
        half *= 2
    return np.concatenate(u), np.concatenate(v)


def last_members(n):
    """Return the pairs that join the same trees by their last members, far from the roots."""
    u, v = binomial(n)
    half = v - u
    return u + half - 1, v + half - 1


def random_pairs(n):
    return np.random.default_rng(1).integers(0, n, (2, 2 * n))


def raster(n):
    """Return the pairs that labeling an image of one region makes: left and upper neighbors."""
    side = math.isqrt(n)
    p = np.arange(side * side).reshape(side, side)
    left = p[:, :-1].ravel(), p[:, 1:].ravel()
    upper = p[:-1].ravel(), p[1:].ravel()
    return np.concatenate([left[0], upper[0]]), np.concatenate([left[1], upper[1]])


@pytest.mark.parametrize("work", [chain, binomial, last_members, random_pairs, raster])
@pytest.mark.parametrize("n", [64, 1024, 16384])
def test_union_find_walks_at_most_n_log_n_links(work, n):
    u, v = (np.ascontiguousarray(side, dtype=np.int64) for side in work(n))
    parent = np.arange(n, dtype=np.int64)
    links = unite_pairs(parent, u, v)
    again = unite_pairs(parent, u, v)  # finds along the paths that the first round left
    # Path splitting without union by size: O((n + m) log n) for m operations on n nodes.
    assert links + again <= (n + 4 * len(u)) * math.log2(n)


def test_a_find_halves_the_path_it_walks():
    n = 1024
    parent = np.maximum(np.arange(n, dtype=np.int64) - 1, 0)  # one path of n nodes
    assert find_root(parent, n - 1) == 0
    depth, node = 0, n - 1
    while parent[node] != node:
        node = parent[node]
        depth += 1
    assert depth == n // 2
