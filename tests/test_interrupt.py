"""Ctrl-C ends any call at once: inputs untouched, and the next call works.

Each function runs in a process of its own on an image large enough to be caught
in the middle.  First the whole call is timed, then it is repeated with a signal
due after a third of that CPU time: it must be over long before its end.  CPU
time, not the clock: other work on the machine must not decide.  A second test
presses Ctrl-C for real, from outside, and takes the clock.
"""

import json
import signal
import subprocess
import sys
import time
import zlib
from contextlib import contextmanager
from operator import attrgetter

import numpy as np
import pytest

import segkit
from tests.conftest import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

LIMIT = 0.5  # seconds from Ctrl-C to KeyboardInterrupt
SIDE = 3000


def noise(side=SIDE, high=256, dtype=np.uint8):
    return np.random.default_rng(0).integers(0, high, (side, side)).astype(dtype)


def dots(side=SIDE, dtype=np.int32):
    markers = np.zeros((side, side), dtype)
    markers[::50, ::50] = np.arange(1, markers[::50, ::50].size + 1).reshape(
        markers[::50, ::50].shape
    )
    return markers


def path(side=SIDE):
    """Return a path that folds through the whole image, one pixel wide."""
    image = np.zeros((side, side), np.uint8)
    image[::2] = 1
    image[1::4, -1] = 1
    image[3::4, 0] = 1
    return image


def shares(side, n_classes=4):
    return np.random.default_rng(0).random((side, side, n_classes))


