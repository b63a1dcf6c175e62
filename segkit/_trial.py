"""Trying a network once, in a process of its own, before it is let into this one.

The libraries that run networks are written for speed.  A model that was damaged, or made
to do harm, can end the process or fill its memory, and no check of the file
can rule that out.  So a model from elsewhere is first loaded and run on noise in
another process, of little memory and time.  If that ends well, it is loaded here; if
not, the error tells what happened.

The trial also tells which sizes a network takes.  One that shrinks the image three
times by two takes multiples of 8; of a free size this is not written in the file.

And it tells whether what comes out is right.  OpenCV has two engines.  Most networks are computed
rightly by both, but each has kinds of layers that it gets wrong without a word, so every engine is
run, on more than one size where the model takes any.  Where onnxruntime is installed, the engine
that gives what it gives is taken.  Else they must agree with each other, or one of them
must have a known reason to be wrong (`_doubts`).
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

# At most so much, plus what a large model or image needs with each engine
_SECONDS, _PER_MEGABYTE, _PER_MEGAPIXEL = 3.0, 0.1, 20.0  # of one processor
_BYTES = 2**30
_SLOW = 10  # by the clock it may take so many times as long
_LEAST, _MULTIPLES = 128, (1, 2, 4, 8, 16, 32, 64)
_OTHER = (134, 142)  # halved, at most steps one side is even where that of 129 or 130 is odd
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENCV_FOR_THREADS_NUM", "SEGKIT_NUM_THREADS")
# Engines agree where values differ by less than these parts of the largest one, or of their
# spread, but for few of them: rounding may turn what a network decides within.
_ROUNDING, _SPREAD, _FEW = 1e-5, 1e-2, 2e-3


class TrialError(Exception):
    """What went wrong, in a few words."""


class Found(NamedTuple):
    """How a model can be run: by which engine, on sides that are which multiples."""

    engine: str
    multiple: int
    size: tuple[int, int]  # of the image it was tried on
    shape: tuple[int, ...]  # of what it gave


def tried(
    data: bytes,
    engines: tuple[str, ...],
    result: str,
    taken: tuple[int, int],
    size: tuple[int, int] | None,
    *,
    dtype: str = "float32",
    judge: str | None = None,
    doubted: frozenset[str] = frozenset(),
) -> Found:
    """Run a model on noise, by each of the engines; return the first that can be trusted.

    `taken` are the images and the channels that it takes at once, `size` is what it is run
    at.  None: at a multiple of 1, of 2, of 4, ..., up to one that gives as many rows and
    columns as it takes.  `dtype` is that of its image, `judge` is an engine that is right,
    `doubted` are those that are known to be wrong about layers that this model has.
    """
    told: dict[str, Any] = {"result": result, "taken": taken, "size": size}
    told |= {"dtype": dtype, "judge": judge, "doubted": sorted(doubted)}
    pixels = taken[0] * (size[0] * size[1] if size else 0)
    more = _PER_MEGABYTE * len(data) / 1e6 + _PER_MEGAPIXEL * pixels / 1e6
    seconds = _SECONDS + more * (len(engines) + (judge is not None))
    told |= {"seconds": int(seconds), "bytes": _BYTES + 32 * len(data) + 1000 * pixels}
    frozen = getattr(sys, "frozen", False) or not sys.executable  # no Python to start
    left = list(engines)
    while True:
        told["engines"] = left
        answer = _run(data, told) if frozen else _elsewhere(data, told, seconds * _SLOW)
        died = answer.get("died")
        if died not in left or len(left) == 1:
            break
        left.remove(died)
    if "error" in answer:
        raise TrialError(answer["error"])
    rows, columns = answer["size"]
    return Found(answer["engine"], answer["multiple"], (rows, columns), tuple(answer["shape"]))


def _elsewhere(data: bytes, told: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Return what the trial finds in a process of its own."""
    path = os.pathsep.join(part or os.curdir for part in sys.path)
    environment = os.environ | dict.fromkeys(_ONE_THREAD, "1") | {"PYTHONPATH": path}
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-W", "ignore", __file__, json.dumps(told)],
            input=data,
            capture_output=True,
            timeout=seconds,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"error": "it takes too long"}
    said = done.stdout.decode(errors="replace").splitlines()
    if done.returncode == 0:
        answer: dict[str, Any] = json.loads(said[-1])
        return answer
    if -done.returncode == getattr(signal, "SIGXCPU", None):
        return {"error": "it takes too long"}
    if done.returncode < 0:
        text = f"it ends the process (signal {-done.returncode})"
        return {"error": text, "died": said[-1] if said else None}
    lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
    return {"error": f"it fails: {lines[-1][:200]}"}


# In that process


