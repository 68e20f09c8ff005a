"""The decorator of jesse: the first route of a time stamp feeds the guard that all share."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from riskguard.adapters.jesse.facts import Candles
from riskguard.adapters.jesse.orders import GuardedBroker, RouteVenue
from riskguard.adapters.shared.frameworks import framework
from riskguard.adapters.shared.offline import Terms
from riskguard.adapters.shared.post import Post
from riskguard.errors import AdapterError
from riskguard.market import Instrument, coin
from riskguard.plugins import permit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from riskguard.adapters.shared.desk import Desk
    from riskguard.language.ruleset import RuleSet
    from riskguard.market import Sample

__all__ = ["CAPABILITIES", "NAME", "TESTED", "RouteGuard", "guarded"]

NAME, TESTED = "jesse", "3.5.3"
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
Strategy = Any  # jesse is untyped
Order = Any


def guarded(
    rules: RuleSet | Path | str = "",
    *,
    symbol: str = "",
    sources: Mapping[str, str] | None = None,
    samples: Callable[[], Iterable[Sample]] | None = None,
    instrument: Instrument | None = None,
    desk: Callable[[], Desk] | None = None,
    plugins: Iterable[str] = (),
) -> Callable[[Any], Any]:
    """Put a guard before the brokers of all routes of a strategy.

    `symbol` is the coin whose candles drive the guard (default: that of the rules); a route or a
    data route must bring them, a data route of a shorter time frame brings them finer. `samples`
    yields what jesse has no candles of (open interest, liquidations, funding), stamped with the
    time when it was known, oldest first. `desk` makes the desk to ask instead of rules: live a
    `Session`, whose feeds then are its own. `plugins` names the plug-ins that rules may use. A
    route tells what happened in `strategy.riskguard`.

    Raises:
        AdapterError: jesse is not there, or the class is none of its strategies.
    """
    package = framework("jesse.strategies", package=NAME, tested=TESTED)
    permit(plugins)
    terms = Terms.of(
        rules,
        symbol=symbol,
        sources=sources,
        instrument=instrument or Instrument(),
        desk=desk,
    )
    key = f"riskguard {id(terms)}"

    def decorate(cls: Any) -> Any:  # noqa: ANN401 - jesse is untyped
        if not _is_a(cls, package.Strategy):
            raise AdapterError(f"{cls!r} is no strategy of jesse", help="decorate a class")
        begin = cls._init_objects

        @functools.wraps(begin)
        def _init_objects(self: Strategy) -> None:
            begin(self)
            if hasattr(self, "riskguard"):
                raise AdapterError(f"{cls.__name__} is guarded twice", help="decorate it once")
            shared = self.shared_vars  # of all routes of one run
            if key not in shared:
                shared[key] = Candles(terms, samples, CAPABILITIES)
            self.riskguard = RouteGuard(self, shared[key])

        cls._init_objects = _init_objects  # in place: what names the class means it
        return cls

    return decorate


def _is_a(cls: object, base: type) -> bool:
    return isinstance(cls, type) and issubclass(cls, base)


class RouteGuard:
    """What stands between one route and its broker.

    `post` has the vetoes and the faults of the route, `candles` what all routes share.
    """

    def __init__(self, strategy: Strategy, candles: Candles) -> None:
        self.strategy, self.candles = strategy, candles
        terms = candles.terms
        name = coin(strategy.symbol)
        instrument = terms.instrument if name == terms.symbol else Instrument()
        self.post = Post(name, instrument, strategy.log)
        self.venue = RouteVenue(strategy, strategy.broker)
        strategy.broker = GuardedBroker(self.venue, self.post)
        # on the instance: what a subclass overrides is guarded too
        self._inner = {
            name: getattr(strategy, name)
            for name in ("before", "should_cancel_entry", "on_close_position")
        }
        strategy.before, strategy.should_cancel_entry = self.before, self.should_cancel_entry
        strategy.on_close_position = self.on_close_position

    def before(self) -> None:
        """Tell the guard of the candles that have closed, do what it wants done, then go on."""
        if not self.candles.begun:
            self.candles.begin(self.strategy)
        try:
            self.candles.tell(self.strategy)
            self.post.works()
        except Exception as error:  # noqa: BLE001 - whatever fails, nothing enters
            self.post.failed(self.venue.now(), error)
        self.post.desk = self.candles.desk
        self.post.enforce(self.venue)
        self._inner["before"]()

    def should_cancel_entry(self) -> bool:
        """Say that a fresh start is due once no entry is left that could fill.

        Without it jesse waits for ever for the entries that the guard has cancelled.
        """
        if not any(order.is_cancellable for order in self.strategy.entry_orders):
            return True
        return bool(self._inner["should_cancel_entry"]())

    def on_close_position(self, order: Order, closed_trade: Any) -> None:  # noqa: ANN401 - jesse is untyped
        """Take note of a trade that has ended."""
        if closed_trade is not None:
            pnl, stopped = float(closed_trade.pnl), bool(order.is_stop_loss)
            self.candles.closed.append({"pnl": pnl, "by_stop": stopped})
        self._inner["on_close_position"](order, closed_trade)
