"""What a comparison found, and how it is shown."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..images.value_range import ValueRange
from ..network.checkerboard import Checkerboard
from .display import Floats, Window
from .scores import BICUBIC, NATIVE, ORIGINAL, SR, Score
from .spots import Square


class Panels(NamedTuple):
    """What the figure shows, in display values: 0 is the range's black, 1 its white, bright is dense; float32."""

    whole_original: Floats
    whole_sr: Floats
    square_original: Floats
    square_bicubic: Floats
    square_sr: Floats
    whole_window: Window  #: what is black and white on the paper, of the whole views
    square_window: Window  #: and of the squares


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Original, bicubic and SR of one picture.

    Attributes
    ----------
    name : str
        The input.
    note : str
        What has to be said of the data wherever they are shown; may be empty.
    scores : tuple of Score
    value_range : ValueRange
        The stored values taken for black and white, and who said so.
    shape, dtype : tuple of int, str
        Of the original.
    model, sha256 : str
        The network's name, and the digest of its parameters.
    scale : int
    square : Square
        The part that is magnified.
    square_origin : str
        "brightest small spots" or "given".
    inverted : bool
        Shown as the negative of the stored values (MONOCHROME1); the scores are of the stored values.
    pixel_spacing : float or None
        Of the original, in mm.
    seconds : dict
        What "bicubic", "SR" and "PIQE" (all scores together) took.
    panels : Panels
    checkerboard : Checkerboard
        What the model draws on flat fields.
    grid_amplitude : dict
        Of "bicubic" and "SR": root of the picture's power at the frequencies of the original's pixel grid (×2:
        Nyquist), as a share of the value range; nan for a picture of less than one block.
    remarks : tuple of str
        What the user should know of the file, where a Picture was given; one line each.
    """

    name: str
    note: str
    scores: tuple[Score, ...]
    value_range: ValueRange
    shape: tuple[int, ...]
    dtype: str
    model: str
    sha256: str
    scale: int
    square: Square
    square_origin: str
    inverted: bool
    pixel_spacing: float | None
    seconds: dict[str, float]
    panels: Panels
    checkerboard: Checkerboard
    grid_amplitude: dict[str, float]
    remarks: tuple[str, ...] = ()

    @property
    def scorings(self) -> list[str]:
        """The scorings' names, each once."""
        return list(dict.fromkeys(score.scoring for score in self.scores))

    def piqe(self, image: str, scoring: str = NATIVE) -> float:
        """One score by its names."""
        return next(score.piqe for score in self.scores if (score.image, score.scoring) == (image, scoring))

    def figure(self) -> Any:
        """The figure of the paper's kind, as a `matplotlib.figure.Figure` (extra `plot`).

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        """
        from . import figure

        figure.check(".png")
        return figure.draw(self)

    def __repr__(self) -> str:
        scores = ", ".join(f"{image} {self.piqe(image):.4f}" for image in (ORIGINAL, BICUBIC, SR))
        shape = "×".join(map(str, self.shape))
        return f"<Comparison {self.name}, {shape} {self.dtype} ×{self.scale} by {self.model}: PIQE {scores}>"

    def _repr_html_(self) -> str:
        """The scores as a table; `figure()` shows the pictures."""
        images = (ORIGINAL, BICUBIC, SR)
        head = "".join(f"<th>{image}</th>" for image in images)
        rows = "".join(
            f"<tr><td>{scoring}</td>{''.join(f'<td>{self.piqe(image, scoring):.4f}</td>' for image in images)}</tr>"
            for scoring in self.scorings
        )
        told = (
            f"{self.name}: {'×'.join(map(str, self.shape))} {self.dtype}, values {self.value_range}; ×{self.scale} by "
        )
        caption = html.escape(told + self.model)
        remarks = "".join(f"<p>{html.escape(remark)}</p>" for remark in self.remarks)
        return (
            f"<table><caption>{caption}</caption><tr><th>PIQE, lower is better</th>{head}</tr>{rows}</table>{remarks}"
        )
