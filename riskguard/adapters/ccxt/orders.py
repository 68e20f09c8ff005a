"""The ways in which ccxt takes an order, and what each becomes under the gate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from riskguard.adapters.ccxt.gate import Refused
from riskguard.adapters.ccxt.reading import Asked
from riskguard.adapters.shared.outcome import Call
from riskguard.engine.orders import number

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from riskguard.adapters.ccxt.gate import Gate

    Plan = Generator[Call, Any, Any]

__all__ = ["GATED", "plan"]

# what ends in none of the others, with the names of its arguments; the rest of create_* and
# edit_* are written by ccxt itself in terms of these
ORDER = ("symbol", "type", "side", "amount", "price", "params")
EDIT = ("id", *ORDER)
BATCH = ("orders", "params")
GATED: Mapping[str, tuple[str, ...]] = {
    "create_order": ORDER,
    "create_order_ws": ORDER,
    "create_contract_order": ORDER,
    "create_spot_order": ORDER,
    "create_swap_order": ORDER,
    "create_uta_order": ORDER,
    "create_orders": BATCH,
    "create_orders_ws": BATCH,
    "create_contract_orders": BATCH,
    "create_spot_orders": BATCH,
    "create_uta_orders": BATCH,
    "edit_order": EDIT,
    "edit_order_ws": EDIT,
    "edit_contract_order": EDIT,
    "edit_spot_order": EDIT,
    "edit_orders": BATCH,
    "create_twap_order": ("symbol", "side", "amount", "duration", "params"),
    "create_market_order_with_cost": ("symbol", "side", "cost", "params"),
    "create_market_order_with_cost_ws": ("symbol", "side", "cost", "params"),
    "create_market_buy_order_with_cost": ("symbol", "cost", "params"),
    "create_market_sell_order_with_cost": ("symbol", "cost", "params"),
    "set_leverage": ("leverage", "symbol", "params"),
}


def plan(gate: Gate, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Plan:
    """Judge a call of ccxt and make it, or another in its place.

    Raises:
        Refused: the guard lets nothing of it out.
        TypeError: there are more arguments than the method is known to take.
    """
    given = dict(zip(GATED[name], args, strict=False)) | dict(kwargs)
    if len(args) > len(GATED[name]) or not given.keys() <= set(GATED[name]):
        # what a venue takes beside is not known here, and so not let through
        raise TypeError(f"{name}() is guarded and takes {', '.join(GATED[name])}, no more")
    if name == "set_leverage":
        return (yield from _leverage(gate, given))
    if GATED[name] is BATCH:
        return (yield from _batch(gate, name, given))
    given["params"] = dict(given.get("params") or {})
    asked = _asked(name, given)
    if not number(asked.amount) > 0:
        asked = yield from _sized(gate, asked)
    granted, params = yield from gate.judge(asked)
    given["params"] = params
    if granted != asked.amount and "amount" in GATED[name]:
        given["amount"] = granted
    last = max(GATED[name].index(word) for word in given)
    values = tuple(given.get(word) for word in GATED[name][: last + 1])
    try:
        return (yield Call(name, values))
    finally:
        gate.sent(asked.symbol)


def _asked(name: str, given: Mapping[str, Any]) -> Asked:
    """Return a call as an order."""
    side = str(given.get("side") or ("sell" if "_sell_" in name else "buy"))
    params = given["params"]
    amount: Any = given.get("amount")  # of a bot: `judge` sees what it is
    if "cost" in given:
        amount, params = given["cost"], {**params, "cost": given["cost"]}
    return Asked(
        str(given.get("symbol")), str(given.get("type") or "market").lower(), side.lower(),
        amount, given.get("price"), params, str(given.get("id") or ""),
    )  # fmt: skip


def _sized(gate: Gate, asked: Asked) -> Generator[Call, Any, Asked]:
    """Return an order without an amount with the one it has: that of the order it changes.

    An order that closes all that is held (`closePosition`) has none either: it is of what is
    held.
    """
    read = yield from gate.known(asked.symbol)
    if read is not None and asked.replaces:
        mine = [one for one in read.pending if one.id == asked.replaces]
        if mine:
            return asked._replace(amount=mine[0].remaining)
    if read is not None and asked.reduces and read.books[gate.book(asked)]:
        return asked._replace(amount=abs(read.books[gate.book(asked)]))
    raise Refused(f"riskguard: {asked.side} {asked.symbol}: an order without an amount")


def _leverage(gate: Gate, given: Mapping[str, Any]) -> Plan:
    cap = None if gate.free() else gate.desk.decision.leverage_cap
    wanted = number(given.get("leverage"))
    if cap is not None and not wanted <= cap:
        raise Refused(f"riskguard: leverage {given.get('leverage')} is above the cap of {cap:g}x")
    values = tuple(given[word] for word in GATED["set_leverage"] if word in given)
    return (yield Call("set_leverage", values))


def _batch(gate: Gate, name: str, given: Mapping[str, Any]) -> Plan:
    """Judge each order of a batch after those before it; what is denied stays out of it.

    The answer has an entry for each order that was given: a denied one is a rejected order.
    """
    wanted, sent, told = list(given.get("orders") or ()), list[Any](), dict[int, str]()
    symbols = {str(one.get("symbol")) for one in wanted}
    try:
        for place, one in enumerate(wanted):
            order = dict(one, params=dict(one.get("params") or {}))
            asked = _asked(name, order)
            try:
                if not number(asked.amount) > 0:
                    asked = yield from _sized(gate, asked)
                order["amount"], order["params"] = yield from gate.judge(asked)
            except Refused as why:
                told[place] = str(why)
                continue
            gate.along(asked, order["amount"])
            sent.append(order)
        if not sent and told:
            raise Refused("; ".join(told.values()))
        rest = (given["params"],) if "params" in given else ()
        answers = list((yield Call(name, (sent, *rest))) or ())
    finally:
        for symbol in symbols:
            gate.sent(symbol)
    for place in sorted(told):
        answers.insert(place, _rejected(gate, wanted[place], told[place]))
    return answers


def _rejected(gate: Gate, order: Mapping[str, Any], text: str) -> Any:  # noqa: ANN401 - an order of ccxt
    wanted = {key: order.get(key) for key in ("symbol", "type", "side", "amount", "price")}
    return gate.exchange.safe_order(
        {**wanted, "status": "rejected", "filled": 0.0, "info": {"riskguard": text}}
    )
