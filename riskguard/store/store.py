"""The writer of a state: one process, one database, stored before anything may loosen."""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from riskguard._version import VERSION
from riskguard.errors import StateError
from riskguard.store.checking import NewerError
from riskguard.store.database import connect, created, settled, supported, used, write
from riskguard.store.files import Damage, prepared, sync
from riskguard.store.lock import Lock
from riskguard.store.pending import Pending
from riskguard.store.pruning import MOST_AT_ONCE, cuts
from riskguard.store.rows import STATE_LOST, Entry, Restored, Transition
from riskguard.store.starting import started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from types import TracebackType

    from riskguard.store.database import Batch
    from riskguard.store.rows import Body

__all__ = ["Store"]

SHORTEST, LONGEST = 1.0, 60.0  # seconds from a failed write to the next


class Store:
    """Keeps the state of one guard in a folder; `restored` is what was found there.

    A tightening is in force before it is stored, a loosening waits until `commit` or `retry`
    answers True. While a write fails, `degraded` says why, what is to be stored waits in memory,
    and the next write is tried after 1 s, then 2 s, up to 60 s, by the `clock` that is given.
    `now`, in nanoseconds, names files and rows and decides nothing.

    Threads may share a store; a forked child may not use it.

    >>> import tempfile
    >>> from riskguard.store import Entry, Store
    >>> folder = tempfile.mkdtemp()
    >>> with Store(folder) as store:
    ...     store.commit([Entry(1_770_300_000_000_000_000, "rule", {"on": "R1"})], snapshot="R1 on")
    True
    >>> with Store(folder) as store:
    ...     store.restored.snapshot.body, store.restored.seq, store.restored.lost
    ('R1 on', 1, '')

    Raises:
        StateInUseError: Another process writes this state.
        StateError: The folder cannot hold a state, or the system cannot read what is there.

    """

    def __init__(
        self,
        folder: Path | str,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        self._clock, self._now = clock, now
        self._pid, self._guard = os.getpid(), threading.Lock()
        self._failed = self._unsettled = self._refused = self._state = ""
        self._closed = False
        self._wait, self._due = SHORTEST, 0.0
        self._inode = 0
        self._db: sqlite3.Connection | None = None
        supported()
        self._files = prepared(folder)
        self._lock = Lock(self._files.lock)
        try:
            self._start()
        except BaseException:
            self._lock.release()
            raise

    @property
    def degraded(self) -> str:
        """Return why the last write failed; nothing when it did not."""
        return self._refused or self._failed or self._unsettled

    @property
    def seq(self) -> int:
        """Return the number of the newest transition, stored or waiting."""
        return self._pending.chains["transition"].seq

    def commit(
        self,
        entries: Iterable[Entry] = (),
        *,
        rule_hash: str = "",
        inputs: Iterable[tuple[int, Body]] = (),
        snapshot: str | None = None,
        about: Body | None = None,
    ) -> bool:
        """Store in one transaction; return whether it, and all before it, is on disk.

        `inputs` are the samples since the last commit as (ts, body), in order; `entries` the
        transitions they led to; `snapshot` what the guard remembers after them; `about` what the
        state is about (rule text, sources, instruments), once and whenever it changes. An entry
        of kind `action_done` has the `id` of the action in its body.

        Raises:
            TypeError, ValueError: What is given is no JSON of finite numbers; nothing is taken.
            StateError: The store is closed, or belongs to the process that forked this one.

        """
        self._own()
        with self._guard:
            self._pending.take(entries, inputs, rule_hash, snapshot, about)
            return self._attempt()

    def retry(self) -> bool:
        """Store what waits if its time has come; return whether all is on disk.

        To be called at each tick of the clock.
        """
        self._own()
        with self._guard:
            if self._db is not None and self._unsettled and not self._pending.waits:
                self._settle(self._db)
            return self._attempt()

    def size(self) -> int:
        """Return how many bytes of the database are in use: what was forgotten is used again.

        Nothing where that cannot be read: `degraded` says why.
        """
        self._own()
        with self._guard:
            try:
                return 0 if self._db is None else used(self._db)
            except sqlite3.Error as error:
                self._fail(str(error))
                return 0

    def prune(self, before: int, *, rule_hash: str = "", most: int = MOST_AT_ONCE) -> bool:
        """Forget transitions and inputs from before a time; return whether that is on disk.

        What the last two snapshots need is kept; of a table no more than about `most` rows go
        at once. What was forgotten is a transition itself, of kind `pruned`.
        """
        self._own()
        with self._guard:
            if not self._attempt() or self._db is None:
                return False
            try:
                found = cuts(self._db, before, most)
            except (sqlite3.Error, Damage) as error:
                return self._fail(str(error))
            self._pending.forget(found, before, rule_hash)
            return self._attempt()

    def close(self) -> None:
        """Store what waits, if that can be, and give the state back."""
        if os.getpid() != self._pid or self._closed:
            return
        with self._guard:
            self._closed, self._due = True, 0.0
            self._attempt()
            if self._db is not None:
                self._db.close()
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _start(self) -> None:
        mark = self._lock.mark
        try:
            found = started(self._files, mark)
        except Damage as damage:
            self._begin(str(damage))
            return
        except OSError as error:
            raise StateError(f"the state cannot be read: {error}") from error
        except NewerError as newer:
            self._refused = str(newer)
            self._pending = Pending.new("", "", "", self._last())
            self.restored = Restored(fresh=False, lost=self._refused, whole=False)
            return
        if found is None:
            self._begin()
            return
        self._db, believed = found
        self._inode = self._files.database.lstat().st_ino
        self._state, self.restored = believed.state, believed.restored
        self._pending = Pending(believed.chains, believed.restored.done)
        self._lock.write(self._state, self._pending.ends)
        self._settle(self._db)

    def _begin(self, lost: str = "") -> None:
        """Begin a new state; what the disk does not take yet waits."""
        now = self._now()
        created = datetime.fromtimestamp(now // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._state = secrets.token_hex(16)
        self._pending = Pending.new(self._state, created, VERSION, self._last())
        self.restored = Restored(seq=self.seq)
        if lost:
            first = Entry(now, STATE_LOST, {"reason": lost})
            self._pending.take([first], (), "", None, None)
            told = (Transition(self.seq, 0, now, "", STATE_LOST, first.body),)
            self.restored = Restored(
                fresh=False, lost=lost, transitions=told, seq=self.seq, whole=False
            )
        self._attempt()

    def _last(self) -> int:
        """Return the number of the last transition that was stored here, as far as is known."""
        ends = self._lock.mark.ends
        return ends[0] if ends else 0

    def _own(self) -> None:
        """Refuse a forked child before it waits for a lock that nobody will give back."""
        if os.getpid() != self._pid:
            raise StateError("this state belongs to the process that forked this one: open another")
        if self._closed:
            raise StateError("this state is closed")

    def _attempt(self) -> bool:
        if self._refused:
            self._pending.stored()  # nowhere, for good: `degraded` says so
            return False
        if self._failed and self._clock() < self._due:
            return False
        if not self._pending.waits and not self._failed:
            return True
        try:
            db = self._store()
        except (sqlite3.Error, OSError) as error:
            return self._fail(str(error))
        self._failed, self._wait = "", SHORTEST
        self._pending.stored()
        self._lock.write(self._state, self._pending.ends)
        self._settle(db)
        return True

    def _store(self) -> sqlite3.Connection:
        if not self._lock.held():
            raise OSError("state.lock was removed or replaced: another process may write")
        batch = self._pending.sealed()
        if not self._inode:
            return self._place(batch)
        if self._files.database.lstat().st_ino != self._inode:
            raise OSError("state.db was replaced by another file")
        if self._db is None:
            self._db = connect(self._files.database, writing=True)
        write(self._db, batch)
        return self._db

    def _place(self, batch: Batch) -> sqlite3.Connection:
        """Put a new database where an old one may lie: whole first, then the names."""
        created(self._files, batch)
        self._files.set_aside(self._now())
        self._files.fresh.rename(self._files.database)
        self._inode = self._files.database.lstat().st_ino
        sync(self._files.folder)
        self._db = connect(self._files.database, writing=True)
        return self._db

    def _settle(self, db: sqlite3.Connection) -> None:
        """Empty the log: damage in a log would lose its newest rows without a word."""
        try:
            settled(db)
        except sqlite3.Error as error:
            self._unsettled = str(error)
        else:
            self._unsettled = ""

    def _fail(self, reason: str) -> bool:
        self._failed, self._due = reason, self._clock() + self._wait
        self._wait = min(2 * self._wait, LONGEST)
        return False
