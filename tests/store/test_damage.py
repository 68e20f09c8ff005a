from __future__ import annotations

import os
import random
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from riskguard.errors import StateError
from riskguard.store import STATE_LOST, Journal, Restored, Store, files, store
from riskguard.store.database import COLUMNS
from riskguard.store.files import Damage, named
from riskguard.store.rows import seal
from riskguard.store.starting import _believed
from tests.counts import counts
from tests.store.made import MINUTE, blob, entry, sample, written, wrong

MOMENT = 1_770_300_000_000_000_000
BAD = "state.db.bad-20260205T140000Z"


class Kept:
    """A sound state, what it restores, and its files as bytes, the log full or empty."""

    def __init__(self, folder: Path, *, logged: bool) -> None:
        self.files = named(folder)
        self.store = Store(folder)
        for number in range(1, 41):
            snapshot = blob(number, number, 3_000) if number in {5, 9} else None
            made = {"inputs": [sample(number)], "rule_hash": "hash", "snapshot": snapshot}
            if logged and number == 31:
                store.settled, settled = (lambda _: None), store.settled
            assert self.store.commit([entry(number)], **made)
        if logged:
            store.settled = settled
        self.mark = self.store._lock.mark
        names = ["state.db", "state.db-wal"]
        self.bytes = {name: (folder / name).read_bytes() for name in names}
        self.restored = Journal(folder).restored()
        self.events = Journal(folder).transitions()
        self.store.close()

    def lay(self, name: str, content: bytes) -> None:
        for side in self.files.sides():
            side.unlink(missing_ok=True)
        for known, sound in self.bytes.items():
            (self.files.folder / known).write_bytes(content if known == name else sound)

    def believed(self) -> Restored | str:
        try:
            assert self.files.look()
            found = _believed(self.files, self.mark)
        except Damage as damage:
            return str(damage)
        assert found is not None
        return found.restored


def harmed(sound: bytes, dice: random.Random) -> bytes:
    """Return a file with a bit flipped, bytes overwritten, a sector gone, an end cut off, …"""
    spoiled = bytearray(sound)
    place = dice.randrange(len(sound))
    sector = place // 512 * 512
    match dice.randrange(12):
        case 0:
            return sound[:place]
        case 1:
            return sound[: place // 4096 * 4096]
        case 2:
            spoiled[sector : sector + 512] = bytes(512)
        case 3:
            length = dice.randrange(1, 200)
            spoiled[place : place + length] = dice.randbytes(length)
        case 4:  # a page in the place of another
            other = dice.randrange(len(sound)) // 4096 * 4096
            page = place // 4096 * 4096
            spoiled[page : page + 4096] = sound[other : other + 4096]
        case _:
            spoiled[place] ^= 1 << dice.randrange(8)
    return bytes(spoiled)


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


def foreign(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as db:
        db.execute(statement)
    db.close()


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
    from riskguard.store import checking, database, starting

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
