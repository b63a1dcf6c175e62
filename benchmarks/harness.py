"""How time, memory and agreement are measured.

Ours and every peer run in turn, A B C A B C ..., in one process, so that all of
them meet the same machine; each gets the median of the rounds.  What counts is
CPU time: of the calling thread, or of the process where a peer turns out to
work in a thread of its own.  Every library is held to one thread.  What a peer
needs in another form (an image class, three channels) is prepared outside the
clock, and so is a fresh copy of what it overwrites: the empty twin of a call.

Memory is the rise of the resident set above what it was just before the call,
at its peak, in a fresh process.
"""

from __future__ import annotations

import gc
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np

PACKAGES = {  # module -> distribution
    "numpy": "numpy",
    "scipy": "scipy",
    "skimage": "scikit-image",
    "cv2": "opencv-python-headless",
    "SimpleITK": "simpleitk",
    "cc3d": "connected-components-3d",
    "fastremap": "fastremap",
    "diplib": "diplib",
    "mahotas": "mahotas",
    "higra": "higra",
    "sklearn": "scikit-learn",
    "maxflow": "PyMaxflow",
    "hmmlearn": "hmmlearn",
}


@dataclass
class Peer:
    """Another library's way to the same result."""

    name: str
    module: str
    prepare: Callable[..., Callable[[], Callable[[], Any]]]
    # prepare(**inputs) imports the library and returns `fresh`; fresh() copies what the
    # call overwrites and returns the call itself, which alone is timed.
    target: float | None = None  # how many times faster ours is to be
    finish: Callable[[Any], Any] = np.asarray  # what the call gives, as a NumPy array
    note: str = ""


@dataclass
class Case:
    """One task on one input."""

    name: str
    inputs: Callable[[str], dict[str, Any]]  # of a size of inputs.SIDES -> arguments
    ours: Callable[..., Any]
    peers: list[Peer] = field(default_factory=list)
    compare: Callable[[Any, Any], dict[str, Any]] | None = None
    bytes_limit: float | None = None  # per pixel, result included
    input_name: str = ""
    large: Callable[[], dict[str, Any]] | None = None  # 16 megapixels, for memory and growth
    small: bool = True  # whether a call on 64 x 64 pixels is timed
    growth: bool = False  # whether ns per pixel may rise by half at most


def fresh_each_time(call: Callable[[], Any]) -> Callable[[], Callable[[], Any]]:
    """Return a `fresh` for a call that overwrites nothing."""
    return lambda: call


def single_threaded() -> None:
    """Hold every library that is loaded to one thread."""
    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(1)
    if "SimpleITK" in sys.modules:
        sys.modules["SimpleITK"].ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    if "diplib" in sys.modules:
        sys.modules["diplib"].SetNumberOfThreads(1)


def clocked(call: Callable[[], Any]) -> tuple[float, float, Any]:
    """Return the CPU seconds of this thread and of the process, and the result."""
    process, thread = time.process_time(), time.thread_time()
    result = call()
    thread, process = time.thread_time() - thread, time.process_time() - process
    return thread, process, result


