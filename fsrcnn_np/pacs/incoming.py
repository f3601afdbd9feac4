"""Objects while they come in: streamed into files of the store's own folder, within limits.

pynetdicom streams to `tempfile.NamedTemporaryFile`, and an error while it writes ends the association without a
status. Put in its place, `Incoming` keeps the files beside the store, so that they can be renamed into it, and
remembers an error until the peer can be told: the rest of the object is read and dropped.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import threading
import time
from pathlib import Path
from typing import Any

from .library import import_pynetdicom
from .settings import Limits


class Part:
    """One object on its way in; looks like a temporary file to pynetdicom.

    Attributes
    ----------
    name : str
        Of the file, by chance.
    full, large : bool
        The disk had no room, or the object is larger than allowed: it is not all there.
    """

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.name = str(folder / f"{secrets.token_hex(16)}.part")
        self.owner = threading.current_thread()  # of the association
        self.full = self.large = False
        self.file = self  # what pynetdicom flushes
        self._limits, self._size, self._seen = limits, 0, 0
        self._stream: Any = None
        try:
            self._stream = open(self.name, "xb")  # noqa: SIM115
            os.chmod(self.name, 0o600)
        except OSError:
            self.full = True

    def write(self, data: bytes) -> int:
        """Keep the bytes, or remember why not."""
        self._size += len(data)
        self.large = self.large or self._size > self._limits.object_bytes
        try:
            if self._size - self._seen > 1 << 20 or not self._seen:
                self._seen = self._size
                self.full = self.full or shutil.disk_usage(Path(self.name).parent).free < self._limits.free_bytes
            if not (self.full or self.large):
                self._stream.write(data)
        except OSError:
            self.full = True
        if self.full or self.large:
            self.discard()
        return len(data)

    def flush(self) -> None:
        """Hand the bytes to the system."""
        try:
            if self._stream is not None:
                self._stream.flush()
        except OSError:
            self.full = True
            self.discard()

    def close(self, *, sync: bool = False) -> None:
        """Close the file, once; with `sync` only after it is on the disk. An OSError where it cannot be."""
        stream, self._stream = self._stream, None
        if stream is not None:
            with stream:
                if sync:
                    stream.flush()
                    os.fsync(stream.fileno())

    def discard(self) -> None:
        """Remove the file, if it is still here."""
        with contextlib.suppress(OSError):
            self.close()
        with contextlib.suppress(OSError):
            os.unlink(self.name)


class Incoming:
    """The folder in which objects arrive."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder, self._limits = folder, limits
        self._parts: dict[str, Part] = {}
        self._guard = threading.Lock()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in folder.glob("*.part"):  # of a process that was killed; nobody was told that they arrived
            left.unlink()
        pynetdicom = import_pynetdicom()
        pynetdicom._config.STORE_RECV_CHUNKED_DATASET = True
        pynetdicom.dimse_messages.NamedTemporaryFile = self.begin

    def begin(self, **_: Any) -> Part:
        """A new file for the association whose thread calls."""
        part = Part(self._folder, self._limits)
        with self._guard:
            self._parts[part.name] = part
        return part

    def take(self, path: Path) -> Part:
        """The file of an object that has come to its end; the caller keeps or discards it."""
        with self._guard:
            return self._parts.pop(str(path))

    def sweep(self) -> None:
        """Remove what associations left that ended amid an object."""
        with self._guard:
            ended = [name for name, part in self._parts.items() if not part.owner.is_alive()]
            parts = [self._parts.pop(name) for name in ended]
        for part in parts:
            part.discard()


def guard(association: Any, limits: Limits) -> None:
    """Bound what a peer can make a connection wait for and hold.

    pynetdicom waits without end for the rest of a PDU and takes its length on the peer's word.
    """
    connection = association.dul.socket
    if connection is None or connection.socket is None:
        return
    connection.socket.settimeout(limits.idle_seconds)
    most = max(limits.pdu_bytes + 6, 1 << 18)  # association requests with many contexts are long, too

    def receive(count: int) -> bytearray:
        if count > most:
            raise OSError(f"a PDU of {count} bytes")
        until = time.monotonic() + limits.idle_seconds
        data = bytearray()
        while len(data) < count:
            piece = connection.socket.recv(min(count - len(data), 1 << 16))
            if not piece:
                break
            data += piece
            if time.monotonic() > until:
                raise TimeoutError("a PDU that takes too long")
        return data

    connection.recv = receive
