"""Orders and positions of Nautilus in the words of the gate.

Nautilus keeps a position for each strategy; a netting venue knows one for all of them, and that
one is judged. At a hedging venue an order stands on a book, long or short: the side of the
position it names, or the one it opens. Imported only where nautilus_trader is.
"""

from __future__ import annotations

import math
from itertools import chain
from typing import TYPE_CHECKING, Any

from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import CancelOrder, ModifyOrder, SubmitOrder
from nautilus_trader.model.enums import OmsType, OrderSide, OrderStatus, OrderType
from nautilus_trader.model.events import OrderDenied, OrderModifyRejected, OrderUpdated
from nautilus_trader.model.identifiers import ClientOrderId, PositionId
from nautilus_trader.model.orders import MarketOrder

from riskguard.engine.orders import RESIDUE, Pending

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

__all__ = [
    "amount",
    "book_of",
    "cancel",
    "changed",
    "deny",
    "exits",
    "hedged",
    "idle",
    "net",
    "refuse",
    "resize",
    "single",
    "told",
    "waits",
]

Thing = Any  # an object of Nautilus, which is untyped
Order = Any
Kernel = Any
SIDES = {OrderSide.BUY: ("buy", "long"), OrderSide.SELL: ("sell", "short")}
# what is on its way and may fill before any cancel reaches it
IN_FLIGHT = frozenset({OrderStatus.RELEASED, OrderStatus.SUBMITTED})
AT_ONCE = frozenset({OrderType.MARKET, OrderType.MARKET_TO_LIMIT})


def hedged(kernel: Kernel, venue: Thing) -> bool:
    """Say whether a venue keeps a long and a short position side by side."""
    client = kernel.exec_engine._routing_map.get(venue)  # noqa: SLF001 - there is no public name
    return client is not None and client.oms_type == OmsType.HEDGING


def book_of(kernel: Kernel, order: Order, position_id: Thing = None) -> str:
    """Return the book an order of a hedging venue stands on: long or short."""
    named = position_id or kernel.cache.position_id(order.client_order_id)
    if named is None:  # a strategy that nets its own orders has one position there
        named = PositionId(f"{order.instrument_id}-{order.strategy_id}")
    position = kernel.cache.position(named)
    if position is not None and position.is_open:
        return "long" if position.is_long else "short"
    return SIDES[order.side][1]


def net(kernel: Kernel, instrument_id: Thing, book: str = "") -> float:
    """Return what is held, signed: of one book, or of all strategies together."""
    found = kernel.cache.positions_open(None, instrument_id)
    return math.fsum(one.signed_qty for one in found if not book or (book == "long") == one.is_long)


def idle(kernel: Kernel, order: Order) -> bool:
    """Say whether an order cannot fill yet: nothing of the order it hangs on has filled."""
    parent = order.parent_order_id and kernel.cache.order(order.parent_order_id)
    return bool(parent) and not parent.is_closed and not float(parent.filled_qty)


def unfinished(kernel: Kernel, instrument_id: Thing) -> Iterator[Order]:
    """Yield the orders of an instrument that may fill: at the venue, on the way, or emulated."""
    cache, seen = kernel.cache, set()
    for order in chain(
        cache.orders_open(None, instrument_id),
        cache.orders_inflight(None, instrument_id),
        cache.orders_emulated(None, instrument_id),
    ):
        if order.client_order_id not in seen and not idle(kernel, order):
            seen.add(order.client_order_id)
            yield order


def waits(
    kernel: Kernel,
    instrument_id: Thing,
    *,
    hedge: bool = False,
    but: Collection[Any] = (),
) -> list[Pending]:
    """Return what is not finished; `but` are orders to leave out, of which the asked one is one."""
    return [
        told(kernel, order, hedge=hedge)
        for order in unfinished(kernel, instrument_id)
        if order.client_order_id not in but
    ]


def told(kernel: Kernel, order: Order, *, hedge: bool = False) -> Pending:
    """Return an order as the gate reads it."""
    name, linked, group = str(order.client_order_id), order.linked_order_ids, ""
    if linked and (order.parent_order_id or not order.is_parent_order):
        group = min((name, *map(str, linked)))
    return Pending(
        name,
        SIDES[order.side][0],
        float(order.leaves_qty),
        resting=order.status not in IN_FLIGHT and order.order_type not in AT_ONCE,
        reduce_only=order.is_reduce_only,
        group=group,
        ts=order.ts_init,
        book=book_of(kernel, order) if hedge else "",
    )


