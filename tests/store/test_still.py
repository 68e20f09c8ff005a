"""What is read where SQLite may lay nothing beside the database: a full disk, a read-only mount."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from riskguard.errors import StateError
from riskguard.store import Journal, Store
from riskguard.store.files import named
from riskguard.store.still import still
from tests.store.made import entry, written
from tests.store.mounted import read_only

OF_THE_DISK = sqlite3.OperationalError("disk I/O error")
READER = """\
import sys
from riskguard.store import Journal
print(Journal(sys.argv[1]).verify() or Journal(sys.argv[1]).restored().seq)
"""


@contextmanager
def full() -> Iterator[None]:
    """Let no file grow, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def bare(folder: Path) -> None:
    """Remove what a reader has left beside the database, as a last writer does."""
    for side in ("state.db-wal", "state.db-shm"):
        (folder / side).unlink(missing_ok=True)


def test_a_full_disk_keeps_nobody_from_reading(folder: Path):
    written(folder, 20)
    before, blob = Journal(folder).contents(), (folder / "state.db").read_bytes()
    bare(folder)
    with full():
        assert Journal(folder).contents() == before
        assert Journal(folder).verify() == ""
    assert (folder / "state.db").read_bytes() == blob


def test_a_read_only_folder_is_read_and_nothing_is_laid_in_it(tmp_path: Path):
    folder = tmp_path / "state"
    written(folder, 20)
    seq = Journal(folder).restored().seq
    bare(folder)
    names = sorted(one.name for one in folder.iterdir())
    with read_only(folder) as python:
        assert python("-c", READER, folder) == (0, f"{seq}\n", "")
    assert sorted(one.name for one in folder.iterdir()) == names


def test_a_log_that_cannot_be_read_is_said_with_the_way_out(folder: Path):
    with Store(folder) as store:
        assert store.commit([entry(1)])
        copy = folder.with_name("copy")
        copy.mkdir(mode=0o700)
        reader = Journal(folder)
        with reader._trusted() as db:  # the log is not emptied meanwhile
            db.execute("SELECT * FROM meta").fetchall()
            assert store.commit([entry(2)])
            for name in ("state.db", "state.db-wal"):
                (copy / name).write_bytes((folder / name).read_bytes())
    with full(), pytest.raises(StateError, match=r"state.db-wal holds the newest rows") as told:
        Journal(copy).restored()
    assert f"= help: copy the folder to a disk that can be written: cp -r {copy} COPY" in str(
        told.value
    )
    assert Journal(copy).restored().seq == 2


def test_what_is_written_meanwhile_is_not_believed(folder: Path):
    written(folder, 20)
    with pytest.raises(StateError, match="was written while it was read; ask again"):
        _read_and_write(folder)
    assert Journal(folder).verify() == ""


def _read_and_write(folder: Path) -> None:
    with full():
        opened = Journal(folder)._trusted()
        db = opened.__enter__()
    db.execute("SELECT * FROM meta").fetchall()
    with Store(folder) as store:
        assert store.commit([entry(store.seq + 1)])
    opened.__exit__(None, None, None)


def test_damage_is_found_all_the_same(folder: Path):
    written(folder, 20)
    path = folder / "state.db"
    blob = bytearray(path.read_bytes())
    blob[len(blob) // 2] ^= 255
    path.write_bytes(bytes(blob))
    told = Journal(folder).verify()
    assert told
    bare(folder)
    with full():
        assert Journal(folder).verify() == told


def test_a_file_beside_it_that_nobody_may_open_is_named(folder: Path):
    written(folder, 20)
    bare(folder)
    (folder / "state.db-wal").symlink_to(folder / "elsewhere")
    told = r"state.db-wal cannot be read: \w+"
    with pytest.raises(StateError, match=told), still(named(folder), OF_THE_DISK):
        pass


def test_a_database_that_is_taken_away_meanwhile_is_not_believed(folder: Path):
    written(folder, 20)
    bare(folder)
    told = "was written while it was read"
    opened = still(named(folder), OF_THE_DISK)
    assert opened.__enter__().execute("SELECT * FROM meta").fetchall()
    (folder / "state.db").unlink()
    with pytest.raises(StateError, match=told):
        opened.__exit__(None, None, None)


def test_what_is_no_database_is_damage_and_not_read_as_it_lies(folder: Path):
    written(folder, 20)
    bare(folder)
    (folder / "state.db").write_bytes(b"no database of anybody\n" * 400)
    assert "file is not a database" in Journal(folder).verify()
