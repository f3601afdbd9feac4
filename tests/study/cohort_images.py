"""Small images, a small model and what two stores are compared by; for the tests of a run."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np

import fsrcnn_np
from fsrcnn_np.files import write
from models import random_weights


def small_model(path: Path) -> Path:
    """A weights file of a network that takes no time."""
    fsrcnn_np.save_weights(random_weights(np.random.default_rng(7), (5, 3, 1), 2, "zero"), path)
    return path


def small_images(folder: Path, count: int, *, side: int = 48) -> list[str]:
    """12-bit noise over a ramp, each image another; gives their names."""
    names = [f"{number:03}.png" for number in range(count)]
    for number, name in enumerate(names):
        rng = np.random.default_rng(number)
        pixels = np.linspace(500, 3000, side * side).reshape(side, side) + rng.normal(0, 80, (side, side))
        write(folder / name, pixels.astype(np.uint16), overwrite=True)
    return names


def rows(results: Path) -> list[tuple]:
    """All that a store knows of its images, and what was left out: nothing that may differ from run to run."""
    connection = sqlite3.connect(results / "study.sqlite")
    try:
        images = connection.execute("SELECT * FROM images ORDER BY name").fetchall()
        return images + connection.execute("SELECT what, why FROM left_out ORDER BY what, why").fetchall()
    finally:
        connection.close()
