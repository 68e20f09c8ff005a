"""The order gate: exits always pass, entries only into the room that is left."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan

import pytest

from riskguard.engine.decision import Decision, Reading, State
from riskguard.engine.gate import Intent, Pending, gate, surplus

ACTIVE = Decision(0, "BTC")
CAPPED = replace(ACTIVE, state=State.CAUTION, exposure_cap=0.5, winners={"exposure_cap": ("a",)})
BLOCKED = replace(
    ACTIVE, state=State.REDUCING, block_entries="both", winners={"block_entries": ("blind",)}
)
HALTED = replace(BLOCKED, state=State.HALTED, exposure_cap=0.0, reduce_only=True)


def intent(side: str, quantity: float, position: float, *pending: Pending) -> Intent:
    return Intent(0, "BTC", side, quantity, position, tuple(pending), price=100.0)


def test_active_lets_everything_pass_as_asked() -> None:
    assert gate(intent("buy", 3.0, -1.0), ACTIVE).answer == "allow"


def test_exit_passes_in_full_in_every_state() -> None:
    for decision in (ACTIVE, CAPPED, BLOCKED, HALTED):
        verdict = gate(intent("sell", 2.0, 2.0), decision, ceiling=1.0)
        assert (verdict.answer, verdict.quantity) == ("allow", 2.0)
        assert verdict.effect == "close"


def test_reversal_goes_out_as_the_exit_alone() -> None:
    verdict = gate(intent("sell", 12.0, 5.0), HALTED)
    assert (verdict.answer, verdict.quantity, verdict.effect) == ("resize", 5.0, "flip")


def test_entry_is_cut_to_the_room_under_the_ceiling() -> None:
    assert gate(intent("buy", 3.0, 1.0), CAPPED, ceiling=2.5).quantity == 1.5
    assert gate(intent("buy", 3.0, 2.5), CAPPED, ceiling=2.5).answer == "deny"


def test_resting_entries_count_against_the_ceiling() -> None:
    resting = Pending("1", "buy", 1.0, resting=True)
    assert gate(intent("buy", 3.0, 1.0, resting), CAPPED, ceiling=2.5).quantity == 0.5


def test_two_exits_on_one_bar_do_not_flip_the_position() -> None:
    flying = Pending("1", "sell", 2.0, resting=False)
    verdict = gate(intent("sell", 2.0, 3.0, flying), HALTED)
    assert verdict.quantity == 1.0


def test_resting_take_profit_is_cancelled_to_make_room_for_an_exit() -> None:
    target = Pending("tp", "sell", 3.0, resting=True)
    verdict = gate(intent("sell", 3.0, 3.0, target), HALTED)
    assert (verdict.answer, verdict.cancel_first) == ("allow", ("tp",))


def test_an_oco_group_counts_once() -> None:
    group = [Pending(str(n), "buy", 1.0, resting=True, group="g") for n in range(2)]
    assert gate(intent("buy", 3.0, 0.0, *group), CAPPED, ceiling=2.5).quantity == 1.5


def test_sizes_are_rounded_down_and_dust_is_not_sent() -> None:
    cut = gate(intent("buy", 3.0, 0.0), CAPPED, ceiling=0.37, step=0.1, min_quantity=0.1)
    assert cut.quantity == pytest.approx(0.3)
    assert gate(intent("buy", 3.0, 0.0), CAPPED, ceiling=0.07, min_quantity=0.1).answer == "deny"


GEARED = replace(ACTIVE, state=State.CAUTION, leverage_cap=2.0, winners={"leverage_cap": ("a",)})
UNPRICED = "leverage is capped, and no price is known: tell it with the order (Intent.price)"
UNCOUNTED = "leverage is capped, and no equity was told of late: tell it by account events"


def test_leverage_cap_is_a_ceiling() -> None:
    assert gate(intent("buy", 50.0, 0.0), GEARED, equity=1_000.0).quantity == 20.0
    assert gate(intent("buy", 20.0, 0.0), GEARED, equity=1_000.0).answer == "allow"
    assert gate(intent("buy", 50.0, 0.0), GEARED, equity=0.0).answer == "deny"


@pytest.mark.parametrize("said", [None, 0.0])
def test_an_order_without_a_price_is_counted_at_the_last_one_that_is_known(said) -> None:
    asked = replace(intent("sell", 50.0, 0.0), price=said)
    assert gate(asked, GEARED, equity=1_000.0, price=200.0).quantity == 10.0


def test_of_two_prices_the_higher_counts() -> None:
    for side in ("buy", "sell"):  # a sale at 1 fills at the market
        cheap = replace(intent(side, 50.0, 0.0), price=1.0)
        assert gate(cheap, GEARED, equity=1_000.0, price=100.0).quantity == 20.0
        dear = replace(cheap, price=200.0)
        assert gate(dear, GEARED, equity=1_000.0, price=100.0).quantity == 10.0


@pytest.mark.parametrize(
    ("said", "known", "told"),
    [
        (None, {"equity": 1_000.0}, [UNPRICED]),
        (None, {"equity": 1_000.0, "price": nan}, [UNPRICED]),
        (None, {"equity": 1_000.0, "price": 0.0}, [UNPRICED]),
        (100.0, {}, [UNCOUNTED]),
        (None, {}, [UNCOUNTED, UNPRICED]),
        (None, {"price": 100.0}, [UNCOUNTED]),
    ],
)
def test_what_a_leverage_cap_cannot_be_counted_at_lets_nothing_enter(said, known, told) -> None:
    for side in ("buy", "sell"):
        verdict = gate(replace(intent(side, 1.0, 0.0), price=said), GEARED, **known)
        assert (verdict.answer, verdict.quantity) == ("deny", 0.0)
        causes = [reason.text for reason in verdict.reasons if reason.cause == "blind"]
        assert causes == told
        assert verdict.reasons[-1].rule == "a"
        leaves = gate(replace(intent(side, 3.0, 2.0), price=said), GEARED, **known)
        assert leaves.quantity == (2.0 if side == "sell" else 0.0)
        out = replace(intent("sell" if side == "buy" else "buy", 3.0, 2.0), price=said, close=True)
        assert not [one for one in gate(out, GEARED, **known).reasons if one.cause == "blind"]


@pytest.mark.parametrize("size", [0.0, -1.0, nan, inf])
def test_a_unit_that_is_no_size_lets_nothing_enter_under_a_leverage_cap(size) -> None:
    verdict = gate(intent("buy", 1.0, 0.0), GEARED, equity=1_000.0, contract_size=size)
    assert verdict.answer == "deny"
    assert verdict.reasons[0].text.endswith(f"a unit of {size:g} coins: see `instruments`")
    assert gate(intent("sell", 1.0, 1.0), GEARED, contract_size=size).answer == "allow"


def test_what_is_shut_already_lacks_nothing() -> None:
    for decision in (replace(GEARED, state=State.REDUCING), replace(GEARED, block_entries="long")):
        told = gate(replace(intent("buy", 1.0, 0.0), price=None), decision).reasons
        assert "blind" not in {reason.cause for reason in told}
    failed = gate(replace(intent("buy", 1.0, 0.0), price=None), GEARED, fault="x")
    assert [reason.cause for reason in failed.reasons] == ["guard_error", "rule"]


def test_denial_names_the_rule() -> None:
    verdict = gate(intent("buy", 1.0, 2.0), CAPPED, ceiling=1.0)
    assert [reason.rule for reason in verdict.reasons] == ["a"]
    assert "50%" in verdict.reasons[0].text


def test_a_resting_exit_of_a_hedged_book_is_cancelled_for_a_new_one_of_that_book_alone() -> None:
    ours = Pending("a", "sell", 2.0, resting=True, book="long")
    theirs = Pending("b", "sell", 2.0, resting=True, book="short")
    asked = replace(intent("sell", 2.0, 2.0, ours, theirs), book="long")
    assert gate(asked, HALTED).cancel_first == ("a",)


@pytest.mark.parametrize("position", [2.0, -2.0])
def test_in_hedge_mode_a_buy_of_the_short_book_closes_it_and_opens_nothing(position) -> None:
    asked = replace(intent("buy", 3.0, position), book="short")
    verdict = gate(asked, ACTIVE)
    assert (verdict.quantity, verdict.effect, verdict.reduce_only) == (2.0, "close", True)
    assert [reason.cause for reason in verdict.reasons] == ["order"]
    assert gate(replace(asked, position=0.0), ACTIVE).answer == "deny"
    entry = gate(replace(asked, side="sell", quantity=1.0), ACTIVE)
    assert (entry.quantity, entry.effect, entry.reduce_only) == (1.0, "add", False)


def test_the_newest_resting_order_is_cancelled_first_whatever_the_order_of_the_list() -> None:
    old, new = (Pending(n, "sell", 2.0, resting=True, ts=t) for n, t in (("z", 1), ("a", 2)))
    for pending in ((old, new), (new, old)):
        assert gate(intent("sell", 1.0, 3.0, *pending), BLOCKED).cancel_first == ("a",)


def test_of_orders_sent_at_once_the_greater_number_is_the_newer() -> None:
    orders = [Pending(n, "sell", 2.0, resting=True) for n in ("10", "9")]
    assert gate(intent("sell", 1.0, 3.0, *orders), BLOCKED).cancel_first == ("10",)


def test_an_oco_group_is_cancelled_as_one() -> None:
    group = [Pending(str(n), "sell", 3.0, resting=True, group="g", ts=n) for n in range(2)]
    other = Pending("x", "sell", 1.0, resting=True, ts=-1)
    verdict = gate(intent("sell", 2.0, 3.0, other, *group), BLOCKED)
    assert verdict.cancel_first == ("1", "0")


def test_an_oco_group_in_flight_is_on_its_way_out_once() -> None:
    group = [Pending(str(n), "sell", 2.0, resting=False, group="g") for n in range(2)]
    assert gate(intent("sell", 3.0, 3.0, *group), HALTED).quantity == 1.0


def test_what_the_venue_holds_to_reduce_only_stays_and_blocks_no_exit() -> None:
    stop = Pending("s", "sell", 3.0, resting=True, reduce_only=True)
    verdict = gate(intent("sell", 3.0, 3.0, stop), HALTED)
    assert (verdict.answer, verdict.cancel_first) == ("allow", ())


def test_an_exit_too_small_for_the_venue_cancels_nothing_and_says_so() -> None:
    target = Pending("t", "sell", 3.0, resting=True)
    verdict = gate(intent("sell", 0.03, 3.0, target), HALTED, step=1.0)
    assert (verdict.answer, verdict.cancel_first) == ("deny", ())
    assert [reason.cause for reason in verdict.reasons] == ["venue"]


def test_a_whole_number_of_steps_loses_none_to_float() -> None:
    assert gate(intent("sell", 0.3, 5.0), HALTED, step=0.1).quantity == 0.3
    assert gate(intent("sell", 0.2999, 5.0), HALTED, step=0.1).quantity == 0.2


def test_a_full_close_takes_the_dust_along() -> None:
    assert gate(intent("sell", 2.55, 2.55), HALTED, step=0.1).quantity == 2.55
    assert gate(intent("sell", 2.5, 2.55), HALTED, step=1.0).quantity == 2.0


def test_a_reversal_is_rounded_as_one_order_and_loses_no_exit() -> None:
    assert gate(intent("sell", 5.0, 2.55), ACTIVE, step=0.1).quantity == 5.0
    cut = gate(intent("sell", 5.0, 2.55), CAPPED, ceiling=0.3, step=0.1)
    assert cut.quantity == pytest.approx(2.8)
    small = gate(intent("sell", 5.0, 2.55), CAPPED, ceiling=0.3, step=0.1, min_quantity=1.0)
    assert (small.quantity, small.reduce_only) == (2.55, True)


@pytest.mark.parametrize("step", [nan, inf, -1.0, 0.0, 1e-300])
def test_a_step_that_is_none_rounds_nothing(step) -> None:
    assert gate(intent("buy", 0.123, 0.0), ACTIVE, step=step).quantity == 0.123


def test_a_side_that_may_not_be_entered_has_its_resting_orders_counted() -> None:
    short = replace(ACTIVE, state=State.CAUTION, block_entries="short")
    target = Pending("t", "sell", 3.0, resting=True)
    assert gate(intent("sell", 3.0, 3.0, target), short).cancel_first == ("t",)
    assert gate(intent("sell", 3.0, 3.0, target), ACTIVE).cancel_first == ()


def test_a_side_that_is_closed_is_not_entered() -> None:
    longs = replace(ACTIVE, state=State.CAUTION, close="longs", winners={"close": ("a",)})
    assert gate(intent("buy", 1.0, 0.0), longs).reasons[0].text == "close longs <- a"
    assert gate(intent("sell", 1.0, 0.0), longs).answer == "allow"
    both = replace(longs, block_entries="long", winners={"close": ("a",), "block_entries": ("b",)})
    assert (
        gate(intent("sell", 3.0, 0.0), replace(both, exposure_cap=0.5), ceiling=1.0).quantity == 1
    )


def test_contracts_are_counted_under_the_leverage_ceiling() -> None:
    asked = intent("buy", 5_000.0, 0.0)
    assert gate(asked, GEARED, equity=1_000.0, contract_size=0.01).quantity == 2_000.0
    assert gate(asked, GEARED, equity=-5.0).quantity == 0.0


@pytest.mark.parametrize(
    ("position", "asked", "pending", "effect"),
    [
        (0.0, 1.0, (), "open"),
        (1.0, 1.0, (), "add"),
        (-3.0, 1.0, (), "reduce"),
        (-3.0, 3.0, (), "close"),
        (-3.0, 4.0, (), "flip"),
        (-3.0, 1.0, (Pending("1", "buy", 2.0, resting=False),), "close"),
        (-3.0, 1.0, (Pending("1", "buy", 3.0, resting=False),), "flip"),
    ],
)
def test_the_effect_is_found_from_position_and_open_orders(
    position, asked, pending, effect
) -> None:
    assert gate(intent("buy", asked, position, *pending), ACTIVE).effect == effect


def test_an_order_that_may_only_close_is_cut_to_what_is_left() -> None:
    for more in ({"reduce_only": True}, {"close": True}):
        verdict = gate(replace(intent("sell", 5.0, 2.0), **more), ACTIVE)
        assert (verdict.quantity, verdict.effect, verdict.reduce_only) == (2.0, "close", True)
        nothing = gate(replace(intent("buy", 5.0, 2.0), **more), ACTIVE)
        assert (nothing.answer, nothing.effect) == ("deny", "reduce")


def test_a_fault_lets_the_exit_pass_alone_and_says_what_failed() -> None:
    verdict = gate(
        intent("sell", 5.0, 2.0), ACTIVE, fault="the clock stands", as_of=7, until=lambda *_: 9
    )
    assert (verdict.quantity, verdict.state, verdict.as_of) == (2.0, State.REDUCING, 7)
    assert verdict.reasons[0].cause == "guard_error"
    assert verdict.until == 9
    assert gate(intent("sell", 2.0, 2.0), ACTIVE, until=lambda *_: 9).until is None


def test_causes_that_are_no_rules_are_told_as_causes() -> None:
    manual = replace(BLOCKED, winners={"block_entries": ("manual",)})
    [reason] = gate(intent("buy", 1.0, 0.0), manual).reasons
    assert (reason.cause, reason.rule) == ("manual", "")


def test_a_decision_that_names_nobody_still_gives_a_reason() -> None:
    bare = replace(CAPPED, winners={})
    assert gate(intent("buy", 3.0, 0.0), bare, ceiling=1.0).reasons[0].text == "0 of 1 taken"


def test_blind_and_priming_are_reasons_with_their_ages() -> None:
    age = Reading("blind", "oi", 12 * 3.6e12, 8 * 3.6e12, None, "true")
    blind = replace(BLOCKED, blind=("oi", "funding"), priming=("a has 1d of 2d",), reasons=(age,))
    texts = [reason.text for reason in gate(intent("buy", 1.0, 0.0), blind).reasons]
    assert texts == ["blind: oi (12h > 8h)", "blind: funding", "priming: a has 1d of 2d"]


# ---------------------------------------------------------------- what rests (G9)


def test_resting_exits_that_exceed_the_position_are_surplus_newest_first() -> None:
    orders = [Pending(str(n), "sell", 2.0, resting=True, ts=n) for n in range(3)]
    assert surplus(5.0, orders, BLOCKED) == ("2",)
    assert surplus(2.0, orders, BLOCKED) == ("2", "1")
    assert surplus(0.0, orders, BLOCKED) == ("2", "1", "0")
    assert surplus(2.0, orders, ACTIVE) == ()


def test_entries_over_the_ceiling_are_surplus_and_held_orders_are_not() -> None:
    entry = Pending("e", "buy", 2.0, resting=True)
    assert surplus(1.0, [entry], CAPPED, ceiling=3.0) == ()
    assert surplus(2.0, [entry], CAPPED, ceiling=3.0) == ("e",)
    assert surplus(2.0, [entry], BLOCKED) == ("e",)
    assert surplus(2.0, [replace(entry, reduce_only=True)], BLOCKED) == ()


def test_in_hedge_mode_each_book_has_its_own_surplus() -> None:
    orders = [Pending(b, "sell", 2.0, resting=True, book=b) for b in ("long", "short")]
    assert surplus(1.0, orders, BLOCKED, book="long") == ("long",)
    assert surplus(-1.0, orders, CAPPED, ceiling=3.0, book="short") == ()
    assert surplus(-2.0, orders, CAPPED, ceiling=3.0, book="short") == ("short",)
