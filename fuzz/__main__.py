"""Attack the readers.

    python -m fuzz                              the targets
    python -m fuzz cohort --seconds 60 --seed 1    a minute of one; what falls is kept below fuzz_found/
    python -m fuzz cohort --seed 1 --cases 5000    these cases again
    python -m fuzz all --seconds 600            ten minutes over all of them
    python -m fuzz --guided cohort              guided by coverage (pip install atheris); the corpus is fuzz_corpus/cohort
    python -m fuzz --merge cohort               the corpus without what meets no branch that others do not
    python -m fuzz cohort fuzz_found/FILE       one input again, in this process
    python -m fuzz --page docs/attacks.md       the page's table, of fuzz/results.jsonl

Counts go to standard output, one line a target; with --log FILE also as a row of JSON each. Exit status: 0 nothing fell,
1 something did.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import tempfile
from pathlib import Path

from . import counts
from .campaign import ENDLESS, campaign, merge
from .oracle import judge, watched
from .targets import NAMES, shares, target_named


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", nargs="?", choices=[*NAMES, "all"], metavar="TARGET")
    parser.add_argument("input", nargs="?", type=Path, help="an input that is to be tried again")
    parser.add_argument("--seconds", type=float, help="of all targets together (60, or as many as --cases needs)")
    parser.add_argument("--cases", type=int, help="of each target (as many as there is time for)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--guided", action="store_true", help="by coverage, with atheris")
    parser.add_argument("--merge", action="store_true", help="only make the corpus small")
    parser.add_argument("--corpus", type=Path, default=Path("fuzz_corpus"), metavar="DIR", help="has a folder a target")
    parser.add_argument("--found", type=Path, default=Path("fuzz_found"), metavar="DIR", help="where inputs are kept")
    parser.add_argument("--log", type=Path, metavar="FILE", help="rows of JSON, appended")
    parser.add_argument("--page", type=Path, metavar="FILE")
    options = parser.parse_args()
    if options.page is not None:
        counts.page(options.page)
        return 0
    if options.target is None:
        print(*NAMES, sep="\n")
        return 0
    if options.input is not None:
        return again(options.target, options.input)
    if (options.guided or options.merge) and importlib.util.find_spec("atheris") is None:
        parser.error("--guided and --merge need atheris, which is not installed: pip install 'atheris>=3'")
    parts = shares() if options.target == "all" else {options.target: 1.0}
    seconds = options.seconds or (60.0 if options.cases is None else float(ENDLESS))
    fell = 0
    for name, share in parts.items():
        corpus = options.corpus / name if options.guided or options.merge else None
        if options.merge:
            print(f"{name}: {merge(name, corpus)} inputs are left in {corpus}")
            continue
        count = campaign(
            name, seconds=seconds * share, seed=options.seed, found=options.found, corpus=corpus,
            cases=ENDLESS if options.cases is None else options.cases,
        )  # fmt: skip
        fell += sum(count.faults.values())
        faults = ", ".join(f"{number} {kind}" for kind, number in sorted(count.faults.items())) or "nothing fell"
        print(f"{name}: {count.cases} cases in {count.seconds:.0f} s, {faults}", flush=True)
        if options.log:
            counts.add(options.log, name, options.seed, options.guided, count)
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


if __name__ == "__main__":
    sys.exit(main())
