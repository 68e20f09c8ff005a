"""One writer: an exclusive lock on a file of its own, which also marks how far was written.

The lock is on `state.lock`, never on the database: closing any descriptor of a database would
drop the locks of SQLite. In the file stand process, boot and state, for the message, and the
numbers of the newest rows: a database that ends before the mark has lost what was answered for.
"""

from __future__ import annotations

import json
import os
import stat
import sys
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from riskguard.errors import StateError, StateInUseError
from riskguard.store.rows import canonical, seal

if sys.platform != "win32":  # pragma: no branch - a lock is refused there
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Lock", "Mark", "holder"]

SIZE = 512  # bytes of the mark: one sector, written at once
PEEKS = 200  # tries to take a lock from those who only look whether it is free, 1 ms each
BOOT = Path("/proc/sys/kernel/random/boot_id")


class Mark(NamedTuple):
    """What the last holder wrote: the state it held, and the numbers of its newest rows."""

    pid: int = 0
    boot: str = ""
    state: str = ""
    ends: tuple[int, ...] = ()


class Lock:
    """The right to write a state; `mark` is what the last holder left."""

    __slots__ = ("__weakref__", "_boot", "_handle", "_inode", "_path", "_pid", "mark")

    def __init__(self, path: Path) -> None:
        """Take the lock of a state.

        Raises:
            StateInUseError: Another process, or another store of this one, holds it.
            StateError: The file cannot be a lock, or the system has none.

        """
        if sys.platform == "win32":
            raise StateError(
                "a live state needs a lock that Windows does not have: run the bot under WSL or"
                " Linux; checking, testing and backtesting need no state"
            )
        self._path, self._pid, self._boot = path, os.getpid(), _boot()
        self._handle = _opened(path)
        self._inode = _inode(os.fstat(self._handle))
        self.mark = _read(self._handle)
        # the file may have been replaced since it was opened: then another may hold the new one
        if not (_locked(self._handle) and self.held()):
            self.release()
            raise StateInUseError(_used(path, self.mark, self._boot))
        self.mark = _read(self._handle)
        HELD.add(self)

    def held(self) -> bool:
        """Tell whether this process holds the lock, and the file is still the one to lock."""
        if os.getpid() != self._pid or self._handle < 0:
            return False
        try:
            return _inode(self._path.lstat()) == self._inode
        except OSError:
            return False

    def write(self, state: str, ends: Sequence[int]) -> None:
        """Mark how far was written; a mark that cannot be written stays as it was."""
        text = canonical([self._pid, self._boot, state, *ends])
        line = f"{seal(0, text)} {text}".ljust(SIZE - 1) + "\n"
        try:
            os.pwrite(self._handle, line.encode(), 0)
        except OSError:
            return
        self.mark = Mark(self._pid, self._boot, state, tuple(ends))

    def release(self) -> None:
        """Give the lock back; a child that was forked has given up its share already."""
        if self._handle >= 0:
            os.close(self._handle)
        self._handle = -1


HELD: weakref.WeakSet[Lock] = weakref.WeakSet()


def _let_go() -> None:
    """Close the locks in a forked child: one that outlives its parent keeps no bot out."""
    for lock in HELD:
        lock.release()


if sys.platform != "win32":  # pragma: no branch - a lock is refused there
    os.register_at_fork(after_in_child=_let_go)


def _opened(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        handle = os.open(path, flags, 0o600)
    except OSError as error:
        raise StateError(f"{path} cannot be the lock of a state: {error.strerror}") from error
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        os.close(handle)
        raise StateError(f"{path} is no file of this user: remove it")
    os.fchmod(handle, 0o600)
    return handle


def holder(path: Path) -> Mark | None:
    """Return the mark of the process that holds a lock; None where nobody does.

    Whoever looks shares the lock for that moment; a starter waits until it is given back.
    """
    if sys.platform == "win32":
        return None
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        return None if _flocked(handle, fcntl.LOCK_SH) else _read(handle)
    finally:
        os.close(handle)


def noted(path: Path) -> Mark:
    """Return the mark that the last holder left, an empty one where none can be read."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return Mark()
    try:
        return _read(handle)
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    """Take a lock for oneself; who only looks is waited for, who holds it is not."""
    for _ in range(PEEKS):
        if _flocked(handle, fcntl.LOCK_EX):
            return True
        if not _flocked(handle, fcntl.LOCK_SH):
            return False
        fcntl.flock(handle, fcntl.LOCK_UN)
        time.sleep(0.001)
    return False


def _flocked(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _inode(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _boot() -> str:
    try:
        return BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _read(handle: int) -> Mark:
    """Return the mark, or an empty one where none can be believed."""
    crc, _, text = os.pread(handle, SIZE, 0).decode("ascii", "replace").rstrip().partition(" ")
    if crc != str(seal(0, text)):
        return Mark()
    pid, boot, state, *ends = json.loads(text)
    return Mark(pid, boot, state, tuple(ends))


def _used(path: Path, holder: Mark, boot: str) -> str:
    who = f"process {holder.pid}" if holder.pid and holder.boot == boot else "another process"
    return f"the state in {path.parent} is in use by {who}: stop it, or name another state folder"
