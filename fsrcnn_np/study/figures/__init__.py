"""A study's figures (extra plot): charts of scores and ratings, and plates of chosen cases; PNG and SVG."""

from .charts import bland_altman, boxes, rating_bars, slopes
from .plates import Plate, choose, plate
from .style import Chart, check, save

__all__ = [
    "Chart",
    "Plate",
    "bland_altman",
    "boxes",
    "check",
    "choose",
    "plate",
    "rating_bars",
    "save",
    "slopes",
]
