"""The contract of adapters, with Nautilus: netting and hedging venues, both ways to gate."""

from __future__ import annotations

from typing import Any

from nautilus_trader.backtest.models import LatencyModel
from nautilus_trader.backtest.modules import SimulationModule, SimulationModuleConfig
from nautilus_trader.execution.messages import SubmitOrder
from nautilus_trader.model.enums import OmsType
from nautilus_trader.model.identifiers import AccountId
from nautilus_trader.test_kit.stubs.events import TestEventStubs as Stubs
from world import BTC, BUY, HOUR, MINUTE, SELL, Script, World, bracket

from riskguard.adapters.nautilus import GuardedStrategy
from riskguard.adapters.nautilus.duties import Duties
from riskguard.testing import AdapterContract, Harness, NotSupported, ScriptedGuard

ENGINE = "ExecEngine.execute"
ACCOUNT = AccountId("BINANCE-001")


class Line(SimulationModule):
    """Holds the simulated exchange, so that a test can make its line slow."""

    def __init__(self) -> None:
        super().__init__(SimulationModuleConfig())

    def pre_process(self, data: Any) -> None: ...

    def process(self, ts_now: int) -> None: ...

    def log_diagnostics(self, logger: Any) -> None: ...

    def reset(self) -> None: ...

    def slow(self, span: int) -> None:
        self.exchange.set_latency_model(LatencyModel(span))


class Netting(Harness):
    symbol = "BTCUSDT-PERP.BINANCE"

    def __init__(self, guard: ScriptedGuard) -> None:
        super().__init__(guard)
        self.line = Line()
        self.world = self.made(guard)
        self.script = self.world.script

    def made(self, guard: ScriptedGuard) -> World:
        return World(guard, venue={"modules": [self.line]})

    def feed(self, price: float) -> None:
        self.world.bar(price)

    def act(self, *todo: Any) -> None:
        self.world.tick(self.world.price, *todo)

    def sent(self, *makes: Any) -> float:
        orders: list[Any] = []
        self.act(*(lambda script, make=make: orders.append(make(script)) for make in makes))
        reached = [one for one in orders if one.venue_order_id is not None or one.filled_qty > 0]
        return sum(float(one.quantity) for one in reached)

    def try_entry(self, quantity: float) -> float:
        return self.sent(lambda script: script.market(BUY, quantity))

    def try_exit(self, quantity: float) -> float:
        return self.sent(lambda script: script.market(SELL, quantity))

    def exits_together(self, *quantities: float) -> float:
        return self.sent(*(lambda script, one=one: script.market(SELL, one) for one in quantities))

    def rest_entry(self, quantity: float, price: float) -> float:
        return self.sent(lambda script: script.limit(BUY, quantity, price))

    def rest_exits(self, *quantities: float) -> float:
        at = self.world.price * 1.05
        return self.sent(
            *(lambda script, one=one: script.limit(SELL, one, at) for one in quantities)
        )

    def resting(self) -> float:
        return sum(float(one.leaves_qty) for one in self.world.resting if one.side == BUY)

    def position(self) -> float:
        return self.world.position

    def bracket(self, quantity: float) -> tuple[float, float]:
        lists: list[Any] = []
        price = self.world.price
        self.act(lambda script: lists.append(bracket(script, quantity, price=price)))
        entry, stop, _ = lists[0].orders
        sent = entry.filled_qty > 0
        return (float(entry.quantity), float(stop.quantity)) if sent else (0.0, 0.0)

    def restart(self) -> None:
        """Lose what a process holds in memory; orders and positions are the venue's."""
        watch = self.world.watch
        watch.duties, watch.gate.parked = Duties(watch.gate), {}
        watch.gate.prices.clear()
        watch.facts.told.clear()

    def delay(self) -> None:
        self.line.slow(HOUR + 30 * MINUTE)

    def deliver(self) -> None:
        self.line.slow(0)
        self.world.now += 40 * MINUTE
        self.act()

    def instead(self, answer: Any) -> None:
        """Have the venue answer the next order with events of the test's making."""
        kernel, gate = self.world.engine.kernel, self.world.watch.gate
        usual = gate.on_execution if gate.installed else kernel.exec_engine.execute

        def once(command: Any) -> None:
            if not isinstance(command, SubmitOrder):
                usual(command)
                return
            kernel.msgbus.deregister(ENGINE, once)
            kernel.msgbus.register(ENGINE, usual)
            for make in (Stubs.order_submitted, *answer):
                kernel.msgbus.send("ExecEngine.process", make(command.order))

        kernel.msgbus.deregister(ENGINE, usual)
        kernel.msgbus.register(ENGINE, once)

    def refuse(self) -> None:
        self.instead([Stubs.order_rejected])

    def fill_only(self, share: float) -> None:
        def part(order: Any) -> Any:
            size = BTC.make_qty(float(order.quantity) * share)
            price = BTC.make_price(self.world.price)
            held = self.world.engine.cache.position_id(order.client_order_id)
            return Stubs.order_filled(
                order, BTC, position_id=held, last_qty=size, last_px=price,
                ts_event=self.world.now, account_id=ACCOUNT,
            )  # fmt: skip

        self.instead([Stubs.order_accepted, part, Stubs.order_canceled])

    def held(self, book: str) -> float:
        raise NotSupported(f"a netting venue has no book of {book}s: TestHedging has one that does")

    def denials(self) -> list[str]:
        return self.script.denied

    def close(self) -> None:
        self.world.close()


class Hedging(Netting):
    """The same on a venue that keeps two books."""

    def made(self, guard: ScriptedGuard) -> World:
        return World(guard, oms=OmsType.HEDGING, venue={"modules": [self.line]})

    def long(self) -> Any:
        found = self.world.engine.cache.positions_open()
        return next((one.id for one in found if one.is_long), None)

    def try_exit(self, quantity: float) -> float:
        return self.exits_together(quantity)

    def exits_together(self, *quantities: float) -> float:
        def leave(script: Any, size: float) -> Any:
            order = script.order_factory.market(BTC.id, SELL, BTC.make_qty(size))
            script.submit_order(order, position_id=self.long())
            return order

        return self.sent(*(lambda script, one=one: leave(script, one) for one in quantities))

    def rest_exits(self, *quantities: float) -> float:
        at = BTC.make_price(self.world.price * 1.05)

        def leave(script: Any, size: float) -> Any:
            order = script.order_factory.limit(BTC.id, SELL, BTC.make_qty(size), at)
            script.submit_order(order, position_id=self.long())
            return order

        return self.sent(*(lambda script, one=one: leave(script, one) for one in quantities))

    def held(self, book: str) -> float:
        found = self.world.engine.cache.positions_open()
        return sum(float(one.quantity) for one in found if one.is_long == (book == "long"))

    def try_short(self, quantity: float) -> float:
        return self.sent(lambda script: script.market(SELL, quantity))


class Guarded(Script, GuardedStrategy):
    """The script, judged by itself."""


class Alone(Netting):
    """A GuardedStrategy, the engines left as they are."""

    def made(self, guard: ScriptedGuard) -> World:
        script = Guarded()
        world = World(guard, strategy=script, install=False, venue={"modules": [self.line]})
        script.obey(world.watch)
        return world


class TestNetting(AdapterContract):
    harness = Netting


class TestHedging(AdapterContract):
    harness = Hedging


class TestGuardedStrategy(AdapterContract):
    harness = Alone
