"""A start: what lies there is looked at, read under its seals, and only then opened to write."""

from __future__ import annotations

import stat
from contextlib import closing
from typing import TYPE_CHECKING

from riskguard.store.checking import check, marked, reading, version, whole
from riskguard.store.database import SCHEMA, connect, migrated
from riskguard.store.files import Damage, sync

if TYPE_CHECKING:
    import sqlite3

    from riskguard.store.checking import Found
    from riskguard.store.files import Files
    from riskguard.store.lock import Mark

__all__ = ["started"]


def started(files: Files, mark: Mark) -> tuple[sqlite3.Connection, Found] | None:
    """Open the state that is there for writing; return nothing where none is.

    Raises:
        Damage: What is there must not be believed; it is as it was.
        NewerError: A newer riskguard wrote it; it is as it was.
        StateError: The system cannot read it.

    """
    if not files.look():
        if not _left(files):
            return None
        files.fresh.rename(files.database)
        sync(files.folder)
    found = _believed(files, mark)
    if stat.S_IMODE(files.database.lstat().st_mode) != 0o600:
        files.database.chmod(0o600)
    with reading():
        db = connect(files.database, writing=True)
        try:
            if found is None:
                migrated(db, files)
                found = check(db)
                marked(found, mark)
        except BaseException:
            db.close()
            raise
    return db, found


def _believed(files: Files, mark: Mark) -> Found | None:
    """Return what a database of this version restores, or nothing of an older one."""
    with reading(), closing(connect(files.database, writing=False)) as db:
        found = version(db)
        whole(db)
        if found < SCHEMA:
            return None
        believed = check(db)
    marked(believed, mark)
    return believed


def _left(files: Files) -> bool:
    """Tell whether a start that was cut short has left a whole new database.

    It is whole before the old one is set aside: what it says of a lost state is not lost.
    """
    new = files._replace(database=files.fresh)
    try:
        if not new.look():
            return False
        with reading(), closing(connect(new.database, writing=True)) as db:
            version(db)
            whole(db)
            check(db)
    except Damage:
        return False
    return True
