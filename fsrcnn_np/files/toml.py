"""Settings of the user's in TOML."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from fsrcnn_np.errors import OptionError, unreadable


def read_toml(path: Path) -> dict[str, Any]:
    """What a TOML file says.

    Raises
    ------
    OptionError
        It is no TOML.
    FileError
        It cannot be read.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        str(found)  # a hexadecimal number of thousands of digits cannot even be quoted
        return found
    except OSError as error:
        raise unreadable(path, error, "give a TOML file") from error
    except (ValueError, RecursionError) as error:  # beside TOMLDecodeError: no UTF-8, numbers and nests without end
        raise OptionError(f"{path}: no TOML: {error}; give a TOML file") from error
