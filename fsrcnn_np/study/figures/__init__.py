"""A study's figures (extra plot): charts of scores and ratings, and plates of chosen cases; PNG and SVG."""

from .charts import bland_altman, boxes, rating_bars, slopes
from .plates import Plate, choose, plate
from .style import Chart, check, encoded_both

__all__ = [
    "Chart",
    "Plate",
    "bland_altman",
    "boxes",
    "check",
    "choose",
    "encoded_both",
    "plate",
    "rating_bars",
    "slopes",
]
