"""Running contenders over images, so that a run which was stopped goes on where it was.

One result (a contender, its parameters, an image) becomes one line in a file of
JSON lines as soon as it is there; a line that was cut is computed again.  A line
counts only for the very same code, libraries, parameters and images.

Images are worked on by several processes, each with one thread, so that the
seconds of one contender do not depend on another.  A contender that fails on an
image is scored there as if it had given no label, and the table says so.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import multiprocessing
import os
import signal
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from . import __version__, _tissues, datasets
from ._contenders import PEOPLE, TASK_OF, Contender, Settings, inputs_of
from ._quality_measures import Record, measure

_ONE_THREAD = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"),
    *("ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", "SEGKIT_NUM_THREADS"),
)
_ONLY_SHOWS = {"__main__", "cli", "plot", "_page", "_chart", "_quality_tables"}


@dataclass(frozen=True)
class Place:
    """Which images: a data set, where it lies, and the part of it."""

    dataset: str
    root: str
    split: str

    def open(self) -> datasets.Dataset:
        """Return the data set; opened once in each process."""
        return _opened(self)


@lru_cache(maxsize=8)
def _opened(place: Place) -> datasets.Dataset:
    found = datasets.open(place.dataset, place.root, split=place.split)
    return _tissues.grouped(found) if TASK_OF[place.dataset] == "tissues" else found


@dataclass(frozen=True)
class Job:
    """One contender on one image, with each of some settings; what a process is given."""

    place: Place
    image: str
    strokes: int | None  # which set of scribbles
    contender: Contender
    settings: tuple[Settings, ...]
    for_tuning: bool = False

    def ids(self) -> list[str]:
        """Return what tells each of the results from all others."""
        return [
            json.dumps(
                [self.image, self.strokes, self.contender.name, self.contender.library, each],
                sort_keys=True,
            )
            for each in self.settings
        ]

    def without(self, done: Iterable[str]) -> Job:
        """Return the job with those settings that are not done."""
        left = [
            each for key, each in zip(self.ids(), self.settings, strict=True) if key not in done
        ]
        return replace(self, settings=tuple(left))


# In a worker


def work(job: Job) -> list[tuple[str, Record]]:
    """Run a job; return a record for each of its settings, by key."""
    item = job.place.open()[job.image]
    if job.contender.name == PEOPLE:
        return list(zip(job.ids(), (_person(item, each) for each in job.settings), strict=True))
    records = [
        _record(item, labels, seconds, error, for_tuning=job.for_tuning)
        for labels, seconds, error in _results(job, item)
    ]
    return list(zip(job.ids(), records, strict=True))


def _record(
    item: datasets.Item, labels: np.ndarray, seconds: float, error: str, *, for_tuning: bool
) -> Record:
    """Return what is kept of a result; where there is none, as if no pixel had a label."""
    try:
        if error:
            raise ValueError(error)
        record = measure(item, labels, for_tuning=for_tuning)
    except (TypeError, ValueError) as wrong:
        truth = item.truth[0] if isinstance(item.truth, list) else item.truth
        labels = np.zeros_like(truth)
        record = measure(item, labels, for_tuning=for_tuning) | {"error": str(wrong)[:300]}
    return record | {"seconds": round(seconds, 5), "n_regions": len(np.unique(labels))}


def _results(job: Job, item: datasets.Item) -> Iterator[tuple[np.ndarray, float, str]]:
    """Yield a label image, the seconds it took, and what went wrong, for each of the settings."""
    contender, settings = job.contender, job.settings
    markers = None if item.scribbles is None or job.strokes is None else item.scribbles[job.strokes]
    held = inputs_of(item, markers)
    given = {name: held[name] for name in contender.inputs if name in held}
    if contender.train is not None:
        given["trained"] = _trained(contender.train, replace(job.place, split="train"))
    calls: list[tuple[int, Callable[[], Any]]]
    if contender.several:
        scale = str(contender.scale)
        values = [each[scale] for each in settings]
        rest = {key: value for key, value in settings[0].items() if key != scale}
        calls = [(len(values), lambda: list(contender.run(item.image, values, **given, **rest)))]
    else:
        calls = [(1, partial(_alone, contender.run, item.image, given | one)) for one in settings]
    for n, call in calls:
        start = time.process_time()
        error = ""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = call()
        except Exception as wrong:  # one that fails does not end the run of the others
            found, error = [np.zeros(0, dtype=np.int32)] * n, f"{type(wrong).__name__}: {wrong}"
        # Scales computed together count whole: one alone takes nearly as long.
        seconds = time.process_time() - start
        yield from ((labels, seconds, error) for labels in found)


def _alone(run: Callable[..., Any], image: np.ndarray, keywords: Settings) -> list[Any]:
    return [run(image, **keywords)]


@lru_cache(maxsize=4)
def _trained(train: Callable[[datasets.Dataset], Any], place: Place) -> Any:
    return train(place.open())


def _person(item: datasets.Item, settings: Settings) -> Record:
    """Score one annotator against the others."""
    others = [each for k, each in enumerate(item.truth) if k != settings["person"]]
    own = item.truth[settings["person"]]
    return measure(replace(item, truth=others), own) | {"n_regions": len(np.unique(own))}


def _ignore_ctrl_c() -> None:
    """Leave Ctrl-C to the process that was started first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


