"""Work that neither the interpreter's end nor a fork may cut in two, and what is made once in a process.

When the interpreter ends, it takes down daemon threads wherever they are: in the middle of LLVM, of a library that
holds a lock which the way out needs, or in machine code whose memory is freed. So the end waits until what goes on in
`unbroken` is over, and daemon threads begin nothing new then: they end, as by `sys.exit`. A fork waits as well, until
nothing is compiled or imported for us; a child that had half a compiler, and its lock taken, could never compile, and
what another thread was importing it could never import.
"""

from __future__ import annotations

import _imp
import atexit
import functools
import gc
import os
import sys
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")
#: Seconds that the interpreter's end waits for what a caller's own objects do (a file that is read through a pipe).
PATIENCE = 5.0
IMPORTS = 30.0  #: seconds that a fork waits for imports, which take long on a busy machine
#: Libraries with a way out of their own, and with locks that they take at a fork, which must come after ours: the last
#: that was registered is the first to run.
LATER = ("llvmlite", "numba", "h5py", "logging")
#: Those locks. Of a library that was not yet wholly imported when ours was registered it is taken first all the same.
LOCKS = {"h5py": ("h5py._objects", "phil"), "logging": ("logging", "_lock")}
OURS = ("piqe_np", "fsrcnn_np")

_changed = threading.Condition()
_ours, _callers = set[object](), set[object]()  # daemon threads' work that goes on
_ending = False
_ahead = set[str]()  # of LATER: what ours come before
_registered = False
_locks = {"compile": threading.RLock(), "load": threading.RLock()}


@contextmanager
def unbroken(*, callers: bool = False) -> Iterator[None]:
    """The interpreter's end waits for what is done within; for what a caller's own objects do, not for ever.

    Raises
    ------
    SystemExit
        In a daemon thread, when the interpreter ends: silently, the thread ends.
    """
    _register()
    if not threading.current_thread().daemon:  # waited for anyway
        yield
        return
    going, mark = (_callers if callers else _ours), object()
    with _changed:
        if _ending:
            raise SystemExit
        going.add(mark)
    try:
        yield
    finally:
        with _changed:
            going.discard(mark)
            _changed.notify_all()


@contextmanager
def alone(lock: str = "compile") -> Iterator[None]:
    """One thread at a time: what compiles, or imports what compiles; with "load" what reads a model."""
    with unbroken(), _locks[lock]:
        yield


