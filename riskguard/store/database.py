"""The database: how it is opened, what stands in it, and how one is made.

SQLite in WAL mode with a sync at each commit. The tables are few and without an index, so that
everything in them is under a seal.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from riskguard.errors import StateError
from riskguard.store.files import BIGGEST, sync
from riskguard.store.rows import seal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from riskguard.store.files import Files
    from riskguard.store.rows import Row

__all__ = [
    "APPLICATION",
    "CHAINS",
    "SCHEMA",
    "TABLES",
    "Batch",
    "connect",
    "created",
    "is_damage",
    "is_hindrance",
    "migrated",
    "settled",
    "supported",
    "used",
    "write",
]

OLDEST = (3, 37, 0)  # STRICT tables
APPLICATION = 0x52475344  # "RGSD"
SCHEMA = 1
PAGE = 4096
SETTINGS = (
    "PRAGMA trusted_schema=OFF",
    "PRAGMA cell_size_check=ON",
    "PRAGMA synchronous=FULL",
    "PRAGMA fullfsync=ON",  # macOS: a sync that reaches the disk
    "PRAGMA checkpoint_fullfsync=ON",
    f"PRAGMA max_page_count={BIGGEST // PAGE}",  # a start believes no larger file
)
# every text column is under a seal; STRICT holds numbers to numbers
COLUMNS = {
    "meta": """key TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER NOT NULL""",
    "transition": """seq INTEGER PRIMARY KEY, after_input INTEGER NOT NULL,
        event_ns INTEGER NOT NULL, rule_hash TEXT NOT NULL, kind TEXT NOT NULL,
        body TEXT NOT NULL, crc INTEGER NOT NULL""",
    "input": """seq INTEGER PRIMARY KEY, ts INTEGER NOT NULL, body TEXT NOT NULL,
        crc INTEGER NOT NULL""",
    "done_action": """seq INTEGER PRIMARY KEY, event_ns INTEGER NOT NULL, id TEXT NOT NULL,
        crc INTEGER NOT NULL""",
    "snapshot": """seq INTEGER PRIMARY KEY, after_transition INTEGER NOT NULL,
        after_input INTEGER NOT NULL, rule_hash TEXT NOT NULL, body TEXT NOT NULL,
        crc INTEGER NOT NULL""",
    "anchor": """chain TEXT NOT NULL, seq INTEGER NOT NULL, gone INTEGER NOT NULL,
        prior INTEGER NOT NULL, crc INTEGER NOT NULL, PRIMARY KEY (chain, seq)""",
}
UNNUMBERED = {"meta", "anchor"}  # keyed by name: without an index of their own
TABLES = tuple(
    f"CREATE TABLE {name} ({columns}) STRICT{', WITHOUT ROWID' if name in UNNUMBERED else ''}"
    for name, columns in COLUMNS.items()
)
CHAINS = ("transition", "input", "done_action")
# what brings a database of version n to n + 1; the first version is 1
MIGRATIONS: dict[int, Callable[[sqlite3.Connection], object]] = {}
# what the system or another process denies; all else speaks of the content
DENIED = {
    sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_AUTH,
}  # fmt: skip

# what it answers where it may lay nothing beside a database: read-only, full, broken
HINDERED = {
    sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
}  # fmt: skip


class Batch(NamedTuple):
    """What is stored together or not at all; stored twice it is the same.

    Rows are ready for their tables, `first` are statements with their values that come before.
    """

    transition: list[Row]
    input: list[Row]
    done_action: list[Row]
    anchor: list[Row]
    snapshot: list[Row]
    meta: dict[str, str]
    first: list[tuple[str, Row]]

    @classmethod
    def empty(cls) -> Batch:
        """Return a batch of nothing."""
        return cls([], [], [], [], [], {}, [])


INSERTS = (
    "INSERT OR REPLACE INTO transition VALUES (?, ?, ?, ?, ?, ?, ?)",
    "INSERT OR REPLACE INTO input VALUES (?, ?, ?, ?)",
    "INSERT OR REPLACE INTO done_action VALUES (?, ?, ?, ?)",
    "INSERT OR REPLACE INTO anchor VALUES (?, ?, ?, ?, ?)",
    "INSERT OR REPLACE INTO snapshot VALUES (?, ?, ?, ?, ?, ?)",
)
LAST_TWO = (
    "DELETE FROM snapshot WHERE seq NOT IN (SELECT seq FROM snapshot ORDER BY seq DESC LIMIT 2)"
)


def supported() -> None:
    """Raise StateError where the SQLite of this Python is too old."""
    if sqlite3.sqlite_version_info < OLDEST:
        raise StateError(
            f"SQLite {sqlite3.sqlite_version} is too old for a state: 3.37 or newer is needed"
        )


def connect(path: Path, *, writing: bool, still: bool = False) -> sqlite3.Connection:
    """Open a database that is there, whatever its name holds; for reading nothing is changed.

    The caller sees to it that one thread at a time uses the connection; and, of what is opened as
    `still`, that nobody writes it: neither its log nor a lock is looked at.
    """
    mode = "rw" if writing else "ro&immutable=1" if still else "ro"
    db = sqlite3.connect(
        f"file://{quote(os.fsencode(path))}?mode={mode}",
        uri=True,
        timeout=1.0,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        for setting in SETTINGS:
            db.execute(setting)
    except BaseException:
        db.close()
        raise
    return db


def is_damage(error: sqlite3.Error) -> bool:
    """Tell whether an error speaks of the content, not of the system around it."""
    return _primary(error) not in DENIED


def is_hindrance(error: sqlite3.Error) -> bool:
    """Tell whether an error may come of files that cannot be laid beside a database."""
    return _primary(error) in HINDERED


def _primary(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)) & 0xFF


def created(files: Files, batch: Batch) -> None:
    """Make a new database beside the old one, whole and on disk, with its first rows."""
    files.clear()
    _empty(files.fresh)
    with closing(connect(files.fresh, writing=True)) as db:
        for statement in (f"PRAGMA page_size={PAGE}", f"PRAGMA application_id={APPLICATION}",
                          f"PRAGMA user_version={SCHEMA}", "PRAGMA journal_mode=WAL"):  # fmt: skip
            db.execute(statement)
        write(db, batch._replace(first=[(table, ()) for table in TABLES]))
        settled(db)
    sync(files.folder)


def _empty(path: Path) -> None:
    """Make an empty file for its owner: what SQLite lays beside it takes its mode."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def write(db: sqlite3.Connection, batch: Batch) -> None:
    """Store a batch in one transaction; on an error nothing is stored."""
    with _transaction(db):
        for statement, values in batch.first:
            db.execute(statement, values)
        for insert, rows in zip(INSERTS, batch, strict=False):
            if rows:
                db.executemany(insert, rows)
        if batch.snapshot:
            db.execute(LAST_TWO)
        meta = [(key, value, seal(0, key, value)) for key, value in sorted(batch.meta.items())]
        db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?, ?)", meta)


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Have all that is done meanwhile done or undone, on an interrupt too."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    finally:
        if db.in_transaction:  # SQLite has undone it itself where the disk failed
            db.execute("ROLLBACK")


def settled(db: sqlite3.Connection) -> None:
    """Bring the log into the database and empty it; a reader may put that off, for no time."""
    db.execute("PRAGMA busy_timeout=0")
    try:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        db.execute("PRAGMA busy_timeout=1000")


def used(db: sqlite3.Connection) -> int:
    """Return how many bytes of a database hold something."""
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    (free,) = db.execute("PRAGMA freelist_count").fetchone()
    return int(pages - free) * PAGE


def migrated(db: sqlite3.Connection, files: Files) -> None:
    """Bring an older database to this version in one transaction, with a copy kept of it."""
    (found,) = db.execute("PRAGMA user_version").fetchone()
    copy = files.folder / f"state.db.v{found}"
    copy.unlink(missing_ok=True)
    _empty(copy)
    with closing(connect(copy, writing=True)) as kept:
        db.backup(kept)
    sync(files.folder)
    with _transaction(db):
        for version in range(found, SCHEMA):
            MIGRATIONS[version](db)
        db.execute(f"PRAGMA user_version={SCHEMA}")
    settled(db)
