"""Benchmarking quality: every contender on every image of a data set, scored alike.

Partitions of photographs are scored at every scale of a method and summed up at
the best one: of the whole set (ODS), of each image (OIS), of each true region
(Best).  Everywhere else a method is run once.  All other parameters are
the method's defaults, or were found by `tune` on the training split alone, and
stand in a file beside this module with the data they came from.

People are scored too, where several drew: each against the others.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import __version__, _check, _contenders, _quality_tables, _tissues
from ._contenders import PEOPLE, TASK_OF, Contender, Settings
from ._files import write_complete
from ._quality_measures import HAS_SCALES, OBJECTIVE, summarize
from ._quality_runs import Job, Lines, Place, code, run

TUNED = Path(__file__).with_name("_tuned.json")
_ROUNDS = 3  # through all parameters when tuning
DATASETS = tuple(TASK_OF)


class Benchmark:
    """One data set, the contenders, and the folder that results are kept in."""

    def __init__(
        self,
        dataset: str,
        root: str | os.PathLike[str],
        *,
        methods: Sequence[str] | None = None,
        peers: bool = False,
        out: str | os.PathLike[str] = "quality",
        n_jobs: int = 1,
        progress: bool = False,
    ) -> None:
        _check.choice(dataset, "dataset", DATASETS)
        self.dataset, self.root = dataset, os.fspath(root)
        self.n_jobs, self.progress = n_jobs, progress
        self.contenders, self.notes = _chosen(dataset, methods, peers=peers)
        self.with_people = dataset == "bsds500" and (methods is None or PEOPLE in methods)
        self.out = Path(out)
        self.tuned = _tuned_of(dataset, TUNED) | _tuned_of(dataset, self.out / "tuned.json")

    def check(self, split: str, *, tune: bool) -> None:
        """Refuse a data set or a split that is not there, before any work; make the folder."""
        for each in [split, "train"] if tune else [split]:
            Place(self.dataset, self.root, each).open()
        self.out.mkdir(parents=True, exist_ok=True)

    # Evaluating

    def evaluate(
        self,
        split: str,
        pairs: Sequence[tuple[Contender, Settings]],
        limit: int | None,
        *,
        for_tuning: bool = False,
    ) -> list[dict[str, Any]]:
        """Return a row of the table for each contender with its parameters."""
        place = Place(self.dataset, self.root, split)
        dataset = place.open()
        names = _spread(dataset.names, limit)
        strokes = (0, 1) if dataset.kind == "mask" else (None,)
        plans = [(each, tuned, _settings(each, dataset.kind, tuned)) for each, tuned in pairs]
        jobs = [
            [
                Job(place, name, number, each, settings, for_tuning)
                for number in strokes
                for name in names
            ]
            for each, _, settings in plans
        ]
        lines = self._lines(place, for_tuning=for_tuning)
        # Image by image, so that what is there after a while says something of all contenders.
        order = [job for together in zip(*jobs, strict=True) for job in together]
        run(order, lines, n_jobs=self.n_jobs, progress=self.progress)
        return [
            self._row(dataset.kind, each, settings, own, lines)
            for (each, _, settings), own in zip(plans, jobs, strict=True)
        ]

    def _lines(self, place: Place, *, for_tuning: bool = False) -> Lines:
        """Return the file of results: one for all splits, since these share images."""
        return Lines(self.out / f"{self.dataset}{'-tuning' * for_tuning}.jsonl", place)

    def _row(
        self,
        kind: str,
        each: Contender,
        settings: Sequence[Settings],
        jobs: Sequence[Job],
        lines: Lines,
    ) -> dict[str, Any]:
        scores: dict[str, float] = {}
        for number in dict.fromkeys(job.strokes for job in jobs):
            records = [
                [lines.records[key] for key in job.ids()] for job in jobs if job.strokes == number
            ]
            found = summarize(kind, records)
            suffix = "" if number is None else f"_{number + 1}"
            scores.update((name + suffix, value) for name, value in found.items())
        place = int(scores.pop("scale", 0))
        scale = each.scale if len(settings) > 1 else None
        kept = [lines.records[job.ids()[place]] for job in jobs]
        return {
            "method": each.name,
            "library": each.library,
            "parameters": settings[place],
            "scale": scale,
            "scales": [one[scale] for one in settings] if scale else [],
            "scores": scores,
            "seconds": float(np.median([record["seconds"] for record in kept])),
            "n_regions": float(np.median([record["n_regions"] for record in kept])),
            "failures": sum("error" in lines.records[key] for job in jobs for key in job.ids()),
        }

    def people(self, split: str, limit: int | None) -> dict[str, Any]:
        """Return the row that scores each person against the others."""
        place = Place(self.dataset, self.root, split)
        dataset = place.open()
        drawn = {name: len(dataset[name].truth) for name in _spread(dataset.names, limit)}
        contender = _contenders.contender(PEOPLE, _contenders.nothing, library="")
        jobs = [
            Job(place, name, None, contender, tuple({"person": k} for k in range(n)))
            for name, n in drawn.items()
            if n > 1
        ]
        lines = self._lines(place)
        run(jobs, lines, n_jobs=self.n_jobs, progress=self.progress)
        each = [
            [summarize("partitions", [[lines.records[key]]]) for key in job.ids()] for job in jobs
        ]
        scores = {
            name: float(np.mean([np.mean([one[name] for one in image]) for image in each]))
            for name in each[0][0]
            if name != "scale"
        }
        regions = [lines.records[key]["n_regions"] for job in jobs for key in job.ids()]
        return {
            "method": PEOPLE,
            "library": "",
            "parameters": {},
            "scale": None,
            "scales": [],
            "scores": scores,
            "seconds": None,
            "n_regions": float(np.median(regions)),
            "failures": 0,
        }

    # Tuning

    def tune(self, *, limit: int | None) -> dict[str, Any]:
        """Search the parameters of each contender on the training split; keep the best in a file.

        One parameter after the other is tried at all its values, the others held,
        until a round changes nothing.
        """
        path = self.out / "tuned.json"
        kind = Place(self.dataset, self.root, "train").open().kind
        found = {}
        for name, each in self.contenders.items():
            fixed = each.scale if kind in HAS_SCALES else None
            searched = {key: values for key, values in each.search.items() if key != fixed}
            if not searched:
                continue
            found[name] = self._tuned(each, kind, searched, limit)
            held = _read_tuned(path)
            held.setdefault(self.dataset, {})[name] = found[name]
            _write(path, json.dumps(held, indent=1, sort_keys=True) + "\n")
        self.tuned |= {name: entry["parameters"] for name, entry in found.items()}
        return found

    def _tuned(
        self, each: Contender, kind: str, searched: dict[str, Any], limit: int | None
    ) -> dict[str, Any]:
        best = {key: each.defaults[key] for key in searched}
        row = self.evaluate("train", [(each, best)], limit, for_tuning=True)[0]
        for _ in range(_ROUNDS):
            before = dict(best)
            for key, values in searched.items():
                tried = [best | {key: value} for value in values if value != best[key]]
                pairs = [(each, one) for one in tried]
                rows = [row, *self.evaluate("train", pairs, limit, for_tuning=True)]
                goals = [_goal(kind, one["scores"]) for one in rows]
                first = int(np.argmax(goals))  # the present one stays where others are only as good
                best, row = [best, *tried][first], rows[first]
            if best == before:
                break
        images = len(_spread(Place(self.dataset, self.root, "train").open().names, limit))
        return {
            "parameters": best,
            "searched": {key: list(values) for key, values in searched.items()},
            "split": "train",
            "images": images,
            "score": {OBJECTIVE[kind][0]: round(abs(_goal(kind, row["scores"])), 5)},
            "library": each.library,
        }

    # All of it

    def report(self, split: str, *, limit: int | None = None) -> dict[str, Any]:
        """Run every contender on a split; write and return the table."""
        dataset = Place(self.dataset, self.root, split).open()
        pairs = [(each, self.tuned.get(name, {})) for name, each in self.contenders.items()]
        rows = self.evaluate(split, pairs, limit)
        for row, (each, _) in zip(rows, pairs, strict=True):
            row["tuned"] = each.name in self.tuned
        if dataset.kind != "tissues":  # those stay together by their noise
            rows.sort(key=lambda row: -_goal(dataset.kind, row["scores"]))
        if self.with_people:
            rows.append(self.people(split, limit) | {"tuned": False})
        summary = {
            "dataset": self.dataset,
            "split": split,
            "kind": dataset.kind,
            "images": len(_spread(dataset.names, limit)),
            "of": len(dataset),
            "segkit": __version__,
            "code": code(),
            "libraries": sorted({each.library for each, _ in pairs} - {"segkit"}),
            "notes": self.notes,
            "rows": rows,
        }
        base = self.out / f"{self.dataset}-{split}"
        _write(base.with_suffix(".json"), json.dumps(summary, indent=1) + "\n")
        _write(base.with_suffix(".md"), _quality_tables.markdown(summary))
        return summary


def _chosen(
    dataset: str, methods: Sequence[str] | None, *, peers: bool
) -> tuple[dict[str, Contender], list[str]]:
    """Return who takes part, and notes on who cannot."""
    task = TASK_OF[dataset]
    known = _contenders.ours() | _contenders.baselines() | _tissues.contenders()
    notes: list[str] = []
    if peers:
        from . import _peers

        theirs, notes = _peers.installed(task)
        known |= theirs
    if methods is None:
        chosen = [name for name, each in known.items() if task in each.tasks]
        if not chosen:
            raise ValueError(f"no method takes part in {dataset}: none gives {task}")
        return {name: known[name] for name in chosen}, notes
    for name in methods:
        if name != PEOPLE:
            _refuse_unfit(name, known, dataset)
    return {name: known[name] for name in dict.fromkeys(methods) if name != PEOPLE}, notes


def _refuse_unfit(name: str, known: dict[str, Contender], dataset: str) -> None:
    """Refuse a name that nobody has, and one that cannot do what a data set asks."""
    if name not in known:
        raise ValueError(f"no method {name!r}; there are {', '.join(known)}")
    task = TASK_OF[dataset]
    held = {"scribbles": {"markers"}, "supervoxels": {"supervoxels"}}.get(task, set())
    missing = known[name].needs - held - {"trained"}
    if missing:
        raise ValueError(f"{name} needs {', '.join(missing)}, which {dataset} does not have")
    if task not in known[name].tasks and task in ("classes", "structures", "tissues"):
        raise ValueError(f"{name} gives regions, and {dataset} asks for {task}")


def _settings(each: Contender, kind: str, tuned: Settings) -> tuple[Settings, ...]:
    """Return the settings that a contender is run with: each scale, or one."""
    base = each.defaults | tuned
    if kind not in HAS_SCALES or each.scale is None:
        return (base,)
    return tuple(base | {each.scale: value} for value in each.search[each.scale])


def _spread(names: Sequence[str], limit: int | None) -> list[str]:
    """Return all names, or `limit` of them evenly spread over the list."""
    if limit is None or limit >= len(names):
        return list(names)
    return [names[k * len(names) // limit] for k in range(limit)]


def _goal(kind: str, scores: dict[str, float]) -> float:
    """Return the score that parameters are tuned by, turned so that more is better."""
    name, more = OBJECTIVE[kind]
    values = [
        value for key, value in scores.items() if key.removesuffix("_1").removesuffix("_2") == name
    ]
    return float(np.mean(values)) * (1 if more else -1)


def _write(path: Path, text: str) -> None:
    write_complete(path, lambda stream: stream.write(text.encode()))


def _read_tuned(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        held = json.loads(path.read_bytes())
        if all("parameters" in entry for methods in held.values() for entry in methods.values()):
            return held
    except (ValueError, AttributeError, TypeError):
        pass
    raise ValueError(f"{path}: damaged: not a file of tuned parameters")


def _tuned_of(dataset: str, path: Path) -> dict[str, Settings]:
    return {name: entry["parameters"] for name, entry in _read_tuned(path).get(dataset, {}).items()}
