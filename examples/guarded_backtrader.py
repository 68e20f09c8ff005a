"""Guard a Backtrader strategy that knows nothing of riskguard: one line changes, the broker.

    python examples/guarded_backtrader.py

Bars and series come from the embedded February 2026; with your own, give a GuardFeed any frame
with open, high, low, close and the columns your rules name.

One sell-off, known when the rules were written: what is printed shows the wiring, not the worth.
"""

from __future__ import annotations

import backtrader as bt

from riskguard import Guard, load_rules
from riskguard.adapters.backtrader import CAPABILITIES, GuardedBroker
from riskguard.backtest.feed import feed_of
from riskguard.history import History
from riskguard.language.binding import bind
from riskguard.shipped import shipped

RULES = shipped("rules") / "feb-2026.yaml"  # or a file of your own


class Holder(bt.Strategy):
    """Hold one coin, whatever happens."""

    def next(self) -> None:
        """Buy what is missing."""
        missing = 1.0 - self.position.size
        if missing > 0:
            self.buy(size=missing)


def run() -> GuardedBroker:
    """Run the holder over February 2026 under the pack feb-2026 and return its broker."""
    history = History.read("feb-2026")
    rules = bind(
        load_rules(RULES),
        symbol="BTC",
        every=history.every,
        carried=history.inputs(),
        capabilities=CAPABILITIES,
    )
    guard = Guard(rules.ruleset, sources=history.sources())
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.setbroker(GuardedBroker(guard=guard, samples=history.samples))
    cerebro.broker.setcash(1_000_000)
    cerebro.adddata(feed_of(history, "BTC"))
    cerebro.addstrategy(Holder)
    cerebro.run()
    return cerebro.broker


if __name__ == "__main__":
    broker = run()
    print(f"equity {broker.getvalue():,.0f}, position {broker.getposition(broker.pilot).size:g}")
    print(f"{len(broker.vetoes)} orders were cut or refused, the last one:")
    last = broker.vetoes[-1]
    print(f"  {last.side} {last.asked:g}, granted {last.granted:g}: {'; '.join(last.reasons)}")
