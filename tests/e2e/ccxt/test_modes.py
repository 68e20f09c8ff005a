"""Spot, hedge mode and a whole session, on real ccxt that is answered at the wire."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import ccxt
import ccxt.pro
import pytest

from riskguard import Event, Fit, Session
from riskguard.adapters.ccxt import CAPABILITIES, RiskDenied, guard_exchange
from riskguard.engine.decision import State
from riskguard.errors import AdapterError
from riskguard.live.ticker import Ticker
from riskguard.market import MINUTE, SECOND
from riskguard.testing import AdapterContract, Harness, NotSupported, ScriptedGuard
from tests.adapters.paper import Working
from tests.e2e.ccxt.scene import SPOT, SYMBOL, Scene
from tests.e2e.ccxt.wire import Wire
from tests.stood_in import STANDS_IN, passing, stood_in

# ---------------------------------------------------------------- spot


def test_on_spot_the_balance_is_the_position() -> None:
    scene = Scene(2.0, spot=True)
    scene.guard.state(State.REDUCING)
    with pytest.raises(RiskDenied):
        scene.exchange.create_order(SPOT, "market", "buy", 1)
    scene.exchange.create_order(SPOT, "market", "sell", 1)
    assert "reduceOnly" not in scene.wire.sent[-1]
    assert scene.position == 1.0
    scene.guard.state(State.HALTED)
    scene.guarded.step()
    assert scene.position == 0.0


def test_a_buy_for_an_amount_of_money_is_judged_by_what_it_buys() -> None:
    scene = Scene(2.0, spot=True)
    scene.exchange.create_market_buy_order_with_cost(SPOT, 100)
    assert scene.wire.sent[-1]["quoteOrderQty"] == "100"
    scene.guard.state(State.CAUTION, block_entries="short")
    scene.exchange.create_market_buy_order_with_cost(SPOT, 100)
    assert scene.guard.intents[-1].quantity == 1.0
    scene.guard.state(State.CAUTION, exposure_cap=0.5)
    scene.venue.books[""] = 1.0  # of the 1.5 that are the ceiling
    with pytest.raises(RiskDenied, match="by cost is not cut"):
        scene.exchange.create_market_buy_order_with_cost(SPOT, 100)
    assert len(scene.wire.sent) == 2


def test_on_spot_nothing_is_bought_while_nothing_can_be_read() -> None:
    scene = Scene(2.0, spot=True)
    scene.guard.state(State.CAUTION, exposure_cap=0.5)
    scene.wire.down = True
    with pytest.raises(RiskDenied, match="nothing enters"):
        scene.exchange.create_order(SPOT, "market", "buy", 1)
    scene.exchange.create_order(SPOT, "market", "sell", 1)
    assert scene.position == 1.0


# ---------------------------------------------------------------- hedge mode


class HedgedHarness(Harness):
    """An account that holds longs and shorts beside each other."""

    symbol = SYMBOL

    def __init__(self, guard: ScriptedGuard) -> None:
        super().__init__(guard)
        self.wire = Wire(hedged=True)
        self.venue, self.exchange = self.wire.venue, self.wire.exchange
        self.begin()

    def begin(self) -> None:
        for name in [name for name, one in vars(self.exchange).items() if callable(one)]:
            if name.startswith(("create", "edit", "set_leverage", "setLeverage")):
                delattr(self.exchange, name)
        self.exchange.riskguard = None
        self.guarded = guard_exchange(
            self.exchange, self.guard, symbols=[SYMBOL], hedged=True, pause=0.0,
            now=self.venue.now,
        )  # fmt: skip

    def feed(self, price: float) -> None:
        self.venue.quote(price)
        self.guarded.step(Event(self.venue.now(), "mark", SYMBOL, {"price": price}))

    def order(self, side: str, quantity: float, book: str, *given: Any) -> float:
        kind = "limit" if given else "market"
        price = given[0] if given else None
        params = {"positionSide": book.upper()}
        try:
            made = self.exchange.create_order(SYMBOL, kind, side, quantity, price, params)
        except RiskDenied:
            return 0.0
        return float(made["amount"])

    def try_entry(self, quantity: float) -> float:
        return self.order("buy", quantity, "long")

    def try_exit(self, quantity: float) -> float:
        return self.order("sell", quantity, "long")

    def try_short(self, quantity: float) -> float:
        return self.order("sell", quantity, "short")

    def rest_entry(self, quantity: float, price: float) -> float:
        return self.order("buy", quantity, "long", price)

    def resting(self) -> float:
        return sum(one.left for one in self.venue.orders.values() if one.side == "buy")

    def position(self) -> float:
        return self.venue.books["long"]

    def held(self, book: str) -> float:
        return self.venue.books[book]

    def restart(self) -> None:
        self.begin()

    def refuse(self) -> None:
        self.venue.refuses = 1

    def fill_only(self, share: float) -> None:
        self.venue.share = share

    def delay(self) -> None:
        self.venue.delayed = 1

    def deliver(self) -> None:
        self.venue.deliver()

    def exits_together(self, *quantities: float) -> float:
        self.venue.delayed = len(quantities)
        sent = sum(self.try_exit(quantity) for quantity in quantities)
        self.venue.deliver()
        return sent

    def rest_exits(self, *quantities: float) -> float:
        for quantity in quantities:
            self.venue.place(Working("", "sell", quantity, 105.0, book="long"))
        return sum(quantities)

    def denials(self) -> list[str]:
        return self.guarded.denials

    def bracket(self, quantity: float) -> tuple[float, float]:
        raise NotSupported(f"a stop attached to an order of {quantity:g} is sized by the venue")


class TestHedged(AdapterContract):
    harness = HedgedHarness


def test_in_hedge_mode_our_own_orders_name_their_book_and_no_reduce_only() -> None:
    scene = Scene(hedged=True)
    scene.venue.books.update(long=2.0, short=4.0)
    scene.guard.state(State.CAUTION, exposure_cap=0.5)
    scene.guarded.step()
    told = {(one["positionSide"], one["side"], one["quantity"]) for one in scene.wire.sent}
    assert told == {("LONG", "SELL", "1"), ("SHORT", "BUY", "2")}
    assert not any("reduceOnly" in one for one in scene.wire.sent)
    assert (scene.venue.books["long"], scene.venue.books["short"]) == (1.0, 2.0)


class Unsaid:
    """An account in hedge mode of which the bot has said nothing."""

    def __init__(self, **books: float) -> None:
        self.wire, self.guard = Wire(hedged=True), ScriptedGuard()
        self.books = self.wire.venue.books
        self.books.update(books)
        self.guarded = guard_exchange(
            self.wire.exchange, self.guard, symbols=[SYMBOL], pause=0.0, now=self.wire.venue.now
        )


def test_hedge_mode_is_known_by_the_positions() -> None:
    scene = Unsaid(long=2.0, short=1.0)
    scene.guard.state(State.HALTED)
    for _ in range(3):
        scene.wire.venue.quote(99.0)
        scene.guarded.step()
    assert (scene.books["long"], scene.books["short"]) == (0.0, 0.0)


@pytest.mark.parametrize("broken", [False, True])
def test_hedge_mode_is_known_by_an_order_that_names_its_book(*, broken: bool) -> None:
    scene = Unsaid(long=2.0)
    scene.guard.state(State.REDUCING)
    scene.guard.boom = broken
    with pytest.raises(RiskDenied):
        scene.wire.exchange.create_order(
            SYMBOL, "market", "sell", 1, None, {"positionSide": "SHORT"}
        )
    scene.wire.exchange.create_order(SYMBOL, "market", "sell", 1, None, {"positionSide": "LONG"})
    assert (scene.books["long"], scene.books["short"]) == (1.0, 0.0)


# ---------------------------------------------------------------- the whole


RULES = """\
version: 1
symbol: BTC
every: 1m
rules:
  fallen:
    when: close < 98
    clear: close > 99
    do: {exposure_cap: 50%}
  lost:
    when: close < 90
    clear: close > 99
    do: {exposure_cap: 0%}
