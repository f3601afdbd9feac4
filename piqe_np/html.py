"""A result as a notebook shows it: the figures, and the blocks in the overlay's colours."""

from __future__ import annotations

import base64
import html
import io
from typing import TYPE_CHECKING

import numpy as np

from piqe_np.bands import band
from piqe_np.overlay import COLOURS, kinds_and_shares

if TYPE_CHECKING:
    from piqe_np.score import PiqeResult

SIDE = 256  # pixels of the map's longer side
INACTIVE = (235, 235, 235)


def page(result: PiqeResult) -> str:
    """A table as HTML, the map of blocks inside; needs no other file."""
    from PIL import Image

    kinds, shares = kinds_and_shares(result)
    palette = np.array([colour or INACTIVE for colour in COLOURS.values()], np.uint8)
    stream = io.BytesIO()
    Image.fromarray(palette[kinds]).save(stream, "PNG")
    data = base64.b64encode(stream.getvalue()).decode()
    height, width = kinds.shape
    factor = SIDE / max(height, width)
    style = f"width:{max(1, width * factor):.0f}px;height:{max(1, height * factor):.0f}px;image-rendering:pixelated"
    rows = [
        ("PIQE", f"<b>{result.score:.4f}</b> ({band(result.score)})"),
        ("pixels", f"{result.shape[0]}×{result.shape[1]}, scaled from {html.escape(str(result.scaling))}"),
    ]
    for (name, colour), share in zip(COLOURS.items(), shares, strict=True):
        mark = f'<span style="color:rgb{colour or INACTIVE}">■</span> '
        rows.append((mark + name.removesuffix(" (not tinted)"), f"{share:.1%} of blocks"))
    cells = "".join(f"<tr><td>{name}</td><td>{value}</td></tr>" for name, value in rows)
    picture = f'<img alt="blocks" style="{style}" src="data:image/png;base64,{data}">'
    return f'<div style="display:flex;gap:1em;align-items:flex-start"><table>{cells}</table>{picture}</div>'
