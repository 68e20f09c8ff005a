"""What waits while the disk says no: bounded, in order, and stored once."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from riskguard.store import Journal, Store, database, pending
from riskguard.store import store as module
from tests.store.made import entry, sample


class Disk:
    """A clock that stands, and a database that is full when told so."""

    def __init__(self, folder: Path) -> None:
        self.seconds = 100.0
        self.store = Store(folder, clock=lambda: self.seconds)

    def fill(self) -> None:
        pages = self.store._db.execute("PRAGMA page_count").fetchone()[0]
        self.store._db.execute(f"PRAGMA max_page_count={pages}")

    def free(self) -> None:
        self.store._db.execute("PRAGMA max_page_count=65536")


def test_a_full_database_degrades_and_is_tried_again_ever_more_slowly(folder: Path):
    disk = Disk(folder)
    with disk.store as store:
        assert store.commit([entry(1)], rule_hash="hash", inputs=[sample(1)])
        disk.fill()
        big = "x" * 50_000
        assert not store.commit([entry(2)], rule_hash="hash", snapshot=big)
        assert "full" in store.degraded
        tried = []
        while len(tried) < 9:
            before = store._due
            store.retry()
            if store._due != before:
                tried.append(disk.seconds - 100)
            disk.seconds += 0.5
        assert tried == [1, 3, 7, 15, 31, 63, 123, 183, 243]
        assert not store.commit([entry(3)], rule_hash="hash", inputs=[sample(2)])
        assert Journal(folder).transitions()[-1].seq == 1
        disk.free()
        disk.seconds += 60
        assert store.retry()
        assert store.degraded == ""
        assert store._wait == 1.0
    assert [event.seq for event in Journal(folder).transitions()] == [1, 2, 3]
    assert [one.seq for one in Journal(folder).inputs()] == [1, 2]
    assert Journal(folder).verify() == ""


def test_a_commit_whose_time_has_come_tries_too(folder: Path):
    disk = Disk(folder)
    with disk.store as store:
        disk.fill()
        assert not store.commit(snapshot="x" * 50_000)
        disk.free()
        assert not store.commit([entry(1)])
        disk.seconds += 1
        assert store.commit([entry(2)])
        assert store.restored.fresh


def test_what_waits_at_the_end_is_stored_at_the_end(folder: Path):
    disk = Disk(folder)
    with disk.store as store:
        disk.fill()
        assert not store.commit([entry(1)], snapshot="x" * 50_000)
        disk.free()
    assert len(Journal(folder).transitions()) == 1


def test_what_waits_is_bounded_and_what_is_given_up_is_known(folder: Path, monkeypatch):
    monkeypatch.setattr(pending, "MOST", 50)
    monkeypatch.setattr(pending, "EVERY", 20)
    disk = Disk(folder)
    with disk.store as store:
        for number in range(1, 31):
            assert store.commit([entry(number)], rule_hash="hash", inputs=[sample(number)])
        disk.fill()
        assert not store.commit(snapshot="x" * 50_000)
        for number in range(31, 211):
            assert not store.commit([entry(number)], rule_hash="hash", inputs=[sample(number)])
        assert len(store._pending.batch.input) <= 50
        assert len(store._pending.batch.transition) <= 50
        disk.free()
        disk.seconds += 60
        assert store.retry()
        assert store.commit([entry(211)], rule_hash="hash", inputs=[sample(211)])
        assert store._pending.done == {f"action {n}" for n in range(7, 212, 7)}
    assert Journal(folder).verify() == ""
    with Store(folder) as store:
        found = store.restored
        assert not found.whole
        assert not found.lost
        assert found.seq == 211
        assert found.done == {f"action {n}" for n in range(7, 212, 7)}
        kept = [one.seq for one in found.inputs]
        assert kept == [*range(kept[0], 212)]  # none of those that were given up in between
        assert kept[0] > 31
        assert store.commit(snapshot="after the hole")
    with Store(folder) as store:
        assert store.restored.whole


def test_a_commit_in_doubt_is_stored_once(folder: Path, monkeypatch):
    """The disk says no after the commit was made: what waits is stored again, as the same."""
    disk = Disk(folder)
    write = module.write

    def doubtful(db: sqlite3.Connection, batch: database.Batch) -> None:
        write(db, batch)
        raise sqlite3.OperationalError("disk I/O error")

    with disk.store as store:
        assert store.commit([entry(1)], rule_hash="hash", inputs=[sample(1)])
        monkeypatch.setattr(module, "write", doubtful)
        assert not store.commit([entry(2)], rule_hash="hash", inputs=[sample(2)], snapshot="s")
        monkeypatch.setattr(module, "write", write)
        disk.seconds += 1
        assert store.commit([entry(3)], rule_hash="hash")
    assert Journal(folder).verify() == ""
    assert [event.seq for event in Journal(folder).transitions()] == [1, 2, 3]


def test_a_commit_in_doubt_whose_rows_are_given_up_leaves_no_contradiction(
    folder: Path, monkeypatch
):
    monkeypatch.setattr(pending, "MOST", 10)
    disk = Disk(folder)
    write = module.write

    def doubtful(db: sqlite3.Connection, batch: database.Batch) -> None:
        write(db, batch)
        raise OSError("input/output error")

    with disk.store as store:
        monkeypatch.setattr(module, "write", doubtful)
        assert not store.commit([entry(1), entry(2)], rule_hash="hash")
        monkeypatch.setattr(module, "write", write)
        for number in range(3, 16):
            store.commit([entry(number)], rule_hash="hash")
        disk.seconds += 1
        assert store.retry()
    assert Journal(folder).verify() == ""
    with Store(folder) as store:
        assert (store.seq, store.restored.whole, store.restored.lost) == (15, False, "")


def test_a_database_that_was_replaced_while_it_is_open_is_not_written(folder: Path):
    disk = Disk(folder)
    with disk.store as store:
        assert store.commit([entry(1)])
        kept = (folder / "state.db").read_bytes()
        (folder / "state.db").unlink()
        (folder / "state.db").write_bytes(kept)
        assert not store.commit([entry(2)])
        assert "replaced" in store.degraded
