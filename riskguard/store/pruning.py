"""How much of a state may be forgotten: what its last two snapshots do not need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.store.checking import heads, snapshots

if TYPE_CHECKING:
    import sqlite3

__all__ = ["cuts"]

FIRST = {
    "transition": "SELECT min(seq) FROM transition WHERE event_ns >= ?",
    "input": "SELECT min(seq) FROM input WHERE ts >= ?",
}
SEAL = {
    "transition": "SELECT crc FROM transition WHERE seq = ?",
    "input": "SELECT crc FROM input WHERE seq = ?",
}
BEGIN = {
    "transition": "SELECT min(seq) FROM transition",
    "input": "SELECT min(seq) FROM input",
}


def cuts(db: sqlite3.Connection, before: int) -> dict[str, tuple[int, int]]:
    """Return the last row of each table that may be forgotten, and its seal.

    Only rows from before the first one that is not older than `before` (event time).
    """
    kept = snapshots(db)
    if not kept:
        return {}
    found = {}
    needed = {"transition": kept[0].after_transition, "input": kept[0].after_input}
    for name, limit in needed.items():
        (young,) = db.execute(FIRST[name], [before]).fetchone()
        cut = min(limit, heads(db)[name].seq if young is None else young - 1)
        (first,) = db.execute(BEGIN[name]).fetchone()
        sealed = db.execute(SEAL[name], [cut]).fetchone()
        if first is not None and first <= cut and sealed is not None:
            found[name] = (cut, sealed[0])
    return found
