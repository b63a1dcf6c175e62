"""Measure segkit beside its peers.

python -m benchmarks speed                      all cases, about twelve minutes
python -m benchmarks speed --quick              smaller images, fewer rounds
python -m benchmarks speed --only watershed     cases whose name holds a word
python -m benchmarks speed --list               names of the cases
python -m benchmarks speed --readme             write the tables into benchmarks/README.md
python -m benchmarks quality DIR                write results of `segkit benchmark quality`
                                                into docs/quality.md
python -m benchmarks networks DATA --out DIR    train networks for nuclei, score them
                                                (hours; the folder keeps what is done)
"""

import argparse
import json
import sys
from pathlib import Path

from benchmarks import harness, quality, report, suite

README = Path(__file__).with_name("README.md")
QUALITY = Path(__file__).resolve().parent.parent / "docs" / "quality.md"


def parser():
    whole = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__.split("\n\n")[0],
        epilog=__doc__.split("\n\n", 1)[1],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = whole.add_subparsers(dest="command", required=True)
    speed = commands.add_parser("speed", help="time and memory beside the peers")
    speed.add_argument("--quick", action="store_true", help="smaller images, fewer rounds")
    speed.add_argument("--only", nargs="+", metavar="NAME", help="cases whose name holds a word")
    speed.add_argument("--list", action="store_true", help="print the names of the cases")
    speed.add_argument("--out", type=Path, metavar="DIR", help="folder for speed.md, speed.json")
    speed.add_argument("--readme", action="store_true", help="write the tables into README.md")
    scores = commands.add_parser("quality", help="write the tables of docs/quality.md")
    scores.add_argument("results", type=Path, metavar="DIR", help="the folder of results")
    scores.add_argument("--page", type=Path, default=QUALITY, help="the page to write into")
    trained = commands.add_parser("networks", help="train networks for nuclei, score them")
    trained.add_argument("data", type=Path, metavar="DATA", help="the folder of data sets")
    trained.add_argument("--out", type=Path, default=Path("networks"), metavar="DIR")
    trained.add_argument("--steps", type=int, default=600, help="mini-batches for each network")
    memory = commands.add_parser("memory")  # what harness.memory_in_fresh_process runs
    memory.add_argument("case")
    memory.add_argument("which")
    memory.add_argument("size")
    return whole


def main(arguments=None):
    options = parser().parse_args(arguments)
    if options.command == "memory":
        value = suite.measure_memory(options.case, options.which, options.size)
        print(json.dumps(value))
        return 0
    if options.command == "quality":
        text = quality.fill(options.page.read_text(encoding="utf-8"), options.results)
        options.page.write_text(text, encoding="utf-8")
        return 0
    if options.command == "networks":
        from benchmarks import networks  # needs PyTorch

        networks.main(options.data, options.out, options.steps)
        return 0
    cases = suite.select(options.only)
    if not cases:
        print(f"no case holds {' or '.join(options.only)}; see --list", file=sys.stderr)
        return 2
    if options.list:
        print(*(suite.key(case) for case in cases), sep="\n")
        return 0
    tables = suite.speed(cases, quick=options.quick, tell=lambda text: print(text, flush=True))
    tables["environment"] = harness.environment()
    tables["quick"] = options.quick
    text = report.markdown(tables)
    print("\n" + text)
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "speed.md").write_text(text)
        (options.out / "speed.json").write_text(json.dumps(tables, indent=1))
    if options.readme:
        report.write_between_marks(README, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
