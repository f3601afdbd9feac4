"""Attack the readers.

    python -m fuzz                              the targets
    python -m fuzz cohort --seconds 60 --seed 1    a minute of one; what falls is kept below fuzz_found/
    python -m fuzz all --seconds 600            ten minutes over all of them
    python -m fuzz cohort fuzz_found/FILE          one input again, in this process

Counts go to standard output, one line a target; with --counts FILE also into a JSON that adds up over calls. Exit status:
0 nothing fell, 1 something did.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from .campaign import Count, campaign
from .oracle import judge, watched
from .targets import NAMES, target_named


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", nargs="?", choices=[*NAMES, "all"], metavar="TARGET")
    parser.add_argument("input", nargs="?", type=Path, help="an input that is to be tried again")
    parser.add_argument("--seconds", type=float, default=60.0, help="of all targets together (60)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--found", type=Path, default=Path("fuzz_found"), metavar="DIR", help="where inputs are kept")
    parser.add_argument("--counts", type=Path, metavar="FILE", help="a JSON that adds up")
    options = parser.parse_args()
    if options.target is None:
        print(*NAMES, sep="\n")
        return 0
    if options.input is not None:
        return again(options.target, options.input)
    names = NAMES if options.target == "all" else (options.target,)
    fell = 0
    for name in names:
        count = campaign(name, seconds=options.seconds / len(names), seed=options.seed, found=options.found)
        fell += sum(count.faults.values())
        faults = ", ".join(f"{number} {kind}" for kind, number in sorted(count.faults.items())) or "nothing fell"
        print(f"{name}: {count.cases} cases in {count.seconds:.0f} s, {faults}", flush=True)
        if options.counts:
            add(options.counts, name, count)
    return int(fell > 0)


def again(name: str, path: Path) -> int:
    """One input once more; its fault on standard output."""
    target = target_named(name)
    with tempfile.TemporaryDirectory() as place:
        list(target.seeds())
        with watched():
            fault = judge(target, path.read_bytes(), Path(place))
    print(fault or "nothing fell")
    return int(fault is not None)


def add(path: Path, name: str, count: Count) -> None:
    """Add a campaign to the counts of a file."""
    known = json.loads(path.read_text()) if path.exists() else {}
    before = known.setdefault(name, {"cases": 0, "seconds": 0, "faults": {}})
    before["cases"] += count.cases
    before["seconds"] = round(before["seconds"] + count.seconds, 1)
    for kind, number in count.faults.items():
        before["faults"][kind] = before["faults"].get(kind, 0) + number
    path.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    sys.exit(main())
