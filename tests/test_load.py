"""Load and faults: shapes that are hard on queues and stacks, no memory, large images.

What needs gigabytes is marked `large`: `pytest -m large tests/test_load.py`.
"""

import json
import subprocess
import sys
import time

import numpy as np
import pytest

import segkit
from benchmarks.inputs import spiral
from tests.conftest import ROOT

SIDE = 1000


def checkerboard(side=SIDE):
    return (np.indices((side, side)).sum(axis=0) % 2).astype(np.uint8)


# name -> a call for an image of 0 and 1; the seed is the first pixel
CALLS = {
    "connected_components": lambda a: segkit.connected_components(a, background=None),
    "connected_components, tolerance": lambda a: segkit.connected_components(
        a.astype(np.float32), background=None, tolerance=0.5
    ),
    "growing, seed": lambda a: segkit.region_growing(a, [(0, 0)], criterion="seed", tolerance=0),
    "growing, neighbor": lambda a: segkit.region_growing(
        a, [(0, 0)], criterion="neighbor", tolerance=0
    ),
    "growing, region": lambda a: segkit.region_growing(a, [(0, 0)], tolerance=0.5),
    "growing, confidence": lambda a: segkit.region_growing(
        a, [(0, 0)], criterion="confidence", multiplier=0.001
    ),
    "growing, unseeded": lambda a: segkit.region_growing(a, criterion="neighbor", tolerance=0),
    "growing, unseeded region": lambda a: segkit.region_growing(a, tolerance=0.5),
    "watershed": lambda a: segkit.watershed(1 - a, first_pixel(a)),
    "watershed, masked": lambda a: segkit.watershed(a, first_pixel(a), mask=a > 0),
    "watershed, float": lambda a: segkit.watershed(1 - a.astype(np.float32), first_pixel(a)),
    "watershed, minima": lambda a: segkit.watershed(1 - a),
    "watershed, lines": lambda a: segkit.watershed(1 - a, first_pixel(a), lines="thin"),
    "watershed, compact": lambda a: segkit.watershed(1 - a, first_pixel(a), compactness=0.1),
    "merge_regions": lambda a: segkit.merge_regions(a + 1, a, threshold=0),
    "local_minima": lambda a: segkit.local_minima(1 - a),
    "local_minima, depth": lambda a: segkit.local_minima(1 - a, depth=0.5),
}  # fmt: skip

# these do not follow a spiral of 0 and 1: for memory alone
OTHERS = {
    "quadtree": lambda a: segkit.quadtree(a, threshold=0).labels(),
    "quadtree, std": lambda a: segkit.quadtree(a, threshold=0.1, criterion="std").labels(),
    "quadtree, float": lambda a: segkit.quadtree(
        a.astype(np.float32), threshold=0.1, criterion="std", mask=a < 2
    ).labels(),
    "quadtree, entropy": lambda a: segkit.quadtree(a, threshold=0, criterion="entropy").labels(),
    "felzenszwalb": lambda a: segkit.felzenszwalb(a, scale=1),
    "felzenszwalb, float": lambda a: segkit.felzenszwalb(a.astype(float), scale=1),
    "statistical merging": lambda a: segkit.statistical_region_merging(a, complexity=1e6),
}


def first_pixel(image):
    markers = np.zeros(image.shape, np.int32)
    markers[0, 0] = 1
    return markers


def cpu(call):
    """Return the least CPU time of some calls."""
    times = []
    for _ in range(9):
        start = time.thread_time()
        call()
        times.append(time.thread_time() - start)
    return min(times)


@pytest.mark.parametrize("name", CALLS)
def test_one_region_of_all_pixels(name):
    labels = CALLS[name](np.ones((SIDE, SIDE), np.uint8))
    assert np.array_equal(np.unique(labels), [1])


@pytest.mark.parametrize("name", CALLS)
def test_a_spiral_is_followed_to_its_end(name):
    image = spiral(SIDE)
    labels = CALLS[name](image)
    assert (labels[image > 0] == 1).all()


STEP = {"merge_regions": 20e-9}  # s: four passes, over shapes, values, contacts, and to draw


@pytest.mark.parametrize("name", CALLS)
def test_a_spiral_takes_three_times_a_flat_image_or_so_many_nanoseconds_a_pixel_at_most(name):
    winding = spiral(SIDE)
    flat = np.ones_like(winding)
    slow, quick = cpu(lambda: CALLS[name](winding)), cpu(lambda: CALLS[name](flat))
    # The aim is three times.  Components and growing from one seed miss it: they take a flat
    # image by whole words of pixels, which costs next to nothing, and a spiral step by step.
    # merge_regions is just beyond it, since it takes a flat image by whole runs.
    # For them this only bounds the cost of a step; benchmarks/README.md shows the miss.
    assert slow <= max(3 * quick, STEP.get(name, 10e-9) * winding.size)


@pytest.mark.parametrize("name", CALLS)
def test_a_checkerboard(name):
    image = 1 - checkerboard()
    labels = CALLS[name](image)
    assert labels[0, 0] == 1
    if name.startswith(("connected", "growing, unseeded", "local_minima", "watershed, minima")):
        n = image.size if name.startswith(("connected", "growing")) else image.sum()
        assert labels.max() == n


@pytest.mark.parametrize("shape", [(1, 10**6), (10**6, 1), (1, 1, 10**6), (10**6,)], ids=str)
def test_one_row_and_one_column_of_a_million_pixels(shape):
    image = np.zeros(shape, np.uint8)
    seed = [(0,) * len(shape)]
    for labels in (
        segkit.connected_components(image, background=None),
        segkit.region_growing(image, seed, criterion="seed", tolerance=0),
        segkit.region_growing(image, seed, tolerance=1),
        segkit.watershed(image),
    ):
        assert labels.all()
        assert labels.max() == 1


