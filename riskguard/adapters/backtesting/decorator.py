"""The decorator of backtesting.py: every order ends at the broker's `new_order`, judged there."""

# ruff: noqa: SLF001 - backtesting.py has no public names for what is asked here
from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

from riskguard.adapters.backtesting.orders import BrokerVenue
from riskguard.adapters.shared.frameworks import framework
from riskguard.adapters.shared.logs import logger
from riskguard.adapters.shared.offline import (
    Teller,
    Terms,
    closes,
    columns,
    leverage,
    row,
)
from riskguard.adapters.shared.post import Post
from riskguard.engine.decision import State
from riskguard.engine.orders import Intent
from riskguard.errors import AdapterError
from riskguard.market import Instrument
from riskguard.plugins import permit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from riskguard.adapters.backtesting.orders import Wish
    from riskguard.adapters.shared.desk import Desk
    from riskguard.adapters.shared.vetoes import Fault, Veto
    from riskguard.language.ruleset import RuleSet

__all__ = ["CAPABILITIES", "NAME", "TESTED", "Gatekeeper", "guarded"]

NAME, TESTED = "backtesting", "0.6.6"
CAPABILITIES = frozenset(
    {
        "exposure_cap",
        "reduce_by",
        "close",
        "block_entries",
        "reduce_only",
        "leverage_cap",
        "cancel_orders",
        "notify",
    }
)
Strategy = Any  # backtesting.py is untyped
Order = Any
log = logger("riskguard")


def guarded(
    rules: RuleSet | Path | str = "",
    *,
    symbol: str = "",
    sources: Mapping[str, str] | None = None,
    stamp: str = "open",
    unit: float = 1.0,
    desk: Callable[[], Desk] | None = None,
    plugins: Iterable[str] = (),
) -> Callable[[Any], Any]:
    """Put a guard before the broker of a strategy; each run makes a guard of its own.

    `symbol` is the instrument (default: that of the rules); series beside the bars are read from
    columns named as they are ("oi", "liq_long"), their flows as sums of the bar, NaN where
    nothing is new. `stamp` says whether the index stamps the "open" or the "close" of a bar,
    `unit` how many coins one unit is (`fractional_unit` of a FractionalBacktest). `desk` makes
    the desk to ask instead of rules, `plugins` names the plug-ins that rules may use. A run tells
    what happened in `strategy.riskguard`.

    Raises:
        AdapterError: backtesting.py is not there, or the class is none of its strategies.
    """
    package = framework("backtesting.backtesting", package=NAME, tested=TESTED)
    whole = Instrument(1.0, 1.0, unit)
    permit(plugins)
    terms = Terms.of(rules, symbol=symbol, sources=sources, instrument=whole, desk=desk)

    def decorate(cls: Any) -> Any:  # noqa: ANN401 - backtesting.py is untyped
        if not _is_a(cls, package.Strategy):
            raise AdapterError(f"{cls!r} is no strategy of backtesting.py", help="decorate a class")
        begin = cls.__init__

        @functools.wraps(begin)
        def __init__(self: Strategy, broker: Any, data: Any, params: Any) -> None:  # noqa: ANN401, N807 - as the framework calls it
            begin(self, broker, data, params)
            if hasattr(self, "riskguard"):
                raise AdapterError(f"{cls.__name__} is guarded twice", help="decorate it once")
            venue = BrokerVenue(broker, package.Order)
            self.riskguard = Gatekeeper(self, venue, terms, stamp)

        cls.__init__ = __init__  # in place: what names the class means it
        return cls

    return decorate


def _is_a(cls: object, base: type) -> bool:
    return isinstance(cls, type) and issubclass(cls, base)


