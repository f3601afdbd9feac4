"""Pictures that are to be shown turned or mirrored: read as they are stored, and that is said."""

from __future__ import annotations

_AS_STORED = 1


def of_exif(exif: bytes | None) -> int:
    """What Exif says: tag 0x0112, CIPA DC-008 4.6.5. A damaged one says nothing."""
    from PIL import Image

    found = Image.Exif()
    try:
        found.load(exif or b"")
        return int(found.get(0x0112, _AS_STORED))
    except Exception:
        return _AS_STORED


def turned(orientation: int) -> list[str]:
    """A remark where viewers turn the picture; the same numbers in Exif and TIFF (TIFF 6.0, section 8)."""
    if orientation in (0, _AS_STORED):
        return []
    return [f"its Exif orientation is {orientation}: viewers turn it; pixels are read, and written, as they are stored"]
