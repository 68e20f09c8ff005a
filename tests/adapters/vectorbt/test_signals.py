from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from riskguard.adapters.vectorbt.signals import NOTHING, Bar, Signals, play
from riskguard.engine.decision import Claim, Decision, State, merge
from riskguard.language.ruleset import Actions

LARGEST = 4.0  # size of an entry
HOUR = 3_600_000_000_000
ACTIONS = (
    {},
    {"exposure_cap": 0.5},
    {"exposure_cap": 0.25},
    {"exposure_cap": 0.0},
    {"reduce_only": True},
    {"block_entries": "long"},
    {"block_entries": "both"},
    {"close": "longs"},
    {"reduce_by": 0.5},
)


def decided(ts: int, asked: dict[str, object]) -> Decision:
    claims = [Claim("test", Actions(**asked))] if asked else []  # type: ignore[arg-type]  # drawn from ACTIONS
    return Decision(ts, "BTC", rules="r", **merge(claims))


@st.composite
def scenes(draw: st.DrawFn) -> tuple[list[Signals], list[Decision], list[float]]:
    """Signals and decisions of some bars; a decision stands for a few of them."""
    count = draw(st.integers(2, 20))
    flags = st.tuples(*[st.booleans()] * 4)
    sizes = st.sampled_from((1.0, 2.0, LARGEST))
    said = [Signals(*draw(flags), draw(sizes)) for _ in range(count)]
    decisions: list[Decision] = []
    while len(decisions) < count:
        one = decided(len(decisions) * HOUR, draw(st.sampled_from(ACTIONS)))
        decisions += [one] * draw(st.integers(1, 6))
    prices = draw(st.lists(st.sampled_from((50.0, 100.0, 128.0)), min_size=count, max_size=count))
    return said, decisions[:count], prices


def traded(held: float, bar: Bar, price: float) -> float:
    """Return what is held after a bar, as vectorbt 1.2.0 makes orders of signals."""
    size = bar.size / price if bar.size_type == 1 else bar.size
    if held > 0:
        if bar.short_entry:
            return held - size if bar.accumulate in {1, 3} else -size
        if bar.long_exit:
            share = size * held if bar.size_type == 2 else size
            return max(0.0, held - share) if bar.accumulate in {1, 3} else 0.0
        return held + size if bar.long_entry and bar.accumulate in {1, 2} else held
    if held < 0:
        if bar.long_entry:
            return held + size if bar.accumulate in {1, 3} else size
        if bar.short_exit:
            return min(0.0, held + size) if bar.accumulate in {1, 3} else 0.0
        return held - size if bar.short_entry and bar.accumulate in {1, 2} else held
    return size if bar.long_entry else -size if bar.short_entry else 0.0


def path(
    scene: tuple[list[Signals], list[Decision], list[float]],
    hit: frozenset[int] = frozenset(),
    **more: object,
) -> tuple[list[Bar], list[float]]:
    """Return what is handed over and what is held; stops are hit at the end of some bars."""
    said, decisions, prices = scene
    closes = [(one + 1) * HOUR for one in range(len(said))]
    bars = list(play(said, decisions, closes, prices, **more))  # type: ignore[arg-type]  # size_type, accumulate
    held, found = 0.0, []
    for place, (bar, price) in enumerate(zip(bars, prices, strict=True)):
        held = traded(held, bar, price)
        found.append(held)
        held = 0.0 if place in hit else held
    return bars, found


@given(scenes(), st.booleans(), st.sampled_from((0, 1)))
@settings(max_examples=60, deadline=None)
def test_no_position_grows_or_flips_while_reducing(
    scene: tuple[list[Signals], list[Decision], list[float]], accumulate: bool, size_type: int
) -> None:
    bars, held = path(scene, accumulate=accumulate, size_type=size_type)
    assert bars[0] == NOTHING
    for place in range(1, len(bars)):
        decision, before, now = scene[1][place - 1], held[place - 1], held[place]
        noise = 1e-9 * abs(before)
        if decision.state >= State.REDUCING:
            assert abs(now) <= abs(before) + noise
            assert now * before >= 0
        if decision.state is State.HALTED:
            assert now == 0


@given(scenes(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_cap_holds_for_what_was_held_when_it_came(
    scene: tuple[list[Signals], list[Decision], list[float]], accumulate: bool
) -> None:
    _, held = path(scene, accumulate=accumulate)
    base = 0.0
    for place in range(1, len(held)):
        decision = scene[1][place - 1]
        if decision.state is State.ACTIVE:
            base = 0.0
            continue
        base = base or abs(held[place - 1]) or LARGEST  # flat: what is asked first
        if decision.exposure_cap < 1:
            assert abs(held[place]) <= decision.exposure_cap * base * (1 + 1e-9)


@given(scenes(), st.booleans(), st.frozensets(st.integers(1, 19)))
@settings(max_examples=60, deadline=None)
def test_stops_that_are_hit_unseen_let_nothing_grow_while_reducing(
    scene: tuple[list[Signals], list[Decision], list[float]], accumulate: bool, hit: frozenset[int]
) -> None:
    _, held = path(scene, hit, accumulate=accumulate, stops=True)
    for place in range(1, len(held)):
        decision, before = scene[1][place - 1], 0.0 if place - 1 in hit else held[place - 1]
        if decision.state >= State.REDUCING:
            assert abs(held[place]) <= abs(before) * (1 + 1e-9)
            assert held[place] * before >= 0
        if decision.exposure_cap < 1:  # whatever was held, no more is than of the largest
            largest = max([LARGEST, *map(abs, held[:place])])
            assert abs(held[place]) <= decision.exposure_cap * largest * (1 + 1e-9)


@given(scenes(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_what_comes_later_changes_nothing_before_it(
    scene: tuple[list[Signals], list[Decision], list[float]], accumulate: bool
) -> None:
    whole, _ = path(scene, accumulate=accumulate)
    for end in range(2, len(whole)):
        cut = (scene[0][:end], scene[1][:end], scene[2][:end])
        assert path(cut, accumulate=accumulate)[0] == whole[:end]


@given(scenes(), st.booleans(), st.sampled_from((0, 1)))
@settings(max_examples=60, deadline=None)
def test_while_nothing_limits_signals_are_a_bar_later_and_the_same(
    scene: tuple[list[Signals], list[Decision], list[float]], accumulate: bool, size_type: int
) -> None:
    free = [decided(0, {})] * len(scene[0])
    _, held = path((scene[0], free, scene[2]), accumulate=accumulate, size_type=size_type)
    now, mode = 0.0, int(accumulate)
    for place in range(1, len(held)):
        said = scene[0][place - 1].settled()
        bare = Bar(*said, size_type=size_type, accumulate=mode)
        if accumulate and now and (said.short_entry if now > 0 else said.long_entry):
            size = said.size / (scene[2][place] if size_type else 1.0)
            now = math.copysign(max(0.0, abs(now) - size), now)  # an exit does not flip
        else:
            now = traded(now, bare, scene[2][place])
        assert math.isclose(held[place], now, rel_tol=1e-9, abs_tol=1e-9)


def test_what_contradicts_itself_is_nothing() -> None:
    both = Signals(long_entry=True, long_exit=True, short_entry=False, short_exit=False, size=1.0)
    assert not any(both.settled()[:4])
    sides = both._replace(long_exit=False, short_entry=True)
    assert not any(sides.settled()[:4])
