"""What an operator has set by hand: a halt, and rules whose messages are silenced.

What waits for him stands beside it: an earlier state that is lost, and rules that were latched
from outside.

A control is an event like any other: it comes with a time and a reason, it takes effect at
once, and it is part of the state. The kill switch is HALTED and LATCHED until `resume`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.engine.decision import Claim, Reading
from riskguard.errors import RECEIVED, DataError, RiskguardError, foreign
from riskguard.language.ruleset import Actions
from riskguard.market import time_text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from riskguard.engine.guard import Guard
    from riskguard.engine.logic import Latch
    from riskguard.language.ruleset import RuleSet

__all__ = [
    "FOREVER",
    "MANUAL",
    "Controls",
    "brief",
    "held",
    "muted",
    "ordered",
    "releasable",
    "resumed",
    "said",
    "stamped",
]

MANUAL = "manual"
FOREVER = 1 << 62  # after every time stamp
LOST = "state_lost"
HALT = Actions(exposure_cap=0.0)
REDUCE = Actions(reduce_only=True)  # a halt may have been lost: nothing enters, nothing is sold


def stamped(ts: object, word: str) -> int:
    """Return a time stamp of an operator, or raise.

    Raises:
        RiskguardError: where it is no whole number of nanoseconds since 1970.
    """
    if isinstance(ts, bool) or not isinstance(ts, int) or not 0 <= ts < FOREVER:
        msg = (
            f"{word}: {foreign(ts, RECEIVED)!r} is not a time; write integer nanoseconds since 1970"
        )
        raise RiskguardError(msg)
    return ts


def brief(reason: str) -> str:
    """Return what an operator gives as reason, cut short, visible and without secrets."""
    return foreign(reason)


def said(what: str, reason: str) -> Reading:
    """Return what an operator did as a line of the decision; texts are cut and made visible."""
    told = brief(reason)
    text = f"{what}: {told}" if told else what
    return Reading(MANUAL, text, None, None, None, "true", "truth")


class Controls:
    """What is in force by hand; `ends` is when the next mute ends by itself.

    A decision depends on `key`.
    """

    __slots__ = ("ends", "halt", "key", "latched", "lost", "mutes")

    def __init__(self) -> None:
        self.halt: tuple[int, str] | None = None  # since when, and why
        self.lost: tuple[int, str] | None = None  # the same of an earlier state that is lost
        self.mutes: dict[str, tuple[int, str]] = {}  # rule -> until when, and why
        self.latched: dict[str, tuple[int, str]] = {}  # rule -> since when, and why
        self.ends = FOREVER
        self.key: tuple[object, ...] = ()

    @property
    def claims(self) -> tuple[Claim, ...]:
        """What is asked for by hand."""
        found = [] if self.halt is None else [Claim(MANUAL, HALT)]
        return (*found, *([] if self.lost is None else [Claim(LOST, REDUCE)]))

    @property
    def waits(self) -> bool:
        """Whether something waits for `resume`."""
        return self.halt is not None or self.lost is not None

    @property
    def readings(self) -> tuple[Reading, ...]:
        """Why."""
        found = [] if self.halt is None else [said("halt", self.halt[1])]
        if self.lost is not None:
            text = f"state_lost: {self.lost[1]}"
            found.append(Reading(LOST, text, None, None, None, "true", "truth"))
        return (*found, *self.holding(self.latched))

    def holding(self, names: Collection[str]) -> tuple[Reading, ...]:
        """Why each of these rules that was latched from outside stays on."""
        return tuple(
            Reading(name, why, None, None, None, "true", "truth")
            for name, (_, why) in sorted(self.latched.items())
            if name in names
        )

    @property
    def muted(self) -> frozenset[str]:
        """The rules (and "stage NAME") whose messages are silenced."""
        return frozenset(self.mutes)

    def stop(self, ts: int, reason: str) -> None:
        """Halt from now on."""
        self.halt = (ts, brief(reason))
        self._moved()

    def lose(self, ts: int, reason: str) -> None:
        """Let nothing enter from now on: what was in force before is not known."""
        self.lost = (ts, brief(reason))
        self._moved()

    def go(self) -> None:
        """End the halt, and what stands for a lost state."""
        self.halt = self.lost = None
        self._moved()

    def mute(self, name: str, until: int, reason: str) -> None:
        """Silence the messages of a rule until then."""
        self.mutes[name] = (until, brief(reason))
        self._moved()

    def latch(self, name: str, ts: int, reason: str) -> None:
        """Hold a rule until it is released."""
        self.latched[name] = (ts, brief(reason))
        self._moved()

    def unlatch(self, name: str) -> None:
        """Let a rule that was held go as its file says."""
        if self.latched.pop(name, None) is not None:
            self._moved()

    def expire(self, now: int) -> None:
        """Drop the mutes that have ended."""
        if now >= self.ends:
            self.mutes = {name: one for name, one in self.mutes.items() if one[0] > now}
            self._moved()

    def _moved(self) -> None:
        self.ends = min((until for until, _ in self.mutes.values()), default=FOREVER)
        quiet = not self.waits and not self.mutes and not self.latched
        held = tuple(sorted(self.latched.items()))
        self.key = () if quiet else (self.halt, self.lost, held, *sorted(self.mutes))


def speaker(ruleset: RuleSet, name: str) -> str:
    """Return the name of a rule, or of a stage as "stage NAME", that a mute may name.

    Raises:
        RiskguardError: where there is none.
    """
    rules = [rule.name for rule in ruleset.rules]
    stages = [f"stage {stage.name}" for stage in ruleset.stages]
    if name in rules or name in stages:
        return name
    raise RiskguardError(_unknown(name, [*rules, *stages]))


def releasable(ruleset: RuleSet, latches: list[Latch], name: str) -> int:
    """Return the number of a rule that is latched.

    Raises:
        RiskguardError: where a release would do nothing, with the reason.
    """
    rules = [rule.name for rule in ruleset.rules]
    if name in {stage.name for stage in ruleset.stages} | {MANUAL} and name not in rules:
        way = "`resume` ends a halt" if name == MANUAL else "a stage leaves by its `recover`"
        msg = f"'{name}' cannot be released\n  = help: {way}"
        raise RiskguardError(msg)
    if name not in rules:
        raise RiskguardError(_unknown(name, rules))
    index = rules.index(name)
    if not latches[index].on:
        msg = f"rule '{name}' cannot be released: it is not on"
        raise RiskguardError(msg)
    if not latches[index].held:
        msg = f"rule '{name}' cannot be released: it is not latched"
        fix = "it leaves by itself once its `clear` holds; `latch: true` makes it wait for you"
        raise RiskguardError(f"{msg}\n  = help: {fix}")
    return index


def held(ruleset: RuleSet, name: str) -> int:
    """Return the number of a rule that is to be latched.

    Raises:
        RiskguardError: where there is none.
    """
    rules = [rule.name for rule in ruleset.rules]
    if name not in rules:
        raise RiskguardError(_unknown(name, rules))
    return rules.index(name)


def _unknown(name: str, known: list[str]) -> str:
    listed = ", ".join(known[:10]) + (", …" if len(known) > 10 else "")
    return f"no rule is called '{foreign(name, RECEIVED)}'\n  = help: there are: {listed}"


def resumed(controls: Controls, ts: int, reason: str) -> Reading:
    """End the halt and return what is said of it.

    Raises:
        RiskguardError: where nothing is halted.
    """
    stamped(ts, "resume")
    if not controls.waits:
        msg = "there is nothing to resume: no halt is in force\n  = help: rules clear by"
        raise RiskguardError(f"{msg} themselves, and latched ones by `release`")
    controls.go()
    return said("resume", reason)


def muted(
    controls: Controls, ruleset: RuleSet, times: tuple[int, int], name: str, reason: str
) -> Reading:
    """Silence a rule between two times and return what is said of it.

    Raises:
        RiskguardError: where there is no such rule, or the second time is not after the first.
    """
    ts, until = (stamped(one, "mute") for one in times)
    if until <= ts:
        msg = f"mute '{name}': until {until} is not after {ts}\n  = help: write a later time"
        raise RiskguardError(msg)
    controls.mute(speaker(ruleset, name), until, reason)
    return said(f"mute {name} for {time_text(until - ts)}", reason)


def ordered(guard: Guard, ts: int, data: Mapping[str, object]) -> None:
    """Do what an operator event says.

    Raises:
        DataError: it says nothing that can be done.
    """
    do, rule = str(data["do"]), str(data.get("rule", ""))
    said = " ".join(str(data[key]) for key in ("by", "note") if data.get(key))
    if do == "halt":
        guard.halt(ts, said)
    elif do == "resume":
        guard.resume(ts, said)
    elif do == "release":
        guard.release(ts, rule, said)
    elif do == "mute":
        until = data.get("until")
        if isinstance(until, bool) or not isinstance(until, int):
            msg = f"mute until {until!r}"
            raise DataError(msg, help="until is a time in integer nanoseconds since 1970")
        guard.mute(ts, rule, until, said)
    else:
        msg = f"an operator event that says {do!r}"
        raise DataError(msg, help="do is halt, resume, release or mute")
