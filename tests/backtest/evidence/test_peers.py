"""Peers at the guard's mean exposure: matched, after costs, and never ahead of the close before."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from riskguard.backtest.evidence.paths import Paths
from riskguard.backtest.evidence.peers import (
    SIMPLE,
    Peer,
    best_simple,
    leverage_line,
    peers,
    random_guard,
)
from riskguard.backtest.evidence.signals import (
    above_average,
    daily,
    favourable,
    trailing,
    volatility,
)
from riskguard.market import DAY, HOUR
from tests.adapters.market import FREE, cap, track
from tests.backtest.evidence.test_paths import made
from tests.backtest.evidence.walks import tried, walk
from tests.backtest.test_pooled import Short
from tests.counts import counts

NAMES = (*SIMPLE, "drawdown stop", "random guard")
LEAD = 500  # closes before the first bar


def market(seed: int, size: int = 2_000) -> tuple[Paths, np.ndarray]:
    chance = np.random.default_rng(seed)
    moves = chance.standard_t(4, size + LEAD) * 0.006
    x = np.repeat(chance.choice([0.0, 0.4, 0.97, 1.0, 1.0], size), chance.integers(1, 90, size))
    x = x[:size]
    x[(np.arange(size) // 150) % 5 == seed % 5] = math.nan
    r = np.where(np.isfinite(x), moves[LEAD:], 0.0)
    paths = replace(made(r.tolist(), x.tolist()), every=HOUR)
    return replace(paths, ts=(np.arange(size) + 7) * HOUR), 100 * np.cumprod(1 + moves)


def told(paths: Paths, closes: np.ndarray, *, seed: int) -> tuple[Peer, ...]:
    """Return the peers on closes without a gap."""
    stamps = paths.ts[-1] - paths.every * np.arange(closes.size)[::-1]
    return peers(paths, closes, stamps, seed=seed)


@counts(12, 500)
def test_every_peer_has_the_mean_exposure_of_the_guard(count: int) -> None:
    for seed in range(count):
        paths, closes = market(seed)
        found = told(paths, closes, seed=1)
        assert tuple(peer.name for peer in found) == NAMES
        for peer in found:
            assert peer.mean_exposure == pytest.approx(paths.mean_exposure, abs=1e-9)
            held = peer.exposure[paths.wanted]
            assert held.min() >= 0
            assert held.max() <= 1 + 1e-12
            assert np.isnan(peer.exposure[~paths.wanted]).all()
            assert peer.equity.tolist() == paths.equity(peer.exposure).tolist()


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_all_or_nothing_is_matched_too(share: float) -> None:
    paths, closes = market(3)
    whole = replace(paths, x=np.where(paths.wanted, share, np.nan))
    for peer in told(whole, closes, seed=1):
        assert peer.mean_exposure == pytest.approx(share, abs=1e-9), peer.name


def test_a_gap_in_the_bars_moves_no_midnight_of_the_moving_average() -> None:
    paths, closes = market(7)
    stamps = np.arange(closes.size, dtype=np.int64) * HOUR
    stamps[closes.size - 900 :] += 5 * HOUR  # five bars are missing
    whole = replace(paths, ts=stamps[LEAD:], x=np.full(paths.x.size, 0.5))
    whole = replace(whole, wanted=np.ones(paths.x.size, dtype=bool))
    average = next(
        one for one in peers(whole, closes, stamps, seed=1) if one.name == "moving average"
    )
    moved = np.flatnonzero(np.diff(average.exposure)) + LEAD  # the close before each change
    assert moved.size > 5
    assert (stamps[moved] % DAY < HOUR).all()


def test_where_nothing_was_wanted_there_are_no_peers() -> None:
    nothing = made([0.0] * 5, [math.nan] * 5)
    assert told(nothing, np.ones(9), seed=1) == ()
    assert best_simple(()) is None


@pytest.mark.parametrize("cut", [3, 40, 499, 1_000])
def test_what_is_known_at_a_close_is_known_from_the_closes_so_far(cut: int) -> None:
    _, closes = market(5)
    stamps = np.arange(closes.size) * HOUR
    for known in (
        lambda prices: volatility(prices, HOUR),
        lambda prices: above_average(prices, 30),
        lambda prices: trailing(prices, 0.03),
        lambda prices: daily(prices > 100, stamps[: prices.size], HOUR),
    ):
        np.testing.assert_array_equal(known(closes[:cut]), known(closes)[:cut])


@pytest.mark.parametrize("bar", [0, 300, 1_998])
def test_a_bar_is_held_by_what_was_known_at_the_close_before_it(bar: int) -> None:
    # the knob is set on the whole range, so only what is set alike may be compared
    paths, closes = market(6)
    paths = replace(
        paths, x=np.where(np.arange(2_000) < 900, 1.0, 0.2), wanted=np.ones(2_000, bool)
    )
    moved = closes.copy()
    moved[LEAD + bar :] *= 0.5
    before, after = told(paths, closes, seed=1), told(paths, moved, seed=1)
    for one, other in zip(before, after, strict=True):
        if one.setting == other.setting and one.holds == other.holds:
            assert one.exposure[: bar + 1].tolist() == other.exposure[: bar + 1].tolist()
    lower = max(bar, 1_000)
    sigma = volatility(closes, HOUR)[LEAD - 1 : LEAD + lower - 1]
    target = before[1]
    aim = target.setting / math.sqrt(8_760)
    assert target.exposure[:lower] == pytest.approx(np.minimum(1, aim / sigma), rel=1e-9)


def test_the_drawdown_stop_knows_the_account_as_it_stood_two_opens_ago() -> None:
    r = [0.0] * 10
    r[4] = -0.5
    paths = made(r, [1.0] * 6 + [0.0] * 4)
    stop = told(replace(paths, every=DAY), np.ones(10), seed=1)[4]
    # lost in bar 4: known at its end, which is the open of bar 5, so decided at the close of 5
    assert stop.exposure.tolist() == [1.0] * 6 + [0.0] * 4


def test_trailing_stop_leaves_below_the_high_and_comes_back_above_the_low() -> None:
    prices = np.array([100, 110, 100, 98.9, 90, 98, 99.1, 95, 89.0])
    assert trailing(prices, 0.1).tolist() == [True] * 3 + [False] * 3 + [True] * 2 + [False]
    assert trailing(np.array([]), 0.1).tolist() == []


def test_the_average_counts_the_close_itself_and_is_in_until_it_is_known() -> None:
    prices = np.array([10.0, 4.0, 6.0, 8.0, 6.9])
    assert above_average(prices, 3).tolist() == [True, True, False, True, False]
    assert above_average(prices, 9).all()


def test_a_day_is_judged_at_its_last_close_or_the_first_after_it() -> None:
    stamps = np.array([6, 12, 18, 24, 30, 36, 42, 48, 54]) * HOUR
    found = np.array([False, True, True, False, True, True, False, True, False])
    assert daily(found, stamps, 6 * HOUR).tolist() == [True] * 3 + [False] * 4 + [True] * 2
    odd = np.array([20, 25, 30, 45, 50]) * HOUR
    found = np.array([False, True, False, False, False])
    assert daily(found, odd, 5 * HOUR).tolist() == [True] * 4 + [False]


def test_volatility_is_the_weighted_mean_of_squares() -> None:
    closes = np.array([100.0, 110.0, 99.0])
    weight = 0.94
    expected = math.sqrt((0.1**2 + weight * 0.1**2) / (1 + weight))
    assert volatility(closes, DAY)[2] == pytest.approx(expected)
    moves = np.array([100.0, 102.0, 102.0])
    assert volatility(moves, DAY)[2] == pytest.approx(math.sqrt(weight * 4e-4 / (1 + weight)))
    assert math.isnan(volatility(closes, DAY)[0])


def test_a_short_sees_the_price_upside_down() -> None:
    closes = np.array([100.0, 110.0, 121.0, 110.0, 99.0])
    assert favourable(closes, None) is closes
    assert favourable(closes, np.ones(3)) is closes
    short = favourable(closes, np.array([-1.0, 0.0, -1.0]))
    assert short == pytest.approx(100 / closes)
    turned = favourable(closes, np.array([1.0, 0.0, -1.0]))
    assert turned[3] / turned[2] == pytest.approx(110 / 121)
    assert turned[4] / turned[3] == pytest.approx(110 / 99)


def test_peers_of_a_short_get_out_of_what_rises(tmp_path: Path) -> None:
    one = tried(walk(tmp_path, 3), Short, {}, track(b0=FREE, b30=cap(0.5)))
    paths = Paths.of(one)
    closes = one.history.bars("BTC").close
    assert set(paths.side) == {-1.0}
    stop = next(peer for peer in told(paths, closes, seed=1) if peer.name == "trailing stop")
    inside = trailing(1 / closes, stop.setting)[-paths.r.size - 1 : -1]
    assert stop.exposure == pytest.approx(np.where(inside, *stop.holds))


@counts(200, 5_000)
def test_random_guard_has_the_outs_of_the_guard_elsewhere(count: int) -> None:
    def outs(held: np.ndarray) -> list[tuple[float, ...]]:
        out = held < 0.9
        edges = np.flatnonzero(np.diff(out, prepend=False, append=False)).reshape(-1, 2)
        return sorted(tuple(held[first:last]) for first, last in edges)

    moved = 0
    for seed in range(count):
        paths, _ = market(seed, 400)
        drawn = random_guard(paths, np.random.default_rng(seed))[paths.wanted]
        own = paths.x[paths.wanted]
        assert outs(drawn) == outs(own)
        assert sorted(drawn) == sorted(own)
        moved += drawn.tolist() != own.tolist()
    assert moved > 0.9 * count


def test_same_seed_same_peers() -> None:
    paths, closes = market(9)
    one, two, three = (told(paths, closes, seed=seed) for seed in (4, 4, 5))
    assert [peer.equity.tobytes() for peer in one] == [peer.equity.tobytes() for peer in two]
    assert one[-1].exposure.tobytes() != three[-1].exposure.tobytes()
    assert one[1].exposure.tobytes() == three[1].exposure.tobytes()


def test_the_best_simple_peer_is_the_one_that_ended_highest_after_costs() -> None:
    paths, closes = market(11)
    found = told(paths, closes, seed=1)
    best = best_simple(found)
    assert best is not None
    assert best.equity[-1] == max(peer.equity[-1] for peer in found if peer.name in SIMPLE)
    dear = best_simple(told(replace(paths, k=paths.k * 1_000), closes, seed=1))
    assert dear is not None
    assert dear.name == "constant exposure", "it alone never trades"


def test_a_stretch_too_short_for_a_year_of_its_growth_has_no_leverage_line() -> None:
    paths, _ = market(13)
    few = replace(
        paths, ts=paths.ts[:20], r=np.full(20, 0.01), x=np.ones(20), k=np.zeros(20),
        wanted=np.ones(20, dtype=bool),
    )  # fmt: skip
    assert leverage_line(replace(few, every=HOUR // 60)) == ()
    assert leverage_line(replace(few, r=few.r / 50, every=24 * HOUR)) != ()


def test_the_leverage_line_runs_from_cash_to_the_bare_run() -> None:
    paths, _ = market(13)
    line = leverage_line(paths)
    assert len(line) == 21
    assert (line[0].exposure, line[-1].exposure) == (0.0, 1.0)
    years = paths.r.size * HOUR / (365 * DAY)
    assert line[-1].cagr == pytest.approx(np.prod(1 + paths.r) ** (1 / years) - 1)
    assert [one.cdar for one in line] == sorted(one.cdar for one in line)
    idle = np.prod(1 + paths.r[~paths.wanted]) ** (1 / years) - 1
    assert line[0].cagr == pytest.approx(idle)
