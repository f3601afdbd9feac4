"""Words of the command line that more than one room's commands take."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from piqe_np.line import has_controls

from .command_parser import named_path


def data_range(text: str) -> float | tuple[float, float]:
    """R or LOW:HIGH, as `fsrcnn_np.upscale` takes it.

    Raises
    ------
    argparse.ArgumentTypeError
        Neither; or no range.
    """
    low, colon, high = text.rpartition(":")
    try:
        values = float(low) if colon else 0.0, float(high)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number R (for 0..R) and no pair LOW:HIGH") from None
    if not (abs(values[0]) < float("inf") and abs(values[1]) < float("inf") and values[0] < values[1]):
        raise argparse.ArgumentTypeError(f"{text!r}: R must be positive and finite, LOW below HIGH")
    return values if colon else values[1]


def words(text: str) -> str:
    """A text that tables, pages and databases can hold.

    Raises
    ------
    argparse.ArgumentTypeError
        Control characters, or bytes that are no text in this locale.
    """
    if has_controls(text):
        raise argparse.ArgumentTypeError(f"{text!r} has characters that cannot be printed; leave them out")
    return text


def folder(text: str) -> Path:
    """A folder for several results; a name like out.png is not meant as one.

    Raises
    ------
    argparse.ArgumentTypeError
        It ends like an image file, and is no folder.
    """
    from .files import names_a_file

    path = named_path(text)
    if names_a_file(text):
        raise argparse.ArgumentTypeError(f"{text!r} names a file, and there are several results; give a folder")
    return path


class Destination(argparse.Action):
    """`-o` where it may be a folder or a file: also sets `folder_meant`, of a name that ends with a slash."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Keep the path, and what the slash says."""
        try:
            namespace.output = named_path(str(values))
        except argparse.ArgumentTypeError as error:
            raise argparse.ArgumentError(self, str(error)) from None
        namespace.folder_meant = str(values).endswith(tuple(filter(None, ("/", os.sep, os.altsep))))
