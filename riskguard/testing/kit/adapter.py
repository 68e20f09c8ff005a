"""The second half of the contract: what must be done unasked, whatever the venue does meanwhile."""

from __future__ import annotations

from riskguard.engine.decision import State
from riskguard.testing.kit.ordering import OrderContract

__all__ = ["AdapterContract"]


class AdapterContract(OrderContract):
    """What any adapter must do; subclass it in a test file and name your `harness`.

        class TestMine(AdapterContract):
            harness = MyHarness

    Each check begins with a new harness around a new ScriptedGuard. A check of what the
    framework has no way to do is skipped, with the sentence its harness gave.
    """

    def test_a_resting_entry_does_not_fill_after_a_tightening(self) -> None:
        """An order that rests since before is cancelled, and the price that it waited for comes."""
        self.h.feed(100.0)
        rests = self.h.rest_entry(self.units(1), 95.0)
        self.equals("resting", rests, 1)
        self.guard.state(State.REDUCING)
        for price in (99.0, 98.0, 94.0, 93.0):
            self.h.feed(price)
        self.equals("position", self.h.position(), 0)

    def test_a_resting_entry_is_cancelled_before_the_position_is_reduced(self) -> None:
        """What is sold is not bought back by an order that rests."""
        self.enter(2)
        self.equals("resting", self.h.rest_entry(self.units(2), 95.0), 2)
        self.guard.state(State.CAUTION, exposure_cap=0.5)
        for price in (99.0, 98.0, 94.0, 93.0):
            self.h.feed(price)
        self.equals("position", self.h.position(), 1)

    def test_a_resting_entry_does_not_fill_while_the_guard_fails(self) -> None:
        """A broken guard is no new exposure, also by an order that rests since before."""
        self.h.feed(100.0)
        self.equals("resting", self.h.rest_entry(self.units(1), 95.0), 1)
        self.guard.boom = True
        for price in (99.0, 98.0, 94.0, 93.0):
            self.h.feed(price)
        self.equals("position", self.h.position(), 0)

    def test_a_cancelled_entry_is_seen_gone(self) -> None:
        """A cancel is told as done when no order rests any more."""
        self.h.feed(100.0)
        self.h.rest_entry(self.units(1), 95.0)
        self.guard.state(State.REDUCING)
        self.h.feed(99.0)
        self.h.feed(98.5)
        self.equals("resting", self.h.resting(), 0)
        done = [one for one in self.guard.finished if ":cancel_entries:" in one]
        self.holds(bool(done) or self.h.evaluates, "the cancel was not told as done")

    def test_a_restart_after_a_reduction_reduces_no_further(self) -> None:
        """A bot that comes back finds the half that was sold, and leaves the other."""
        self.enter(2)
        self.guard.state(State.CAUTION, exposure_cap=0.5)
        self.h.feed(99.0)
        self.h.restart()
        for price in (98.5, 98.0, 97.5):
            self.h.feed(price)
        self.equals("position", self.h.position(), 1)

    def test_a_restart_between_action_and_fill_reduces_once(self) -> None:
        """The order of before is still on its way when the bot comes back."""
        self.enter(2)
        self.guard.state(State.CAUTION, exposure_cap=0.5)
        self.h.delay()
        self.h.feed(99.0)
        self.equals("position", self.h.position(), 2)
        self.h.restart()
        self.h.feed(98.5)
        self.h.deliver()
        for price in (98.0, 97.5, 97.0):
            self.h.feed(price)
        self.equals("position", self.h.position(), 1)

    def test_an_order_in_flight_is_not_sent_again(self) -> None:
        """Sent is not done, and not to be sent twice."""
        self.enter(2)
        self.guard.state(State.CAUTION, exposure_cap=0.5)
        self.h.delay()
        self.h.feed(99.0)
        done = [one for one in self.guard.finished if ":reduce_to:" in one]
        self.holds(not done, "told as done before it was seen")
        self.h.feed(98.5)
        self.h.deliver()
        self.h.feed(98.0)
        self.equals("position", self.h.position(), 1)

    def test_a_partial_fill_is_completed(self) -> None:
        """What the venue filled only in part goes on until the position is where it should be."""
        self.enter(4)
        self.guard.state(State.CAUTION, exposure_cap=0.5)
        self.h.fill_only(0.5)
        for price in (99.0, 98.5, 98.0, 97.5, 97.0, 96.5):
            self.h.feed(price)
        self.equals("position", self.h.position(), 2)

    def test_a_refused_reduction_is_sent_again(self) -> None:
        """The venue refuses the first order; the duty stands until it is seen done."""
        self.enter(2)
        self.guard.state(State.HALTED)
        self.h.refuse()
        for price in (99.0, 98.5, 98.0, 97.5, 97.0, 96.5):
            self.h.feed(price)
        self.equals("position", self.h.position(), 0)

    def test_a_second_tightening_cuts_from_the_same_base(self) -> None:
        """A half, then a quarter: of what was held when it began, not of what is left."""
        self.enter(4)
        self.guard.state(State.CAUTION, exposure_cap=0.5)
        for price in (99.0, 98.5, 98.0):
            self.h.feed(price)
        self.equals("position", self.h.position(), 2)
        self.guard.state(State.CAUTION, exposure_cap=0.25)
        for price in (97.5, 97.0, 96.5):
            self.h.feed(price)
        self.equals("position", self.h.position(), 1)

    def test_exits_that_rest_cannot_flip_after_a_reduction(self) -> None:
        """Of two unrelated exits of the whole position neither opens the other side."""
        self.enter(2)
        self.h.rest_exits(self.units(2), self.units(2))
        self.guard.state(State.HALTED)
        for price in (99.0, 98.5, 98.0, 104.0, 110.0, 90.0):
            self.h.feed(price)
        self.equals("position", self.h.position(), 0)

    def test_an_exit_that_rests_cannot_flip_what_a_cap_has_left(self) -> None:
        """An exit of the whole position is too large for the half that is left of it."""
        self.enter(4)
        self.h.rest_exits(self.units(4))
        self.guard.state(State.CAUTION, exposure_cap=0.5)
        for price in (99.0, 98.5, 98.0, 104.0, 110.0, 90.0):
            self.h.feed(price)
        self.holds(self.h.position() >= 0, f"flipped to {self.h.position()}")
        self.at_most("position", self.h.position(), 2)

    def test_in_hedge_mode_each_book_is_judged_alone(self) -> None:
        """Longs are closed; a short may be entered beside them, and is no exit of the long."""
        self.enter(1)
        self.equals("long", self.h.held("long"), 1)
        self.guard.state(State.REDUCING)
        self.equals("sent", self.h.try_short(self.units(1)), 0)
        self.equals("long", self.h.held("long"), 1)
        self.equals("short", self.h.held("short"), 0)
        self.guard.state(State.CAUTION, block_entries="long")
        self.equals("sent", self.h.try_entry(self.units(1)), 0)
        self.equals("sent", self.h.try_short(self.units(1)), 1)
        self.equals("long", self.h.held("long"), 1)
        self.guard.state(State.HALTED)
        for price in (99.0, 98.5, 98.0):
            self.h.feed(price)
        self.equals("long", self.h.held("long"), 0)
        self.equals("short", self.h.held("short"), 0)
