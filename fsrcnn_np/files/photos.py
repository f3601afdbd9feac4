"""BMP and JPEG, through Pillow: 8 bits, grey and RGB."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from fsrcnn_np.errors import FormatError
from fsrcnn_np.files.picture import PACKED, Encoded, Output, Picture, check_size, enlargement, opaque, refuse_dtype

_JPEG = {"quality": 95, "subsampling": 0}
_JPEG_SIDE = 65535


def read_bmp(path: Path) -> Picture:
    """Read a BMP; palettes become RGB (grey ones grey)."""
    from PIL.BmpImagePlugin import BmpImageFile  # Image.open refuses more than 179 megapixels: check_size has the say

    with BmpImageFile(str(path)) as image:
        return _read(path, image, "BMP")


def read_jpeg(path: Path) -> Picture:
    """Read a JPEG of 8 bits, grey or colour. The Exif orientation is kept, not applied."""
    from PIL.JpegImagePlugin import JpegImageFile

    with JpegImageFile(str(path)) as image:
        return _read(path, image, "JPEG")


def encode_bmp(output: Output) -> Encoded:
    """Encode as BMP, 8 bits grey or 24 bits RGB."""
    refuse_dtype(output.pixels, "BMP", ("uint8",))
    change = output.like.details.get("change") if output.like else None
    remarks = [f"the original has {change}; written with 8 bits per sample"] if change else []
    return Encoded(_save(output, "BMP"), remarks)


def encode_jpeg(output: Output) -> Encoded:
    """Encode as JPEG of quality 95 without chroma subsampling, with the original's colour profile and Exif.

    JPEG is lossy: the output differs from the computed picture by a grey value or two.
    """
    pixels = output.pixels
    refuse_dtype(pixels, "JPEG", ("uint8",))
    if max(pixels.shape[:2]) > _JPEG_SIDE:
        raise FormatError(f"JPEG holds at most {_JPEG_SIDE} rows or columns; found {pixels.shape[0]}×{pixels.shape[1]}")
    info = output.like.details["info"] if output.like else {}
    kept = {name: info[name] for name in ("icc_profile", "exif", "comment") if info.get(name)}
    return Encoded(_save(output, "JPEG", **_JPEG, **kept), ["JPEG is lossy: written with quality 95"])


def _read(path: Path, image: Any, format: str) -> Picture:
    width, height = image.size
    check_size(height, width, len(image.getbands()), 8, path.stat().st_size, packing=PACKED)
    remarks: list[str] = []
    mode, change = image.mode, ""
    if mode in ("1", "P"):
        change = "one bit per pixel" if mode == "1" else "a palette"
        image = image.convert("L" if mode == "1" else "RGB")
    elif mode not in ("L", "RGB", "RGBA"):
        raise FormatError(f"found {format} pixels of kind {mode}; allowed are grey and RGB; convert it to RGB first")
    if "mpoffset" in image.info:
        remarks.append("it holds further pictures (MPO): only the first is read")
    pixels = np.array(image)
    if mode == "RGBA":
        pixels = opaque(pixels, remarks)
    details = {"info": dict(image.info), "change": change}
    return Picture(pixels, str(path), format, remarks=tuple(remarks), details=details)


def _save(output: Output, format: str, **options: Any) -> memoryview:
    from PIL import Image

    dpi = output.like.details["info"].get("dpi") if output.like else None
    if dpi:
        options["dpi"] = tuple(float(value) * enlargement(output) for value in dpi)
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(output.pixels)).save(stream, format, **options)
    return stream.getbuffer()
