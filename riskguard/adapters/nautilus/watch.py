"""The guard's own actor in Nautilus: it feeds the guard, and has its duties carried out.

It hears each bar before any strategy does, so that a decision on a close stands before an order
is made of it. Imported only where nautilus_trader is.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from nautilus_trader.common import Environment
from nautilus_trader.common.actor import Actor
from nautilus_trader.config import ActorConfig
from nautilus_trader.model.data import DataType
from nautilus_trader.model.enums import TradingState
from nautilus_trader.model.events import OrderFilled, OrderInitialized, PositionClosed
from nautilus_trader.model.identifiers import ClientId

from riskguard.adapters.nautilus.data import Alive, Liquidation, OpenInterest, Reading
from riskguard.adapters.nautilus.duties import Duties
from riskguard.adapters.nautilus.gate import LASTS
from riskguard.adapters.nautilus.orders import net
from riskguard.adapters.shared.desk import Offline
from riskguard.adapters.shared.starting import announce
from riskguard.engine.decision import State
from riskguard.errors import foreign

if TYPE_CHECKING:
    from collections.abc import Sequence

    from riskguard.adapters.nautilus.facts import Facts
    from riskguard.adapters.nautilus.gate import Gate
    from riskguard.engine.events import Event

__all__ = ["Watch"]

Thing = Any  # an object of Nautilus, which is untyped
FIRST = 9  # after the portfolio (10), before actors and strategies (0)
SAVED = "riskguard"


class Watch(Actor):
    """Feeds a guard from one kernel and carries out its duties there."""

    def __init__(
        self,
        gate: Gate,
        facts: Facts,
        *,
        bars: Sequence[Any] = (),
        data: str = "",
        funding: bool = False,
        marks: bool = False,
        mirror: bool = False,
    ) -> None:
        super().__init__(ActorConfig(component_id="RISKGUARD"))
        self.gate, self.facts, self.duties = gate, facts, Duties(gate)
        self.bars = bars
        self.notes: tuple[str, ...] = ()  # what was told at the start
        self.data, self.funding, self.marks, self.mirrors = data, funding, marks, mirror
        self.mirrored = False  # the trading state is what was set here
        gate.before = self.mirror

    # ------------------------------------------------------------ life

    def on_start(self) -> None:
        """Subscribe to what feeds the guard."""
        self.gate.log = self.log
        names = [self.gate.symbol.unified(one.id) for one in self.cache.instruments()]
        self.notes = announce(self.gate.desk, names, self.gate.tell)
        for bar_type in self.bars:
            self.subscribe_bars(bar_type)
            self.msgbus.subscribe(f"data.bars.{bar_type}", self.hear_bar, FIRST)
        for instrument_id in dict.fromkeys(one.instrument_id for one in self.bars):
            if self.funding:
                self.subscribe_funding_rates(instrument_id)
            if self.marks:
                self.subscribe_mark_prices(instrument_id)
        if self.data:
            for kind in (Liquidation, OpenInterest, Alive, Reading):
                self.subscribe_data(DataType(kind), client_id=ClientId(self.data))
        self.msgbus.subscribe("events.order.*", self.hear_order, FIRST)
        self.msgbus.subscribe("events.position.*", self.hear_position, FIRST)
        if self.gate.kernel.environment != Environment.BACKTEST:
            self.clock.set_timer("riskguard", timedelta(seconds=1), callback=self.hear_time)

    def on_stop(self) -> None:
        """Stop listening; the gate stays, and grows strict as its decision grows old."""
        for bar_type in self.bars:
            self.msgbus.unsubscribe(f"data.bars.{bar_type}", self.hear_bar)
        self.msgbus.unsubscribe("events.order.*", self.hear_order)
        self.msgbus.unsubscribe("events.position.*", self.hear_position)

    def on_reset(self) -> None:
        """Let nothing enter: the guard remembers the run that was."""
        error = RuntimeError("the engine was reset: make a new one, with a new guard")
        self.gate.faults[LASTS] = error

    def on_save(self) -> dict[str, bytes]:
        """Return what the guard remembers, where no live session keeps it in its folder."""
        desk = self.gate.desk
        return {SAVED: desk.guard.dump().encode()} if isinstance(desk, Offline) else {}

    def on_load(self, state: dict[str, bytes]) -> None:
        """Go on from what was saved: what was done is not done again."""
        desk = self.gate.desk
        if SAVED in state and isinstance(desk, Offline):
            desk.guard.load(state[SAVED].decode())

    # ------------------------------------------------------------ what is heard

    def take(self, *events: Event) -> None:
        """Tell the guard; while it fails, nothing enters."""
        for event in events:
            try:
                self.gate.desk.take(event)
            except Exception as error:  # noqa: BLE001 - whatever fails, exits pass and entries do not
                said = foreign(
                    f"the guard cannot be told {event.kind}: {type(error).__name__}: {error}"
                )
                self.duties.say(said)
                self.gate.faults[event.kind] = error
                self.facts.told.clear()

    def hear_bar(self, bar: Thing) -> None:
        """Tell a bar that has closed, and the account before it; then do what is due."""
        if bar.is_revision:
            return
        instrument_id = bar.bar_type.instrument_id
        self.gate.prices[instrument_id] = float(bar.close)
        self.gate.forgive()
        self.facts.told.pop(instrument_id, None)  # what is not told again grows old
        self._account(instrument_id)
        self.take(self.facts.bar(bar))
        self.do()

    def on_data(self, data: Thing) -> None:
        """Tell a liquidation or the open interest."""
        event = self.facts.of(data)
        if event is not None:
            self.take(event)
            self.do()

    def on_funding_rate(self, funding_rate: Thing) -> None:
        """Tell a funding rate."""
        self.on_data(funding_rate)

    def on_mark_price(self, mark_price: Thing) -> None:
        """Tell a price between two closes."""
        instrument_id, price = mark_price.instrument_id, float(mark_price.value)
        self.gate.prices[instrument_id] = price
        self.take(self.facts.mark(instrument_id, price, mark_price.ts_event))
        self.do()

    def hear_order(self, event: Thing) -> None:
        """Go on where an order event tells more."""
        if isinstance(event, OrderInitialized):
            return
        if isinstance(event, OrderFilled):
            self.duties.left(event)
        if self.gate.parked:
            self.gate.release()
        self.duties.go_on(event.instrument_id)

    def hear_position(self, event: Thing) -> None:
        """Tell a trade that ended and the account, and see what is done."""
        if isinstance(event, PositionClosed):
            self.take(self.facts.closed(event))
        self._account(event.instrument_id)
        self.mirror()
        self.duties.go_on(event.instrument_id)

    def hear_time(self, event: Thing) -> None:  # noqa: ARG002 - the time is the clock's
        """Let time pass, once a second in a live process."""
        try:
            self.gate.desk.tick()
            self.gate.faults.pop("tick", None)
        except Exception as error:  # noqa: BLE001 - whatever fails, exits pass and entries do not
            self.gate.faults["tick"] = error
        self.do()

    def _account(self, instrument_id: Thing) -> None:
        hedge = self.gate.hedge(instrument_id)
        held = None if hedge else net(self.gate.kernel, instrument_id)
        try:
            price = self.gate.prices.get(instrument_id, 0.0)
            events = list(self.facts.account(instrument_id, held, price))
        except Exception as error:  # noqa: BLE001 - as above
            self.gate.faults["account"] = error
            return
        self.take(*events)

    # ------------------------------------------------------------ what is done

    def do(self) -> None:
        """Carry out what can be done now."""
        self.mirror()
        if self.gate.parked:
            self.gate.release()
        self.duties.go_on(*self.gate.symbol.known)

    def mirror(self) -> None:
        """Show the state of the guard as the trading state of Nautilus, as far as it is safe.

        There HALTED refuses exits too: it is set only when everything is flat. A state that
        somebody else has set is left alone.
        """
        if not self.mirrors:
            return
        risk, state = self.gate.kernel.risk_engine, self.gate.state()
        want = TradingState.ACTIVE
        if state >= State.REDUCING:
            flat = not self.gate.kernel.cache.positions_open()
            halted = state is State.HALTED and flat
            want = TradingState.HALTED if halted else TradingState.REDUCING
        if risk.trading_state == want or (
            risk.trading_state != TradingState.ACTIVE and not self.mirrored
        ):
            return
        risk.set_trading_state(want)
        self.mirrored = want != TradingState.ACTIVE
