"""What others send over the network: PDUs to the DICOM service, requests to the reader study, answers of an archive."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import random
import socket
import struct
import tempfile
import threading
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fsrcnn_np.errors import FsrcnnError

from ..made import of_tests
from ..mutate import NUMBERS, WORDS, changed, words_changed
from ..target import Target

_MAMMOGRAPHY, _VERIFICATION = "1.2.840.10008.5.1.4.1.1.1.2", "1.2.840.10008.1.1"
_WAIT = 4.0  #: seconds for an answer


def _said(port: int, data: bytes, *, end: bool) -> bytes:
    """What a server answers to bytes; with `end` nothing more comes, and it should hang up."""
    answer = bytearray()
    with socket.create_connection(("127.0.0.1", port), timeout=_WAIT) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(data)
            if end:
                with contextlib.suppress(OSError):  # it has hung up before
                    connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while piece := connection.recv(1 << 16):
                answer += piece
    return bytes(answer)


# The reader study


class _Study:
    """A study that is served in this process as the command does it; `lines` is what it says to its owner."""

    def __init__(self) -> None:
        import uvicorn

        from fsrcnn_np import files
        from fsrcnn_np.reader.cases import from_folders
        from fsrcnn_np.reader.criteria import read_criteria
        from fsrcnn_np.reader.log import Log
        from fsrcnn_np.reader.people import new_token
        from fsrcnn_np.reader.publish import Publisher
        from fsrcnn_np.reader.server import Site
        from fsrcnn_np.reader.serving import Address, listen, patient
        from fsrcnn_np.reader.tiles import Tiles

        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        for place, size in (("left", 20), ("right", 40)):
            (folder / place).mkdir()
            for name in ("a.png", "b.png"):
                files.write(folder / place / name, np.arange(size * size, dtype=np.uint16).reshape(size, size))
        comparison, criteria = from_folders(folder / "left", folder / "right"), read_criteria()
        self.lines: list[str] = []
        self.log = Log(folder / "log.sqlite", criteria)
        publisher = Publisher(
            folder, self.log, {case.name: case.patient for case in comparison.cases}, self.lines.append
        )
        self.log.arrange("Ann", [case.name for case in comparison.cases], seed=0, repeats=0)
        tiles = Tiles(folder / "tiles", self.log, comparison.cases, self.lines.append, 1)
        address = Address(port=0)
        listening = listen(address)
        self.port = listening.getsockname()[1]
        site = Site(
            comparison, criteria, self.log, tiles, publisher, names=address.known_names(), say=self.lines.append
        )
        site._calls.burst = site._doors.burst = site._pictures.burst = 1e12  # no one is told to slow down
        config = uvicorn.Config(
            site.app, loop="asyncio", http=patient(), ws="none", lifespan="off", access_log=False, log_config=None,
            log_level="critical", server_header=False, proxy_headers=False,
        )  # fmt: skip
        threading.Thread(target=uvicorn.Server(config).run, args=([listening],), daemon=True).start()
        self.token, self.owner = new_token(self.log, "Ann"), new_token(self.log, "owner", owner=True)
        self.cookie = site.cookie

    def check(self) -> None:
        """The study's owner was not told of a request that failed."""
        unexpected = [line for line in self.lines if "unexpected" in line]
        self.lines.clear()
        assert not unexpected, unexpected[0]


_study = functools.cache(_Study)


def _request(data: bytes, place: Path) -> None:
    """One request, byte by byte as it stands; PORT, TOKEN and OWNER are put in."""
    study = _study()
    names = {b"PORT": str(study.port), b"TOKEN": study.token, b"OWNER": study.owner, b"COOKIE": study.cookie}
    for name, value in names.items():
        data = data.replace(name, value.encode())
    answer = _said(study.port, data, end=True)
    study.check()
    if answer:
        assert answer.startswith(b"HTTP/1.1 "), answer[:80]
        status = int(answer[9:12])
        assert status < 500, answer[:200]


