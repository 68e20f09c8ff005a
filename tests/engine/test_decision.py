"""Merging: the order of rules cannot matter, and every field names who set it."""

from __future__ import annotations

import math
import random

import pytest

from riskguard.engine.compile import compile_rules
from riskguard.engine.decision import (
    Claim,
    Decision,
    Moment,
    Reading,
    State,
    decided,
    faulted,
    merge,
)
from riskguard.engine.logic import Change
from riskguard.engine.plan import Plan
from riskguard.language.reader import read_text
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


def test_of_equal_claims_the_higher_priority_stands_first_then_the_name() -> None:
    half = Actions(exposure_cap=0.5)
    claims = [Claim("c", half), Claim("b", half), Claim("d", half, 9), Claim("a", half, 1)]
    assert merge(claims)["winners"]["exposure_cap"] == ("d", "a", "b", "c")


@pytest.mark.parametrize(
    ("name", "one", "other", "both"),
    [
        ("block_entries", "long", "short", "both"),
        ("close", "longs", "shorts", "all"),
        ("cancel_orders", "entries", "all", "all"),
    ],
)
def test_two_words_make_a_third_and_one_stays_what_it_is(name, one, other, both) -> None:
    def asked(*words: str) -> object:
        claims = [Claim("calm", Actions())]
        claims += [Claim(f"r{n}", Actions(**{name: word})) for n, word in enumerate(words)]
        return merge(claims)[name]

    assert asked() == "none"
    assert asked(one) == asked(one, one) == one
    assert asked(other) == asked(other, other) == other
    assert asked(one, other) == asked(other, one) == both
    assert asked(both, one) == asked(one, both) == both


def test_who_blocks_both_sides_stands_before_who_blocks_one() -> None:
    claims = [
        Claim("a", Actions(block_entries="long")),
        Claim("b", Actions(block_entries="both")),
        Claim("c", Actions(block_entries="short"), 9),
    ]
    assert merge(claims)["winners"]["block_entries"] == ("b", "c", "a")


def test_a_guard_that_cannot_see_is_named_before_the_rules_that_block() -> None:
    claims = [Claim("a", Actions(block_entries="long"))]
    assert merge(claims, priming=True)["winners"]["block_entries"] == ("priming", "a")
    assert merge(claims, blind=True)["winners"]["block_entries"] == ("blind", "a")
    both = merge(claims, blind=True, priming=True)
    assert both["winners"]["block_entries"] == ("blind", "priming", "a")
    assert merge([], priming=True)["block_entries"] == "both"


def test_who_reduces_is_named_for_the_block_unless_somebody_blocks_already() -> None:
    reduces, blocks = Actions(reduce_only=True), Actions(block_entries="both")
    assert merge([Claim("a", reduces)])["winners"]["block_entries"] == ("a",)
    sided = [Claim("a", reduces), Claim("b", Actions(block_entries="long"))]
    assert merge(sided)["winners"]["block_entries"] == ("a", "b")
    blocked = [Claim("a", reduces), Claim("b", blocks)]
    assert merge(blocked)["winners"]["block_entries"] == ("b",)
    assert merge([Claim("a", reduces), Claim("b", reduces, 1)])["winners"]["reduce_only"] == (
        "b",
        "a",
    )


@pytest.mark.parametrize(
    "do",
    [
        Actions(block_entries="long"),
        Actions(block_entries="short"),
        Actions(close="longs"),
        Actions(close="shorts"),
        Actions(exposure_cap=0.99),
        Actions(leverage_cap=5.0),
        Actions(stop=Stop(share=0.1)),
        Actions(hedge=0.1),
        Actions(reduce_by=0.1),
    ],
)
def test_each_limit_alone_is_caution(do) -> None:
    fields = merge([Claim("a", do)], price=100.0)
    assert fields["state"] is State.CAUTION
    assert not fields["reduce_only"]
    (name,) = fields["winners"]
    assert fields[name] != merge([])[name]


