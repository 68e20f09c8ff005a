"""The guard of one running strategy: what is fed to it, what it is asked, what it wants done.

Whatever fails in here is caught in here: freqtrade would take an error for "yes". Entries then
are denied, exits pass. No method but `start` raises.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from riskguard.adapters.freqtrade.duties import Duties
from riskguard.adapters.freqtrade.facts import (
    Candles,
    Held,
    account,
    closed_trades,
    open_trades,
    result,
    stamp,
)
from riskguard.adapters.freqtrade.start import interval, live, pilot, refuse, traded
from riskguard.adapters.shared.logs import logger
from riskguard.engine.decision import State
from riskguard.engine.events import Event
from riskguard.engine.gate import exit_alone
from riskguard.engine.orders import Intent
from riskguard.errors import AdapterError, foreign
from riskguard.market import SECOND, coin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from riskguard.adapters.freqtrade.start import Terms
    from riskguard.adapters.shared.desk import Desk
    from riskguard.engine.decision import Decision
    from riskguard.engine.orders import Verdict
    from riskguard.market import Sample

__all__ = ["NOISE", "Watch", "effects"]

Strategy = Any  # freqtrade's own types are not seen from here
Trade = Any
NOISE = 1e-9  # a stake becomes an amount and back again
NOTHING = Held(0.0, ())
UNREADY = "the guard has not started"
log = logger("riskguard.freqtrade")


class Blocked(RuntimeError):  # noqa: N818 - it says why nothing may enter
    """An entry that is refused without asking the desk."""


class Watch:
    """Stands between one strategy and its desk."""

    def __init__(self, terms: Terms, strategy: Strategy) -> None:
        self.terms, self.strategy = terms, strategy
        self.desk: Desk | None = None
        self.live = False
        self.pair = ""
        self._empty()

    def _empty(self) -> None:
        self.fault = UNREADY
        self.last = 0  # when the loop was last begun
        self.duties = Duties(self)
        self._told: dict[str, float] = {}  # positions, as the desk knows them
        self._primed = False
        self._closed, self._since = 0, datetime.now(UTC)
        self._said: dict[str, str] = {}
        self._locked = ""
        self._samples: Iterator[Sample] | None = None
        self._sample: Sample | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave the desk behind: another process makes its own of the same terms."""
        return {"terms": self.terms, "strategy": self.strategy}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Begin as after the start, with a desk that is made when it is needed."""
        self.__init__(state["terms"], state["strategy"])  # type: ignore[misc]  # as a new one

    # ------------------------------------------------------------ time

    def start(self) -> None:
        """Read the rules and begin.

        Raises:
            AdapterError: the settings of the strategy would drop what the guard does.
            RuleError: the rules cannot be read, or do not fit.
        """
        refuse(self.strategy)
        self.live = live(self.strategy)
        self._begin()
        coins = ", ".join(traded(self.strategy))
        log.info("riskguard: guards %s by the candles of %s", coins, self.pair)

    def _begin(self) -> None:
        self.duties.release()
        self._empty()
        strategy, terms = self.strategy, self.terms
        rules = terms.read(strategy)
        self.pair = pilot(strategy, rules, terms.benchmark)
        self.symbol = coin(rules.symbol if rules is not None and rules.symbol else self.pair)
        self.desk = terms.desk(strategy, rules, self.symbol)
        every = interval(strategy)
        self.candles = Candles(strategy.dp, strategy.timeframe, every, live=self.live)
        self.every = every
        if terms.samples is not None and not self.live:
            self._samples = iter(terms.samples())
            self._sample = next(self._samples, None)

    def loop(self, time: datetime) -> None:
        """Tell the desk what is new, take note of what is done, and set what follows from it."""
        now = stamp(time)
        if now == self.last:  # a strategy made of a guarded one asks for it again
            return
        try:
            if self.desk is None or (not self.live and now < self.last):
                self.live = live(self.strategy)
                self._begin()  # the next run of a series begins at the beginning
            self.last = now
            trades = open_trades()
            self._tell(trades, now)
            self.fault = ""
            self._change()
            self.duties.settle(trades)
            self._lock(now)
        except Exception as error:
            fault = foreign(
                f"the guard fails, nothing enters: {type(error).__name__}: {error}", 400
            )
            if fault != self.fault:
                log.exception("riskguard: %s", fault)
            self.fault = fault

    def _tell(self, trades: list[Trade], now: int) -> None:
        desk = self.desk
        assert desk is not None  # noqa: S101 - `loop` has made it
        begins = self.live and not self._primed
        if begins:
            self._prime(desk, now)
        ts = now if self.live else now - 1  # what belongs to a bar is told before its close
        for trade in self._news_of_trades(now):
            told = Event(ts, "trade_closed", self.symbol, result(trade), id=f"trade {trade.id}")
            desk.take(told)
        held = dict.fromkeys((*traded(self.strategy), *self._told), 0.0)
        for trade in trades:
            name = coin(trade.pair)
            held[name] = held.get(name, 0.0) + Held.of(trade).position
        for name, size in held.items():
            if self._told.get(name) != size:
                desk.take(Event(ts, "account", name, {"position": size}))
                self._told[name] = size
        self._tell_bars(trades, now, ts, begins=begins)
        if self.live:
            desk.tick()

    def _prime(self, desk: Desk, now: int) -> None:
        """Tell what was before the start, and only then let others speak: history comes first."""
        bars = self._bars(now)
        if not bars:  # what is told now would make a latecomer of all that was before
            raise AdapterError(f"no candle of {self.pair} has come yet", help="is it traded there?")
        if hasattr(desk, "prime"):
            desk.prime(bars)
        else:
            for bar in bars:
                desk.take(bar)
        self._primed = True
        if self.terms.feed is not None:
            self.terms.feed(desk, self.strategy)

    def _bars(self, now: int) -> list[Event]:
        return [
            Event(bar.ts, "bar", self.symbol, {**bar.values(), "interval_ns": self.every})
            for bar in self.candles.news(self.pair, now)
        ]

    def _tell_bars(self, trades: list[Trade], now: int, ts: int, *, begins: bool) -> None:
        desk, bars = self.desk, self._bars(now)
        assert desk is not None  # noqa: S101 - `loop` has made it
        if bars or begins:  # the candles before the start are told, what the account is is not
            told = account(self.strategy, trades, self.candles, self.pair, now)
            desk.take(Event(ts, "account", self.symbol, told))
        if self._samples is None:
            for bar in bars:
                desk.take(bar)
            return
        while self._sample is not None and self._sample.ts <= now:
            desk.guard.update(self._sample)  # type: ignore[attr-defined]  # a desk of a backtest
            self._sample = next(self._samples, None)

    def _news_of_trades(self, now: int) -> list[Trade]:
        found = closed_trades(self._since, self._closed, live=self.live)
        if self.live and found:
            self._since = datetime.fromtimestamp(now // SECOND, UTC)
        self._closed += len(found)
        return found

    # ------------------------------------------------------------ orders

    def judge(
        self, pair: str, side: str, quantity: float, price: float, time: datetime,
        *, trade: Trade = None, leverage: float = 1.0, without: str = "",
    ) -> Verdict:  # fmt: skip
        """Ask for an entry; what fails denies it."""
        word, now = "buy" if side == "long" else "sell", stamp(time)
        held = NOTHING
        try:
            if trade is None:
                trade = next((one for one in open_trades() if coin(one.pair) == coin(pair)), None)
            if trade is not None and trade.pair != pair:
                raise Blocked(f"one trade a coin: {trade.pair} is open")  # noqa: TRY301 - one way out for all that denies
            held = Held.of(trade)
            if self.fault or self.desk is None:
                raise Blocked(self.fault)  # noqa: TRY301 - as above
            pending = held.pending
            if without:
                pending = tuple(one for one in pending if one.id != without)
            intent = Intent(
                now, coin(pair), word, quantity, held.position, pending, price, leverage
            )
            return self.desk.decide(intent)
        except Exception as error:  # noqa: BLE001 - freqtrade would take it for "yes"
            return exit_alone(Intent(now, coin(pair), word, quantity, held.position), error)

    def denied(self, pair: str, verdict: Verdict, what: str = "entry denied") -> None:
        """Tell of an order that was refused or cut, once for each reason."""
        why = "; ".join(reason.text for reason in verdict.reasons) or "nothing left to enter"
        self._say(pair, f"{what} in {pair}: {why}", logging.WARNING)

    def _say(self, about: str, text: str, level: int) -> None:
        if self._said.get(about) == text:
            return
        self._said[about] = text
        log.log(level if self.live else logging.DEBUG, "riskguard: %s", text)
        with suppress(Exception):  # a message that cannot be sent stops nothing
            self.strategy.dp.send_msg(f"riskguard: {text}")

    def tight(self) -> bool:
        """Say whether anything limits; not known is yes."""
        try:
            quiet = self.desk is not None and self.desk.decision.state is State.ACTIVE
        except Exception:  # noqa: BLE001 - a broken guard
            quiet = False
        return bool(self.fault) or not quiet

    def gear(self) -> float | None:
        """Return the highest leverage allowed, None where nothing limits it."""
        try:
            cap = None if self.desk is None else self.desk.decision.leverage_cap
        except Exception:  # noqa: BLE001 - a broken guard
            cap = 1.0
        return 1.0 if self.fault else cap

    # ------------------------------------------------------------ status

    def _change(self) -> None:
        """Tell of another decision once, with what follows for orders and positions."""
        decision = self.desk.decision if self.desk is not None else None
        if decision is not None and (self._said or decision.state is not State.ACTIVE):
            self._say("decision", effects(decision), logging.WARNING)

    def _lock(self, now: int) -> None:
        """Show in freqtrade's own list of locks that nothing enters: once, with its end."""
        desk = self.desk
        assert desk is not None  # noqa: S101 - `loop` has made it
        decision = desk.decision
        shut = decision.state >= State.REDUCING or decision.block_entries == "both"
        if not shut:
            if self._locked and self.live:
                self.strategy.unlock_reason(self._locked)
            self._locked = ""
        elif not self._locked:
            verdict = desk.decide(Intent(now, self.symbol, "buy", 1.0, 0.0))
            why = "; ".join(reason.text for reason in verdict.reasons)
            self._locked = f"riskguard: {why}"[:255]
            if verdict.until is not None and verdict.until > now:
                until = datetime.fromtimestamp(verdict.until // SECOND, UTC)
                self.strategy.lock_pair("*", until, reason=self._locked)


def effects(decision: Decision) -> str:
    """Say what a decision means for entries, positions and orders.

    >>> from riskguard import Decision, State
    >>> effects(Decision(0, "BTC", "cut", State.CAUTION, exposure_cap=0.4, block_entries="long"))
    'CAUTION (stage cut): no long entries; positions at most 40%; resting entries are cancelled'
    """
    if decision.state is State.ACTIVE:
        return "ACTIVE: nothing is limited"
    stage = f" (stage {decision.stage})" if decision.stage != "normal" else ""
    shut = decision.state >= State.REDUCING or decision.block_entries == "both"
    sided = f"no {decision.block_entries} entries"
    entries = "no entries" if shut else sided if decision.block_entries != "none" else "entries cut"
    if decision.exposure_cap <= 0 or decision.close == "all":
        positions = "all positions are closed at market"
    elif decision.close != "none":
        positions = f"{decision.close} are closed at market"
    elif decision.exposure_cap < 1:
        positions = f"positions at most {decision.exposure_cap:.0%}"
    elif decision.reduce_by:
        positions = f"positions reduced by {decision.reduce_by:.0%}"
    else:
        positions = "positions stay"
    every = "all resting orders" if decision.cancel_orders == "all" else "resting entries"
    return f"{decision.state.name}{stage}: {entries}; {positions}; {every} are cancelled"