WORK = {
    "connected_components": lambda: {"image": noise(high=4), "background": None},
    "connected_components, tolerance": lambda: {"image": noise(), "tolerance": 9},
    "connected_components, float": lambda: {
        "image": noise(high=9, dtype=np.float64), "tolerance": 1,
    },
    "relabel": lambda: {"labels": noise(6000, high=5000, dtype=np.int64) << 30},
    "remove_small": lambda: {"labels": noise(6000, high=5000, dtype=np.int32), "min_size": 3},
    "boundaries": lambda: {"labels": noise(6000, high=3, dtype=np.int64), "mode": "thick"},
    "join": lambda: {"first": noise(6000, high=70, dtype=np.int32), "second": dots(6000)},
    "regions": lambda: {"labels": noise(high=5000, dtype=np.int32), "image": noise()},
    "mean_image": lambda: {"labels": noise(6000, high=5000, dtype=np.int32), "image": noise(6000)},
    "region_graph": lambda: {
        "labels": noise(6000, high=70, dtype=np.int32), "image": noise(6000),
        "strength": noise(6000), "connectivity": 2,
    },
    "merge_regions": lambda: {
        "labels": np.arange(1, 400**2 + 1).reshape(400, 400), "image": noise(400),
        "n_regions": 1,
    },
    "region_growing, region": lambda: {"image": noise(2000), "seeds": dots(2000)},
    "region_growing, region float": lambda: {
        "image": noise(1500, dtype=np.float32), "seeds": dots(1500),
    },
    "region_growing, region with 80 neighbors": lambda: {
        "image": noise(900, dtype=np.float32).reshape([30] * 4),
        "seeds": dots(900).reshape([30] * 4), "tolerance": 20, "connectivity": 4,
    },
    "region_growing, neighbor": lambda: {
        "image": noise(), "seeds": dots(), "criterion": "neighbor", "tolerance": 150,
    },
    "region_growing, seed": lambda: {
        "image": path(9000), "seeds": [(0, 0)], "criterion": "seed", "tolerance": 0,
    },
    "region_growing, unseeded": lambda: {
        "image": noise(), "criterion": "neighbor", "tolerance": 5,
    },
    "region_growing, unseeded region": lambda: {"image": noise(1500), "tolerance": 20},
    "region_growing, confidence": lambda: {
        "image": noise(), "seeds": [(1000, 1000)], "criterion": "confidence",
    },
    "felzenszwalb": lambda: {"image": noise(2000), "scale": 100},
    "felzenszwalb, float": lambda: {"image": noise(1500, dtype=np.float64), "scale": 100},
    "statistical_region_merging": lambda: {"image": noise(2000), "min_size": 9},
    "find_seeds": lambda: {"image": noise()},
    "gradient": lambda: {"image": noise(6000), "sigma": 1.0},
    "boundary_strength": lambda: {"image": noise(350)},
    "local_minima": lambda: {"relief": noise()},
    "local_minima, depth": lambda: {"relief": noise(2000), "depth": 30},
    "watershed, uint8": lambda: {"relief": noise(), "markers": dots()},
    "watershed, uint16": lambda: {
        "relief": noise(high=9000, dtype=np.uint16), "markers": dots(),
    },
    "watershed, float": lambda: {
        "relief": noise(2000, high=9000, dtype=np.float32), "markers": dots(2000),
    },
    "watershed, int64": lambda: {
        "relief": noise(2000, high=9000, dtype=np.int64) << 20, "markers": dots(2000),
    },
    "watershed, minima": lambda: {"relief": noise(2000)},
    "watershed, lines": lambda: {"relief": noise(2000), "markers": dots(2000), "lines": "thin"},
    "watershed_tree": lambda: {"relief": noise(2000)},
    "watershed_tree, volume": lambda: {"relief": noise(1500), "attribute": "volume"},
    "watershed, compact": lambda: {
        "relief": noise(1500), "markers": dots(1500), "compactness": 1.0,
    },
    "KMeansSegmenter": lambda: {
        "image": noise(3000).reshape(1000, 3000, 3), "n_classes": 20, "max_iter": 10, "tol": 0,
        "channel_axis": -1,
    },
    "KMeansSegmenter, float": lambda: {
        "image": noise(1500, dtype=np.float64) * 0.37, "n_classes": 30, "max_iter": 10, "tol": 0,
    },
    "pixel_features": lambda: {
        "image": noise(1500), "names": ["structure", "local_std", "hessian"],
    },
    "GaussianMixtureSegmenter": lambda: {
        "image": noise(1000, dtype=np.float32), "n_classes": 3, "max_iter": 20, "tol": 0,
    },
    "HiddenMarkovChainSegmenter": lambda: {
        "image": noise(700), "n_classes": 4, "max_iter": 20, "tol": 0,
    },
    "HiddenMarkovChainSegmenter, viterbi": lambda: {
        "image": noise(1500), "n_classes": 5, "max_iter": 1, "decoding": "viterbi",
    },
    "KNNSegmenter": lambda: {
        "image": noise(600, high=1 << 24, dtype=np.float32), "n_neighbors": 20,
        "annotation": noise(600, high=3, dtype=np.int32),
    },
    "KNNSegmenter, two threads": lambda: {
        "image": noise(3000, high=1 << 24, dtype=np.float32)[:150].reshape(150, 150, 20),
        "annotation": noise(150, high=3, dtype=np.int32), "n_jobs": 2, "channel_axis": -1,
    },
    "hilbert_scan": lambda: {"shape": (7001, 7000)},
    "metrics.contingency": lambda: {
        "truth": noise(8000, high=70, dtype=np.int32), "test": noise(8000, high=9),
    },
    "MarkovRandomFieldSegmenter": lambda: {
        "image": noise(400), "n_classes": 3, "solver": "graph_cut", "max_iter": 4, "tol": 0,
    },
    "regularize, icm": lambda: {"proba": shares(1000), "beta": 0.5},
    "regularize, mean_field": lambda: {
        "proba": shares(350), "beta": 0.5, "solver": "mean_field",
    },
    "regularize, graph_cut": lambda: {"proba": shares(400), "beta": 1, "solver": "graph_cut"},
    "regularize, contrast": lambda: {
        "proba": shares(700), "beta": 1, "solver": "graph_cut", "image": noise(700),
        "connectivity": 2, "max_iter": 1,
    },
    "potts_energy": lambda: {
        "labels": noise(1800, high=2) + 1, "proba": shares(1800, 2), "beta": 1,
        "image": noise(1800),
    },
    "quadtree": lambda: {"image": noise(), "threshold": 200},
    "split_and_merge": lambda: {
        "image": noise(700), "split_threshold": 80, "merge_threshold": 120,
    },
    "quadtree, std": lambda: {"image": noise(), "threshold": 60, "criterion": "std"},
    "quadtree, std float": lambda: {
        "image": noise(dtype=np.float32), "threshold": 60, "criterion": "std",
    },
    "quadtree, entropy": lambda: {
        "image": noise(2000), "threshold": 3, "criterion": "entropy",
    },
    "metrics.boundary_scores": lambda: {
        "truth": dots(1500), "test": noise(1500, high=3), "tolerance": 0.005,
    },
}  # fmt: skip


