from __future__ import annotations

import sys

import backtrader as bt
import numpy as np
import pytest

from riskguard.backtest.runs import Costs, funding_per_bar, leverage_of, run
from riskguard.backtest.strategies import find, names
from riskguard.errors import AdapterError
from riskguard.history import History
from tests.adapters.market import FREE, cap, halted, track

COMMON = {"symbol": "BTC", "cash": 10_000.0, "costs": Costs(), "trading_from": 170}


@pytest.fixture(scope="module")
def history() -> History:
    return History.read("feb-2026")


@pytest.mark.parametrize("name", names())
def test_bare_and_guarded_are_equal_to_the_last_bit_when_no_rule_fires(history, name):
    strategy = find(name)
    bare = run(history, strategy, {}, **COMMON)
    guarded = run(history, strategy, {}, track=track(b0=FREE), **COMMON)
    assert bare.fills
    assert guarded.fills == bare.fills
    for column in ("equity", "position", "held", "wanted"):
        assert getattr(guarded, column).tobytes() == getattr(bare, column).tobytes()
    assert (guarded.fees, guarded.funding) == (bare.fees, bare.funding)
    assert guarded.vetoes == guarded.faults == ()


@pytest.mark.parametrize("name", names())
def test_every_mode_gives_the_same_run_under_a_guard(history, name):
    obeyed = track(b0=FREE, b250=cap(0.5), b300=halted(), b380=FREE)
    runs = [
        run(history, find(name), {}, track=obeyed, runonce=once, preload=load, **COMMON)
        for once, load in ((True, True), (False, True), (False, False))
    ]
    assert {(one.fills, one.vetoes, one.equity.tobytes()) for one in runs} == {
        (runs[0].fills, runs[0].vetoes, runs[0].equity.tobytes())
    }


@pytest.mark.parametrize("name", names())
def test_nothing_is_traded_before_its_bar_and_indicators_are_warm_by_then(history, name):
    made = run(history, find(name), {}, **COMMON)
    assert min(fill.bar for fill in made.fills) > 170
    assert (made.equity[:171] == 10_000.0).all()
    assert len(made.equity) == len(history.bars("BTC").ts)


def test_the_holder_fills_at_the_open_after_the_first_bar_with_its_costs(history):
    made = run(history, find("buy_and_hold"), {}, **COMMON)
    bars = history.bars("BTC")
    [fill] = made.fills
    assert fill.bar == 171
    assert fill.size == 10_000 * 0.99 / bars.close[170]
    assert fill.price == min(bars.open[171] * 1.0005, bars.high[171])
    assert fill.ts == bars.ts[171]
    value = 10_000 - fill.size * fill.price * 1.0005 + fill.size * bars.close
    np.testing.assert_allclose(made.equity[171:], value[171:], rtol=1e-12)
    assert made.wanted[171] == made.held[171] == fill.size
    assert made.wanted[170] == 0.0


def test_a_holder_finds_its_way_back(history):
    obeyed = track(b0=FREE, b200=cap(0.5), b240=halted(), b300=FREE)
    for name in ("buy_and_hold", "leveraged_hold"):
        params = {} if name == "buy_and_hold" else {"leverage": 1.5}
        made = run(history, find(name), params, track=obeyed, **COMMON)
        whole = made.wanted[180]
        held = made.held / whole
        assert held[200] == 1.0
        assert held[201:240] == pytest.approx([0.5] * 39)
        assert (held[241:301] == 0.0).all()
        assert held[-1] > 0.9
        assert [fill.own for fill in made.fills][:3] == ["strategy", "guard", "guard"]


def test_leverage_pays_funding_and_knows_its_distance(history):
    made = run(history, find("leveraged_hold"), {}, **COMMON)
    rates = funding_per_bar(history, "BTC")
    bars = history.bars("BTC")
    assert made.funding == pytest.approx(float((made.position * bars.close * rates).sum()))
    assert made.leverage == 3.0
    assert 0 < made.nearest.distance < 0.05


def test_who_was_closed_by_force_does_not_come_back(history):
    lost = run(history, find("leveraged_hold"), {"leverage": 5.0}, **COMMON)
    assert len(lost.liquidations) == 1
    assert lost.fills[-1].own == "liquidation"
    assert lost.equity.min() >= 0
    assert lost.held[-1] == 0.0


def test_funding_falls_into_the_bar_it_is_charged_in(history):
    rates = funding_per_bar(history, "BTC")
    series = history.series["BTC.funding"]
    bars = history.bars("BTC")
    for row in (30, 100):
        inside = (series.events > bars.ts[row] - history.every) & (series.events <= bars.ts[row])
        assert rates[row] == pytest.approx(np.asarray(series.values)[inside].sum())
    assert not funding_per_bar(history, "ETH").any()


def test_a_smaller_run_is_smaller_everywhere_and_wants_the_same(history):
    whole = run(history, find("leveraged_hold"), {}, **COMMON)
    half = run(history, find("leveraged_hold"), {}, exposure=0.5, **COMMON)
    assert half.wanted.tobytes() == whole.wanted.tobytes()
    np.testing.assert_allclose(half.held, whole.held / 2, rtol=1e-12)


def test_the_same_run_twice_leaves_the_same_bytes(history):
    obeyed = track(b0=FREE, b250=cap(0.5))
    runs = [run(history, find("dca_grid"), {}, track=obeyed, **COMMON) for _ in range(2)]
    assert runs[0].equity.tobytes() == runs[1].equity.tobytes()
    assert runs[0].fills == runs[1].fills


