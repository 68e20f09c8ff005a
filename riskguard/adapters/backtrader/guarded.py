"""Backtrader's own broker under a guard."""

from __future__ import annotations

from backtrader.brokers import BackBroker

from riskguard.adapters.backtrader import CAPABILITIES
from riskguard.adapters.backtrader.broker import GuardMixin
from riskguard.adapters.backtrader.lines import symbol_of
from riskguard.adapters.shared.logs import logger
from riskguard.adapters.shared.starting import able, announce

__all__ = ["GuardedBroker"]

log = logger("riskguard")


class GuardedBroker(GuardMixin, BackBroker):
    """Backtrader's broker under a guard: any strategy runs in it unedited.

    >>> import backtrader as bt
    >>> from riskguard import Guard, load_rules
    >>> guard = Guard(load_rules("rules/feb-2026.yaml"), sources={"liq.long": "published"})
    >>> cerebro = bt.Cerebro()
    >>> cerebro.broker = GuardedBroker(guard=guard, cash=10_000.0)
    >>> cerebro.broker.getcash()
    10000.0
    """

    def start(self) -> None:
        """Begin a run, and say what of the rules is replaced, and which feeds nobody guards.

        Raises:
            AdapterError: the rules ask for what this broker cannot do.
        """
        super().start()
        able(self.guard, CAPABILITIES)
        names = [symbol_of(data) or self.symbol for data in self.cerebro.datas]
        announce(self.guard, names, lambda note: log.warning("riskguard: %s", note))