"""


def test_a_session_of_real_rules_halves_and_closes_a_position(tmp_path: Path) -> None:
    rules, wire = tmp_path / "rules.yaml", Wire()
    rules.write_text(RULES)
    fit = Fit(symbol="BTC", capabilities=CAPABILITIES)

    def now() -> int:
        return wire.venue.time + 4 * SECOND

    ticker = Ticker(wall=now, elapsed=now)
    with Session(rules, tmp_path / "state", fit=fit, ticker=ticker) as session:
        guarded = guard_exchange(wire.exchange, session, symbols=[SYMBOL], pause=0.0, now=now)

        def tell(price: float) -> None:
            wire.venue.quote(price)
            bar = {"close": price, "interval_ns": MINUTE}
            guarded.step(Event(wire.venue.time, "bar", SYMBOL, bar))

        tell(100.0)
        wire.exchange.create_order(SYMBOL, "market", "buy", 4)
        tell(100.0)
        tell(97.0)
        assert wire.venue.books[""] == 2.0
        with pytest.raises(RiskDenied):
            wire.exchange.create_order(SYMBOL, "market", "buy", 1)
        tell(96.0)
        assert wire.venue.books[""] == 2.0
        tell(89.0)
        assert wire.venue.books[""] == 0.0
        tell(88.0)
        assert [one["side"] for one in wire.sent] == ["BUY", "SELL", "SELL"]
        assert session.poll() == []


def test_two_entries_at_once_do_not_take_the_same_room() -> None:
    wire = Wire()

    async def both() -> list[Any]:
        exchange = ccxt.pro.binanceusdm({"apiKey": "x", "secret": "x", "enableRateLimit": False})
        exchange.options |= wire.exchange.options

        async def fetch(*given: Any, **more: Any) -> Any:
            await asyncio.sleep(0.001)
            return wire.fetch(*given, **more)

        exchange.fetch = fetch
        guard = ScriptedGuard()
        guard_exchange(exchange, guard, symbols=[SYMBOL], now=wire.venue.now)
        wire.venue.books[""] = 1.0
        guard.episodes.note(SYMBOL, 4.0)
        guard.state(State.CAUTION, exposure_cap=0.5)
        orders = [exchange.create_order(SYMBOL, "market", "buy", 1) for _ in range(3)]
        try:
            return await asyncio.gather(*orders, return_exceptions=True)
        finally:
            await exchange.close()

    told = asyncio.run(both())
    assert wire.venue.books[""] == 2.0
    assert sum(isinstance(one, RiskDenied) for one in told) == 2


def test_rules_that_ask_for_what_it_cannot_do_are_refused_at_the_start(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES.replace("exposure_cap: 0%", "stop: 2%"))
    with (
        Session(rules, tmp_path / "state") as session,
        pytest.raises(AdapterError, match="'lost' asks for stop"),
    ):
        guard_exchange(Wire().exchange, session)


def test_the_start_says_what_stands_in_and_which_orders_nobody_guards(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rules, other = stood_in(tmp_path, "1m"), "ETH/USDT:USDT"
    rules.write_text(rules.read_text().replace("guards: [BTC, ETH]\n", ""))
    told = [f"riskguard: {one}" for one in (STANDS_IN, passing(other))]
    fit = Fit(symbol="BTC", capabilities=CAPABILITIES)
    with Session(rules, tmp_path / "state", fit=fit) as session:
        guard_exchange(Wire().exchange, session, symbols=[SYMBOL, other])
        assert caplog.messages == told
        caplog.clear()
        wire = Wire()
        guard_exchange(wire.exchange, session)
        for _ in range(2):  # what is not named at the start is told at its first order, once
            wire.exchange.create_order(other, "market", "buy", 1)
        assert caplog.messages == told
    assert len(wire.sent) == 2
