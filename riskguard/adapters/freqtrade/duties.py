"""What a guard does unasked in freqtrade: entries dropped, positions reduced, trades closed.

A reduction has a target in coins, not a share of what happens to be there: asked again after a
kill, a lost answer or half a fill it sends what is still missing, and nothing twice. The target
is written into the bot's own database before the first order goes out.
"""

from __future__ import annotations

import math
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from riskguard.adapters.freqtrade.facts import Held, stamp, step_of
from riskguard.adapters.shared.logs import logger
from riskguard.engine.decision import State
from riskguard.engine.orders import RESIDUE, number
from riskguard.market import coin

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from riskguard.adapters.freqtrade.watch import Watch
    from riskguard.engine.orders import Action

__all__ = ["FLATTEN", "REDUCE", "Duties"]

Trade = Any  # freqtrade's own types are not seen from here
Order = Any
FLATTEN, REDUCE = "riskguard_flatten", "riskguard_reduce"  # as freqtrade shows them
DONE = "riskguard_done"  # under which a trade keeps what was begun
REDUCTIONS = frozenset({"flatten", "reduce_to"})
CANCELS = frozenset({"cancel_all", "cancel_entries"})
NOTHING: Mapping[str, Any] = MappingProxyType({})
log = logger("riskguard.freqtrade")


