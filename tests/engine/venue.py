"""A small venue and a host that obeys the gate: what random order streams are played on.

The venue fills in part, rejects, cancels late, closes positions by itself, keeps one net
position or the two books of hedge mode, and holds orders to reduce-only or cannot. The oracles
are written anew here: they know the words of bots.md 3.2, not the code of the gate.
"""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from riskguard.engine.decision import State
from riskguard.engine.episodes import Episodes
from riskguard.engine.gate import Intent, Pending, Verdict, exit_alone, gate, surplus
from riskguard.market import Instrument
from tests.engine.decisions import ACTIVE, DECISIONS, REDUCING

if TYPE_CHECKING:
    from riskguard.engine.decision import Decision

__all__ = ["Order", "Stream", "play"]

SYMBOL = "BTC/USDT:USDT"
NOISE = 1e-9


@dataclass
class Order:
    """An order at the venue, and the period of reducing in which it was granted."""

    id: str
    side: str
    remaining: float
    resting: bool
    held: bool  # to reduce-only, by the venue
    book: str
    ts: int
    period: int
    group: str = ""

    def pending(self) -> Pending:
        return Pending(
            self.id, self.side, self.remaining, self.resting, self.held, self.group, self.ts,
            self.book,
        )  # fmt: skip


class Stream:
    """One random stream: `step` does one thing and checks what must hold after it."""

    def __init__(self, seed: int) -> None:
        self.pick = pick = random.Random(seed)
        self.step_size = pick.choice((0.0, 0.0, 0.1, 0.25, 1.0))
        self.least = pick.choice((0.0, self.step_size, 0.5))
        self.lot = pick.choice((1.0, 1.0, 0.01, 10.0))  # coins in a contract
        self.hedged = pick.random() < 0.25
        self.holds = pick.random() < 0.5  # the venue knows reduce-only
        self.equity = pick.choice((None, 100.0, 400.0))
        self.price: float | None = None  # that the guard has seen
        sizes = (-5.0, -3.0, -1.05, 0.0, 0.0, 0.03, 2.0, 3.7, 5.0)
        one = pick.choice(sizes)
        self.positions = {"long": abs(one), "short": -abs(pick.choice(sizes))}
        if not self.hedged:
            self.positions = {"": one}
        self.orders: list[Order] = []
        self.decision, self.period, self.now = ACTIVE, 0, 0
        self.episodes = self.fresh()
        self.bases: dict[str, float] = {}  # the oracle of the ceiling
        self.left: dict[str, float] = {}
        self.done: set[str] = set()
        self.seen: Counter[str] = Counter()
        self.tell()
        if pick.random() < 0.7:
            self.change(pick.choice(DECISIONS))

    def fresh(self) -> Episodes:
        return Episodes({SYMBOL: Instrument(self.step_size, self.least, self.lot)})

    # ------------------------------------------------------------ what the host knows

    def tell(self) -> None:
        """Tell the account: a net position; books are known from orders alone."""
        values = {} if self.equity is None else {"equity": self.equity}
        if not self.hedged:
            values["position"] = self.positions[""] * self.lot
            if self.decision is not ACTIVE and self.positions[""]:
                self.bases.setdefault("", abs(self.positions[""]))
        self.episodes.account(self.now, SYMBOL, values)

    def pendings(self) -> tuple[Pending, ...]:
        return tuple(order.pending() for order in self.orders)

    def ceiling(self, book: str, base: float | None = None) -> float:
        """Return the ceiling as bots.md 3.3 words it: cap x base, and what reduce_by left."""
        base = self.bases.get(book, base)
        limit = self.left.get(book, float("inf"))
        if self.decision.reduce_by and book not in self.left and base is not None:
            limit = (1 - self.decision.reduce_by) * base
        if self.decision.exposure_cap < 1 and base is not None:
            limit = min(limit, self.decision.exposure_cap * base)
        return limit

    def limit(self, intent: Intent) -> float:
        """Return the most that may be held on the side of an order."""
        side = "long" if intent.side == "buy" else "short"
        if self.barred(side):
            return 0.0
        limit = self.ceiling(intent.book, abs(intent.position) or intent.quantity)
        if cap := self.decision.leverage_cap:  # nothing where it cannot be counted
            price = max(intent.price or 0.0, self.price or 0.0)
            limit = min(limit, cap * (self.equity or 0.0) / (price * self.lot or math.inf))
        return limit

    def barred(self, side: str) -> bool:
        now = self.decision
        closed = now.close in {f"{side}s", "all"}
        return closed or now.state >= State.REDUCING or now.block_entries in {side, "both"}

    def open(self, side: str, book: str, *, flying: bool) -> float:
        """Return what may fill on a side: what flies, or all but what only closes."""
        alone, groups = 0.0, {}
        for order in self.orders:
            counts = not order.resting if flying else not order.held
            if order.side == side and order.book == book and counts:
                if order.group:
                    groups[order.group] = max(groups.get(order.group, 0.0), order.remaining)
                else:
                    alone += order.remaining
        return alone + sum(groups.values())

    def worst(self, side: str, book: str) -> float:
        """Return the position on a side if all that may enter there fills."""
        along = self.positions[book] * (1 if side == "buy" else -1)
        return along + self.open(side, book, flying=False)

    def room(self, side: str, book: str) -> float:
        """Return what is left to close by an order of a side."""
        along = self.positions[book] * (1 if side == "buy" else -1)
        return max(0.0, -along - self.open(side, book, flying=True)) if along < 0 else 0.0

    # ------------------------------------------------------------ what may happen

    def step(self) -> None:
        self.now += 1
        dice = self.pick.random()
        if dice < 0.4 or (dice < 0.8 and not self.orders):
            self.ask()
        elif dice < 0.72:
            self.fill(self.pick.choice(self.orders))
        elif dice < 0.8:
            self.cancel(self.pick.choice(self.orders))
        elif dice < 0.84:
            self.shrink()
        elif dice < 0.87:
            self.restart()
        else:
            self.change(self.pick.choice(DECISIONS))
        self.settle()
        self.carry_out()

    def ask(self) -> None:
        pick = self.pick
        book = pick.choice(("long", "short")) if self.hedged else ""
        side = pick.choice(("buy", "sell"))
        if (book == "long" and side == "sell") or (book == "short" and side == "buy"):
            self.seen["hedged exits"] += 1
        held = abs(self.positions[book])
        asked = pick.choice((held, 2 * held, held / 2, 0.03, 1.0, 2.5, 4.0, 7.0)) or 1.0
        flags = pick.random()
        self.send(
            Intent(
                self.now, SYMBOL, side, asked, self.positions[book], self.pendings(),
                pick.choice((100.0, 100.0, 1e-9, None)), reduce_only=flags < 0.1, close=flags > 0.9,
                book=book,
            ),
            resting=pick.random() < 0.4,
            group=f"g{pick.randrange(2)}" if pick.random() < 0.15 else "",
        )  # fmt: skip

    def send(self, intent: Intent, *, resting: bool = False, group: str = "") -> None:
        """Ask, cancel what is named, confirm, ask again, send: as bots.md 3.1 has it."""
        for _ in range(40):
            verdict = self.judge(intent)
            if not verdict.cancel_first:
                break
            self.seen["cancelled first"] += 1
            for one in verdict.cancel_first:
                self.cancel_by_id(one)
            self.tell()
            position = self.positions[intent.book]
            intent = replace(intent, position=position, pending=self.pendings())
        else:
            raise AssertionError("the gate wants to cancel for ever")
        if verdict.quantity <= 0 or self.pick.random() < 0.05:  # refused, or rejected by the venue
            return
        held = self.holds and verdict.reduce_only
        before = self.worst(intent.side, intent.book)
        order = Order(
            str(self.now * 50 + len(self.orders)), intent.side, verdict.quantity, resting, held,
            intent.book, self.now, self.period, group,
        )  # fmt: skip
        self.orders.append(order)
        self.check_worst(intent, before)

    def check_worst(self, intent: Intent, before: float) -> None:
        """G3: what may be held at worst is below the ceiling, or no more than it was."""
        if self.decision.state is State.CAUTION:
            after = self.worst(intent.side, intent.book)
            assert after <= max(self.limit(intent), before, 0.0) + NOISE, ("G3", after, before)

    def judge(self, intent: Intent) -> Verdict:
        """Ask the gate, and check what an answer alone can show."""
        room = self.room(intent.side, intent.book)
        limit = self.limit(intent)
        ends = self.hedged and (intent.book == "long") == (intent.side == "sell")
        verdict = self.asked(intent)
        granted = verdict.quantity
        if self.decision is not ACTIVE and intent.book not in self.bases:
            if intent.position:
                self.bases[intent.book] = abs(intent.position)
            elif granted:
                self.bases[intent.book] = intent.quantity
        assert 0.0 <= granted <= intent.quantity, ("G1", granted)
        exit_part = min(intent.quantity, room)
        full = exit_part >= abs(intent.position) - NOISE
        slack = 0.0 if full else self.step_size
        assert granted >= exit_part - slack - NOISE, ("G4", granted, exit_part)
        if intent.reduce_only or intent.close or ends or limit == 0.0:
            assert granted <= exit_part + NOISE, ("entered", granted, exit_part)
        assert granted >= intent.quantity or verdict.reasons, "cut without a reason"
        if self.decision.leverage_cap and not intent.price:
            self.seen[f"market orders at a {'last' if self.price else 'missing'} price"] += 1
        self.check_faults(intent, verdict)
        self.seen[f"{self.decision.state.name} {verdict.answer}"] += 1
        return verdict

    def asked(self, intent: Intent, **more: str) -> Verdict:
        return self.episodes.judge(intent, self.decision, price=self.price, **more)

    def check_faults(self, intent: Intent, verdict: Verdict) -> None:
        """G6, G7, G8: the same exit under a fault, in any order of what is open, asked again."""
        mixed = list(intent.pending)
        self.pick.shuffle(mixed)
        again = self.asked(replace(intent, pending=tuple(mixed)))
        assert again == verdict, "G7"
        if verdict.quantity and not verdict.cancel_first:
            small = self.asked(replace(intent, quantity=verdict.quantity))
            assert abs(small.quantity - verdict.quantity) <= NOISE, "G8"
        shut = gate(intent, REDUCING, step=self.step_size)
        alone = exit_alone(intent, KeyError("x"), decision=self.decision, step=self.step_size)
        failed = self.asked(intent, fault="x")
        assert alone.quantity == shut.quantity == failed.quantity, "G6"
        assert alone.cancel_first == shut.cancel_first == failed.cancel_first, "G6"
        assert alone.quantity <= verdict.quantity + NOISE, "G6"

    def fill(self, order: Order) -> None:
        """Fill an order in part or in full, as a venue does."""
        size = order.remaining * self.pick.choice((0.3, 0.5, 1.0, 1.0))
        before = self.positions[order.book]
        sign = 1 if order.side == "buy" else -1
        if order.held or (order.book and (order.book == "long") != (sign > 0)):
            size = min(size, max(0.0, -sign * before))
        if size <= NOISE:
            self.drop(order)  # the venue has nothing left to close
            return
        after = before + sign * size
        after = 0.0 if abs(after) < NOISE else after
        self.positions[order.book] = after
        if self.decision.state >= State.REDUCING and order.period == self.period:
            assert abs(after) <= abs(before) + NOISE, ("G2 grows", before, after)
            assert before * after >= -NOISE, ("G2 flips", before, after)
        self.seen["fills"] += 1
        for other in [one for one in self.orders if order.group and one.group == order.group]:
            if other.book == order.book and other.side == order.side and other is not order:
                other.remaining -= size
                if other.remaining <= NOISE or size >= order.remaining - NOISE:
                    self.drop(other)
        order.remaining -= size
        if order.remaining <= NOISE:
            self.drop(order)
        self.tell()

    def drop(self, order: Order) -> None:
        self.orders = [one for one in self.orders if one is not order]

    def cancel(self, order: Order, *, late: bool = True) -> None:
        """Cancel a resting order; one in three fills before the venue hears of it."""
        if not order.resting:
            return
        if late and self.pick.random() < 0.33:
            self.seen["late cancels"] += 1
            self.fill(order)
        self.drop(order)

    def cancel_by_id(self, one: str, *, late: bool = True) -> None:
        for order in [order for order in self.orders if order.id == one]:
            assert order.resting, "asked to cancel what is in flight"
            assert not order.held, "asked to cancel what the venue holds"
            # granted since, only what the venue closed by itself makes it too much
            self.cancel(order, late=late or order.period != self.period)

    def shrink(self) -> None:
        """Let the venue close a part of a position by itself, while nothing is in flight."""
        if any(not order.resting for order in self.orders):
            return
        for book, held in self.positions.items():
            self.positions[book] = held * self.pick.choice((0.0, 0.5, 1.0))
        self.tell()
        self.seen["closed by the venue"] += 1

    def restart(self) -> None:
        """Write what is remembered, read it in another process, see the decision again."""
        body = json.loads(json.dumps(self.episodes.dump(), allow_nan=False))
        number = self.episodes.tightening
        self.episodes = self.fresh()
        self.episodes.load(body)
        self.episodes.see(replace(self.decision))
        assert self.episodes.tightening == number, "a restart is no tightening"
        self.seen["restarts"] += 1

    def change(self, new: Decision) -> None:
        """Put another decision in force; the oracle of the ceiling follows by itself."""
        before, self.decision = self.decision, new
        self.price = self.pick.choice((None, 60.0, 100.0, 250.0))
        if new.state >= State.REDUCING and before.state < State.REDUCING:
            self.period += 1
        if new is ACTIVE:
            self.bases.clear()
        elif not self.hedged and self.positions[""]:
            self.bases.setdefault("", abs(self.positions[""]))
        if not new.reduce_by:
            self.left.clear()
        elif not before.reduce_by and not self.hedged:
            self.left[""] = (1 - new.reduce_by) * abs(self.positions[""])
        self.episodes.see(new)
        for book in self.positions:
            if book in self.bases or not self.hedged:
                ours, theirs = self.episodes.of(SYMBOL, book).ceiling(new), self.ceiling(book)
                assert math.isclose(ours, theirs, rel_tol=1e-9), ("ceiling", ours, theirs)
        self.seen["changes"] += 1

    # ------------------------------------------------------------ what the host does unasked

    def settle(self) -> None:
        """G9: nothing that rests may enlarge or flip what may be held, after every step."""
        if self.decision is ACTIVE:
            return
        for book in self.positions:
            for _ in range(40):
                names = surplus(
                    self.positions[book], self.pendings(), self.decision,
                    ceiling=self.ceiling(book), book=book,
                )  # fmt: skip
                if not names:
                    break
                for one in names:
                    self.cancel_by_id(one, late=False)
            for side, word in (("buy", "long"), ("sell", "short")):
                self.check_resting(book, side, word)

    def check_resting(self, book: str, side: str, word: str) -> None:
        closed = self.barred(word) or book not in {"", word}
        limit = 0.0 if closed else self.ceiling(book)
        loose = [one for one in self.orders if one.resting and not one.held]
        if any(one.side == side and one.book == book for one in loose):
            # what flies cannot be called back; what rests beside it can
            assert self.worst(side, book) <= limit + NOISE, ("G9", limit, loose)

    def carry_out(self) -> None:
        """G5, G10: do what is due, each once, and only what brings a position down."""
        self.episodes.see(self.decision)
        for action in self.episodes.duties(SYMBOL):
            assert action.id not in self.done, "G10"
            self.done.add(action.id)
            assert self.episodes.finish(action.id), action.id
            self.seen[action.kind] += 1
            if action.kind not in {"reduce_to", "flatten"}:
                continue
            for book, held in list(self.positions.items()):
                keep = action.fraction * self.bases.get(book, abs(held))
                size = abs(held) - keep
                if size > NOISE:
                    side = "sell" if held > 0 else "buy"
                    intent = Intent(
                        self.now, SYMBOL, side, size, held, self.pendings(), close=True, book=book
                    )
                    self.send(intent)


def play(seed: int, steps: int) -> Counter[str]:
    """Play one stream and return what happened in it."""
    stream = Stream(seed)
    for _ in range(steps):
        stream.step()
    return stream.seen
