"""TIFF through tifffile: 1 to 64 bits per sample, integers and floats, grey, RGB and palettes."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fsrcnn_np.errors import FormatError
from fsrcnn_np.files import xmp
from fsrcnn_np.files.jpeg_whole import check_whole
from fsrcnn_np.files.orientation import turned
from fsrcnn_np.files.picture import (
    DEFLATED,
    PACKED,
    UNPACKED,
    Encoded,
    Output,
    Picture,
    check_size,
    enlargement,
    narrowed,
    opaque,
    spacing,
)
from fsrcnn_np.files.record import text_of
from fsrcnn_np.files.stream_sizes import check_stream
from fsrcnn_np.files.tiff_directories import check_directories
from fsrcnn_np.images.value_range import row_blocks
from piqe_np.compiled import available_cpus, with_threads

_LOSSLESS = (1, 5, 8, 32773, 32946, 34925, 50000)  # none, LZW, deflate (two numbers), PackBits, LZMA, Zstandard
_NONE, _JPEG, _DEFLATE, _LERC = 1, 7, 8, 34887
_MOST_CLASSIC = 2**32 - 2**25  # bytes of pixels in a TIFF with 32-bit offsets
_MINISWHITE, _MINISBLACK, _RGB, _PALETTE, _YCBCR = 0, 1, 2, 3, 6
# Description, make, model, orientation, software, date, artist, XMP, ©, colour profile.
_KEPT = (270, 271, 272, 274, 305, 306, 315, 700, 33432, 34675)
_XMP, _ORIENTATION = 700, 274
_UIC2 = 33629  # MetaMorph's, of as many values as there are planes
# Layout, and resolution.
_LAYOUT = {254, 255, 256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 282, 283, 284, 296, 317, 320, 322, 323, 324, 325}
_LAYOUT |= {297, 338, 339, 347, 529, 530, 531, 532}


def read(path: Path) -> Picture:
    """Read a TIFF of one page, with its values as stored; packed bits (10, 12) declare their own `data_range`."""
    import tifffile

    check_directories(path)
    with tifffile.TiffFile(path) as file:
        pages = [page for page in _pages(file) if not page.is_reduced and not page.is_mask]
        if not pages:
            raise FormatError("damaged TIFF: it has no page; copy or download it again")
        if len(pages) != 1:
            raise FormatError(f"found {len(pages)} pages; allowed is one picture per file; split it: tiffsplit")
        page: Any = pages[0]
        room = path.stat().st_size - min(page.dataoffsets, default=0)
        if (pictures := _said(page)) > 1 and page.compression == _NONE and room >= 2 * page.nbytes:
            raise FormatError(
                f"found {pictures} pictures behind one page; allowed is one per file; save them one by one"
            )
        _check_page(page)
        packing = {_NONE: UNPACKED, _DEFLATE: DEFLATED}.get(page.compression, PACKED)
        check_size(
            page.imagelength,
            page.imagewidth,
            page.samplesperpixel,
            page.bitspersample,
            min(sum(page.databytecounts), path.stat().st_size),
            packing=packing,
        )
        if max(page.databytecounts, default=0) > path.stat().st_size:
            raise FormatError(
                "truncated TIFF: a strip or tile is said to be larger than the file; copy or download it again"
            )
        if page.compression == _JPEG:
            _check_jpegs(file, page)
        remarks = ["its previews (reduced pages) are left out"] if len(file.pages) > 1 else []
        if _ORIENTATION in page.tags:
            remarks += turned(page.tags[_ORIENTATION].value)
        _check_segments(page, remarks)
        _check_streams(file, page)
        pixels = with_threads(lambda count: page.asarray(maxworkers=count), available_cpus())
        pixels, photometric = _as_grey_or_rgb(pixels, page, remarks)
        bits = page.bitspersample
        declared = pixels.dtype.kind == "u" and bits < 8 * pixels.dtype.itemsize and page.photometric != _PALETTE
        apart = _spacing(page.tags)
        return Picture(
            np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("=")),
            str(path),
            "TIFF",
            data_range=float(2**bits - 1) if declared else None,
            data_range_origin=f"BitsPerSample {bits}" if declared else "",
            inverted=photometric == _MINISWHITE,
            pixel_spacing=apart,
            pixel_spacing_origin="XResolution, YResolution" if apart else "",
            remarks=tuple(remarks),
            details=_details(file, page, photometric, bits if declared else None),
        )


def _said(page: Any) -> int:
    """How many pictures a page says there are: some writers put several behind one directory, one after the other.

    ImageJ (of large stacks) and tifffile (`truncate`) say it in the description, MetaMorph by its tag UIC2; a page that
    was taken out of a stack may still say so.
    """
    if _UIC2 in page.tags:
        return int(page.tags[_UIC2].count)
    text = page.tags[270].value if 270 in page.tags else ""
    if not isinstance(text, str):
        return 1
    if text.startswith("ImageJ=") and (said := re.search(r"^images=(\d{1,9})\s*$", text, re.MULTILINE)):
        return int(said[1])
    if said := re.match(r"""{"shape": \[([\d, ]{1,99})\]""", text):
        sizes = [int(size) for size in said[1].replace(",", " ").split()]
        return math.prod(sizes) // max(1, math.prod(page.shape))
    return 1


def _check_segments(page: Any, remarks: list[str]) -> None:
    """A strip or tile that is nowhere and has no bytes is a sparse file's, and zero; one with a place must be there.

    So must all of them be: tifffile takes those that the lists leave out for zeros, one after the other.
    """
    needed, listed = math.prod(page.chunked), min(len(page.dataoffsets), len(page.databytecounts))
    if listed < needed and not page.is_contiguous:  # bytes in one piece need no list
        raise FormatError(f"damaged TIFF: it lists {listed} of its {needed} strips or tiles; copy it again")
    segments = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    if missing := sum(count == 0 < offset for offset, count in segments):
        raise FormatError(
            f"damaged TIFF: {missing} of its {len(segments)} strips or tiles have no bytes; copy or download it again"
        )
    if empty := sum(count == 0 for _, count in segments):
        remarks.append(f"{empty} of its {len(segments)} strips or tiles are not stored (a sparse TIFF): read as 0")


def _check_streams(file: Any, page: Any) -> None:
    """Where a strip or tile is a picture with a header of its own, this says what belongs there, or less."""
    from tifffile import TIFF

    if page.compression not in {*TIFF.IMAGE_COMPRESSIONS, _LERC}:
        return
    size = (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, page.imagewidth)
    values = math.prod(size) * (page.samplesperpixel if page.planarconfig == 1 else 1)
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
        if count:
            file.filehandle.seek(offset)
            data = file.filehandle.read(count)
            check_stream(data if page.jpegheader is None else page.jpegheader + data, values)


def _check_jpegs(file: Any, page: Any) -> None:
    """Each strip or tile is a JPEG, whose tables may stand in a tag of their own: TIFF Technical Note 2."""
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
        if count:
            file.filehandle.seek(offset)
            check_whole(file.filehandle.read(count), tables=page.jpegtables or b"")


def _pages(file: Any) -> Iterator[Any]:
    """The chain of pages, of which one that bites its tail has no end."""
    seen = set()
    for page in file.pages:
        if page.offset in seen:
            raise FormatError("damaged TIFF: its chain of pages is a circle; copy or download it again")
        seen.add(page.offset)
        yield page


def encode(output: Output) -> Encoded:
    """Encode as TIFF with the original's bits per sample, compression (if lossless), texts and scaled resolution."""
    import tifffile

    pixels = output.pixels
    details = dict(output.like.details) if output.like else {}
    remarks: list[str] = list(details.get("remarks", ()))
    if details.get("palette"):
        remarks.append("the original has a palette; written as its colours")
    bits, compression = details.get("bits"), details.get("compression", _DEFLATE)
    if compression not in _LOSSLESS:
        remarks.append("the original's compression is lossy or not written here; written with deflate")
        compression = _DEFLATE
    photometric = details.get("photometric", _RGB if pixels.ndim == 3 else _MINISBLACK)
    options: dict[str, Any] = {
        "photometric": photometric if not bits or pixels.ndim == 2 else _MINISBLACK,
        "compression": compression,
        "predictor": details.get("predictor", 1) if compression != _NONE and not bits else None,
        "extratags": _with_provenance(details.get("tags", ()), output, remarks),
        "metadata": None,
        "software": False,
    }
    if details.get("resolution"):
        factor = enlargement(output)
        options["resolution"] = tuple(value * factor for value in details["resolution"])
        options["resolutionunit"] = details["resolutionunit"]
    large = pixels.nbytes > _MOST_CLASSIC
    values = _packed(pixels, bits) if bits else np.ascontiguousarray(pixels)

    def written(threads: int) -> io.BytesIO:
        stream = io.BytesIO()
        with tifffile.TiffWriter(stream, bigtiff=large, byteorder=details.get("byteorder")) as file:
            file.write(values, maxworkers=threads, **options)
        return stream

    stream = with_threads(written, output.threads)
    if bits:
        _declare_packed(stream, pixels, bits)
    return Encoded(stream.getvalue(), remarks)


def made(path: Path) -> str | None:
    """The record of provenance in a TIFF; a FormatError where its pixels are cut."""
    import tifffile

    check_directories(path)
    with tifffile.TiffFile(path) as file:
        page: Any = next(_pages(file))
        ends = (at + count for at, count in zip(page.dataoffsets, page.databytecounts, strict=True))
        if max(ends, default=0) > path.stat().st_size:
            raise FormatError("truncated TIFF: its pixels are not all there; copy or download it again")
        packet = page.tags[_XMP].value if _XMP in page.tags else b""
        return xmp.text_in(packet) if isinstance(packet, bytes | str) else None


def _with_provenance(tags: Any, output: Output, remarks: list[str]) -> list[Any]:
    """The original's tags; its XMP with the record of provenance."""
    if output.provenance is None:
        return list(tags)
    original = next((bytes(value) for code, _, _, value, _ in tags if code == _XMP), b"")
    packet = xmp.packet(text_of(output.provenance), original)
    if packet is None:
        remarks.append("the original's XMP is damaged: it is kept, and what made this file is not written into it")
        return list(tags)
    return [*(tag for tag in tags if tag[0] != _XMP), (_XMP, 1, len(packet), packet, True)]


def _packed(pixels: NDArray[Any], bits: int) -> NDArray[np.uint8]:
    """Rows of samples of `bits` bits, the highest first, each row filled to whole bytes: TIFF 6.0, section 8."""
    rows = pixels.reshape(len(pixels), -1)
    packed = np.empty((len(rows), (rows.shape[1] * bits + 7) // 8), np.uint8)
    for block in row_blocks(rows):
        pairs = rows[block].astype(">u2")[..., None].view(np.uint8)
        samples = np.unpackbits(pairs, axis=-1)[..., 16 - bits :]
        packed[block] = np.packbits(samples.reshape(len(pairs), -1), axis=1)
    return packed


def _declare_packed(stream: io.BytesIO, pixels: NDArray[Any], bits: int) -> None:
    """Say what the bytes really are. tifffile packs samples only uncompressed, and (2026.3) big-endian ones wrongly."""
    import tifffile

    stream.seek(0)
    with tifffile.TiffFile(stream, mode="r+") as file:
        tags = file.pages[0].tags
        tags[256].overwrite(pixels.shape[1])  # ImageWidth
        if pixels.ndim == 2:
            tags[258].overwrite(bits)  # BitsPerSample
        else:
            tags[258].overwrite((bits,) * 3)
            tags[262].overwrite(_RGB)  # PhotometricInterpretation
            tags[277].overwrite(3)  # SamplesPerPixel


def _check_page(page: Any) -> None:
    kinds = (_MINISWHITE, _MINISBLACK, _RGB, _PALETTE, _YCBCR)
    samples = page.samplesperpixel - len(page.extrasamples)
    if page.photometric not in kinds or (page.photometric == _YCBCR and page.compression != 7):
        raise FormatError(f"found colours of kind {_name(page.photometric)}; allowed are grey, RGB and palette")
    if samples not in (1, 3) or len(page.extrasamples) > 1:
        raise FormatError(f"found {page.samplesperpixel} samples per pixel; allowed are grey (1) and RGB (3)")
    if page.imagedepth != 1:
        raise FormatError("found a volume; allowed is one picture per file")
    if page.dtype is None:
        raise FormatError(
            f"found samples of {page.bitspersample} bits of a kind that cannot be read; convert it to 8 or 16 bits"
        )


def _as_grey_or_rgb(pixels: NDArray[Any], page: Any, remarks: list[str]) -> tuple[NDArray[Any], int]:
    if page.planarconfig == 2 and pixels.ndim == 3:
        pixels = np.moveaxis(pixels, 0, -1)
    if page.extrasamples:
        if pixels.dtype.kind != "u":
            raise FormatError("found an alpha channel beside floats; allowed are grey and RGB; leave it out")
        pixels = opaque(pixels, remarks)
    if page.photometric == _PALETTE:
        return narrowed(np.moveaxis(page.colormap, 0, -1))[pixels], _RGB
    photometric = _RGB if pixels.ndim == 3 else int(page.photometric)  # YCbCr, and three samples called grey
    return pixels.astype(np.uint8) if pixels.dtype == bool else pixels, photometric


def _details(file: Any, page: Any, photometric: int, bits: int | None) -> dict[str, Any]:
    tags = page.tags
    notes = [tag for tag in tags if tag.code == 270 and str(tag.value).startswith('{"shape": [')]  # tifffile's own
    stale = [tag for tag in tags if tag.code == 270 and str(tag.value).rstrip().endswith("OME>")] + notes
    kept = [tag for tag in tags if tag.code in _KEPT and tag not in stale]
    lost = [tag.name for tag in tags if tag.code not in _LAYOUT and tag not in kept + notes]
    resolution = [tags[code].value for code in (282, 283) if code in tags]
    remarks = []
    unit = int(tags[296].value) if 296 in tags else 2
    if unit not in (1, 2, 3):
        remarks.append(f"ResolutionUnit {unit} has no meaning: written as 1, without a unit")
        unit = 1
    return {
        "photometric": photometric,
        "compression": int(page.compression),
        "predictor": int(page.predictor),
        "bits": bits,
        "byteorder": file.byteorder,
        "resolution": [n / d for n, d in resolution if d] if len(resolution) == 2 else None,
        "resolutionunit": unit,
        "tags": [_tag(file, tag) for tag in kept if tag.code != _XMP or xmp.without(tag.value)],
        "palette": page.photometric == _PALETTE,
        "left_out": lost,
        "remarks": remarks,
    }


def _tag(file: Any, tag: Any) -> tuple[int, int, int, Any, bool]:
    if tag.code == _XMP:
        packet = xmp.without(tag.value)
        return tag.code, 1, len(packet), packet, True
    return tag.code, int(tag.dtype), tag.count, _tag_value(file, tag), True


def _tag_value(file: Any, tag: Any) -> Any:
    """Of a text that is no ASCII, as it ought to be and often is not, the bytes as they stand in the file."""
    if not isinstance(tag.value, str) or tag.value.isascii():
        return tag.value
    file.filehandle.seek(tag.valueoffset)
    return file.filehandle.read(tag.valuebytecount).rstrip(b"\0")


def _spacing(tags: Any) -> tuple[float, float] | None:
    """In mm, where Resolution Unit says inch or centimetre: TIFF 6.0, section 8."""
    unit = {2: 25.4, 3: 10.0}.get(int(tags[296].value)) if 296 in tags else None
    if unit is None or 282 not in tags or 283 not in tags:
        return None
    (x, x_by), (y, y_by) = tags[282].value, tags[283].value
    return spacing(unit * y_by / y, unit * x_by / x) if x and y else None


def _name(kind: Any) -> str:
    return str(getattr(kind, "name", kind))
