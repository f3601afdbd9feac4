"""`fsrcnn-np dicom check | serve | send | fetch | queue`: words in, words out."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from piqe_np.console import complain
from piqe_np.line import printable

from ..command_options import words
from ..errors import FileError, NotThereError, OptionError, part_of_the_call
from ..run_log import FAILED, KEPT, SKIPPED, RunLog, run_options


def add_commands(subparsers: Any) -> None:
    """Add `dicom` to the commands of `fsrcnn-np`; `options.run` does what was asked for."""
    dicom = subparsers.add_parser("dicom", help="derived DICOM objects: check them; receive, super-resolve and send")
    commands = dicom.add_subparsers(title="commands", metavar="COMMAND", required=True)

    check = commands.add_parser("check", help="hold a derived object against its source, rule by rule")
    check.add_argument("source", type=Path, metavar="SOURCE")
    check.add_argument("derived", type=Path, metavar="DERIVED")
    check.add_argument(
        "--remap-uids", type=words, default="", metavar="TEXT", help="with which the derived object's were mapped"
    )
    run_options(check)
    check.set_defaults(run=run_check)

    serve = commands.add_parser("serve", help="receive objects, super-resolve those that are meant, and send both on")
    serve.add_argument("--ae-title", required=True, metavar="AE", help="our own; peers have to call it by this")
    serve.add_argument("--port", type=int, default=11112, help="0 takes a free one (11112)")
    serve.add_argument("--store", required=True, type=Path, metavar="DIR", help="where objects are kept")
    serve.add_argument(
        "--forward", required=True, metavar="PEER", help="the archive: AE@HOST:PORT, or its DICOMweb root https://…"
    )
    serve.add_argument(
        "--config", type=Path, metavar="FILE", help="TOML: [treat], [forward], [commitment], [limits], [keep]"
    )
    serve.add_argument("--calling", action="append", default=[], metavar="AE", help="who may send (on loopback: all)")
    serve.add_argument("--bind", default="127.0.0.1", metavar="ADDRESS", help="of the interface (127.0.0.1)")
    serve.add_argument("--open-network", action="store_true", help="with --bind: others may connect without TLS")
    serve.add_argument("--metrics", type=Path, metavar="FILE", help="counts for Prometheus, rewritten every 5 s")
    _add_certificates(serve)
    serve.set_defaults(run=run_serve)

    send = commands.add_parser("send", help="send files and folders to a peer (C-STORE, STOW-RS)")
    send.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    send.add_argument("peer", metavar="PEER", help="AE@HOST:PORT, or a DICOMweb root https://…")
    send.add_argument("--ae-title", default="FSRCNN-NP", metavar="AE", help="our own (FSRCNN-NP)")
    send.add_argument("--tries", type=int, default=4, metavar="N", help="for objects that the peer cannot take now (4)")
    _add_certificates(send)
    run_options(send)
    send.set_defaults(run=run_send)

    fetch = commands.add_parser("fetch", help="retrieve a study from a DICOMweb archive (QIDO-RS, WADO-RS)")
    fetch.add_argument("root", metavar="URL", help="the DICOMweb root, such as https://archive.example/dicom-web")
    fetch.add_argument("--study", required=True, metavar="UID")
    fetch.add_argument("--series", default="", metavar="UID", help="this one of the study alone")
    fetch.add_argument("--instance", default="", metavar="UID", help="this one alone")
    fetch.add_argument("-o", "--output", required=True, type=Path, metavar="DIR")
    fetch.add_argument("--tries", type=int, default=4, metavar="N", help="for what the archive cannot give now (4)")
    _add_certificates(fetch)
    run_options(fetch)
    fetch.set_defaults(run=run_fetch)

    queue = commands.add_parser("queue", help="what the objects of a store are waiting for")
    queue.add_argument("store", type=Path, metavar="DIR")
    queue.add_argument("--json", action="store_true", help="print JSON")
    queue.add_argument("--retry", action="store_true", help="take up again what is parked or waits")
    queue.set_defaults(run=run_queue)


def _add_certificates(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tls-certificate", type=Path, metavar="PEM", help="our own; the next two go with it")
    parser.add_argument("--tls-key", type=Path, metavar="PEM")
    parser.add_argument("--tls-authority", type=Path, metavar="PEM", help="whom peers' certificates must be signed by")
    said = "for DICOMweb: one line, USER:PASSWORD or Bearer TOKEN; without it the environment's FSRCNN_NP_DICOMWEB"
    parser.add_argument("--credentials", type=Path, metavar="FILE", help=said)


def run_check(options: argparse.Namespace) -> int:
    """`fsrcnn-np dicom check`: status 1 where a rule is broken that the source does not break itself."""
    from ..files.dicom.check import check_files

    log = RunLog(options, states=("passed", KEPT, SKIPPED, FAILED), several=False)
    path = str(options.derived)
    with log.summing_up():
        found = check_files(options.source, options.derived, remap_uids=options.remap_uids)
        own = [breach for breach in found if not breach.inherited]
        log.note(source=str(options.source), passed=not own, breaches=[breach.as_dict() for breach in found])
        log.say(*map(str, found))
        said = f"{path}: {len(own)} rules broken, {len(found) - len(own)} as in the source"
        log.end(path, FAILED if own else "passed", "rules" if own else "", said)
    return log.status


def run_serve(options: argparse.Namespace) -> int:
    """`fsrcnn-np dicom serve`: until SIGTERM or SIGINT."""
    from ..convert import load_weights
    from ..files.dicom.encoding import transfer_syntax
    from .library import import_pynetdicom
    from .peer import ae_title, parse_peer
    from .service import Address, Service
    from .settings import load_settings
    from .web import Credentials, is_web, parse_root

    import_pynetdicom()
    if not 0 <= options.port < 65536:
        raise OptionError(f"--port is {options.port}; allowed are 0..65535")
    address = Address(
        ae_title(options.ae_title),
        options.bind,
        options.port,
        tuple(ae_title(title) for title in options.calling),
        options.open_network,
        _certificates(options),
    )
    address.check()
    with part_of_the_call():
        settings = load_settings(options.config)
        transfer_syntax(settings.treat.transfer_syntax)
        model = load_weights(settings.treat.weights)
        peer = parse_root(options.forward) if is_web(options.forward) else parse_peer(options.forward)
        web = is_web(options.forward) or settings.commitment.qido_url
        credentials = Credentials(options.credentials) if web else None
        service = Service(options.store, address, peer, settings, model, options.metrics, credentials)
    print(f"listening as {address.title} on {address.host}:{service.port}, forwarding to {peer}", flush=True)
    service.run()
    return 0


def run_send(options: argparse.Namespace) -> int:
    """`fsrcnn-np dicom send`: status 1 where something was not sent."""
    from .sending import Outgoing
    from .sending_files import find_objects, send_files
    from .settings import Forward

    _check_tries(options)
    link = _link(options)
    log = RunLog(options, states=("sent", KEPT, SKIPPED, FAILED))
    given = list(find_objects(options.paths))
    objects = [found for _, found in given if isinstance(found, Outgoing)]
    log.several = len(given) > 1

    def none(until: Path | None) -> None:
        """Say what is no object, in its place among those that are."""
        while given and given[0][0] != until:
            path, found = given.pop(0)
            if not isinstance(found, Outgoing):
                log.failed(str(path), found)

    with log.summing_up():
        for outcome in send_files(link, objects, tries=options.tries, forward=Forward()):
            path = objects[outcome.number].path
            if any(path == other for other, _ in given):
                none(path)
            if outcome.kind == "sent":
                log.end(str(path), "sent", lines=[f"{path}: sent"])
            else:
                log.end(str(path), FAILED, "peer", outcome.line, lines=[f"{path}: {outcome.line}"])
        none(None)
    return log.status if objects else 1


def _link(options: argparse.Namespace) -> Any:
    """The way to the peer of `dicom send`, whichever language it speaks."""
    from .library import import_pynetdicom
    from .peer import ae_title, parse_peer
    from .sending import Link
    from .settings import Limits
    from .web import is_web
    from .web_sending import WebLink

    import_pynetdicom()
    if is_web(options.peer):
        return WebLink(_web(options, options.peer))
    certificates = _certificates(options)
    with part_of_the_call():
        tls = certificates.client() if certificates else None
    return Link(ae_title(options.ae_title), parse_peer(options.peer), tls, Limits())


def _web(options: argparse.Namespace, address: str) -> Any:
    """A DICOMweb archive, with what the options say of certificates and credentials."""
    from .peer import web_client
    from .settings import Limits
    from .web import Credentials, Web, parse_root

    with part_of_the_call():
        tls = web_client(options.tls_certificate, options.tls_key, options.tls_authority)
        return Web(parse_root(address), tls, Credentials(options.credentials), Limits())


def _check_tries(options: argparse.Namespace) -> None:
    if options.tries < 1:
        raise OptionError(f"--tries is {options.tries}; allowed are whole numbers from 1")


def run_fetch(options: argparse.Namespace) -> int:
    """`fsrcnn-np dicom fetch`: status 1 where something is missing, or nothing was found."""
    from ..files.dicom.library import import_pydicom
    from .fetching import fetch
    from .settings import Forward, Limits
    from .web_asking import is_uid

    import_pydicom()
    _check_tries(options)
    for name in ("study", "series", "instance"):
        text = getattr(options, name)
        if not is_uid(text) and (text or name == "study"):
            raise OptionError(f"--{name} is {text!r}, which is no UID: up to 64 digits and points are allowed")
    web = _web(options, options.root)
    chosen = {"series": options.series, "uid": options.instance}
    log = RunLog(options, states=("fetched", KEPT, SKIPPED, FAILED))
    try:
        with log.summing_up():
            for one in fetch(
                web, options.output, options.study, **chosen, tries=options.tries, forward=Forward(), limits=Limits()
            ):
                path = str(one.path)
                if one.full:  # so it would be of all others
                    log.end(path, FAILED, "disk-full", one.line, lines=[f"{path}: {one.line}; stopped"])
                    break
                if one.line:
                    log.end(path, FAILED, "peer", one.line, lines=[f"{path}: {one.line}"])
                elif one.kept:
                    log.end(path, KEPT, "exists", f"{path}: is there already and is kept")
                else:
                    log.note(output=one.path)
                    log.end(path, "fetched", lines=[f"{path}: fetched"])
    finally:
        web.close()
    if not log.counts.total():
        return complain("fsrcnn-np", f"{web.root} has nothing of that", 1)
    return log.status


def run_queue(options: argparse.Namespace) -> int:
    """`fsrcnn-np dicom queue`: status 1 where something is parked."""
    import sqlite3

    from .ledger import Ledger
    from .status import as_json, as_text

    path = options.store / "ledger.sqlite"
    if not path.is_file():
        raise NotThereError(f"{options.store}: no store of `fsrcnn-np dicom serve`; there is no {path.name} in it")
    try:
        try:
            ledger = Ledger(path)
        except (sqlite3.OperationalError, OSError):
            if options.retry:
                raise
            ledger = Ledger(path, read_only=True)  # on a disk that cannot be written
        if options.retry:
            ledger.retry()
        rows, counts = ledger.rows(), ledger.counts()
        ledger.close()
        text = as_json(rows, counts) if options.json else as_text(rows, counts)
    except (sqlite3.Error, ValueError, TypeError, LookupError) as error:  # damaged, or no version of ours wrote it
        raise FileError(f"{path}: cannot be read ({error}); give a store that dicom serve made") from error
    print(text) if options.json else print(*map(printable, text.split("\n")), sep="\n")
    return 1 if counts["parked"] else 0


def _certificates(options: argparse.Namespace) -> Any:
    """What the three options say; all or none must be given."""
    from .peer import Certificates

    given = (options.tls_certificate, options.tls_key, options.tls_authority)
    if not any(given):
        return None
    if not all(given):
        raise OptionError("--tls-certificate, --tls-key and --tls-authority go together; give all of them or none")
    return Certificates(*given)
