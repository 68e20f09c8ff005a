from __future__ import annotations

import json
import math
import os
import sqlite3
import stat
from pathlib import Path

import pytest

from riskguard.errors import StateError
from riskguard.store import (
    ACTION_DONE,
    Entry,
    Input,
    Journal,
    Snapshot,
    Store,
    Transition,
    canonical,
    database,
    pending,
    rows,
)
from tests.store.made import ABOUT, Writer, entry, sample, written, wrong

HOSTILE = [
    "",
    "\x00",
    "a\x00b",
    "\x1b[31m",
    "'; DROP TABLE meta; --",
    "\u202e",
    "😀",
    "x" * 100_000,
]


def test_what_is_stored_comes_back_as_it_was(folder: Path):
    body = {"f": 0.1 + 0.2, "tiny": 5e-324, "big": 2**70, "n": None, "t": [True, {"ü": "✓"}]}
    with Store(folder) as store:
        assert store.restored.fresh
        assert store.commit(
            [Entry(7, "rule", body), Entry(8, ACTION_DONE, {"id": "a:1:reduce_to:BTC"})],
            rule_hash="abc",
            inputs=[(5, {"close": 1e308}), (5, {"close": -0.0})],
            snapshot="whatever the guard\nwrote",
            about=ABOUT,
        )
        assert store.commit([Entry(9, "stage", {})], rule_hash="abc", inputs=[(6, {})])
    with Store(folder) as store:
        found = store.restored
    assert (found.fresh, found.lost, found.whole, found.seq) == (False, "", True, 3)
    assert found.about == ABOUT
    assert found.snapshot == Snapshot(1, 2, 2, "abc", "whatever the guard\nwrote")
    assert found.transitions == (Transition(3, 3, 9, "abc", "stage", {}),)
    assert found.inputs == (Input(3, 6, {}),)
    assert found.done == {"a:1:reduce_to:BTC"}
    first, done, _ = Journal(folder).transitions()
    assert first == Transition(1, 2, 7, "abc", "rule", body)
    assert done.body["id"] in found.done
    assert [str(one.body["close"]) for one in Journal(folder).inputs()[:2]] == ["1e+308", "-0.0"]


def test_without_a_snapshot_all_is_restored(folder: Path):
    with Store(folder) as store:
        for number in range(1, 20):
            assert store.commit([entry(number)], rule_hash="hash", inputs=[sample(number)])
    with Store(folder) as store:
        assert len(store.restored.inputs) == len(store.restored.transitions) == 19
        assert not wrong(store.restored)


def test_the_last_two_snapshots_are_kept(folder: Path):
    with Store(folder) as store:
        for text in "abcd":
            assert store.commit(snapshot=text)
    assert [kept.body for kept in Journal(folder).snapshots()] == ["c", "d"]


def test_an_action_that_is_done_twice_is_done_once(folder: Path):
    for _ in range(2):
        with Store(folder) as store:
            assert store.commit([Entry(1, ACTION_DONE, {"id": "a"})] * 2)
    with Store(folder) as store:
        assert store.restored.done == {"a"}
        assert (store.seq, store._pending.chains["done_action"].seq) == (4, 1)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_come_back_as_they_were(folder: Path, text: str):
    made = [Entry(1, text, {text: text}), Entry(1, ACTION_DONE, {"id": text})]
    with Store(folder) as store:
        assert store.commit(made, rule_hash=text, snapshot=text, about={text: text})
        assert store.commit([Entry(1, text, {text: text})], rule_hash=text)
    with Store(folder) as store:
        found = store.restored
    assert found.about == {text: text}
    assert found.snapshot is not None
    assert (found.snapshot.body, found.snapshot.rule_hash) == (text, text)
    assert found.transitions == (Transition(3, 0, 1, text, text, {text: text}),)
    assert found.done == {text}


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"entries": [Entry(1, "rule", {"x": math.nan})]}, ValueError),
        ({"entries": [Entry(1, "rule", {"x": math.inf})]}, ValueError),
        ({"entries": [Entry(1, "rule", {"x": object()})]}, TypeError),
        ({"entries": [Entry(2**63, "rule", {})]}, ValueError),
        ({"entries": [Entry(1.5, "rule", {})]}, ValueError),
        ({"entries": [Entry(1, "\ud800", {})]}, ValueError),
        ({"entries": [Entry(1, ACTION_DONE, {})]}, KeyError),
        ({"entries": [Entry(1, ACTION_DONE, {"id": "\ud800"})]}, ValueError),
        ({"inputs": [(-(2**63) - 1, {})]}, ValueError),
        ({"inputs": [(1, {"x": {1, 2}})]}, TypeError),
        ({"snapshot": "\ud800"}, ValueError),
        ({"rule_hash": "\ud800"}, ValueError),
        ({"about": {"x": math.nan}}, ValueError),
    ],
)
def test_what_cannot_be_written_whole_is_not_taken_at_all(folder: Path, given, error):
    good = {"entries": [entry(1)], "inputs": [sample(1)], "snapshot": "s", "rule_hash": "hash"}
    with Store(folder) as store:
        with pytest.raises(error):
            store.commit(**(good | given))
        assert not store._pending.waits
        assert store.commit(**good)
    assert Journal(folder).verify() == ""
    assert len(Journal(folder).transitions()) == 1


