"""What freqtrade lets through, and the decorator does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import MethodType

import pytest
from freqtrade.exceptions import OperationalException, StrategyError
from freqtrade.persistence import PairLocks, Trade

from riskguard import Session, StateInUseError
from riskguard.adapters.freqtrade.start import SESSIONS
from riskguard.engine.decision import State
from riskguard.errors import AdapterError
from riskguard.testing import ScriptedGuard
from tests.e2e.freqtrade.bot import Bot
from tests.e2e.freqtrade.desks import LEFT
from tests.e2e.freqtrade.folder import STRATEGIES


class StubbornBot(Bot):
    named = "Stubborn"


class RuledBot(Bot):
    named = "Ruled"


class Futures(Bot):
    named = "Leveraged"
    symbol = "BTC/USDT:USDT"
    settings = {
        "trading_mode": "futures", "margin_mode": "isolated",
        "entry_pricing": {"price_side": "other", "use_order_book": True},
        "exit_pricing": {"price_side": "other", "use_order_book": True},
    }  # fmt: skip


@pytest.fixture
def guard() -> ScriptedGuard:
    return ScriptedGuard()


@pytest.fixture
def bot(request, guard) -> Iterator[Bot]:
    found = getattr(request, "param", Bot)(guard)
    yield found
    found.close()


# ---------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("name", "value"),
    [("exit_profit_only", True), ("use_exit_signal", False), ("position_adjustment_enable", False)],
)
def test_settings_that_would_drop_what_the_guard_does_are_refused(guard, name, value) -> None:
    kind = type("Set", (Bot,), {"settings": {name: value}})
    with pytest.raises((StrategyError, OperationalException, AdapterError), match=name):
        kind(guard)
    LEFT.clear()


# ---------------------------------------------------------------- hooks of others


@pytest.mark.parametrize("bot", [StubbornBot], indirect=True)
def test_a_strategy_made_of_a_guarded_one_cannot_write_its_hooks_past_the_guard(bot, guard) -> None:
    bot.feed(100.0)
    guard.state(State.REDUCING)
    assert bot.try_entry(0.4) == 0


@pytest.mark.parametrize("bot", [StubbornBot], indirect=True)
def test_a_stake_hook_that_fails_is_cut_all_the_same(bot, guard) -> None:
    bot.feed(100.0)
    guard.state(State.CAUTION, exposure_cap=0.25)
    assert bot.try_entry(0.4) == pytest.approx(0.1)


@pytest.mark.parametrize("bot", [StubbornBot], indirect=True)
def test_a_strategy_vetoes_no_exit_of_the_guard_and_it_fills_at_market(bot, guard) -> None:
    bot.enter_now(0.4)
    guard.state(State.HALTED)
    bot.feed(99.0)
    assert bot.position() == 0
    order = bot.orders()[-1]
    assert (order.order_type, order.status, order.ft_order_tag) == (
        "market", "closed", "riskguard_flatten",
    )  # fmt: skip
    guard.state(State.ACTIVE)
    bot.feed(99.0)
    assert bot.strategy.order_types["exit"] == "limit"  # as the strategy has it


def test_what_is_left_is_sold_too_where_freqtrade_could_not_sell_it_later(bot, guard) -> None:
    bot.enter_now(0.1)  # 10 USDT: a half is below the least order of the exchange
    guard.state(State.CAUTION, exposure_cap=0.5)
    for price in (99.0, 98.0):
        bot.feed(price)
    assert bot.position() == 0


def test_a_price_of_the_strategys_own_buys_no_more_than_the_cap(bot, guard) -> None:
    """At a lower price the same stake buys more: what freqtrade allows is counted in."""
    bot.enter_now(0.4)
    guard.state(State.CAUTION, exposure_cap=0.5)
    for price in (99.0, 98.0):
        bot.feed(price)
    assert bot.position() == pytest.approx(0.2, abs=0.001)
    guard.state(State.CAUTION, exposure_cap=0.75)
    sent = bot.rest_entry(0.4, 60.0)
    assert bot.position() + sent <= 0.3 + 1e-9


def test_a_lock_is_written_once_and_taken_back(bot, guard) -> None:
    judge = guard.decide

    def decide(self, intent):
        return judge(intent)._replace(until=intent.ts + 3600 * 10**9)

    guard.decide = MethodType(decide, guard)
    bot.feed(100.0)
    guard.state(State.REDUCING)
    for price in (99.0, 98.0, 97.0):
        bot.feed(price)
    assert len(PairLocks.get_all_locks()) == 1
    assert PairLocks.is_global_lock()
    guard.state(State.ACTIVE)
    bot.feed(97.0)
    assert not PairLocks.is_global_lock()


# ---------------------------------------------------------------- memory


def test_an_action_that_the_database_knows_is_not_begun_again(guard, bot) -> None:
    """The note in the bot's own database stands where the guard's memory is gone."""
    bot.enter_now(0.4)
    guard.state(State.CAUTION, exposure_cap=0.5)
    bot.feed(99.0)
    assert bot.position() == pytest.approx(0.2)
    noted = bot.trade().get_custom_data("riskguard_done")
    bot.feed(99.0)
    assert noted["id"] in guard.finished  # seen in the position
    assert noted["target"] == pytest.approx(0.2)
    fresh = ScriptedGuard()
    fresh.episodes.tightening = int(noted["id"].split(":")[1]) - 1
    LEFT.append(fresh)
    bot.restart()
    fresh.state(State.CAUTION, exposure_cap=0.5)
    for price in (98.5, 98.0, 97.5):
        bot.feed(price)
    assert bot.position() == pytest.approx(0.2)


def test_a_note_of_an_episode_that_is_over_is_none_of_the_next(guard, bot) -> None:
    bot.enter_now(0.4)
    guard.state(State.CAUTION, exposure_cap=0.5)
    bot.feed(99.0)
    guard.state(State.ACTIVE)
    bot.feed(99.0)
    assert bot.trade().get_custom_data("riskguard_done") == {}


@pytest.mark.parametrize("bot", [RuledBot], indirect=True)
def test_a_bot_that_is_reloaded_in_its_process_finds_its_state(bot) -> None:
    """/reload_config makes a new bot before the old one has let go."""
    bot.feed(100.0)  # far below all supports of the rules
    assert bot.try_entry(0.2) == 0
    assert any("HALTED: no entries" in line for line in bot.heard.lines)
    assert len(SESSIONS) == 1
    (folder, first), *_ = SESSIONS.items()
    assert folder == Path(bot.folder.name).resolve() / "user_data" / "riskguard" / "Ruled"
    bot.begin()
    assert SESSIONS[folder] is not first
    assert SESSIONS[folder].decision.state is State.HALTED  # before any event
    assert bot.try_entry(0.2) == 0
    SESSIONS.pop(folder).close()


@pytest.mark.parametrize("bot", [RuledBot], indirect=True)
def test_a_second_process_cannot_have_the_state_of_the_first(bot) -> None:
    folder = Path(bot.folder.name) / "user_data" / "riskguard" / "Ruled"
    with pytest.raises(StateInUseError):
        Session(STRATEGIES / "living.yaml", folder)
    SESSIONS.pop(folder.resolve()).close()


# ---------------------------------------------------------------- futures


@pytest.mark.parametrize("bot", [Futures], indirect=True)
def test_leverage_is_capped(bot, guard) -> None:
    bot.feed(100.0)
    guard.state(State.CAUTION, leverage_cap=2.0)
    bot.try_entry(0.2)
    assert bot.trade().leverage == 2.0


@pytest.mark.parametrize("bot", [Futures], indirect=True)
def test_a_short_is_reduced_and_closed(bot, guard) -> None:
    bot.feed(100.0)
    bot.bot.execute_entry(bot.symbol, 10.0, is_short=True)
    whole = bot.trade().amount
    assert bot.trade().is_short
    guard.state(State.CAUTION, exposure_cap=0.5)
    bot.feed(101.0)
    told = [one.data["position"] for one in guard.events if one.kind == "account"]
    assert min(told) == pytest.approx(-whole)
    assert bot.trade().amount == pytest.approx(whole / 2, abs=0.001)
    guard.state(State.CAUTION, close="shorts")
    bot.feed(102.0)
    assert bot.trade() is None
    assert [one.exit_reason for one in Trade.get_trades_proxy()] == ["riskguard_flatten"]


@pytest.mark.parametrize("bot", [Futures], indirect=True)
def test_a_perpetual_is_the_coin_that_rules_name(bot, guard) -> None:
    bot.enter_now(0.2)
    assert {one.symbol for one in guard.events} == {"BTC"}
    assert guard.intents[-1].symbol == "BTC"
