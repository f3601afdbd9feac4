"""pynetdicom, where it is installed: its settings for this process, and its log kept from everybody.

What it logs and warns of quotes what peers send: names, UIDs, AE titles. Lines for people are written by `lines.py`.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import socket
import warnings
from collections.abc import Callable
from typing import Any

from ..errors import MissingExtraError

#: Transfer syntaxes that are taken: PS3.5 A. Not the deflated ones, which can grow without limit when they are read.
UNCOMPRESSED = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2")
_JPEG = "1.2.840.10008.1.2.4."
COMPRESSED = ("1.2.840.10008.1.2.5", *(f"{_JPEG}{n}" for n in (50, 51, 57, 70, 80, 81, 90, 91, 201, 202, 203)))
IMPLICIT = "1.2.840.10008.1.2"  # what every peer takes: PS3.5 10.1


def import_pynetdicom() -> Any:
    """pynetdicom, set to stream objects from the disk; or a MissingExtraError with the line that installs it."""
    try:
        import pynetdicom
        import pynetdicom.dul
        import pynetdicom.sop_class
        import pynetdicom.transport
    except ImportError as error:
        raise MissingExtraError("the network needs pynetdicom: pip install 'fsrcnn-np[pacs]'") from error
    pynetdicom._config.STORE_SEND_CHUNKED_DATASET = True
    pynetdicom._config.LOG_HANDLER_LEVEL = "none"
    pynetdicom._config.ENFORCE_UID_CONFORMANCE = True
    pynetdicom.transport.AssociationSocket._shutdown_socket = _close
    provider = pynetdicom.dul.DULServiceProvider
    if not hasattr(provider.run_reactor, "plain"):
        provider.run_reactor = _quiet(provider.run_reactor)
    for name in ("pynetdicom", "pydicom"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [logging.NullHandler()], False
        logger.setLevel(logging.CRITICAL + 1)
    warnings.filterwarnings("ignore", module=r"(pydicom|pynetdicom)")
    return pynetdicom


def end(association: Any) -> None:
    """Release an association; where the peer went away, close its connection, which pynetdicom leaves open."""
    if association.is_established:
        association.release()
    elif (connection := association.dul.socket) is not None:
        _close(connection)


def _quiet(reactor: Callable[[Any], None]) -> Callable[[Any], None]:
    """A connection's thread, which ends the connection where a peer sends what its state machine has no rule for.

    pynetdicom's own dies of that with a traceback on standard error, and the association waits until its time is over.
    """

    @functools.wraps(reactor)
    def run(provider: Any) -> None:
        try:
            reactor(provider)
        except Exception:
            association = provider.assoc
            association.is_aborted, association.is_established, association._kill = True, False, True
            provider._kill_thread = True
            if provider.socket is not None:
                _close(provider.socket)

    run.plain = reactor  # type: ignore[attr-defined]
    return run


def _close(connection: Any) -> None:
    """End a connection. pynetdicom's own leaves the socket open where the peer is gone: it cannot be shut down then."""
    ended = connection.socket  # which another thread may take away
    if ended is not None:
        with contextlib.suppress(OSError):
            ended.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            ended.close()