def _requests() -> list[bytes]:
    head = b" HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nCookie: COOKIE=%s\r\nConnection: close\r\n"
    event = {
        "id": "0f8fad5b-d9cb-469f-a165-70867728950e",
        "kind": "rating",
        "case": 1,
        "criterion": "Artifacts",
        "value": 3,
    }
    body = json.dumps({"events": [event]}).encode()
    found = [b"GET " + path + head % b"TOKEN" + b"\r\n" for path in (
        b"/", b"/app.js", b"/api/session", b"/api/cases/1", b"/api/cases/99999999999999999999", b"/tiles/ab/0/0/0", b"/enter/TOKEN",
    )]  # fmt: skip
    found += [
        b"GET " + path + head % b"OWNER" + b"\r\n"
        for path in (b"/results", b"/results/ratings.csv", b"/results/log.csv")
    ]
    post = b"Origin: http://127.0.0.1:PORT\r\nContent-Type: application/json\r\nReader-Outbox: x\r\nContent-Length: %d\r\n\r\n"
    found.append(b"POST /api/events" + head % b"TOKEN" + post.replace(b"Reader-Outbox: x\r\n", b"") % len(body) + body)
    found.append(b"POST /api/events" + head % b"TOKEN" + post % len(body) + body)
    found.append(b"HEAD / HTTP/1.0\r\nHost: localhost:PORT\r\n\r\n")
    return found


