"""What a live guard remembers across restarts: rules, guard, intake, rules of earlier files."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from riskguard.engine.intake import Intake
from riskguard.errors import StateError
from riskguard.live.recorder import Former, Recorder
from riskguard.live.rules import Loaded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from riskguard.engine.guard import Guard
    from riskguard.live.session import Session
    from riskguard.store import Restored

__all__ = ["WAITS", "Memory", "begun", "kept", "restored"]

# how an action plug-in ended that was told and has not ended; that was killed meanwhile
WAITS, UNKNOWN = "waits", "unknown: the process ended first"


@dataclass(slots=True)
class Memory:
    """A guard with the rules it is of, and what stands beside it."""

    loaded: Loaded
    guard: Guard
    formers: list[Former] = field(default_factory=list)
    killed: bool = False
    waits: dict[str, Any] | None = None  # at the intake
    turns: dict[str, list[int]] = field(default_factory=dict)  # when each rule turned
    acts: dict[str, list[Any]] = field(default_factory=dict)  # what action plug-ins were told


def begun(memory: Memory, recorder: Recorder) -> Intake:
    """Return the intake of a guard, with what waited at it."""
    beside = [former.guard for former in memory.formers]
    intake = Intake(recorder, beside=beside)  # type: ignore[arg-type]  # stands where a guard stands
    if memory.waits is not None:
        intake.load(memory.waits)
        intake.buckets.passed(memory.guard.as_of)
    return intake


def kept(session: Session) -> str:
    """Return all that a session remembers, as text."""
    formers = [
        {"about": one.loaded.about(), "guard": one.guard.dump(), "only": sorted(one.on)}
        for one in session.recorder.formers
    ]
    body = {
        "about": session.loaded.about(),
        "guard": session.guard.dump(),
        "intake": session.intake.dump(),
        "formers": formers,
        "killed": session.killed,
        "turns": session.flapping.turns,
        "acts": {} if session.acting is None else session.acting.told,
    }
    return json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False)


def restored(found: Restored) -> Memory:
    """Return what a session remembered, up to the last that was stored.

    Raises:
        StateError: it cannot be used.
    """
    if found.snapshot is None:
        loaded = Loaded.again(found.about)
        memory = Memory(loaded, loaded.guard())
    else:
        memory = remembered(found.snapshot.body)
    recorder = Recorder(memory.guard, memory.formers)
    for one in found.inputs:
        recorder.tell(one.body["told"])
    memory.formers = recorder.formers
    return memory


def remembered(text: str) -> Memory:
    """Return what `kept` wrote.

    Raises:
        StateError: it is none of ours.
    """
    try:
        body = json.loads(text)
        memory = _memory(body)
        memory.formers = [_former(one) for one in body["formers"]]
        memory.killed, memory.waits = bool(body["killed"]), body["intake"]
        turns = body["turns"].items()
        memory.turns = {str(name): [int(time) for time in times] for name, times in turns}
        memory.acts = _acts(body.get("acts", {}))  # states of before have none
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        msg = f"what the guard remembered cannot be read: {error!r}"
        raise StateError(msg) from error
    return memory


def _memory(body: dict[str, Any]) -> Memory:
    loaded = Loaded.again(body["about"])
    guard = loaded.guard()
    guard.load(body["guard"])
    return Memory(loaded, guard)


def _former(body: dict[str, Any]) -> Former:
    memory = _memory(body)
    memory.guard.only = frozenset(map(str, body["only"]))  # its decision was made under these
    return Former(memory.loaded, memory.guard)


def _acts(kept: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return what action plug-ins were told; what had not ended then is unknown."""
    found: dict[str, list[Any]] = {}
    for key, (since, name, how) in kept.items():
        found[str(key)] = [int(since), str(name), UNKNOWN if how == WAITS else str(how)]
    return found
