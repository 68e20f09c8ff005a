"""The five leaks known in other frameworks, each played on a venue: bots.md 1.2, 1.3 and 4."""

from __future__ import annotations

import pytest

from riskguard.engine.decision import Decision, State
from riskguard.engine.episodes import Episodes
from riskguard.engine.gate import Intent, Pending, surplus

REDUCING = Decision(
    1, "BTC", state=State.REDUCING, block_entries="both", winners={"block_entries": ("rule",)}
)
HALTED = Decision(1, "BTC", state=State.HALTED, exposure_cap=0.0, block_entries="both")
STRICT = pytest.mark.parametrize("decision", [REDUCING, HALTED], ids=["REDUCING", "HALTED"])


class Book:
    """A position and its open orders; what is sent goes through the gate, cancels first."""

    def __init__(self, decision: Decision, position: float, *orders: Pending) -> None:
        self.episodes, self.decision = Episodes(), decision
        self.position, self.orders = position, list(orders)
        self.episodes.see(decision, {"BTC": position})
        self.sent = 0

    def send(self, side: str, quantity: float, *, resting: bool = False) -> float:
        verdict = self.ask(side, quantity)
        while verdict.cancel_first:
            self.orders = [one for one in self.orders if one.id not in verdict.cancel_first]
            verdict = self.ask(side, quantity)
        if verdict.quantity:
            self.sent += 1
            one = Pending(f"new {self.sent}", side, verdict.quantity, resting, ts=self.sent)
            self.orders.append(one)
        return verdict.quantity

    def ask(self, side: str, quantity: float):
        intent = Intent(0, "BTC", side, quantity, self.position, tuple(self.orders))
        return self.episodes.judge(intent, self.decision)

    def fill_all(self) -> None:
        for order in self.orders:
            self.position += order.remaining if order.side == "buy" else -order.remaining
        self.orders = []


@STRICT
@pytest.mark.parametrize("position", [1.0, 3.0])
def test_leak_two_same_bar_sells_do_not_turn_a_long_into_a_short(decision, position) -> None:
    book = Book(decision, position)
    granted = book.send("sell", 2.0) + book.send("sell", 2.0)
    book.fill_all()
    assert (granted, book.position) == (position, 0.0)


@STRICT
def test_leak_an_entry_resting_since_active_does_not_fill_while_reducing(decision) -> None:
    book = Book(decision, 1.0, Pending("old", "buy", 2.0, resting=True))
    kinds = [action.kind for action in book.episodes.duties("BTC")]
    assert kinds[0] == "cancel_entries"
    gone = surplus(book.position, book.orders, decision)
    book.orders = [one for one in book.orders if one.id not in gone]
    book.fill_all()
    assert (gone, book.position) == (("old",), 1.0)


@STRICT
@pytest.mark.parametrize(("position", "side", "size"), [(1.0, "sell", 3.0), (-5.0, "buy", 12.0)])
def test_leak_an_oversize_exit_does_not_flip_the_position(decision, position, side, size) -> None:
    book = Book(decision, position)
    assert book.send(side, size) == abs(position)
    book.fill_all()
    assert book.position == 0.0


@STRICT
@pytest.mark.parametrize("side", ["buy", "sell"])
def test_leak_nothing_is_added_from_flat_while_reducing(decision, side) -> None:
    book = Book(decision, 0.0)
    assert book.send(side, 1.0) == 0.0
    assert book.send(side, 1.0, resting=True) == 0.0
    assert book.orders == []


@STRICT
def test_leak_cancel_then_close_does_not_lose_the_close(decision) -> None:
    target, stop = (Pending(one, "sell", 10.0, resting=True, group="oco") for one in ("tp", "sl"))
    book = Book(decision, 10.0, target, stop)
    assert book.send("sell", 10.0) == 10.0
    assert [order.id for order in book.orders] == ["new 1"]
    book.fill_all()
    assert book.position == 0.0


@STRICT
def test_an_add_sent_as_an_order_of_its_own_is_no_exit(decision) -> None:
    book = Book(decision, 2.0)
    assert book.send("buy", 1.0) == 0.0
    assert book.send("sell", 0.5) == 0.5