class Gatekeeper:
    """What stands between one run of a strategy and its broker.

    `vetoes` and `faults` tell what happened, `notes` what of the rules had to be replaced,
    `desk` has the guard.
    """

    def __init__(self, strategy: Strategy, venue: BrokerVenue, terms: Terms, stamp: str) -> None:
        broker = venue.broker
        if broker._trade_on_close:
            raise AdapterError(
                "trade_on_close=True fills on the bar that is decided on",
                help="leave it out: orders then fill at the next open",
            )
        if broker._hedging:
            raise AdapterError("hedging=True is not supported", help="leave it out")
        self.strategy, self.venue, self.broker, self.terms = strategy, venue, broker, terms
        self.post = Post(terms.symbol, terms.instrument)
        self.notes: tuple[str, ...] = ()
        self._times, self.every = closes(strategy.data.index, stamp)
        self._teller: Teller | None = None
        self._columns: dict[str, str] = {}
        self._told = self._counted = 0
        self._profit, self._stopped, self._side = 0.0, False, 0
        self._next = strategy.next
        # on the instances: what a subclass overrides is guarded too
        strategy.next, broker.new_order = self.step, self.order

    # ------------------------------------------------------------ time

    def step(self) -> None:
        """Tell the guard of the bar that has closed, do what it wants done, then the strategy's."""
        if self.post.desk is None:
            self._open()
        try:
            self._tell()
            self.post.works()
        except Exception as error:  # noqa: BLE001 - whatever fails, nothing enters
            self.post.failed(self.venue.ts, error)
        if not self.post.free(self.venue.ts):
            self.venue.bind()
        self.post.enforce(self.venue)
        self._next()

    def _open(self) -> None:
        """Make the guard, now that the columns are known."""
        names = list(self.strategy.data.df.columns)
        self._columns = columns(self.terms.keys, names)
        desk, notes = self.terms.desk(self.every, list(self._columns), CAPABILITIES)
        unit = self.terms.instrument.contract_size
        self.notes = (
            *notes,
            f"sizes are whole units of {unit:g}: what is cut below one is refused",
        )
        log.info("riskguard: %s", self.notes[-1])
        self.post.desk, self._teller = desk, Teller(desk, self.terms.symbol, self.every)

    def _tell(self) -> None:
        teller, data = self._teller, self.strategy.data
        last = len(data) - 1
        assert teller is not None  # noqa: S101 - `step` made it
        unit = self.terms.instrument.contract_size
        for place in range(self._told, last + 1):
            self._told = place + 1
            self.venue.ts = ts = self._times[place]
            bar, facts = row(self._columns, ts, lambda name: data[name][place], unit)  # noqa: B023 - read at once
            if "close" not in bar:
                continue
            now = place == last
            trades = list(self._trades()) if now else ()
            teller.tell(ts, bar, facts, account=self._account(unit) if now else None, trades=trades)

    def _account(self, unit: float) -> dict[str, float]:
        broker, price = self.broker, float(self.broker.last_price)
        size, equity = float(broker.position.size), max(0.0, float(broker.equity))
        return {
            "equity": equity,
            "position": size * unit,
            "notional": size * price,
            "leverage": leverage(size * price, equity),
            "unrealised": float(broker.position.pl),
        }

    def _trades(self) -> Iterator[dict[str, Any]]:
        """Yield the round trips from flat to flat that have ended since the bar before."""
        closed = self.broker.closed_trades
        for trade in closed[self._counted :]:
            self._profit += float(trade.pl)
            side, stop = (1 if trade.size > 0 else -1), trade.sl
            self._stopped = stop is not None and side * (trade.exit_price - stop) <= 0
            self._side = side
        self._counted = len(closed)
        if self._side and self.broker.position.size * self._side <= 0:
            yield {"pnl": self._profit, "by_stop": self._stopped}
            self._profit, self._side = 0.0, 0

    # ------------------------------------------------------------ orders

    def order(  # noqa: PLR0917 - as the framework calls it
        self,
        size: float,
        limit: float | None = None,
        stop: float | None = None,
        sl: float | None = None,
        tp: float | None = None,
        tag: object = None,
        *,
        trade: Any = None,  # noqa: ANN401 - backtesting.py is untyped
    ) -> Order | None:
        """Judge an order; return what was sent, None where nothing was.

        What is bound to a trade, as stops and targets are, can only close it: it passes.
        """
        send = self.venue.submit_entry
        if trade is not None:
            return send(size, limit, stop, sl, tp, tag, trade=trade)
        price = limit or stop
        wish = self.venue.wish(size, price)
        if not wish.asked:  # nothing, or the same again: as the broker does it while nothing limits
            free = self.post.free(self.venue.ts)
            return send(size, limit, stop, sl, tp, tag) if free else None
        verdict = self.post.judge(self._intent(wish, price))
        granted = verdict.quantity
        if verdict.state is State.ACTIVE and granted >= wish.asked:
            return send(size, limit, stop, sl, tp, tag)
        for one in verdict.cancel_first:
            self.venue.cancel(self.terms.symbol, one)
        leaving = min(granted, wish.against)
        entering = math.floor(granted - leaving)
        sent = None
        if leaving > 0 and not (wish.alone and entering):
            sent = self.venue.leave(wish.sign * leaving, limit, stop, tag)
        if entering >= 1:
            if wish.alone:
                self.venue.clear()
            sent = send(wish.sign * (wish.kept + entering), limit, stop, sl, tp, tag)
        return sent

    def _intent(self, wish: Wish, price: float | None) -> Intent:
        return Intent(
            self.venue.ts,
            self.terms.symbol,
            "buy" if wish.sign > 0 else "sell",
            wish.asked,
            self.venue.position(self.terms.symbol),
            wish.pending,
            price=float(price or self.broker.last_price) / self.terms.instrument.contract_size,
        )

    # ------------------------------------------------------------ what came of it

    @property
    def desk(self) -> Desk | None:
        """The desk that is asked; None before the first bar."""
        return self.post.desk

    @property
    def vetoes(self) -> list[Veto]:
        """Orders that were cut or refused."""
        return self.post.vetoes

    @property
    def faults(self) -> list[Fault]:
        """What failed in the guard."""
        return self.post.faults
