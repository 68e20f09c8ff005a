"""Three-valued logic and the machines that remember: for, sequence, latch, ladder, ramp.

Truths are the integers FALSE < UNKNOWN < TRUE, so that `all` is min and `any` is max. ABSENT
is a line that its author told to be ignored while its data is missing: neutral in its group.
Each machine names what it remembers (`kept`): that is what a saved state holds of it.
The steps here are normative (rules.md 8.2); columns must equal them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from riskguard.engine.windows import NEVER

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "ABSENT",
    "FALSE",
    "NEVER",
    "TRUE",
    "UNKNOWN",
    "Change",
    "Follow",
    "Ladder",
    "Latch",
    "Persist",
    "Ramp",
    "group",
]

FALSE, UNKNOWN, TRUE, ABSENT = 0, 1, 2, -1
GAPS = 3  # a silence of more than this many intervals breaks a `for`


def group(kind: str, count: int, truths: Sequence[int]) -> int:
    """Return all, any, at_least or within of truths, leaving out the absent ones."""
    if kind == "within":
        return min(truths)  # ABSENT is the least: hours say nothing beside an ignored line
    present = [truth for truth in truths if truth != ABSENT]
    if not present:
        return ABSENT
    if kind == "all":
        return min(present)
    if kind == "any":
        return max(present)
    known = present.count(TRUE)
    if known >= count:
        return TRUE
    return UNKNOWN if known + present.count(UNKNOWN) >= count else FALSE


class Change(NamedTuple):
    """Where the machines stand and stood: stage numbers, and which rules are on."""

    stage: int
    stage_before: int
    on: tuple[bool, ...]
    on_before: tuple[bool, ...]


class Persist:
    """`for`: true once its part has been true for a time, or for a number of closes."""

    __slots__ = ("before", "closes", "counted", "credit", "gap", "last", "then", "wanted")
    kept = ("before", "counted", "credit", "last", "then")

    def __init__(self, wanted: int, closes: int, every: int) -> None:
        self.wanted, self.closes, self.gap = wanted, closes, GAPS * every
        self.credit = self.counted = 0
        self.last = self.then = NEVER  # last true instant, previous instant
        self.before = False  # was it true at the previous instant

    def wake(self, before: int) -> None:
        """Catch up with instants at which nothing moved: what was true stayed true to `before`."""
        if self.before:
            self.last = self.then = before

    def pause(self, before: int) -> None:
        """Let the time from `before` to the next instant earn no credit: nobody watched it."""
        self.wake(before)
        self.before = False

    def step(self, truth: int, now: int, *, closed: bool = True) -> int:
        """Return the truth at `now`; called once an instant, `closed` where a bar closes."""
        if truth == TRUE:
            if now - self.last > self.gap:
                self.credit = self.counted = 0
            elif self.before:
                self.credit += now - self.then
            self.counted += closed
            self.last = now
            self.before, self.then = True, now
            done = self.counted >= self.closes if self.closes else self.credit >= self.wanted
            return TRUE if done else FALSE
        if truth == FALSE:
            self.credit = self.counted = 0
        self.before, self.then = False, now
        return truth


class Follow:
    """`sequence`: its parts true one after another, at strictly later instants, inside `within`."""

    __slots__ = ("starts", "within")
    kept = ("starts",)

    def __init__(self, parts: int, within: int) -> None:
        self.starts = [NEVER] * (parts - 1)  # the latest start of a match up to each part
        self.within = within

    def step(self, truths: Sequence[int], now: int) -> int:
        """Return the truth at `now`; called once an instant."""
        starts = self.starts
        answer = truths[-1] if now - starts[-1] <= self.within else FALSE
        for part in range(len(starts) - 1, 0, -1):
            if truths[part] == TRUE:
                starts[part] = max(starts[part], starts[part - 1])
        if truths[0] == TRUE:
            starts[0] = now
        return FALSE if answer == ABSENT else answer


class Latch:
    """A rule: `when` turns it on, `clear` turns it off, on wins a tie."""

    __slots__ = ("cooldown", "latched", "min_hold", "off", "on", "since")
    kept = ("off", "on", "since")

    def __init__(self, min_hold: int, cooldown: int, *, latched: bool) -> None:
        self.min_hold, self.cooldown, self.latched = min_hold, cooldown, latched
        self.on = False
        self.since = self.off = NEVER

    def waits(self, when: int, clear: int) -> bool:
        """Say whether time alone may turn it: a cool-down or a minimum hold that runs."""
        if self.on:
            return clear == TRUE and when != TRUE and not self.latched
        return when == TRUE

    def step(self, when: int, clear: int, now: int) -> bool:
        """Return whether the rule is on at `now`."""
        if not self.on:
            if when == TRUE and now - self.off >= self.cooldown:
                self.on, self.since = True, now
        elif (
            clear == TRUE
            and when != TRUE
            and not self.latched
            and now - self.since >= self.min_hold
        ):
            self.on, self.off = False, now
        return self.on

    @property
    def held(self) -> bool:
        """Whether it is on until an operator releases it."""
        return self.on and self.latched

    def release(self, now: int) -> None:
        """Turn it off by hand; a cool-down begins."""
        self.on, self.off = False, now


class Ladder:
    """The stages: up at once, down one step at a time. Stage 0 is normal."""

    __slots__ = ("holds", "since", "stage")
    kept = ("since", "stage")

    def __init__(self, holds: Sequence[int]) -> None:
        self.holds = holds
        self.stage, self.since = 0, NEVER

    def step(self, enters: Sequence[int], recovers: Sequence[int], now: int) -> int:
        """Return the stage at `now`, counted from 1, mildest first."""
        highest = 0
        for number in range(len(enters), 0, -1):
            if enters[number - 1] == TRUE:
                highest = number
                break
        stage = self.stage
        if highest > stage:
            self.stage, self.since = highest, now
        elif (
            stage
            and recovers[stage - 1] == TRUE
            and enters[stage - 1] != TRUE
            and now - self.since >= self.holds[stage - 1]
        ):
            self.stage, self.since = max(stage - 1, highest), now
        return self.stage


class Ramp:
    """Re-entry: after clearing, a cap that rises by steps while its condition is true."""

    __slots__ = ("before", "credit", "every", "rising", "start", "step_size")
    kept = ("before", "credit", "rising")

    def __init__(self, start: float, step_size: float, every: int) -> None:
        self.start, self.step_size, self.every = start, step_size, every
        self.rising = False
        self.before = NEVER  # the previous instant; NEVER: the time since earns no credit
        self.credit = 0

    def pause(self) -> None:
        """Let the time up to the next instant earn no credit: nobody watched it."""
        self.before = NEVER

    def step(self, truth: int, now: int, *, on: bool, was_on: bool) -> float:
        """Return the cap at `now`; `on` and `was_on` are those of the rule it follows."""
        if on:
            self.rising = False
        elif was_on:
            self.rising, self.credit = True, 0
        elif self.rising:
            if truth == TRUE:
                self.credit += now - self.before if self.before != NEVER else 0
            elif truth == FALSE:
                self.credit = 0
        self.before = now
        if not self.rising:
            return 1.0
        # three steps of 20 % from nothing are 60 %, not 60.00000000000001 %
        cap = round(self.start + self.step_size * (self.credit // self.every), 12)
        if cap >= 1.0:
            self.rising = False
            return 1.0
        return cap