def amount(instrument: Thing, quantity: float) -> Thing:
    """Return a quantity in whole steps of an instrument, rounded down; None where none is left."""
    step = float(instrument.size_increment)
    whole = math.floor(quantity / step * (1 + RESIDUE) + 1e-9) * step
    return instrument.make_qty(whole) if whole >= step * 0.5 else None


def resize(kernel: Kernel, order: Order, quantity: Thing) -> None:
    """Make an order that was not sent yet smaller; its strategy is told as of any update."""
    now = kernel.clock.timestamp_ns()
    event = OrderUpdated(
        order.trader_id,
        order.strategy_id,
        order.instrument_id,
        order.client_order_id,
        None,
        None,
        quantity,
        order.price if order.has_price else None,
        order.trigger_price if order.has_trigger_price else None,
        UUID4(),
        now,
        now,
    )
    if kernel.cache.order(order.client_order_id) is order:
        kernel.msgbus.send("ExecEngine.process", event)
    else:
        order.apply(event)


def deny(kernel: Kernel, order: Order, reason: str) -> None:
    """Deny an order as the risk engine does: its strategy gets OrderDenied with the reason."""
    if kernel.cache.order(order.client_order_id) is None:
        kernel.cache.add_order(order)
    now = kernel.clock.timestamp_ns()
    event = OrderDenied(
        order.trader_id,
        order.strategy_id,
        order.instrument_id,
        order.client_order_id,
        reason,
        UUID4(),
        now,
    )
    kernel.msgbus.send("ExecEngine.process", event)


def refuse(kernel: Kernel, order: Order, reason: str) -> None:
    """Refuse the change of an order: it stays as it is, its strategy is told."""
    now = kernel.clock.timestamp_ns()
    event = OrderModifyRejected(
        order.trader_id,
        order.strategy_id,
        order.instrument_id,
        order.client_order_id,
        order.venue_order_id,
        order.account_id,
        reason,
        UUID4(),
        now,
        now,
    )
    kernel.msgbus.send("ExecEngine.process", event)


def cancel(kernel: Kernel, order_id: str) -> None:
    """Ask for the cancel of an order, where it stands; nothing where it is finished already."""
    order = kernel.cache.order(ClientOrderId(order_id))
    if order is None or order.is_closed or order.is_pending_cancel:
        return
    emulated = order.status == OrderStatus.EMULATED
    kernel.msgbus.send(
        "OrderEmulator.execute" if emulated else "ExecEngine.execute",
        CancelOrder(
            order.trader_id,
            order.strategy_id,
            order.instrument_id,
            order.client_order_id,
            order.venue_order_id,
            UUID4(),
            kernel.clock.timestamp_ns(),
            client_id=kernel.cache.client_id(order.client_order_id),
        ),
    )


def changed(kernel: Kernel, command: Thing, quantity: Thing) -> Thing:
    """Return the change of an order with another quantity."""
    return ModifyOrder(
        command.trader_id,
        command.strategy_id,
        command.instrument_id,
        command.client_order_id,
        command.venue_order_id,
        quantity,
        command.price,
        command.trigger_price,
        UUID4(),
        kernel.clock.timestamp_ns(),
        client_id=command.client_id,
        params=command.params,
    )


def single(kernel: Kernel, order: Order, command: Thing) -> Thing:
    """Return the order that sends one order of a list alone."""
    return SubmitOrder(
        order.trader_id,
        order.strategy_id,
        order,
        UUID4(),
        kernel.clock.timestamp_ns(),
        position_id=command.position_id,
        client_id=command.client_id,
        params=command.params,
    )


def exits(kernel: Kernel, held: Thing, quantity: Thing, ref: str) -> Thing:
    """Return the command that takes a quantity out of a position, reduce-only, at market.

    It goes out in the name of the strategy that holds the position: another would open its own.
    """
    now = kernel.clock.timestamp_ns()
    order = MarketOrder(
        held.trader_id,
        held.strategy_id,
        held.instrument_id,
        ClientOrderId(ref),
        OrderSide.SELL if held.is_long else OrderSide.BUY,
        quantity,
        UUID4(),
        now,
        reduce_only=True,
        tags=["riskguard"],
    )
    kernel.cache.add_order(order, held.id)
    return SubmitOrder(held.trader_id, held.strategy_id, order, UUID4(), now, position_id=held.id)
