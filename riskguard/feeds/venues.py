"""What each venue means by side, quantity and open interest: one map, from raw messages to facts.

The same field has opposite meanings: Binance tells the side of the liquidation ORDER (SELL: a
long was closed), Bybit the side of the POSITION (Buy: a long was closed). ccxt passes both on as
`side`, so everything here is read from `info`, the message of the venue itself. Venues whose
sides and units are not known for certain are refused.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from riskguard.errors import AdapterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["ROW", "VENUES", "Contract", "Liquidated", "Venue", "venue"]

Raw = Any  # JSON of a venue


class Contract(NamedTuple):
    """How a venue counts a market: coins in a contract, or dollars where it is inverse."""

    size: float = 1.0
    inverse: bool = False

    def notional(self, quantity: float, price: float) -> float:
        """Return dollars of a number of contracts at a price."""
        return quantity * self.size * (1.0 if self.inverse else price)


class Liquidated(NamedTuple):
    """One position that a venue closed by force: when (ms), which side it was, how much (usd)."""

    ts: int
    side: str  # long | short: of the position
    notional: float


class Venue(NamedTuple):
    """What is known of one venue.

    `method` is the call of ccxt.pro that streams its liquidations ("" where none does), `coverage`
    how much of them it sends. `rows` says that open interest and liquidations come together in
    rows of five minutes, `lots` that its bars count volume in contracts. Open interest is told
    anew each `every` minutes, and served as history in the same unit where `past`; `asked` is
    what a poll of it has to ask for beside the symbol.
    """

    name: str
    method: str
    coverage: str
    liquidated: Callable[[Raw, Contract], Iterator[Liquidated]]
    open_interest: Callable[[Mapping[str, Any], Contract], dict[str, float]]
    rows: bool = False
    lots: bool = False
    every: int = 1
    past: bool = False
    asked: Mapping[str, str] = MappingProxyType({})
    note: str = ""


ROW = 300_000  # ms of a row of `contract_stats`
ORDER = {"SELL": "long", "BUY": "short"}  # a sell closes a long
POSITION = {"Buy": "long", "Sell": "short"}


def _binance(info: Raw, contract: Contract) -> Iterator[Liquidated]:
    """Read a `forceOrder`: what it has filled in all (`z`), at its average price (`ap`)."""
    price = float(info["ap"]) or float(info["p"])
    notional = contract.notional(float(info["z"]), price)
    yield Liquidated(int(info["T"]), ORDER[info["S"]], notional)


def _bybit(info: Raw, contract: Contract) -> Iterator[Liquidated]:
    """Read one of `allLiquidation`: `v` in coins (inverse: dollars), `p` the bankruptcy price."""
    notional = contract.notional(float(info["v"]), float(info["p"]))
    yield Liquidated(int(info["T"]), POSITION[info["S"]], notional)


def _okx(info: Raw, contract: Contract) -> Iterator[Liquidated]:
    """Read `liquidation-orders`: every one of `details`, in contracts, at the bankruptcy price."""
    for one in info["details"]:
        side = one.get("posSide", "")
        if side not in ("long", "short"):  # one net position: what closes a long is a sell
            side = ORDER[str(one["side"]).upper()]
        yield Liquidated(
            int(one["ts"]), side, contract.notional(float(one["sz"]), float(one["bkPx"]))
        )


def _gate(info: Raw, contract: Contract) -> Iterator[Liquidated]:
    """Read a row of `contract_stats`, in dollars, at the end of its five minutes.

    Which end its stamp (s) means is said nowhere: it is taken as the beginning, so that nothing
    is ever placed before it happened.
    """
    del contract  # dollars need none
    for side in ("long", "short"):
        yield Liquidated(int(info["time"]) * 1000 + ROW, side, float(info[f"{side}_liq_usd"]))


def _number(told: Mapping[str, Any], name: str) -> float | None:
    value = told.get(name)
    return None if value is None else float(value)


def _some(**told: float | None) -> dict[str, float]:
    return {name: value for name, value in told.items() if value is not None}


def _coins(told: Mapping[str, Any], contract: Contract) -> dict[str, float]:
    """Read coins where the contract is linear, dollars of contracts where it is inverse."""
    amount = _number(told, "openInterestAmount")
    if not contract.inverse:
        return _some(coins=amount)
    return _some(usd=None if amount is None else amount * contract.size)


def _coins_or_value(told: Mapping[str, Any], contract: Contract) -> dict[str, float]:
    """Read coins where the contract is linear, the value in dollars where it is inverse."""
    if contract.inverse:
        return _some(usd=_number(told, "openInterestValue"))
    return _some(coins=_number(told, "openInterestAmount"))


def _both(told: Mapping[str, Any], contract: Contract) -> dict[str, float]:
    """Read coins and dollars as the venue tells them; its amount is in contracts."""
    del contract  # both are told
    info = told["info"]
    return _some(coins=_number(info, "oiCcy"), usd=_number(info, "oiUsd"))


def _stats(told: Mapping[str, Any], contract: Contract) -> dict[str, float]:
    """Read contracts and dollars of a row of `contract_stats`."""
    info = told["info"]
    contracts = _number(info, "open_interest")
    coins = None if contracts is None or contract.inverse else contracts * contract.size
    return _some(coins=coins, usd=_number(info, "open_interest_usd"))


LATEST = "the stream tells the latest liquidation of each second: a lower bound"
SOME = "the venue says that its stream does not hold all liquidations: a lower bound"
VENUES: Mapping[str, Venue] = {
    "binance": Venue(
        "binance",
        "watch_liquidations_for_symbols",
        "sampled",
        _binance,
        _coins,
        past=True,
        note=LATEST,
    ),
    # left alone ccxt asks bybit for the snapshot of the last full hour
    "bybit": Venue(
        "bybit",
        "watch_liquidations",
        "full",
        _bybit,
        _coins_or_value,
        every=5,
        past=True,
        asked={"interval": "5m"},
    ),
    "okx": Venue("okx", "watch_liquidations_for_symbols", "sampled", _okx, _both, note=SOME),
    "gate": Venue("gate", "", "full", _gate, _stats, rows=True, lots=True, every=5),
}
SAME = {"binanceusdm": "binance", "binancecoinm": "binance", "gateio": "gate"}


def venue(exchange: str) -> Venue:
    """Return what is known of a venue by the id ccxt gives it.

    Raises:
        AdapterError: nothing certain is known of it.
    """
    known = VENUES.get(SAME.get(exchange, exchange))
    if known is None:
        able = ", ".join(sorted({*VENUES, *SAME}))
        msg = f"{exchange!r}: what it means by sides and units is not known for certain"
        raise AdapterError(msg, help=f"venues that are known: {able}")
    return known
