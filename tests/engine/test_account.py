"""Account inputs: observed zero from the first event on, equity net of transfers, streaks."""

from __future__ import annotations

import math

import pytest

from riskguard import Guard, Sample, State
from riskguard.language.reader import read_text
from riskguard.market import HOUR

START = 1_767_225_600_000_000_000  # midnight UTC
HEAD = "version: 1\nevery: 1h\nsymbol: BTC\nrules:\n"
RULE = "  {}:\n    when: {}\n    min_hold: 1h\n    do: {{block_entries: both}}\n"


def guard(*lines: str, head: str = HEAD) -> Guard:
    text = head + "".join(RULE.format(f"r{n}", line) for n, line in enumerate(lines))
    ruleset, found = read_text(text, "rules.yaml")
    assert ruleset is not None, [one.render() for one in found]
    return Guard(ruleset)


def feed(made: Guard, hour: float, **values: float):
    named = {name.replace("__", "."): value for name, value in values.items()}
    return made.update(Sample(START + int(hour * HOUR), "BTC", {"close": 100.0, **named}))


def left(made: Guard, rule: int = 0) -> float:
    return made.stream.value(made.plan.numbers[made.ruleset.rules[rule].when.left])


def test_before_the_first_event_nothing_is_known_and_nobody_is_blind() -> None:
    made = guard("equity.drop(24h) >= 2%", "trades.lost.sum(7d) >= 4")
    for hour in range(1, 30):
        seen = feed(made, hour)
        assert (seen.state, seen.blind, seen.priming) == (State.ACTIVE, (), ())
        assert math.isnan(left(made))


def test_the_first_event_makes_everything_known_at_once() -> None:
    made = guard(
        "equity.drop(30d) >= 2%", "trades.lost.sum(7d) >= 4", "pnl.unrealised < -$1",
        "equity.vol(7d) >= 2%", "pnl.realised.sum(this_week) <= -$5", "loss_streak >= 3",
        "trades.lost.mean(7d) >= 4", "equity.drawdown(all) >= 5%", "equity.mean(7d) >= $5",
    )  # fmt: skip
    for hour in range(1, 5):
        feed(made, hour)
    seen = feed(made, 5, equity=10_000.0)
    assert (seen.active, seen.blind, seen.priming) == (("r8",), (), ())
    found = [left(made, rule) for rule in range(9)]
    assert found == [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 10_000.0]


@pytest.mark.parametrize("function", ["change", "drop", "rise", "drawdown"])
@pytest.mark.parametrize("calendar", ["today", "this_week"])
def test_a_day_that_was_under_way_when_the_account_began_is_known(
    function: str, calendar: str
) -> None:
    made = guard(f"equity.{function}({calendar}) >= 2%")
    for hour in range(3, 9):
        feed(made, hour)
    feed(made, 9, equity=10_000.0)
    assert left(made) == 0.0
    feed(made, 10, equity=9_000.0 if function in {"drop", "drawdown"} else 11_000.0)
    assert left(made) == pytest.approx(0.1)


def test_a_measure_of_a_measure_begins_too() -> None:
    made = guard("equity.drawdown(7d).mean(7d) >= 2%", "trades.lost.sum(24h).high(7d) >= 3")
    feed(made, 1)
    feed(made, 2, equity=10_000.0)
    assert [left(made, 0), left(made, 1)] == [0.0, 0.0]
    feed(made, 3, equity=9_000.0, trades__closed=2.0, trades__lost=2.0)
    assert left(made, 0) == pytest.approx(0.1 / 168, rel=1e-6)
    assert left(made, 1) == 2.0


def test_an_account_input_that_is_forgotten_begins_anew() -> None:
    made = guard("equity.drop(24h) >= 2%", "trades.lost.sum(7d) >= 4")
    feed(made, 1, equity=10_000.0, trades__closed=2.0, trades__lost=2.0)
    feed(made, 2, equity=9_000.0)
    assert [left(made, 0), left(made, 1)] == [pytest.approx(0.1), 2.0]
    made.forget("", "trades.lost")
    feed(made, 3)
    assert math.isnan(left(made, 1))
    feed(made, 4, equity=9_000.0)
    assert [left(made, 0), left(made, 1)] == [pytest.approx(0.1), 0.0]


