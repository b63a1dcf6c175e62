"""Benchmarking quality: on tiny data sets, stopped and continued, tuned, with peers."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import segkit
from segkit import _contenders, _peers, _pipelines, _quality, _quality_runs, datasets
from segkit._quality import Benchmark
from segkit._quality_measures import measure, summarize
from segkit.cli import main
from tests import tiny_data
from tests.conftest import ROOT, hear_interrupts

FEW = {  # quick methods for each tiny data set
    "bsds500": ["watershed", "grid", "people"],
    "dsb2018": ["nuclei"],
    "seeds50": ["scribbles", "marker_watershed", "knn from strokes + field"],
    "isbi2012": ["membranes"],
    "fib25": ["as given", "merge_regions"],
    "camvid": ["usual class", "knn", "knn + field"],
}


def bench(dataset, root, out, **options):
    """Write a tiny data set, unless it is there, and return a benchmark of it."""
    if not root.exists():
        tiny_data.WRITERS[dataset, "arrays"](root)
    options = {"methods": FEW.get(dataset)} | options
    made = Benchmark(dataset, root, out=out, **options)
    made.check("test", tune=False)
    return made


def comparable(summary):
    """Return a summary without what differs from run to run."""
    rows = [{k: v for k, v in row.items() if k != "seconds"} for row in summary["rows"]]
    return summary | {"rows": rows}


@pytest.mark.parametrize("dataset", FEW)
def test_every_kind_of_data_set_gives_a_table(tmp_path, dataset):
    summary = bench(dataset, tmp_path / "data", tmp_path / "out").report("test")
    assert [row["method"] for row in summary["rows"]]
    assert {row["method"] for row in summary["rows"]} == set(FEW[dataset])
    assert all(row["failures"] == 0 for row in summary["rows"])
    for row in summary["rows"]:
        assert all(np.isfinite(value) for value in row["scores"].values())
    stored = json.loads((tmp_path / "out" / f"{dataset}-test.json").read_text())
    assert stored == json.loads(json.dumps(summary))
    table = (tmp_path / "out" / f"{dataset}-test.md").read_text()
    assert table.count("\n| ") == len(summary["rows"]) + 2
    for method in FEW[dataset]:
        assert f"| {method} " in table


def test_partitions_are_run_at_every_scale_and_summed_up_at_the_best(tmp_path):
    made = bench("bsds500", tmp_path / "data", tmp_path / "out", methods=["watershed"])
    row = made.report("test")["rows"][0]
    assert row["scale"] == "depth"
    assert row["parameters"]["depth"] in row["scales"]
    scores = row["scores"]
    assert scores["covering_ods"] <= scores["covering_ois"] <= scores["covering_best"] <= 1
    lines = (tmp_path / "out" / "bsds500.jsonl").read_text().splitlines()
    assert len(lines) == 2 * len(row["scales"])


def test_people_who_agree_score_perfect(tmp_path):
    root = tmp_path / "data"
    tiny_data.bsds500(root)
    for path in (root / "bsds500" / "ground_truth" / "test").iterdir():
        with np.load(path) as held:
            same = {name: np.stack([held[name][0]] * 3) for name in held.files}
        np.savez(path, **same)
    row = bench("bsds500", root, tmp_path / "out", methods=["people"]).report("test")["rows"][0]
    assert row["scores"]["covering_ods"] == 1
    assert row["scores"]["vi_ods"] == 0
    assert row["scores"]["boundary_f_ods"] == 1


def test_both_sets_of_scribbles_are_scored(tmp_path):
    row = bench("seeds50", tmp_path / "data", tmp_path / "out").report("test")["rows"][0]
    assert list(row["scores"]) == ["object_iou_1", "object_iou_2"]
    assert min(row["scores"].values()) > 0.9


def test_a_limit_takes_images_from_all_over_the_list():
    names = [str(k) for k in range(10)]
    assert _quality._spread(names, 3) == ["0", "3", "6"]
    assert _quality._spread(names, None) == _quality._spread(names, 10) == names
    assert _quality._spread(names, 99) == names


# Stopping and going on


def counted(monkeypatch):
    """Return a list that grows with each result that is computed."""
    done = []
    original = _quality_runs.work

    def work(job):
        done.extend(job.ids())
        return original(job)

    monkeypatch.setattr(_quality_runs, "work", work)
    return done


def test_a_second_run_computes_nothing_again(tmp_path, monkeypatch):
    done = counted(monkeypatch)
    first = bench("bsds500", tmp_path / "data", tmp_path / "out").report("test")
    n = len(done)
    assert n > 10
    second = bench("bsds500", tmp_path / "data", tmp_path / "out").report("test")
    assert len(done) == n
    assert first == second


def test_splits_share_what_is_computed(tmp_path, monkeypatch):
    done = counted(monkeypatch)
    made = bench("dsb2018", tmp_path / "data", tmp_path / "out")
    made.report("all")
    n = len(done)
    made.report("test")
    assert len(done) == n


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.77, 0.999])
def test_a_run_that_was_cut_anywhere_goes_on(tmp_path, monkeypatch, kept):
    done = counted(monkeypatch)
    first = bench("bsds500", tmp_path / "data", tmp_path / "out").report("test")
    n = len(done)
    path = tmp_path / "out" / "bsds500.jsonl"
    size = path.stat().st_size
    os.truncate(path, int(kept * size))
    whole = path.read_text().count("\n")
    second = bench("bsds500", tmp_path / "data", tmp_path / "out").report("test")
    assert len(done) == n + n - whole
    assert comparable(first) == comparable(second)
    assert all(json.loads(line) for line in path.read_text().splitlines())


def test_a_damaged_line_is_computed_again(tmp_path, monkeypatch):
    done = counted(monkeypatch)
    first = bench("dsb2018", tmp_path / "data", tmp_path / "out").report("test")
    n = len(done)
    path = tmp_path / "out" / "dsb2018.jsonl"
    lines = path.read_text().splitlines()
    lines[0] = lines[0][:40] + "\0" + lines[0][50:]
    path.write_text("\n".join(lines) + "\n")
    second = bench("dsb2018", tmp_path / "data", tmp_path / "out").report("test")
    assert len(done) == n + 1
    assert comparable(first) == comparable(second)


def test_results_of_other_code_do_not_count(tmp_path, monkeypatch):
    done = counted(monkeypatch)
    bench("dsb2018", tmp_path / "data", tmp_path / "out").report("test")
    n = len(done)
    monkeypatch.setattr(_quality_runs, "code", lambda: "other")
    bench("dsb2018", tmp_path / "data", tmp_path / "out").report("test")
    assert len(done) == 2 * n


def test_the_name_of_the_code_changes_with_the_code(tmp_path, monkeypatch):
    package = tmp_path / "segkit"
    package.mkdir()
    (package / "relief.py").write_text("a = 1\n")
    monkeypatch.setattr(_quality_runs, "__file__", str(package / "_quality_runs.py"))
    names = []
    for text in ("a = 1\n", "a = 2\n", "a = 1\n"):
        (package / "relief.py").write_text(text)
        _quality_runs.code.cache_clear()
        names.append(_quality_runs.code())
    _quality_runs.code.cache_clear()
    assert names[0] == names[2] != names[1]


def test_other_parameters_are_other_results(tmp_path, monkeypatch):
    done = counted(monkeypatch)
    made = bench("dsb2018", tmp_path / "data", tmp_path / "out")
    made.report("test")
    n = len(done)
    made.tuned = {"nuclei": {"sigma": 0.5}}
    row = made.report("test")["rows"][0]
    assert row["parameters"]["sigma"] == 0.5
    assert row["tuned"]
    assert len(done) == 2 * n


def test_processes_give_the_same_as_none(tmp_path):
    serial = bench("bsds500", tmp_path / "data", tmp_path / "one").report("test")
    parallel = bench("bsds500", tmp_path / "data", tmp_path / "two", n_jobs=2).report("test")
    assert comparable(serial) == comparable(parallel)


def test_the_environment_is_as_before(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    with _quality_runs._one_thread_each():
        assert os.environ["OMP_NUM_THREADS"] == os.environ["MKL_NUM_THREADS"] == "1"
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ


@pytest.mark.skipif(
    os.name != "posix" or shutil.which("ps") is None, reason="needs POSIX signals, and ps"
)
@pytest.mark.parametrize("victim", ["the command", "a worker"])
def test_a_run_that_is_stopped_leaves_nobody_behind_and_goes_on(tmp_path, victim):
    root, out = tmp_path / "data", tmp_path / "out"
    tiny_data.bsds500(root, n=30)
    command = [
        *(sys.executable, "-m", "segkit", "benchmark", "quality", "--dataset", "bsds500"),
        *("--root", str(root), "--out", str(out), "--jobs", "2", "--methods", "watershed,grid"),
    ]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        preexec_fn=hear_interrupts,
    )  # fmt: skip
    lines = out / "bsds500.jsonl"
    until = time.monotonic() + 60
    while not (lines.is_file() and lines.stat().st_size) and time.monotonic() < until:
        time.sleep(0.02)
    children = _children_of(process.pid)
    if victim == "a worker":
        os.kill(children[-1], signal.SIGKILL)
    else:
        process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    told = err.replace("\r", "\n").strip().splitlines()[-1]
    if victim == "a worker":
        assert process.returncode == 2, err
        assert "run the same command again to go on from here" in told
    else:
        assert process.returncode == 130, err
        assert told.endswith("segkit: stopped")
    assert "Traceback" not in err
    time.sleep(0.5)
    assert [pid for pid in children if _runs(pid)] == []
    kept = lines.read_text().count("\n")
    assert kept > 0
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    assert "30 images" in done.stdout
    assert lines.read_text().count("\n") == 30 * (10 + 6)


def _ps(*arguments):
    command = ["ps", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()


def _children_of(pid):
    return [int(word) for word in _ps("-o", "pid=", "--ppid", str(pid))]


def _runs(pid):
    return any(not state.startswith("Z") for state in _ps("-o", "stat=", "-p", str(pid)))


# Failing


def test_who_fails_is_scored_as_no_label_and_named(tmp_path, monkeypatch):
    def fails(image, *, channel_axis=None):
        raise RuntimeError("on purpose")

    def wrong(image, *, channel_axis=None):
        return np.zeros(image.shape[:1], dtype=np.int32)

    made = [_contenders.contender("fails", fails, "nuclei"),
            _contenders.contender("wrong", wrong, "nuclei")]  # fmt: skip
    monkeypatch.setattr(_contenders, "baselines", lambda: {each.name: each for each in made})
    methods = ["nuclei", "fails", "wrong"]
    summary = bench("dsb2018", tmp_path / "data", tmp_path / "out", methods=methods).report("test")
    rows = {row["method"]: row for row in summary["rows"]}
    assert rows["fails"]["failures"] == rows["wrong"]["failures"] == 2
    assert rows["fails"]["scores"]["average_precision"] == 0
    assert rows["nuclei"]["scores"]["average_precision"] > 0.9
    text = (tmp_path / "out" / "dsb2018-test.md").read_text()
    assert "fails failed 2 time(s), scored there as no label." in text
    assert "RuntimeError: on purpose" in (tmp_path / "out" / "dsb2018.jsonl").read_text()


# Tuning


def test_tuning_looks_at_the_training_split_only(tmp_path):
    root = tmp_path / "data"
    tiny_data.bsds500(root, parts=("train",), n=3)
    made = Benchmark("bsds500", root, methods=["watershed"], out=tmp_path / "out")
    made.out.mkdir()
    found = made.tune(limit=2)["watershed"]
    assert found["split"] == "train"
    assert found["images"] == 2
    assert "depth" not in found["parameters"], "every scale is run anyway"
    assert set(found["searched"]) == {"sigma", "min_size"}
    lines = (tmp_path / "out" / "bsds500-tuning.jsonl").read_text()
    assert {json.loads(json.loads(line)["key"])[0] for line in lines.splitlines()} == {
        "train0", "train1",
    }  # fmt: skip


def test_tuning_finds_what_is_best_and_the_report_uses_it(tmp_path, monkeypatch):
    def threshold(image, *, level=10, other=3, channel_axis=None):
        return (image > level).astype(np.int32) + other - 3

    made = _contenders.contender(
        "threshold", threshold, "nuclei", search={"level": (1, 10, 30, 200), "other": (3, 4)}
    )
    monkeypatch.setattr(_contenders, "baselines", lambda: {"threshold": made})
    options = {"methods": ["threshold"], "peers": False}
    root = tmp_path / "data"
    runner = bench("dsb2018", root, tmp_path / "out", **options)
    before = runner.report("test")["rows"][0]["scores"]["average_precision"]
    runner.tune(limit=None)
    again = bench("dsb2018", root, tmp_path / "out", **options)  # reads tuned.json
    assert again.tuned["threshold"]["level"] in (30, 200)
    after = again.report("test")["rows"][0]
    assert after["tuned"]
    assert after["scores"]["average_precision"] >= before
    assert "threshold †" in (tmp_path / "out" / "dsb2018-test.md").read_text()


def test_tuning_keeps_what_is_as_good(tmp_path, monkeypatch):
    def same(image, *, level=7, channel_axis=None):
        return np.ones(image.shape, dtype=np.int32)

    made = _contenders.contender("same", same, "nuclei", search={"level": (1, 5, 9)})
    monkeypatch.setattr(_contenders, "baselines", lambda: {"same": made})
    runner = bench("dsb2018", tmp_path / "data", tmp_path / "out", methods=["same"])
    assert runner.tune(limit=None)["same"]["parameters"] == {"level": 7}


def test_tuned_parameters_that_come_with_segkit_fit_their_methods():
    known = _contenders.ours() | _contenders.baselines() | _peers.installed("photographs")[0]
    for dataset, methods in _quality._read_tuned(_quality.TUNED).items():
        assert dataset in _quality.DATASETS
        for name, entry in methods.items():
            assert entry["split"] == "train"
            if name in known:
                assert set(entry["parameters"]) <= set(known[name].defaults), name


def test_what_has_nothing_to_search_is_not_tuned(tmp_path):
    made = bench("fib25", tmp_path / "data", tmp_path / "out", methods=["as given"])
    assert made.tune(limit=None) == {}
    assert not made.report("test")["rows"][0]["tuned"]


@pytest.mark.parametrize("text", ["", "[]", '{"a": 3}', '{"a": {"b": {}}}', "{"])
def test_a_damaged_file_of_tuned_parameters_is_named(tmp_path, text):
    (tmp_path / "tuned.json").write_text(text)
    with pytest.raises(ValueError, match=r"tuned.json: damaged"):
        Benchmark("dsb2018", tmp_path, out=tmp_path)


@pytest.mark.parametrize("name", _pipelines.AT_SCALES)
@pytest.mark.parametrize("color", [True, False])
def test_scales_computed_together_are_those_computed_one_by_one(name, color):
    photo = tiny_data.photo(1, (40, 60))
    image, axis = (photo, -1) if color else (photo[..., 1], None)
    each = _contenders.ours()[name]
    values = each.search[each.scale][::3]
    rest = {key: value for key, value in each.defaults.items() if key != each.scale}
    together = each.run(image, values, channel_axis=axis, **rest)
    for value, labels in zip(values, together, strict=True):
        alone = segkit.segment(image, name, channel_axis=axis, **rest, **{each.scale: value})
        np.testing.assert_array_equal(segkit.relabel(labels), alone)


# Who takes part


def test_all_that_suit_the_task_take_part_by_default(tmp_path):
    made = Benchmark("seeds50", tmp_path, out=tmp_path)
    assert {"scribbles", "marker_watershed", "growing"} <= set(made.contenders)
    assert "watershed" not in made.contenders
    made = Benchmark("bsds500", tmp_path, out=tmp_path)
    assert {"watershed", "flat_zones", "grid"} <= set(made.contenders)
    assert "nuclei" not in made.contenders


def test_a_peer_that_is_missing_is_a_note(tmp_path, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "SimpleITK" else real(name)
    )
    made = bench("isbi2012", tmp_path / "data", tmp_path / "out", methods=None, peers=True)
    assert "SimpleITK watershed, deep minima" not in made.contenders
    assert made.notes == ["SimpleITK is not installed and was left out."]
    assert "membranes" in made.contenders


PEERS = {each[0]: each for each in _peers._PEERS}


@pytest.mark.parametrize("name", PEERS)
def test_every_peer_gives_labels_of_the_shape_of_the_image(tmp_path, name):
    _, library, _, (task, *_), _ = PEERS[name]
    pytest.importorskip(_peers._MODULE_OF[library])
    dataset = next(each for each, its in _contenders.TASK_OF.items() if its == task)
    tiny_data.WRITERS[dataset, "arrays"](tmp_path / "data")
    made = bench(dataset, tmp_path / "data", tmp_path / "out", methods=[name], peers=True)
    place = _quality_runs.Place(dataset, str(tmp_path / "data"), "test")
    item = place.open()[0]
    each = made.contenders[name]
    settings = _quality._settings(each, item.kind, {})[:2]
    job = _quality_runs.Job(place, item.name, 0 if item.scribbles else None, each, settings)
    records = _quality_runs.work(job)
    assert len(records) == len(settings)
    for _, record in records:
        assert "error" not in record, record["error"]
        assert record["n_regions"] >= 1


# What is kept of a result


def test_a_perfect_result_scores_perfect(tmp_path):
    best = {
        "partitions": ("covering_best", 1), "regions": ("variation_of_information", 0),
        "instances": ("average_precision", 1), "mask": ("object_iou", 1),
        "classes": ("mean_iou", 1), "structures": ("mean_dice", 1),
    }  # fmt: skip
    seen = set()
    for (name, form), write in tiny_data.WRITERS.items():
        write(tmp_path / form)
        item = datasets.open(name, tmp_path / form)[0]
        truth = item.truth
        if isinstance(truth, list):
            records = [measure(item, each) for each in truth]
        else:
            records = [measure(item, np.where(truth == 0, truth.max() * (item.kind == "regions"),
                                              truth))]  # fmt: skip
        score, wanted = best[item.kind]
        assert summarize(item.kind, [records])[score] == pytest.approx(wanted), name
        seen.add(item.kind)
    assert seen == set(datasets.KINDS)


def test_classes_are_summed_over_the_set_before_they_are_divided(tmp_path):
    tiny_data.camvid(tmp_path)
    items = list(datasets.open("camvid", tmp_path))
    wrong = [np.where(item.truth == 2, 1, item.truth) for item in items]
    found = summarize("classes", [[measure(i, w)] for i, w in zip(items, wrong, strict=True)])
    truth = np.concatenate([item.truth.ravel() for item in items])
    test = np.concatenate([each.ravel() for each in wrong])[truth > 0]
    truth = truth[truth > 0]
    iou = [((truth == k) & (test == k)).sum() / ((truth == k) | (test == k)).sum()
           for k in np.unique(truth)]  # fmt: skip
    assert found["mean_iou"] == pytest.approx(np.mean(iou))
    assert found["pixel_accuracy"] == pytest.approx((truth == test).mean())


def test_the_usual_class_is_learned_from_the_training_images(tmp_path):
    tiny_data.camvid(tmp_path)
    train = datasets.open("camvid", tmp_path, split="train")
    learned = _contenders._usual_classes(train)
    assert learned.min() >= 1
    both = train[0].truth == train[1].truth
    known = both & (train[0].truth > 0)
    np.testing.assert_array_equal(learned[known], train[0].truth[known])
    larger = _contenders._usual(np.zeros((48, 72, 3)), trained=learned, channel_axis=-1)
    np.testing.assert_array_equal(larger[::2, ::2], learned)


# The command line


def command(*arguments):
    return main(["benchmark", "quality", *map(str, arguments)])


def test_the_command_prints_the_table_and_says_where_it_is(tmp_path, capsys):
    tiny_data.dsb2018(tmp_path / "data")
    status = command(
        *("--dataset", "dsb2018", "--root", tmp_path / "data", "--methods", "nuclei,growing_seed"),
        *("--out", tmp_path / "out", "--jobs", 1, "--tune", "--split", "all", "--limit", 3),
    )
    assert status == 0
    out = capsys.readouterr().out
    assert "dsb2018, all: 3 of 4 images" in out
    assert "| nuclei † |" in out
    assert str(tmp_path / "out" / "dsb2018-all.json") in out
    assert (tmp_path / "out" / "tuned.json").is_file()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (["--dataset", "imagenet"], '`dataset` must be one of "bsds500"'),
        (["--root", "nowhere"], "nowhere: there is no such folder"),
        (["--root", "."], "dsb2018 is not there"),
        (["--methods", "nuclei,magic"], "no method 'magic'; there are watershed"),
        (["--methods", "as given"], "as given needs supervoxels, which dsb2018 does not have"),
        (["--methods", "skimage Otsu"], "no method 'skimage Otsu'"),
        (["--split", "val"], '`split` must be one of "train", "test", "all"'),
        (["--limit", "0"], "--limit"),
        (["--jobs", "0"], "--jobs"),
        (["--dataset", "hippocampus"], "no method takes part in hippocampus"),
    ],
)
def test_a_mistake_is_one_line_before_any_work(tmp_path, monkeypatch, capsys, changed, told):
    tiny_data.dsb2018(tmp_path / "data")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    arguments = {"--dataset": "dsb2018", "--root": "../data", "--out": "../out", "--jobs": "1"}
    arguments |= dict(zip(changed[::2], changed[1::2], strict=True))
    assert command(*[word for pair in arguments.items() for word in pair]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert told in captured.err
    assert not (tmp_path / "out").exists()


# Known figures


def test_a_grid_reaches_what_was_published_for_it(data_root, tmp_path):
    """Fixed quad-tree blocks: .32 / .37 / .46 on the 200 test images."""
    runner = Benchmark("bsds500", data_root, methods=["grid"], out=tmp_path)
    scores = runner.report("test", limit=40)["rows"][0]["scores"]
    found = [scores[f"covering_{name}"] for name in ("ods", "ois", "best")]
    assert found == pytest.approx([0.32, 0.37, 0.46], abs=0.025)


# The page


def test_the_page_gets_its_tables_and_keeps_its_words(tmp_path):
    from benchmarks import __main__ as benchmarks

    bench("dsb2018", tmp_path / "data", tmp_path / "out").report("test")
    page = tmp_path / "page.md"
    page.write_text(
        "Before\n<!-- table: dsb2018-test -->\nold\n<!-- end of table -->\nbetween\n"
        "<!-- table: bsds500-test -->\nkept\n<!-- end of table -->\nafter\n"
    )
    for _ in range(2):
        assert benchmarks.main(["quality", str(tmp_path / "out"), "--page", str(page)]) == 0
        text = page.read_text()
        assert "old" not in text
        assert "| nuclei " in text
        assert [word in text for word in ("Before", "between", "kept", "after")] == [True] * 4


def test_the_page_has_a_place_for_each_data_set():
    from benchmarks import quality

    names = quality.tables((ROOT / "docs" / "quality.md").read_text(encoding="utf-8"))
    assert len(set(names)) == len(names)
    assert {name.partition("-")[0] for name in names} == {
        "bsds500", "dsb2018", "seeds50", "isbi2012", "fib25", "brain3d", "camvid",
    }  # fmt: skip
