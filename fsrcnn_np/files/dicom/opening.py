"""A DICOM file's header, and where in the file its pixels lie; the pixels themselves are not read yet.

So a file that will be refused costs its header, and of many frames one is in memory at a time.
"""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

from fsrcnn_np.errors import FormatError
from fsrcnn_np.files.dicom.library import import_pydicom, name
from fsrcnn_np.files.dicom.texts import keep_stored

LARGE = 1 << 16  # bytes; larger elements of the header are read when they are asked for
MOST_HEADER = 1 << 26  # bytes that a deflated file may hold beside its pixels
_PIXELS = {0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData", 0x7FE00010: "PixelData"}  # PS3.3 C.7.6.3
_UNDEFINED = 0xFFFFFFFF
_ITEM, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE0DD


@dataclass(frozen=True)
class Pixels:
    """The element that holds the pixels, still in the file.

    Attributes
    ----------
    keyword, vr : str
    start : int
        Of its value, in bytes from the file's beginning.
    length : int
        Bytes that are there; of an encapsulated value from its first item to its end.
    open : callable
        Gives the (inflated) file.
    """

    keyword: str
    vr: str
    start: int
    length: int
    open: Callable[[], BinaryIO]


@dataclass(frozen=True)
class Opened:
    """A data set without its pixels, where they are (None: it has none), and what had to be mended on the way."""

    dataset: Any
    pixels: Pixels | None
    remarks: list[str]

    @property
    def floats(self) -> bool:
        """Whether the pixels are floats: PS3.3 C.7.6.24, C.7.6.25."""
        return self.pixels is not None and self.pixels.keyword != "PixelData"


def opened(path: Path) -> Opened:
    """Read a header.

    Parameters
    ----------
    path : Path
        With preamble and meta information, without either, or deflated.

    Raises
    ------
    FormatError
        No DICOM, or a deflated one that would grow beyond what its header explains.
    """
    pydicom = import_pydicom()
    remarks: list[str] = []
    source = _with_preamble(path, remarks)
    with source() as stream:
        preamble = pydicom.filereader.read_preamble(stream, force=True)
        meta = pydicom.filereader._read_file_meta_info(stream)
        if meta.get("TransferSyntaxUID") == pydicom.uid.DeflatedExplicitVRLittleEndian:
            dataset, source, position = _inflated(stream, preamble, meta)
        else:
            later = None if isinstance(stream, io.BytesIO) else LARGE
            stream.seek(0)
            dataset = pydicom.filereader.read_partial(stream, _at_pixels, defer_size=later, force=True)
            position = stream.tell()
            _set_true_encoding(dataset, remarks)
    with source() as stream:
        pixels = _pixels(stream, position, dataset, source)
        if pixels is not None:
            _read_on(stream, dataset, pixels, remarks)
    keep_stored(dataset)
    for tag in list(dataset.keys()):
        if dataset.get_item(tag).value is None:
            dataset[tag]  # what was left out for its size is read while the file is there
    return Opened(dataset, pixels, remarks)


def _set_true_encoding(dataset: Any, remarks: list[str]) -> None:
    """pydicom reads elements as they are, and says what (0002,0010) says: the pixels would be looked for elsewhere."""
    said, little = dataset.original_encoding
    raw = (dataset.get_item(tag, keep_deferred=True) for tag in list(dataset.keys()))
    implicit = next((element.is_implicit_VR for element in raw if element.is_raw), said)
    if implicit != said:
        dataset.set_original_encoding(implicit, little, dataset.original_character_set)
        if dataset.file_meta.get("TransferSyntaxUID"):
            words = ("explicit", "implicit") if implicit else ("implicit", "explicit")
            remarks.append("(0002,0010) TransferSyntaxUID says {} VR, and its data set has {}".format(*words))


def begins_as_one(path: Path) -> bool:
    """Whether a file begins as a DICOM file, with or without preamble. Raises an OSError where it cannot be read."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise OSError("it is a device or a pipe; give a regular file")
    with open(path, "rb") as stream:
        head = stream.read(132)
    return head[128:] == b"DICM" or bare(head)


def bare(head: bytes) -> bool:
    """Whether a file begins as one without the preamble or the meta information: PS3.10 7.1, PS3.5 7.1."""
    if head.startswith((b"DICM\2\0", b"\2\0\0\0UL\4\0")):
        return True
    group, element = int.from_bytes(head[:2], "little"), int.from_bytes(head[2:4], "little")
    if group != 8 or element > 0x18 or len(head) < 132:
        return False
    explicit = head[4:6] in (b"UL", b"CS", b"UI", b"LO", b"SH")
    return explicit or 0 < int.from_bytes(head[4:8], "little") <= 64


def _at_pixels(tag: Any, vr: str | None, length: int) -> bool:
    return int(tag) >= min(_PIXELS)


def _with_preamble(path: Path, remarks: list[str]) -> Callable[[], BinaryIO]:
    """The file, or the file with the 132 bytes before it that a sloppy writer left out: PS3.10 7.1."""
    with open(path, "rb") as stream:
        head = stream.read(132)
    if head[128:] == b"DICM" or not head.startswith((b"DICM", b"\2\0")):
        return lambda: open(path, "rb")
    cut = 4 if head.startswith(b"DICM") else 0
    remarks.append("the 128 bytes of preamble before its meta information are missing")
    whole = bytes(128) + b"DICM" + path.read_bytes()[cut:]
    return lambda: io.BytesIO(whole)


def _inflated(stream: BinaryIO, preamble: bytes, meta: Any) -> tuple[Any, Callable[[], BinaryIO], int]:
    """A deflated data set (PS3.5 A.5), inflated only as far as its own header explains."""
    pydicom = import_pydicom()
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = bytearray(inflate.decompress(stream.read(), MOST_HEADER))
        header = io.BytesIO(data)
        found = pydicom.filereader.read_dataset(header, False, True, stop_when=_at_pixels)
        explained = MOST_HEADER + 2 * _native_bytes(found)
        if len(data) == MOST_HEADER:
            data += inflate.decompress(inflate.unconsumed_tail, explained - len(data))
        if inflate.unconsumed_tail:
            raise FormatError(
                f"inflates to more than {explained} bytes, which its header does not explain; copy or download it again"
            )
    except zlib.error as error:
        raise FormatError(f"is deflated, and damaged: {error}; copy or download it again") from error
    whole = bytes(data)
    made = pydicom.dataset.FileDataset(io.BytesIO(), found, preamble, meta, is_implicit_VR=False, is_little_endian=True)
    made.set_original_encoding(False, True, found._character_set)
    return made, lambda: io.BytesIO(whole), header.tell()


def _native_bytes(dataset: Any) -> int:
    """Bytes of all frames, uncompressed, as far as the header says how many."""
    product = 1
    for keyword in ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated"):
        value = dataset.get(keyword)
        product *= value if isinstance(value, int) else 0
    frames = str(dataset.get("NumberOfFrames") or 1)
    return product // 8 * max(1, int(frames) if frames.isdigit() else 1)


def _pixels(stream: BinaryIO, position: int, dataset: Any, source: Callable[[], BinaryIO]) -> Pixels | None:
    """Read the element's own header: PS3.5 7.1."""
    implicit, little = dataset.original_encoding
    order: Literal["little", "big"] = "little" if little else "big"
    stream.seek(position)
    head = stream.read(8 if implicit else 12)
    if len(head) < (8 if implicit else 12):
        return None
    tag = int.from_bytes(head[:2], order) << 16 | int.from_bytes(head[2:4], order)
    if tag not in _PIXELS:
        return None
    vr = "OW" if implicit else head[4:6].decode("latin-1")
    length = int.from_bytes(head[-4:], order)
    start, size = stream.tell(), stream.seek(0, os.SEEK_END)
    if length == _UNDEFINED:
        length = _end_of_items(stream, start, size) - start
    return Pixels(_PIXELS[tag], vr, start, min(length, size - start), source)


def _end_of_items(stream: BinaryIO, start: int, size: int) -> int:
    """Where an encapsulated value ends (PS3.5 A.4), found by stepping over its items; where the file is cut, there."""
    position = start
    while position + 8 <= size:
        stream.seek(position)
        head = stream.read(8)
        tag = int.from_bytes(head[:2], "little") << 16 | int.from_bytes(head[2:4], "little")
        if tag == _SEQUENCE_END:
            return position
        if tag != _ITEM:
            raise FormatError(
                f"(7FE0,0010) Pixel Data is damaged: no item at byte {position}; copy or download it again"
            )
        position += 8 + int.from_bytes(head[4:], "little")
    if position != size:  # where only the end's own 8 bytes are missing, the frames are whole
        raise FormatError(
            f"(7FE0,0010) Pixel Data: truncated: an item ends at byte {position} of {size}; copy or download it again"
        )
    return size


def _read_on(stream: BinaryIO, dataset: Any, pixels: Pixels, remarks: list[str]) -> None:
    """Elements behind the pixels: digital signatures, a maker's own groups, or bytes that mean nothing."""
    pydicom = import_pydicom()
    implicit, little = dataset.original_encoding
    size = stream.seek(0, os.SEEK_END)
    position = pixels.start + pixels.length
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    if syntax in pydicom.uid.AllTransferSyntaxes and syntax.is_encapsulated:
        position += 8  # the sequence's end
    stream.seek(min(position, size))

    def meaningless(tag: Any, vr: str | None, length: int) -> bool:
        return not 0x7FE00010 < int(tag) < 0xFFFE0000 or (length != _UNDEFINED and length > size)

    behind: list[Any] = []
    try:
        behind = list(pydicom.filereader.read_dataset(stream, implicit, little, stop_when=meaningless))
        rest = size - stream.tell()
    except Exception:  # whatever follows, the image before it is whole
        rest = size - position
    for element in behind:
        if name(element.tag) != "(FFFC,FFFC)":  # Data Set Trailing Padding
            dataset.add(element)
    if rest > 0:
        remarks.append(f"{rest} bytes behind (7FE0,0010) Pixel Data mean nothing and are left out")
