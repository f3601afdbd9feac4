"""The same cases, guided by coverage: `python -m fuzz.guided_child TARGET …`; started by `campaign.py`.

atheris counts which branches of the packages' Python code, and of the readers in Python that they use, a case takes;
an input that takes a new one is kept in the corpus, and changed on: by the target's own changes, which know the format,
or by libFuzzer's. What compiled libraries do is not seen.
"""

from __future__ import annotations

import contextlib
import random
import sys
import warnings
from pathlib import Path

#: Whose branches count. What Numba compiles cannot be counted.
PACKAGES = ("fsrcnn_np", "piqe_np", "pydicom", "pynetdicom", "tifffile", "tomllib", "uvicorn", "starlette", "zipfile")
COMPILED = ("fsrcnn_np.engine", "fsrcnn_np.phantom", "fsrcnn_np.files.jpeg_whole", "piqe_np.score", "piqe_np.compiled")
_LARGEST = 1 << 16  #: bytes of a case: small ones meet the same branches
_PLAIN = ("-timeout=100000", "-rss_limit_mb=0", "-malloc_limit_mb=0", "-verbosity=0", "-len_control=0", "-close_fd_mask=2",
          *(f"-handle_{name}=0" for name in ("segv", "bus", "abrt", "ill", "fpe", "int", "term", "xfsz")))  # fmt: skip


def main() -> None:
    import atheris

    with atheris.instrument_imports(include=list(PACKAGES), exclude=list(COMPILED)):
        from .child import Campaign, parser
        from .oracle import judge, watched
        from .targets import target_named

        told = parser()
        told.add_argument("--corpus", type=Path, required=True)
        told.add_argument("--merge", action="store_true")
        options = told.parse_args()
        warnings.simplefilter("ignore")
        campaign = Campaign(target_named(options.target), options.folder, options.found, options.first)
        with watched():
            seeds = campaign.seeds()
    new, begun, watching = False, False, contextlib.ExitStack()
    before = _taken(options.corpus) if options.merge else []

    def change(data: bytes, most: int, seed: int) -> bytes:
        """Another input; of a merge the next of those that there were."""
        nonlocal new
        if options.merge:
            return before.pop() if before else data
        new = True
        rng = random.Random(seed)
        if rng.random() < 0.3:
            return bytes(atheris.Mutate(data, len(data)))
        return campaign.target.change(rng, data, seeds)[:most]

    def one(data: bytes) -> None:
        nonlocal new, begun
        if not begun:
            watching.enter_context(watched())  # by now libFuzzer has put aside where it writes to
            begun = True
        if new:
            campaign.one(data)
        else:  # read from the corpus: it was a case before
            judge(campaign.target, data, options.folder / "place")
        new = False

    if options.merge:
        ends = [f"-runs={2 * len(before) + 100}"]
    else:
        for number, data in enumerate(seeds):
            (options.corpus / f"seed{number}").write_bytes(data)
        ends = [f"-max_total_time={max(1, round(options.seconds))}", f"-runs={options.cases}"]
    command = [sys.argv[0], *ends, *_PLAIN, f"-seed={options.seed + 1}", f"-max_len={_LARGEST}", str(options.corpus)]
    atheris.Setup(command, one, custom_mutator=change)
    atheris.Fuzz()


def _taken(corpus: Path) -> list[bytes]:
    """The inputs of a corpus, the smallest last; its folder is empty then, for what is needed of them."""
    paths = sorted(corpus.iterdir(), key=lambda path: -path.stat().st_size)
    found = [path.read_bytes() for path in paths]
    for path in paths:
        path.unlink()
    return found


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main()