def test_equity_begins_when_it_is_first_said_though_trades_came_before() -> None:
    made = guard("equity.drop(24h) >= 2%", "trades.lost.sum(7d) >= 4")
    for hour in (1, 2):
        feed(made, hour, trades__closed=1.0, trades__lost=1.0)
    assert math.isnan(left(made, 0))
    feed(made, 3, equity=10_000.0, trades__closed=0.0, trades__lost=0.0)
    assert [left(made, 0), left(made, 1)] == [0.0, 2.0]


def test_after_the_first_event_an_account_ages_like_any_feed() -> None:
    made = guard("equity.drop(24h) >= 2%")
    feed(made, 1, equity=10_000.0)
    assert feed(made, 3).blind == ()
    late = feed(made, 4)
    assert (late.blind, late.block_entries) == (("equity",), "both")
    assert feed(made, 5, equity=10_000.0).blind == ()


def test_a_deposit_is_no_gain_and_a_withdrawal_no_loss() -> None:
    made = guard("equity.drawdown(all) >= 10%", "equity.change(24h) >= 5%")
    feed(made, 1, equity=10_000.0)
    feed(made, 2, equity=15_000.0, transfers=5_000.0)
    assert [left(made, 0), left(made, 1)] == [0.0, 0.0]
    feed(made, 3, equity=3_000.0, transfers=-12_000.0)
    assert [left(made, 0), left(made, 1)] == pytest.approx([0.0, 0.0])
    feed(made, 4, equity=2_700.0)
    assert left(made, 0) == pytest.approx(0.1)
    assert feed(made, 4.5).active == ("r0",)


def test_a_transfer_that_comes_before_the_equity_is_counted_with_it() -> None:
    made = guard("equity.drawdown(all) >= 10%")
    feed(made, 1, equity=10_000.0)
    feed(made, 2, transfers=-4_000.0)
    feed(made, 3, equity=6_000.0)
    assert left(made) == pytest.approx(0.0)


def test_an_account_that_lost_everything_stays_down_after_a_deposit() -> None:
    made = guard("equity.drawdown(all) >= 10%")
    for hour, (equity, moved) in enumerate([(10_000.0, 0.0), (0.0, 0.0), (5_000.0, 5_000.0)], 1):
        feed(made, hour, equity=equity, transfers=moved)
    assert left(made) == 1.0


def test_equity_without_transfers_is_chained_to_the_last_bit() -> None:
    made = guard("equity.change(3h) >= 5%")
    seen = [10_000.0, 10_001.1, 9_999.3, 10_123.7, 10_007.9]
    for hour, equity in enumerate(seen, 1):
        feed(made, hour, equity=equity)
    assert left(made) == seen[-1] / seen[-4] - 1.0


def test_a_streak_is_counted_from_the_closed_trades() -> None:
    made = guard("loss_streak >= 4")
    found = []
    for hour, (closed, lost) in enumerate([(1, 1), (2, 2), (0, 0), (1, 1), (1, 0), (3, 1)], 1):
        feed(made, hour, trades__closed=float(closed), trades__lost=float(lost))
        found.append(left(made))
    # of winners and losers in one bar the losers are taken to have come last
    assert found == [1.0, 3.0, 3.0, 4.0, 0.0, 1.0]


def test_a_host_that_counts_streaks_is_believed() -> None:
    made = guard("loss_streak >= 4")
    feed(made, 1, loss_streak=2.0)
    feed(made, 2, trades__closed=1.0, trades__lost=1.0)
    assert left(made) == 2.0
    feed(made, 3, loss_streak=3.0, trades__closed=1.0, trades__lost=1.0)
    assert left(made) == 3.0


def test_a_daily_loss_limit_ends_at_midnight() -> None:
    made = guard("equity.drop(today) >= 2%")
    day = dict.fromkeys(range(1, 10), 10000.0)
    day |= dict.fromkeys(range(10, 30), 9700.0)
    active = {hour: feed(made, hour, equity=equity).active for hour, equity in day.items()}
    assert active[9] == ()
    assert active[10] == active[24] == ("r0",)  # midnight belongs to the day that ends
    assert active[25] == ()


