"""A journal decided again: what a guard was told is told to it once more, from the beginning.

It begins with the first input, or with a snapshot where what was before it is gone. At each
transition the decision made now can be laid beside the one that was stored then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from riskguard.engine.recorded import OF_READING, recorded
from riskguard.errors import RiskguardError, StateError
from riskguard.live.memory import Memory, remembered
from riskguard.live.recorder import Recorder
from riskguard.live.reloading import succeeded
from riskguard.live.rules import Loaded
from riskguard.store import PRUNED, canonical

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from riskguard.store import Contents, Input, Snapshot, Transition

__all__ = ["Checked", "Difference", "Replay", "Step", "checked", "differs"]

FOREVER = 1 << 62


class Step(NamedTuple):
    """A decision as it was stored, and as it is made again: at a transition, and at the end.

    A transition without a decision of its own stands for the one that was stored last.
    """

    seq: int  # of the transition
    kind: str
    when: int
    rule_hash: str
    stored: Mapping[str, Any]
    again: dict[str, Any]
    version: str  # of the riskguard that stored it; "" where that is not known


class Difference(NamedTuple):
    """The first thing in which two decisions differ: its place, and both values as JSON."""

    place: str  # "exposure_cap", "reasons: fall: close.drop(2h) >= 5%: value"
    stored: Any
    again: Any


class Replay:
    """One journal, decided again from the earliest point from which nothing is missing.

    `from_snapshot` is the snapshot it begins with, None for the first input; `recorder` and
    `loaded` are the guard and its rules at the step that was yielded last.

    Raises:
        StateError: no point is left from which it could begin, or what is stored there is odd.
    """

    def __init__(self, contents: Contents, *, until: int = FOREVER) -> None:
        self.contents, self.until = contents, until
        self.from_snapshot, memory = self._beginning()
        self.loaded = memory.loaded
        self.recorder = Recorder(memory.guard, memory.formers)
        after = self.from_snapshot.after_transition if self.from_snapshot else 0
        earlier = [one for one in contents.transitions if one.seq <= after]
        versions = [one.body["riskguard"] for one in earlier if "riskguard" in one.body]
        self.version = str(versions[-1]) if versions else ""
        self.told = 0  # inputs

    @property
    def start(self) -> int:
        """The time of the first transition that is decided again."""
        return next((one.event_ns for one in self._behind() if one.kind != PRUNED), 0)

    def steps(self) -> Iterator[Step]:
        """Tell all that was told, and yield what was decided at each transition and at the end."""
        inputs = iter(self._inputs())
        ahead, last = next(inputs, None), None
        for one in self._behind():
            while ahead is not None and ahead.seq <= one.after_input:
                if not self._tell(ahead):
                    return
                ahead = next(inputs, None)
            if one.event_ns > self.until:
                break
            self._turn(one)
            last = one if "decision" in one.body else last
            if last is not None:
                yield self._step(one, last)
        while ahead is not None and self._tell(ahead):
            ahead = next(inputs, None)
        if last is not None and ahead is None:
            yield self._step(one, last)

    def run(self) -> Recorder:
        """Tell all that was told, and return the guard that knows it."""
        for _ in self.steps():
            pass
        return self.recorder

    # ------------------------------------------------------------ inside

    def _step(self, at: Transition, last: Transition) -> Step:
        return Step(
            at.seq, at.kind, at.event_ns, at.rule_hash, last.body["decision"],
            recorded(self.recorder.decision), self.version,
        )  # fmt: skip

    def _beginning(self) -> tuple[Snapshot | None, Memory]:
        """Return where to begin: the earliest point, of one time alone the latest before it."""
        kept = self.contents
        points: list[Snapshot | None] = [None, *kept.snapshots]
        for point in reversed(points) if self.until < FOREVER else points:
            memory = self._memory(point)
            if memory is not None and _heard(memory) <= self.until:
                return point, memory
        raise StateError(
            "the journal does not reach so far back"
            if self.until < FOREVER
            else "nothing is left of this journal from which it could be decided again"
        )

    def _memory(self, point: Snapshot | None) -> Memory | None:
        """Return what was remembered at a point; None where something behind it is missing."""
        kept = self.contents
        if point is not None:
            holes = _holes(kept.inputs, point.after_input)
            holes = holes or _holes(kept.transitions, point.after_transition)
            return None if holes else remembered(point.body)
        first = next((one for one in kept.transitions if one.kind == "started"), None)
        if first is None or not first.body.get("about"):
            return None
        if _holes(kept.inputs, 0) or _holes(kept.transitions, kept.transitions[0].seq - 1):
            return None
        loaded = Loaded.again(first.body["about"])
        return Memory(loaded, loaded.guard())

    def _behind(self) -> Sequence[Transition]:
        after = self.from_snapshot.after_transition if self.from_snapshot else 0
        return [one for one in self.contents.transitions if one.seq > after]

    def _inputs(self) -> Sequence[Input]:
        after = self.from_snapshot.after_input if self.from_snapshot else 0
        return [one for one in self.contents.inputs if one.seq > after]

    def _tell(self, one: Input) -> bool:
        """Tell an input; say whether it was of the time that is asked for."""
        row = one.body["told"]
        if len(row) > 1 and isinstance(row[1], int) and row[1] > self.until:
            return False
        try:
            self.recorder.tell(row)
        except StateError:
            raise
        except RiskguardError as error:  # an order that was obeyed then is refused now
            raise StateError(f"the journal cannot be decided again: {error}") from error
        self.told += 1
        return True

    def _turn(self, one: Transition) -> None:
        """Take the rules that a reload put in force."""
        self.version = one.body.get("riskguard", self.version)
        if one.kind == "reload":
            loaded = Loaded.again(one.body["about"])
            guard, formers = succeeded(self.recorder, self.loaded, loaded)
            self.loaded, self.recorder = loaded, Recorder(guard, formers)


def _holes(rows: Sequence[Input] | Sequence[Transition], after: int) -> bool:
    """Say whether a number is missing behind `after`: pruned, or given up while a disk was full."""
    numbers = [one.seq for one in rows if one.seq > after]
    return numbers != list(range(after + 1, after + 1 + len(numbers)))


def _heard(memory: Memory) -> int:
    """Return the latest time that a guard has heard of."""
    tapes = memory.guard.stream.tapes
    return max([memory.guard.as_of, *(tape.times[-1] for tape in tapes if tape.times)])


# ---------------------------------------------------------------- differences


class Checked(NamedTuple):
    """What came of a check: how many decisions were made again, and the first that differs."""

    decisions: int
    step: Step | None = None
    difference: Difference | None = None
    rule_hash: str = ""  # of the rules it was decided again by
    more: int = 0  # decisions that differ after it


def checked(replay: Replay) -> Checked:
    """Decide a journal again and lay each decision beside the one that was stored."""
    count, more, first = 0, 0, Checked(0)
    for step in replay.steps():
        count += 1
        difference = differs(step)
        if difference is not None and first.step is None:
            first = Checked(0, step, difference, replay.loaded.hash)
        elif difference is not None:
            more += 1
    return first._replace(decisions=count, more=more)


def differs(step: Step) -> Difference | None:
    """Return the first thing in which a decision differs from the stored one, byte for byte."""
    if canonical(step.stored) == canonical(step.again):
        return None
    names = [*step.again, *sorted(step.stored.keys() - step.again.keys())]
    for name in sorted(names, key=lambda name: name == "ts"):  # the time says least
        stored, again = step.stored.get(name), step.again.get(name)
        if canonical(stored) != canonical(again):
            if name == "reasons" and isinstance(stored, list) and isinstance(again, list):
                return _line(stored, again)
            return Difference(name, stored, again)
    return None


def _line(stored: list[Any], again: list[Any]) -> Difference:
    """Return the first line that differs, and in what."""
    for one, two in zip(stored, again, strict=False):
        if canonical(one) == canonical(two):
            continue
        if isinstance(one, list) and len(one) == len(two) and one[:2] == two[:2]:
            for name, old, new in zip(OF_READING, one, two, strict=False):
                if canonical(old) != canonical(new):
                    return Difference(f"reasons: {one[0]}: {one[1]}: {name}", old, new)
        return Difference("reasons", one, two)
    longer, here = (stored, len(again)) if len(stored) > len(again) else (again, len(stored))
    more = longer[here]
    return Difference("reasons", *((more, None) if longer is stored else (None, more)))