class Duties:
    """The duties of one strategy, and what is remembered of them."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self._since: dict[str, int] = {}  # when an action was first seen
        self._open: dict[str, Action] = {}  # asked for, and not seen done
        self._begun: dict[int, Mapping[str, Any]] = {}  # by trade: what its database row says
        self._whole: set[int] = set()  # trades of which too little would stay to be sold later
        self._types: dict[str, str] | None = None  # the order types, while exits go at market

    # ------------------------------------------------------------ what stands

    def wanted(self, symbol: str) -> list[Action]:
        """List what the desk wants done of a symbol, nothing where it fails."""
        try:
            if self.watch.desk is None or not self.watch.tight():
                return []
            return self.watch.desk.poll(symbol)
        except Exception:
            log.exception("riskguard: the guard cannot say what is to be done")
            return []

    def settle(self, trades: list[Trade]) -> None:
        """Tell the desk what is seen done, and send exits at market while something is not."""
        desk, held = self.watch.desk, {coin(trade.pair): trade for trade in trades}
        if desk is None or not self.watch.tight():
            for trade in trades:
                if self._begun.get(trade.id):
                    trade.set_custom_data(DONE, {})
            self.release()
            return
        asked = {one.id: one for one in desk.poll("*")}
        self._since = {name: self._since.get(name, self.watch.last) for name in asked}
        self._open |= asked  # a position that is where it should be is asked for no more
        done = [one.id for one in self._open.values() if self._met(one, held.get(one.symbol))]
        if done:
            desk.done(*done)
        self._open = {name: one for name, one in asked.items() if name not in done}
        left = any(one.kind in REDUCTIONS and one.symbol in held for one in self._open.values())
        self._at_market(on=left or desk.decision.state is State.HALTED)

    def release(self) -> None:
        """Forget what belongs to a tightening that is over."""
        self._at_market(on=False)
        self._since, self._open, self._whole = {}, {}, set()
        self._begun = dict.fromkeys(self._begun, NOTHING)

    def _met(self, action: Action, trade: Trade) -> bool:
        position = Held.of(trade).position
        if action.kind in CANCELS:
            return trade is None or not any(self._old(action, trade, one) for one in trade.orders)
        if not position:
            return True
        if action.kind == "flatten":
            return False
        target = self._target(action, trade)
        return target is not None and abs(position) <= target * (1 + RESIDUE)

    def _old(self, action: Action, trade: Trade, order: Order) -> bool:
        """Say whether an open order is one that an action wants gone."""
        if not order.ft_is_open or str(order.ft_order_tag) in {FLATTEN, REDUCE}:
            return False
        entry = order.ft_order_side == trade.entry_side
        before = stamp(order.order_date_utc) < self._since.get(action.id, self.watch.last + 1)
        return before and (entry or action.kind == "cancel_all")

    # ------------------------------------------------------------ orders that rest

    def drops(self, trade: Trade, order: Order, time: datetime, *, entry: bool) -> bool:
        """Say whether a resting order is to be cancelled."""
        try:
            if not self.watch.tight():
                return False
            for action in self.wanted(coin(trade.pair)):
                kinds = CANCELS if entry else {"cancel_all"}
                sent = stamp(order.order_date_utc)
                if action.kind in kinds and sent < self._since.get(action.id, stamp(time) + 1):
                    return entry or str(order.ft_order_tag) not in {FLATTEN, REDUCE}
            if not entry:
                return False
            remaining = float(order.safe_remaining)
            verdict = self.watch.judge(
                trade.pair, trade.trade_direction, remaining, float(order.ft_price), time,
                trade=trade, without=str(order.order_id),
            )  # fmt: skip
            return verdict.quantity < remaining * (1 - RESIDUE)
        except Exception:
            log.exception("riskguard: a resting order cannot be judged")
            return entry

    # ------------------------------------------------------------ less of a position

    def flattens(self, trade: Trade) -> bool:
        """Say whether a trade is to be closed, at market."""
        actions = [one for one in self.wanted(coin(trade.pair)) if one.kind in REDUCTIONS]
        close = any(
            one.kind == "flatten" or trade.id in self._whole or self._target(one, trade) == 0
            for one in actions
        )
        if close:
            self._at_market(on=True)
        return close

    def reduction(self, trade: Trade, rate: float, least: float | None) -> float:
        """Return the stake to take out of a trade now, 0 where none is due or it is on its way."""
        found = [one for one in self.wanted(coin(trade.pair)) if one.kind == "reduce_to"]
        targets = [(self._begin(one, trade), one) for one in found]
        if not targets:
            return 0.0
        target, action = min(targets, key=lambda one: one[0])
        held = Held.of(trade)
        size = abs(held.position)
        leaving = sum(one.remaining for one in held.pending if one.reduce_only)
        missing = size - target - leaving
        if missing <= RESIDUE * size:
            return 0.0
        step = step_of(trade.amount_precision, trade.precision_mode, trade.contract_size)
        # up to a whole step, and half of one: what freqtrade cuts off again
        sent = min(size, math.ceil(missing / step - 1e-9) * step + step / 2) if step else missing
        least = max(least or 0.0, self._least(trade, rate)) * float(trade.leverage or 1.0)
        if 0 < (size - sent) * rate < least:
            self._whole.add(trade.id)  # what would stay could not be sold: all of it goes
            return 0.0
        if sent * rate < least and target > 0:
            log.warning("riskguard: %s %.8g is too little to sell; it stays", trade.pair, missing)
            if self.watch.desk is not None:
                self.watch.desk.done(action.id)
            return 0.0
        self._at_market(on=True)
        return float(trade.stake_amount) * sent / float(trade.amount)

    def _begin(self, action: Action, trade: Trade) -> float:
        """Return the target of a reduction; it is written down before anything is sent."""
        target = self._target(action, trade)
        if target is None:
            target = action.fraction * abs(Held.of(trade).position)
        if self._kept(trade).get("id") != action.id:
            begun = {"id": action.id, "target": target}
            trade.set_custom_data(DONE, begun)
            self._begun[trade.id] = begun
        return target

    def _target(self, action: Action, trade: Trade) -> float | None:
        """Return what may stay, in coins; None where nobody has said so yet."""
        kept = self._kept(trade)
        if kept.get("id") == action.id:
            return float(kept["target"])
        ceiling = number(action.data.get("ceiling"))
        return ceiling if ceiling >= 0 else None

    def _kept(self, trade: Trade) -> Mapping[str, Any]:
        if trade.id not in self._begun:
            kept = trade.get_custom_data(DONE)
            self._begun[trade.id] = kept if isinstance(kept, dict) else {}
        return self._begun[trade.id]

    def _least(self, trade: Trade, rate: float) -> float:
        """Return the least stake that freqtrade leaves in a trade."""
        strategy = self.watch.strategy
        with suppress(Exception):  # no exchange there: what the hook was told has to do
            exchange = strategy.dp._exchange  # noqa: SLF001 - no public door leads to it
            found = exchange.get_min_pair_stake_amount(
                trade.pair, rate, strategy.stoploss, trade.leverage
            )
            return float(found or 0.0)
        return 0.0

    def _at_market(self, *, on: bool) -> None:
        """Let exits go at market: a limit order may never fill while the price runs away."""
        strategy = self.watch.strategy
        if on and self._types is None:
            self._types = strategy.order_types
            strategy.order_types = {**strategy.order_types, "exit": "market"}
        elif not on and self._types is not None:
            strategy.order_types, self._types = self._types, None
