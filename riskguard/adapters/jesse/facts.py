"""What a run of jesse tells its guard: closed candles, the account, and samples from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from riskguard.adapters.shared.offline import BAR, Fact, Teller, leverage
from riskguard.errors import AdapterError
from riskguard.language.rewriting import parted
from riskguard.market import DAY, HOUR, MINUTE, WEEK, coin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from riskguard.adapters.shared.desk import Desk
    from riskguard.adapters.shared.offline import Terms
    from riskguard.market import Sample

__all__ = ["Candles"]

Strategy = Any  # jesse is untyped
Route = Any
MILLISECOND = 1_000_000
UNITS = {"m": MINUTE, "h": HOUR, "D": DAY, "W": WEEK}
COLUMNS = {"open": 1, "close": 2, "high": 3, "low": 4, "volume": 5}  # of a candle


def span(timeframe: str) -> int:
    """Return how long a candle is in ns: "4h", "1m", "1D"."""
    number, unit = timeframe[:-1], timeframe[-1:]
    if unit not in UNITS or not number.isdigit():
        raise AdapterError(f"time frame {timeframe!r}", help="use minutes, hours, days or weeks")
    return int(number) * UNITS[unit]


class Candles:
    """What all routes of a run share: one desk, told once a time stamp."""

    def __init__(
        self,
        terms: Terms,
        samples: Callable[[], Iterable[Sample]] | None,
        capabilities: frozenset[str],
    ) -> None:
        self.terms, self._capabilities = terms, capabilities
        self._ahead = list(samples()) if samples is not None else []
        self.desk: Desk | None = None
        self.notes: tuple[str, ...] = ()
        self.begun = False
        self.closed: list[dict[str, object]] = []  # trades since the last bar
        self._place = self._told = 0
        self._fault: Exception | None = None

    def begin(self, strategy: Strategy) -> None:
        """Make the guard, now that the routes are known.

        Raises:
            AdapterError: no route brings the candles of the guarded coin.
            RuleError: the rules do not fit what there is.
        """
        symbol = self.terms.symbol
        routes = [*strategy.routes, *strategy.data_routes]
        self._routes = {coin(route.symbol): route for route in reversed(routes)}
        own = [route for route in routes if coin(route.symbol) == symbol]
        if not own:
            there = ", ".join(sorted(self._routes))
            raise AdapterError(
                f"no route brings candles of {symbol}; there are {there}",
                help=f"add a data route of {symbol}",
            )
        self._pilot = min(own, key=lambda route: span(route.timeframe))
        self.every = span(self._pilot.timeframe)
        others = {
            f"{one.symbol}.{name}" if one.symbol not in {symbol, "*"} else name
            for one in self._ahead
            for name in one.values
        }
        self._keys = [key for key in self.terms.keys if self._of_candles(key) or key in others]
        trades = [route.symbol for route in strategy.routes]
        self.desk, self.notes = self.terms.desk(self.every, self._keys, self._capabilities, trades)
        self._teller = Teller(self.desk, symbol, self.every)
        self.begun = True

    def tell(self, strategy: Strategy) -> None:
        """Tell of all candles that have closed since the last time; the same time tells nothing.

        What failed for one route fails for all of this time.
        """
        now = int(strategy.time) * MILLISECOND
        if now == self._told:
            if self._fault is not None:
                raise self._fault
            return
        self._told, self._fault = now, None
        try:
            self._tell(strategy, now)
        except Exception as error:
            self._fault = error
            raise

    def _of_candles(self, key: str) -> bool:
        symbol, name = parted(key)
        return name in BAR and (not symbol or symbol in self._routes)

    def _tell(self, strategy: Strategy, now: int) -> None:
        rows = self._closed(strategy, self._pilot, now)
        beside = {
            symbol: self._closed(strategy, self._routes[symbol], now)
            for symbol in sorted({parted(key)[0] for key in self._keys} & self._routes.keys())
        }
        for ts, row in rows.items():
            facts = [*self._others(ts, beside), *self._samples(ts)]
            last = ts == max(rows)
            trades, self.closed = (self.closed, []) if last else ([], self.closed)
            self._teller.tell(
                ts,
                {name: float(row[place]) for name, place in COLUMNS.items()},
                facts,
                account=self._account(strategy) if last else None,
                positions=self._positions(strategy) if last else None,
                trades=trades,
            )
            self._seen = ts

    _seen = 0  # the close of the last candle that was told

    def _closed(self, strategy: Strategy, route: Route, now: int) -> dict[int, Any]:
        """Return the candles of a route that have closed and were not told, by their close."""
        rows = strategy.get_candles(route.exchange, route.symbol, self._pilot.timeframe)
        found = {}
        for row in reversed(rows):
            ts = int(row[0]) * MILLISECOND + self.every
            if ts <= self._seen:
                break
            if ts <= now:
                found[ts] = row
        return dict(sorted(found.items()))

    def _others(self, ts: int, beside: dict[str, dict[int, Any]]) -> Iterator[Fact]:
        for key in self._keys:
            symbol, name = parted(key)
            row = beside.get(symbol, {}).get(ts) if name in BAR else None
            if row is not None:
                yield Fact(ts, symbol, name, float(row[COLUMNS[name]]))

    def _samples(self, ts: int) -> Iterator[Fact]:
        """Yield what was known by `ts` and is read, less what candles tell."""
        own = self.terms.symbol
        while self._place < len(self._ahead) and self._ahead[self._place].ts <= ts:
            sample = self._ahead[self._place]
            self._place += 1
            symbol = "" if sample.symbol == own else sample.symbol
            for name, value in sample.values.items():
                key = name if symbol in {"", "*"} else f"{symbol}.{name}"
                if key in self._keys and not self._of_candles(key):
                    yield Fact(sample.ts, symbol, name, value)

    # ------------------------------------------------------------ the account

    def _account(self, strategy: Strategy) -> dict[str, float]:
        positions = strategy.all_positions.values()
        profit = sum(float(one.pnl) for one in positions)
        notional = sum(float(one.value or 0.0) for one in positions)
        equity = float(strategy.balance) + profit
        if strategy.is_spot_trading:  # there the balance lacks what is bound in coins and orders
            equity = float(strategy.portfolio_value)
        found = {
            "equity": max(0.0, equity),
            "leverage": leverage(notional, equity),
            "unrealised": profit,
        }
        for symbol, held in self._positions(strategy, own=True).items():
            if symbol == self.terms.symbol:
                found["position"] = held * self.terms.instrument.contract_size
        return found

    def _positions(self, strategy: Strategy, *, own: bool = False) -> dict[str, float]:
        """Return what is held of each coin, less the guarded one."""
        return {
            coin(symbol): float(one.qty)
            for symbol, one in strategy.all_positions.items()
            if own or coin(symbol) != self.terms.symbol
        }
