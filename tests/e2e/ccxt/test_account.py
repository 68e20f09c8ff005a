"""What an account is worth, told by the venue; and what ccxt does not tell, said at the start."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import ccxt
import pytest

from riskguard import AdapterError, Event, Guard, State, load_rules
from riskguard.adapters import Offline
from riskguard.adapters.ccxt import RiskDenied, guard_exchange
from riskguard.adapters.ccxt.money import worth
from riskguard.market import MINUTE, SECOND
from tests.e2e.ccxt.wire import Wire

SYMBOL, SPOT = "BTC/USDT:USDT", "BTC/USDT"
RULES = "version: 1\nsymbol: BTC\nevery: 1m\nrules:\n  one: {RULE}\n"
EQUITY = "{when: equity.drawdown(all) >= 5%, latch: true, do: {exposure_cap: 0%}}"
LEVERED = "{when: close < 101, do: {leverage_cap: 2x}}"
LOSSES = "{when: trades.lost.sum(1h) >= 2, do: {block_entries: both}}"


class Bot:
    """A bot of a minute under real rules, on real ccxt."""

    def __init__(self, folder: Path, rule: str, **words: Any) -> None:
        path = folder / "rules.yaml"
        path.write_text(RULES.replace("{RULE}", rule))
        self.wire = Wire(spot=words.pop("spot", False))
        self.venue, self.exchange = self.wire.venue, self.wire.exchange
        self.desk = Offline(Guard(load_rules(path)))
        self.symbol = SPOT if self.wire.spot else SYMBOL
        self.guarded = guard_exchange(
            self.exchange, self.desk, symbols=[self.symbol], pause=0.0, now=self.now, **words
        )

    def now(self) -> int:
        return self.venue.time + 4 * SECOND

    def bar(self, price: float) -> None:
        self.venue.quote(price)
        bar = {"close": price, "interval_ns": MINUTE}
        self.guarded.step(Event(self.venue.time // MINUTE * MINUTE, "bar", self.symbol, bar))

    def buy(self, amount: float) -> Any:
        return self.exchange.create_order(self.symbol, "market", "buy", amount)


def test_a_loss_of_the_account_closes_the_position(tmp_path: Path, caplog: Any) -> None:
    bot = Bot(tmp_path, EQUITY)
    assert "of deposits ccxt tells nothing" in caplog.text
    for _ in range(3):
        bot.bar(100.0)
    bot.buy(60)
    for price in (99.0, 95.0, 91.0, 91.0, 91.0):
        bot.bar(price)
    assert bot.desk.decision.state is State.HALTED
    assert bot.venue.books[""] == 0


def test_a_cap_of_leverage_is_a_ceiling_for_orders(tmp_path: Path) -> None:
    bot = Bot(tmp_path, LEVERED)
    for _ in range(3):
        bot.bar(100.0)
    assert bot.buy(300)["amount"] == 200  # 2 x 10,000 USDT at 100
    with pytest.raises(RiskDenied, match="leverage_cap"):
        bot.buy(1)


def test_on_spot_the_coins_count_at_their_price(tmp_path: Path) -> None:
    bot = Bot(tmp_path, EQUITY, spot=True)
    bot.venue.books[""] = 100.0  # beside 10,000 USDT
    for price in (100.0, 100.0, 100.0):
        bot.bar(price)
    assert bot.desk.guard.episodes.equity == 20_000
    for price in (95.0, 88.0, 88.0, 88.0):
        bot.bar(price)
    assert bot.desk.decision.state is State.HALTED


def test_an_account_that_cannot_be_read_is_told(tmp_path: Path, caplog: Any) -> None:
    bot = Bot(tmp_path, EQUITY)
    bot.bar(100.0)
    bot.wire.down = True
    with caplog.at_level(logging.WARNING):
        bot.bar(100.0)
    assert "the account cannot be read" in caplog.text


def test_what_rules_do_not_read_is_not_asked_for(tmp_path: Path) -> None:
    bot = Bot(tmp_path, "{when: close < 90, do: {exposure_cap: 0%}}")
    for _ in range(3):
        bot.bar(100.0)
    assert bot.wire.seen["GET account"] == 0


# ---------------------------------------------------------------- what nobody tells


def test_rules_on_closed_trades_are_refused_unless_the_bot_tells_them(tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match=r"trades\.lost") as refused:
        Bot(tmp_path, LOSSES)
    assert 'tells=["trade_closed"]' in str(refused.value)
    bot = Bot(tmp_path, LOSSES, tells=["trade_closed"])
    for _ in range(2):
        bot.bar(100.0)
    for number in range(2):
        said = {"pnl": -5.0}
        bot.guarded.step(Event(bot.now(), "trade_closed", SYMBOL, said, id=str(number)))
    bot.bar(100.0)
    with pytest.raises(RiskDenied):
        bot.buy(1)


def test_a_venue_whose_totals_are_not_known_is_refused_unless_the_bot_tells(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES.replace("{RULE}", EQUITY))
    desk = Offline(Guard(load_rules(path)))
    with pytest.raises(AdapterError, match="what mexc calls the total"):
        guard_exchange(ccxt.mexc(), desk, symbols=[SYMBOL])
    assert guard_exchange(ccxt.mexc(), desk, symbols=[SYMBOL], tells=["account"])


def test_rules_on_deposits_are_refused_unless_the_bot_tells_them(tmp_path: Path) -> None:
    rule = "{when: transfers.sum(24h) >= $100, do: {block_entries: both}}"
    with pytest.raises(AdapterError, match="need transfers: ccxt tells of no deposits"):
        Bot(tmp_path, rule)
    assert Bot(tmp_path, rule, tells=["account"])


def test_a_word_that_is_no_kind_of_event_of_an_account_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match="account, trade_closed"):
        Bot(tmp_path, EQUITY, tells=["equity"])


# ---------------------------------------------------------------- what totals mean


ANSWERS = {
    "binanceusdm": lambda one: one.parse_balance_custom(
        {"assets": [{"asset": "USDT", "walletBalance": "1000", "marginBalance": "1100",
                     "availableBalance": "900", "initialMargin": "200", "updateTime": 1}]},
        "linear",
    ),
    "okx": lambda one: one.parse_trading_balance(
        {"data": [{"uTime": "1", "details": [
            {"ccy": "USDT", "eq": "1100", "cashBal": "1000", "availEq": "900", "upl": "100"}]}]}
    ),
    "bybit": lambda one: one.parse_balance(
        {"time": 1, "result": {"list": [{"accountType": "UNIFIED", "coin": [
            {"coin": "USDT", "walletBalance": "1000", "equity": "1100", "unrealisedPnl": "100"}]}]}}
    ),
    "gate": lambda one: one.safe_balance({"USDT": one.parse_balance_helper(
        {"currency": "USDT", "total": "1000", "available": "800", "unrealised_pnl": "100"})}),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_open_profit_is_counted_once_whatever_a_venue_calls_total(name: str) -> None:
    exchange = getattr(ccxt, name)()
    balance = ANSWERS[name](exchange)
    assert worth(exchange.id, balance, "USDT", 100.0) == 1100.0
