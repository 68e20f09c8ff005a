"""The guard of one controller: candles come in, actions are judged, duties become actions.

Imported only where hummingbot is.
"""

from __future__ import annotations

import math
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hummingbot.core.data_type.common import PriceType
from hummingbot.data_feed.candles_feed.data_types import CandlesConfig
from hummingbot.strategy_v2.backtesting.backtesting_data_provider import BacktestingDataProvider
from hummingbot.strategy_v2.models.executor_actions import CreateExecutorAction, StopExecutorAction
from hummingbot.strategy_v2.models.executors import CloseType

from riskguard.adapters.hummingbot.book import (
    OTHER,
    Book,
    Market,
    Room,
    Standing,
    book_of,
    closes,
    market_of,
    side_of,
    size_of,
)
from riskguard.adapters.shared.offline import BAR, read_by
from riskguard.adapters.shared.outcome import Memory, book_key
from riskguard.adapters.shared.starting import Bot, able, announce
from riskguard.adapters.shared.steps import Run
from riskguard.engine.decision import State
from riskguard.engine.events import Event
from riskguard.engine.gate import exit_alone
from riskguard.engine.orders import RESIDUE, Intent
from riskguard.errors import foreign
from riskguard.language.reader import load_rules
from riskguard.market import Instrument, coin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from riskguard.adapters.shared.desk import Desk
    from riskguard.engine.orders import Verdict
    from riskguard.market import Sample

__all__ = ["Terms", "Watch"]

Thing = Any  # an object of hummingbot, which is untyped
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
SECOND = 1_000_000_000
STOPS = frozenset({CloseType.STOP_LOSS, CloseType.TRAILING_STOP})
TRADES = ("pnl.realised", "trades.closed", "trades.lost", "trades.stopped")


@dataclass(frozen=True, slots=True)
class Terms:
    """What `guarded` was told; each controller makes its own desk of it."""

    rules: Path | str
    bars: str
    state: Path | str
    sources: Mapping[str, str]
    samples: Callable[[], Iterable[Sample]] | None
    feed: Callable[[Any], object] | None
    make: Callable[[], Desk] | None
    capabilities: frozenset[str]

    @property
    def every(self) -> int:
        """Return the length of the bars in ns."""
        return int(self.bars[:-1]) * UNITS[self.bars[-1]] * SECOND


