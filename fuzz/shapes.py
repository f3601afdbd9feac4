"""Formats' parts, changed one by one and put together again with right lengths and checksums: so deeper code is met."""

from __future__ import annotations

import io
import random
import struct
import warnings
import zipfile
import zlib
from collections.abc import Sequence

from .mutate import NUMBERS, Change, changed, words_changed

Parts = list[tuple[bytes, bytes]]  #: name and body


def _either(shaped: Change, share: float = 0.6) -> Change:
    """Parts in most cases, bare bytes in the rest, and where an input cannot be taken apart."""

    def change(rng: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
        if rng.random() < share:
            try:
                return shaped(rng, data, seeds)
            except (struct.error, ValueError, IndexError, KeyError, zlib.error, zipfile.BadZipFile):
                pass
        return changed(rng, data, seeds)

    return change


def _parts_changed(rng: random.Random, parts: Parts, body: Change = changed, names: Sequence[bytes] = ()) -> Parts:
    """Parts left out, doubled, exchanged, renamed, or changed inside."""
    parts = list(parts)
    for _ in range(rng.choice((1, 1, 2, 4))):
        if not parts:
            return parts
        at = rng.randrange(len(parts))
        name, inside = parts[at]
        match rng.randrange(8):
            case 0:
                del parts[at]
            case 1:
                parts.insert(rng.randrange(len(parts) + 1), parts[at])
            case 2:
                to = rng.randrange(len(parts))
                parts[at], parts[to] = parts[to], parts[at]
            case 3:
                parts[at] = (rng.choice(names) if names else changed(rng, name, ())[: len(name)], inside)
            case _:
                parts[at] = (name, body(rng, inside, [other for _, other in parts]))
    return parts


# PNG: chunks with their checksums; inside IDAT the scan lines


def _png(rng: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    parts, at = [], 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        parts.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length

    def body(rng: random.Random, inside: bytes, seeds: Sequence[bytes]) -> bytes:
        if inside[:1] == b"\x78" and rng.random() < 0.7:
            return zlib.compress(changed(rng, zlib.decompress(inside), ()), 1)
        return changed(rng, inside, seeds)

    names = (b"IDAT", b"PLTE", b"tRNS", b"pHYs", b"iCCP", b"iTXt", b"zTXt", b"tEXt", b"eXIf", b"acTL", b"gAMA", b"sBIT")
    parts = _parts_changed(rng, parts, body, names)
    chunks = [struct.pack(">I", len(b)) + n[:4] + b + struct.pack(">I", zlib.crc32(n[:4] + b)) for n, b in parts]
    return data[:8] + b"".join(chunks)


# TIFF: entries of the first directory


_TAGS = (254, 256, 257, 258, 259, 262, 266, 270, 273, 274, 277, 278, 279, 282, 283, 284, 296, 305, 317, 320, 322,
         323, 324, 325, 338, 339, 347, 513, 514, 530, 700, 32997, 33432, 34377, 34665, 34675, 34853, 50838, 50839)  # fmt: skip
_COMPRESSIONS = (1, 2, 3, 4, 5, 6, 7, 8, 32771, 32773, 32946, 34712, 34887, 34892, 34925, 34933, 50000, 50001, 50002)


def _tiff(rng: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    new, order = bytearray(data), "<" if data[:1] == b"I" else ">"
    start = struct.unpack_from(order + "I", data, 4)[0]
    count = struct.unpack_from(order + "H", data, start)[0]
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = start + 2 + 12 * rng.randrange(count)
        match rng.randrange(6):
            case 0:
                struct.pack_into(order + "H", new, at, rng.choice(_TAGS))
            case 1:
                struct.pack_into(order + "H", new, at + 2, rng.choice((*range(20), 65535)))
            case 2:
                struct.pack_into(order + "I", new, at + 4, rng.choice(NUMBERS) & 0xFFFFFFFF)
            case 3:
                where = 8 if struct.unpack_from(order + "H", data, at)[0] == 259 else 0
                numbers = _COMPRESSIONS if where else NUMBERS
                struct.pack_into(order + "H", new, at + 8, rng.choice(numbers) & 0xFFFF)
            case 4:
                struct.pack_into(order + "I", new, at + 8, rng.choice((*NUMBERS, start, len(data), 8)) & 0xFFFFFFFF)
            case _:
                end = start + 2 + 12 * count  # where the next directory is
                struct.pack_into(
                    order + "I", new, end, rng.choice((start, 8, 4, 1, end, len(data), rng.randrange(2000)))
                )
    return bytes(new)


# JPEG and the codestream of JPEG 2000: marker segments


def _markers(rng: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    start = max(0, data.find(b"\xff\x4f\xff\x51")) if data[:2] != b"\xff\xd8" else 0
    parts, at = [], start + 2
    while data[at : at + 1] == b"\xff" and data[at + 1] not in (0xD9, 0x90):
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        parts.append((data[at : at + 2], data[at + 4 : at + 2 + length]))
        at += 2 + length
        if parts[-1][0][1] == 0xDA:
            break
    tail = data[at:] if rng.random() < 0.7 else changed(rng, data[at:], ())
    kinds = [bytes((255, kind)) for kind in (*range(0xC0, 0xCF), 0xDA, 0xDB, 0xDD, 0xE0, 0xE1, 0xEE, 0xFE, 0x52, 0x5C)]
    parts = _parts_changed(rng, parts, changed, kinds)
    body = b"".join(name[:2] + struct.pack(">H", min(65535, len(b) + 2)) + b for name, b in parts)
    return data[: start + 2] + body + tail


# ZIP (.npz, .pth, .keras): members


def zipped(member: Change) -> Change:
    """Changes the members of an archive; `member` changes the inside of one."""

    def change(rng: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = [(info.filename.encode(), archive.read(info)) for info in archive.infolist()]
        names = [b"../../evil", b"/abs", b"", b"data.pkl", b"x/data.pkl", *(name for name, _ in parts)]
        parts = _parts_changed(rng, parts, member, names)
        stream = io.BytesIO()
        packing = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
        with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", packing) as archive:
            warnings.simplefilter("ignore")  # two of one name are meant
            for name, inside in parts:
                archive.writestr(zipfile.ZipInfo(name.decode("latin-1") or "x"), inside)
        return stream.getvalue() if rng.random() < 0.9 else changed(rng, stream.getvalue(), ())

    return _either(change, 0.8)


# .npy: the words of the header


def npy(rng: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    """An .npy whose header says something else."""
    end = data.index(b"\n") + 1
    kinds = (
        "'|O'",
        "'<f8'",
        "'>u2'",
        "'|V8'",
        "'<U9'",
        "'<M8[s]'",
        "'<c16'",
        "'<f2'",
        "True",
        "()",
        "(1,)",
        "-1",
        "None",
    )
    head = words_changed(rng, data[10 : end - 1].rstrip(), (), words=kinds)[:60000] + b"\n"
    return data[:8] + struct.pack("<H", len(head)) + head + data[end:]


# Protocol buffers (ONNX, TensorFlow): fields, inside of fields


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 128:
            return value, at


def _encoded(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def _fields(data: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 0
    while at < len(data):
        key, at = _varint(data, at)
        if key >> 3 == 0:
            raise ValueError
        start = at
        match key & 7:
            case 0:
                _, at = _varint(data, at)
                found.append((key, data[start:at]))
            case 1 | 5:
                at += 8 if key & 7 == 1 else 4
                found.append((key, data[start:at]))
            case 2:
                size, at = _varint(data, at)
                found.append((key, data[at : at + size]))
                at += size
            case _:
                raise ValueError
        if at > len(data):
            raise ValueError
    return found


def _protobuf(rng: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    fields = _fields(data)
    at = rng.randrange(len(fields))
    key, body = fields[at]
    match rng.randrange(9):
        case 0:
            del fields[at]
        case 1:
            fields.insert(rng.randrange(len(fields) + 1), fields[at])
        case 2:
            fields[at] = (max(8, key ^ 1 << rng.randrange(7)), body)
        case _:
            if key & 7 == 0:
                fields[at] = (key, _encoded(rng.choice(NUMBERS) % 2**64))
            elif key & 7 == 2:
                try:
                    fields[at] = (key, _protobuf(rng, body, seeds))
                except (ValueError, IndexError):
                    fields[at] = (key, (words_changed if body.isascii() else changed)(rng, body, ()))
            else:
                fields[at] = (key, changed(rng, body, ())[: len(body)].ljust(len(body), b"\0"))
    parts = (_encoded(key) + (_encoded(len(body)) if key & 7 == 2 else b"") + body for key, body in fields)
    return b"".join(parts)


# MAT-files of level 5: elements, packed or not


def _mat5(rng: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    head, at, out = data[:128], 128, []
    while at + 8 <= len(data):
        kind, size = struct.unpack_from("<II", data, at)
        out.append((kind, data[at + 8 : at + 8 + size]))
        at += 8 + size
    index = rng.randrange(len(out))
    kind, body = out[index]
    if kind == 15:
        inner = zlib.decompress(body)
        body = zlib.compress(
            inner[:8] + changed(rng, inner[8:], ()) if rng.random() < 0.8 else changed(rng, inner, ()), 1
        )
    else:
        body = changed(rng, body, ())
    out[index] = (kind, body)
    if rng.random() < 0.1:
        out.append(out[index])
    return head + b"".join(struct.pack("<II", kind, len(body)) + body for kind, body in out)


# safetensors: a length, words of JSON, numbers


def _safetensors(rng: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    (length,) = struct.unpack_from("<Q", data)
    kinds = ('"F32"', '"BF16"', '"I64"', '"F8_E4M3"', '"X"', "[0,0]", "{}")
    head = words_changed(rng, data[8 : 8 + length], (), words=kinds)
    return struct.pack("<Q", len(head)) + head + data[8 + length :]


# DICOM in explicit little endian: elements


_LONG = (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"UC", b"UN", b"UR", b"UT")
_VRS = (b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"FD", b"FL", b"IS", b"LO", b"OB", b"OW", b"PN", b"SH", b"SL", b"SQ",
        b"SS", b"TM", b"UI", b"UL", b"UN", b"US", b"XX")  # fmt: skip


def _dicom(rng: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    at, parts = 132, []
    while at + 8 <= len(data):
        tag, vr = data[at : at + 4], data[at + 4 : at + 6]
        if vr in _LONG:
            (size,), start = struct.unpack_from("<I", data, at + 8), at + 12
        else:
            (size,), start = struct.unpack_from("<H", data, at + 6), at + 8
        if size == 0xFFFFFFFF:
            size = len(data) - start
        parts.append((tag + vr, data[start : start + size]))
        at = start + size

    def body(rng: random.Random, inside: bytes, seeds: Sequence[bytes]) -> bytes:
        if inside.isascii() and rng.random() < 0.6:
            return words_changed(
                rng, inside, seeds, words=("1\\2", "-1", "1e400", "MONOCHROME1", "RGB", "1.2.840.10008")
            )
        if len(inside) == 2:
            return struct.pack("<H", rng.choice(NUMBERS) & 65535)
        return changed(rng, inside, seeds)

    parts = _parts_changed(rng, parts, body)
    out = []
    for name, inside in parts:
        tag, vr = name[:4].ljust(4, b"\0"), name[4:6].ljust(2, b"N")
        if rng.random() < 0.02:
            vr = rng.choice(_VRS)
        inside += b" " * (len(inside) % 2)
        if vr in _LONG:
            out.append(tag + vr + b"\0\0" + struct.pack("<I", len(inside)) + inside)
        else:
            out.append(tag + vr + struct.pack("<H", len(inside) & 65535) + inside)
    return data[:132] + b"".join(out)


png, tiff, markers, protobuf = _either(_png), _either(_tiff), _either(_markers), _either(_protobuf, 0.8)
mat5, safetensors, dicom, npy_changed = _either(_mat5), _either(_safetensors), _either(_dicom), _either(npy, 0.8)


# HDF5: links, attributes and datasets, through h5py


def _hdf5(rng: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    import h5py
    import numpy as np

    stream = io.BytesIO(data)
    if data[:8] != b"\x89HDF\r\n\x1a\n" or data not in seeds:
        raise ValueError  # a user block (MATLAB's), or damaged already, where HDF5 itself may fall: bytes only
    with h5py.File(stream, "r+") as file:
        names: list[str] = []
        file.visit(names.append)
        values = (
            1e400,
            -1,
            2**63,
            "text",
            "\x1b[2J",
            b"\xff",
            "",
            np.zeros(3),
            np.nan,
            h5py.Empty("f4"),
            np.array(b"x" * 9),
        )
        for _ in range(rng.choice((1, 1, 2, 3))):
            name = rng.choice(names)
            if name not in file:
                continue
            item = file[name]
            match rng.randrange(8):
                case 0:
                    del file[name]
                case 1:
                    del file[name]
                    file[name] = rng.choice(
                        (h5py.SoftLink("/" + name), h5py.SoftLink("/nowhere"), h5py.ExternalLink("other.h5", "x"))
                    )
                case 2:
                    del file[name]
                    file[name] = np.dtype([("a", "f4"), ("b", "S3")])  # a committed datatype in its place
                case 3:
                    del file[name]
                    shape = rng.choice(((), (0,), (1, 0), (2, 3), (9,) * 8, (10**6, 10**6)))
                    kind = rng.choice(("f8", "i1", "c8", "S4", "?", ">u2", h5py.ref_dtype, h5py.string_dtype()))
                    file.create_dataset(
                        name, shape, kind, chunks=(1,) * len(shape) if 0 not in shape and shape else None
                    )
                case 4:
                    file.copy(name, f"{name}_{rng.randrange(9)}")
                case _:
                    holder = rng.choice((file, item))
                    keys = list(holder.attrs) or ["MATLAB_class"]
                    holder.attrs[rng.choice((*keys, "MATLAB_class", "MATLAB_empty", "x"))] = rng.choice(values)
    new = stream.getvalue()
    return new if rng.random() < 0.8 else changed(rng, new, ())


def _shaped_hdf5(rng: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    try:
        return _hdf5(rng, data, seeds)
    except (OSError, RuntimeError, TypeError, AttributeError, OverflowError):
        raise ValueError from None


hdf5 = _either(_shaped_hdf5, 0.3)
