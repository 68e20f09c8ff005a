"""Strategies of the tests: one that holds, one that averages down, each bare and guarded."""

from __future__ import annotations

from riskguard.adapters.freqtrade import guarded
from riskguard.history import History
from tests.e2e.freqtrade.plain import Plain

HISTORY = History.read("feb-2026")


class Broken:
    """A desk that fails whatever it is asked."""

    def __getattr__(self, name):
        raise RuntimeError("the guard is broken")


class Holding(Plain):
    """Is in from its first candle on."""


@guarded("feb-2026.yaml", samples=HISTORY.samples, sources=HISTORY.sources())
class HoldingGuarded(Holding):
    pass


@guarded(desk=Broken)
class HoldingBroken(Holding):
    pass


class Averaging(Holding):
    """Buys more at each noon."""

    max_entry_position_adjustment = -1

    def adjust_trade_position(self, trade, current_time, **kwargs):
        return 200.0 if current_time.hour == 12 else None


@guarded("feb-2026.yaml", samples=HISTORY.samples, sources=HISTORY.sources())
class AveragingGuarded(Averaging):
    pass


@guarded("candles.yaml")
class OnCandles(Holding):
    """Has no other data than freqtrade's own; its rules lie beside it."""


@guarded("bitcoin.yaml")
class BitcoinAlone(Holding):
    """Has rules that guard one of its two pairs."""
