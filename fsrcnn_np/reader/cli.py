"""`fsrcnn-np study read`: words in, words out; no arithmetic."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from piqe_np.console import complain, say

from ..command_options import data_range, words
from ..errors import FsrcnnError, OptionError, part_of_the_call
from ..files import OutputExists

if TYPE_CHECKING:
    from .cases import Comparison
    from .log import Log
    from .tiles import Tiles


def add_commands(study: Any) -> None:
    """Add `read` to the commands of `fsrcnn-np study`."""
    job = study.add_parser("read", help="readers see, compare and rate in a browser (extra reader)")
    job.add_argument(
        "results", type=Path, metavar="RESULTS", help="that `study run` made; with --left a folder to keep in"
    )
    job.add_argument("--left", type=Path, metavar="DIR", help="instead: images of one side, and")
    job.add_argument("--right", type=Path, metavar="DIR", help="of the other; files of the same name are compared")
    job.add_argument(
        "--data-range", type=data_range, metavar="R|LOW:HIGH", help="with --left: values of black and white"
    )
    job.add_argument("--criteria", type=Path, metavar="FILE", help="TOML of what is asked (the paper's 14 criteria)")
    job.add_argument(
        "--reader", type=words, action="append", default=[], metavar="NAME", help="again for each one (reader 1)"
    )
    job.add_argument("--title", type=words, default="Reader study", metavar="TEXT", help="that readers see above all")
    job.add_argument("--repeats", type=int, default=0, metavar="N", help="cases that each reader sees twice (0)")
    job.add_argument("--seed", type=int, default=0, help="of order, sides and repeats (0)")
    job.add_argument("--port", type=int, default=8000, help="0 takes a free one (8000)")
    job.add_argument("--host", type=words, default="127.0.0.1", metavar="ADDRESS", help="of the interface (127.0.0.1)")
    job.add_argument(
        "--name", type=words, action="append", default=[], metavar="HOST", help="by which browsers call this machine"
    )
    job.add_argument("--certificate", type=Path, metavar="PEM", help="for TLS, with")
    job.add_argument("--key", type=Path, metavar="PEM")
    job.add_argument("--open-network", action="store_true", help="with --host: others may connect without TLS")
    job.add_argument("--days", type=float, default=90.0, metavar="N", help="that the printed links are valid (90)")
    job.add_argument(
        "--revoke", type=words, action="append", default=[], metavar="NAME", help="make earlier links of NAME invalid"
    )
    job.add_argument("--prepare", action="store_true", help="make the tiles of all cases first")
    job.add_argument("--export", type=Path, metavar="CSV", help="write the ratings there, and serve nothing")
    job.add_argument("--overwrite", action="store_true", help="with --export: replace CSV where it holds others")
    job.add_argument("--images", metavar="DIR", help="where the cohort's images lie now, if they were moved")
    job.add_argument(
        "--weights", metavar="NAME|FILE", help="for SR that was not saved, if the model is none that ships"
    )
    job.add_argument("--threads", type=int, metavar="N", help="default: $FSRCNN_NP_THREADS, else the CPUs available")
    job.set_defaults(run=read)


def read(options: argparse.Namespace) -> int:
    """`fsrcnn-np study read`: until Ctrl-C or SIGTERM."""
    from .criteria import read_criteria
    from .library import check_library
    from .log import NAME, Log
    from .people import check_names, new_token, revoke
    from .publish import Publisher
    from .serving import Address, listen, serve
    from .tiles import Tiles

    check_library()
    _check(options)
    names = check_names(options.reader)
    address = Address(
        options.host, options.port, tuple(options.name), options.certificate, options.key, options.open_network
    )
    with part_of_the_call():
        address.check()
        criteria = read_criteria(options.criteria)
    comparison = _comparison(options)
    path = options.results / NAME
    log = Log(path, criteria, reading=bool(options.export) and path.is_file())
    try:
        _begun_with(log, options, comparison)
        patients = {case.name: case.patient for case in comparison.cases}
        from .server import Site
        from .server import say as tell

        publisher = Publisher(options.results, log, patients, tell)
        if options.export:
            try:
                publisher.write(options.export, overwrite=options.overwrite)
            except OutputExists as kept:
                say(str(kept))
            else:
                say(f"wrote {options.export}")
            return 0
        for name in options.revoke:
            say(f"{revoke(log, name)} links of {name} are no longer valid")
        check_names([*names, *(name for name in log.readers() if name not in names)])
        for name in names or log.readers() or ["reader 1"]:
            log.arrange(name, list(patients), seed=options.seed, repeats=options.repeats)
        for line in comparison.left_out:
            complain("fsrcnn-np", line, 0)
        if not publisher.wanted:
            say(f"ratings are kept in {log.path}; --export writes them as CSV")
        publisher.all()
        tiles = Tiles(options.results / "tiles", log, comparison.cases, tell, options.threads)
        try:
            if options.prepare:
                _prepare(tiles)
            with listen(address) as listening:
                link = address.link(listening.getsockname()[1])
                site = Site(
                    comparison, criteria, log, tiles, publisher, names=address.known_names(),
                    title=options.title, tls=address.tls,
                )  # fmt: skip
                say(f"{len(patients)} cases, {len(criteria.criteria)} criteria; Ctrl-C ends")
                for name in log.readers():
                    say(f"{name}: {link}/enter/{new_token(log, name, days=options.days)}")
                say(f"results: {link}/enter/{new_token(log, 'owner', owner=True, days=options.days)}")
                _first(log, tiles)
                serve(site.app, listening, address)
        finally:
            tiles.close()
        publisher.publish(set())
        publisher.write(options.results / "reading.csv", overwrite=True)  # it shows the log, and is renewed with it
        say(f"ended; wrote {options.results / 'reading.csv'}")
        return 0
    finally:
        log.close()


def _check(options: argparse.Namespace) -> None:
    if (options.left is None) != (options.right is None):
        raise OptionError("--left and --right go together; give both or neither")
    if options.repeats < 0:
        raise OptionError(f"--repeats is {options.repeats}; allowed are 0, 1, 2, …")
    if not 0 < options.days <= 3650:
        raise OptionError(f"--days is {options.days:g}; allowed are up to 3650")
    if options.overwrite and not options.export:
        raise OptionError("--overwrite goes with --export; ratings are never replaced")
    if options.left is None and options.data_range is not None:
        raise OptionError("--data-range goes with --left and --right; the study knows its own")


def _comparison(options: argparse.Namespace) -> Comparison:
    from .cases import from_folders, from_results

    if options.left is not None:
        found = from_folders(options.left, options.right, data_range=options.data_range, without=options.results)
    else:
        found = from_results(
            options.results, weights=options.weights, images=options.images, threads=options.threads
        )  # fmt: skip
    if not found.cases:
        reasons = "; ".join(found.left_out[:3])
        why = f" ({reasons})" if reasons else ""
        raise OptionError(f"{options.results}: there is nothing to compare{why}; give results that have images")
    return found


def _begun_with(log: Log, options: argparse.Namespace, comparison: Comparison) -> None:
    """Ratings by other questions, or of other sides, would mean something else."""
    from .log import same_study

    asked = ", ".join(f"{one.name} {[value for value, _ in one.values]}" for one in log.criteria.criteria)
    same_study(log, "criteria", asked, "the criteria")
    same_study(log, "mirrored", str(log.criteria.mirrored).lower(), "mirrored =")
    sides = [str(Path(side).resolve()) if options.left else side for side in comparison.sides]
    same_study(log, "sides", " and ".join(sides), "the sides")


def _prepare(tiles: Tiles) -> None:
    from ..progress import bar

    with bar("tiles", unit="case") as progress:
        for done, name in enumerate(tiles.cases, 1):
            try:
                tiles.make(name)
            except FsrcnnError as error:
                complain("fsrcnn-np", str(error), 1)
            progress(done, len(tiles.cases))


def _first(log: Log, tiles: Tiles) -> None:
    """The case with which each reader will go on."""
    for reader in log.readers():
        progress = log.progress(reader)
        whole = len(log.criteria.criteria)
        going_on = next((s.case for s in log.slots(reader) if progress.get(s.number, (0, 0))[0] < whole), None)
        if going_on:
            tiles.later([going_on])
