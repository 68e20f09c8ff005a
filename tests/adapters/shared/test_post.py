from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from riskguard import Intent, Pending, State
from riskguard.adapters.shared.post import Post, closing
from riskguard.adapters.shared.venue import Order
from riskguard.adapters.shared.vetoes import Fault
from riskguard.testing import ScriptedGuard

TS = 1_767_225_600_000_000_000


class Venue:
    """Fills a reduction at once."""

    def __init__(self, held: float = 0.0, *orders: Pending) -> None:
        self.held, self.orders, self.broken = held, list(orders), False

    def position(self, _: str) -> float:
        if self.broken:
            raise ConnectionError("no answer")
        return self.held

    def pending(self, _: str) -> Sequence[Pending]:
        return list(self.orders)

    def cancel(self, _: str, order_id: str) -> None:
        self.orders = [one for one in self.orders if one.id != order_id]

    def submit(self, order: Order) -> str:
        self.held += order.quantity if order.side == "buy" else -order.quantity
        return "own"

    def now(self) -> int:
        return TS


def post(guard: ScriptedGuard | None = None, say: object = None) -> Post:
    found = Post("BTC", say=say)  # type: ignore[arg-type]  # a test's own
    if guard is not None:
        found.desk = guard
        found.works()
    return found


def intent(side: str, quantity: float, held: float = 0.0) -> Intent:
    return Intent(TS, "BTC", side, quantity, held)


def test_before_there_is_a_desk_nothing_enters_and_exits_pass() -> None:
    found = post()
    assert found.judge(intent("buy", 1.0)).quantity == 0
    assert found.judge(intent("sell", 3.0, 2.0)).quantity == 2.0
    assert not found.free(TS)
    assert found.enforce(Venue(1.0)) is None
    assert [one.granted for one in found.vetoes] == [0.0, 2.0]


def test_a_refusal_is_kept_and_told_in_both_logs(caplog: pytest.LogCaptureFixture) -> None:
    guard, said = ScriptedGuard(), list[str]()
    guard.state(State.REDUCING)
    found = post(guard, said.append)
    with caplog.at_level(logging.INFO, "riskguard"):
        found.judge(intent("buy", 2.0))
    text = "riskguard: buy 2 BTC refused: reduce_only True <- test"
    assert said == [text]
    assert [one.getMessage() for one in caplog.records] == [text]
    guard.state(State.CAUTION, exposure_cap=0.25)
    found.judge(intent("buy", 4.0))
    assert said[1].startswith("riskguard: buy 4 BTC cut to 1: exposure_cap 25%")
    assert [(one.asked, one.granted) for one in found.vetoes] == [(2.0, 0.0), (4.0, 1.0)]


def test_a_log_of_the_framework_that_fails_stops_nothing() -> None:
    def broken(_: str) -> None:
        raise OSError("disk full")

    guard = ScriptedGuard()
    guard.state(State.HALTED)
    assert post(guard, broken).judge(intent("buy", 1.0)).quantity == 0


def test_a_desk_that_raises_lets_nothing_in_until_it_works_again() -> None:
    guard = ScriptedGuard()
    found = post(guard)
    assert found.free(TS)
    guard.boom = True
    assert found.judge(intent("buy", 1.0)).quantity == 0
    assert found.judge(intent("sell", 2.0, 2.0)).quantity == 2.0
    guard.boom = False
    assert found.judge(intent("buy", 1.0)).quantity == 0  # it has not heard a bar since
    assert not found.free(TS)
    found.works()
    assert found.judge(intent("buy", 1.0)).quantity == 1.0
    assert found.faults == [Fault(TS, "Broken: the guard is broken")]


def test_duties_are_done_and_what_rests_goes_while_the_guard_fails() -> None:
    guard, entry = ScriptedGuard(), Pending("e", "buy", 1.0, resting=True)
    stop = Pending("s", "sell", 2.0, resting=True, reduce_only=True)
    found, venue = post(guard), Venue(2.0, entry, stop)
    found.failed(TS, RuntimeError("torn feed"))
    found.enforce(venue)
    assert venue.orders == [stop]
    assert venue.held == 2.0
    found.works()
    guard.state(State.CAUTION, exposure_cap=0.5)
    assert found.enforce(venue).settled  # type: ignore[union-attr]  # there is a desk
    assert venue.held == 1.0


def test_a_venue_that_gives_no_answer_is_a_fault_and_tried_again() -> None:
    guard, venue = ScriptedGuard(), Venue(2.0, Pending("e", "buy", 1.0, resting=True))
    found = post(guard)
    found.failed(TS, RuntimeError("torn feed"))
    venue.broken = True
    found.enforce(venue)
    assert any("no answer" in one.text for one in found.faults)
    venue.broken = False
    found.enforce(venue)
    assert venue.orders == []


def test_what_closes_is_less_what_is_on_its_way_out() -> None:
    flying = Pending("f", "sell", 1.0, resting=False)
    resting = Pending("r", "sell", 9.0, resting=True)
    assert closing(3.0, "sell", 5.0, [flying, resting]) == 2.0
    assert closing(3.0, "sell", 1.0, [flying]) == 1.0
    assert closing(1.0, "sell", 5.0, [flying]) == 0.0
    assert closing(3.0, "buy", 5.0, []) == 0.0
    assert closing(-3.0, "buy", 5.0, [flying]) == 3.0
