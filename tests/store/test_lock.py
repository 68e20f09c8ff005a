from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from riskguard.cli.failures import run
from riskguard.errors import StateError, StateInUseError
from riskguard.store import Entry, Journal, Store, lock
from tests.counts import counts
from tests.store.made import ends, entry

ROOT = Path(__file__).parents[2]


@counts(200, 20_000)
def test_of_eight_starters_one_writes_and_after_100_commits_still_one(
    count: int, quick: Path, measured
):
    command = [sys.executable, "-m", "tests.store.racing", str(quick), str(count), "8"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    races = [Counter(said) for said in json.loads(done.stdout)]
    assert len(races) == count
    assert all(race == {"held": 1, "wrote": 1, "refused": 9} for race in races), races
    for number in range(20):
        with Store(quick / str(number)) as store:
            assert (store.seq, store.restored.lost) == (count // 20 * 101, "")
    measured(f"{count:,} races of 8 starters, 2 more after 100 commits: one writer in each")


def test_a_second_store_is_refused_in_words_and_by_exit_code_5(folder: Path, capsys):
    with Store(folder):
        with pytest.raises(StateInUseError, match=rf"in use by process {os.getpid()}: stop it"):
            Store(folder)
        assert run(lambda: Store(folder)) == 5
    assert capsys.readouterr().err.startswith("error: the state in ")
    Store(folder).close()


def test_a_holder_of_another_boot_is_not_named(folder: Path, monkeypatch):
    with Store(folder):
        monkeypatch.setattr(lock, "BOOT", folder / "none")
        with pytest.raises(StateInUseError, match="in use by another process"):
            Store(folder)


def in_child(job) -> str:
    """Return what a job says in a forked child."""
    heard, say = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(say, str(job()).encode())
        except StateError as error:
            os.write(say, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(say)
    os.waitpid(pid, 0)
    with os.fdopen(heard) as lines:
        return lines.read()


@pytest.mark.filterwarnings("ignore:This process.*multi-threaded:DeprecationWarning")
def test_a_forked_child_cannot_write_retry_or_prune(folder: Path):
    with Store(folder) as store:
        store.commit([entry(1)])
        for job in (lambda: store.commit([entry(2)]), store.retry, lambda: store.prune(1)):
            assert in_child(job).startswith("StateError: this state belongs to the process")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "getpid", lambda: 1)  # as a child sees it
            with pytest.raises(StateError):
                store.retry()
        in_child(store.close)
        assert in_child(store._lock.held) == "False"
        assert store.commit([entry(2)])
    assert [event.seq for event in Journal(folder).transitions()] == [1, 2]


@pytest.mark.filterwarnings("ignore:This process.*multi-threaded:DeprecationWarning")
def test_a_child_that_outlives_its_parent_keeps_no_bot_out(folder: Path):
    store = Store(folder)
    gate, opener = os.pipe()
    heard, say = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(opener)
        os.write(say, b"here")
        os.read(gate, 1)
        os._exit(0)
    os.close(gate)
    assert os.read(heard, 4) == b"here"
    os.close(heard)
    os.close(say)
    store.close()
    Store(folder).close()
    os.close(opener)
    os.waitpid(pid, 0)


@pytest.mark.filterwarnings("ignore:This process.*multi-threaded:DeprecationWarning")
def test_a_fork_while_a_thread_writes_does_not_hang_the_child(folder: Path):
    with Store(folder) as store:
        store._guard.acquire()
        try:
            assert in_child(store.retry).startswith("StateError")
        finally:
            store._guard.release()


def test_threads_share_a_store(folder: Path):
    numbers = iter(range(1, 10_000))
    with Store(folder) as store:

        def write() -> None:
            for _ in range(50):
                assert store.commit([Entry(next(numbers), "rule", {})])

        threads = [threading.Thread(target=write) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert store.seq == 400
    assert Journal(folder).verify() == ""


def test_a_lock_that_was_given_back_is_not_held(folder: Path):
    folder.mkdir()
    taken = lock.Lock(folder / "state.lock")
    assert taken.held()
    lock._let_go()  # what a child does first
    assert not taken.held()
    taken.release()
    again = lock.Lock(folder / "state.lock")
    again.release()


@pytest.mark.parametrize("replaced", [False, True])
def test_who_lost_the_lock_file_writes_no_more(folder: Path, replaced: bool):
    seconds = [0.0]
    with Store(folder, clock=lambda: seconds[0]) as store:
        assert store.commit([entry(1)])
        (folder / "state.lock").unlink()
        if replaced:
            (folder / "state.lock").write_text("")
        assert not store.commit([entry(2)])
        assert store.degraded.startswith("state.lock was removed or replaced")
        seconds[0] += 100
        assert not store.retry()
    assert [event.seq for event in Journal(folder).transitions()] == [1]


def test_a_lock_that_was_replaced_while_it_was_taken_is_none(folder: Path, monkeypatch):
    opened = lock._opened

    def late(path: Path) -> int:
        handle = opened(path)
        path.unlink()
        path.write_text("")
        return handle

    monkeypatch.setattr(lock, "_opened", late)
    with pytest.raises(StateInUseError):
        Store(folder)


def test_windows_is_refused_with_what_to_do_instead(folder: Path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(StateError, match="WSL"):
        Store(folder)
    assert lock.holder(folder / "state.lock") is None


def test_who_looks_and_never_ends_keeps_a_starter_out(folder: Path):
    Store(folder).close()
    with (folder / "state.lock").open("rb") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        with pytest.raises(StateInUseError):
            Store(folder)
    Store(folder).close()


@pytest.mark.parametrize("odd", ["folder", "link", "dangling", "pipe"])
def test_an_odd_lock_file_is_refused(folder: Path, odd: str):
    folder.mkdir(mode=0o700)
    path, other = folder / "state.lock", folder.parent / "other"
    if odd == "folder":
        path.mkdir()
    elif odd == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(other)
    if odd == "link":
        other.write_text("kept")
    with pytest.raises(StateError, match=r"state\.lock (cannot be the lock|is no file)"):
        Store(folder)
    assert other.exists() == (odd == "link")
    assert not other.exists() or other.read_text() == "kept"


@pytest.mark.parametrize("text", ["", "12345\n", "x" * 512, "\x00" * 512, "1" * 4096])
def test_a_mark_that_cannot_be_believed_is_none(folder: Path, text: str):
    with Store(folder) as store:
        store.commit([entry(1)])
    (folder / "state.lock").write_text(text)
    with Store(folder) as store:
        assert (store.seq, store.restored.lost) == (1, "")
        assert ends(store)[0] == store._lock.mark.ends[0]


def test_a_mark_that_cannot_be_written_stops_nothing(folder: Path):
    with Store(folder) as store:
        kept, store._lock._handle = store._lock._handle, os.open(folder, os.O_RDONLY)
        mark = store._lock.mark
        assert store.commit([entry(1)])
        assert store._lock.mark == mark
        os.close(store._lock._handle)
        store._lock._handle = kept