def test_what_limits_no_position_leaves_the_guard_active() -> None:
    do = Actions(exposure_cap=1.0, hedge=0.0, notify="look")
    fields = merge([Claim("a", do)])
    assert fields["state"] is State.ACTIVE
    assert fields["notify"] == ("look",)
    assert merge([])["state"] is State.ACTIVE


def test_closing_all_is_halted_and_reducing_only_is_reducing() -> None:
    closed = merge([Claim("a", Actions(close="all"))])
    assert (closed["state"], closed["reduce_only"]) == (State.HALTED, True)
    reduced = merge([Claim("a", Actions(reduce_only=True))])
    assert (reduced["state"], reduced["block_entries"]) == (State.REDUCING, "both")


# ---------------------------------------------------------------- one instant

RULES = """\
version: 1
symbol: BTC
every: 1h
stages:
  - {stage: watch, enter: close < 95, recover: close > 96, do: {exposure_cap: 90%, notify: low}}
  - {stage: out, enter: close < 80, recover: close > 90, do: {exposure_cap: 20%, notify: down}}
rules:
  loss:
    when: close < 85
    latch: true
    do: {exposure_cap: 50%, stop: 5%, notify: lost}
    reentry: {start: 25%, step: 25%, every: 2h, while: close > 1}
  deep:
    {when: close < 90, clear: close > 95, do: {exposure_cap: 50%, stop: 1 ATR, notify: deep}}
  first: {when: close < 99, clear: close > 99, priority: 7, do: {exposure_cap: 90%}}
  hush: {when: close < 70, clear: close > 99, mutes: deep, do: {cancel_orders: entries}}
"""
NAMES = ("loss", "deep", "first", "hush")


def plan(text: str = RULES) -> Plan:
    ruleset, found = read_text(text, "rules.yaml")
    assert ruleset is not None, [one.render() for one in found]
    return compile_rules(ruleset)


def moment(*on: str, stage: int = 0, **more: object) -> Moment:
    """Return an instant at which these rules are on."""
    states = tuple(name in on for name in NAMES)
    given = {"caps": (1.0,), "blind": (), "priming": (), "atr": 2.0, "close": 100.0} | more
    return Moment(7, "BTC", Change(stage, 0, states, states), reasons=(), **given)


def reading(rule: str, leaf: str) -> Reading:
    return Reading(rule, leaf, 1.0, 2.0, -0.5, "true")


def test_nothing_is_on_and_all_is_allowed() -> None:
    made = plan()
    assert decided(made, moment()) == Decision(7, "BTC", rules=made.ruleset.hash, winners={})


def test_a_decision_tells_what_is_on_who_set_what_and_why() -> None:
    why, unseen = reading("loss", "close < 85"), reading("blind", "oi")
    told = moment(
        "loss", "deep", stage=1, blind=(unseen,), priming=("oi.change(24h) has 1h of 24h",)
    )
    made = plan()
    assert decided(made, told._replace(reasons=(why,))) == Decision(
        ts=7,
        symbol="BTC",
        stage="watch",
        state=State.REDUCING,
        latched=True,
        priming=("oi.change(24h) has 1h of 24h",),
        blind=("oi",),
        exposure_cap=0.5,
        block_entries="both",
        stop=2.0,
        notify=("deep", "lost", "low"),
        active=("deep", "loss"),
        winners={
            "exposure_cap": ("deep", "loss", "stage watch"),
            "stop": ("deep", "loss"),
            "block_entries": ("blind", "priming"),
        },
        reasons=(why, unseen),
        rules=made.ruleset.hash,
    )


def test_a_stage_stands_in_a_decision_under_its_own_name() -> None:
    out = decided(plan(), moment("first", stage=2))
    assert (out.stage, out.exposure_cap, out.notify) == ("out", 0.2, ("down",))
    assert out.winners["exposure_cap"] == ("stage out", "first")


@pytest.mark.parametrize(
    ("name", "priority", "winners"),
    [
        ("alpha", "", ("alpha", "stage watch")),
        ("zeta", "", ("stage watch", "zeta")),
        ("zeta", "priority: 7, ", ("zeta", "stage watch")),
    ],
)
def test_a_stage_is_ranked_like_a_rule_without_priority(name, priority, winners) -> None:
    text = RULES.replace("first:", f"{name}:").replace("priority: 7, ", priority)
    assert decided(plan(text), moment("first", stage=1)).winners["exposure_cap"] == winners