class Watch:
    """Feeds the guard of one controller, judges its actions, and adds those the guard wants."""

    def __init__(self, terms: Terms, controller: Thing) -> None:
        self.terms, self.controller = terms, controller
        config = controller.config
        self.home = Market(config.connector_name, config.trading_pair)
        self.tested = isinstance(controller.market_data_provider, BacktestingDataProvider)
        self.book, self.memory = Book(controller, tested=self.tested), Memory()
        self.denials: deque[str] = deque(maxlen=100)
        self.notes: tuple[str, ...] = ()
        self.faults: dict[str, Exception] = {}
        self.asking = False
        self.last = -1  # open of the last candle that was told, in s
        self.rules_at: dict[Market, Instrument] = {}
        self._said: set[str] = set()
        self.desk = self._desk()
        ahead = terms.samples() if terms.samples is not None and self.tested else ()
        self._ahead = iter(ahead)
        self._next = next(self._ahead, None)

    # ------------------------------------------------------------ start

    def _desk(self) -> Desk:
        made, trades = self.terms.make, [self.home.symbol]
        desk = self._fitted() if made is None else made()
        able(desk, self.terms.capabilities)
        self.notes = announce(desk, trades, self.tell)
        self.tell("executors without an amount are refused where others would be cut, and stopped")
        if made is None and self.terms.feed is not None and not self.tested:
            self.terms.feed(desk)
        return desk

    def _fitted(self) -> Desk:
        terms = self.terms
        ruleset = load_rules(terms.rules)
        symbol = ruleset.symbol or coin(self.home.symbol)
        carried = [*BAR, *TRADES]
        if terms.samples if self.tested else terms.feed:
            carried += read_by(ruleset, symbol)
        bot = Bot(
            symbol=symbol,
            every=terms.every,
            capabilities=terms.capabilities,
            carried=carried,
            sources=terms.sources,
            instruments={self.home.symbol: self.venue(self.home)},
        )
        if self.tested:
            return bot.offline(ruleset)
        state: Path | str = ""
        if str(terms.state):
            state = Path(terms.state) / str(self.controller.config.id)
            state.mkdir(parents=True, exist_ok=True)
        return bot.live(terms.rules, state)

    def candles(self, asked: list[Thing]) -> list[Thing]:
        """Return the candles the controller asks for, and those that feed the guard."""
        home, bars = self.home, self.terms.bars
        if any((one.connector, one.trading_pair, one.interval) == (*home, bars) for one in asked):
            return asked
        return [
            *asked,
            CandlesConfig(connector=home.connector, trading_pair=home.pair, interval=bars),
        ]

    def venue(self, market: Market) -> Instrument:
        """Return how the venue counts a pair; nothing where its rules are not there yet."""
        found = self.rules_at.get(market)
        if found is None:
            try:
                rules = self.controller.market_data_provider.get_trading_rules(*market)
                found = Instrument(
                    float(rules.min_base_amount_increment), float(rules.min_order_size)
                )
            except Exception:  # noqa: BLE001 - a connector that is not ready knows no rules
                return Instrument()
            self.rules_at[market] = found
        return found

    def tell(self, text: str) -> None:
        """Write a line to hummingbot's log."""
        with suppress(Exception):
            self.controller.logger().warning("riskguard: %s", text)

    def _once(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self.tell(text)

    # ------------------------------------------------------------ facts

    def now(self) -> int:
        """Return the time in ns."""
        return int(self.controller.market_data_provider.time() * 1e9)

    def look(self) -> None:
        """Tell the guard what is new: candles that have closed, and trades that have ended."""
        self.faults.clear()
        try:
            for event in self._events():
                self.desk.take(event)
        except Exception as error:  # noqa: BLE001 - whatever fails, exits pass and entries do not
            self.faults["facts"] = error
            self._once(foreign(f"the guard cannot be told: {type(error).__name__}: {error}", 400))
        if not self.tested:
            self.tick()

    def tick(self) -> None:
        """Let time pass, also while nothing else happens."""
        try:
            self.desk.tick()
        except Exception as error:  # noqa: BLE001 - as above
            self.faults["time"] = error

    def _events(self) -> Iterator[Event]:
        now = self.now()
        for one in self.book.look(now):
            if one.close_type not in {None, CloseType.POSITION_HOLD, CloseType.FAILED}:
                market = market_of(one.config) or self.home
                said = {
                    "pnl": float(one.net_pnl_quote),
                    "by_stop": "true" if one.close_type in STOPS else "false",
                }
                yield Event(now, "trade_closed", market.symbol, said, id=one.id)
        for bar in self._closed(now):
            yield from self._before(bar.ts)
            yield bar

    def _closed(self, now: int) -> list[Event]:
        """Return the candles that have closed since: the last row of a feed is under way."""
        every = self.terms.every
        if self.last >= 0 and now < self.last * SECOND + 2 * every:
            return []  # the next one is under way
        provider, bars = self.controller.market_data_provider, self.terms.bars
        if self.tested:  # also what was before the first step: it fills the windows
            data = provider.candles_feeds.get("_".join((*self.home, bars)))
        else:
            data = provider.get_candles_df(*self.home, bars, 500)
        if data is None or not len(data):
            return []
        stamps, found = data["timestamp"].to_numpy(), []
        first, end = stamps.searchsorted([self.last, (now - every) / SECOND], side="right")
        columns = [data[name].to_numpy() for name in BAR] if end > first else []
        for row in range(first, end):
            self.last = int(stamps[row])
            ts = self.last * SECOND + every
            said: dict[str, object] = {
                name: float(column[row]) for name, column in zip(BAR, columns, strict=True)
            }
            said["interval_ns"] = every
            found.append(Event(ts, "bar", self.home.symbol, said, source=self.home.connector))
        return found

    def _before(self, ts: int) -> Iterator[Event]:
        """Yield what a backtest is given beside the candles, up to a close."""
        bars = {(coin(self.home.symbol), name) for name in BAR}
        while self._next is not None and self._next.ts <= ts:
            sample, self._next = self._next, next(self._ahead, None)
            for name, value in sample.values.items():
                if (sample.symbol, name) not in bars:
                    said = {"series": name, "value": value}
                    yield Event(min(sample.ts, ts - 1), "value", sample.symbol, said)

    # ------------------------------------------------------------ actions

    def answer(self, asked: Iterable[Thing]) -> list[Thing]:
        """Return the actions that may pass, those the guard wants done before them."""
        found = self.duties()
        stopped = {one.executor_id for one in found if isinstance(one, StopExecutorAction)}
        for action in asked:
            if isinstance(action, StopExecutorAction) and action.executor_id in stopped:
                continue
            passed = self.judged(action)
            if passed is not None:
                found.append(passed)
        return found

    def judged(self, action: Thing) -> Thing:
        """Return an action as far as it is granted; None where it is not."""
        if isinstance(action, StopExecutorAction):
            self.book.stopped[action.executor_id] = self.now()
            return action
        if not isinstance(action, CreateExecutorAction):
            return action
        config = action.executor_config
        try:
            asked, granted, verdict = self._granted(config)
        except Exception as error:  # noqa: BLE001 - what cannot be judged and closes, passes
            self._once(foreign(f"an action cannot be judged: {type(error).__name__}: {error}", 400))
            return action if closes(config) else None
        if granted >= asked * (1 - RESIDUE) and verdict.answer != "deny":
            self.book.sent[config.id] = (config, self.now())
            return action
        whole = self._whole(config, granted)
        said = "; ".join(one.text for one in verdict.reasons) or "less than the venue takes"
        if whole is None:
            self.denials.append(said)
            self.tell(f"{config.type} of {asked:g} refused: {said}")
            return None
        self.tell(f"{config.type} of {asked:g} cut to {whole}: {said}")
        config = config.model_copy(update={"amount": whole})
        self.book.sent[config.id] = (config, self.now())
        return action.model_copy(update={"executor_config": config})

    def _granted(self, config: Thing) -> tuple[float, float, Verdict]:
        """Return how much of an executor is asked and granted, and the answer that cuts it."""
        market = market_of(config) or self.home
        standing = self.book.at(market, self.price(market))
        asked = size_of(config, standing.price)
        book, ask = book_of(config), partial(self.ask, config, standing)
        if not standing.leaves(config):
            verdict = ask(asked, book)
            return asked, verdict.quantity, verdict
        other = OTHER[book]
        out = asked if closes(config) else min(asked, standing.loose[other])
        verdict = ask(out, other)
        granted = verdict.quantity
        if asked - out > RESIDUE * asked and granted >= out * (1 - RESIDUE):
            verdict = ask(asked - out, book)
            granted += verdict.quantity
        return asked, granted, verdict

    def ask(self, config: Thing, standing: Standing, quantity: float, book: str) -> Verdict:
        """Ask the guard; one that fails lets exits pass and nothing else."""
        intent = Intent(
            self.now(),
            standing.market.symbol,
            side_of(config),
            quantity,
            standing.size(book) * (1 if book == "long" else -1),
            tuple(standing.pending()),
            price=standing.price or None,
            reduce_only=closes(config),
            ref=str(config.id),
            book=book,
        )
        try:
            for fault in self.faults.values():
                return exit_alone(intent, fault)
            return self.desk.decide(intent)
        except Exception as error:  # noqa: BLE001 - as above
            return exit_alone(intent, error)

    def _whole(self, config: Thing, granted: float) -> Decimal | None:
        """Return what is granted in whole steps; None where an executor cannot be cut to it."""
        if granted <= 0 or getattr(config, "amount", None) is None:
            return None
        step = self.venue(market_of(config) or self.home).step
        if step <= 0:
            return Decimal(repr(granted))
        whole = Decimal(math.floor(granted / step + 1e-9)) * Decimal(repr(step))
        return whole if whole > 0 else None

    def price(self, market: Market) -> float:
        """Return the price of a pair; 0 where nobody tells it."""
        try:
            provider = self.controller.market_data_provider
            price = float(provider.get_price_by_type(*market, PriceType.MidPrice))
        except Exception:  # noqa: BLE001 - a price is not needed to leave
            return 0.0
        return price if math.isfinite(price) else 0.0

    # ------------------------------------------------------------ duties

    def duties(self) -> list[Thing]:
        """Return the actions that the decision in force wants, for each market and book."""
        found: list[Thing] = []
        try:
            active = self.desk.decision.state is State.ACTIVE and not self.faults
        except Exception:  # noqa: BLE001 - while a guard is broken no entry rests
            active = False
        for market in sorted(self.book.markets() | {self.home}):
            for book in ("long", "short"):
                name = book_key(market.symbol, book)
                if active and not self.memory.duties.get(name):
                    self.memory.seen.pop(name, None)
                    continue
                try:
                    found += self._of(market, book)
                except Exception as error:  # noqa: BLE001 - the next step tries anew
                    self._once(foreign(f"duties: {type(error).__name__}: {error}", 400))
        return found

    def _of(self, market: Market, book: str) -> list[Thing]:
        room = Room(self.book, market, book, self.now(), self.price(market))
        run = Run(
            self.desk, market.symbol, self.memory, book=book, instrument=self.venue(market), reads=1
        )
        steps = run.steps()
        try:
            call = next(steps)
            while True:
                try:
                    answer = getattr(room, call.name)(*call.args)
                except Exception as error:  # noqa: BLE001 - told in the outcome, and retried
                    call = steps.throw(error)
                else:
                    call = steps.send(answer)
        except StopIteration as end:
            found = end.value
        for failure in found.failures:
            self._once(f"{market.symbol}: {failure}")
        for order in found.sent:
            self.tell(f"{order.side} {order.quantity:g} {market.pair}, as the rules ask")
        return room.actions
