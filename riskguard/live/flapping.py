"""Rules that turn on and off too often: each turn is counted, and the one too many is told.

It belongs to the live process: a backtest counts nothing, so that the rules alone decide there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.market import HOUR

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from riskguard.engine.guard import Guard

__all__ = ["FLAPPING", "Flapping"]

MOST, WITHIN = 12, HOUR
FLAPPING = f"flapping: it turned more than {MOST} times within an hour"


class Flapping:
    """Counts how often each rule of a guard turned in the last hour, by the time of its events.

    `turns` are the times (ns) at which a rule turned, by its name; they outlive a restart.
    """

    __slots__ = ("_guard", "_seen", "turns")

    def __init__(self, guard: Guard, turns: Mapping[str, Sequence[int]] | None = None) -> None:
        self._guard = guard
        self.turns = {name: list(times) for name, times in (turns or {}).items()}
        self.settle()

    def settle(self) -> None:
        """Take the rules as they stand: what has turned until now is not counted."""
        self._seen = self._stamps()

    def found(self) -> list[str]:
        """Count what turned since it was asked last; return the rules that did so too often."""
        before, self._seen = self._seen, self._stamps()
        often = []
        rules = zip(self._guard.ruleset.rules, before, self._seen, strict=True)
        for rule, was, is_now in rules:
            turned = sorted(now for then, now in zip(was, is_now, strict=True) if then != now)
            if turned:
                since = turned[-1] - WITHIN
                times = [*self.turns.get(rule.name, ()), *turned]
                self.turns[rule.name] = [time for time in times if time > since]
                if len(self.turns[rule.name]) > MOST:
                    often.append(rule.name)
        return often

    def forget(self, rule: str) -> None:
        """Begin anew with a rule: a person has looked at it."""
        self.turns.pop(rule, None)
        self.settle()

    def _stamps(self) -> list[tuple[int, int]]:
        """Return when each rule turned on and off last: two turns of one instant are two."""
        return [(latch.since, latch.off) for latch in self._guard.stream.latches]
