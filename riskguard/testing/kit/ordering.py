"""The first half of the contract of an adapter: facts come in, orders of the bot are judged."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from riskguard.engine.decision import State
from riskguard.engine.orders import number
from riskguard.market import DAY, HOUR, coin
from riskguard.testing.kit.harness import NotSupported
from riskguard.testing.kit.scripted import ScriptedGuard

if TYPE_CHECKING:
    from riskguard.engine.orders import Intent
    from riskguard.testing.kit.harness import Harness

__all__ = ["OrderContract"]

PAST = 10**18  # ns: September 2001


class OrderContract:
    """What an adapter must do with facts, and with the orders of the bot."""

    harness: Any = None  # a class of Harness

    def setup_method(self) -> None:
        """Begin a bot under a guard that limits nothing."""
        self.guard = self.make_guard()
        self.h: Harness = self.harness(self.guard)

    def teardown_method(self) -> None:
        """End it."""
        self.h.close()

    def make_guard(self) -> ScriptedGuard:
        """Return the desk of a check; override it to name instruments."""
        return ScriptedGuard()

    # ------------------------------------------------------------ words of the checks

    def units(self, count: float) -> float:
        """Return a quantity of so many units of the harness."""
        return count * self.h.unit

    def same(self, found: float, count: float) -> bool:
        """Say whether a quantity is so many units, within the tolerance of the harness."""
        wanted = self.units(count)
        return math.isclose(
            found, wanted, rel_tol=self.h.tolerance, abs_tol=self.h.unit * self.h.tolerance
        )

    def holds(self, truth: bool, otherwise: str) -> None:  # noqa: FBT001 - as assert has it
        """Check something; said aloud, and not left out by `python -O`."""
        if not truth:
            raise AssertionError(otherwise)

    def equals(self, what: str, found: float, count: float) -> None:
        """Check that a quantity is so many units."""
        self.holds(self.same(found, count), f"{what}: {found}, not {self.units(count)}")

    def at_most(self, what: str, found: float, count: float) -> None:
        """Check that a quantity is no more than so many units."""
        most = self.units(count) * (1 + self.h.tolerance)
        self.holds(found <= most, f"{what}: {found}, above {self.units(count)}")

    def enter(self, count: float) -> None:
        """Begin with a position of so many units, which nothing limits."""
        self.h.feed(100.0)
        sent = self.h.try_entry(self.units(count))
        self.equals("sent unhindered", sent, count)
        self.equals("position", self.h.position(), count)

    def last(self) -> Intent:
        """Return the last order that the guard was asked about."""
        self.holds(bool(self.guard.intents), "no order was asked of the guard")
        return self.guard.intents[-1]

    # ------------------------------------------------------------ the first ten

    def test_facts_reach_the_guard(self) -> None:
        """A price comes as an event with the time it is of, and nothing is told that is wrong."""
        self.h.feed(100.0)
        self.h.feed(99.0)
        prices = [one for one in self.guard.events if one.kind in {"bar", "trade", "mark"}]
        self.holds(bool(prices), "no bar, trade or mark was told")
        timed = all(type(one.ts) is int and one.ts > PAST for one in prices)
        self.holds(timed, "ts is int nanoseconds UTC of the event")
        self.holds(all(one.symbol for one in prices), "an event names its symbol")
        self.holds(not self.guard.refused, f"told and refused: {self.guard.refused}")

    def test_an_entry_is_asked_and_allowed(self) -> None:
        """What nothing limits goes out as asked, and the guard has seen it."""
        self.guard.state(State.CAUTION, block_entries="short")
        self.enter(1)
        asked = self.last()
        self.holds(asked.side == "buy", f"side {asked.side}")
        self.equals("quantity asked", asked.quantity, 1)
        self.equals("position asked on", asked.position, 0)
        self.holds(asked.ts > PAST, "ts of an order is int nanoseconds UTC")

    def test_an_entry_is_denied(self) -> None:
        """While reducing nothing enters."""
        self.h.feed(100.0)
        self.guard.state(State.REDUCING)
        self.equals("sent", self.h.try_entry(self.units(1)), 0)
        self.equals("position", self.h.position(), 0)

    def test_an_entry_is_resized(self) -> None:
        """Under a cap of a quarter a quarter goes out; a framework may deny, never send more."""
        self.h.feed(100.0)
        self.guard.state(State.CAUTION, exposure_cap=0.25)
        sent = self.h.try_entry(self.units(4))
        self.holds(sent == 0 or self.same(sent, 1), f"sent {sent} of {self.units(4)}")
        self.equals("position", self.h.position(), sent / self.h.unit)

    def test_a_cap_of_leverage_is_a_ceiling(self) -> None:
        """Where the account is told, no more is entered than the equity carries at a price told."""
        for _ in range(3):
            self.h.feed(100.0)
        equity = self.guard.episodes.equity
        if equity is None:
            raise NotSupported("no equity is told to the desk")
        self.guard.state(State.CAUTION, leverage_cap=self.units(2) * 100.0 / equity)
        sent = self.h.try_entry(self.units(4))
        self.at_most("sent", sent, 2)
        self.at_most("position", self.h.position(), 2)
        price = self.last().price
        self.holds(number(price) > 0, f"price {price!r} of a market order: tell the last one")

    def test_an_add_is_gated(self) -> None:
        """An order that adds to a position is an entry as any other."""
        self.enter(2)
        self.guard.state(State.REDUCING)
        self.equals("sent", self.h.try_entry(self.units(1)), 0)
        self.equals("position", self.h.position(), 2)

    def test_an_exit_passes_while_halted(self) -> None:
        """The bot can always leave by itself, however strict the state."""
        self.enter(1)
        self.guard.state(State.REDUCING)
        self.equals("sent", self.h.try_exit(self.units(1)), 1)
        self.equals("position", self.h.position(), 0)
        self.guard.state(State.ACTIVE)
        self.enter(2)
        self.guard.state(State.HALTED)
        self.at_most("sent", self.h.try_exit(self.units(2)), 2)  # the guard may have been faster
        self.equals("position", self.h.position(), 0)
        self.equals("sent", self.h.try_entry(self.units(1)), 0)
        self.equals("position", self.h.position(), 0)

    def test_a_flip_is_not_an_exit(self) -> None:
        """Of an exit larger than the position only the position goes out."""
        self.enter(1)
        self.guard.state(State.REDUCING)
        sent = self.h.try_exit(self.units(3))
        self.at_most("sent", sent, 1)
        self.holds(self.h.position() >= 0, f"flipped to {self.h.position()}")

    def test_a_broken_guard_lets_nothing_in_and_everything_out(self) -> None:
        """Whatever the guard raises: no new exposure, and exits pass."""
        self.enter(1)
        self.guard.boom = True
        self.equals("sent", self.h.try_entry(self.units(1)), 0)
        self.equals("position", self.h.position(), 1)
        self.equals("sent", self.h.try_exit(self.units(1)), 1)
        self.equals("position", self.h.position(), 0)

    def test_a_halt_flattens_once(self) -> None:
        """A halt closes the position unasked, and then leaves it alone."""
        self.enter(2)
        self.guard.state(State.HALTED)
        for price in (99.0, 98.5, 98.0, 97.5):
            self.h.feed(price)
        self.equals("position", self.h.position(), 0)
        kinds = [one.split(":")[2] for one in self.guard.finished]
        self.holds(kinds.count("flatten") <= 1, f"said to be done: {self.guard.finished}")

    def test_a_cap_reduces_once(self) -> None:
        """A cap of a half sells a half, however many bars follow."""
        self.enter(2)
        self.guard.state(State.CAUTION, exposure_cap=0.5)
        for price in (99.0, 98.5, 98.0, 97.5):
            self.h.feed(price)
        self.equals("position", self.h.position(), 1)

    # ------------------------------------------------------------ orders of the bot

    def test_averaging_down_adds_nothing_while_reducing(self) -> None:
        """A strategy that buys each fall gets nothing while the state says reduce."""
        self.enter(1)
        self.guard.state(State.REDUCING)
        for price in (98.0, 96.0, 94.0):
            self.h.feed(price)
            self.equals("sent", self.h.try_entry(self.units(1)), 0)
        self.equals("position", self.h.position(), 1)

    def test_what_was_sold_is_not_bought_back_under_a_cap(self) -> None:
        """A strategy that rebuilds to its target stays under the ceiling."""
        self.enter(4)
        self.guard.state(State.CAUTION, exposure_cap=0.5)
        self.h.feed(99.0)
        self.h.feed(98.5)
        self.h.try_entry(self.units(2))
        self.at_most("position", self.h.position(), 2)

    def test_it_enters_again_when_nothing_limits_any_more(self) -> None:
        """The way back: after the limit is gone the same order passes as asked."""
        self.enter(1)
        self.guard.state(State.HALTED)
        for price in (99.0, 98.5, 98.0):
            self.h.feed(price)
        self.equals("sent", self.h.try_entry(self.units(1)), 0)
        self.guard.state(State.ACTIVE)
        self.h.feed(99.0)
        self.equals("sent", self.h.try_entry(self.units(1)), 1)

    def test_two_exits_in_one_bar_do_not_flip(self) -> None:
        """What is on its way out cannot go out again."""
        self.enter(1)
        self.guard.state(State.REDUCING)
        sent = self.h.exits_together(self.units(1), self.units(1))
        self.at_most("sent", sent, 1)
        self.holds(self.h.position() >= 0, f"flipped to {self.h.position()}")

    def test_a_stop_of_a_bracket_is_no_larger_than_its_entry(self) -> None:
        """Where an entry is cut, what protects it is cut with it, or it opens the other side."""
        self.h.feed(100.0)
        self.guard.state(State.CAUTION, exposure_cap=0.25)
        entered, stop = self.h.bracket(self.units(4))
        self.holds(entered == 0 or self.same(entered, 1), f"entered {entered}")
        self.at_most("stop", stop, entered / self.h.unit)

    def test_an_old_decision_lets_nothing_in(self) -> None:
        """Each order is asked with the time of now: it is what a stale guard is known by."""
        if self.h.evaluates:
            raise NotSupported("the adapter decides at each bar itself: no decision is old")
        self.enter(1)
        self.guard.age(30 * DAY, HOUR)
        self.equals("sent", self.h.try_entry(self.units(1)), 0)
        self.equals("sent", self.h.try_exit(self.units(1)), 1)

    def test_the_guard_knows_the_symbol(self) -> None:
        """Events and orders come under one name, which names the coin that rules guard."""
        self.guard.state(State.CAUTION, block_entries="short")
        self.enter(1)
        told = {coin(one.symbol.partition(" ")[0]) for one in self.guard.events}
        named = {coin(one.symbol) for one in self.guard.intents}
        wanted = coin(self.h.symbol or "BTC")
        self.holds(named == {wanted}, f"orders name {named}, not {wanted}")
        self.holds(told <= {wanted, "*"}, f"events name {told}, not {wanted}")

    def test_a_denial_is_told(self) -> None:
        """A refused order is told in the framework's own words, with the rule that refused it."""
        self.h.feed(100.0)
        self.guard.state(State.REDUCING)
        self.h.try_entry(self.units(1))
        text = self.guard.verdicts[-1].reasons[0].text
        said = self.h.denials()
        self.holds(any(text in one for one in said), f"not told: {text!r}; said: {said}")
