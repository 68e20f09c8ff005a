"""A strategy that knows of no guard."""

from __future__ import annotations

from tests.e2e.freqtrade.plain import AtMarket


class Stock(AtMarket):
    position_adjustment_enable = False
