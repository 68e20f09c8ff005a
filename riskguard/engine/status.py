"""How a guard is: what is in force and why, and how far each line is from turning.

Plain mappings, as JSON holds them; what is not known is None, with the reason beside it. Times
are int nanoseconds. Every line of every rule and stage is there, on or not.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from riskguard.engine.logic import NEVER
from riskguard.engine.reasons import lines, reading
from riskguard.engine.windows import fill_needed
from riskguard.language.rewriting import title
from riskguard.language.ruleset import Compare, For, Rule, Stage

if TYPE_CHECKING:
    from riskguard.engine.decision import Decision
    from riskguard.engine.guard import Guard
    from riskguard.engine.logic import Ladder, Latch
    from riskguard.engine.plan import LatchSpec
    from riskguard.language.ruleset import Actions, Condition

__all__ = ["explained", "status"]

# why a line cannot be judged, the first that holds
REASONS = ("never_seen", "rejected", "stale", "warming", "gap", "undefined")


def status(guard: Guard) -> dict[str, Any]:
    """Return `explained` with inputs, what was refused, and what an operator has set."""
    controls = guard.controls
    since, reason = controls.halt or (0, "")
    halt = None if controls.halt is None else {"since": since, "reason": reason}
    return explained(guard) | {
        "fault": guard.fault or None,
        "inputs": _inputs(guard),
        "refused": dict(sorted(guard.refused.items())),
        "halt": halt,
        "lost": None if controls.lost is None else controls.lost[1],
        "mutes": {
            name: {"until": until, "reason": reason}
            for name, (until, reason) in sorted(controls.mutes.items())
        },
        **_plugins(guard),
    }


def _plugins(guard: Guard) -> dict[str, Any]:
    """Return how each measure of a plug-in does, under `plugins` where there are any."""
    found: list[dict[str, Any]] = []
    for index, (window, _) in enumerate(guard.plan.windows):
        if window.plugged is None:
            continue
        state: Any = guard.stream.rollings[index]
        found.append(
            {
                "measure": guard.plan.window_texts[index],
                "from": state.plugged.whose,
                "faults": state.faults,
                "fault": state.fault or None,
                "quarantined": state.quarantined,
            }
        )
    return {"plugins": found} if found else {}


def explained(guard: Guard) -> dict[str, Any]:
    """Return the decision in force: its fields with who set them, every rule with its lines."""
    decision, stream, now = guard.decision, guard.stream, _now(guard)
    why = Why(guard, now)
    ladder = stream.ladder
    stages = [
        {"name": stage.name, **_rung(ladder, number), "asks": _asks(stage.do),
         "lines": why.lines(stage)}
        for number, stage in enumerate(guard.ruleset.stages, 1)
    ]  # fmt: skip
    latches = zip(guard.ruleset.rules, guard.plan.latches, stream.latches, strict=True)
    ramps = zip(guard.plan.ramps, stream.ramps, stream.caps, strict=True)
    return {
        "now": None if now == NEVER else now,
        "as_of": None if guard.as_of == NEVER else guard.as_of,
        "since": decision.ts,
        "symbol": decision.symbol,
        "digest": guard.ruleset.hash,
        "state": decision.state.name,
        "latched": decision.latched,
        "stage": {"name": decision.stage, "since": ladder.since if ladder.stage else None},
        "fields": _fields(decision),
        "blind": list(decision.blind),
        "priming": list(decision.priming),
        "by_hand": [one.leaf for one in decision.reasons if one.rule == "manual"],
        "stages": stages,
        "rules": [
            {
                "name": rule.name,
                **_latch(spec, latch, now),
                "held_for": guard.controls.latched.get(rule.name, (0, None))[1],
                "asks": _asks(rule.do),
                "lines": why.lines(rule),
            }
            for rule, spec, latch in latches
        ],
        "ramps": [
            {"name": spec.name, "rising": ramp.rising, "cap": cap} for spec, ramp, cap in ramps
        ],
    }


def _now(guard: Guard) -> int:
    """Return the latest time that the guard has heard of."""
    heard = [tape.times[-1] for tape in guard.stream.tapes if tape.times]
    return max([guard.as_of, guard.decision.ts or NEVER, *heard])


def _fields(decision: Decision) -> dict[str, Any]:
    return {
        name: {"value": getattr(decision, name), "winner": names[0], "others": list(names[1:])}
        for name, names in sorted(decision.winners.items())
    }


def _asks(do: Actions) -> dict[str, Any]:
    """Return what a rule or stage asks for, a stop as it is written."""
    asked = {one.name: getattr(do, one.name) for one in fields(do)}
    if do.stop is not None:
        asked["stop"] = {"share": do.stop.share, "atr": do.stop.atr}
    plugins = {f"plugin.{name}": text for name, text in asked.pop("plugins")}
    return {
        name: value for name, value in asked.items() if value not in (None, "", False)
    } | plugins


def _rung(ladder: Ladder, number: int) -> dict[str, Any]:
    on, hold = ladder.stage == number, ladder.holds[number - 1]
    return {
        "on": on,
        "since": ladder.since if on else None,
        "held_until": ladder.since + hold if on and hold else None,
    }


def _latch(spec: LatchSpec, latch: Latch, now: int) -> dict[str, Any]:
    cools = latch.off + spec.cooldown if latch.off != NEVER else NEVER
    return {
        "on": latch.on,
        "since": latch.since if latch.on else None,
        "latched": latch.held,
        "held_until": latch.since + spec.min_hold if latch.on and spec.min_hold else None,
        "cools_until": cools if not latch.on and cools > now else None,
    }


def _inputs(guard: Guard) -> dict[str, Any]:
    now, doors = _now(guard), guard.doors
    needed = {id(tape) for tape, _ in doors.needed}
    late = set(doors.late(now))
    return {
        str(spec.key): {
            "age": now - tape.times[-1] if tape.times else None,
            "max_age": tape.fresh,
            "value": tape.values[-1] if tape.times else None,
            "needed": id(tape) in needed,
            "blind": id(tape) in needed and spec.shown in late,
        }
        for spec, tape in zip(guard.plan.tapes, guard.stream.tapes, strict=True)
        if spec.feeder < 0
    }


class Why:
    """Tells the lines of one guard at one time."""

    def __init__(self, guard: Guard, now: int) -> None:
        self.guard, self.plan, self.stream, self.now = guard, guard.plan, guard.stream, now

    def lines(self, latch: Rule | Stage) -> list[dict[str, Any]]:
        """Return each line of what turns a rule or stage on, then of what turns it off."""
        fires, frees = (
            (latch.when, latch.clear) if isinstance(latch, Rule) else (latch.enter, latch.recover)
        )
        found = [self._line(latch, leaf, "when") for leaf in lines(self.plan, fires)]
        if frees is not None:
            found += [self._line(latch, leaf, "clear") for leaf in lines(self.plan, frees)]
        return found

    def _line(self, latch: Rule | Stage, leaf: Condition, role: str) -> dict[str, Any]:
        told = reading(self.plan, self.stream, title(latch), leaf, role)
        compared = leaf.of if isinstance(leaf, For) else leaf
        unknown, meets = None, told.truth == "true"
        if isinstance(compared, Compare):
            unknown = self._unknown(compared)
            slot = self.plan.slot(compared, clearing=role == "clear")
            meets = self.stream.truth(slot) == 2  # a line may hold, but not for long enough yet
        return {
            "line": told.leaf,
            "role": role,
            "truth": told.truth,
            "value": told.value,
            "threshold": told.threshold,
            "margin": told.margin,
            "dimension": told.dimension,
            "distance": _distance(told.value, told.threshold, told.dimension, meets=meets),
            "ages": {key: self._age(key) for key, _ in told.reads},
            "unknown": unknown,
        }

    def _age(self, key: str) -> int | None:
        for spec, tape in zip(self.plan.tapes, self.stream.tapes, strict=True):
            if spec.key == key and tape.times:
                return self.now - tape.times[-1]
        return None

    # ------------------------------------------------------------ why it is unknown

    def _unknown(self, line: Compare) -> str | None:
        for side in (line.left, line.right):
            index = self.plan.numbers[side]
            if math.isnan(self.stream.value(index)):
                return self._of_value(index)
        return None

    def _of_value(self, index: int) -> str:
        spec = self.plan.values[index]
        if spec.kind == "tape":
            return self._of_tape(spec.index) or "stale"
        if spec.kind == "window":
            return self._of_window(spec.index)
        for side in (spec.left, spec.right):
            if side >= 0 and math.isnan(self.stream.value(side)):
                return self._of_value(side)
        return "undefined" if spec.left >= 0 else "never_seen"

    def _of_tape(self, place: int) -> str:
        spec, tape = self.plan.tapes[place], self.stream.tapes[place]
        if spec.feeder >= 0:
            stale = tape.first is None or self.now - tape.last > spec.interval
            return self._of_window(spec.feeder) if stale else ""
        if self.guard.doors.rejected.get(spec.shown, NEVER) > tape.last:
            return "rejected"
        if tape.first is None:
            return "never_seen"
        return "stale" if self.now - tape.last > tape.fresh else ""

    def _of_window(self, index: int) -> str:
        window, places = self.plan.windows[index]
        for place in places:
            if reason := self._of_tape(place):
                return reason
        now = self.guard.as_of
        if self.stream.seen(index, now) < self.stream.wanted(index, now):
            return "warming"
        rolling, tape = self.stream.rollings[index], self.stream.tapes[places[0]]
        span = self.stream.wanted(index, now) if window.calendar else window.span * rolling.reach
        far = bisect_right(tape.times, tape.times[-1] - span)
        observed = min(span, now - tape.start)
        if len(tape.times) - far < fill_needed(observed, tape.interval):
            return "gap"
        if rolling.endpoint and not (far and tape.values[far - 1] <= 0.0):
            return "gap"
        others = {len(self.stream.tapes[place].times) for place in places}
        return "undefined" if len(others) == 1 else "gap"


def _distance(
    value: float | None, threshold: float | None, dimension: str, *, meets: bool
) -> float | None:
    """Return how far a value has to go until its line holds: 0 where it does.

    Shares: in points; all else: as a share of the value, 0.085 = it needs +8.5 %.
    """
    if meets:
        return 0.0
    if value is None or threshold is None:
        return None
    if dimension == "share":
        return threshold - value
    return (threshold - value) / abs(value) if value else None