def test_a_ramp_that_rises_caps_in_the_name_of_its_rule() -> None:
    capped = decided(plan(), moment(caps=(0.25,)))
    assert (capped.exposure_cap, capped.state) == (0.25, State.CAUTION)
    assert capped.winners["exposure_cap"] == (plan().ramps[0].name,)
    assert capped.active == ()


def test_a_muted_rule_does_what_it_does_and_says_nothing() -> None:
    by_rule = decided(plan(), moment("deep", "hush"))
    assert (by_rule.notify, by_rule.exposure_cap) == ((), 0.5)
    assert by_rule.cancel_orders == "entries"
    quiet = frozenset({"stage watch", "loss"})
    by_hand = decided(plan(), moment("deep", "loss", stage=1, muted=quiet))
    assert (by_hand.notify, by_hand.exposure_cap) == (("deep",), 0.5)
    assert decided(plan(), moment("deep", "loss", "hush", muted=quiet)).notify == ()


def test_what_an_operator_claims_is_merged_with_the_rules() -> None:
    halt = Claim("manual", Actions(exposure_cap=0.0))
    halted = decided(plan(), moment("deep", claims=(halt,)))
    assert (halted.state, halted.winners["exposure_cap"]) == (State.HALTED, ("manual", "deep"))


def test_latched_is_what_waits_for_an_operator() -> None:
    assert not decided(plan(), moment("deep")).latched
    assert decided(plan(), moment("deep", "loss")).latched
    assert decided(plan(), moment("deep", latched=True)).latched


def test_rules_that_let_a_blind_guard_trade_block_nothing() -> None:
    lenient = plan(RULES.replace("every: 1h", "every: 1h\nblind: ignore"))
    unseen = moment(blind=(reading("blind", "oi"),), priming=("oi has 1h of 24h",))
    made = decided(lenient, unseen)
    assert (made.state, made.block_entries) == (State.ACTIVE, "none")
    assert (made.blind, made.priming) == (("oi",), ("oi has 1h of 24h",))
    for half in (unseen._replace(blind=()), unseen._replace(priming=())):
        assert decided(plan(), half).block_entries == "both"


def test_an_instant_of_other_rules_is_no_decision() -> None:
    short = moment()._replace(change=Change(0, 0, (True,), (True,)))
    for wrong in (short, moment(caps=())):
        with pytest.raises(ValueError, match="zip"):
            decided(plan(), wrong)


# ---------------------------------------------------------------- a fault


def test_a_guard_that_fails_enters_nothing_and_leaves_all_else_as_it_was() -> None:
    before = decided(plan(), moment("deep", stage=1))
    failing = faulted(before, 9, "no memory left")
    told = Reading("guard_error", "no memory left", None, None, None, "true", "truth")
    assert failing == Decision(
        ts=9,
        symbol="BTC",
        stage="watch",
        state=State.REDUCING,
        exposure_cap=0.5,
        block_entries="both",
        stop=2.0,
        notify=("deep", "low"),
        active=("deep",),
        winners={**before.winners, "block_entries": ("guard_error",)},
        reasons=(told,),
        rules=before.rules,
    )


def test_a_guard_that_fails_again_tells_the_last_fault_beside_the_reasons_of_rules() -> None:
    block = Claim("manual", Actions(block_entries="long"))
    why = reading("deep", "close < 90")
    before = decided(plan(), moment("deep", claims=(block,))._replace(reasons=(why,)))
    again = faulted(faulted(before, 8, "first"), 9, "second")
    assert [one.leaf for one in again.reasons] == ["close < 90", "second"]
    assert again.winners["block_entries"] == ("guard_error", "manual")
    halted = merge([Claim("a", Actions(exposure_cap=0.0))])
    assert faulted(Decision(7, "BTC", **halted), 9, "a fault").state is State.HALTED
