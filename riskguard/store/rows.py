"""What is stored: rows that are sealed, each over the one before, and what is read back of them.

Bodies are canonical JSON: the same body is the same text, and a number comes back as it was. An
integer beyond 64 bits may stand in a body, but not in a column of its own.
"""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Mapping

    Body = Mapping[str, Any]
    Row = tuple[Any, ...]

__all__ = [
    "ACTION_DONE",
    "EVERY",
    "PRUNED",
    "STATE_LOST",
    "Chain",
    "Contents",
    "Entry",
    "Input",
    "Restored",
    "Snapshot",
    "Transition",
    "Walk",
    "anchored",
    "canonical",
    "seal",
]

ACTION_DONE, PRUNED, STATE_LOST = "action_done", "pruned", "state_lost"  # kinds we know
EVERY = 10_000  # rows from one anchor to the next
ONE_FORM = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


class Entry(NamedTuple):
    """A transition to be stored: event time, kind (rule, stage, operator, …) and body."""

    event_ns: int
    kind: str
    body: Body


class Transition(NamedTuple):
    """A transition as stored; `after_input` is the number of the last input it had seen."""

    seq: int
    after_input: int
    event_ns: int
    rule_hash: str
    kind: str
    body: Body


class Input(NamedTuple):
    """A sample as stored: its time and what it said."""

    seq: int
    ts: int
    body: Body


class Snapshot(NamedTuple):
    """What the guard remembered after a transition and an input, as the guard wrote it."""

    seq: int
    after_transition: int
    after_input: int
    rule_hash: str
    body: str


class Restored(NamedTuple):
    """What a start finds: the last snapshot and all that came after it.

    `lost` says why an earlier state cannot be used: start REDUCING and LATCHED. It is said at each
    start until a snapshot is stored, which then has to know of the latch itself. `whole` is false
    when something after the snapshot was never stored: what follows comes after a silence.
    """

    fresh: bool = True
    lost: str = ""
    about: Body = MappingProxyType({})
    snapshot: Snapshot | None = None
    inputs: tuple[Input, ...] = ()
    transitions: tuple[Transition, ...] = ()
    done: frozenset[str] = frozenset()
    seq: int = 0
    whole: bool = True


class Contents(NamedTuple):
    """All that a journal holds at one moment, oldest first."""

    about: Body
    snapshots: tuple[Snapshot, ...]
    transitions: tuple[Transition, ...]
    inputs: tuple[Input, ...]


class Walk(NamedTuple):
    """What a walk over every row found; `rows` and `gone` are counted for each table.

    What is gone was forgotten, or given up while a disk refused; an anchor stands in its place.
    """

    rows: Mapping[str, int]
    gone: Mapping[str, int]
    anchors: int
    snapshots: int
    damage: str = ""  # the first; nothing where every seal holds


def canonical(body: object) -> str:
    """Return a body as JSON of one form: keys in order, no spaces, no NaN, ASCII."""
    return ONE_FORM.encode(body)


def seal(prior: int, *columns: int | str) -> int:
    """Return the check sum of a row's columns and of the seal before it."""
    return crc32(canonical([prior, *columns]).encode())


def anchored(chain: str, seq: int, gone: int, crc: int) -> Row:
    """Return an anchor: the seal of row `seq`, and how many rows up to it are gone."""
    return (chain, seq, gone, crc, seal(0, chain, seq, gone, crc))


class Chain:
    """The last row of a table: the next one is numbered and sealed after it."""

    __slots__ = ("crc", "name", "seq")

    def __init__(self, name: str, seq: int = 0, crc: int = 0) -> None:
        self.name, self.seq, self.crc = name, seq, crc

    def add(self, *columns: int | str) -> Row:
        """Return the next row, sealed."""
        self.seq += 1
        self.crc = seal(self.crc, self.seq, *columns)
        return (self.seq, *columns, self.crc)
