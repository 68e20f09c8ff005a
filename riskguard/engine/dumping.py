"""The state of a guard as one text, and a guard that goes on from it.

What a window knows is found again from the samples it can still reach, so a dump holds these,
each series once, and no window; only what is older than its samples is kept beside them: what
the calendar began, the highest there ever was. Machines name what they remember (`kept`).
A text that does not fit the rules, or was changed, is refused as a whole.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

from riskguard.engine.bodies import Body, canonical, parsed, plain, runs, unrun
from riskguard.engine.logic import Change
from riskguard.engine.recorded import decision_of, recorded
from riskguard.errors import StateError

if TYPE_CHECKING:
    from riskguard.engine.account import Account
    from riskguard.engine.decision import Decision
    from riskguard.engine.guard import Guard
    from riskguard.engine.plan import Plan
    from riskguard.engine.stream import Stream
    from riskguard.engine.windows import Rolling, Tape

__all__ = ["FORMAT", "Standing", "beyond", "dumped", "loaded"]

FORMAT = 1
MOST = 1 << 24  # samples of a series
TRUTHS = (-1, 2)


class Rests(NamedTuple):
    """What a decision rests on beside the machines."""

    late: tuple[str, ...]  # inputs that are too old
    told: tuple[tuple[int, str, str], ...]  # windows that prime: what they have, of what
    ranged: bool  # the average true range is known


class Standing(NamedTuple):
    """Where a guard stands: what is in force, and what the next decision is compared with."""

    closed: int
    pending: int
    fault: str
    decision: Decision  # in force
    made: Decision  # at the last instant: blindness between two closes makes another
    rests: Rests | None


def beyond(guard: Guard) -> list[int]:
    """Return how many samples of each series a restart does not find again."""
    gone = [tape.beyond(guard.as_of) for tape in guard.stream.tapes]
    for _, window, place in _kept(guard.stream):
        gone[place] = max(0, min(gone[place], getattr(window, "right", gone[place])))
    return gone


def dumped(guard: Guard, standing: Standing) -> str:
    """Return the state of a guard as canonical JSON."""
    gone, kept = beyond(guard), _kept(guard.stream)
    body = {
        "format": FORMAT,
        "api": list(guard.api),
        "rules": guard.ruleset.hash,
        "plan": shape(guard),
        "sources": guard.sources,
        "as_of": guard.as_of,
        "symbol": guard.symbol,
        "begun": guard.doors.begun,
        "refused": guard.refused,
        "rejected": guard.doors.rejected,
        "standing": _standing(standing),
        "series": {
            _key(guard.plan, place): _tape(tape, gone[place])
            for place, tape in enumerate(guard.stream.tapes)
        },
        "windows": {name: _window(window, gone[place]) for name, window, place in kept},
        "nodes": _nodes(guard.stream),
        "account": _account(guard.doors.account),
        "parts": {name: part.dump() for name, part in guard.parts.items()},
        "controls": {
            "halt": guard.controls.halt,
            "latched": guard.controls.latched,
            "lost": guard.controls.lost,
            "mutes": guard.controls.mutes,
        },
    }
    text = plain(body)
    return canonical(text | {"sum": _sum(text)})


def loaded(guard: Guard, blob: str) -> Standing:
    """Put a dump in a guard that has seen nothing, and return where it stands.

    Raises:
        StateError: where it cannot be used; the guard is then of no use either.
    """
    body = Body(parsed(blob))
    _fits(guard, body, blob)
    guard.as_of = body.whole("as_of")
    guard.symbol = body.text("symbol")
    if body.flag("begun"):
        guard.doors.begin()
    refused = body.part("refused")
    guard.refused.update({said: refused.whole(said, 1) for said in refused.of})
    rejected = body.part("rejected")
    guard.doors.rejected.update({key: rejected.whole(key) for key in rejected.of})
    series = body.part("series")
    series.names(_key(guard.plan, place) for place in range(len(guard.plan.tapes)))
    for place, tape in enumerate(guard.stream.tapes):
        _load_tape(series.part(_key(guard.plan, place)), tape)
    kept, windows = _kept(guard.stream), body.part("windows")
    windows.names(name for name, _, _ in kept)
    for name, window, _ in kept:
        _load_window(windows.part(name), window)
    guard.doors.join()
    _load_nodes(body.part("nodes"), guard.stream)
    if guard.doors.account is not None:
        _load_account(body.part("account"), guard.doors.account)
    _load_controls(body.part("controls"), guard)
    parts = body.part("parts")
    parts.names(guard.parts)
    for name, part in guard.parts.items():
        part.load(parts.part(name).of)
    return _load_standing(body.part("standing"))


def _fits(guard: Guard, body: Body, blob: str) -> None:
    if body.whole("format") != FORMAT:
        raise body.refused("format", f"is {FORMAT}, the only one that this version reads")
    if body.wholes("api", 2)[0] != guard.api[0]:
        raise body.refused("api", f"begins with {guard.api[0]}")
    given = {key: value for key, value in body.of.items() if key != "sum"}
    if body.text("sum") != _sum(given):
        raise body.refused("sum", "is that of its text, so that no change goes unseen")
    if canonical(body.of) != blob:
        raise body.refused("format", "is written in canonical JSON")
    if body.text("rules") != guard.ruleset.hash:
        raise body.refused("rules", f"is {guard.ruleset.hash}, the digest of these rules")
    told = guard.sources.items()
    sources = {key: list(one) if isinstance(one, tuple) else one for key, one in told}
    if body.value("sources") != sources:
        raise body.refused("sources", f"is {sources}")
    if body.text("plan") != shape(guard):
        raise body.refused("plan", f"is {shape(guard)}, these rules bound to the same inputs")


def _sum(body: dict[str, Any]) -> str:
    try:
        text = canonical(body)
    except (TypeError, ValueError, RecursionError) as error:
        msg = "the saved state cannot be used: it holds what no state holds"
        raise StateError(msg) from error
    return hashlib.sha256(text.encode()).hexdigest()


def shape(guard: Guard) -> str:
    """Return a digest of what there is to remember: rules bound to other inputs differ."""
    plan = guard.plan
    if guard.shape:
        return guard.shape
    tables = (
        plan.every, plan.tapes, plan.windows, plan.values, plan.truths, plan.latches,
        plan.enters, plan.recovers, plan.holds, plan.ramps, plan.order, plan.atr, plan.close,
    )  # fmt: skip
    guard.shape = hashlib.sha256(repr(tables).encode()).hexdigest()[:16]
    return guard.shape


def _key(plan: Plan, place: int) -> str:
    """Return the name of a tape: its series, or the window that feeds it."""
    spec = plan.tapes[place]
    return str(spec.key) if spec.feeder < 0 else f"window {spec.feeder}"


def _standing(standing: Standing) -> dict[str, Any]:
    made = None if standing.made is standing.decision else recorded(standing.made)
    rests = None if standing.rests is None else standing.rests._asdict()
    return standing._asdict() | {
        "decision": recorded(standing.decision), "made": made, "rests": rests,
    }  # fmt: skip


def _load_standing(body: Body) -> Standing:
    body.names(Standing._fields)
    decision = decision_of(body.part("decision"))
    made = decision if body.value("made") is None else decision_of(body.part("made"))
    rests = None if body.value("rests") is None else _load_rests(body.part("rests"))
    return Standing(
        body.whole("closed"), body.whole("pending"), body.text("fault"), decision, made, rests
    )


def _load_rests(body: Body) -> Rests:
    body.names(Rests._fields)
    told: list[tuple[int, str, str]] = []
    for one in body.items("told"):
        match one:
            case [int() as index, str() as have, str() as wanted]:
                told.append((index, have, wanted))
            case _:
                raise body.refused("told", "names windows with what they have, of what")
    return Rests(body.texts("late"), tuple(told), body.flag("ranged"))


# ---------------------------------------------------------------- series and windows


def _tape(tape: Tape, gone: int) -> dict[str, Any]:
    return {
        "first": tape.first,
        "start": tape.start,
        "last": tape.last,
        "run": tape.clock.run,
        "times": runs(tape.times[gone:]),
        "values": tape.values[gone:],
    }


def _load_tape(body: Body, tape: Tape) -> None:
    body.names(("first", "start", "last", "run", "times", "values"))
    clock = tape.alone()
    clock.first = None if body.value("first") is None else body.whole("first")
    clock.last, clock.run = body.whole("last"), body.whole("run", 0)
    if body.whole("start") != tape.start:
        raise body.refused("start", f"is {tape.start}, from when on it was observed")
    times = unrun(body.wholes("times"), MOST)
    if times is None:
        raise body.refused("times", "is rising, as first, step, count")
    clock.times[:] = times
    tape.values[:] = body.numbers("values", len(times))
    if bool(times) == (clock.first is None) or (times and clock.last > times[-1]):
        raise body.refused("last", "is no later than the last sample")
    clock.latest = times[-1] if times else clock.latest
    if tape.summed:
        tape.fixed[:] = [round(value * tape.scale) for value in tape.values]


def _kept(stream: Stream) -> list[tuple[str, Rolling, int]]:
    """Return the windows that keep something, each with its name and the place of its tape."""
    pairs = zip(stream.plan.windows, stream.rollings, strict=True)
    return [
        (str(index), window, tapes[0])
        for index, ((_, tapes), window) in enumerate(pairs)
        if window.kept
    ]


def _window(window: Rolling, gone: int) -> dict[str, Any]:
    found = {name: getattr(window, name) for name in window.kept}
    if "right" in found:
        found["right"] -= gone
    return found


def _load_window(body: Body, window: Rolling) -> None:
    body.names(window.kept)
    for name in window.kept:
        setattr(window, name, body.like(name, getattr(window, name)))
    if "right" in window.kept:
        body.whole("right", 0, len(window.tape.times))


# ---------------------------------------------------------------- conditions and machines


def _machine(machine: object, kept: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(machine, name) for name in kept}


def _load_machine(body: Body, machine: Any) -> None:  # noqa: ANN401 - whatever names what it keeps
    body.names(machine.kept)
    for name in machine.kept:
        setattr(machine, name, body.like(name, getattr(machine, name)))


def _nodes(stream: Stream) -> dict[str, Any]:
    plan, change = stream.plan, stream.change
    latches = zip(plan.latches, stream.latches, strict=True)
    ramps = zip(plan.ramps, stream.ramps, strict=True)
    return {
        "last": stream.last,
        "values": stream.values,
        "truths": stream.truths,
        "caps": stream.caps,
        "awake": [component.awake for component in stream.components],
        "change": [change.stage, change.stage_before],
        "on": list(change.on),
        "on_before": list(change.on_before),
        "rules": {spec.name: _machine(latch, latch.kept) for spec, latch in latches},
        "stages": _machine(stream.ladder, stream.ladder.kept),
        "ramps": {spec.name: _machine(ramp, ramp.kept) for spec, ramp in ramps},
        "for": {str(slot): _machine(one, one.kept) for slot, one in stream.persists.items()},
        "sequence": {str(slot): _machine(one, one.kept) for slot, one in stream.follows.items()},
    }


def _load_nodes(body: Body, stream: Stream) -> None:
    plan = stream.plan
    stream.last = body.whole("last")
    stream.values[:] = body.numbers("values", len(stream.values), finite=False)
    stream.truths[:] = body.wholes("truths", len(stream.truths), *TRUTHS)
    stream.caps[:] = body.numbers("caps", len(stream.caps))
    awake = body.flags("awake", len(stream.components))
    for component, is_awake in zip(stream.components, awake, strict=True):
        component.awake = is_awake
    for name, machines in (
        ("rules", dict(zip((spec.name for spec in plan.latches), stream.latches, strict=True))),
        ("ramps", dict(zip((spec.name for spec in plan.ramps), stream.ramps, strict=True))),
        ("for", {str(slot): one for slot, one in stream.persists.items()}),
        ("sequence", {str(slot): one for slot, one in stream.follows.items()}),
    ):
        part = body.part(name)
        part.names(machines)
        for key, machine in machines.items():
            _load_machine(part.part(key), machine)
    stages = body.part("stages")
    _load_machine(stages, stream.ladder)
    stages.whole("stage", 0, len(plan.holds))
    stage, before = body.wholes("change", 2, 0, len(plan.holds))
    on = tuple(body.flags("on", len(plan.latches)))
    was = tuple(body.flags("on_before", len(plan.latches)))
    stream.stand(Change(stage, before, on, was))


# ---------------------------------------------------------------- account and operator


def _account(account: Account | None) -> dict[str, Any] | None:
    return None if account is None else _machine(account, account.kept) | {"last": account.last}


def _load_account(body: Body, account: Account) -> None:
    body.names((*account.kept, "last"))
    for name in account.kept:
        setattr(account, name, body.like(name, getattr(account, name)))
    last = body.part("last")
    account.last = {name: last.whole(name) for name in last.of}


def _load_controls(body: Body, guard: Guard) -> None:
    controls = guard.controls
    body.names(("halt", "latched", "lost", "mutes"))
    latched, names = body.part("latched"), [rule.name for rule in guard.ruleset.rules]
    for name in latched.of:
        if name not in names or not guard.stream.latches[names.index(name)].on:
            raise latched.refused(name, "is a rule that is on")
        controls.latch(name, *_reasoned(latched, name))
        guard.stream.latches[names.index(name)].latched = True
    mutes = body.part("mutes")
    for name in mutes.of:
        controls.mute(name, *_reasoned(mutes, name))
    if body.value("halt") is not None:
        controls.stop(*_reasoned(body, "halt"))
    if body.value("lost") is not None:
        controls.lose(*_reasoned(body, "lost"))


def _reasoned(body: Body, name: str) -> tuple[int, str]:
    ts, reason = body.items(name, 2)
    if isinstance(ts, bool) or not isinstance(ts, int) or not isinstance(reason, str):
        raise body.refused(name, "is a time and a reason")
    return ts, reason
