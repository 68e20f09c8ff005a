"""What an account is made of: costs and leverage, and the records a run leaves behind."""

from __future__ import annotations

from typing import Any, NamedTuple

import backtrader as bt

from riskguard.errors import AdapterError

__all__ = ["MAINTENANCE", "Approach", "Fill", "FractionalComm", "Liquidation", "check_leverage"]

MAINTENANCE = 0.005  # of the notional


class FractionalComm(bt.CommInfoBase):
    """Commission as a fraction, leverage, and sizes that need not be whole."""

    params = (
        ("stocklike", True),
        ("commtype", bt.CommInfoBase.COMM_PERC),
        ("percabs", True),
    )

    def getsize(self, price: float, cash: float) -> float:
        """Return the units that `cash` buys at `price`."""
        return float(self.p.leverage * cash / price)


class Fill(NamedTuple):
    """A fill: units (sold < 0), price with slippage, fee, and whose order it was.

    `own` is strategy, guard or liquidation; `bar` counts from 0; `at_open` says whether the
    new position was held from the bar's open on, `stop` whether it was a stop.
    """

    ts: int
    symbol: str
    size: float
    price: float
    fee: float
    own: str
    bar: int
    at_open: bool
    stop: bool = False


class Liquidation(NamedTuple):
    """A position closed by force: the price at which margin was gone, and what was missing."""

    ts: int
    symbol: str
    size: float
    threshold: float
    price: float
    fee: float
    shortfall: float  # what equity lacked to 0, borne by the venue


class Approach(NamedTuple):
    """The nearest approach to liquidation: its price, and the extreme's distance as a share."""

    ts: int
    price: float
    distance: float


def check_leverage(given: Any, maintenance: float = MAINTENANCE) -> float:  # noqa: ANN401 - whatever a user gives
    """Return a leverage; raises AdapterError for one at which no position can be held."""
    try:
        leverage = float(given)
    except (TypeError, ValueError):
        raise AdapterError(f"leverage={given!r}; a number is needed, 1 or more") from None
    if not (leverage >= 1 and leverage * maintenance < 1):
        raise AdapterError(
            f"leverage={leverage:g}; write 1 or more, and less than {1 / maintenance:g}: "
            f"from there on an entry has no more than its maintenance margin "
            f"of {maintenance:.2%} and is closed at once"
        )
    return leverage
