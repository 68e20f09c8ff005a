"""Liquidations and open interest as data of Nautilus, which has no type of its own for them.

A data client publishes them, or a backtest is given them. Imported only where nautilus_trader is.
"""
# ruff: noqa: I002 - Nautilus reads the annotations themselves, not their texts

from nautilus_trader.core.data import Data
from nautilus_trader.model.custom import customdataclass
from nautilus_trader.model.identifiers import InstrumentId

__all__ = ["Alive", "Liquidation", "OpenInterest", "Reading"]


@customdataclass
class Liquidation(Data):
    """A position that was closed by force: which side was, and what it was worth in dollars.

    `side` is "long" or "short", the side of the position that is gone, never that of the order.
    """

    instrument_id: InstrumentId
    side: str
    notional_usd: float


@customdataclass
class OpenInterest(Data):
    """Open interest in coins, in dollars, or both; 0 says that a venue does not tell it."""

    instrument_id: InstrumentId
    coins: float = 0.0
    usd: float = 0.0


@customdataclass
class Alive(Data):
    """A feed that is connected and had nothing to say: "liq.long" without it is soon unknown."""

    instrument_id: InstrumentId
    series: str


@customdataclass
class Reading(Data):
    """A value of any other series: "fear_greed" of symbol "*", "close" of a coin not traded."""

    symbol: str
    series: str
    value: float