def test_canonical_json_is_one_text_for_one_body():
    assert (
        canonical({"b": [1, 0.1], "a": None, "ü": "\n"}) == '{"a":null,"b":[1,0.1],"\\u00fc":"\\n"}'
    )
    value = {"a": [1e22, 5e-324, -0.0, 2**64, "😀"]}
    assert canonical(json.loads(canonical(value))) == canonical(value)


def test_the_settings_are_those_that_were_measured(folder: Path):
    with Store(folder) as store:
        store.commit([entry(1)])
        ask = lambda name: store._db.execute(f"PRAGMA {name}").fetchone()[0]  # noqa: E731
        assert ask("journal_mode") == "wal"
        assert ask("synchronous") == 2
        assert ask("trusted_schema") == 0
        assert ask("cell_size_check") == 1
        assert ask("fullfsync") == ask("checkpoint_fullfsync") == 1
        assert ask("application_id") == 0x52475344
        assert ask("user_version") == 1
        assert ask("page_size") * ask("max_page_count") == 256 << 20
        assert store._db.isolation_level is None
        tables = store._db.execute("PRAGMA table_list").fetchall()
        ours = [row for row in tables if not row[1].startswith("sqlite_")]
        assert {row[1] for row in ours} == set(database.COLUMNS)
        assert all(row[5] for row in ours)  # STRICT


def test_the_log_is_empty_at_rest(folder: Path):
    with Store(folder) as store:
        for number in range(1, 10):
            assert store.commit([entry(number)], snapshot="x" * 10_000)
            assert (folder / "state.db-wal").stat().st_size == 0
    assert not (folder / "state.db-wal").exists()


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_nobody_else_can_read_it(folder: Path, mask: int):
    kept = os.umask(mask)
    try:
        with Store(folder) as store:
            store.commit([entry(1)])
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    finally:
        os.umask(kept)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert modes == dict.fromkeys(["state.db", "state.db-wal", "state.db-shm", "state.lock"], 0o600)


def test_a_file_that_others_could_read_is_closed_to_them(folder: Path):
    written(folder, 3)
    (folder / "state.db").chmod(0o644)
    folder.chmod(0o755)
    Store(folder).close()
    assert stat.S_IMODE((folder / "state.db").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_an_old_sqlite_is_refused(folder: Path, monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 0))
    with pytest.raises(StateError, match=r"3\.37 or newer"):
        Store(folder)


def test_a_closed_store_says_so(folder: Path):
    store = Store(folder)
    store.close()
    store.close()
    for call in (store.commit, store.retry, lambda: store.prune(1)):
        with pytest.raises(StateError, match="closed"):
            call()


def test_nothing_to_store_is_stored(folder: Path):
    with Store(folder) as store:
        assert store.commit()
        assert store.retry()


@pytest.mark.parametrize("seed", range(5))
def test_long_histories_are_restored_and_verified(folder: Path, seed: int, monkeypatch):
    monkeypatch.setattr(pending, "EVERY", 20)
    for part in range(5):
        found = written(folder, 60, seed * 10 + part)
        assert not wrong(found)
        assert Journal(folder).verify() == ""
    with Store(folder) as store:
        anchors = store._db.execute("SELECT count(*) FROM anchor").fetchone()[0]
        assert anchors > 3


def test_a_start_walks_from_the_last_anchor_only(folder: Path, monkeypatch):
    monkeypatch.setattr(pending, "EVERY", 100)
    with Store(folder) as store:
        for number in range(1, 1_001):
            store._pending.take([entry(number)], [sample(number)], "hash", None, None)
        assert store.commit(snapshot="s")
        assert store.commit([entry(1_001)], inputs=[sample(1_001)], rule_hash="hash")
    seals = []
    seal = rows.seal
    monkeypatch.setattr(rows, "seal", lambda *row: (seals.append(row), seal(*row))[1])
    with Store(folder) as store:
        assert [event.seq for event in store.restored.transitions] == [1_001]
        assert [one.seq for one in store.restored.inputs] == [1_001]
    done = 1_001 // 7
    assert len([row for row in seals if len(row) > 3]) < done + 20


def test_a_writer_goes_on_where_another_ended(folder: Path):
    for seed in range(10):
        with Store(folder) as store:
            assert not wrong(store.restored) if store.seq else store.restored.fresh
            writer = Writer(store, seed)
            assert all(writer.step() for _ in range(10))
    assert Journal(folder).verify() == ""
