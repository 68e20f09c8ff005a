"""What ccxt tells of a market, a position and an open order, as the guard counts them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from riskguard.adapters.shared.venue import Open
from riskguard.engine.orders import number
from riskguard.market import Instrument

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from riskguard.engine.orders import Pending

__all__ = ["Asked", "book_of", "by_cost", "held", "instrument", "waiting"]

Exchange = Any  # ccxt is untyped
DECIMAL_PLACES, TICK_SIZE = 2, 4  # of ccxt's precisionMode
BOOKS = {"LONG": "long", "SHORT": "short", "1": "long", "2": "short"}
# in what params and answers venues name the book: binance and others, okx, bybit
BOOK_KEYS = ("positionSide", "posSide", "positionIdx")
MS = 1_000_000


class Asked(NamedTuple):
    """An order as the bot gave it to ccxt."""

    symbol: str
    type: str
    side: str
    amount: float
    price: float | None = None
    params: Mapping[str, Any] = {}
    replaces: str = ""  # the id of the order it changes

    @property
    def book(self) -> str:
        """The book it names, which only an account in hedge mode takes; "" for none."""
        return _named(self.params)

    @property
    def reduces(self) -> bool:
        """It says of itself that it may only close."""
        return bool(self.params.get("reduceOnly")) or bool(self.params.get("closePosition"))


def instrument(exchange: Exchange, market: Mapping[str, Any]) -> Instrument:
    """Return the step, the least order and the contract size of a market."""
    step = number((market.get("precision") or {}).get("amount"))
    if exchange.precisionMode == DECIMAL_PLACES and step == step:  # noqa: PLR0124 - NaN is unequal
        step = 10.0**-step
    elif exchange.precisionMode != TICK_SIZE:
        step = 0.0  # by significant digits: no step
    least = number(((market.get("limits") or {}).get("amount") or {}).get("min"))
    size = number(market.get("contractSize")) if market.get("contract") else 1.0
    return Instrument(
        step if step > 0 else 0.0, least if least > 0 else 0.0, size if size > 0 else 1.0
    )


def held(positions: Iterable[Mapping[str, Any]], symbol: str) -> dict[str, float]:
    """Return what is held of a symbol: "" is the net position, "long" and "short" the books.

    Raises:
        ValueError: a position has no size, or no side.
    """
    found = {"": 0.0, "long": 0.0, "short": 0.0}
    for one in positions:
        if one.get("symbol") != symbol:
            continue
        size, side = number(one.get("contracts")), one.get("side")
        if size == 0:
            continue
        if math.isnan(size) or side not in ("long", "short"):
            msg = f"a position of {symbol} with {one.get('contracts')!r} contracts, side {side!r}"
            raise ValueError(msg)
        signed = abs(size) if side == "long" else -abs(size)
        found[side] += abs(size)
        found[""] += signed
    return found


def waiting(
    orders: Sequence[Mapping[str, Any]], price: float | None, *, hedged: bool
) -> list[Pending]:
    """Return the open orders; a size that the venue does not tell is NaN."""
    found: list[Pending] = []
    for one in orders:
        info = one.get("info") or {}
        trigger = number(one.get("triggerPrice") or one.get("stopPrice"))
        at = trigger if trigger > 0 else number(one.get("price"))
        left = number(one.get("remaining"))
        if math.isnan(left):
            left = number(one.get("amount")) - max(0.0, number(one.get("filled")))
        reduces = bool(one.get("reduceOnly"))
        side = str(one.get("side"))
        found.append(
            Open(
                str(one.get("id")),
                side,
                left,
                resting=trigger > 0 or one.get("type") != "market",
                reduce_only=reduces,
                ts=int(one.get("timestamp") or 0) * MS,
                book=book_of(side, info, reduces=reduces) if hedged else "",
                stop=trigger > 0 and not one.get("takeProfitPrice"),
                distance=abs(at - price) if price and at > 0 else math.inf,
            )
        )
    return found


def book_of(side: str, said: Mapping[str, Any], *, reduces: bool) -> str:
    """Return the book an order is of in hedge mode: as it says, else by whether it reduces."""
    return _named(said) or ("long" if (side == "buy") != reduces else "short")


def _named(said: Mapping[str, Any]) -> str:
    names = (BOOKS.get(str(said.get(key) or "").upper()) for key in BOOK_KEYS)
    return next((one for one in names if one), "")


def by_cost(exchange: Exchange, asked: Asked, *, spot: bool) -> bool:
    """Say whether the amount of an order is money: what is paid in a market order of spot."""
    if asked.type != "market":
        return False
    if "cost" in asked.params or "quoteOrderQty" in asked.params:
        return True
    key = "createMarketBuyOrderRequiresPrice"
    told = asked.params.get(key, exchange.options.get(key))
    return spot and asked.side == "buy" and told is False
