"""What an answer tells, word for word, and where rounding takes something and where it may not."""

from __future__ import annotations

from dataclasses import replace
from math import nan

import pytest

from riskguard.engine.decision import Decision, Reading, State
from riskguard.engine.gate import Intent, Pending, Reason, Verdict, exit_alone, gate, surplus
from riskguard.market import HOUR
from tests.engine.decisions import ACTIVE, HALTED, REDUCING, decision

CAPPED = decision(State.CAUTION, exposure_cap=0.5)
RULES = ACTIVE.rules


def intent(side: str, quantity: float, position: float, *pending: Pending, **more) -> Intent:
    return Intent(0, "BTC", side, quantity, position, tuple(pending), price=100.0, **more)


def reasons(asked: Intent, decided: Decision, **more: object) -> list[Reason]:
    return list(gate(asked, decided, **more).reasons)


# ---------------------------------------------------------------- the whole answer


def test_an_order_that_is_allowed_is_answered_in_full() -> None:
    stands = replace(ACTIVE, ts=5, latched=True, leverage_cap=3.0)
    whole = {
        "answer": "allow", "quantity": 2.0, "effect": "open", "reduce_only": False,
        "cancel_first": (), "state": State.ACTIVE, "latched": True, "max_leverage": 3.0,
        "rules": RULES,
    }  # fmt: skip
    asked = intent("buy", 2.0, 0.0)
    assert gate(asked, stands, equity=70.0) == Verdict(**whole, as_of=5)
    assert gate(asked, stands, equity=70.0, as_of=7) == Verdict(**whole, as_of=7)


def test_an_order_that_is_cut_is_answered_in_full() -> None:
    assert gate(intent("buy", 3.0, 1.0), CAPPED, ceiling=1.5) == Verdict(
        "resize", 0.5, "add", reduce_only=False, cancel_first=(), state=State.CAUTION,
        latched=False, as_of=0, rules=RULES,
        reasons=(Reason("rule", "rule", "exposure_cap 50% <- rule", 1.0, 1.5, "units"),),
    )  # fmt: skip


def test_only_what_closes_under_a_limit_is_sent_as_reduce_only() -> None:
    assert not gate(intent("sell", 1.0, 2.0), ACTIVE).reduce_only
    assert gate(intent("sell", 1.0, 2.0), CAPPED).reduce_only
    assert gate(intent("sell", 2.0, 2.0), CAPPED).reduce_only
    assert not gate(intent("sell", 3.0, 2.0), CAPPED).reduce_only
    assert not gate(intent("buy", 1.0, 0.0), CAPPED).reduce_only


def test_a_fault_is_at_least_reducing_and_a_stricter_state_stays() -> None:
    for stands, state in ((ACTIVE, State.REDUCING), (CAPPED, State.REDUCING)):
        assert gate(intent("sell", 1.0, 1.0), stands, fault="no clock").state is state
        assert gate(intent("sell", 1.0, 1.0), stands).state is stands.state
    assert gate(intent("sell", 1.0, 1.0), HALTED, fault="no clock").state is State.HALTED


# ---------------------------------------------------------------- why


def test_an_order_that_may_only_close_says_how_much_is_left() -> None:
    told = [Reason("order", "", "may only close: 2 left to close")]
    assert reasons(intent("sell", 5.0, 2.0, reduce_only=True), ACTIVE) == told


def test_what_the_venue_takes_away_is_told_as_the_venue_s() -> None:
    told = [Reason("venue", "", "steps of 0.1, at least 0")]
    assert reasons(intent("buy", 0.37, 0.0), ACTIVE, step=0.1) == told
    least = [Reason("venue", "", "steps of 0, at least 0.5")]
    assert reasons(intent("buy", 0.37, 0.0), ACTIVE, min_quantity=0.5) == least


def test_a_fault_is_told_before_the_rules_that_refuse_as_well() -> None:
    assert reasons(intent("buy", 1.0, 0.0), REDUCING, fault="no clock") == [
        Reason("guard_error", "", "no clock"),
        Reason("rule", "rule", "reduce_only True <- rule"),
    ]


def test_a_limit_that_nobody_set_is_told_in_units() -> None:
    nobody = replace(CAPPED, winners={})
    told = [Reason("rule", "", "1 of 1.5 taken")]
    assert reasons(intent("buy", 3.0, 1.0), nobody, ceiling=1.5) == told


