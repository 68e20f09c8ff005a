"""A database read as it lies: SQLite may lay no log and no index of it beside it.

A mount that is only to be read, a folder that this user may not write to, a full disk: SQLite
then opens nothing, though all is there. It reads on where it is told that nobody writes; that
nobody did is looked at here, before and after.
"""

from __future__ import annotations

import os
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from riskguard.errors import StateError
from riskguard.store.checking import begun

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    from riskguard.store.files import Files

__all__ = ["still"]


@contextmanager
def still(files: Files, error: sqlite3.Error) -> Iterator[sqlite3.Connection]:
    """Open a database in which all stands that was stored; `error` is why no other way goes.

    Raises:
        StateError: Its log holds more, it was written meanwhile, or it cannot be read at all.

    """
    before = _stamp(files.database)  # first: what is brought in from the log changes it
    if fault := _unreadable(files) or _logged(files):
        raise StateError(fault) from error
    try:
        with closing(begun(files.database, still=True)) as db:
            yield db
    finally:
        if _stamp(files.database) != before:
            msg = f"{files.database} was written while it was read; ask again"
            raise StateError(msg)


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = path.lstat()
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _unreadable(files: Files) -> str:
    """Return what the system says of a file that it lets nobody of this user read."""
    for path in (files.database, *files.sides()):
        try:
            os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW))
        except FileNotFoundError:
            continue
        except OSError as error:
            return f"{path} cannot be read: {error.strerror}"
    return ""


def _logged(files: Files) -> str:
    """Return what to do where the log holds rows that the database does not."""
    log = files.sides()[0]
    try:
        if not log.lstat().st_size:
            return ""
    except FileNotFoundError:
        return ""
    return (
        f"{log} holds the newest rows, and cannot be read where nothing can be written beside it"
        f"\n  = help: copy the folder to a disk that can be written: cp -r {files.folder} COPY"
    )
