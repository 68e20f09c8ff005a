"""What a freqtrade bot knows and a guard wants to: candles that have closed, trades, the account.

In a backtest freqtrade asks its hooks at the time a candle opens, with that candle in hand and
the last closed one not yet shown. So candles are read here by the time they close, from the
whole frame, and never one that has not.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from riskguard.engine.orders import Pending
from riskguard.market import SECOND, coin

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Bar",
    "Candles",
    "Held",
    "account",
    "closed_trades",
    "open_trades",
    "result",
    "stamp",
    "step_of",
]

Provider = Any  # freqtrade's own types are not seen from here
Strategy = Any
Trade = Any
STOPS = frozenset({"liquidation", "stop_loss", "stoploss_on_exchange", "trailing_stop_loss"})
TICK_SIZE, DECIMAL_PLACES = 4, 2  # how ccxt counts precision
UNDER_WATER = 1e6  # leverage of an account that is worth nothing and holds something


class Bar(NamedTuple):
    """A candle by the time at which it closed."""

    ts: int
    open: float
    high: float
    low: float
    close: float
    volume: float

    def values(self) -> dict[str, float]:
        """Return the candle without its time."""
        return dict(zip(self._fields[1:], self[1:], strict=True))


def stamp(time: datetime) -> int:
    """Return a time of freqtrade in ns."""
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    whole = time.replace(microsecond=0).timestamp()
    return int(whole) * SECOND + time.microsecond * 1000


class Candles:
    """The closed candles of pairs, each told once in the order they closed."""

    def __init__(self, provider: Provider, timeframe: str, every: int, *, live: bool) -> None:
        self.provider, self.timeframe, self.every, self.live = provider, timeframe, every, live
        self._known: dict[str, list[Bar]] = {}
        self._told: dict[str, int] = {}

    def news(self, pair: str, now: int) -> list[Bar]:
        """Return the candles that closed by `now` and were not told yet."""
        bars = self._bars(pair)
        first = bisect_right(bars, self._told.get(pair, 0), key=_ts)
        found = bars[first : bisect_right(bars, now, first, key=_ts)]
        if found:
            self._told[pair] = found[-1].ts
        return found

    def price(self, pair: str, now: int) -> float | None:
        """Return the close of the last candle that closed by `now`."""
        bars = self._bars(pair)
        last = bisect_right(bars, now, key=_ts)
        return bars[last - 1].close if last else None

    def _bars(self, pair: str) -> list[Bar]:
        if self.live:
            frame = self.provider.ohlcv(pair, self.timeframe, copy=False)
            since = self._known.get(pair)
            return self._joined(pair, since or [], frame)
        if pair not in self._known:
            frame = self.provider.historic_ohlcv(pair, self.timeframe)
            self._known[pair] = list(self._read(frame))
        return self._known[pair]

    def _joined(self, pair: str, bars: list[Bar], frame: Any) -> list[Bar]:  # noqa: ANN401 - a pandas frame
        """Return the bars with what is new in a frame; freqtrade gives all of them each time."""
        if len(frame) and bars:
            last = stamp(frame["date"].iloc[-1].to_pydatetime()) + self.every
            missing = (last - bars[-1].ts) // self.every
            frame = frame.iloc[-missing:] if missing > 0 else frame.iloc[:0]
        if len(frame):
            latest = bars[-1].ts if bars else 0
            bars = [*bars[-1000:], *(bar for bar in self._read(frame) if bar.ts > latest)]
            self._known[pair] = bars
        return bars

    def _read(self, frame: Any) -> Iterator[Bar]:  # noqa: ANN401 - a pandas frame
        columns = [frame[name].tolist() for name in ("open", "high", "low", "close", "volume")]
        for date, *values in zip(frame["date"].tolist(), *columns, strict=True):
            yield Bar(stamp(date) + self.every, *map(float, values))


def _ts(bar: Bar) -> int:
    return bar.ts


# ---------------------------------------------------------------- trades


class Held(NamedTuple):
    """An open trade as the gate wants it: signed size in coins, and its open orders."""

    position: float
    pending: tuple[Pending, ...]

    @staticmethod
    def of(trade: Trade) -> Held:
        """Read a trade; None holds nothing."""
        if trade is None:
            return Held(0.0, ())
        size, pending = float(trade.amount or 0.0), []
        for order in trade.orders:
            if order.ft_is_open:
                pending.append(_pending(trade, order))
            elif order.status == "canceled" and order.filled:
                size = min(size, _left(trade))
        return Held(-size if trade.is_short else size, tuple(pending))


def _left(trade: Trade) -> float:
    """Return what the fills of a trade leave: its own amount may not know the last of them.

    An order that comes back cancelled at once is counted by freqtrade with the next one only.
    """
    filled = [one for one in trade.orders if one.filled and not one.ft_is_open]
    enters = [one.ft_order_side == trade.entry_side for one in filled]
    sizes = [float(one.safe_amount_after_fee) for one in filled]
    left = sum(size if enter else -size for size, enter in zip(sizes, enters, strict=True))
    return max(0.0, left)


def _pending(trade: Trade, order: Any) -> Pending:  # noqa: ANN401 - an order of freqtrade
    leaves = order.ft_order_side != trade.entry_side
    side = trade.exit_side if leaves else trade.entry_side  # "stoploss" is one of them
    # a spot exit cannot sell what is not there; on futures freqtrade says reduce-only
    return Pending(
        str(order.order_id), side, float(order.safe_remaining), resting=True,
        reduce_only=leaves, ts=stamp(order.order_date_utc),
    )  # fmt: skip


def open_trades() -> list[Trade]:
    """Return the open trades, of the database or of the backtest."""
    from freqtrade.persistence import Trade as Stored  # noqa: PLC0415 - freqtrade is running then

    return list(Stored.get_trades_proxy(is_open=True))


def closed_trades(since: datetime | None, seen: int, *, live: bool) -> list[Trade]:
    """Return the trades that closed since, or those of a backtest after the first `seen`."""
    from freqtrade.persistence import LocalTrade  # noqa: PLC0415 - freqtrade is running then
    from freqtrade.persistence import Trade as Stored  # noqa: PLC0415 - as above

    if not live:
        return list(LocalTrade.bt_trades[seen:])
    return [] if since is None else list(Stored.get_trades_proxy(is_open=False, close_date=since))


def account(
    strategy: Strategy, trades: list[Trade], candles: Candles, pair: str, now: int
) -> dict[str, float]:
    """Return the account as the guard wants it, its open trades at the last closes."""
    futures = str(strategy.config.get("trading_mode", "")).endswith("futures")
    wallet = float(strategy.wallets.get_total(strategy.config["stake_currency"]))
    unrealised = worth = notional = mine = 0.0
    for trade in trades:
        size = Held.of(trade).position
        price = candles.price(trade.pair, now) or float(trade.open_rate)
        unrealised += size * (price - float(trade.open_rate))
        worth += size * price
        notional += abs(size) * price
        mine += size if coin(trade.pair) == coin(pair) else 0.0
    # on futures the wallet counts the stake of a trade, on spot the coins have left it
    equity = wallet + (unrealised if futures else worth)
    return {
        "equity": max(equity, 0.0),
        "position": mine,
        "notional": mine * (candles.price(pair, now) or 0.0),
        "leverage": notional / equity if equity > 0 else UNDER_WATER if notional else 0.0,
        "unrealised": unrealised,
    }


def result(trade: Trade) -> dict[str, float | str]:
    """Return what a closed trade earned, as an event tells it."""
    stopped = str(trade.exit_reason) in STOPS
    return {"pnl": float(trade.close_profit_abs or 0.0), "by_stop": str(stopped).lower()}


def step_of(precision: float | None, mode: int | None, size: float | None) -> float:
    """Return the step of an amount in coins, 0 where it has none."""
    if precision is None:
        return 0.0
    if mode == DECIMAL_PLACES:
        return float(10.0**-precision) * (size or 1.0)
    return float(precision) * (size or 1.0) if mode == TICK_SIZE else 0.0
