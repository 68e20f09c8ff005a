"""How a guard is, and was: asked of its process, or read from what is stored.

The process alone knows what came since it stored last, so it is asked first. What is stored is
read while a bot writes it and after; nothing here changes a state.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from riskguard.engine.recorded import OF_READING
from riskguard.errors import RiskguardError, StateError
from riskguard.live.memory import restored
from riskguard.live.operating import DRILLED, PATIENCE, worded
from riskguard.live.recorder import SAMPLES, Recorder
from riskguard.live.replaying import Replay
from riskguard.live.requests import KILL, heard, leave, pending
from riskguard.live.rules import Loaded
from riskguard.live.standing import standing
from riskguard.market import SECOND, Sample
from riskguard.store import PRUNED, Journal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from riskguard.live.memory import Memory
    from riskguard.store import Contents

__all__ = ["Look", "look", "past"]


class Look(NamedTuple):
    """A guard as it is or was: `status` as JSON, and how that is known."""

    status: dict[str, Any]
    how: str  # told (by its process) | stored | replayed | recalled (a stored decision alone)
    process: int  # that holds the state; 0 for none
    stored: int  # time of the last transition (ns)
    stopped: bool  # the last process ended of its own will
    drilled: int | None  # when the trip path was proven last
    waits: tuple[str, ...] = ()  # requests that nobody has obeyed yet
    drilled_rules: str = ""  # hash of the rules it was proven with
    changed: str = ""  # why the rule file that lies there now is not what is in force
    unasked: str = ""  # why its process could not even be asked


def look(folder: Path, *, patience: float = PATIENCE) -> Look:
    """Return how the guard of a state is now.

    Raises:
        StateError: there is no state, it is damaged, or of a newer riskguard.
    """
    journal = Journal(folder)
    holder, kept = journal.holder(), journal.contents()
    told, unasked = (None, "") if holder is None else _asked(folder, patience)
    if told is None:
        memory = restored(journal.restored())
        recorder = Recorder(memory.guard, memory.formers)
        status = standing(recorder, memory.loaded) | _beside(memory, folder)
    else:
        status, memory = told, restored(journal.restored())
    pid, how = 0 if holder is None else holder.pid, "stored" if told is None else "told"
    found = _looked(kept, status, how, pid)
    changed = _changed(status, memory.loaded)
    return found._replace(changed=changed, waits=_waiting(folder), unasked=unasked)


def past(folder: Path, when: int) -> Look:
    """Return how the guard of a state was at a time (ns), told all that was told until then.

    Raises:
        StateError: as for `look`, or the journal does not reach so far back.
    """
    journal = Journal(folder)
    holder, kept = journal.holder(), journal.contents()
    pid = 0 if holder is None else holder.pid
    born = _born(kept)
    if when < born:
        raise StateError(f"the journal begins at {_text(born)}")
    try:
        replay = Replay(kept, until=when)
    except StateError:
        decision = _last(kept, when)
        if decision is None:
            raise
        return _looked(kept, _recalled(decision, when), "recalled", pid)
    recorder = replay.run()
    recorder.update(Sample(when, "*", {}))
    return _looked(kept, standing(recorder, replay.loaded), "replayed", pid)


def _looked(kept: Contents, status: dict[str, Any], how: str, process: int) -> Look:
    moves = [one for one in kept.transitions if one.kind not in {DRILLED, PRUNED}]
    drills = [one for one in kept.transitions if one.kind == DRILLED]
    last = moves[-1] if moves else None
    return Look(
        status,
        how,
        process,
        0 if last is None else last.event_ns,
        last is not None and last.kind == "stopped",
        drills[-1].event_ns if drills else None,
        drilled_rules=str(drills[-1].body.get("rule", "")) if drills else "",
    )


def _born(kept: Contents) -> int:
    """Return the earliest time a journal tells of: history may have been told at its start."""
    rows = [one.body["told"] for one in kept.inputs[:3]]
    times = [row[1] for row in rows if row[0] in SAMPLES and row[1] > 0]
    return min([*times, *(one.event_ns for one in kept.transitions[:1])], default=0)


def _text(ts: int) -> str:
    return f"{datetime.fromtimestamp(ts // SECOND, UTC):%Y-%m-%dT%H:%MZ}"


def _waiting(folder: Path) -> tuple[str, ...]:
    """Return what was asked and not obeyed yet, as a person would say it."""
    asked = (worded(one) for _, one in pending(folder) if not isinstance(one, str))
    return tuple(
        " ".join(str(one[name]) for name in ("do", "rule", "by", "note") if one.get(name))
        for one in asked
        if one.get("do") != "status"
    )


def _asked(folder: Path, patience: float) -> tuple[dict[str, Any] | None, str]:
    """Ask the process that holds a state, or say why no question can be left.

    A question that nobody answered is taken back.
    """
    try:
        path = leave(folder, {"do": "status"})
    except OSError as error:
        return None, error.strerror or type(error).__name__
    try:
        answer = heard(path, patience)
    finally:
        path.unlink(missing_ok=True)
    told = None if answer is None else answer.get("told")
    return (told if isinstance(told, dict) and "state" in told else None), ""


def _beside(memory: Memory, folder: Path) -> dict[str, Any]:
    """Return what a process would add to the status, as far as it is stored."""
    waits = memory.waits or {}
    return {
        "degraded": "",
        "stale_rules": "",
        "killed": (folder / KILL).exists(),
        "clock_off_ns": None,
        "clock_behind": False,
        "intake_refused": dict(waits.get("refused", {})),
        "coverage": dict(waits.get("coverage", {})),
        "venues": dict(waits.get("quorum", {})),
        **({"actions": list(_acted(memory.acts))} if memory.acts else {}),
    }


def _acted(acts: Mapping[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """Yield what each action plug-in was told last, as far as it is stored."""
    for plugin in sorted({key.rpartition(":")[2] for key in acts}):
        told = {one[1]: one[2] for key, one in sorted(acts.items()) if key.endswith(f":{plugin}")}
        yield {"action": plugin, "told": told, "quarantined": False, "fault": None}


def _changed(status: Mapping[str, Any], loaded: Loaded) -> str:
    """Return why the rule file that lies there is not in force."""
    if status["stale_rules"]:
        return str(status["stale_rules"])
    if not status["file"]:
        return ""
    try:
        there = Loaded.read(status["file"], loaded.fit)
    except RiskguardError as error:
        return str(error)
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    return "" if there.hash == status["hash"] else "it was changed since and means something else"


# ---------------------------------------------------------------- a stored decision alone


def _last(kept: Contents, when: int) -> dict[str, Any] | None:
    """Return the decision that was in force at a time, as it was stored."""
    found = [one.body["decision"] for one in kept.transitions if "decision" in one.body]
    before = [one for one in found if one["ts"] <= when]
    return before[-1] if before else None


def _recalled(decision: Mapping[str, Any], when: int) -> dict[str, Any]:
    """Return what a stored decision says of a guard, in the form of its status."""
    lines: dict[str, list[dict[str, Any]]] = {}
    for row in decision["reasons"]:
        one = dict(zip(OF_READING, row, strict=True))
        line = {"line": one["leaf"], "distance": None, "ages": {}, "unknown": None}
        names = ("role", "truth", "value", "threshold", "margin", "dimension")
        lines.setdefault(one["rule"], []).append(line | {name: one[name] for name in names})
    nothing: dict[str, Any] = {"on": True, "since": None, "held_until": None, "asks": {}}
    latch = {"latched": False, "cools_until": None}
    stage = decision["stage"]
    stages = [{"name": stage, **nothing, "lines": lines.get(f"stage {stage}", [])}]
    return {
        "now": when,
        "as_of": decision["ts"],
        "since": decision["ts"],
        **{name: decision[name] for name in ("symbol", "state", "latched", "blind", "priming")},
        "digest": decision["rules"],
        "hash": decision["rules"],
        "stage": {"name": stage, "since": None},
        "fields": {
            name: {"value": decision[name], "winner": rules[0], "others": rules[1:]}
            for name, rules in decision["winners"].items()
        },
        "by_hand": [one["line"] for one in lines.get("manual", [])],
        "stages": stages if stage != "normal" else [],
        "rules": [
            {"name": name, **nothing, **latch, "lines": lines.get(name, [])}
            for name in decision["active"]
        ],
        "ramps": [],
        "earlier": [],
        "fault": None,
        "halt": None,
    }
