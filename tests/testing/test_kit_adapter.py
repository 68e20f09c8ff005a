from __future__ import annotations

import unittest

import pytest

from riskguard.engine.events import Event
from riskguard.engine.orders import Intent
from riskguard.testing import AdapterContract, Harness, NotSupported, ScriptedGuard
from tests.adapters.paper import PaperBot, PaperVenue, Working

FIRST_TEN = (
    "test_facts_reach_the_guard",
    "test_an_entry_is_asked_and_allowed",
    "test_an_entry_is_denied",
    "test_an_entry_is_resized",
    "test_an_add_is_gated",
    "test_an_exit_passes_while_halted",
    "test_a_flip_is_not_an_exit",
    "test_a_broken_guard_lets_nothing_in_and_everything_out",
    "test_a_halt_flattens_once",
    "test_a_cap_reduces_once",
)


class PaperHarness(Harness):
    symbol = "BTC/USDT:USDT"
    hedged = False
    reduces = True
    bot_kind = PaperBot

    def __init__(self, guard: ScriptedGuard) -> None:
        super().__init__(guard)
        self.venue = PaperVenue(hedged=self.hedged, reduces=self.reduces)
        self.bot = self.bot_kind(guard, self.venue)
        self.book = "long" if self.hedged else ""

    def feed(self, price: float) -> None:
        self.bot.bar(price)

    def try_entry(self, quantity: float) -> float:
        return self.bot.order(Working("", "buy", quantity, book=self.book))

    def try_exit(self, quantity: float) -> float:
        return self.bot.order(Working("", "sell", quantity, book=self.book))

    def position(self) -> float:
        return self.venue.books[self.book]

    def rest_entry(self, quantity: float, price: float) -> float:
        return self.bot.order(Working("", "buy", quantity, price, book=self.book))

    def resting(self) -> float:
        return sum(one.left for one in self.venue.orders.values() if one.side == "buy")

    def restart(self) -> None:
        self.bot = self.bot_kind(self.guard, self.venue)

    def delay(self) -> None:
        self.venue.delayed = 1

    def deliver(self) -> None:
        self.venue.deliver()

    def fill_only(self, share: float) -> None:
        self.venue.share = share

    def refuse(self) -> None:
        self.venue.refuses = 1

    def exits_together(self, *quantities: float) -> float:
        self.venue.delayed = len(quantities)
        sent = sum(self.try_exit(quantity) for quantity in quantities)
        self.venue.deliver()
        return sent

    def rest_exits(self, *quantities: float) -> float:
        sent = 0.0
        for quantity in quantities:
            order = Working("", "sell", quantity, 105.0, book=self.book)
            self.venue.place(order)  # from before the adapter was there
            sent += quantity
        return sent

    def denials(self) -> list[str]:
        return self.bot.said


class HedgedHarness(PaperHarness):
    hedged = True

    def held(self, book: str) -> float:
        return self.venue.books[book]

    def try_short(self, quantity: float) -> float:
        return self.bot.order(Working("", "sell", quantity, book="short"))


class PlainHarness(PaperHarness):
    """A venue that knows no reduce-only."""

    reduces = False


class TestPaper(AdapterContract):
    harness = PaperHarness


class TestHedgedPaper(AdapterContract):
    harness = HedgedHarness


class TestPaperWithoutReduceOnly(AdapterContract):
    harness = PlainHarness


# ---------------------------------------------------------------- the kit must be able to fail


class NaiveBot(PaperBot):
    """What a hurried author writes: asks of every order whether it may "open", lets errors pass.

    And repeats each action at every bar, of the position as it is then.
    """

    def bar(self, price: float) -> None:
        self.venue.quote(price)
        try:
            self.desk.take(Event(1, "mark", self.symbol, {"price": price}))
            for action in self.desk.poll(self.symbol):
                if action.kind in ("reduce_to", "flatten"):
                    self.venue.place(Working("", "sell", 1 - action.fraction))
        except Exception:  # noqa: BLE001 - that is the point
            pass

    def order(self, order: Working) -> float:
        try:
            asked = Intent(1, self.symbol, order.side, order.left, 0.0)
            allowed = self.desk.decide(asked).answer != "deny"
        except Exception:  # noqa: BLE001 - that is the point
            allowed = True
        if allowed:
            self.venue.place(order)
        return order.left if allowed else 0.0


class NaiveHarness(PaperHarness):
    bot_kind = NaiveBot


def failed(harness: type[Harness], names: tuple[str, ...]) -> list[str]:
    """Run checks of the contract as a runner would; return those that failed."""

    class Contract(AdapterContract):
        pass

    Contract.harness = harness
    found = []
    for name in names:
        contract = Contract()
        contract.setup_method()
        try:
            getattr(contract, name)()
        except unittest.SkipTest:
            pass
        except Exception:  # noqa: BLE001 - a runner calls that failed too
            found.append(name)
        finally:
            contract.teardown_method()
    return found


def test_a_naive_adapter_fails_at_least_five_of_the_first_ten(measured) -> None:
    found = failed(NaiveHarness, FIRST_TEN)
    measured(f"kit: a naive adapter fails {len(found)} of the first 10 checks")
    assert len(found) >= 5
    assert failed(PaperHarness, FIRST_TEN) == []


def test_a_check_that_a_framework_cannot_run_is_skipped_by_its_sentence() -> None:
    class Bare(PaperHarness):
        def rest_entry(self, quantity: float, price: float) -> float:
            return Harness.rest_entry(self, quantity, price)

    with pytest.raises(NotSupported, match="no order rests in this framework"):
        Bare(ScriptedGuard()).rest_entry(1.0, 95.0)


def test_every_check_says_in_a_sentence_what_it_holds() -> None:
    checks = [getattr(AdapterContract, name) for name in dir(AdapterContract) if "test_" in name]
    assert len(checks) >= 25
    assert all(check.__doc__ and check.__doc__.endswith(".") for check in checks)
    assert set(FIRST_TEN) <= {check.__name__ for check in checks}
