"""Whether the coded data of a JPEG are whole: every block that the header promises, each in its tables' codes.

Decoders give a picture all the same, grey where nothing was, with a warning that no Python library hands on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fsrcnn_np.errors import FormatError

_LEFT_OVER = 8  # bytes behind the last block of a scan or of an interval, zeros not counted; some writers leave a few
_SOF = {0xC0: "sequential", 0xC1: "sequential", 0xC2: "progressive", 0xC3: "lossless"}  # of Huffman codes: T.81 B.1
_OTHER_FRAMES = (0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF)
_DHT, _SOS, _DRI, _EOI = 0xC4, 0xDA, 0xDD, 0xD9
_COMPLETE = (0xD8, 0x01, *range(0xD0, 0xD8))  # markers without a length


@dataclass
class _Component:
    """Blocks across and down: in a unit of all components, in the picture, and in memory."""

    across: int
    down: int
    blocks: tuple[int, int] = (0, 0)
    stride: int = 0
    base: int = 0
    seen: bool = False
    bits: NDArray[np.int64] = field(default_factory=lambda: np.zeros(64, np.int64))  #: that are still to come


@dataclass
class _Frame:
    kind: str
    size: tuple[int, int]
    components: dict[int, _Component]
    units: tuple[int, int] = (0, 0)
    known: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))


class _NotJudged(Exception):
    """A kind of JPEG that is not gone through."""


def check_whole(data: bytes, *, tables: bytes = b"") -> None:
    """Raise a FormatError where coded data are cut, overwritten, or fewer than the header says.

    Parameters
    ----------
    data : bytes
        From SOI on; what follows EOI is not looked at. Arithmetic coding is not judged.
    tables : bytes
        An abbreviated stream with tables, as TIFF's JPEGTables.
    """
    from piqe_np.compiled import check_compiled_code_runs

    try:
        check_compiled_code_runs("numba", _NotJudged)
        _Walk(tables, data).check()
    except _NotJudged:
        return


class _Walk:
    """One stream, from marker to marker."""

    def __init__(self, tables: bytes, data: bytes) -> None:
        self.data = data
        self.array = np.frombuffer(data, np.uint8)
        self.tables: dict[int, NDArray[np.int32]] = {}
        self.restart = 0  #: units from one restart marker to the next
        self.frame: _Frame | None = None
        if tables:
            self._segments(tables, 0)

    def check(self) -> None:
        self._segments(self.data, 2)
        if self.frame is None:
            raise _NotJudged
        missing = sum(not component.seen for component in self.frame.components.values())
        if missing:
            raise FormatError(
                f"damaged JPEG: {missing} of {len(self.frame.components)} colour components have no data; "
                "copy or download it again"
            )
        if any(component.bits.any() for component in self.frame.components.values()):
            raise FormatError("damaged JPEG: its last refinements are missing; copy or download it again")

    def _segments(self, data: bytes, at: int) -> None:
        while True:
            at = data.find(b"\xff", at)
            if at < 0 or at + 4 > len(data):
                return
            marker = data[at + 1]
            if marker in (0xFF, 0x00) or marker in _COMPLETE:
                at += 1 if marker == 0xFF else 2
                continue
            if marker == _EOI:
                return
            length = int.from_bytes(data[at + 2 : at + 4], "big")
            body = data[at + 4 : at + 2 + length]
            if len(body) != length - 2:
                raise FormatError("damaged JPEG: it ends within a header; copy or download it again")
            at += 2 + length
            if marker in _OTHER_FRAMES:
                raise _NotJudged
            if marker in _SOF:
                self.frame = _frame(body, _SOF[marker])
            elif marker == _DHT:
                self._huffman(body)
            elif marker == _DRI:
                self.restart = int.from_bytes(body[:2], "big")
            elif marker == _SOS:
                at = self._scan(body, at)

    def _huffman(self, body: bytes) -> None:
        """T.81 B.2.4.2, C.2: of every 16 bits the length and the symbol of the code that they begin with."""
        while len(body) >= 17:
            kind, counts = body[0], body[1:17]
            symbols = np.frombuffer(body[17 : 17 + sum(counts)], np.uint8)
            if len(symbols) < sum(counts):
                raise FormatError("damaged JPEG: a Huffman table is cut; copy or download it again")
            lengths = np.repeat(np.arange(1, 17), list(counts))
            table = np.repeat((lengths * 256 + symbols).astype(np.int32), 1 << (16 - lengths))
            if len(table) > 1 << 16:
                raise FormatError("damaged JPEG: a Huffman table has too many codes; copy or download it again")
            self.tables[kind] = np.concatenate([table, np.zeros((1 << 16) - len(table), np.int32)])
            body = body[17 + sum(counts) :]

    def _scan(self, body: bytes, at: int) -> int:
        from fsrcnn_np.files.jpeg_walk import BAD_CODE, ENDS_EARLY, NO_RESTART, walk

        frame = self.frame
        if frame is None or not body or len(body) < 4 + 2 * body[0]:
            raise FormatError("damaged JPEG: a scan has no header; copy or download it again")
        chosen = [(body[1 + 2 * n], body[2 + 2 * n]) for n in range(body[0])]
        start, end, bits = body[1 + 2 * len(chosen) :][:3]
        if frame.kind != "progressive":
            start, end, bits = 0, 63 if frame.kind == "sequential" else 0, 0
        if not chosen or any(number not in frame.components for number, _ in chosen) or not start <= end <= 63:
            raise FormatError("damaged JPEG: a scan's header is none; copy or download it again")
        if frame.kind == "progressive" and start == 0:
            end = 0
        scan = (start, end, bits >> 4, int(frame.kind == "progressive"), int(frame.kind == "lossless"))
        for number, _ in chosen:
            frame.components[number].bits[scan[0] : scan[1] + 1] = bits & 15
        layout, units = self._layout([frame.components[number] for number, _ in chosen])
        dc = [self._table(choice >> 4, scan[0] == 0 and scan[2] == 0) for _, choice in chosen]
        ac = [self._table(0x10 | choice & 15, scan[1] > 0) for _, choice in chosen]
        what, at, done, left = walk(self.array, at, layout, units, np.stack(dc), np.stack(ac), frame.known, scan)
        said = f"of the {units[0] * units[1]} blocks that its header says, {done} are there"
        if what in (ENDS_EARLY, NO_RESTART):
            raise FormatError(f"damaged JPEG: {said}; copy or download it again")
        if what == BAD_CODE:
            raise FormatError(f"damaged JPEG: after {done} blocks its codes make no sense; copy or download it again")
        padding = len(self.data[max(0, at - left) : at]) - len(self.data[max(0, at - left) : at].rstrip(b"\0"))
        if left - padding > _LEFT_OVER:
            raise FormatError(f"damaged JPEG: {left} bytes belong to no block; copy or download it again")
        return int(at)

    def _layout(self, components: list[_Component]) -> tuple[NDArray[np.int64], tuple[int, int]]:
        """A scan of one component goes block by block; one of several goes by units of all: T.81 A.2."""
        assert self.frame is not None
        alone = len(components) == 1
        rows = []
        for number, component in enumerate(components):
            component.seen = True
            across, down = (1, 1) if alone else (component.across, component.down)
            rows.append([across, down, component.stride, component.base, number, self.restart])
        return np.array(rows, np.int64), components[0].blocks if alone else self.frame.units

    def _table(self, kind: int, needed: bool) -> NDArray[Any]:
        if not needed:
            return np.zeros(1 << 16, np.int32)
        if kind not in self.tables:  # of a stream that leaves the usual ones out, as Motion JPEG does
            raise _NotJudged
        return self.tables[kind]


def _frame(body: bytes, kind: str) -> _Frame:
    """T.81 B.2.2 and A.1.1; a lossless one has no blocks, or such of one sample."""
    if len(body) < 6 or len(body) < 6 + 3 * body[5]:
        raise FormatError("damaged JPEG: its frame header is cut; copy or download it again")
    height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    if height == 0:  # said only at its end, by DNL
        raise _NotJudged
    given = [body[6 + 3 * n : 9 + 3 * n] for n in range(body[5])]
    components = {number: _Component(sampling >> 4, sampling & 15) for number, sampling, _ in given}
    if any(not 1 <= n <= 4 for one in components.values() for n in (one.across, one.down)):
        raise FormatError("damaged JPEG: its sampling factors are none; copy or download it again")
    most = max(one.down for one in components.values()), max(one.across for one in components.values())
    side = 1 if kind == "lossless" else 8
    units = -(-height // (side * most[0])), -(-width // (side * most[1]))
    total = 0
    for one in components.values():
        pixels = -(-height * one.down // most[0]), -(-width * one.across // most[1])
        one.blocks = -(-pixels[0] // side), -(-pixels[1] // side)
        one.stride, one.base = units[1] * one.across, total
        total += one.stride * units[0] * one.down
    known = np.zeros(total if kind == "progressive" else 1, np.uint64)
    return _Frame(kind, (height, width), components, units, known)
