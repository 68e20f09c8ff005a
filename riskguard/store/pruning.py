"""How much of a state may be forgotten: what its last two snapshots do not need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.store.checking import snapshots

if TYPE_CHECKING:
    import sqlite3

__all__ = ["MOST_AT_ONCE", "cuts"]

MOST_AT_ONCE = 1 << 62  # rows
BEGIN = {
    "transition": "SELECT min(seq) FROM transition",
    "input": "SELECT min(seq) FROM input",
}
YOUNG = {
    "transition": """SELECT seq FROM transition
        WHERE seq <= ? AND event_ns >= ? ORDER BY seq LIMIT 1""",
    "input": "SELECT seq FROM input WHERE seq <= ? AND ts >= ? ORDER BY seq LIMIT 1",
}
SEAL = {
    "transition": "SELECT seq, crc FROM transition WHERE seq <= ? ORDER BY seq DESC LIMIT 1",
    "input": "SELECT seq, crc FROM input WHERE seq <= ? ORDER BY seq DESC LIMIT 1",
}


def cuts(
    db: sqlite3.Connection, before: int, most: int = MOST_AT_ONCE
) -> dict[str, tuple[int, int]]:
    """Return the last row of each table that may be forgotten, and its seal.

    Only rows from before the first one that is not older than `before` (event time), and about
    `most` of a table: no more is read than may go.
    """
    kept = snapshots(db)
    if not kept:
        return {}
    found = {}
    needed = {"transition": kept[0].after_transition, "input": kept[0].after_input}
    for name, limit in needed.items():
        (first,) = db.execute(BEGIN[name]).fetchone()
        if first is None:
            continue
        last = min(limit, first + most - 1)
        young = db.execute(YOUNG[name], [last, before]).fetchone()
        cut = db.execute(SEAL[name], [last if young is None else young[0] - 1]).fetchone()
        if cut is not None:
            found[name] = (cut[0], cut[1])
    return found
