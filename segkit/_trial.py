"""Trying a network once, in a process of its own, before it is let into this one.

The libraries that run networks are written for speed.  A model that was damaged, or made
to do harm, can end the process or fill its memory, and no check of the file
can rule that out.  So a model from elsewhere is first loaded and run on a gray image in
another process, of little memory and time.  If that ends well, it is loaded here; if
not, the error tells what happened.

The trial also tells which sizes a network takes.  One that shrinks the image three
times by two takes multiples of 8; of a free size this is not written in the file.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

# At most so much, plus what a large model or image needs
_SECONDS, _PER_MEGABYTE, _PER_MEGAPIXEL = 4.0, 0.1, 20.0  # of one processor
_BYTES = 2**30
_SLOW = 10  # by the clock it may take so many times as long
_LEAST, _MULTIPLES = 128, (1, 2, 4, 8, 16, 32, 64)
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENCV_FOR_THREADS_NUM", "SEGKIT_NUM_THREADS")


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
) -> Found:
    """Run a model on gray, by the first of the engines that can.

    `taken` are the images and the channels that it takes at once, `size` is what it is run
    at.  None: at a multiple of 1, of 2, of 4, ..., up to one that gives as many rows and
    columns as it takes.
    """
    told: dict[str, Any] = {"engines": engines, "result": result, "taken": taken, "size": size}
    pixels = taken[0] * (size[0] * size[1] if size else 0)
    seconds = _SECONDS + _PER_MEGABYTE * len(data) / 1e6 + _PER_MEGAPIXEL * pixels / 1e6
    told |= {"seconds": int(seconds) + 1, "bytes": _BYTES + 32 * len(data) + 1000 * pixels}
    frozen = getattr(sys, "frozen", False) or not sys.executable  # no Python to start
    answer = _run(data, told) if frozen else _elsewhere(data, told, seconds * _SLOW)
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
    if done.returncode == 0:
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return answer
    if -done.returncode == getattr(signal, "SIGXCPU", None):
        return {"error": "it takes too long"}
    if done.returncode < 0:
        return {"error": f"it ends the process (signal {-done.returncode})"}
    lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
    return {"error": f"it fails: {lines[-1][:200]}"}


# In that process


def _run(data: bytes, told: dict[str, Any]) -> dict[str, Any]:
    """Return the first trial that ends well; else one that gives another shape, or an error."""
    backends = _backends()
    sizes = [(1, told["size"])]
    if told["size"] is None:
        sizes = [(multiple, [_LEAST + multiple] * 2) for multiple in _MULTIPLES]
    shaped: dict[str, Any] = {}
    errors = []
    for engine in told["engines"]:
        try:
            run = backends.load(data, engine, told["result"])
        except backends.BackendError as error:
            errors.append(str(error))
            continue
        for multiple, size in sizes:
            try:
                shape = run(backends.gray((*told["taken"], *size))).shape
            except backends.BackendError as error:
                errors.append(str(error))
                continue
            shaped = {"engine": engine, "multiple": multiple, "size": size, "shape": shape}
            if list(shape[-2:]) == list(size):
                return shaped
    return shaped or {"error": errors[0]}


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
