"""Facts from outside, in the words of venues and hosts, and what each says of which series.

An event names its quantities with their units (`notional_usd`, `coins`): a field in another
unit is refused, never converted. Times are int nanoseconds UTC; stamps in s, ms or us are known
by their size and fixed for each source.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from riskguard.errors import DataError, foreign

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["KINDS", "Event", "Refused", "facts", "nanoseconds", "number", "stepped"]


class Refused(Exception):  # noqa: N818 - not an error: it is counted, and the guard goes on
    """An event that is as if it had not come; its text is the reason it is counted under."""


@dataclass(frozen=True, slots=True)
class Event:
    """One fact from outside; `available_at` is when a bot could know it (None: at `ts`).

    >>> Event(1_770_300_000_000_000_000, "funding", "BTC/USDT:USDT", {"rate": -0.0001})
    Event(ts=1770300000000000000, kind='funding', symbol='BTC/USDT:USDT', data={'rate': -0.0001}, available_at=None, source='', id='')
    """  # noqa: E501 - as Python prints it

    ts: int
    kind: str  # a key of KINDS
    symbol: str  # unified: "BTC", "BTC/USDT:USDT"; "*" = market-wide
    data: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    available_at: int | None = None
    source: str = ""  # "binance", "bybit", "freqtrade"
    id: str = ""  # of the venue; "" = known by its content


@dataclass(frozen=True, slots=True)
class Kind:
    """What an event of one kind may hold: fields it must have, any of a few, and may have."""

    must: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    may: tuple[str, ...] = ()


BAR = {name: name for name in ("open", "high", "low", "close", "volume")}
ACCOUNT = MappingProxyType(
    {
        "equity": "equity",
        "position": "position",
        "notional": "notional",
        "leverage": "leverage",
        "unrealised": "pnl.unrealised",
        "transfers": "transfers",
    }
)
KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "bar": Kind(must=("close", "interval_ns"), may=tuple(BAR)),
        "trade": Kind(must=("price",)),
        "mark": Kind(must=("price",)),
        "liquidation": Kind(must=("notional_usd",), may=("liquidated_side", "coverage")),
        "open_interest": Kind(one_of=("coins", "usd")),
        "funding": Kind(must=("rate",), may=("interval_hours",)),
        "value": Kind(must=("series", "value")),
        "account": Kind(one_of=tuple(ACCOUNT), may=("trust",)),
        "trade_closed": Kind(must=("pnl",), may=("by_stop",)),
        "alive": Kind(must=("series",)),
        "clock": Kind(),
        "operator": Kind(must=("do",), may=("rule", "by", "note", "until")),
    }
)
SIDES = {"long": "liq.long", "short": "liq.short", "": "liq.total"}
# up to which size a stamp counts seconds, milliseconds, microseconds; 2286 in each unit
UNITS = ((10**10, 10**9), (10**13, 10**6), (10**16, 10**3), (10**19, 1))
LONGEST = 1000  # characters of symbol, source and id together: they are remembered
STEPS = (100.0, 1000.0)  # a jump by such a factor, the price standing, is a change of unit
NEAR, STILL = 0.02, 0.2  # how near to the factor; how far the price may have moved meanwhile
SOUND: set[tuple[str, ...]] = set()  # kinds with the fields they came with: known to be right


def nanoseconds(ts: object) -> tuple[int, int]:
    """Return a stamp in ns, and how many ns its unit has; the unit is known by its size.

    >>> nanoseconds(1_770_300_000_123)
    (1770300000123000000, 1000000)
    """
    if type(ts) is not int or ts <= 0:
        msg = "time stamp is no positive whole number"
        raise Refused(msg)
    for most, unit in UNITS:
        if ts < most:
            return ts * unit, unit
    msg = "time stamp is too large"
    raise Refused(msg)


def facts(event: Event) -> dict[str, float]:
    """Return the values of series that an event states.

    Raises:
        DataError: the kind is unknown, or a field is missing: the host has to be mended.
        Refused: the event is well formed and says something impossible.
    """
    data = event.data
    try:
        sound = (event.kind, *data) in SOUND
    except TypeError:
        sound = False
    if not sound:
        _check(event)
    if not (event.symbol.__class__ is event.source.__class__ is event.id.__class__ is str):
        msg = "symbol, source and id are text"
        raise Refused(msg)
    names = event.symbol + event.source + event.id
    if len(names) > LONGEST:
        msg = "a name is too long"
        raise Refused(msg)
    if not names.isascii() and any("\ud800" <= letter <= "\udfff" for letter in names):
        msg = "a name is no text: half a character cannot be stored"
        raise Refused(msg)
    reader = READERS.get(event.kind)
    return {} if reader is None else reader(data)


def _check(event: Event) -> None:
    """Check the words of an event and the names of its fields."""
    words: object = event.data  # it comes from a host: what it says it is need not be so
    if not isinstance(words, Mapping) or not all(
        isinstance(word, str) for word in (event.kind, *words)
    ):
        msg = "kind and names of the fields of an event are text"
        raise DataError(msg)
    data, form = event.data, KINDS.get(event.kind)
    if form is None:
        msg = f"an event of kind {event.kind!r}"
        raise DataError(msg, help=f"kinds are {', '.join(sorted(KINDS))}")
    missing = [name for name in form.must if name not in data]
    allowed = {*form.must, *form.one_of, *form.may}
    others = sorted(name for name in data if name not in allowed)
    if missing or (form.one_of and not any(name in data for name in form.one_of)):
        if others:
            lacks = (missing or form.one_of)[0]
            msg = f"{event.kind}: unknown field {foreign(others[0], 40)!r}, no {lacks!r}"
            raise Refused(msg)
        wanted = " and ".join(missing) if missing else " or ".join(form.one_of)
        msg = f"a {event.kind} event without {wanted}"
        raise DataError(msg, help=f"its fields are {', '.join(sorted(allowed))}")
    if others:
        msg = f"{event.kind}: unknown field {foreign(others[0], 40)!r}"
        raise Refused(msg)
    SOUND.add((event.kind, *data))


def number(data: Mapping[str, object], name: str) -> float:
    """Return a field as a finite number, or refuse it."""
    value = data[name]
    if type(value) is not float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            msg = f"{name} is no number"
            raise Refused(msg)
        try:
            value = float(value)
        except OverflowError:
            value = math.inf
    if value - value != 0.0:
        msg = f"{name} is not finite"
        raise Refused(msg)
    return value


def stepped(before: tuple[float, float] | None, now: tuple[float, float], contract: float) -> bool:
    """Say whether a value, each with the price beside it, jumps as where its unit is changed."""
    if before is None:
        return False
    (last, beside), (value, price) = before, now
    if not (last > 0 and value > 0) or (price > 0 < beside and abs(price / beside - 1) > STILL):
        return False
    factors = [by for one in (*STEPS, price, contract) if one for by in (one, 1 / one)]
    return any(abs(by - 1) > STILL and abs(value / last / by - 1) <= NEAR for by in factors)


def _named(data: Mapping[str, object], names: Mapping[str, str]) -> dict[str, float]:
    return {names[name]: number(data, name) for name in data if name in names}


def _value(data: Mapping[str, object]) -> dict[str, float]:
    series = data["series"]
    if not isinstance(series, str):
        msg = "series is no word"
        raise Refused(msg)
    return {series: number(data, "value")}


def _alive(data: Mapping[str, object]) -> dict[str, float]:
    if not isinstance(data["series"], str):
        msg = "series is no word"
        raise Refused(msg)
    return {}


def _liquidation(data: Mapping[str, object]) -> dict[str, float]:
    side, coverage = data.get("liquidated_side", ""), data.get("coverage", "full")
    if not isinstance(side, str) or side not in SIDES:
        msg = "liquidated_side is neither long nor short"
        raise Refused(msg)
    if coverage not in ("full", "sampled"):  # reconstructed series are history only
        msg = "coverage is neither full nor sampled"
        raise Refused(msg)
    notional = number(data, "notional_usd")
    if notional < 0:
        msg = "notional_usd is negative"
        raise Refused(msg)
    return {SIDES[side]: notional}


def _trade(data: Mapping[str, object]) -> dict[str, float]:
    profit = number(data, "pnl")
    return {
        "pnl.realised": profit,
        "trades.closed": 1.0,
        "trades.lost": 1.0 if profit < 0 else 0.0,
        "trades.stopped": 1.0 if data.get("by_stop") in (True, "true") else 0.0,
    }


READERS: Mapping[str, Callable[[Mapping[str, object]], dict[str, float]]] = {
    "bar": lambda data: _named(data, BAR),
    "trade": lambda data: {"close": number(data, "price")},
    "mark": lambda data: {"close": number(data, "price")},
    "liquidation": _liquidation,
    "open_interest": lambda data: _named(data, {"coins": "oi", "usd": "oi_usd"}),
    "funding": lambda data: {"funding": number(data, "rate")},
    "value": _value,
    "account": lambda data: _named(data, ACCOUNT),
    "trade_closed": _trade,
    "alive": _alive,
}
