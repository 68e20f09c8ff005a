"""Disks that fill, fail and turn read-only: decisions go on, and what was stored stays stored."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from riskguard.errors import StateError
from riskguard.store import Journal, Store, database
from riskguard.store import store as store_module
from tests.counts import counts
from tests.store.made import Writer, ends, entry, written, wrong
from tests.store.vfs import watched

ROOT = Path(__file__).parents[2]
# what SQLite's own file system answers: full or over quota; broken or read-only; out of
# descriptors. Its pager knows these alone, so no others are injected where they cannot come from
ERRORS = {"open": [apsw.CantOpenError], "write": [apsw.FullError, apsw.IOError]}
EVERYWHERE = [apsw.IOError]
CALLS = 250  # to the file system in a history, about
STEPS = 12


class Fault:
    """Refuses some of the calls to the file system, from one on."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.begin = dice.randrange(CALLS)
        self.end = self.begin + dice.choice([1, 2, 10, CALLS])
        self.calls = 0
        self.hits = 0
        self.over = False

    def __call__(self, what: str, *_: object) -> None:
        self.calls += 1
        if self.begin <= self.calls < self.end and not self.over:
            self.hits += 1
            raise self.dice.choice(ERRORS.get(what, EVERYWHERE))("injected")


def lived(folder: Path, seed: int) -> tuple[str, str]:
    """Live through one fault; return what came of it and what was wrong with that."""
    dice = random.Random(seed)
    fault, seconds, acked = Fault(dice), [0.0], (0, 0, 0, 0)
    if dice.random() < 0.5:
        written(folder, 5, seed)
    with watched(fault):
        try:
            store = Store(folder, clock=lambda: seconds[0])
        except StateError as error:
            return "refused", "" if "cannot be read" in str(error) else str(error)
        writer = Writer(store, seed)
        for _ in range(STEPS):
            if writer.step():
                acked = ends(store)
            elif not store.degraded:
                return "", "not stored, and not degraded"
            seconds[0] += dice.choice([0.0, 1.0, 5.0])
        fault.over = True
        seconds[0] += 61
        if not store.retry() or store.degraded:
            return "", f"does not recover: {store.degraded}"
        acked = ends(store)
        store.close()
    with Store(folder) as store:
        if any(now < before for now, before in zip(ends(store), acked, strict=True)):
            return "", f"{acked} was acknowledged, and {ends(store)} is there"
        came = "hit" if fault.hits else "not reached"
        return came, wrong(store.restored) or Journal(folder).verify()


@counts(500, 100_000)
def test_a_disk_that_fails_at_any_call_costs_nothing_that_was_stored(
    count: int, quick: Path, measured
):
    came = Counter()
    for seed in range(count):
        what, fault = lived(quick / "state", seed)
        assert not fault, f"seed {seed}: {fault}"
        came[what] += 1
        shutil.rmtree(quick / "state", ignore_errors=True)
    assert came["hit"] > count / 3
    measured(
        f"{count:,} histories with failing calls to the disk: {came['hit']:,} lived through,"
        f" {came['refused']:,} starts refused, {came['not reached']:,} not reached; 0 lost"
    )


