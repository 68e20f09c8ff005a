"""A strategy whose orders are judged before they leave it, where the engines are left alone.

Imported only where nautilus_trader is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import ModifyOrder, SubmitOrder, SubmitOrderList
from nautilus_trader.trading.strategy import Strategy

if TYPE_CHECKING:
    from riskguard.adapters.nautilus.gate import Gate

__all__ = ["GuardedStrategy"]

Thing = Any  # an object of Nautilus, which is untyped
Order = Any


class GuardedStrategy(Strategy):
    """Has each order, order list and change judged; what only reduces passes in every state.

    `guard_engine(host, desk, install=False)` returns the actor to give to `obey`. Without one
    nothing enters.
    """

    gate: Gate | None = None

    def obey(self, watch: Thing) -> None:
        """Have the orders of this strategy judged by the guard of an actor."""
        self.gate = watch.gate

    def submit_order(
        self,
        order: Order,
        position_id: Thing = None,
        client_id: Thing = None,
        params: Thing = None,
    ) -> None:
        """Submit an order as far as it is granted."""
        more = self._named(position_id, client_id, params)
        command = SubmitOrder(self.trader_id, self.id, order, UUID4(), self._now(), **more)
        for one in self._judged(command, [order]):
            super().submit_order(one.order, position_id, client_id, params)

    def submit_order_list(
        self,
        order_list: Thing,
        position_id: Thing = None,
        client_id: Thing = None,
        params: Thing = None,
    ) -> None:
        """Submit a list of orders as far as it is granted, singly where not all of it is."""
        more = self._named(position_id, client_id, params)
        command = SubmitOrderList(self.trader_id, self.id, order_list, UUID4(), self._now(), **more)
        for one in self._judged(command, order_list.orders):
            if isinstance(one, SubmitOrderList):
                super().submit_order_list(order_list, position_id, client_id, params)
            else:
                super().submit_order(one.order, position_id, client_id, params)

    def modify_order(  # noqa: PLR0917 - as Nautilus calls it
        self,
        order: Order,
        quantity: Thing = None,
        price: Thing = None,
        trigger_price: Thing = None,
        client_id: Thing = None,
        params: Thing = None,
    ) -> None:
        """Change an order as far as it is granted."""
        command = ModifyOrder(
            self.trader_id,
            self.id,
            order.instrument_id,
            order.client_order_id,
            order.venue_order_id,
            quantity,
            price,
            trigger_price,
            UUID4(),
            self._now(),
            client_id=client_id,
            params=params,
        )
        for one in self._judged(command, []):
            super().modify_order(order, one.quantity, price, trigger_price, client_id, params)

    def _judged(self, command: Thing, orders: list[Order]) -> list[Any]:
        if self.gate is None:
            self.log.error("riskguard: this strategy obeys no guard yet; nothing is sent but exits")
            return [command] if orders and all(one.is_reduce_only for one in orders) else []
        return [command] if self.gate.installed else self.gate.judged(command)

    def _named(self, position_id: Thing, client_id: Thing, params: Thing) -> dict[str, Any]:
        return {"position_id": position_id, "client_id": client_id, "params": params}

    def _now(self) -> int:
        return int(self.clock.timestamp_ns())
