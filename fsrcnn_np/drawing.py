"""The one door to matplotlib: imported where a figure is made, quietly, and without a home folder too."""

from __future__ import annotations

import logging

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
        No folder at all can be written, not even a temporary one.
    """
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        import matplotlib.figure
        import matplotlib.font_manager  # noqa: F401  (reads its list of fonts from that folder, or says that it cannot)
    except ImportError as error:
        raise MissingExtraError(f"figures need matplotlib: pip install 'fsrcnn-np[{extra}]'") from error
    except (OSError, RuntimeError) as error:  # RuntimeError: no home folder is known
        raise FileError("figures: matplotlib finds no folder to write to; set MPLCONFIGDIR to one") from error
    finally:
        logger.setLevel(level)
