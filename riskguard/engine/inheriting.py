"""What a guard of new rules takes over from the one before it, as it stands there.

History alone does not tell it: a peak of long ago, a `for` that runs, a ramp that rises. Series
and windows are the same where they are read the same; what a restart would not find again is not
taken over, so that a guard is the same with one and without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.engine.dumping import beyond
from riskguard.engine.states import renewed
from riskguard.engine.windows import NEVER
from riskguard.language.rewriting import conditions_of, title
from riskguard.language.ruleset import Compare, Flag, walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from riskguard.engine.guard import Guard
    from riskguard.engine.logic import Follow, Persist, Ramp
    from riskguard.engine.plan import Plan
    from riskguard.engine.windows import Tape
    from riskguard.language.ruleset import Condition, Rule, RuleSet, Stage

    Machine = Persist | Follow | Ramp

__all__ = ["inherit"]


def inherit(old: Guard, new: Guard, same: Iterable[Rule | Stage]) -> None:
    """Let a guard go on from where another stands; `same` are the latches that mean the same."""
    if old.ruleset.symbol != new.ruleset.symbol:
        return  # its prices are those of another
    new.symbol = old.symbol
    _series(old, new)
    _account(old, new)
    if old.plan.every == new.plan.every:
        new.follow(old)
    if new.as_of != NEVER:
        new.stream.look(new.as_of)
    for latch in same:
        _machines(old, new, latch)
        _seen(old, new, latch)
    new.stream.rouse()  # what was seen is no longer what its numbers were compared with


def _tape_key(plan: Plan, place: int) -> tuple[object, ...]:
    """Return what tells a series, or what a window feeds, from all others."""
    spec = plan.tapes[place]
    fed = () if spec.feeder < 0 else _window_key(plan, spec.feeder)
    return (spec.symbol, spec.name, spec.interval, spec.bar, spec.scale, fed)


def _window_key(plan: Plan, place: int) -> tuple[object, ...]:
    window, tapes = plan.windows[place]
    return (window, *(_tape_key(plan, tape) for tape in tapes))


def _series(old: Guard, new: Guard) -> None:
    """Take over the samples in reach, and of each window what the samples do not tell."""
    tapes = {_tape_key(old.plan, place): tape for place, tape in enumerate(old.stream.tapes)}
    gone = dict(zip(map(id, old.stream.tapes), beyond(old), strict=True))
    taken = set[int]()
    for place, tape in enumerate(new.stream.tapes):
        before = tapes.get(_tape_key(new.plan, place))
        if before is not None:
            _copy(before, tape, gone[id(before)])
            if tape.keep > before.keep and tape.times:
                gone[id(before)] -= _forgotten(new.plan, place, tape)
            taken.add(place)
    windows = {_window_key(old.plan, place): one for place, one in enumerate(old.stream.rollings)}
    for place, (window, read) in enumerate(new.plan.windows):
        if not taken.issuperset(read):
            continue
        rolling = new.stream.rollings[place]
        renewed(rolling, window, [new.stream.tapes[tape] for tape in read], whole=True)
        known = windows.get(_window_key(new.plan, place))
        if known is not None and not getattr(known, "quarantined", False):
            for name in known.kept:
                lost = gone[id(known.tape)] if name == "right" else 0
                setattr(rolling, name, getattr(known, name) - lost)
    new.doors.join()


def _copy(old: Tape, new: Tape, gone: int) -> None:
    clock, before = new.alone(), old.clock
    clock.first, clock.last, clock.latest = before.first, before.last, before.latest
    clock.times[:], new.values[:] = before.times[gone:], old.values[gone:]
    # windows that are longer than any before must not glide over samples that are not there
    clock.run = before.run if new.keep <= old.keep else min(before.run, len(clock.times))
    _fix(new)


def _forgotten(plan: Plan, place: int, tape: Tape) -> int:
    """Let a series begin where its samples do: windows reach further back than any did before.

    An account is as when it was seen first, as if it had always been so: return how many samples
    are put before its own.
    """
    spec, first, count = plan.tapes[place], tape.times[0], 0
    if spec.begins:
        value = 0.0 if spec.begins == "zero" else tape.values[0]
        count = plan.lookback(place) // spec.interval + 1
        tape.times[:0] = [first - back * spec.interval for back in range(count, 0, -1)]
        tape.values[:0] = [value] * count
        first = tape.times[0]
        tape.clock.run = 0
        _fix(tape)
    tape.clock.first = first
    return count


def _fix(new: Tape) -> None:
    if new.summed:
        new.fixed[:] = [round(value * new.scale) for value in new.values]


def _account(old: Guard, new: Guard) -> None:
    before, after = old.doors.account, new.doors.account
    if before is None or after is None:
        return
    for name in before.kept:
        setattr(after, name, getattr(before, name))
    after.last = dict(before.last)
    if old.doors.begun:
        new.doors.begin()


def _machines(old: Guard, new: Guard, latch: Rule | Stage) -> None:
    """Take over each `for` and `sequence` under a latch, and the ramp that follows it."""
    for node in _nodes(new.ruleset, latch):
        for clearing in (False, True):
            was = old.plan.slots.get((node, clearing), -1)
            now = new.plan.slots.get((node, clearing), -1)
            if was in old.stream.persists and now in new.stream.persists:
                _remember(old.stream.persists[was], new.stream.persists[now])
            if was in old.stream.follows and now in new.stream.follows:
                _remember(old.stream.follows[was], new.stream.follows[now])
    name = f"reentry {title(latch)}"
    for was, now in zip(_ramps(old.plan, name), _ramps(new.plan, name), strict=True):
        _remember(old.stream.ramps[was], new.stream.ramps[now])
        new.stream.caps[now] = old.stream.caps[was]


def _seen(old: Guard, new: Guard, latch: Rule | Stage) -> None:
    """Take over what was last seen of each line under a latch, and what was made of it."""
    for node in _nodes(new.ruleset, latch):
        for clearing in (False, True):
            was = old.plan.slots.get((node, clearing), -1)
            now = new.plan.slots.get((node, clearing), -1)
            if min(was, now) >= 0:
                new.stream.truths[now] = old.stream.truths[was]
        for value in (node.left, node.right) if isinstance(node, Compare) else ():
            found = old.stream.values[old.plan.numbers[value]]
            new.stream.values[new.plan.numbers[value]] = found


def _ramps(plan: Plan, name: str) -> list[int]:
    """Return the place of a ramp, nothing where there is none."""
    return [place for place, spec in enumerate(plan.ramps) if spec.name == name]


def _remember(old: Machine, new: Machine) -> None:
    """Let a machine remember what another of its kind does."""
    for name in old.kept:
        kept = getattr(old, name)
        setattr(new, name, list(kept) if isinstance(kept, list) else kept)


def _nodes(ruleset: RuleSet, latch: Rule | Stage) -> Iterator[Condition]:
    """Yield each condition under a latch, through definitions."""
    ahead, followed = conditions_of(latch), set[str]()
    while ahead:
        for node in walk(ahead.pop()):
            yield node
            if isinstance(node, Flag) and node.kind == "definition" and node.name not in followed:
                followed.add(node.name)
                ahead.append(ruleset.define[node.name])
