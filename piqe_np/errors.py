"""The package's exceptions: each message says what was found, what is allowed and how to fix it."""

from __future__ import annotations

from piqe_np.line import message


class PiqeError(Exception):
    """Base of all exceptions that this package raises on purpose; the message is one printable line."""

    #: of a command that ends with it; 1: what is there cannot be processed, 2: the call cannot work as it stands
    exit_status = 1

    def __init__(self, text: object = "") -> None:
        super().__init__(message(text))


class ImageError(PiqeError, ValueError):
    """Not an image that PIQE is defined for: shape, dtype, NaN or Inf."""


class OptionError(PiqeError, ValueError):
    """An option with an impossible value: data_range, threads, engine."""

    exit_status = 2
