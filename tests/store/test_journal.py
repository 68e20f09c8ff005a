from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from riskguard.errors import StateError
from riskguard.store import PRUNED, Journal, Snapshot, Store, pending
from tests.store.made import MINUTE, Writer, entry, sample, written, wrong

ROOT = Path(__file__).parents[2]

READER = """
import sys
from riskguard.store import Journal
from tests.store.made import wrong
journal, ends, number = Journal(sys.argv[1]), [], 0
while number < 60 or ends[-1] - ends[0] <= 10:  # until much was written, on a busy machine too
    found = journal.restored()
    assert not wrong(found), wrong(found)
    seqs = [event.seq for event in journal.transitions(max(0, found.seq - 5))]
    assert seqs == list(range(seqs[0], seqs[-1] + 1)), seqs
    assert seqs[-1] >= found.seq
    ends += [found.seq, seqs[-1]]
    if number % 20 == 0:
        assert journal.verify() == "", journal.verify()
    number += 1
assert ends == sorted(ends), ends
print(ends[-1] - ends[0])
"""


def test_readers_read_whole_moments_while_another_writes(folder: Path):
    with Store(folder) as store:
        assert store.commit([entry(1)], rule_hash="hash")
        command = [sys.executable, "-c", READER, str(folder)]
        readers = [
            subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)
        ]
        writer = Writer(store, 5)
        while any(reader.poll() is None for reader in readers):
            assert writer.step(), store.degraded
        said = [reader.communicate()[0] for reader in readers]
    assert [reader.returncode for reader in readers] == [0, 0]
    assert all(int(text) > 10 for text in said)


def test_a_reader_puts_off_the_emptying_of_the_log_and_no_more(folder: Path):
    with Store(folder) as store:
        assert store.commit([entry(1)])
        reader = sqlite3.connect(f"file:{folder}/state.db?mode=ro", uri=True)
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM transition").fetchone() == (1,)
        assert store.commit([entry(2)])
        assert store.commit([entry(3)])
        assert not store.degraded
        assert (folder / "state.db-wal").stat().st_size > 0
        reader.close()
        assert store.commit([entry(4)])
        assert (folder / "state.db-wal").stat().st_size == 0


def test_reading_changes_nothing(folder: Path):
    written(folder, 20)
    before = (folder / "state.db").read_bytes()
    journal = Journal(folder)
    journal.restored(), journal.transitions(), journal.inputs(), journal.snapshots()
    assert journal.verify() == ""
    assert (folder / "state.db").read_bytes() == before
    with pytest.raises(StateError, match="readonly"), journal._open() as db:
        db.execute("DELETE FROM meta")


@pytest.mark.parametrize("after", [0, 1, 19, 20, 21, 99, 100])
def test_what_is_behind_a_number_is_read(folder: Path, after: int, monkeypatch):
    monkeypatch.setattr(pending, "EVERY", 20)
    with Store(folder) as store:
        for number in range(1, 101):
            assert store.commit([entry(number)], inputs=[sample(number)])
    journal = Journal(folder)
    assert [event.seq for event in journal.transitions(after)] == [*range(after + 1, 101)]
    assert [one.seq for one in journal.inputs(after)] == [*range(after + 1, 101)]


def test_where_nothing_is_a_reader_says_so_and_makes_nothing(folder: Path):
    journal = Journal(folder)
    for call in (journal.restored, journal.transitions, journal.verify, journal.snapshots):
        with pytest.raises(StateError, match=f"there is no state in {folder}"):
            call()
    assert not folder.exists()


def test_a_reader_of_damage_says_what_and_leaves_it(folder: Path):
    written(folder, 5)
    (folder / "state.db").write_bytes(b"")
    with pytest.raises(StateError, match=r"0 bytes; .* the next start sets it aside"):
        Journal(folder).transitions()
    assert Journal(folder).verify().startswith("state.db has 0 bytes")
    assert (folder / "state.db").exists()


def test_verify_finds_in_what_no_start_needs(folder: Path, monkeypatch):
    monkeypatch.setattr(pending, "EVERY", 10)
    with Store(folder) as store:
        for number in range(1, 30):
            assert store.commit([entry(number)], snapshot="s")
    with sqlite3.connect(folder / "state.db") as db:
        db.execute("UPDATE transition SET body='{}' WHERE seq = 3")
    db.close()
    with Store(folder) as store:
        assert store.seq == 29
    assert Journal(folder).verify() == "state.db: the seal of transition 3 is broken"