def interleaved(
    calls: dict[str, Callable[[], Callable[[], Any]]], rounds: int
) -> tuple[dict[str, float], dict[str, Any]]:
    """Return the median seconds of each call over the rounds, and each one's last result."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    results: dict[str, Any] = {}
    for count in range(rounds + 1):
        for name, fresh in calls.items():
            call = fresh()
            results.pop(name, None)
            thread, process, results[name] = clocked(call)
            if count:  # the first round warms up
                times[name].append((thread, process))
    seconds = {}
    for name, pairs in times.items():
        thread, process = (median(column) for column in zip(*pairs, strict=True))
        # A library that works in a thread of its own shows next to nothing on ours.
        seconds[name] = process if process > 1.25 * thread + 1e-3 else thread
    return seconds, results


def pixels_of(inputs: dict[str, Any]) -> int:
    """Return the number of pixels of the first array; three values in a row are a color."""
    first = next(value for value in inputs.values() if isinstance(value, np.ndarray))
    return first.size // 3 if first.ndim == 3 and first.shape[-1] == 3 else first.size


def run_case(case: Case, *, size: str = "full", rounds: int = 5) -> list[dict[str, Any]]:
    """Return a row for each peer, or one row alone where there is none."""
    inputs = case.inputs(size)
    n_pixels = pixels_of(inputs)
    calls = {"ours": fresh_each_time(lambda: case.ours(**inputs))}
    rows: list[dict[str, Any]] = []
    for peer in case.peers:
        row: dict[str, Any] = {
            "task": case.name,
            "input": case.input_name,
            "pixels": n_pixels,
            "peer": peer.name,
            "target": peer.target,
            "note": peer.note,
        }
        rows.append(row)
        try:
            calls[peer.name] = peer.prepare(**inputs)
        except ImportError:
            row["note"] = "not installed"
    single_threaded()
    gc.collect()
    seconds, results = interleaved(calls, rounds)
    ours = 1e9 * seconds["ours"] / n_pixels
    for row, peer in zip(rows, case.peers, strict=True):
        row["ours_ns"] = ours
        if peer.name not in seconds:
            continue
        row["peer_ns"] = 1e9 * seconds[peer.name] / n_pixels
        row["ratio"] = row["peer_ns"] / ours
        if peer.target is not None:
            row["met"] = row["ratio"] >= peer.target
        if case.compare is not None:
            row.update(case.compare(results["ours"], peer.finish(results[peer.name])))
    if not rows:
        rows.append(
            {
                "task": case.name,
                "input": case.input_name,
                "pixels": n_pixels,
                "peer": "none",
                "ours_ns": ours,
                "target": None,
                "note": "no peer",
            }
        )
    return rows


# Agreement


def same_labels(ours: np.ndarray, theirs: np.ndarray) -> dict[str, Any]:
    """Return the fraction of pixels with the very same label, and the numbers of labels."""
    theirs = np.asarray(theirs).reshape(ours.shape)
    return {
        "agreement": float(np.mean(ours == theirs)),
        "n_ours": count_labels(ours),
        "n_peer": count_labels(theirs),
    }


def same_partition(ours: np.ndarray, theirs: np.ndarray) -> dict[str, Any]:
    """Return the fraction of pixels that agree when each of our labels is renamed at best."""
    theirs = np.asarray(theirs).reshape(ours.shape)
    pair = renumbered(ours).astype(np.int64) * (theirs.size + 1) + renumbered(theirs)
    pairs, counts = np.unique(pair, return_counts=True)
    ours_of_pair = pairs // (theirs.size + 1)
    best = np.zeros(int(ours_of_pair.max()) + 1, dtype=np.int64)
    np.maximum.at(best, ours_of_pair, counts)
    return {
        "agreement": float(best.sum() / ours.size),
        "n_ours": count_labels(ours),
        "n_peer": count_labels(theirs),
    }


def same_values(ours: np.ndarray, theirs: np.ndarray) -> dict[str, Any]:
    """Return the fraction of equal elements, to six digits for floats."""
    theirs = np.asarray(theirs).reshape(ours.shape)
    equal = np.isclose(ours, theirs, rtol=1e-6) if ours.dtype.kind == "f" else ours == theirs
    return {"agreement": float(np.mean(equal))}


def renumbered(labels: np.ndarray) -> np.ndarray:
    """Return the labels as 0..n-1 in order of their ids."""
    return np.unique(labels, return_inverse=True)[1].reshape(labels.shape)


def count_labels(labels: np.ndarray) -> int:
    """Return how many labels other than 0 there are."""
    return int(np.count_nonzero(np.unique(labels)))


# Memory


def memory_in_fresh_process(case_name: str, which: str, size: str) -> float | None:
    """Return the bytes per pixel that a call needs at its peak, or None where it cannot run.

    `size` is one of inputs.SIDES, or "large" for 16 megapixels.
    """
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "memory", case_name, which, size],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return None
    return json.loads(done.stdout.splitlines()[-1])


def memory_of_call(call: Callable[[], Any], n_pixels: int) -> float:
    """Return the rise of the resident set at its peak during the call, in bytes per pixel."""
    gc.collect()
    _give_back_free_memory()
    before = _resident("VmRSS")
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # sets the peak to what is resident now
    except OSError:
        before = max(before, _resident("VmHWM"))
    result = call()
    peak = _resident("VmHWM")
    del result
    return (peak - before) / n_pixels


def _resident(field_name: str) -> int:
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(field_name + ":"):
                return 1024 * int(line.split()[1])
    raise OSError(f"no {field_name} in /proc/self/status")


def _give_back_free_memory() -> None:
    import ctypes

    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)


# Where this ran


def environment() -> dict[str, Any]:
    """Return the versions of all that took part, and the machine."""
    versions = {}
    for distribution in PACKAGES.values():
        try:
            versions[distribution] = importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            versions[distribution] = None
    import segkit

    return {
        "segkit": segkit.__version__,
        "python": platform.python_version(),
        "machine": f"{_processor()}, {os.cpu_count()} cores, {platform.system()}",
        "date": time.strftime("%Y-%m-%d"),
        "versions": versions,
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
