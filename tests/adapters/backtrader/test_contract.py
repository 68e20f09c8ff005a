"""Backtrader's broker under the contract of adapters, in both ways Backtrader runs."""

from __future__ import annotations

from dataclasses import replace

import backtrader as bt

from riskguard import Guard, Sample
from riskguard.adapters.backtrader import GuardedBroker
from riskguard.backtest.feed import GuardFeed
from riskguard.engine.decision import Decision
from riskguard.engine.events import Event
from riskguard.language.reader import read_text
from riskguard.market import HOUR
from riskguard.testing import AdapterContract, Harness, NotSupported, ScriptedGuard, Stepper
from tests.adapters.market import MINUTES, bars

RULES = """\
version: 1
symbol: BTC
every: 4h
rules:
  never: {when: close < 1, clear: close > 2, do: {notify: never}}
"""
BARS = 60
PRICES = ("open", "high", "low", "close")


class Told(Guard):
    """A guard that hands each sample to a scripted one, and answers as that does."""

    desk: ScriptedGuard

    def update(self, sample: Sample) -> Decision:
        if not sample.values:
            return self.desk.decision
        data = {**sample.values, "interval_ns": 4 * HOUR}
        return self.desk.take(Event(sample.ts, "bar", sample.symbol, data))


class Heard(GuardedBroker):
    """The broker as it is; what it asks of its gate is written down."""

    desk: ScriptedGuard

    def _verdict(self, book, order, asked, position):
        verdict = super()._verdict(book, order, asked, position)
        self.desk.verdicts.append(verdict)
        return verdict

    def start(self):
        super().start()
        judge = self.episodes.judge

        def heard(intent, decision, **more):
            self.desk.intents.append(replace(intent, symbol=book_symbol(intent.symbol)))
            return judge(intent, decision, **more)

        self.episodes.judge = heard


def book_symbol(key: str) -> str:
    return key.partition("#")[0]


class Puppet(bt.Strategy):
    params = (("stepper", None),)

    def __init__(self):
        self.said = []

    def next(self):
        self.p.stepper.turn(self)

    def notify_order(self, order):
        self.said += order.info.get("riskguard", ())


class BacktraderHarness(Harness):
    symbol = "BTC"
    evaluates = True
    runonce = True

    def __init__(self, guard: ScriptedGuard) -> None:
        super().__init__(guard)
        ruleset, found = read_text(RULES, "rules.yaml")
        assert ruleset is not None, found
        told = Told(ruleset)
        told.desk = guard
        self.broker = Heard(guard=told, cash=1_000_000.0)
        self.broker.desk = guard
        self.price, self.strategy = 100.0, None
        self.kept, self.share = False, 1.0
        self.stepper = Stepper(self._run)

    def _run(self, stepper: Stepper) -> None:
        cerebro = bt.Cerebro(stdstats=False)
        cerebro.setbroker(self.broker)
        frame = bars(
            BARS, high=dict.fromkeys(range(BARS), 100.0), low=dict.fromkeys(range(BARS), 100.0)
        )
        cerebro.adddata(GuardFeed(dataname=frame, name="BTC", timeframe=MINUTES, compression=240))
        cerebro.addstrategy(Puppet, stepper=stepper)
        self.broker.set_filler(self.filled)
        cerebro.run(runonce=self.runonce)

    def _bar(self, job=None):
        """Do a job in this bar, and let the next one come at the price."""

        def turn(strategy):
            self.strategy = strategy
            data, row = strategy.data, len(strategy.data)
            for name in PRICES:
                getattr(data.lines, name).array[row] = self.price
            return job(strategy) if job else None

        return self.stepper.step(turn)

    def feed(self, price: float) -> None:
        self.price = price
        self._bar()

    def _send(self, job) -> list:
        """Send orders at the close of a bar that the guard has seen."""
        self._bar()
        orders = self._bar(job)
        return [orders] if isinstance(orders, bt.Order) else list(orders)

    def _sent(self, job) -> float:
        orders = self._send(job)
        return sum(abs(one.size) for one in orders if one.status != bt.Order.Rejected)

    def try_entry(self, quantity: float) -> float:
        return self._sent(lambda strategy: strategy.buy(size=quantity))

    def try_exit(self, quantity: float) -> float:
        return self._sent(lambda strategy: strategy.sell(size=quantity))

    def position(self) -> float:
        return self.broker.getposition(self.strategy.data).size

    def close(self) -> None:
        self.stepper.close()

    def rest_entry(self, quantity: float, price: float) -> float:
        return self._sent(
            lambda strategy: strategy.buy(size=quantity, exectype=bt.Order.Limit, price=price)
        )

    def resting(self) -> float:
        orders = self.broker.get_orders_open()
        return sum(one.executed.remsize for one in orders if one.isbuy())

    def exits_together(self, *quantities: float) -> float:
        return self._sent(lambda strategy: [strategy.sell(size=one) for one in quantities])

    def rest_exits(self, *quantities: float) -> float:
        return self._sent(
            lambda strategy: [
                strategy.sell(size=one, exectype=bt.Order.Limit, price=105.0) for one in quantities
            ]
        )

    def bracket(self, quantity: float) -> tuple[float, float]:
        sent = self._send(
            lambda strategy: strategy.buy_bracket(
                size=quantity, exectype=bt.Order.Market, stopprice=90.0, limitprice=110.0
            )
        )
        sizes = [0.0 if one.status == bt.Order.Rejected else abs(one.size) for one in sent]
        return sizes[0], sizes[1]

    def filled(self, order, *_given) -> float:
        """Return what a bar fills of an order: Backtrader asks whoever is its filler."""
        share, self.share = self.share, 1.0
        return 0.0 if self.kept else abs(order.executed.remsize) * share

    def delay(self) -> None:
        self.kept = True

    def deliver(self) -> None:
        self.kept = False
        self._bar()

    def fill_only(self, share: float) -> None:
        self.share = share

    def refuse(self) -> None:
        raise NotSupported("Backtrader refuses orders for want of cash alone, and no exit")

    def held(self, book: str) -> float:
        raise NotSupported(f"Backtrader has one net position, and no {book} book")

    def denials(self) -> list[str]:
        return self.strategy.said

    def restart(self) -> None:
        raise NotSupported("a backtest has no process to come back")


class TestBacktraderByBar(AdapterContract):
    harness = type("ByBar", (BacktraderHarness,), {"runonce": False})


class TestBacktraderAtOnce(AdapterContract):
    harness = BacktraderHarness