class Unsized(bt.Strategy):
    def next(self):
        if len(self) == 200:
            self.buy()


def test_an_order_without_a_size_takes_what_the_cash_buys(history):
    made = run(history, Unsized, {}, **COMMON)
    [fill] = made.fills
    assert fill.size == pytest.approx(9_900 / history.bars("BTC").close[199])


class Hasty(bt.Strategy):
    def prenext(self):
        self.buy(size=0.01)

    def next(self):
        self.buy(size=0.01)


@pytest.mark.parametrize(("once", "load"), [(True, True), (False, True), (False, False)])
def test_orders_of_the_warm_up_are_refused_and_next_begins_on_time(history, once, load):
    made = run(history, Hasty, {}, runonce=once, preload=load, **COMMON)
    assert [fill.bar for fill in made.fills][:3] == [171, 172, 173]


class Broken(bt.Strategy):
    def next(self):
        self.nothing_of_this_name()


class Cheating(bt.Strategy):
    def __init__(self):
        self.broker.set_coc(True)


def test_a_strategy_that_fails_is_told_by_file_and_line(history):
    with pytest.raises(AdapterError, match=r"strategy Broken failed: AttributeError: .*\.py:\d+"):
        run(history, Broken, {}, **COMMON)
    with pytest.raises(AdapterError, match="cheat-on-close is refused"):
        run(history, Cheating, {}, **COMMON)
    with pytest.raises(AdapterError, match=r"leverage=0\.5; write 1 or more"):
        leverage_of(find("leveraged_hold"), {"leverage": 0.5})


class LateFailure(bt.Strategy):
    def __init__(self):
        bt.indicators.StdDev(self.data, period=0)


class Unfit(bt.Strategy):
    def __init__(self, *, nothing):
        pass


@pytest.mark.parametrize("strategy", [LateFailure, Unfit])
def test_a_failure_inside_backtrader_is_told_by_the_strategys_own_line(history, strategy):
    with pytest.raises(AdapterError, match=r"failed: .*test_runs\.py:\d+"):
        run(history, strategy, {}, **COMMON)


def test_a_failure_of_a_class_without_a_file_is_told_too(history):
    made = type(bt.Strategy)("Made", (Unfit,), {"__module__": "__main__"})
    with pytest.raises(AdapterError, match="strategy Made failed: TypeError"):
        run(history, made, {}, **COMMON)


class Leaving(bt.Strategy):
    def next(self):
        sys.exit(7)


def test_a_strategy_that_calls_exit_is_told(history):
    with pytest.raises(AdapterError, match=r"strategy Leaving ended the process \(exit 7\)"):
        run(history, Leaving, {}, **COMMON)


CHANGES = {
    "add_cash": lambda broker: broker.add_cash(1e6),
    "set_cash": lambda broker: broker.set_cash(1e6),
    "setcash": lambda broker: broker.setcash(1e6),
    "setcommission": lambda broker: broker.setcommission(commission=0.0),
    "addcommissioninfo": lambda broker: broker.addcommissioninfo(None),
    "set_slippage_perc": lambda broker: broker.set_slippage_perc(0.0),
    "set_slippage_fixed": lambda broker: broker.set_slippage_fixed(0.0),
    "set_filler": lambda broker: broker.set_filler(None),
    "set_shortcash": lambda broker: broker.set_shortcash(False),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("moment", ["__init__", "next"])
def test_the_account_belongs_to_the_backtest(history, name, moment):
    body = {moment: lambda self: CHANGES[name](self.broker), "__module__": __name__}
    meddler = type(bt.Strategy)("Meddler", (bt.Strategy,), body)
    said = rf"broker\.{name}\(\) is refused: the account belongs to the backtest"
    with pytest.raises(AdapterError, match=said):
        run(history, meddler, {}, **COMMON)


def test_the_pilot_may_be_another_symbol(history):
    made = run(history, find("buy_and_hold"), {}, **COMMON | {"symbol": "ETH"})
    assert made.fills[0].symbol == "ETH"
    assert made.fills[0].price == pytest.approx(history.bars("ETH").open[171], rel=1e-3)


def test_a_streaming_guard_and_a_track_give_the_same_run(history):
    from riskguard.adapters.backtrader import CAPABILITIES
    from riskguard.backtest.track import Track, columns_of
    from riskguard.engine.guard import Guard
    from riskguard.language.binding import bind
    from riskguard.language.reader import load_rules
    from riskguard.shipped import shipped

    bound = bind(
        load_rules(shipped("rules") / "feb-2026.yaml"),
        symbol="BTC",
        every=history.every,
        carried=history.inputs(),
        capabilities=CAPABILITIES,
    )
    obeyed = Track.of(columns_of(bound.ruleset, history), history.bars("BTC").ts)
    strategy = find("leveraged_hold")
    columns = run(history, strategy, {}, track=obeyed, **COMMON)
    stream = run(
        history, strategy, {}, guard=Guard(bound.ruleset, sources=history.sources()), **COMMON
    )
    assert stream.faults == ()
    assert stream.fills == columns.fills
    assert stream.equity.tobytes() == columns.equity.tobytes()
    assert [replace_ts(veto) for veto in stream.vetoes] == [
        replace_ts(veto) for veto in columns.vetoes
    ]
    assert any(fill.own == "guard" for fill in columns.fills)


def replace_ts(veto):
    return veto._replace(reasons=())
