"""Orders that make no sense: denied and told, and no exit is lost to what it does not need."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskguard.engine.decision import Decision, State
from riskguard.engine.gate import Intent, Pending, exit_alone, gate

ACTIVE = Decision(0, "BTC")
BLOCKED = replace(ACTIVE, state=State.REDUCING, block_entries="both")
HALTED = replace(BLOCKED, state=State.HALTED, exposure_cap=0.0, reduce_only=True)


def intent(side: str, quantity: float, position: float) -> Intent:
    return Intent(0, "BTC", side, quantity, position, price=100.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"side": "long"},
        {"side": None},
        {"side": ["buy"]},
        {"quantity": nan},
        {"quantity": -1.0},
        {"quantity": inf},
        {"quantity": 0.0},
        {"quantity": "2"},
        {"quantity": None},
        {"quantity": True},
        {"quantity": 10**400},
        {"position": nan},
        {"position": None},
        {"position": -inf},
        {"book": "both"},
    ],
    ids=str,
)
def test_an_order_that_makes_no_sense_is_denied_and_told_why(wrong) -> None:
    verdict = gate(replace(intent("sell", 2.0, 2.0), **wrong), ACTIVE)
    assert (verdict.answer, verdict.quantity) == ("deny", 0.0)
    [reason] = verdict.reasons
    assert reason.cause == "absurd"
    assert next(iter(wrong)) in reason.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"price": nan},
        {"price": "x"},
        {"pending": None},
        {"pending": 5},
        {"pending": (Pending("1", "sell", nan, resting=False),)},
        {"pending": (Pending("1", "sideways", 1.0, resting=False),)},
        {"pending": (None,)},
        {"pending": (Pending("1", "sell", 1.0, resting=True, ts="x"),) * 2},
    ],
    ids=str,
)
def test_what_an_exit_can_do_without_takes_nothing_from_it(wrong) -> None:
    for side, exits in (("sell", 2.0), ("buy", 0.0)):
        verdict = gate(replace(intent(side, 5.0, 2.0), **wrong), BLOCKED)
        assert verdict.quantity == exits
        assert verdict.reasons


def test_numbers_of_any_kind_are_numbers() -> None:
    odd = replace(intent("sell", 1.0, 1.0), quantity=Decimal("3.5"), position=Decimal("2.25"))
    assert gate(odd, HALTED).quantity == 2.25
    assert gate(replace(odd, quantity=2, position=2), HALTED).answer == "allow"


class Broken:
    """Something that raises whatever it is asked."""

    def __getattribute__(self, name):
        raise RuntimeError(name)


class Hostile:
    """A value that raises when it is compared, counted or shown."""

    def _raise(self, *_given):
        raise RuntimeError("hostile")

    __eq__ = __float__ = __bool__ = __iter__ = __repr__ = __str__ = _raise
    __hash__ = None


class MuteError(Exception):
    def __str__(self):
        raise RuntimeError


def test_the_last_resort_answers_whatever_it_is_given() -> None:
    for thing in (None, Broken(), 7, intent("buy", 1.0, 0.0)):
        for error in (KeyError("x"), MuteError()):
            verdict = exit_alone(thing, error)
            assert (verdict.answer, verdict.quantity) == ("deny", 0.0)
            assert (verdict.state, verdict.reasons[0].cause) == (State.REDUCING, "guard_error")
    assert gate(Broken(), ACTIVE).reasons[0].text == "RuntimeError: side"


def test_the_last_resort_keeps_the_state_where_it_is_stricter() -> None:
    verdict = exit_alone(intent("sell", 3.0, 2.0), KeyError("x"), decision=HALTED, as_of=5)
    assert (verdict.quantity, verdict.state, verdict.as_of) == (2.0, State.HALTED, 5)
    assert (verdict.answer, verdict.effect, verdict.reduce_only) == ("resize", "flip", True)


anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.builds(Hostile)
)


@given(
    st.builds(
        Intent, anything, anything, st.sampled_from(("buy", "sell", "long", None)), anything,
        anything, st.one_of(anything, st.lists(anything).map(tuple)), anything,
    ),
    st.sampled_from((ACTIVE, BLOCKED, HALTED)),
)  # fmt: skip
def test_no_order_however_absurd_makes_the_gate_raise_or_enlarge(asked, decision) -> None:
    verdict = gate(asked, decision)
    assert 0.0 <= verdict.quantity < inf
    if verdict.quantity:
        assert verdict.quantity <= asked.quantity
        assert verdict.quantity <= abs(asked.position) or decision.state < State.REDUCING
    else:
        assert verdict.reasons