def seqs(rows) -> list[int]:
    return [row.seq for row in rows]


def test_what_is_old_is_forgotten_and_that_is_written_down(folder: Path, monkeypatch):
    monkeypatch.setattr(pending, "EVERY", 20)
    with Store(folder) as store:
        for number in range(1, 101):
            snapshot = f"{number}" if number in {70, 90} else None
            made = {"inputs": [sample(number)], "rule_hash": "hash", "snapshot": snapshot}
            assert store.commit([entry(number)], **made)
        assert store.prune(51 * MINUTE, rule_hash="hash")
        journal = Journal(folder)
        assert seqs(journal.inputs()) == [*range(51, 101)]
        assert seqs(journal.transitions()) == [*range(51, 102)]
        told = journal.transitions()[-1]
        assert told[1:] == (100, 51 * MINUTE, "hash", PRUNED, {"input": 50, "transition": 50})
        assert journal.verify() == ""
        assert store.prune(51 * MINUTE)  # again: nothing is left to forget
        assert store.seq == 101
        assert store.prune(1_000 * MINUTE)  # what the last two snapshots need is kept
        assert seqs(journal.inputs()) == [*range(71, 101)]
        assert journal.transitions()[0].seq == 71
        assert journal.verify() == ""
        assert store.commit([entry(103)], snapshot="103")
    with Store(folder) as store:
        assert store.restored.snapshot == Snapshot(3, 103, 100, "", "103")
        assert store.restored.done == {f"action {n}" for n in range(7, 101, 7)}  # for ever
        assert store.restored.whole


def test_without_a_snapshot_nothing_is_forgotten(folder: Path):
    with Store(folder) as store:
        assert store.commit([entry(1)], inputs=[sample(1)])
        assert store.prune(1_000 * MINUTE)
        assert store.seq == 1
    assert seqs(Journal(folder).inputs()) == [1]


def test_a_missing_anchor_of_what_was_forgotten_is_damage(folder: Path):
    with Store(folder) as store:
        for number in range(1, 11):
            assert store.commit([entry(number)], inputs=[sample(number)], snapshot="s")
        assert store.prune(5 * MINUTE)
    with sqlite3.connect(folder / "state.db") as db:
        db.execute("DELETE FROM anchor")
    db.close()
    assert Journal(folder).verify() == "state.db: transition 1 is missing"


def test_what_is_forgotten_while_the_disk_is_full_is_forgotten_later(folder: Path, monkeypatch):
    monkeypatch.setattr(pending, "MOST", 30)
    seconds = [0.0]
    with Store(folder, clock=lambda: seconds[0]) as store:
        for number in range(1, 21):
            assert store.commit([entry(number)], inputs=[sample(number)], snapshot="s" * 100)
        store._db.execute("PRAGMA query_only=ON")
        assert not store.prune(10 * MINUTE)
        assert store.degraded
        for number in range(22, 100):
            assert not store.commit([entry(number)], inputs=[sample(number)])
        assert seqs(Journal(folder).inputs()) == [*range(1, 21)]
        store._db.execute("PRAGMA query_only=OFF")
        seconds[0] += 60
        assert store.retry()
    assert Journal(folder).verify() == ""
    assert Journal(folder).inputs()[0].seq == 10
    with Store(folder) as store:
        assert not store.restored.whole


HOSTILE = [
    "a b", "a?mode=memory", "a#b", "a%2Fb", "a&cache=shared", "-rf", ":memory:", "file:x", "ü✓😀",
    "a\nb", "a\x1b[31mb", "'; DROP TABLE meta; --", "a\\b", 'a"b', "..x", "~", "$HOME", "a;b",
    os.fsdecode(b"\xff\xfe"), "x" * 200,
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_a_name(quick: Path, name: str):
    place = quick / name
    found = written(place, 10)
    assert not wrong(found)
    assert Journal(place).verify() == ""
    assert [os.fsencode(path.name) for path in quick.iterdir()] == [os.fsencode(name)]


def test_a_name_with_a_nul_or_too_long_is_refused_in_words(quick: Path):
    with pytest.raises(StateError, match=r"'a\\x00b' cannot be the name"):
        Store("a\x00b")
    long = quick.joinpath(*["x" * 200] * 3)
    for call in (Store, Journal):
        with pytest.raises(StateError, match="too long; 480 bytes"):
            call(long)
    assert not (quick / ("x" * 200)).exists()
