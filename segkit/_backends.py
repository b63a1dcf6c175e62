"""Running a network: OpenCV's dnn, which is always there, or onnxruntime, which is faster.

Both are given the same bytes and the same arrays.  A network of OpenCV holds what it
computes, so that each thread must have one of its own: idle ones are kept, and more are made
as more threads ask.

A run cannot be interrupted from within.  So the main thread, which is the one that Ctrl-C reaches,
leaves it to another and waits: onnxruntime is then told to stop, OpenCV
comes to its end unheard.
"""

from __future__ import annotations

import importlib.util
import os
import tempfile
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

BACKENDS = ("auto", "opencv", "onnxruntime")
# OpenCV 5 has two engines, and each runs models that the other cannot; the first is faster.
ENGINES = {"opencv": ("opencv", "opencv classic"), "onnxruntime": ("onnxruntime",)}
Run = Callable[[np.ndarray], np.ndarray]


class BackendError(Exception):
    """What a backend says about a model that it cannot read or run."""


def faster() -> bool:
    """Return whether onnxruntime is installed."""
    return importlib.util.find_spec("onnxruntime") is not None


def chosen(backend: str) -> str:
    """Return the backend that is meant, or say what it needs."""
    if backend == "onnxruntime" and not faster():
        raise _missing()
    if backend == "auto":
        return "onnxruntime" if faster() else "opencv"
    return backend


def _missing() -> ImportError:
    return ImportError("onnxruntime is not installed: pip install 'segkit[onnx]'")


def load(data: bytes, engine: str, result: str, dtype: str = "float32") -> Run:
    """Return a function that runs a model on a batch of floats, from any thread.

    `dtype` is what the model takes; bytes are rounded, and cut off at 0 and 255.
    """
    if engine == "onnxruntime":
        run: Run = _onnxruntime(data, result)
    else:
        run = _OpenCV(data, result, classic=engine == "opencv classic")
    if dtype == "uint8":
        return lambda batch: run(np.clip(np.rint(batch), 0, 255).astype(np.uint8))
    return run if dtype == "float32" else lambda batch: run(batch.astype(dtype))


def _waited(work: Callable[[], np.ndarray], stop: Callable[[], None]) -> np.ndarray:
    """Return what `work` does; on Ctrl-C call `stop`, and wait no longer."""
    if threading.current_thread() is not threading.main_thread():
        return work()
    done = threading.Event()
    results: list[np.ndarray] = []
    errors: list[BaseException] = []

    def do() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)
        finally:
            done.set()

    threading.Thread(target=do).start()
    try:
        done.wait()
    except BaseException:
        stop()
        raise
    if errors:
        raise errors[0]
    return results[0]


def _said(error: Exception) -> BackendError:
    lines = [line.strip("> \t") for line in str(error).splitlines() if line.strip("> \t")]
    text = lines[-1] if lines else type(error).__name__
    return BackendError(text if len(text) < 200 else text[:197] + "...")


class _OpenCV:
    def __init__(self, data: bytes, result: str, *, classic: bool) -> None:

        self.classic = classic
        self.data = np.frombuffer(data, dtype=np.uint8)
        self.result = result
        self.idle: list[Any] = []
        self.lock = threading.Lock()
        self.idle.append(self._net())

    def _net(self) -> Any:
        import cv2

        try:
            if not self.classic:
                return cv2.dnn.readNetFromONNX(self.data)
            with tempfile.TemporaryDirectory() as folder:  # an engine is chosen for files only
                path = os.path.join(folder, "model.onnx")
                self.data.tofile(path)
                return cv2.dnn.readNetFromONNX(path, cv2.dnn.ENGINE_CLASSIC)
        except cv2.error as error:
            raise _said(error) from None

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        import cv2

        with self.lock:
            net = self.idle.pop() if self.idle else None
        net = net or self._net()

        def forward() -> np.ndarray:
            net.setInput(batch)
            names = net.getUnconnectedOutLayersNames()
            return np.asarray(net.forward(self.result) if self.result in names else net.forward())

        try:
            found = _waited(forward, lambda: None)
        except cv2.error as error:  # the network is left as it was, and not used again
            raise _said(error) from None
        with self.lock:
            self.idle.append(net)
        return found


def _onnxruntime(data: bytes, result: str) -> Run:
    try:
        import onnxruntime
    except ImportError:
        raise _missing() from None

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    threads = os.environ.get("SEGKIT_NUM_THREADS", "")
    if threads.isdigit() and int(threads) > 0:
        options.intra_op_num_threads = int(threads)
    try:
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no base of their own
        raise _said(error) from None
    name = session.get_inputs()[0].name

    def run(batch: np.ndarray) -> np.ndarray:
        told = onnxruntime.RunOptions()

        def forward() -> np.ndarray:
            return np.asarray(session.run([result], {name: batch}, told)[0])

        def stop() -> None:
            told.terminate = True

        try:
            return _waited(forward, stop)
        except Exception as error:
            raise _said(error) from None

    return run
