from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from riskguard.errors import StateError
from riskguard.store import STATE_LOST, Journal, Store
from riskguard.store.database import COLUMNS
from tests.counts import counts
from tests.store.made import entry, written
from tests.store.spoiled import BAD, MOMENT, Kept, harmed


@counts(10_000, 1_000_000)
def test_no_altered_content_is_believed(count: int, folder: Path, measured):
    dice = random.Random(20260212)
    tables = [Kept(folder, logged=False), Kept(folder.with_name("logged"), logged=True)]
    found = same = 0
    for number in range(count):
        kept = tables[number % 4 == 3]
        name = "state.db-wal" if kept is tables[1] and number % 8 == 7 else "state.db"
        kept.lay(name, harmed(kept.bytes[name], dice))
        believed = kept.believed()
        if isinstance(believed, str):
            found += 1
            continue
        same += 1
        assert believed == kept.restored
        if number % 10 == 0:
            kept.lay(name, (kept.files.folder / name).read_bytes())
            assert unaltered(kept)
    assert found > count / 2
    measured(
        f"{count:,} flips, cuts and overwritten pages of a state: {found:,} found,"
        f" {same:,} changed nothing that is read, 0 altered contents believed"
    )


def unaltered(kept: Kept) -> bool:
    """Tell whether a journal is told as it was, or not told at all."""
    try:
        return Journal(kept.files.folder).transitions() == kept.events
    except StateError:
        return True


def test_the_check_of_sqlite_alone_would_believe_many(folder: Path):
    """What the seals are for: flips that pass it and change what is read."""
    kept, dice, passed = Kept(folder, logged=False), random.Random(1), 0
    sound = contents(kept)
    for _ in range(200):
        spoiled = bytearray(kept.bytes["state.db"])
        spoiled[dice.randrange(len(spoiled))] ^= 1 << dice.randrange(8)
        kept.lay("state.db", bytes(spoiled))
        passed += contents(kept) not in (sound, None)
    assert passed > 20


def contents(kept: Kept) -> list[tuple[object, ...]] | None:
    """Return what SQLite reads, or nothing where it finds fault itself."""
    try:
        with closing(sqlite3.connect(kept.files.database)) as db:
            if db.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                return None
            texts = (f"SELECT * FROM {name} ORDER BY 1" for name in COLUMNS)
            return [row for text in texts for row in db.execute(text)]
    except sqlite3.Error:
        return None


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_state_is_set_aside_and_the_new_one_says_so(folder: Path, seed: int):
    kept, dice = Kept(folder, logged=seed % 2 == 1), random.Random(seed)
    while True:
        kept.lay("state.db", harmed(kept.bytes["state.db"], dice))
        if isinstance(reason := kept.believed(), str):
            break
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with Store(folder, now=lambda: MOMENT) as opened:
        assert opened.restored.lost == reason
        assert (opened.restored.fresh, opened.restored.whole) == (False, False)
        assert opened.restored.seq == opened.seq == 41
        assert not opened.degraded
        assert opened.commit([entry(42)], rule_hash="hash")
    for name, content in before.items():
        if name in {"state.db", "state.db-wal"}:
            assert (folder / name.replace("state.db", BAD)).read_bytes() == content
    with Store(folder) as opened:
        assert opened.restored.lost == reason
        lost, after = opened.restored.transitions
        assert lost[:3] == (41, 0, MOMENT)
        assert (lost.kind, lost.body) == (STATE_LOST, {"reason": reason})
        assert after.seq == 42
        assert opened.commit(snapshot="latched")
    with Store(folder) as opened:
        assert not opened.restored.lost
        assert opened.restored.snapshot is not None


def test_files_that_were_set_aside_in_one_second_have_names_of_their_own(folder: Path):
    for _ in range(3):
        Kept(folder, logged=False) if not folder.exists() else None
        (folder / "state.db").write_bytes(b"")
        Store(folder, now=lambda: MOMENT).close()
    assert {path.name for path in folder.iterdir()} == {
        "state.db", "state.lock", BAD, f"{BAD}.2", f"{BAD}.3"
    }  # fmt: skip


def test_a_log_that_is_missing_loses_nothing_at_rest(folder: Path):
    kept = Kept(folder, logged=False)
    kept.lay("state.db-wal", b"")
    (folder / "state.db-wal").unlink()
    with Store(folder) as opened:
        assert opened.restored == kept.restored


@pytest.mark.parametrize("spoil", ["missing", "empty", "cut", "flipped", "foreign"])
def test_a_log_whose_rows_were_acknowledged_is_missed(folder: Path, spoil: str):
    kept = Kept(folder, logged=True)
    log = kept.bytes["state.db-wal"]
    other = Kept(folder.with_name("other"), logged=True).bytes["state.db-wal"]
    flipped = bytearray(log)
    flipped[len(log) // 2] ^= 1
    new = {"missing": b"", "empty": b"", "cut": log[:-1], "flipped": bytes(flipped)}
    kept.lay("state.db-wal", new.get(spoil, other))
    if spoil == "missing":
        (folder / "state.db-wal").unlink()
    with Store(folder) as opened:
        assert opened.restored.lost


def test_an_older_copy_is_no_state_of_now(folder: Path):
    kept = Kept(folder, logged=False)
    with Store(folder) as opened:
        assert opened.commit([entry(41)])
    kept.lay("", b"")
    with Store(folder) as opened:
        assert opened.restored.lost == "state.db: transition ends at 40, and 41 was stored"
    kept.lay("", b"")
    (folder / "state.lock").unlink()  # what the manual says to do to take an older copy
    with Store(folder) as opened:
        assert opened.restored == kept.restored


def test_another_state_is_not_taken_for_ours(folder: Path):
    kept = Kept(folder, logged=False)
    other = folder.with_name("other")
    written(other, 100)
    kept.lay("state.db", (other / "state.db").read_bytes())
    with Store(folder) as opened:
        assert opened.restored.lost == "state.db is not the state that was last held here"
