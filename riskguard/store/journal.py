"""The journal of a state, to be read: while a bot writes it, and after."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from riskguard.errors import StateError
from riskguard.store.checking import (
    begun,
    check,
    counted,
    heads,
    marked,
    reading,
    snapshots,
    transition,
    walk,
    whole,
)
from riskguard.store.database import is_hindrance
from riskguard.store.files import Damage, named
from riskguard.store.lock import Mark, holder, noted
from riskguard.store.rows import Contents, Input, Walk
from riskguard.store.still import still

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from riskguard.store.rows import Restored, Snapshot, Transition

__all__ = ["Journal"]


class Journal:
    """Reads what is stored in a folder; it changes nothing and keeps nobody from writing.

    Each call sees the state of one moment. What is read stands under its seals.

    >>> import tempfile
    >>> from riskguard.store import Entry, Journal, Store
    >>> folder = tempfile.mkdtemp()
    >>> with Store(folder) as store:
    ...     store.commit([Entry(1_770_300_000_000_000_000, "started", {})])
    True
    >>> journal = Journal(folder)
    >>> [entry.kind for entry in journal.transitions()], journal.verify()
    (['started'], '')

    Raises:
        StateError: From each call: there is no state, it is damaged, newer than this riskguard,
            or cannot be read.

    """

    def __init__(self, folder: Path | str) -> None:
        self._files = named(folder)

    def restored(self) -> Restored:
        """Return what a start would find now."""
        with self._open() as db:
            return check(db).restored

    def snapshots(self) -> list[Snapshot]:
        """Return the snapshots that are kept, the newest last."""
        with self._open() as db:
            return snapshots(db)

    def transitions(self, after: int = 0) -> list[Transition]:
        """Return the transitions behind a number."""
        with self._open() as db:
            rows, _ = walk(db, heads(db)["transition"], after)
        return [transition(row) for row in rows]

    def inputs(self, after: int = 0) -> list[Input]:
        """Return the inputs behind a number."""
        with self._open() as db:
            rows, _ = walk(db, heads(db)["input"], after)
        return [Input(seq, ts, json.loads(body)) for seq, ts, body, _ in rows]

    def contents(self) -> Contents:
        """Return all that is stored, as it is at one moment."""
        with self._open() as db:
            about, ends = check(db).restored.about, heads(db)
            kept = tuple(snapshots(db))
            moves, _ = walk(db, ends["transition"], 0)
            told, _ = walk(db, ends["input"], 0)
        inputs = tuple(Input(seq, ts, json.loads(body)) for seq, ts, body, _ in told)
        return Contents(about, kept, tuple(map(transition, moves)), inputs)

    def holder(self) -> Mark | None:
        """Return what the process that writes this state has marked; None where none does."""
        return holder(self._files.lock)

    def verify(self) -> str:
        """Walk every row that is stored; return what is wrong, or nothing."""
        return self.walk().damage

    def walk(self) -> Walk:
        """Walk every row that is stored, and look whether the last that was marked is there."""
        mark, found = noted(self._files.lock), Walk({}, {}, 0, 0)
        try:
            with self._trusted() as db:
                whole(db)
                found = counted(db)
                marked(check(db, every_row=True), mark)
        except Damage as damage:
            return found._replace(damage=str(damage))
        return found

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._trusted() as db:
                yield db
        except Damage as damage:
            raise StateError(f"{damage}; the next start sets it aside") from damage

    @contextmanager
    def _trusted(self) -> Iterator[sqlite3.Connection]:
        """Open the database, as it is at this moment."""
        if not self._files.look():
            raise StateError(f"there is no state in {self._files.folder}")
        with reading(), self._begun() as db:
            yield db

    def _begun(self) -> AbstractContextManager[sqlite3.Connection]:
        """Open the database; as it lies, where SQLite may lay nothing beside it."""
        try:
            return closing(begun(self._files.database))
        except sqlite3.Error as error:
            if not is_hindrance(error):
                raise
            return still(self._files, error)
