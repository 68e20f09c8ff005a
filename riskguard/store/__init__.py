"""State and journal of a guard in SQLite: what was answered for survives the bot that said it.

`Store` writes, one process at a time; `Journal` reads, any number of them. Nothing here knows
rules or engine: bodies are plain values of JSON, a snapshot is the guard's own text.
"""

from __future__ import annotations

from riskguard.store.journal import Journal
from riskguard.store.rows import (
    ACTION_DONE,
    PRUNED,
    STATE_LOST,
    Contents,
    Entry,
    Input,
    Restored,
    Snapshot,
    Transition,
    Walk,
    canonical,
)
from riskguard.store.store import Store

__all__ = [
    "ACTION_DONE",
    "PRUNED",
    "STATE_LOST",
    "Contents",
    "Entry",
    "Input",
    "Journal",
    "Restored",
    "Snapshot",
    "Store",
    "Transition",
    "Walk",
    "canonical",
]
