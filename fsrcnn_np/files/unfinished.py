"""The files beside an output's place while it is written: whose they are, and what becomes of those left behind.

The writer holds a lock (flock) on its file; the kernel takes it away when the process ends, however it ends, in
whichever container it ran. A lock that another machine holds on a network file system may not be seen from here: a
file that was begun since another start of a machine counts as left behind only after a day.

The lock is a shared one: it keeps sweepers away, and not those who read the output as soon as it has its name (HDF5
takes a lock, too). It is given back explicitly, since a process that was forked meanwhile has the same open file, and
would keep its lock for as long as it lives.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO

from piqe_np.stopping import leftovers

try:
    import fcntl
except ImportError:  # Windows: nothing is swept there
    _LOCKS = False
else:
    _LOCKS = True

_NAME = re.compile(r"\..{1,40}\.([0-9a-f]{8})-[0-9a-f]{8}\.part", re.DOTALL)
_DAY = 86400.0
_swept: set[str] = set()


@contextmanager
def unfinished(path: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """A new file beside `path`, open for writing and locked; it is gone afterwards, unless it was renamed."""
    sweep(path.parent)
    beside, stream = _begun(path)
    try:
        with stream:
            yield beside, stream
            if not stream.closed:
                _unlock(stream)
    finally:
        with suppress(OSError):
            beside.unlink()
        leftovers.discard(str(beside))


def sweep(folder: Path) -> None:
    """Remove what processes that are dead have left in a folder; once a process and folder."""
    try:
        key = os.path.abspath(folder)
    except OSError:  # the working directory is gone
        return
    if not _LOCKS or key in _swept:
        return
    _swept.add(key)
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            found = _NAME.fullmatch(entry.name)
            if found and entry.is_file(follow_symlinks=False):
                _sweep_one(entry.path, near=found[1] == _machine())


def _begun(path: Path) -> tuple[Path, BinaryIO]:
    while True:
        beside = path.with_name(f".{path.name[:40]}.{_machine()}-{secrets.token_hex(4)}.part")
        leftovers.add(str(beside))
        try:
            stream = open(beside, "x+b")  # noqa: SIM115  NFS grants a shared lock to readers only
        except BaseException:
            leftovers.discard(str(beside))
            raise
        if not _LOCKS:
            return beside, stream
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:  # somebody sweeps, and came before the lock
            pass
        except OSError:  # a file system without locks: nothing is swept there either
            return beside, stream
        else:
            if os.fstat(stream.fileno()).st_nlink:
                return beside, stream
        stream.close()
        with suppress(OSError):
            beside.unlink()
        leftovers.discard(str(beside))


def _unlock(stream: BinaryIO) -> None:
    if _LOCKS:
        with suppress(OSError):
            fcntl.flock(stream, fcntl.LOCK_UN)


def _sweep_one(path: str, *, near: bool) -> None:
    with suppress(OSError):
        number = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            state = os.fstat(number)
            if not stat.S_ISREG(state.st_mode) or not (near or time.time() - state.st_mtime > _DAY):
                return
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(path)  # still locked: a writer that has just made it sees that it is gone
        finally:
            os.close(number)


@cache
def _machine() -> str:
    """Eight digits for this start of this machine: the same in all its containers."""
    try:
        text = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
    except OSError:
        import socket

        text = socket.gethostname()
    return hashlib.sha256(text.encode()).hexdigest()[:8]
