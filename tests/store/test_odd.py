from __future__ import annotations

import os
import re
import sqlite3
from pathlib import Path

import pytest

from riskguard.store import Store
from riskguard.store.rows import seal
from tests.store.made import entry
from tests.store.spoiled import BAD, MOMENT, Kept, foreign


def replaced(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def link(path: Path, *, dangling: bool) -> None:
    target = path.parent.parent / "elsewhere"
    if dangling:
        path.unlink()
    else:
        path.rename(target)
    path.symlink_to(target)


def sparse(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(5 << 30)


def stranger(path: Path) -> None:
    path.unlink()
    db = sqlite3.connect(path)
    db.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (1);")
    db.close()


def sealed(path: Path, key: str, value: str) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE meta SET value=?, crc=? WHERE key=?", (value, seal(0, key, value), key))
    db.close()


def forged(path: Path) -> None:
    """Write another last row under a seal that fits it."""
    with sqlite3.connect(path) as db:
        (prior,) = db.execute("SELECT crc FROM input WHERE seq = 39").fetchone()
        row = (40, 1, "{}")
        db.execute("REPLACE INTO input VALUES (?, ?, ?, ?)", (*row, seal(prior, *row)))
    db.close()


def side(path: Path, name: str, content: bytes) -> None:
    path.with_name(name).write_bytes(content)


ODD = {
    "0 bytes": (lambda path: replaced(path, b""), "0 bytes"),
    "text": (lambda path: replaced(path, b"not a database" * 1000), "not a database"),
    "zeros": (lambda path: replaced(path, bytes(40_960)), "cannot be read|none of riskguard's"),
    "a folder": (directory, "is a folder"),
    "a pipe": (fifo, "is a pipe"),
    "a link": (lambda path: link(path, dangling=False), "is a link"),
    "a dangling link": (lambda path: link(path, dangling=True), "is a link"),
    "a second name": (lambda path: os.link(path, path.parent.parent / "other"), "2 names"),
    "5 GB": (sparse, "5,368,709,120 bytes"),
    "another application": (lambda path: foreign(path, "PRAGMA application_id=7"), "0x7"),
    "a database of others": (stranger, "none of riskguard's"),
    "no schema number": (lambda path: foreign(path, "PRAGMA user_version=0"), "schema 0"),
    "another journal mode": (
        lambda path: foreign(path, "PRAGMA journal_mode=DELETE"), "journal_mode delete"
    ),
    "a table more": (lambda path: foreign(path, "CREATE TABLE t (a)"), "other tables"),
    "a trigger": (
        lambda path: foreign(
            path,
            "CREATE TRIGGER t AFTER INSERT ON transition BEGIN DELETE FROM done_action; END",
        ),
        "other tables",
    ),
    "no identity": (
        lambda path: foreign(path, "DELETE FROM meta WHERE key='identity'"), "lacks identity"
    ),
    "a row less": (lambda path: foreign(path, "DELETE FROM transition WHERE seq=30"), "missing"),
    "the last row less": (
        lambda path: foreign(path, "DELETE FROM transition WHERE seq=40"), "40 is missing"
    ),
    "a done action less": (
        lambda path: foreign(path, "DELETE FROM done_action WHERE seq=1"), "missing"
    ),
    "the newest snapshot less": (
        lambda path: foreign(path, "DELETE FROM snapshot WHERE seq=2"), "newest snapshot"
    ),
    "another rule hash": (
        lambda path: foreign(path, "UPDATE transition SET rule_hash='x' WHERE seq=33"), "seal"
    ),
    "another rule text": (
        lambda path: foreign(path, "UPDATE meta SET value='[]' WHERE key='about'"), "seal of about"
    ),
    "another last row": (forged, "input 40 is not the row that was its end"),
    "ends of no table": (lambda path: sealed(path, "heads", "{}"), "what was never written"),
    "another anchor": (
        lambda path: foreign(path, "INSERT INTO anchor VALUES ('input', 3, 3, 1, 1)"),
        "seal of the anchor",
    ),
    "another snapshot": (
        lambda path: foreign(path, "UPDATE snapshot SET body='x' WHERE seq=1"),
        "seal of snapshot 1",
    ),
    "a foreign journal": (lambda path: side(path, "state.db-journal", b"x" * 600), "-journal"),
    "a folder for a log": (lambda path: (path.with_name("state.db-wal")).mkdir(), "is a folder"),
    "a pipe for an index": (lambda path: os.mkfifo(path.with_name("state.db-shm")), "is a pipe"),
    "a log without a database": (
        lambda path: (path.unlink(), side(path, "state.db-wal", b"x" * 600)), "state.db is gone"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_odd_files_are_found_and_set_aside(folder: Path, name: str):
    spoil, reason = ODD[name]
    Kept(folder, logged=False)
    spoil(folder / "state.db")
    with Store(folder, now=lambda: MOMENT) as opened:
        assert re.search(reason, opened.restored.lost)
        assert not opened.degraded
        assert opened.commit([entry(opened.seq + 1)])
    assert any(path.name.startswith(BAD) for path in folder.iterdir())
    assert not (folder.parent / "elsewhere").exists() or name == "a link"
