"""What is believed of a database: every row that is used stands under its seal.

SQLite keeps no check sum of its pages: half of all flipped bits change what is read and pass its
own check. A row that is altered, missing, or of another time breaks a seal here.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from riskguard.errors import StateError
from riskguard.store.database import (
    APPLICATION,
    CHAINS,
    SCHEMA,
    TABLES,
    connect,
    is_damage,
    is_hindrance,
)
from riskguard.store.files import Damage
from riskguard.store.rows import (
    STATE_LOST,
    Chain,
    Input,
    Restored,
    Snapshot,
    Transition,
    Walk,
    seal,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from riskguard.store.lock import Mark
    from riskguard.store.rows import Row

__all__ = [
    "Found",
    "NewerError",
    "begun",
    "check",
    "counted",
    "heads",
    "marked",
    "reading",
    "snapshots",
    "transition",
    "version",
    "walk",
    "whole",
]

ROWS = {
    "transition": "SELECT * FROM transition WHERE seq > ? ORDER BY seq",
    "input": "SELECT * FROM input WHERE seq > ? ORDER BY seq",
    "done_action": "SELECT * FROM done_action WHERE seq > ? ORDER BY seq",
}


COUNT = {
    "transition": "SELECT count(*) FROM transition",
    "input": "SELECT count(*) FROM input",
    "done_action": "SELECT count(*) FROM done_action",
    "anchor": "SELECT count(*) FROM anchor",
    "snapshot": "SELECT count(*) FROM snapshot",
}


class NewerError(StateError):
    """A state that a newer riskguard wrote; it is left as it is."""


class Found(NamedTuple):
    """A database that can be believed: who it is, where its tables end, and what it restores."""

    state: str
    chains: dict[str, Chain]
    restored: Restored


@contextmanager
def reading() -> Iterator[None]:
    """Tell damage from what the system denies, in our words."""
    try:
        yield
    except sqlite3.Error as error:
        if is_damage(error):
            raise Damage(f"state.db cannot be read: {error}") from error
        ask = "; is the disk full, or may it only be read?" if is_hindrance(error) else ""
        raise StateError(f"the state cannot be read: {error}{ask}") from error
    except (TypeError, ValueError, KeyError) as error:  # a value of a type that we never write
        raise Damage(f"state.db holds what was never written: {error}") from error


def begun(path: Path, *, still: bool = False) -> sqlite3.Connection:
    """Open a database of ours for reading, as it is at this moment; `still` as for `connect`."""
    db = connect(path, writing=False, still=still)
    try:
        db.execute("BEGIN")
        version(db, still=still)
    except BaseException:
        db.close()
        raise
    return db


def version(db: sqlite3.Connection, *, still: bool = False) -> int:
    """Return the schema of a database of ours; one opened as `still` does not tell of its log.

    Raises:
        Damage: It is none of ours.
        NewerError: It has a schema that is not known here.

    """
    (application,) = db.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION:
        raise Damage(f"state.db is none of riskguard's (application_id {application:#x})")
    found: int = db.execute("PRAGMA user_version").fetchone()[0]
    if found > SCHEMA:
        raise NewerError(
            f"the state was written by a newer riskguard (schema {found}; {SCHEMA} is known)"
        )
    if found < 1:
        raise Damage(f"state.db has schema {found}; 1 is the first")
    (mode,) = db.execute("PRAGMA journal_mode").fetchone()
    if mode != "wal" and not still:
        raise Damage(f"state.db has journal_mode {mode}; wal is ours")
    return found


def whole(db: sqlite3.Connection) -> None:
    """Raise Damage where the pages of a database do not hang together."""
    (first,) = db.execute("PRAGMA integrity_check(1)").fetchone()
    if first != "ok":
        raise Damage(f"state.db is not whole: {first}")


def check(db: sqlite3.Connection, *, every_row: bool = False) -> Found:
    """Return what a database restores; `every_row` walks what no start uses too.

    Raises:
        Damage: A seal is broken or a row is missing.

    """
    if [row[0] for row in db.execute("SELECT sql FROM sqlite_master ORDER BY rowid")] != [*TABLES]:
        raise Damage("state.db has other tables than ours")
    meta = _meta(db)
    chains = heads(db)
    kept = snapshots(db)
    last = kept[-1] if kept else None
    if chains["snapshot"].seq != (last.seq if last else 0):
        raise Damage("state.db lacks its newest snapshot")
    start = {"transition": 0, "input": 0, "done_action": 0}
    if last and not every_row:
        start |= {"transition": last.after_transition, "input": last.after_input}
    rows, gone = {}, 0
    for name in CHAINS:
        rows[name], missing = walk(db, chains[name], start[name])
        gone += missing
    fresh = last is None and not any(rows.values())
    restored = Restored(
        fresh=fresh,
        lost=_lost(rows["transition"]),
        about=json.loads(meta["about"]),
        snapshot=last,
        inputs=tuple(Input(seq, ts, json.loads(body)) for seq, ts, body, _ in rows["input"]),
        transitions=tuple(transition(row) for row in rows["transition"]),
        done=frozenset(row[2] for row in rows["done_action"]),
        seq=chains["transition"].seq,
        whole=fresh or not gone,
    )
    return Found(json.loads(meta["identity"])["state"], chains, restored)


def heads(db: sqlite3.Connection) -> dict[str, Chain]:
    """Return where each table ends."""
    ends = json.loads(_meta(db)["heads"])
    return {name: Chain(name, *ends[name]) for name in (*CHAINS, "snapshot")}


def transition(row: Row) -> Transition:
    """Return a row of `transition` with its body read."""
    seq, after_input, event_ns, rule_hash, kind, body, _ = row
    return Transition(seq, after_input, event_ns, rule_hash, kind, json.loads(body))


def _lost(rows: list[Row]) -> str:
    """Return why a state before this one was lost, until a snapshot has taken note of it."""
    found = [json.loads(row[5])["reason"] for row in rows if row[4] == STATE_LOST]
    return found[-1] if found else ""


def _meta(db: sqlite3.Connection) -> dict[str, str]:
    found = {}
    for key, value, crc in db.execute("SELECT * FROM meta"):
        if crc != seal(0, key, value):
            raise Damage(f"state.db: the seal of {key} is broken")
        found[key] = value
    if missing := {"identity", "about", "heads"} - found.keys():
        raise Damage(f"state.db lacks {min(missing)}")
    return found


def snapshots(db: sqlite3.Connection) -> list[Snapshot]:
    """Return the snapshots that are kept, each under its seal, the newest last."""
    found = []
    for *columns, crc in db.execute("SELECT * FROM snapshot ORDER BY seq"):
        if crc != seal(0, *columns):
            raise Damage(f"state.db: the seal of snapshot {columns[0]} is broken")
        found.append(Snapshot(*columns))
    return found


def _anchors(db: sqlite3.Connection, chain: str) -> dict[int, tuple[int, int]]:
    """Return the anchors of a table: number -> how many rows up to it are gone, its seal."""
    found = {}
    for name, seq, gone, prior, crc in db.execute("SELECT * FROM anchor WHERE chain = ?", [chain]):
        if crc != seal(0, name, seq, gone, prior):
            raise Damage(f"state.db: the seal of the anchor at {chain} {seq} is broken")
        found[seq] = (gone, prior)
    return found


def walk(db: sqlite3.Connection, head: Chain, after: int) -> tuple[list[Row], int]:
    """Return the rows after a number, and how many of them are gone; every seal is looked at."""
    known = _anchors(db, head.name)
    base = max((seq for seq in known if seq <= after), default=0)
    last = Chain(head.name, base, known[base][1] if base else 0)
    rows, gone = [], 0
    for row in db.execute(ROWS[head.name], [base]):
        gone += _bridge(last, row[0] - 1, known)
        if last.add(*row[1:-1]) != row:
            raise Damage(f"state.db: the seal of {head.name} {row[0]} is broken")
        if row[0] > after:
            rows.append(row)
    gone += _bridge(last, head.seq, known)
    if (last.seq, last.crc) != (head.seq, head.crc):
        raise Damage(f"state.db: {head.name} {head.seq} is not the row that was its end")
    return rows, gone


def _bridge(last: Chain, seq: int, known: dict[int, tuple[int, int]]) -> int:
    """Go on behind rows that are known to be gone, and return how many they are."""
    if last.seq == seq:
        return 0
    gone, crc = known.get(seq, (0, 0))
    if gone != seq - last.seq:
        raise Damage(f"state.db: {last.name} {last.seq + 1} is missing")
    last.seq, last.crc = seq, crc
    return gone


def counted(db: sqlite3.Connection) -> Walk:
    """Return how many rows there are, and how many anchors say that more there were."""
    rows = {name: _count(db, name) for name in CHAINS}
    gone = {name: sum(number for number, _ in _anchors(db, name).values()) for name in CHAINS}
    return Walk(rows, gone, _count(db, "anchor"), _count(db, "snapshot"))


def _count(db: sqlite3.Connection, table: str) -> int:
    (count,) = db.execute(COUNT[table]).fetchone()
    return int(count)


def marked(found: Found, mark: Mark) -> None:
    """Raise Damage where a state ends before what the last holder answered for."""
    if not mark.state:
        return
    if found.state != mark.state:
        raise Damage("state.db is not the state that was last held here")
    for chain, known in zip(found.chains.values(), mark.ends, strict=True):
        if chain.seq < known:
            raise Damage(f"state.db: {chain.name} ends at {chain.seq}, and {known} was stored")