@pytest.mark.parametrize("error", [apsw.IOError, apsw.FullError, apsw.BusyError])
def test_a_start_that_cannot_read_is_refused_and_touches_nothing(folder: Path, error):
    written(folder, 10)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def broken(what: str, *_: object) -> None:
        if what == "read":
            raise error("injected")

    with watched(broken), pytest.raises(StateError, match="the state cannot be read"):
        Store(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    Store(folder).close()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """Return a real file system in memory that holds a quarter of a megabyte."""
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    if not (mount and unmount and os.geteuid() == 0):
        pytest.skip("no file system can be mounted: not root")
    place = tmp_path / "small"
    place.mkdir()
    made = [mount, "-t", "tmpfs", "-o", "size=256k,mode=700", "tmpfs", str(place)]
    if subprocess.run(made, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted: not allowed")
    yield place
    subprocess.run([unmount, str(place)], check=True)


def filled(place: Path) -> Path:
    """Write a file until the disk is full, and return it."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return ballast


def test_a_full_disk_stores_nothing_and_loses_nothing(small: Path):
    seconds = [0.0]
    with Store(small / "state", clock=lambda: seconds[0]) as store:
        writer = Writer(store, 1)
        assert all(writer.step() for _ in range(5))
        acked = ends(store)
        ballast = filled(small)
        for _ in range(20):
            if writer.step():
                acked = ends(store)
        assert store.degraded
        assert ends(store) > acked
        assert Journal(small / "state").verify() == ""
        ballast.unlink()
        seconds[0] += 61
        assert store.retry()
        assert not store.degraded
        acked = ends(store)
    with Store(small / "state") as store:
        assert ends(store) == acked
        assert not wrong(store.restored)


def test_a_start_on_a_full_disk_decides_from_memory_until_there_is_space(small: Path):
    state, seconds = small / "state", [0.0]
    Store(state).close()
    (state / "state.db").write_bytes(b"")  # damaged, too
    ballast = filled(small)
    with Store(state, clock=lambda: seconds[0]) as store:
        assert "0 bytes" in store.restored.lost
        assert store.degraded
        assert not store.commit([entry(2)])
        assert (state / "state.db").stat().st_size == 0  # not set aside before a new one is made
        assert not store.prune(10**18)
    with Store(state, clock=lambda: seconds[0]) as store:
        assert store.restored.lost
        ballast.unlink()
        seconds[0] += 1
        assert store.retry()
        assert store.commit([entry(2)])
    with Store(state) as store:
        assert store.restored.lost
        assert store.seq == 2


def test_a_disk_that_turns_read_only_degrades(small: Path):
    mount = shutil.which("mount") or ""
    seconds = [0.0]
    store = Store(small / "state", clock=lambda: seconds[0])
    assert store.commit([entry(1)])
    store._db.close()  # a file that is open for writing keeps a disk from turning
    store._db = None
    again = [mount, "-o", "remount,ro", str(small)]
    held, store._lock._handle = store._lock._handle, os.open(small / "state", os.O_RDONLY)
    os.close(held)
    subprocess.run(again, check=True)
    assert not store.commit([entry(2)])
    assert store.degraded
    subprocess.run([mount, "-o", "remount,rw", str(small)], check=True)
    seconds[0] += 1
    assert store.retry()
    store.close()
    assert [event.seq for event in Journal(small / "state").transitions()] == [1, 2]


LIMITED = """
import resource, sys
from riskguard.store import Journal, Store
from tests.store.made import entry
seconds = [0.0]
with Store(sys.argv[1], clock=lambda: seconds[0]) as store:
    assert store.commit([entry(1)])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, hard))
    assert not store.commit([entry(2)], snapshot="x" * 100_000)
    assert store.degraded
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    seconds[0] += 1
    assert store.retry() and not store.degraded
assert [event.seq for event in Journal(sys.argv[1]).transitions()] == [1, 2]
assert Journal(sys.argv[1]).verify() == ""
"""


def test_a_limit_on_the_size_of_files_degrades(folder: Path):
    command = [sys.executable, "-c", LIMITED, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_log_that_cannot_be_emptied_degrades_and_is_stored_all_the_same(
    folder: Path, monkeypatch
):
    def full(_: object) -> None:
        raise store_module.sqlite3.OperationalError("database or disk is full")

    with Store(folder) as store:
        with monkeypatch.context() as patch:
            patch.setattr(store_module, "settled", full)
            assert store.commit([entry(1)])
            assert store.degraded == "database or disk is full"
            assert store.retry()
            assert store.degraded
        assert store.retry()
        assert not store.degraded
        assert (folder / "state.db-wal").stat().st_size == 0


def test_a_new_database_that_cannot_be_opened_is_opened_later(folder: Path, monkeypatch):
    """The names are in place and descriptors run out: nothing is made anew or set aside."""
    seconds, connect = [0.0], database.connect

    def out_of_files(*_: object, **__: object) -> None:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(store_module, "connect", out_of_files)
        store = Store(folder, clock=lambda: seconds[0])
        assert "Too many open files" in store.degraded
        assert not store.commit([entry(1)])
    assert store_module.connect is connect
    seconds[0] += 1
    assert store.retry()
    store.close()
    assert sorted(path.name for path in folder.iterdir()) == ["state.db", "state.lock"]
    assert [event.seq for event in Journal(folder).transitions()] == [1]


def test_pruning_that_cannot_read_degrades(folder: Path, monkeypatch):
    def broken(*_: object) -> None:
        raise store_module.sqlite3.OperationalError("disk I/O error")

    seconds = [0.0]
    with Store(folder, clock=lambda: seconds[0]) as store:
        assert store.commit([entry(1)], snapshot="s")
        with monkeypatch.context() as patch:
            patch.setattr(store_module, "cuts", broken)
            assert not store.prune(10**18)
            assert store.degraded == "disk I/O error"
        assert not store.retry()
        seconds[0] += 1
        assert store.retry()
        assert not store.degraded
        assert store.prune(10**18)


def test_a_size_that_cannot_be_read_degrades(folder: Path):
    seconds = [0.0]
    with Store(folder, clock=lambda: seconds[0]) as store:
        assert store.commit([entry(1)])
        assert store.size() > 0
        store._db.close()
        assert store.size() == 0
        assert "closed database" in store.degraded


def test_an_interrupt_in_mid_save_leaves_what_waits_to_be_stored(folder: Path, monkeypatch):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with Store(folder) as store:
        assert store.commit([entry(1)])
        with monkeypatch.context() as patch:
            patch.setattr(database, "seal", interrupted)
            with pytest.raises(KeyboardInterrupt):
                store.commit([entry(2)])
        assert not store._db.in_transaction
        assert [event.seq for event in Journal(folder).transitions()] == [1]
        assert store.commit([entry(3)])
    assert [event.seq for event in Journal(folder).transitions()] == [1, 2, 3]
