"""Whether a palette has the colours that its pixels name: decoders give black, or anything, for those that it lacks."""

from __future__ import annotations

from pathlib import Path

from fsrcnn_np.errors import FormatError
from fsrcnn_np.files.any_size import of_any_size


def check_palette(path: Path) -> None:
    """Raise a FormatError where a pixel names a colour beyond the palette's last one.

    Parameters
    ----------
    path : Path
        Of a BMP, GIF, PCX, PNG or TGA that can be read.
    """
    from PIL import Image

    try:
        with of_any_size():
            image = Image.open(path)
        with image:
            colours = len(image.getpalette() or ()) // 3
            image.load()
            (_, most), mode = image.getextrema(), image.mode
    except Exception:  # what else is wrong with it is found by who decodes it
        return
    if mode == "P" and most >= colours:
        raise FormatError(f"damaged: a pixel is of colour {most}, and its palette has {colours}; copy it again")
