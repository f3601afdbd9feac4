"""Machine code that LLVM made of the kernels' texts, kept between processes in `code_cache`'s folders.

Nothing is stale: a file is named by the digest of all that decides its content, the text and the processor and LLVM's
release. Nothing damaged is run: it begins with the digest of the code that follows. Nothing foreign is run: a folder
counts only if nobody but this user, root and whoever can change the source itself can write there. Where no folder can
be written, or none is to be trusted, the kernels are compiled in every process, which takes some tenths of a second.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from piqe_np import code_cache

MOST = 64  #: files that a folder keeps, some 20 KB each; beyond, what was written first goes
_SUFFIX = ".llvm"
_SOURCE = Path(__file__).with_name("llvm") / "target.py"  # beside it, where it is the kernels' own __pycache__
_DIGEST = hashlib.sha256().digest_size


def kept(key: str, make: Callable[[], bytes]) -> bytes:
    """The code of this key, from a folder that can be trusted; else what `make` gives, kept where that is possible.

    Parameters
    ----------
    key : str
        All that decides the code.
    make : callable
        Compiles it.
    """
    name = hashlib.sha256(key.encode()).hexdigest() + _SUFFIX
    for folder in _trusted():
        if (found := _read(folder / name)) is not None:
            return found
    code = make()
    for folder in code_cache.folders(_SOURCE):
        if code_cache.writable(folder) and code_cache.trusted(folder, _SOURCE) and _write(folder, name, code):
            break
    return code


def _trusted() -> Iterator[Path]:
    return (folder for folder in code_cache.folders(_SOURCE) if code_cache.trusted(folder, _SOURCE))


def _read(path: Path) -> bytes | None:
    """None: there is no such file, or it is not as it was written."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, code = content[:_DIGEST], content[_DIGEST:]
    return code if hashlib.sha256(code).digest() == digest else None


def _write(folder: Path, name: str, code: bytes) -> bool:
    """Whether it could be written: beside, then renamed, so that another process finds all of it or nothing."""
    unfinished = folder / f"{os.getpid()}-{name}"
    try:
        with code_cache.for_others_to_read():
            unfinished.write_bytes(hashlib.sha256(code).digest() + code)
        unfinished.replace(folder / name)
    except OSError:
        with suppress(OSError):
            unfinished.unlink()
        return False
    with suppress(OSError):
        _forget(folder)
    return True


def _forget(folder: Path) -> None:
    """Remove what was written first where there are too many; another process may do the same at the same time."""
    found = sorted((path.stat().st_mtime, path) for path in folder.glob(f"*{_SUFFIX}"))
    for _, path in found[:-MOST]:
        path.unlink(missing_ok=True)
