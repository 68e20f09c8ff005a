"""Merging: the order of rules cannot matter, and every field names who set it."""

from __future__ import annotations

import math
import random

import pytest

from riskguard.engine.decision import Claim, State, merge
from riskguard.language.ruleset import Actions, Stop

CHOICES = [
    Actions(exposure_cap=0.5),
    Actions(exposure_cap=0.0),
    Actions(block_entries="long"),
    Actions(block_entries="short", cancel_orders="entries"),
    Actions(close="longs"),
    Actions(close="shorts", cancel_orders="all"),
    Actions(leverage_cap=2.0, hedge=0.5),
    Actions(leverage_cap=3.0, reduce_by=0.25),
    Actions(reduce_only=True),
    Actions(stop=Stop(share=0.05), notify="near"),
    Actions(stop=Stop(atr=1.5), notify="far"),
]


def test_order_and_repetition_of_rules_change_nothing() -> None:
    for seed in range(2_000):
        pick = random.Random(seed)
        claims = [
            Claim(f"r{n}", pick.choice(CHOICES), pick.choice([0, 0, 9]))
            for n in range(pick.randint(0, 6))
        ]
        first = merge(claims, price=100.0, atr=4.0, blind=seed % 5 == 0)
        shuffled = pick.sample(claims, len(claims))
        again = merge(shuffled, price=100.0, atr=4.0, blind=seed % 5 == 0)
        assert {**first, "winners": dict(first["winners"])} == {
            **again,
            "winners": dict(again["winners"]),
        }, seed


def test_the_strictest_wins_and_the_others_are_named_behind_it() -> None:
    fields = merge(
        [
            Claim("mild", Actions(exposure_cap=0.8, leverage_cap=3.0)),
            Claim("harsh", Actions(exposure_cap=0.25, stop=Stop(atr=1.0))),
            Claim("middle", Actions(exposure_cap=0.5, stop=Stop(share=0.01))),
        ],
        price=200.0,
        atr=5.0,
    )
    assert fields["exposure_cap"] == 0.25
    assert fields["winners"]["exposure_cap"] == ("harsh", "middle", "mild")
    assert fields["stop"] == 2.0, "1 % of 200 lies nearer than one ATR of 5"
    assert fields["winners"]["stop"] == ("middle", "harsh")
    assert fields["state"] is State.CAUTION


def test_both_sides_blocked_is_reducing_and_a_cap_of_zero_is_halted() -> None:
    both = [Claim("a", Actions(block_entries="long")), Claim("b", Actions(block_entries="short"))]
    assert merge(both)["block_entries"] == "both"
    assert merge(both)["state"] is State.REDUCING
    halted = merge([Claim("c", Actions(exposure_cap=0.0))])
    assert halted["state"] is State.HALTED
    assert halted["reduce_only"]
    assert halted["block_entries"] == "both"


def test_a_halt_names_who_halted_and_not_who_capped() -> None:
    capped = Claim("a", Actions(exposure_cap=0.6))
    sold = Claim("b", Actions(close="all"))
    assert merge([capped, sold])["winners"]["block_entries"] == ("b",)
    sides = [capped, Claim("c", Actions(close="longs")), Claim("d", Actions(close="shorts"))]
    assert merge(sides)["winners"]["block_entries"] == ("c",)
    assert merge([capped, Claim("e", Actions(exposure_cap=0.0))])["winners"]["block_entries"] == (
        "e",
    )


def test_a_blind_guard_blocks_entries_and_does_nothing_else() -> None:
    fields = merge([], blind=True)
    assert fields["state"] is State.REDUCING
    assert fields["block_entries"] == "both"
    assert fields["winners"]["block_entries"] == ("blind",)
    assert (fields["exposure_cap"], fields["close"], fields["reduce_only"]) == (1.0, "none", False)


@pytest.mark.parametrize(("atr", "distance"), [(2.0, 3.0), (9.0, 5.0), (math.nan, 5.0)])
def test_of_a_stop_in_two_units_the_nearer_that_is_known_holds(atr, distance) -> None:
    both = Claim("a", Actions(stop=Stop(share=0.05, atr=1.5)))
    assert merge([both], price=100.0, atr=atr)["stop"] == distance


def test_a_stop_whose_distance_is_unknown_says_nothing() -> None:
    assert merge([Claim("a", Actions(stop=Stop(atr=1.5)))], price=100.0)["stop"] is None


def test_orders_that_are_to_be_cancelled_are_a_restriction() -> None:
    for word in ("entries", "all"):
        made = merge([Claim("r", Actions(cancel_orders=word))])
        assert (made["state"], made["cancel_orders"]) == (State.CAUTION, word)
        assert made["block_entries"] == "none"
