"""Series that share a clock from the first event of an account on, and again after a restart.

Tapes of one clock are as long as each other. Where one looks back less far than the others, what
stands before its own past is out of reach: no window over it ever takes that in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.engine.states import renewed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from riskguard.engine.plan import Plan
    from riskguard.engine.stream import Stream
    from riskguard.engine.windows import Clock, Tape

__all__ = ["begin", "join"]


def begin(stream: Stream, ts: int, was: Mapping[int, float]) -> None:
    """Let account inputs begin at `ts`: what each, by its place, always was before."""
    plan, tapes = stream.plan, stream.tapes
    together: dict[Clock, list[int]] = {}
    for place, value in was.items():
        chain = plan.chain(place)
        if any(spec.feeder in chain for spec in plan.tapes):
            _begin_alone(stream, place, ts, value)
        else:
            together.setdefault(tapes[place].clock, []).append(place)
    for clock, places in together.items():
        clock.part([tapes[place] for place in places])
        _begin_together(stream, places, ts, was)


def _begin_together(
    stream: Stream, places: Sequence[int], ts: int, was: Mapping[int, float]
) -> None:
    """Lay one past under all tapes of a clock, as long as the longest of them wants it."""
    clock = stream.tapes[places[0]].clock
    backs = [_back(stream.plan, place) for place in places]
    times = range(ts - max(backs) * clock.interval, ts, clock.interval)
    clock.times.extend(times)
    clock.first, clock.last, clock.latest = times[0], times[-1], times[-1]
    clock.run = len(times)
    for place, back in zip(places, backs, strict=True):
        _lengthen(stream.tapes[place], len(times), was[place])
        for index in stream.plan.chain(place):
            window, read = stream.plan.windows[index]
            state = stream.rollings[index]
            # it may have begun a day of which it had seen nothing
            renewed(state, window, [stream.tapes[one] for one in read], whole=True)
            state.moved(back - len(times))
            state.read(clock.last)


def _begin_alone(stream: Stream, place: int, ts: int, value: float) -> None:
    """Let a series begin whose windows feed others, sample after sample."""
    plan, tape = stream.plan, stream.tapes[place]
    fed = {spec.feeder: one.push for spec, one in zip(plan.tapes, stream.tapes, strict=True)}
    chain = [(stream.rollings[one].read, fed.get(one)) for one in plan.chain(place)]
    for back in range(_back(plan, place), 0, -1):
        then = ts - back * tape.interval
        tape.push(then, value)
        for read, push in chain:
            found = read(then)
            if push is not None and found - found == 0.0:  # finite
                push(then, found)


def _back(plan: Plan, place: int) -> int:
    """Return how many samples before the first anything may look at."""
    return plan.lookback(place) // plan.tapes[place].interval + 1


def join(stream: Stream) -> None:
    """Let series of a symbol whose samples have always come together share a clock."""
    plan, tapes = stream.plan, stream.tapes
    # plug-ins are told every sample there is: none may be added
    told = {tape for window, read in plan.windows if window.plugged for tape in read}
    kept: list[tuple[str, Clock]] = []
    outer = [place for place, spec in enumerate(plan.tapes) if spec.feeder < 0]
    for place in sorted(outer, key=lambda place: -len(tapes[place].times)):
        tape, symbol = tapes[place], plan.tapes[place].symbol
        for of, clock in kept:
            more = len(clock.times) - len(tape.times)
            if of == symbol and clock.went_with(tape.clock) and not (more and place in told):
                _deepen(tape, more)
                tape.follow(clock)
                break
        else:
            kept.append((symbol, tape.clock))
    stream.clocks[:], stream.parted = [clock for _, clock in kept], 0


def _deepen(tape: Tape, more: int) -> None:
    """Put samples before the first that nothing can reach."""
    if more:
        _lengthen(tape, more, tape.values[0])
        for window in tape.readers:
            window.moved(-more)


def _lengthen(tape: Tape, more: int, value: float) -> None:
    tape.values[:0] = [value] * more
    if tape.summed:
        tape.fixed[:0] = [round(value * tape.scale)] * more