def test_a_zone_moves_the_day() -> None:
    made = guard(
        "pnl.realised.sum(today) <= -$100",
        head=HEAD.replace("rules", "timezone: Asia/Kolkata\nrules"),
    )
    feed(made, 17, pnl__realised=-60.0)  # 22:30 there
    feed(made, 18, pnl__realised=-60.0)
    assert left(made) == -120.0
    feed(made, 19, pnl__realised=-60.0)  # 00:30 of the next day
    assert left(made) == -60.0


def test_a_refused_value_is_no_event_of_its_own() -> None:
    made = guard("equity.drawdown(all) >= 10%")
    feed(made, 1, equity=math.nan)
    assert math.isnan(left(made))
    feed(made, 2, equity=10_000.0)
    feed(made, 3, equity=-5.0)
    assert left(made) == 0.0
    assert made.refused == {"equity: not finite": 1, "equity: negative": 1}


def test_what_is_said_twice_is_counted_once() -> None:
    made = guard("loss_streak >= 3", "equity.drawdown(all) >= 10%")
    for _ in range(3):
        feed(made, 1, equity=10_000.0, trades__closed=1.0, trades__lost=1.0)
    assert left(made) == 1.0
    for _ in range(2):
        feed(made, 2, equity=15_000.0, transfers=5_000.0)
    assert left(made, 1) == 0.0
    feed(made, 3, equity=13_500.0)
    assert left(made, 1) == pytest.approx(0.1)
    assert made.refused["trades.lost: out of order"] == 2
    assert made.refused["transfers: out of order"] == 1


def test_equity_that_comes_late_is_no_link_of_the_chain() -> None:
    made = guard("equity.drawdown(all) >= 10%")
    feed(made, 1, equity=10_000.0)
    feed(made, 3, equity=9_000.0, transfers=-500.0)
    feed(made, 2, equity=5_000.0)
    feed(made, 4, equity=9_000.0)
    assert left(made) == pytest.approx(0.05)


def test_a_trade_whose_loss_is_impossible_ends_no_streak() -> None:
    made = guard("loss_streak >= 3")
    feed(made, 1, trades__closed=2.0, trades__lost=2.0)
    feed(made, 2, trades__closed=1.0, trades__lost=-1.0)
    feed(made, 3, trades__closed=math.nan, trades__lost=0.0)
    assert left(made) == 2.0
    assert made.refused == {"trades.lost: negative": 1, "trades.closed: not finite": 1}


def test_equity_is_one_input_however_it_is_read() -> None:
    made = guard("equity.drawdown(all) >= 10%", "equity < $5")
    feed(made, 1, equity=10_000.0)
    seen = feed(made, 4)
    assert seen.blind == ("equity",)
    assert [one.leaf for one in seen.reasons] == ["equity"]


def test_an_account_that_has_ended_is_blind_on_all_that_rests_on_it() -> None:
    made = guard("equity.drawdown(all) >= 10%")
    feed(made, 1, equity=10_000.0)
    made.expire(START + 2 * HOUR, "", "equity")
    assert feed(made, 2).blind == ("equity",)


def test_nothing_falls_from_a_peak_below_zero() -> None:
    made = guard("pnl.unrealised.drawdown(2h) >= 10%", "pnl.unrealised.drawdown(today) >= 10%")
    for hour in range(1, 6):
        feed(made, hour, pnl__unrealised=-100.0 * hour)
    assert all(math.isnan(left(made, rule)) for rule in range(2))


def test_an_account_does_not_begin_with_what_is_refused() -> None:
    made = guard("trades.lost.sum(7d) >= 4", "equity.drop(24h) >= 2%")
    seen = feed(made, 1, equity=math.nan, trades__lost=-1.0, loss_streak=math.inf)
    assert math.isnan(left(made))
    assert (seen.blind, seen.priming) == ((), ())
    feed(made, 2, trades__closed=1.0, trades__lost=1.0)
    assert left(made) == 1.0