def test_what_the_guard_cannot_see_is_told_before_what_rules_forbid() -> None:
    age = Reading("blind", "oi", 12.0 * HOUR, 8.0 * HOUR, None, "true")
    other = Reading("blind", "funding", None, 8.0 * HOUR, None, "true")
    unseen = replace(
        REDUCING, blind=("oi", "funding", "liq.long"), priming=("a has 1d of 2d",),
        reasons=(age, other), leverage_cap=2.0, reduce_by=0.25, block_entries="both",
        winners={"block_entries": ("priming", "x"), "leverage_cap": ("y",), "reduce_by": ("z",)},
    )  # fmt: skip
    assert reasons(intent("buy", 1.0, 0.0), unseen) == [
        Reason("blind", "", "blind: oi (12h > 8h)"),
        Reason("blind", "", "blind: funding"),
        Reason("blind", "", "blind: liq.long"),
        Reason("priming", "", "priming: a has 1d of 2d"),
        Reason("rule", "z", "reduce_by 25% <- z", 0.0, 0.0, "units"),
        Reason("rule", "y", "leverage_cap 2.0 <- y"),
    ]


def test_only_the_fields_that_forbid_this_side_are_named() -> None:
    sided = replace(
        ACTIVE, state=State.CAUTION, close="shorts", block_entries="long",
        winners={"close": ("a",), "block_entries": ("b", "c")},
    )  # fmt: skip
    assert reasons(intent("buy", 1.0, 0.0), sided) == [
        Reason("rule", "b", "block_entries long <- b"),
    ]
    assert reasons(intent("sell", 1.0, 0.0), sided) == [
        Reason("rule", "a", "close shorts <- a"),
    ]


@pytest.mark.parametrize(
    "cause", ["guard_error", "manual", "state_lost", "degraded", "remote_down"]
)
def test_what_is_no_rule_is_told_as_the_cause_itself(cause) -> None:
    halted = replace(HALTED, winners={"exposure_cap": (cause, "x")})
    assert reasons(intent("buy", 1.0, 0.0), halted) == [
        Reason(cause, "", f"exposure_cap 0% <- {cause}", 0.0, 0.0, "units")
    ]


def test_a_block_of_both_sides_holds_whatever_the_state_says() -> None:
    for stands in (replace(ACTIVE, block_entries="both"), replace(ACTIVE, close="all")):
        for side in ("buy", "sell"):
            assert gate(intent(side, 1.0, 0.0), stands).answer == "deny"
            assert gate(intent(side, 1.0, 1.0 if side == "sell" else -1.0), stands).quantity == 1


# ---------------------------------------------------------------- what fails inside


def test_an_order_that_cannot_be_judged_is_answered_by_its_exit() -> None:
    stands = replace(HALTED, ts=5, latched=True)
    odd = replace(intent("sell", 3.0, 2.5), price=nan)
    whole = {
        "answer": "resize", "quantity": 2.5, "effect": "flip", "reduce_only": True,
        "cancel_first": (), "state": State.HALTED, "latched": True, "rules": RULES,
        "reasons": (Reason("absurd", "", "price nan: a finite number is needed, or None"),),
    }  # fmt: skip
    assert gate(odd, stands) == Verdict(**whole, as_of=5)
    assert gate(odd, stands, as_of=9) == Verdict(**whole, as_of=9)
    assert gate(replace(odd, quantity=1.5), stands, step=1.0).quantity == 1.0


def test_the_last_resort_knows_nothing_of_rules_it_was_not_given() -> None:
    for asked, quantity, effect in (
        (None, 0.0, "reduce"),
        (intent("sell", 1.5, 1.5), 1.5, "close"),
    ):
        answer = "allow" if quantity else "deny"
        assert exit_alone(asked, KeyError("x")) == Verdict(
            answer, quantity, effect, reduce_only=True, cancel_first=(), state=State.REDUCING,
            latched=False, reasons=(Reason("guard_error", "", "KeyError: 'x'"),),
        )  # fmt: skip
    assert exit_alone(intent("sell", 0.5, 1.5), KeyError("x")).quantity == 0.5
    part = exit_alone(intent("sell", 3.0, 0.5), KeyError("x"))
    assert (part.answer, part.quantity, part.effect) == ("resize", 0.5, "flip")
    only = exit_alone(intent("buy", 1.0, 2.0, reduce_only=True), KeyError("x"))
    assert (only.answer, only.effect) == ("deny", "reduce")


def test_an_error_that_cannot_be_shown_is_told_as_one() -> None:
    class MuteError(Exception):
        def __str__(self):
            raise RuntimeError

    told = (Reason("guard_error", "", "failed inside"),)
    assert exit_alone(intent("sell", 1.0, 1.0), MuteError()).reasons == told


