"""A picture as a notebook shows it: what is known of it, and the picture itself, small."""

from __future__ import annotations

import base64
import html
import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fsrcnn_np.errors import FsrcnnError
from fsrcnn_np.images.value_range import check_image, normalise, to_integers, value_range

if TYPE_CHECKING:
    from fsrcnn_np.files.picture import Picture

SIDE = 320  # pixels of the preview's longer side, at most


def line(picture: Picture) -> str:
    """All that matters, in one line."""
    parts = [picture.format, _kind(picture)]
    parts += [f"values {_values(picture)}"] if picture.data_range is not None else []
    parts += [_spacing(picture)] if picture.pixel_spacing else []
    parts += [f"{len(picture.remarks)} remarks"] if picture.remarks else []
    return f"<Picture {picture.path}: {', '.join(parts)}>"


def page(picture: Picture) -> str:
    """A table as HTML, with the preview inside where the array is an image; needs no other file."""
    rows = [
        ("file", picture.path),
        ("format", picture.format),
        ("pixels", _kind(picture)),
        ("values", _values(picture)),
        ("pixel spacing", f"{_spacing(picture)} ({picture.pixel_spacing_origin})" if picture.pixel_spacing else ""),
        *(("remark", remark) for remark in picture.remarks),
    ]
    cells = "".join(f"<tr><td>{name}</td><td>{html.escape(text)}</td></tr>" for name, text in rows if text)
    shown = preview(picture)
    if shown is None:
        return f"<table>{cells}</table>"
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(shown).save(stream, "PNG")
    data = base64.b64encode(stream.getvalue()).decode()
    image = f'<img alt="preview" src="data:image/png;base64,{data}">'
    return f'<div style="display:flex;gap:1em;align-items:flex-start"><table>{cells}</table>{image}</div>'


def preview(picture: Picture) -> NDArray[np.uint8] | None:
    """Small, over the declared range, else the dtype's, low values dark; None for an array that is no image.

    Returns
    -------
    ndarray of uint8, h×w or h×w×3, or None
    """
    try:
        step = max(1, -(-max(picture.pixels.shape[:2], default=1) // SIDE))
        pixels = check_image(picture.pixels[::step, ::step])
    except (FsrcnnError, IndexError):
        return None
    shown = to_integers(normalise(pixels, value_range(pixels.dtype, picture.data_range)) * np.float32(255), np.uint8)
    return 255 - shown if picture.inverted else shown


def _kind(picture: Picture) -> str:
    return f"{'×'.join(map(str, picture.pixels.shape)) or 'one value'} {picture.pixels.dtype.name}"


def _values(picture: Picture) -> str:
    if picture.data_range is None:
        return ""
    low, high = picture.data_range if isinstance(picture.data_range, tuple) else (0, picture.data_range)
    shown = ", low values are bright" if picture.inverted else ""
    return f"{low:g}..{high:g} ({picture.data_range_origin}){shown}"


def _spacing(picture: Picture) -> str:
    sizes = " × ".join(f"{size:.4g}" for size in dict.fromkeys(picture.pixel_spacing or ()))
    return f"{sizes} mm a pixel"