def function_of(name):
    """Return a public function, or what a segmenter does with an image and its parameters."""
    found = attrgetter(name.split(",")[0])(segkit)
    if not isinstance(found, type):
        return found

    def fit_predict(image, annotation=None, **parameters):
        if annotation is None:
            return found(**parameters).fit_predict(image)
        return found(**parameters).fit(image, annotation).predict(image)

    return fit_predict


@contextmanager
def started(name, how):
    """Yield a process that does the work, which does not outlive the test."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.test_interrupt", name, how],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as child:
        try:
            yield child
        finally:
            child.kill()


@pytest.mark.parametrize("name", WORK)
def test_a_signal_in_the_middle_ends_the_call(name):
    with started(name, "timer") as child:
        out, _ = child.communicate(timeout=120)
    assert child.returncode == 0
    told = json.loads(out)
    assert told["came"], f"over each time before the signal: {told}"
    assert told["interrupted"], f"ran to its end in spite of the signal: {told}"
    assert told["delay"] < LIMIT
    if told["whole"] > 0.3:  # long enough to tell a part of it from noise
        assert told["delay"] < told["whole"] / 2, f"no poll in a large part of it: {told}"
    assert told["untouched"]
    assert told["next_equal"]


@pytest.mark.parametrize(
    "name", ["watershed, float", "region_growing, region", "connected_components, tolerance"]
)
def test_ctrl_c_from_outside(name):
    with started(name, "loop") as child:
        assert child.stdout.readline() == "ready\n"
        time.sleep(0.7)
        sent = time.monotonic()
        child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=60)
    assert child.returncode == 0
    told = json.loads(out)
    assert told["caught"] - sent < LIMIT
    assert told["untouched"]
    assert told["next_equal"]


def fingerprint(arguments):
    return [zlib.crc32(a) for a in arguments.values() if isinstance(a, np.ndarray)]


def same(one, other):
    if isinstance(one, segkit.Quadtree):
        return np.array_equal(one.corner, other.corner)
    if isinstance(one, tuple):
        return all(same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, (segkit.MergeTree, segkit.RegionGraph)):
        one, other = vars(one), vars(other)
    if isinstance(one, dict):
        return all(np.array_equal(one[key], other[key]) for key in one)
    return np.array_equal(one, other)


def interrupted_by_timer(function, arguments):
    """Time a call, then repeat it with a signal after a third of its CPU time.

    A call that is over before the signal came says nothing: much of a short one is for
    fresh memory, which is at hand at times.  Then the signal is asked for sooner.  One that
    came and did not end the call is a failure, however early it came.
    """
    wanted = function(**arguments)  # and loads what is loaded on first use
    whole = float("inf")
    for _ in range(2):
        start = time.process_time()
        function(**arguments)
        whole = min(whole, time.process_time() - start)
    before = fingerprint(arguments)
    came = []

    def press(*_):
        came.append(True)
        raise KeyboardInterrupt

    signal.signal(signal.SIGPROF, press)
    interrupted = False
    for part in (3, 6, 12, 24):
        start = time.process_time()
        try:
            signal.setitimer(signal.ITIMER_PROF, whole / part)
            function(**arguments)
            signal.setitimer(signal.ITIMER_PROF, 0)
        except KeyboardInterrupt:
            interrupted = True
        delay = time.process_time() - start - whole / part
        if came:
            break
    return {
        "whole": whole,
        "came": bool(came),
        "interrupted": interrupted,
        "delay": delay,
        "untouched": before == fingerprint(arguments),
        "next_equal": same(function(**arguments), wanted),
    }


def interrupted_from_outside(function, arguments):
    """Call again and again until Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background has none
    wanted = function(**arguments)
    before = fingerprint(arguments)
    try:
        print("ready", flush=True)
        while True:
            function(**arguments)
    except KeyboardInterrupt:
        caught = time.monotonic()
    return {
        "caught": caught,
        "untouched": before == fingerprint(arguments),
        "next_equal": same(function(**arguments), wanted),
    }


if __name__ == "__main__":
    work = {"timer": interrupted_by_timer, "loop": interrupted_from_outside}[sys.argv[2]]
    print(json.dumps(work(function_of(sys.argv[1]), WORK[sys.argv[1]]())))
