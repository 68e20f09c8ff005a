"""The catalogue of series, and the sample in which their values travel.

Units are the words of `scenario.yaml`; each has one dimension of the rule language and one
fixed-point scale, at which flows are summed as integers so that no rounding ever piles up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "CALENDAR",
    "CATALOGUE",
    "DAY",
    "DIMENSIONS",
    "FROM_ZERO",
    "HOUR",
    "LARGEST",
    "MINUTE",
    "SCALES",
    "SECOND",
    "SMALLEST",
    "WEEK",
    "Instrument",
    "Sample",
    "SeriesSpec",
    "coin",
    "figure",
    "figures",
    "plain",
    "plausible",
    "time_text",
    "unglued",
]

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY
# windows that the calendar begins, but for the days on which clocks are changed
CALENDAR: Mapping[str, int] = {"today": DAY, "this_week": WEEK}

COINS: dict[str, str] = {}  # what `coin` has been asked
MOST_COINS = 10_000
SAME = {"XBT": "BTC"}  # two names of one coin
# what stands behind a name without being a quote: "BTCUSDT-PERP", "BTC_240628"
KINDS = frozenset({"PERP", "PERPETUAL", "SWAP", "SPOT", "LINEAR", "INVERSE", "FUTURES"})
# quotes as they are written behind a coin without a mark, the longest first
GLUED = ("FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USD")
GLUED_PAIRS = ("BTC", "ETH", "BNB", "EUR", "GBP", "TRY", "JPY", "BRL", "DAI")
RARE = frozenset({"BUSD", "TUSD"})  # "BNBUSD" is BNB in dollars, "DOTUSD" is DOT
MAJORS = frozenset({"BTC", "ETH", "BNB", "XRP", "SOL", "ADA", "LTC", "BCH", "DOGE", "USDT", "USDC"})
FIXED = ("PF_", "PI_", "FI_", "FF_")  # what Kraken writes before a perpetual or a future
# coins whose own name ends like a quote
WHOLE = frozenset(
    {
        "AUSD", "BFUSD", "BUSD", "CRVUSD", "CUSD", "DUSD", "EUSD", "FDUSD", "FRXUSD", "GUSD",
        "HUSD", "LUSD", "MUSD", "OUSD", "PYUSD", "RLUSD", "SUSD", "SYRUPUSDC", "SYRUPUSDT",
        "TUSD", "USD", "USDC", "USDT", "USDTB", "VUSD", "XUSD", "ZUSD",
    }
)  # fmt: skip

# unit of a series -> dimension in the rule language
DIMENSIONS: Mapping[str, str] = {
    "price": "price",
    "usd": "dollars",
    "coins": "coins",
    "contracts": "count",
    "fraction": "share",
    "index": "index",
    "count": "count",
    "multiple": "ratio",
    "number": "number",
}

# dimension -> how many fixed-point units make 1 (rules.md section 5)
SCALES: Mapping[str, int] = {
    "dollars": 100,
    "price": 100_000_000,
    "coins": 100_000_000,
    "count": 1,
}
DEFAULT_SCALE = 1_000_000_000_000

# no amount is larger, and none but zero is smaller: what goes beyond is a fault of its feed.
# Within, the squares and quotients of any two are finite
LARGEST, SMALLEST = 1e150, 1e-150


def plausible(value: float, least: float) -> bool:
    """Say whether a value that must be at least `least` can be an amount at all; NaN cannot."""
    return least <= value <= LARGEST and (value >= SMALLEST or value <= -SMALLEST or value == 0)


def figure(value: object) -> float:
    """Return a number as a float, NaN for what is none: a text, a truth, nothing at all."""
    kind = type(value)
    if not hasattr(kind, "__float__") or kind.__name__ in {"bool", "bool_", "str_"}:
        return math.nan
    try:
        return float(value)  # type: ignore[arg-type]  # it says that it can
    except Exception:  # noqa: BLE001 - whatever it is, it is no number
        return math.nan


def figures(values: Mapping[str, float]) -> Mapping[str, float]:
    """Return the values of a sample as floats."""
    for value in values.values():
        if type(value) is not float:
            return {name: figure(one) for name, one in values.items()}
    return values


def coin(symbol: str) -> str:
    """Return the name rules use for a symbol of a venue, "" where it names none.

    It says which orders are guarded, so it knows what each venue calls a market. A book of
    hedge mode ("BTC/USDT:USDT long") is of the coin of its symbol.

    >>> [coin(name) for name in ("BTC", "BTC/USDT:USDT", "ETH-USDT", "*")]
    ['BTC', 'BTC', 'ETH', '*']
    >>> [coin(name) for name in ("BTCUSDT-PERP.BINANCE", "SOLUSDT", "PYUSD", "BTC-USD-SWAP")]
    ['BTC', 'SOL', 'PYUSD', 'BTC']
    """
    name = COINS.get(symbol)
    if name is None:
        name = _coin(symbol)
        if len(COINS) < MOST_COINS:  # a flood of made-up symbols takes no memory
            COINS[symbol] = name
    return name


def _coin(symbol: str) -> str:
    name = plain(symbol)
    base, slash, _ = name.partition("/")
    if not slash:
        head, dot, venue = name.rpartition(".")
        at_venue = bool(dot) and len(venue) > 1 and venue.isupper()
        base, *rest = (head if at_venue else name).replace("_", "-").replace(":", "-").split("-")
        if not rest or rest[0] in KINDS or rest[0][:1].isdigit():
            base, _ = unglued(base, pair=at_venue)
    return SAME.get(base, base)


def plain(symbol: str) -> str:
    """Return a market as most write it, without its book, where a venue or a chart has its own way.

    >>> [plain(name) for name in ("btcusdt", "BTCPERP", "PF_XBTUSD", "XBTUSDTM")]
    ['BTCUSDT', 'BTC-PERP', 'XBTUSD', 'XBTUSDT-PERP']
    >>> [plain(name) for name in ("BINANCE:BTCUSDT.P", "btc/usdt:usdt long", "kPEPE")]
    ['BTCUSDT-PERP', 'BTC/USDT:USDT', 'kPEPE']
    """
    name = (symbol.split(maxsplit=1) or [""])[0]
    if name.islower():
        name = name.upper()
    chart, _, of_chart = name.partition(":")
    if "/" not in chart and unglued(of_chart.removesuffix(".P"))[1]:
        name = of_chart
    if name.startswith(FIXED):
        name = name[3:]
    for tail in ("PERP", ".P", "M"):  # of Bybit, of charts, of KuCoin
        head = name.removesuffix(tail)
        if head != name and head.isalnum() and (tail != "M" or unglued(head)[1]):
            return f"{head}-PERP"
    return name


def unglued(word: str, *, pair: bool = False) -> tuple[str, str]:
    """Split "BTCUSDT" into coin and quote; the quote is "" where it is a coin alone.

    `pair` says that it is known to be both: only then a coin may be the quote, for "WBTC" is
    one and "ETHBTC" are two. Of two ways to read a word ("BNBUSD") the shorter quote is right,
    but for the few coins that were traded against the longer.
    """
    if word in WHOLE and not pair:
        return word, ""
    for quote in GLUED + (GLUED_PAIRS if pair else ()):
        base = word.removesuffix(quote)
        if base == word or not base or not word.isupper():
            continue
        if quote in RARE and base not in MAJORS:
            continue
        if len(base) > 1 or quote in ("USDT", "USDC"):
            return base, quote
    return word, ""


def time_text(span: int) -> str:
    """Return a time (ns) as people say it, rounded down: 28d, 36h, 90m."""
    for unit, letter in ((DAY, "d"), (HOUR, "h"), (MINUTE, "m")):
        if span >= 2 * unit:
            return f"{span // unit}{letter}"
    return f"{span // SECOND}s"


class Sample(NamedTuple):
    """The values of one symbol seen together at `ts` (int nanoseconds UTC).

    `ts` is the instant from which the values may be known. A series that is absent from
    `values` has nothing new; an empty mapping only lets time pass. Symbol "*" is market-wide.
    """

    ts: int
    symbol: str
    values: Mapping[str, float]


class Instrument(NamedTuple):
    """How a venue counts a symbol: step and minimum of an order, coins in one contract."""

    step: float = 0.0
    min_quantity: float = 0.0
    contract_size: float = 1.0


@dataclass(frozen=True, slots=True)
class SeriesSpec:
    """What a series is: unit, kind and clock (ns; None = the decision interval)."""

    unit: str
    kind: str  # level | flow | rolling
    interval: int | None = None
    max_age: int | None = None  # None = twice the interval
    signed: bool = False
    bar: bool = False  # a value of a bar observes the whole bar, not an instant
    column: str = ""
    help: str = ""

    @property
    def dimension(self) -> str:
        """Dimension of the values in the rule language."""
        return DIMENSIONS[self.unit]

    @property
    def most(self) -> float:
        """The most that a value can be."""
        return 100.0 if self.dimension == "index" else LARGEST

    @property
    def scale(self) -> int:
        """Fixed-point units in 1."""
        return SCALES.get(self.dimension, DEFAULT_SCALE)


def _bar(unit: str, kind: str, help: str, column: str = "") -> SeriesSpec:  # noqa: A002 - the word of SeriesSpec
    return SeriesSpec(unit, kind, bar=True, column=column, help=help)


CATALOGUE: Mapping[str, SeriesSpec] = {
    "open": _bar("price", "level", "first price of the bar"),
    "high": _bar("price", "level", "highest price of the bar"),
    "low": _bar("price", "level", "lowest price of the bar"),
    "close": _bar("price", "level", "last price of the bar"),
    "volume": _bar("coins", "flow", "coins traded in the bar"),
    "oi": SeriesSpec("coins", "level", column="oi_coins", help="open interest in coins"),
    "oi_usd": SeriesSpec("usd", "level", help="open interest in dollars"),
    "liq.long": _bar("usd", "flow", "longs closed by force", "liq_long_usd"),
    "liq.short": _bar("usd", "flow", "shorts closed by force", "liq_short_usd"),
    "liq.total": _bar("usd", "flow", "liquidations of both sides", "liq_total_usd"),
    "funding": SeriesSpec(
        "fraction", "level", 8 * HOUR, signed=True, column="funding_rate", help="rate per period"
    ),
    "basis": SeriesSpec("fraction", "level", signed=True, help="perpetual / spot - 1"),
    "fear_greed": SeriesSpec("index", "level", DAY, help="fear & greed index, 0 to 100"),
    "holder.units": SeriesSpec("coins", "level", 90 * DAY, help="coins of a large holder"),
    "holder.cost": SeriesSpec("price", "level", 90 * DAY, help="its average cost"),
    "equity": SeriesSpec("usd", "level", help="the account with open profit and loss"),
    "transfers": SeriesSpec("usd", "flow", signed=True, help="deposits > 0, withdrawals < 0"),
    "pnl.realised": SeriesSpec("usd", "flow", signed=True, help="profit of closed trades"),
    "pnl.unrealised": SeriesSpec("usd", "level", signed=True, help="open profit or loss"),
    "trades.closed": SeriesSpec("count", "flow", help="closed trades"),
    "trades.lost": SeriesSpec("count", "flow", help="trades closed at a loss"),
    "trades.stopped": SeriesSpec("count", "flow", help="trades closed by their stop"),
    "loss_streak": SeriesSpec("count", "level", help="losing trades in a row"),
    "position": SeriesSpec("coins", "level", signed=True, help="position, short < 0"),
    "notional": SeriesSpec("usd", "level", signed=True, help="position x price"),
    "leverage": SeriesSpec("multiple", "level", help="absolute notionals / equity"),
}
# account inputs that begin as observed zero, equity as if it had always been what it is
FROM_ZERO = frozenset(
    name
    for name in CATALOGUE
    if name.split(".")[0] in {"equity", "transfers", "pnl", "trades", "loss_streak"}
)
ACCOUNT = frozenset(
    name
    for name in CATALOGUE
    if name.split(".")[0]
    in {
        "equity",
        "transfers",
        "pnl",
        "trades",
        "loss_streak",
        "position",
        "notional",
        "leverage",
    }
)