def test_the_last_resort_cancels_for_the_exit_it_grants_and_for_no_other() -> None:
    target = Pending("t", "sell", 3.0, resting=True)
    small = Pending("s", "sell", 0.5, resting=True)
    error = KeyError("x")
    assert exit_alone(intent("sell", 3.0, 3.0, target), error).cancel_first == ("t",)
    assert exit_alone(intent("sell", 3.0, 3.0, small), error).cancel_first == ("s",)
    dust = exit_alone(intent("sell", 0.03, 3.0, target), error, step=1.0)
    assert (dust.quantity, dust.cancel_first) == (0.0, ())


# ---------------------------------------------------------------- to the last digit


def test_an_exit_that_is_a_hair_larger_than_the_position_passes_as_it_was_asked() -> None:
    for asked, position in ((0.1 + 0.2, 0.3), (3e6 + 1e-9, 3e6)):
        verdict = gate(intent("sell", asked, position), HALTED)
        assert (verdict.answer, verdict.quantity) == ("allow", asked)


def test_a_reversal_is_granted_whole_whatever_float_makes_of_its_parts() -> None:
    for asked, position in ((5.2, 1.1), (3463922.6, 1201741.8)):
        assert position + (asked - position) != asked
        assert gate(intent("sell", asked, position), ACTIVE).quantity == asked


def test_small_orders_are_orders() -> None:
    asked, half = intent("buy", 1e-8, 0.0), intent("sell", 1e-8, 5e-9)
    assert gate(asked, ACTIVE).quantity == 1e-8
    assert gate(asked, REDUCING).quantity == 0.0
    assert reasons(asked, REDUCING)[0].cause == "rule"
    assert gate(half, REDUCING).quantity == 5e-9


def test_a_half_unit_of_an_order_is_granted_where_more_is_not() -> None:
    verdict = gate(intent("buy", 3.0, 0.0), CAPPED, ceiling=0.5)
    assert (verdict.answer, verdict.quantity) == ("resize", 0.5)


def test_an_entry_of_just_the_least_order_is_let_in() -> None:
    for least in (0.1, 0.3, 7.0):
        assert (
            gate(intent("buy", 9.0, 0.0), CAPPED, ceiling=least, min_quantity=least).quantity
            == least
        )
    assert gate(intent("buy", 9.0, 0.0), CAPPED, ceiling=0.1, min_quantity=0.11).quantity == 0.0


@pytest.mark.parametrize("size", [0.3, 2.0, 1e6])
def test_what_just_fills_the_limit_is_not_cancelled_for_an_exit(size) -> None:
    entry = Pending("e", "buy", size, resting=True)
    later = Pending("f", "buy", 0.5, resting=True, ts=1)
    assert gate(intent("buy", 1.0, -1.0, entry), CAPPED, ceiling=size).cancel_first == ()
    assert gate(intent("buy", 1.0, -1.0, entry, later), CAPPED, ceiling=size).cancel_first == ("f",)


def test_of_orders_sent_at_once_the_one_with_the_greater_id_is_the_newer() -> None:
    one, two = Pending("a", "sell", 3.0, resting=True), Pending("b", "sell", 1.0, resting=True)
    for pending in ((one, two), (two, one)):
        assert gate(intent("sell", 1.0, 4.0, *pending), REDUCING).cancel_first == ("b",)


@pytest.mark.parametrize(
    ("asked", "position", "effect"),
    [(2.0, 2.0, "close"), (3.0, 2.0, "close"), (0.5, 0.5, "close"), (2.0, 3.0, "reduce")],
)
def test_an_order_that_may_only_close_closes_where_it_takes_all_that_is_left(
    asked, position, effect
) -> None:
    assert gate(intent("sell", asked, position, reduce_only=True), ACTIVE).effect == effect


# ---------------------------------------------------------------- what rests


def test_entries_resting_on_a_side_that_is_blocked_are_surplus() -> None:
    orders = [Pending("l", "buy", 1.0, resting=True), Pending("s", "sell", 1.0, resting=True)]
    for side, gone in (("long", ("l",)), ("short", ("s",)), ("both", ("l", "s"))):
        stands = replace(ACTIVE, state=State.CAUTION, block_entries=side)
        assert surplus(0.0, orders, stands) == gone


def test_without_hedge_mode_all_orders_count_whatever_book_they_name() -> None:
    orders = [Pending("a", "sell", 2.0, resting=True, book="long")]
    assert surplus(1.0, orders, REDUCING) == ("a",)
