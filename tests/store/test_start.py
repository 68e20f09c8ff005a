from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from riskguard.errors import StateError
from riskguard.store import Journal, Restored, Store, checking, database, files, starting, store
from tests.store.made import MINUTE, entry, sample, wrong
from tests.store.spoiled import Kept, foreign


def test_a_state_that_was_removed_is_begun_anew_and_its_numbers_go_on(folder: Path):
    Kept(folder, logged=False)
    (folder / "state.db").unlink()
    with Store(folder) as opened:
        assert opened.restored == Restored(seq=40)
        assert opened.commit([entry(41)], rule_hash="hash", inputs=[sample(1)])
    with Store(folder) as opened:
        assert (opened.seq, opened.restored.lost) == (41, "")
        assert opened.commit(snapshot="s")
    with Store(folder) as opened:
        assert opened.restored.whole
    assert Journal(folder).verify() == ""


@pytest.mark.parametrize("step", ["created", "set_aside", "renamed"])
def test_a_start_that_is_cut_short_forgets_no_loss(folder: Path, step: str, monkeypatch):
    """The new database is whole before the old one is moved: a kill in between loses no word."""
    kept = Kept(folder, logged=False)
    kept.lay("state.db", b"")

    class Killed(BaseException):
        pass

    def cut(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        if step == "created":
            patch.setattr(files.Files, "set_aside", cut)
        elif step == "set_aside":
            patch.setattr(Path, "rename", once_then(Path.rename, cut))
        else:
            patch.setattr(store, "sync", cut)
        with pytest.raises(Killed):
            Store(folder)
    with Store(folder) as opened:
        assert opened.restored.lost
        assert not opened.degraded


def once_then(first, then):
    calls = []

    def either(*given):
        calls.append(given)
        return first(*given) if len(calls) == 1 else then()

    return either


def test_what_a_cut_start_left_is_thrown_away_if_it_is_not_whole(folder: Path):
    folder.mkdir(mode=0o700)
    (folder / "state.db.new").write_bytes(b"half" * 500)
    (folder / "state.db.new-wal").write_bytes(b"half" * 500)
    with Store(folder) as opened:
        assert opened.restored.fresh
        assert opened.commit([entry(1)])
    assert sorted(path.name for path in folder.iterdir()) == ["state.db", "state.lock"]


def test_a_newer_state_is_left_as_it_is_and_nothing_is_stored(folder: Path):
    Kept(folder, logged=False)
    foreign(folder / "state.db", "PRAGMA user_version=2")
    before = (folder / "state.db").read_bytes()
    with Store(folder) as opened:
        assert "newer riskguard (schema 2; 1 is known)" in opened.restored.lost
        assert opened.degraded == opened.restored.lost
        assert opened.seq == 40
        assert not opened.commit([entry(41)], snapshot="s")
        assert opened.seq == 41
        assert not opened.retry()
        assert not opened.prune(MINUTE)
    assert (folder / "state.db").read_bytes() == before
    with pytest.raises(StateError, match="newer riskguard"):
        Journal(folder).transitions()


def test_an_older_state_is_copied_and_brought_up_in_one_transaction(folder: Path, monkeypatch):
    kept = Kept(folder, logged=False)
    shutil.copy(folder / "state.db", folder / "state.db.v1")  # of an attempt before
    for module in (checking, database, starting):
        monkeypatch.setattr(module, "SCHEMA", 2)
    failing = {1: lambda db: (db.execute("DELETE FROM transition"), db.execute("NONSENSE"))}
    monkeypatch.setattr(database, "MIGRATIONS", failing)
    with Store(folder) as opened:  # it cannot be brought up: as good as damaged
        assert "NONSENSE" in opened.restored.lost
    kept.lay("", b"")
    (folder / "state.lock").unlink()
    monkeypatch.setattr(database, "MIGRATIONS", {1: lambda db: db.execute("PRAGMA user_version")})
    with Store(folder) as opened:
        assert opened.restored == kept.restored
        assert opened._db.execute("PRAGMA user_version").fetchone() == (2,)
    old = sqlite3.connect(folder / "state.db.v1")
    assert old.execute("PRAGMA user_version").fetchone() == (1,)
    assert old.execute("SELECT count(*) FROM transition").fetchone() == (40,)
    old.close()


def test_made_states_are_what_the_damage_is_measured_against(folder: Path):
    kept = Kept(folder, logged=True)
    assert not wrong(kept.restored)
    assert len(kept.bytes["state.db-wal"]) > 10_000
    assert isinstance(kept.believed(), Restored)
