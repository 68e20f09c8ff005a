"""A file system for SQLite that remembers every write, or refuses one: `apsw` lends the class.

The store asks `sqlite3` for its connections; here it is given those of apsw, which can be told
what to write through, with the errors of `sqlite3`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import apsw
import pytest

NAME = "riskguard-tests"
CODES = {
    apsw.FullError: apsw.SQLITE_FULL,
    apsw.IOError: apsw.SQLITE_IOERR,
    apsw.ReadOnlyError: apsw.SQLITE_READONLY,
    apsw.CantOpenError: apsw.SQLITE_CANTOPEN,
    apsw.BusyError: apsw.SQLITE_BUSY,
}
Watch = Callable[[str, str, int, bytes], None]  # what is done, to which file, where, with what


class File(apsw.VFSFile):
    """A file whose changes are told before they are made."""

    def __init__(self, name: apsw.URIFilename | str, flags: list[int], watch: Watch) -> None:
        self.watch = watch
        self.name = "" if name is None else name if isinstance(name, str) else name.filename()
        watch("open", self.name, 0, b"")
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        self.watch("write", self.name, offset, bytes(data))
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:
        self.watch("truncate", self.name, size, b"")
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:
        self.watch("sync", self.name, 0, b"")
        super().xSync(flags)

    def xRead(self, amount: int, offset: int) -> bytes:
        self.watch("read", self.name, offset, b"")
        return super().xRead(amount, offset)


class Files(apsw.VFS):
    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        super().__init__(NAME, "")

    def xOpen(self, name: apsw.URIFilename | str, flags: list[int]) -> File:
        return File(name, flags, self.watch)

    def xDelete(self, name: str, sync: bool) -> None:
        self.watch("delete", name, 0, b"")
        super().xDelete(name, sync)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except apsw.Error as error:
        told = sqlite3.OperationalError(str(error))
        # an error that a test raised itself has no code yet
        told.sqlite_errorcode = getattr(error, "extendedresult", CODES.get(type(error), 1))
        raise told from error


class Rows(list):
    """All rows of an answer, asked for as from a cursor."""

    def fetchone(self) -> tuple[object, ...] | None:
        return self.pop(0) if self else None

    def fetchall(self) -> list[tuple[object, ...]]:
        return self


class Link:
    """A connection of apsw that answers as one of sqlite3 does, as far as the store asks."""

    def __init__(self, name: str, **_: object) -> None:
        with _translated():
            flags = apsw.SQLITE_OPEN_URI | apsw.SQLITE_OPEN_READWRITE
            self.db = apsw.Connection(name, flags=flags, vfs=NAME)

    @property
    def in_transaction(self) -> bool:
        return self.db.in_transaction

    def execute(self, text: str, values: Sequence[object] = ()) -> Rows:
        with _translated():
            return Rows(self.db.execute(text, tuple(values)))

    def executemany(self, text: str, rows: Sequence[Sequence[object]]) -> None:
        with _translated():
            self.db.executemany(text, [tuple(row) for row in rows])

    def close(self) -> None:
        with suppress(apsw.Error):  # sqlite3 says nothing of a last lock it does not get
            self.db.close()


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Have all databases that are opened meanwhile watched."""
    files = Files(watch)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", Link)
        try:
            yield
        finally:
            files.unregister()
