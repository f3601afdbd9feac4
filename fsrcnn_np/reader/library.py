"""Starlette and Uvicorn, where they are installed."""

from __future__ import annotations

from ..errors import MissingExtraError


def check_library() -> None:
    """Raise a MissingExtraError with the line that installs them."""
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            "the reader study needs Starlette and Uvicorn: pip install 'fsrcnn-np[reader]'"
        ) from error