# Memory refused


NO_MEMORY = """
import json, resource, sys
import numpy as np
import segkit
from tests.test_load import CALLS, OTHERS

CALLS = CALLS | OTHERS

def size():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()

name, limits = sys.argv[1], [int(n) for n in sys.argv[2:]]
side = 500 if "compact" in sys.argv[1] else 1000
image = np.random.default_rng(0).integers(0, 2, (side, side)).astype(np.uint8)
image[0, :] = image[:, 0] = 1
small = image[:50, :50].copy()
wanted = CALLS[name](small)
ends, sizes = [], []
for _ in range(2):
    for limit in limits:
        resource.setrlimit(resource.RLIMIT_AS, (size() + (limit << 20), resource.RLIM_INFINITY))
        try:
            CALLS[name](image)
            ends.append("done")
        except MemoryError:
            ends.append("MemoryError")
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert np.array_equal(CALLS[name](small), wanted)
    sizes.append(size())
print(json.dumps({"ends": ends, "leaked": sizes[1] - sizes[0]}))
"""
LIMITS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 18, 20, 24, 28, 32, 40, 48, 64, 500)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="address space limits of Linux")
@pytest.mark.parametrize("name", [*CALLS, *OTHERS])
def test_refused_memory_is_a_memory_error_and_nothing_leaks(name):
    done = subprocess.run(
        [sys.executable, "-c", NO_MEMORY, name, *map(str, LIMITS)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert "MemoryError" in told["ends"]
    assert told["ends"][-1] == "done"
    assert told["leaked"] < 4 << 20


# Small and large


@pytest.mark.parametrize(
    "name",
    ["connected_components", "growing, seed", "growing, region", "watershed", "watershed, float"],
)
def test_a_small_image_is_quick(name):
    """The bound of 50 us is measured in benchmarks/; this one holds on a busy machine."""
    image = np.ones((64, 64), np.uint8)
    CALLS[name](image)
    assert cpu(lambda: [CALLS[name](image) for _ in range(20)]) / 20 < 1e-3


@pytest.mark.parametrize(
    "name", ["connected_components", "growing, seed", "growing, region", "watershed"]
)
def test_time_grows_with_the_pixels(name):
    def per_pixel(side):
        image = (np.indices((side, side)).sum(axis=0) // 64 % 2).astype(np.uint8)
        return cpu(lambda: CALLS[name](image)) / image.size

    assert per_pixel(2000) <= 2.5 * per_pixel(500)


LARGE = """
import json, sys
import numpy as np
import segkit
from benchmarks.harness import memory_of_call
from benchmarks.inputs import mosaic, scattered_markers

which, side = sys.argv[1], 16384
tile = mosaic(2048)
image = np.tile(np.maximum(tile, 1), (side // 2048, side // 2048))
if which == "labels":
    coarse = image // 32 + 1
    call = lambda: segkit.connected_components(coarse)
elif which == "seed":
    call = lambda: segkit.region_growing(image, [(8000, 8000)], criterion="seed", tolerance=60)
else:
    small = scattered_markers((2048, 2048))
    markers = np.zeros((side, side), np.int32)
    step = int(small.max())
    for k in range(64):
        at = np.s_[k // 8 * 2048 : (k // 8 + 1) * 2048, k % 8 * 2048 : (k % 8 + 1) * 2048]
        markers[at] = np.where(small, small + k * step, 0)
    if which == "region":
        call = lambda: segkit.region_growing(image, markers)
    else:
        call = lambda: segkit.watershed(image, markers)
print(json.dumps(memory_of_call(call, 1)))
"""
GIGABYTES = {"labels": 1.6, "seed": 1.4, "region": 3.5, "watershed": 3.3}


@pytest.mark.large
@pytest.mark.parametrize("which", GIGABYTES)
def test_memory_at_16384_squared(which):
    done = subprocess.run(
        [sys.executable, "-c", LARGE, which], capture_output=True, text=True, cwd=ROOT, check=True
    )
    used = json.loads(done.stdout)
    print(f"{which}: {used / 1e9:.2f} GB, {used / 16384**2:.1f} bytes per pixel")
    assert used <= GIGABYTES[which] * 1e9


MORE_THAN_INT32 = """
import sys
import numpy as np
import segkit

which, shape = sys.argv[1], tuple(int(n) for n in sys.argv[2:])
image = np.zeros(shape, np.uint8)
image.reshape(-1)[-1] = 1  # the last pixel lies beyond 2**31
assert image.size > 2**31
if which == "labels":
    labels = segkit.connected_components(image, background=None)
    last, others = 2, 1
else:
    seed = tuple(side - 1 for side in shape)
    labels = segkit.region_growing(image, [seed], criterion=which, tolerance=0)
    last, others = 1, 0
assert labels.shape == shape
assert labels.dtype == np.int64
found = labels.reshape(-1)
assert found[-1] == last
for start in range(0, found.size - 1, 1 << 24):
    assert (found[start : min(start + (1 << 24), found.size - 1)] == others).all()
"""


@pytest.mark.large
@pytest.mark.parametrize("shape", [(46341, 46342), (1, 46341 * 46342), (46341 * 46342, 1)], ids=str)
@pytest.mark.parametrize("which", ["labels", "seed"])
def test_more_pixels_than_an_int32_counts(which, shape):
    subprocess.run(
        [sys.executable, "-c", MORE_THAN_INT32, which, *map(str, shape)], cwd=ROOT, check=True
    )
