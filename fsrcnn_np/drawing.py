"""The one door to matplotlib: imported where a figure is made, quietly, and without a home folder too."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

from .errors import FileError, MissingExtraError


def import_matplotlib(extra: str = "plot") -> None:
    """Import matplotlib, or say in one line why that is impossible.

    It looks for its folder at the first import. Without a writable one it takes a temporary one and prints three lines
    about that; they are left out: what is drawn is the same, some tenths of a second later.

    Parameters
    ----------
    extra : str
        The extra whose installation the message advises.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    FileError
        No folder at all can be written, not even a temporary one; or the user's settings keep it from being imported.
    """
    try:
        with contextlib.nullcontext() if "matplotlib.font_manager" in sys.modules else _quiet():
            import matplotlib.figure
            import matplotlib.font_manager  # noqa: F401  (its list of fonts is read from that folder, or made)
    except ImportError as error:
        raise MissingExtraError(f"figures need matplotlib: pip install 'fsrcnn-np[{extra}]'") from error
    except (OSError, RuntimeError) as error:  # RuntimeError: no home folder is known
        raise FileError("figures: matplotlib finds no folder to write to; set MPLCONFIGDIR to one") from error
    except ValueError as error:  # MPLBACKEND, say
        raise FileError(
            f"figures: matplotlib refuses its settings ({error}); mend MPLBACKEND or matplotlibrc"
        ) from error


def can_draw(say: Callable[[str], object]) -> bool:
    """Whether figures can be made; if not, `say` gets a line on why, and tables come without them."""
    try:
        import_matplotlib()
    except FileError as missing:
        say(f"tables without figures: {missing}")
        return False
    return True


def settled(figure: Any) -> Any:
    """The figure laid out for good: laid out anew at each drawing, its last digits follow from how often that was."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    return figure


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without matplotlib's warnings, and those of fontconfig's program, which it asks for fonts."""
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.ERROR)
    errors, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(errors, 2)
        os.close(errors)
        os.close(nowhere)
        logger.setLevel(level)