def _request_changed(rng: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    words = ("\r\n", "HTTP/1.1", "Transfer-Encoding: chunked\r\n", "Content-Length: 99999999999\r\n", "Host: evil\r\n",
             "%2e%2e%2f", "/../../server.py", "%00", "//", "POST", "OPTIONS", "Expect: 100-continue\r\n", "Upgrade: websocket\r\n",
             "If-None-Match: *\r\n", "Cookie: reader=x; reader=y\r\n", "\r\n\r\n", "Range: bytes=0-1\r\n")  # fmt: skip
    return words_changed(rng, data, seeds, words=words)


# Events, without the network


@functools.cache
def _log() -> Any:
    from fsrcnn_np.reader.criteria import read_criteria
    from fsrcnn_np.reader.log import Log

    log = Log(Path(":memory:"), read_criteria())
    log.arrange("Ann", ["a", "b"], seed=0, repeats=0)
    return log


def _events(data: bytes, place: Path) -> None:
    """What the page sends, as the server takes it."""
    log = _log()
    with contextlib.suppress(ValueError, RecursionError):
        events = json.loads(data)
        if isinstance(events, list):
            _, refused = log.keep("Ann", events)
            assert all(one.why.isprintable() for one in refused), refused


def _event_seeds() -> list[bytes]:
    base: dict[str, Any] = {"id": str(uuid.UUID(int=7)), "case": 1, "seconds": 1.5, "at": 1790000000000}
    kinds: tuple[dict[str, Any], ...] = (
        {"kind": "rating", "criterion": "Artifacts", "value": 3}, {"kind": "comment", "text": "word"}, {"kind": "open"},
        {"kind": "mark", "side": 0, "x": 1.5, "y": 2, "text": "here", "mark": str(uuid.UUID(int=8))}, {"kind": "close"},
        {"kind": "unmark", "mark": str(uuid.UUID(int=8))},
    )  # fmt: skip
    return [json.dumps([base | kind]).encode() for kind in kinds]


def _event_changed(rng: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    """Values, or words of the JSON; each with an id of its own."""
    events = json.loads(data)
    if rng.random() < 0.6:
        event = events[0]
        event["id"] = str(uuid.UUID(int=rng.getrandbits(128)))
        for _ in range(rng.choice((1, 1, 2))):
            value = rng.choice(
                (None, True, [], {}, [[]], rng.choice(NUMBERS), -1, 1.5, 1e308, rng.choice(WORDS), ["a"], {"a": 1})
            )
            event[rng.choice((*event, "value", "text", "side", "x"))] = value
        with contextlib.suppress(UnicodeEncodeError):
            return json.dumps(events).encode()
    return words_changed(rng, data, seeds, words=("NaN", "Infinity", "1e999", "[" * 2000, "null", '"\\ud800"'))


# The DICOM service


class _Service:
    """The service's listener, as `dicom serve` starts it; its workers stay at rest."""

    def __init__(self) -> None:
        from fsrcnn_np.pacs import lines
        from fsrcnn_np.pacs.peer import parse_peer
        from fsrcnn_np.pacs.service import Address, Service
        from fsrcnn_np.pacs.settings import Limits, Settings

        self._folder = tempfile.TemporaryDirectory()
        self.said: list[str] = []
        for module in ("receiving", "commitment", "service"):
            of_package(f"fsrcnn_np.pacs.{module}").say = self.said.append
        assert lines
        model = of_tests("models").random_weights(np.random.default_rng(0), (3, 2, 1), 2, "zero", dtype=np.float32)
        settings = Settings(limits=Limits(idle_seconds=1.0, object_bytes=1 << 20, associations=64))
        address = Address("FSRCNN", port=0)
        self._service = Service(Path(self._folder.name), address, parse_peer("AE@127.0.0.1:1"), settings, model)
        self.port = self._service.port
        server = (
            self._service._server
        )  # copies all it offers for each association: two hundred, of which seeds ask for two
        server.contexts = [one for one in server.contexts if one.abstract_syntax in (_MAMMOGRAPHY, _VERIFICATION)]
        assert len(server.contexts) == 2


def of_package(name: str) -> Any:
    """A module of the package."""
    import importlib

    return importlib.import_module(name)


_service = functools.cache(_Service)


def _association(data: bytes, place: Path) -> None:
    """Bytes on a new connection, and then none."""
    service = _service()
    _said(service.port, data, end=True)
    assert not [line for line in service.said if "unexpected" in line], service.said
    assert all(line.isprintable() for line in service.said), service.said
    service.said.clear()


def _pdus() -> list[bytes]:
    """Association, echo, an object, the end: by pynetdicom's own encoder, and by PS3.8 9.3."""

    def item(kind: int, body: bytes) -> bytes:
        return struct.pack(">BBH", kind, 0, len(body)) + body

    def pdu(kind: int, body: bytes) -> bytes:
        return struct.pack(">BBI", kind, 0, len(body)) + body

    context = item(0x30, b"1.2.840.10008.1.1") + item(0x40, b"1.2.840.10008.1.2")
    store = item(0x30, b"1.2.840.10008.5.1.4.1.1.1.2") + item(0x40, b"1.2.840.10008.1.2.1")
    user = item(0x51, struct.pack(">I", 16384)) + item(0x52, b"1.2.3.4") + item(0x55, b"FUZZ")
    items = item(0x10, b"1.2.840.10008.3.1.1.1") + item(0x20, b"\1\0\0\0" + context) + item(0x20, b"\3\0\0\0" + store)
    request = pdu(1, b"\0\1\0\0" + b"FSRCNN".ljust(16) + b"FUZZ".ljust(16) + bytes(32) + items + item(0x50, user))

    def element(number: int, body: bytes) -> bytes:
        return struct.pack("<HHI", 0, number, len(body)) + body

    def message(context_id: int, command: bytes, rest: bytes = b"") -> bytes:
        group = element(0, struct.pack("<I", len(command)))
        out = pdu(4, struct.pack(">IBB", len(group + command) + 2, context_id, 3) + group + command)
        return out + (pdu(4, struct.pack(">IBB", len(rest) + 2, context_id, 2) + rest) if rest else b"")

    short = functools.partial(struct.pack, "<H")
    echo = message(
        1,
        element(2, b"1.2.840.10008.1.1\0")
        + element(0x100, short(0x30))
        + element(0x110, short(1))
        + element(0x800, short(0x101)),
    )
    peers = of_tests("pacs_peers", "pacs")
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = peers.mammogram(3, shape=(4, 4))
        del dataset.file_meta
        dataset.save_as(stream, implicit_vr=False, little_endian=True)
    command = element(2, b"1.2.840.10008.5.1.4.1.1.1.2\0") + element(0x100, short(1)) + element(0x110, short(2))
    command += element(0x700, short(0)) + element(0x800, short(1)) + element(0x1000, b"1.2.826.99.3.1\0\0"[:14])
    stored = message(3, command, stream.getvalue())
    release, abort = pdu(5, bytes(4)), pdu(7, bytes(4))
    return [request + echo + release, request + stored + release, request + echo + stored + abort, request, release]


def _pdus_changed(rng: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    """PDUs left out, doubled, cut, changed inside with their lengths put right."""
    if rng.random() < 0.4:
        return changed(rng, data, seeds)
    parts, at = [], 0
    while at + 6 <= len(data):
        (length,) = struct.unpack_from(">I", data, at + 2)
        parts.append((data[at], data[at + 6 : at + 6 + length]))
        at += 6 + length
    at = rng.randrange(len(parts))
    kind, body = parts[at]
    match rng.randrange(6):
        case 0:
            del parts[at]
        case 1:
            parts.insert(at, parts[rng.randrange(len(parts))])
        case 2:
            parts[at] = (rng.randrange(10), body)
        case _:
            parts[at] = (kind, changed(rng, body, ()))
    return b"".join(struct.pack(">BBI", kind, 0, len(body)) + body for kind, body in parts)


# What an archive answers


class _Archive:
    """A server that answers every request with the same bytes."""

    def __init__(self) -> None:
        from fsrcnn_np.pacs.settings import Limits
        from fsrcnn_np.pacs.web import Root, Web

        self.answer = b""
        self._listening = socket.create_server(("127.0.0.1", 0))
        root = Root(False, "127.0.0.1", self._listening.getsockname()[1], "/dicom-web")
        self.web = Web(root, None, None, Limits(idle_seconds=2.0, object_bytes=1 << 20))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listening.accept()
            with connection, contextlib.suppress(OSError):
                connection.settimeout(_WAIT)
                connection.recv(1 << 16)
                connection.sendall(self.answer)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1 << 16):
                    pass


_archive = functools.cache(_Archive)


def _answer(data: bytes, place: Path) -> None:
    """The bytes are what the archive says to one of the questions; the first says to which."""
    from fsrcnn_np.pacs import web_asking
    from fsrcnn_np.pacs.web_sending import _told_of

    archive = _archive()
    archive.answer = data[1:]
    wanted = web_asking.Instance("1.2", "1.3", "1.4")
    try:
        match data[0] % 4 if data else 0:
            case 0:
                for number, _ in enumerate(web_asking.find(archive.web, "1.2")):
                    if number > 50:
                        break
            case 1:
                web_asking.has(archive.web, wanted)
            case 2:
                web_asking.retrieve(archive.web, wanted, io.BytesIO(), 1 << 20)
            case _:
                _told_of(data[1:], "1.4")
    finally:
        archive.web.close()


def _answers() -> list[bytes]:
    listed = [
        {"0020000D": {"vr": "UI", "Value": ["1.2"]}, "0020000E": {"Value": ["1.3"]}, "00080018": {"Value": ["1.4"]}}
    ]
    stored = {"00081199": {"Value": [{"00081155": {"Value": ["1.4"]}, "00081196": {"Value": [0]}}]}}
    found = []
    for kinds, text in (((0, 1), json.dumps(listed).encode()), ((3,), json.dumps(stored).encode())):
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json\r\nContent-Length: %d\r\n\r\n" % len(text)
        found += [bytes([kind]) + (head if kind != 3 else b"") + text for kind in kinds]
    part = b"--b\r\nContent-Type: application/dicom\r\n\r\n" + bytes(128) + b"DICM1234\r\n--b--\r\n"
    head = b'HTTP/1.1 200 OK\r\nContent-Type: multipart/related; type="application/dicom"; boundary=b\r\n'
    found.append(b"\x02" + head + b"Content-Length: %d\r\n\r\n" % len(part) + part)
    found.append(b"\x02" + head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(part) + part + b"\r\n0\r\n\r\n")
    return found


def _answer_changed(rng: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    words = ("\r\n", "HTTP/1.1 302 Found\r\nLocation: http://evil/\r\n", "Content-Length: 99999999999999\r\n", "Content-Encoding: gzip\r\n",
             "Transfer-Encoding: chunked\r\n", "204", "500", "[" * 2000, "NaN", "--b", "boundary=" + "x" * 80, 'charset="x"')  # fmt: skip
    return data[:1] + words_changed(rng, data[1:], [seed[1:] for seed in seeds], words=words)


def _seeds_of(make: Callable[[], list[bytes]], start: Callable[[], object]) -> Callable[[], Iterator[bytes]]:
    def seeds() -> Iterator[bytes]:
        start()
        yield from make()

    return seeds


TARGETS = {
    "reader-http": Target("reader-http", _seeds_of(_requests, _study), _request, _request_changed, allowed=()),
    "reader-events": Target("reader-events", _event_seeds, _events, _event_changed),
    "associations": Target("associations", _seeds_of(_pdus, _service), _association, _pdus_changed, allowed=()),
    "dicomweb": Target("dicomweb", _answers, _answer, _answer_changed, allowed=(FsrcnnError,)),
}
