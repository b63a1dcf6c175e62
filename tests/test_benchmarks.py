"""The benchmarks run, on images small enough for seconds, with and without peers."""

import json
import time

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import harness, inputs, report, suite

CASES = suite.select()


def a_case(**changes):
    def prepare(image):
        def fresh():
            copy = image.copy()
            return lambda: copy + 1

        return fresh

    def missing(image):
        import no_such_library  # noqa: F401

    parts = {
        "name": "adding",
        "input_name": "ones",
        "inputs": lambda size: {"image": np.ones((50, 40), np.int32)},
        "ours": lambda image: image + 1,
        "peers": [
            harness.Peer("twin", "numpy", prepare, target=0.0),
            harness.Peer("absent", "no_such_library", missing, target=3),
        ],
        "compare": harness.same_labels,
    }
    return harness.Case(**(parts | changes))


def test_a_case_gives_a_row_for_each_peer():
    twin, absent = harness.run_case(a_case(), rounds=3)
    assert twin["pixels"] == 2000
    assert twin["ratio"] == pytest.approx(twin["peer_ns"] / twin["ours_ns"])
    assert twin["met"] is True
    assert twin["agreement"] == 1.0
    assert (twin["n_ours"], twin["n_peer"]) == (1, 1)
    assert absent["note"] == "not installed"
    assert "ratio" not in absent


def test_a_case_without_peers_gives_one_row():
    (row,) = harness.run_case(a_case(peers=[]), rounds=1)
    assert row["ours_ns"] > 0
    assert row["note"] == "no peer"


def test_a_target_that_is_missed_is_told():
    def slow(image):
        def call():
            end = time.thread_time() + 0.02
            while time.thread_time() < end:
                pass

        return lambda: call

    peers = [harness.Peer("slow", "numpy", slow, target=1e9)]
    (row,) = harness.run_case(a_case(peers=peers, compare=None), rounds=1)
    assert row["ratio"] > 1
    assert row["met"] is False
    tables = {"speed": [row], "memory": [], "growth": [], "small": []}
    assert "target 1e+09" in report.shortfalls(tables)


def test_work_in_other_threads_is_counted():
    import threading

    def burn():
        end = time.thread_time() + 0.05
        while time.thread_time() < end:
            pass

    def elsewhere():
        thread = threading.Thread(target=burn)
        thread.start()
        thread.join()

    seconds, _ = harness.interleaved({"a": lambda: elsewhere}, 1)
    assert seconds["a"] >= 0.04


def test_agreement_counts_pixels():
    ours = np.array([[1, 1, 2, 2]])
    assert harness.same_labels(ours, np.array([[1, 1, 2, 1]]))["agreement"] == 0.75
    renamed = harness.same_partition(ours, np.array([[9, 9, 4, 4]]))
    assert renamed == {"agreement": 1.0, "n_ours": 2, "n_peer": 2}
    merged = harness.same_partition(ours, np.array([[3, 3, 3, 0]]))
    assert merged["agreement"] == 0.75
    assert harness.same_values(ours, ours == 1)["agreement"] == 0.5


@pytest.mark.skipif(not harness.os.path.exists("/proc/self/clear_refs"), reason="Linux only")
def test_memory_is_the_peak_above_the_inputs():
    n_pixels = 4_000_000
    peak = harness.memory_of_call(lambda: np.ones(n_pixels) + np.ones(n_pixels), n_pixels)
    assert 15 < peak < 26
    assert harness.memory_of_call(lambda: None, n_pixels) < 1


def test_inputs_are_deterministic():
    assert np.array_equal(inputs.noise((9, 9)), inputs.noise((9, 9)))
    assert np.array_equal(inputs.mosaic(300), inputs.mosaic.__wrapped__(300))
    assert inputs.mosaic(300).shape == (300, 300)
    assert inputs.volume(12).shape == (12, 12, 12)
    markers = inputs.scattered_markers((64, 64))
    assert np.array_equal(np.unique(markers), np.arange(markers.max() + 1))
    ids = inputs.sparse_ids(inputs.patches((64, 64), 20), np.int64)
    assert len(np.unique(ids)) == len(np.unique(inputs.patches((64, 64), 20)))


@pytest.mark.parametrize("side", range(1, 14))
def test_the_spiral_is_one_path(side):
    spiral = inputs.spiral(side).astype(int)
    padded = np.pad(spiral, 1)
    neighbors = padded[2:, 1:-1] + padded[:-2, 1:-1] + padded[1:-1, 2:] + padded[1:-1, :-2]
    neighbors = neighbors[spiral == 1]
    if side > 2:
        assert neighbors.max() == 2
        assert np.count_nonzero(neighbors == 1) == 2  # its ends


@pytest.mark.parametrize("case", CASES, ids=suite.key)
def test_every_case_runs_on_a_small_image(case):
    arguments = case.inputs("tiny")
    assert 0 < harness.pixels_of(arguments) <= 3 * 64**2
    case.ours(**arguments)


def test_small_images_keep_their_channels():
    small = suite.cut(np.zeros((90, 80, 3), np.uint8), 64)
    assert small.shape == (64, 64, 3)
    assert suite.cut(5, 64) == 5


def test_every_case_has_its_own_name():
    assert len({suite.key(case) for case in CASES}) == len(CASES)


def test_the_command_lists_and_selects(capsys):
    assert command.main(["speed", "--list", "--only", "relabel"]) == 0
    assert all(line.startswith("relabel") for line in capsys.readouterr().out.splitlines())
    assert command.main(["speed", "--only", "nothing like this"]) == 2
    assert "no case holds" in capsys.readouterr().err


def test_tables_are_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(suite, "select", lambda words=None: [a_case(compare=None)])
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{report.START}\nold\n{report.END}\nafter\n")
    monkeypatch.setattr(command, "README", readme)
    assert command.main(["speed", "--quick", "--readme", "--out", str(tmp_path)]) == 0
    assert "| adding | ones |" in capsys.readouterr().out
    text = readme.read_text()
    assert text.startswith("before")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "not installed" in text
    tables = json.loads((tmp_path / "speed.json").read_text())
    assert tables["speed"][0]["peer"] == "twin"
    assert (tmp_path / "speed.md").read_text() in text
