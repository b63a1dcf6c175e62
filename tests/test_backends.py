"""What runs networks: it can be interrupted, and is named with its extra where it is missing."""

import pickle
import signal
import sys
import threading
import time

import numpy as np
import pytest

from segkit import CNNSegmenter, _backends

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@posix
def test_a_run_that_takes_long_is_not_waited_for_on_interrupt():
    stopped = threading.Event()

    def work():
        stopped.wait(20)
        return np.zeros(3)

    def press(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, press)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        start = time.perf_counter()
        with pytest.raises(KeyboardInterrupt):
            _backends._waited(work, stopped.set)
        assert time.perf_counter() - start < 5
        assert stopped.is_set()
    finally:
        signal.signal(signal.SIGALRM, before)


@posix
@pytest.mark.parametrize("backend", ["opencv", "onnxruntime"])
def test_a_network_can_be_used_after_an_interrupt(backend):
    if backend == "onnxruntime":
        pytest.importorskip("onnxruntime")
    network = CNNSegmenter.pretrained(backend=backend)
    image = np.random.default_rng(0).integers(0, 256, (700, 900, 3), dtype=np.uint8)
    small = image[:40, :48]
    wanted = network.predict(small)

    def press(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, press)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.15)  # it takes longer than that
        with pytest.raises(KeyboardInterrupt):
            list(network.predict_each([image] * 50))
    finally:
        signal.signal(signal.SIGALRM, before)
    np.testing.assert_array_equal(network.predict(small), wanted)


def test_what_a_run_raises_is_raised():
    with pytest.raises(MemoryError, match="no room"):
        _backends._waited(lambda: (_ for _ in ()).throw(MemoryError("no room")), lambda: None)
    found = []
    thread = threading.Thread(
        target=lambda: found.append(_backends._waited(threading.current_thread, lambda: None))
    )
    thread.start()
    thread.join()
    assert found == [thread]  # no other one is started


def test_a_network_that_comes_from_elsewhere_names_what_it_needs(monkeypatch):
    pytest.importorskip("onnxruntime")
    packed = pickle.dumps(CNNSegmenter.pretrained(backend="onnxruntime"))
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ImportError, match=r"onnxruntime .*: pip install 'segkit\[onnx\]'"):
        pickle.loads(packed)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("first\n  the last one \n\n", "the last one"),
        ("(parse error) > what was wrong\n> \n", "(parse error) > what was wrong"),
        ("", "Exception"),
        ("x" * 300, "x" * 197 + "..."),
    ],
)
def test_of_what_a_library_says_the_last_line_counts(text, said):
    assert str(_backends._said(Exception(text))) == said