class _Way(NamedTuple):
    """An engine that runs the model: on which sizes, and what it gave for each."""

    engine: str
    multiple: int
    run: Callable[[np.ndarray], np.ndarray]
    results: list[tuple[tuple[int, int], np.ndarray]]

    def told(self) -> dict[str, Any]:
        """Return how it runs the model, and the last of what it gave."""
        size, result = self.results[-1]
        named = {"engine": self.engine, "multiple": self.multiple}
        return named | {"size": size, "shape": result.shape}


def _run(data: bytes, told: dict[str, Any]) -> dict[str, Any]:
    """Return the first trial that can be trusted; else one that gives another shape, or why not."""
    backends = _backends()
    ways: list[_Way] = []
    misfits: list[_Way] = []
    errors: list[str] = []
    for engine in told["engines"]:
        print(engine, flush=True)
        _try(backends, data, engine, told, (ways, misfits, errors))
    if not ways:
        return misfits[-1].told() if misfits else {"error": errors[0]}
    judges: list[_Way] = []
    if told["judge"] is not None:
        print(told["judge"], flush=True)
        _try(backends, data, told["judge"], told, (judges, [], []))
    return _trusted(ways, judges, set(told["doubted"]), taken=told["taken"])


def _try(
    backends: Any,
    data: bytes,
    engine: str,
    told: dict[str, Any],
    found: tuple[list[_Way], list[_Way], list[str]],
) -> None:
    """Add a way to those that fit or do not, or an error to the errors."""
    ways, misfits, errors = found
    try:
        run = backends.load(data, engine, told["result"], told["dtype"])
    except backends.BackendError as error:
        errors.append(str(error))
        return
    for multiple, sizes in _sizes(told["size"]):
        results: list[tuple[tuple[int, int], np.ndarray]] = []
        fits = True
        try:
            while fits and len(results) < len(sizes):
                size = sizes[len(results)]
                results.append((size, run(noise((*told["taken"], *size)))))
                fits = results[-1][1].shape[-2:] == size
        except backends.BackendError as error:
            errors.append(str(error))
            continue
        (ways if fits else misfits).append(_Way(engine, multiple, run, results))
        if fits:
            return


def _sizes(size: list[int] | None) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Yield multiples, and the sizes to try for each."""
    if size is not None:
        yield 1, [(size[0], size[1])]
        return
    for multiple in _MULTIPLES:
        rows, columns = (-(-side // multiple) * multiple for side in _OTHER)
        yield multiple, [(_LEAST + multiple, _LEAST + multiple), (rows, columns)]


def _trusted(
    ways: list[_Way], judges: list[_Way], doubted: set[str], *, taken: list[int]
) -> dict[str, Any]:
    """Return the first way that gives what it should."""
    for judge in judges:
        for way in ways:
            if _agree(way, judge, taken):
                return way.told()
        return {"error": f"it gives other values than {judge.engine} does"}
    sound = [way for way in ways if way.engine not in doubted]
    if all(_agree(way, ways[0], taken) for way in ways[1:]) and (sound or len(ways) > 1):
        return ways[0].told()
    if len(sound) == 1:
        return sound[0].told()
    if len(ways) > 1:
        return {"error": "its two engines give different values, so one of them is wrong"}
    return {"error": "it has layers that OpenCV gets wrong"}


def _agree(way: _Way, other: _Way, taken: list[int]) -> bool:
    """Return whether two engines give the same, but for rounding."""
    for size, result in way.results:
        wanted = other.run(noise((*taken, *size)))
        if result.shape != wanted.shape:
            return False
        known = np.isfinite(wanted)
        one, two = (np.where(known, each, 0).astype(np.float64) for each in (result, wanted))
        spread = two.std(axis=(-2, -1), keepdims=True)
        allowed = np.maximum(_ROUNDING * np.abs(two).max(), _SPREAD * spread)
        wrong = ~(np.abs(one - two) <= allowed) | (known != np.isfinite(result))
        if wrong.mean() > _FEW:
            return False
    return True


def noise(shape: tuple[int, ...]) -> np.ndarray:
    """Return a batch to try a model on: values large and small, the same each time."""
    return np.random.default_rng(0).normal(0, 30, shape).astype(np.float32)


def _backends() -> Any:
    """Return the module beside this one, without the package around it."""
    path = Path(__file__).with_name("_backends.py")
    spec = importlib.util.spec_from_file_location("_backends", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _limit(told: dict[str, Any]) -> None:
    """Take away what a model needs no more of; Linux keeps to all of it, Windows to nothing."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CPU, (told["seconds"], told["seconds"] + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (told["bytes"], told["bytes"]))


if __name__ == "__main__":
    _asked = json.loads(sys.argv[1])
    _limit(_asked)
    try:
        _found = _run(sys.stdin.buffer.read(), _asked)
    except MemoryError:
        _found = {"error": "it takes too much memory"}
    print(json.dumps(_found))
