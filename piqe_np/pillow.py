"""Pillow's images as arrays: NumPy takes the numbers of a palette's colours for greys, and L*a*b* for RGB."""

from __future__ import annotations

from typing import Any

from piqe_np.on_demand import is_instance

_AS_THEY_ARE = ("L", "RGB", "F", "I;16", "I;16L", "I;16B", "I;16N")


def with_colours(image: Any, error: type[Exception]) -> Any:
    """A Pillow image whose array is what it shows; whatever is no Pillow image, as it is.

    Raises
    ------
    error
        It has a kind of pixels that neither grey nor RGB is made of without a choice.
    """
    if not is_instance(image, "PIL.Image", "Image"):
        return image
    if image.mode == "P":
        grey = all(len(set(colour)) == 1 for colour in zip(*[iter(image.getpalette("RGB"))] * 3, strict=True))
        image = image.convert("L" if grey else "RGB")
    if image.mode not in _AS_THEY_ARE:
        to = "L" if image.mode in ("1", "LA", "I") else "RGB"
        raise error(f"a Pillow image of mode {image.mode} is not taken as it is; pass image.convert({to!r})")
    return image