def once(*, most: int, lock: str = "compile") -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Decorate a function: each result is made once, however many threads ask, and the last `most` ones are kept."""

    def decorate(function: Callable[..., T]) -> Callable[..., T]:
        made: dict[Hashable, Any] = {}
        nothing = object()

        @functools.wraps(function)
        def wrapped(*key: Hashable) -> T:
            found = made.get(key, nothing)
            if found is nothing:
                with alone(lock):
                    found = made.get(key, nothing)
                    if found is nothing:
                        found = function(*key)
                        while len(made) >= most:
                            del made[next(iter(made))]
                        made[key] = found
            return found

        return wrapped

    return decorate


def ending() -> bool:
    """Whether the interpreter ends: no thread can be started any more."""
    return _ending


def _register() -> None:
    """Be the first to run at the end and at a fork, also when another of those libraries came after the last time."""
    global _registered
    loaded = {name for name in LATER if _whole(name)} - _ahead
    if loaded or not _registered:
        _registered = True
        _ahead.update(loaded)
        atexit.register(_end)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_in_child)


def _whole(name: str) -> bool:
    """Whether a module is imported, and nobody is still at it."""
    module = sys.modules.get(name)
    return module is not None and not getattr(getattr(module, "__spec__", None), "_initializing", False)


def _end() -> None:
    global _ending
    late, register = list[Callable[[], Any]](), atexit.register
    library: Any = atexit

    def collect(function: Any, *arguments: Any, **named: Any) -> Any:
        late.append(functools.partial(function, *arguments, **named))
        return function

    library.register = collect  # a library that a thread is importing; its way out would not be called any more
    with _changed:
        _ending = True
        _changed.wait_for(lambda: not _ours)
        _changed.wait_for(lambda: not _callers, PATIENCE)
    library.register = register
    for function in reversed(late):
        function()


def _compilers() -> Iterator[Any]:
    yield _locks["compile"]
    numba = sys.modules.get("numba.core.compiler_lock")
    if (lock := getattr(numba, "global_compiler_lock", None)) is not None:  # or it is just being imported
        yield lock


_held: list[Callable[[], Any]] = []  # by the thread that forks: how to give it back
_forking: int | None = None  # that thread
_one_fork = threading.Lock()
_collecting = False
_alone = True  # no other thread is there at this fork
#: Hooks that were registered while a fork waited, and that it does not call.
_late: list[dict[str, Callable[[], Any]]] = []


def _importing() -> bool:
    """Whether another thread imports a module of ours, or anything for a function of ours."""
    this = threading.get_ident()
    return any(_for_us(frame) for thread, frame in sys._current_frames().items() if thread != this)


def _for_us(frame: FrameType | None) -> bool:
    importing = False
    while frame is not None:
        code = frame.f_code
        if code.co_filename == "<frozen importlib._bootstrap>":
            importing = True
        elif str(frame.f_globals.get("__name__")).partition(".")[0] in OURS and (
            importing or code.co_name == "<module>"
        ):
            return True
        frame = frame.f_back
    return False


def _lent() -> list[Any]:
    """Give back the locks that hooks before ours took for this fork, since what we wait for may need them."""
    lent = []
    for name, (module, attribute) in LOCKS.items():
        lock = getattr(sys.modules.get(module), attribute, None)
        if name not in _ahead and lock is not None and lock._is_owned():
            lock.release()
            lent.append(lock)
    return lent


def _collect(**hooks: Callable[[], Any]) -> None:
    """Stands in for `os.register_at_fork`: Python would call what comes now after the fork, but not before."""
    if _collecting:
        _late.append(hooks)
    else:
        os.register_at_fork(**hooks)


def _before_fork() -> None:
    global _forking, _collecting, _alone
    if _forking == threading.get_ident():  # it is registered more than once
        return
    lent = _lent()
    _one_fork.acquire()
    _forking, _collecting = threading.get_ident(), True
    library: Any = os
    register, library.register_at_fork = os.register_at_fork, _collect
    try:
        _alone = len(sys._current_frames()) == 1
        _wait_for_imports()
    finally:  # Ctrl-C
        library.register_at_fork, _collecting = register, False
        for lock in reversed(lent):
            lock.acquire()
        for hooks in reversed(_late):
            hooks.get("before", bool)()


def _wait_for_imports() -> None:
    until = time.monotonic() + IMPORTS
    while True:
        for lock in _compilers():
            lock.acquire()
            _held.append(lock.release)
        _imp.acquire_lock()  # nobody begins an import; Python itself takes it only for the fork
        _held.append(_imp.release_lock)
        if not _importing() or time.monotonic() > until:
            return
        _give_back()
        time.sleep(0.001)


def _give_back() -> None:
    while _held:
        _held.pop()()


def _after(hook: str) -> None:
    global _forking
    if _forking != threading.get_ident():
        return
    _give_back()
    late = list(_late)
    _late.clear()
    _forking = None
    _one_fork.release()
    for hooks in late:
        hooks.get(hook, bool)()
        os.register_at_fork(**hooks)


def _after_fork() -> None:
    _after("after_in_parent")


def _in_child() -> None:
    global _changed, _ending
    _after("after_in_child")
    _changed, _ending = threading.Condition(), False
    _ours.clear()
    _callers.clear()
    _locks["load"] = threading.RLock()  # whoever reads a model there is not in this process
    # Until Python 3.12 each has a lock, which another thread may have had (in h5py). Looking for them takes time, and
    # touches memory that is shared otherwise: not where there was no other thread.
    if sys.version_info < (3, 12) and not _alone:
        for one in gc.get_objects():
            if type(one) is functools.cached_property:
                one.lock = threading.RLock()


_register()  # a fork may come before the first call is at anything that asks for it
