"""Blocks of an image worked on side by side, their results taken in order.

Kernels release the interpreter, so threads suffice.  Results come back in the order of
the blocks, and sums over them are made in that order: the number of threads changes
the time and nothing else.  Only a few blocks are ahead of the one whose result is
taken, so that memory does not follow the size of the image.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_MOST = 256  # threads; a system does not give out as many as there may be blocks
Block = TypeVar("Block")
Result = TypeVar("Result")


def count(n_jobs: int) -> int:
    """Return a number of threads: -1 is one for each core; SEGKIT_NUM_THREADS is the most."""
    cores = os.cpu_count() or 1
    wanted = cores if n_jobs == -1 else min(n_jobs, max(cores, _MOST))
    most = os.environ.get("SEGKIT_NUM_THREADS", "")
    return min(wanted, max(int(most), 1)) if most.isdecimal() else wanted


def in_order(
    work: Callable[[Block], Result], blocks: Iterable[Block], n_threads: int = 1
) -> Iterator[Result]:
    """Yield what `work` gives for each block, in the order of blocks."""
    if n_threads == 1:
        yield from map(work, blocks)
        return
    ahead: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(n_threads) as pool:
        try:
            for block in blocks:
                ahead.append(pool.submit(work, block))
                if len(ahead) > 2 * n_threads:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:  # after an error or Ctrl-C nothing that has not begun is begun
            for left in ahead:
                left.cancel()


def run(work: Callable[[Block], Result], blocks: Iterable[Block], n_jobs: int = 1) -> list[Result]:
    """Return what `work` gives for each block, with the threads that `n_jobs` asks for."""
    return list(in_order(work, blocks, count(n_jobs)))


def slices(n: int, size: int) -> list[slice]:
    """Return 0..n cut into pieces of `size`, the last one shorter."""
    return [slice(start, min(n, start + size)) for start in range(0, n, size)]
