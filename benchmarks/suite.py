"""All cases, and the tables they fill: speed, memory, growth, small images."""

import time
from statistics import median

from benchmarks import (
    boundaries,
    boundary_scores,
    chain,
    components,
    contingency,
    growing,
    harness,
    hierarchy,
    inputs,
    joining,
    kmeans,
    knn,
    merging,
    quadtree,
    random_field,
    region_graph,
    regions,
    relabel,
    relief,
    watershed,
)

FAMILIES = (
    watershed,
    components,
    growing,
    boundaries,
    relabel,
    regions,
    contingency,
    boundary_scores,
    chain,
    kmeans,
    quadtree,
    joining,
    region_graph,
    merging,
    hierarchy,
    relief,
    knn,
    random_field,
)
SMALL_CALLS = 200
OVERHEAD_LIMIT = 50.0  # microseconds on a 64 x 64 image
GROWTH_LIMIT = 1.5  # ns per pixel at 16 megapixels over that at 1


def key(case):
    """Return the name of a case with its input: there is one such case."""
    return f"{case.name} ({case.input_name})"


def select(words=None):
    """Return the cases whose name holds one of the words."""
    cases = [case for family in FAMILIES for case in family.CASES]
    if words is None:
        return cases
    return [case for case in cases if any(word in key(case) for word in words)]


def speed(cases, *, quick, tell=lambda text: None):
    """Return all tables as lists of rows."""
    tables = {"speed": [], "memory": [], "growth": [], "small": []}
    for case in cases:
        rows = harness.run_case(case, size="quick" if quick else "full", rounds=3 if quick else 5)
        tables["speed"] += rows
        for row in rows:
            ratio = f"{row['ratio']:.2f}x" if "ratio" in row else row["note"]
            tell(f"{key(case)}: {row['ours_ns']:.2f} ns/pixel, {row['peer']} {ratio}")
        tables["memory"] += memory_rows(case, quick=quick)
        if case.growth and not quick:
            tables["growth"].append(growth_row(case))
    tables["small"] = small_rows(cases)
    return tables


def memory_rows(case, *, quick):
    """Return the memory of ours and of each peer, in fresh processes."""
    if case.bytes_limit is None:
        return []
    size = "quick" if quick else "full"
    large = "large" if case.large is not None and not quick else size
    ours = harness.memory_in_fresh_process(key(case), "ours", large)
    row = {
        "task": case.name,
        "input": case.input_name,
        "ours": ours,
        "limit": case.bytes_limit,
        "met": ours is not None and ours <= case.bytes_limit,
        "peers": {
            peer.name: harness.memory_in_fresh_process(key(case), peer.name, size)
            for peer in case.peers
        },
    }
    return [row]


def measure_memory(name, which, size):
    """Return the bytes per pixel of one call.  Runs in a process of its own."""
    (case,) = (case for case in select() if key(case) == name)
    arguments = case.large() if size == "large" else case.inputs(size)
    inputs.tiles.cache_clear()
    n_pixels = harness.pixels_of(arguments)
    small = case.inputs("tiny")  # loads what is loaded on first use
    for data in (small, arguments):
        if which == "ours":

            def call(data=data):
                return case.ours(**data)

        else:
            (peer,) = (peer for peer in case.peers if peer.name == which)
            call = peer.prepare(**data)()
            harness.single_threaded()
        if data is small:
            call()
    return harness.memory_of_call(call, n_pixels)


def growth_row(case):
    """Return ns per pixel at 1 and at 16 megapixels, in turn."""
    small, large = case.inputs("quick"), case.large()
    sizes = {"small": small, "large": large}
    calls = {
        name: harness.fresh_each_time(lambda data=data: case.ours(**data))
        for name, data in sizes.items()
    }
    seconds, _ = harness.interleaved(calls, 3)
    ns = {name: 1e9 * seconds[name] / harness.pixels_of(data) for name, data in sizes.items()}
    ratio = ns["large"] / ns["small"]
    return {
        "task": case.name,
        "input": case.input_name,
        "ns_1mp": ns["small"],
        "ns_16mp": ns["large"],
        "ratio": ratio,
        "limit": GROWTH_LIMIT,
        "met": ratio <= GROWTH_LIMIT,
    }


def cut(value, side):
    """Return the first `side` rows and columns of an image; other values as they are."""
    if not hasattr(value, "ndim") or value.ndim not in (2, 3):  # 3: with channels
        return value
    return value[:side, :side].copy()


def small_rows(cases):
    """Return the time of a call on 64 x 64 pixels above that of its pixels at full speed."""
    rows, seen = [], set()
    for case in cases:
        if case.name in seen or not case.small:
            continue
        arguments = case.inputs("quick")
        if next(iter(arguments.values())).ndim != 2:
            continue
        seen.add(case.name)
        small = {name: cut(value, 64) for name, value in arguments.items()}
        if "seed" in small:
            small["seed"] = (32, 32)
        case.ours(**small)
        seconds = []
        for _ in range(SMALL_CALLS):
            start = time.thread_time()
            case.ours(**small)
            seconds.append(time.thread_time() - start)
        large, _, _ = harness.clocked(lambda case=case, data=arguments: case.ours(**data))
        whole = 1e6 * median(seconds)
        work = 1e6 * large * 64 * 64 / harness.pixels_of(arguments)
        rows.append(
            {
                "task": case.name,
                "whole_us": whole,
                "overhead_us": whole - work,
                "limit": OVERHEAD_LIMIT,
                "met": whole - work <= OVERHEAD_LIMIT,
            }
        )
    return rows
