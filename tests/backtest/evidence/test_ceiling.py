"""What the ceiling rule would have held: cuts, episodes, stops, blocks and the way back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from riskguard.backtest.evidence import ceiling
from riskguard.backtest.evidence.accounts import Account
from riskguard.backtest.evidence.ceiling import Market, net
from riskguard.backtest.evidence.claims import Limits
from riskguard.backtest.strategies import find
from tests.adapters.market import FREE, track
from tests.backtest.evidence.test_identity import Reacts
from tests.backtest.evidence.walks import tried, walk
from tests.backtest.test_pooled import Short
from tests.counts import counts


def limits(bar: int, **asked) -> Limits:
    plain = {
        "cap": 1.0,
        "blocked": (False, False),
        "closes": (False, False),
        "reduce_by": 0.0,
        "stop": None,
        "price": 100.0,
    }
    return Limits(bar=bar, **(plain | asked))


def market(prices: list[float], held: list[float] | None = None, *, states=True, **more) -> Market:
    """Return bars whose lows and highs are their opens; 100 units of money, nothing costs."""
    path = np.array(prices, dtype=float)
    opens, after = path[:-1], path[1:]
    units = np.ones(opens.size) if held is None else np.array(held, dtype=float)
    gross = units * (after - opens)
    nothing = np.zeros(opens.size)
    equity = 100 + np.append(0.0, np.cumsum(gross))
    bare = Account(units, after - opens, gross, nothing, nothing > 0, equity)
    lows, highs = np.minimum(opens, after), np.maximum(opens, after)
    plain = {"rate": nothing, "first": 1, "leverage": 1.0}
    return Market(bare, opens, highs, lows, states=states, **(plain | more))


# the decision of bar b holds from bar b + 1 on, which is number b of the market
FALL = [100, 100, 90, 80, 70, 80, 100]


def test_nothing_limited_is_nothing_gained() -> None:
    assert net(market(FALL), [limits(0), limits(3)]) == 0.0


def test_what_is_cut_loses_no_more() -> None:
    assert net(market(FALL), [limits(0), limits(2, cap=0.5)]) == pytest.approx(-5)
    assert net(market(FALL), [limits(0), limits(2, cap=0.0), limits(4)]) == pytest.approx(20)


def test_costs_are_paid_on_what_is_moved_at_its_price() -> None:
    dear = market(FALL, rate=np.full(6, 0.01))
    # sold at 90; at 70 the account carries all of it again
    found = net(dear, [limits(0), limits(2, cap=0.0), limits(4)])
    assert found == pytest.approx(20 - 0.9 - 0.7)


def test_base_does_not_grow_inside_an_episode() -> None:
    grown = market([10] * 3 + [12, 14], held=[1, 1, 2, 2])
    # half of 1 unit, while the strategy wants 2: held 0.5 where the price rises by 2 and 2
    assert net(grown, [limits(0), limits(1, cap=0.5)]) == pytest.approx(-1.5 * 4)


def test_flat_at_the_beginning_the_first_entry_is_the_base() -> None:
    later = market([10, 10, 10, 9], held=[0, 0, 4])
    assert net(later, [limits(0, cap=0.25)]) == pytest.approx(3)


def test_who_lost_by_going_out_comes_back_with_less() -> None:
    rise = market([100, 100, 125, 150])
    # 100 of money buys 0.8 units at 125, and misses 0.2 of 25
    found = net(rise, [limits(0), limits(1, cap=0.0), limits(2)])
    assert found == pytest.approx(-25 - 0.2 * 25)


def test_a_stop_leaves_inside_the_bar_that_reaches_it() -> None:
    blocked = {"blocked": (True, True), "stop": 15.0}
    # below 85 from the close of bar 1 on: reached in the bar from 90 to 80
    found = net(market(FALL), [limits(0), limits(1, **blocked)])
    assert found == pytest.approx((85 - 80) + 10 - 10 - 20)


def test_a_gap_through_the_stop_fills_at_the_open() -> None:
    gap = market([100, 100, 80, 70])
    found = net(gap, [limits(0), limits(2, stop=5.0, blocked=(True, True), price=90.0)])
    assert found == pytest.approx(10)


def test_a_reduction_stays_until_its_rule_clears() -> None:
    steps = [limits(0), limits(2, reduce_by=0.25), limits(4)]
    assert net(market(FALL), steps) == pytest.approx(0.25 * 20)


def test_a_short_is_cut_and_stopped_the_other_way() -> None:
    short = market([100, 100, 110, 120], held=[-1, -1, -1])
    assert net(short, [limits(0), limits(2, closes=(False, True))]) == pytest.approx(10)
    assert net(short, [limits(0), limits(2, closes=(True, False))]) == 0.0
    stopped = net(short, [limits(0), limits(1, stop=5.0, blocked=(False, True))])
    assert stopped == pytest.approx(5 + 10)


def test_without_a_stated_target_a_cut_position_stays_cut_and_an_empty_one_comes_back() -> None:
    free = market(FALL, states=False)
    half = net(free, [limits(0), limits(2, cap=0.5), limits(4)])
    assert half == pytest.approx(0.5 * (10 + 10 - 10 - 20))
    gone = net(free, [limits(0), limits(2, cap=0.0), limits(4)])
    assert gone == pytest.approx(20)


def one_by_one(_self: object, bar: int, _end: int, _limit: Limits) -> int:
    return bar + 1


@pytest.mark.parametrize(
    "strategy",
    [find("buy_and_hold"), find("leveraged_hold"), find("dca_grid"), Short, Reacts],
    ids=lambda one: one.__name__,
)
@counts(8, 300)
def test_passing_over_bars_changes_nothing(
    strategy, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for whole in (True, False):
        if not whole:
            monkeypatch.setattr(ceiling._Position, "_rest", one_by_one)
        for seed in range(count):
            chance = np.random.default_rng(seed)
            where = Market.of(tried(walk(tmp_path, seed), strategy, {}, track(b0=FREE)))
            steps = [limits(0)]
            for bar in sorted(chance.choice(np.arange(5, 119), 12, replace=False).tolist()):
                asked = {
                    "cap": float(chance.choice([0.0, 0.3, 0.7, 1.0, 1.0])),
                    "blocked": (bool(chance.random() < 0.3), bool(chance.random() < 0.3)),
                    "reduce_by": float(chance.choice([0.0, 0.0, 0.5])),
                    "stop": float(chance.uniform(1, 8)) if chance.random() < 0.3 else None,
                    "price": float(where.opens[min(max(bar - 9, 0), 108)]),
                }
                steps.append(limits(bar, **asked))
            found.append(net(where, steps))
    half = len(found) // 2
    assert found[:half] == pytest.approx(found[half:], rel=1e-9, abs=1e-6)
    assert len({round(one, 6) for one in found[:half]}) > half / 2