# All jobs, and their lines


class Lines:
    """A file of results, one JSON object on a line; those of other code are left alone."""

    def __init__(self, path: Path, place: Place) -> None:
        self.path = path
        root = str(Path(place.root).expanduser().resolve())
        self.origin = {"code": code(), "dataset": place.dataset, "root": root}
        self.records: dict[str, Record] = {}
        if path.is_file():
            self._load()

    def _load(self) -> None:
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):  # the last line was cut
            os.truncate(self.path, whole)
        for line in data[:whole].splitlines():
            try:
                held = json.loads(line)
                if held["origin"] == self.origin:
                    self.records[held["key"]] = held["record"]
            except (ValueError, TypeError, LookupError):
                continue  # damaged: computed again

    def add(self, results: Iterable[tuple[str, Record]]) -> None:
        """Keep results, on disk first."""
        results = list(results)
        with self.path.open("a", encoding="utf-8") as stream:
            for key, record in results:
                line = {"key": key, "origin": self.origin, "record": record}
                stream.write(json.dumps(line) + "\n")
        self.records.update(results)


@lru_cache(maxsize=1)
def code() -> str:
    """Return a name for the code that results and scores depend on."""
    folder = Path(__file__).resolve().parent
    files = [path for path in folder.glob("*.py") if path.stem not in _ONLY_SHOWS]
    files += [path for path in (folder.parent / "segkit_ext").glob("*.p[yx][xd]")]
    files += [path for path in (folder / "models").glob("*.onnx")]
    digest = hashlib.sha256(__version__.encode())
    for path in sorted(files):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def run(jobs: Sequence[Job], lines: Lines, *, n_jobs: int, progress: bool) -> None:
    """Run what is not done yet; each result is on disk as soon as it is there."""
    left = [job.without(lines.records) for job in jobs]
    left = [job for job in left if job.settings]
    if not left:
        return
    from tqdm import tqdm

    total = sum(len(job.settings) for job in left)
    with tqdm(total=total, unit="run", leave=False, disable=None if progress else True) as bar:
        for job, results in _worked(left, n_jobs):
            bar.set_description(f"{job.image}: {job.contender.name}")
            lines.add(results)
            bar.update(len(results))


def _worked(jobs: Sequence[Job], n_jobs: int) -> Iterator[tuple[Job, list[tuple[str, Record]]]]:
    """Yield jobs and their results as they come."""
    if n_jobs == 1:
        yield from ((job, work(job)) for job in jobs)
        return
    before = {child.pid for child in multiprocessing.active_children()}
    context = multiprocessing.get_context("spawn")
    with _one_thread_each(), ProcessPoolExecutor(n_jobs, context, _ignore_ctrl_c) as pool:
        try:
            started = {pool.submit(work, job): job for job in jobs}
            for future in as_completed(started):
                yield started[future], future.result()
        except BrokenProcessPool:
            raise OSError(
                "a process was ended from outside (out of memory?); run the same command again "
                "to go on from here"
            ) from None
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in multiprocessing.active_children():
                if child.pid not in before:
                    child.terminate()
            raise


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let processes that are started meanwhile use one thread each in other libraries."""
    kept = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in kept.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
