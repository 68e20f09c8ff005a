"""Two decisions as one: the laws of the merge hold between decisions as between rules."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from riskguard import Decision, State
from riskguard.engine.decision import Claim, merge
from riskguard.engine.strictest import looser, strictest
from riskguard.language.ruleset import Actions, Stop

shares = st.sampled_from([0.0, 0.2, 0.5, 1.0])
ACTIONS = st.builds(
    Actions,
    exposure_cap=st.none() | shares,
    reduce_by=st.none() | st.sampled_from([0.25, 0.5]),
    close=st.sampled_from(["", "all", "longs", "shorts"]),
    block_entries=st.sampled_from(["", "long", "short", "both"]),
    reduce_only=st.booleans(),
    leverage_cap=st.none() | st.sampled_from([1.0, 2.0]),
    stop=st.none() | st.builds(Stop, share=st.sampled_from([0.05, 0.1])),
    cancel_orders=st.sampled_from(["", "entries", "all"]),
    hedge=st.none() | shares,
    notify=st.sampled_from(["", "look"]),
)
CLAIMS = st.lists(ACTIONS, max_size=3).map(
    lambda found: [Claim(f"r{i}", do) for i, do in enumerate(found)]
)
ASKED = (
    "state", "exposure_cap", "block_entries", "reduce_only", "leverage_cap", "stop", "close",
    "hedge", "cancel_orders", "reduce_by", "notify",
)  # fmt: skip


def decision(claims: list[Claim], name: str = "") -> Decision:
    own = [replace_name(claim, name) for claim in claims]
    active = tuple(sorted(claim.name for claim in own))
    return Decision(5, "BTC", active=active, **merge(own, price=100.0))


def replace_name(claim: Claim, name: str) -> Claim:
    return claim._replace(name=name + claim.name)


def asked(made: Decision) -> tuple[object, ...]:
    return tuple(getattr(made, name) for name in ASKED)


@given(CLAIMS, CLAIMS)
def test_joined_decisions_ask_what_all_rules_together_ask(one, two) -> None:
    both = decision([replace_name(c, "a") for c in one] + [replace_name(c, "b") for c in two])
    joined = strictest(decision(one, "a"), decision(two, "b"))
    assert asked(joined) == asked(both)
    assert joined.active == both.active
    for name, winners in both.winners.items():
        if name != "block_entries":
            assert set(joined.winners[name]) == set(winners)
            value = getattr(both, name)
            first = joined.winners[name][0]
            side = decision(one, "a") if first.startswith("a") else decision(two, "b")
            assert getattr(side, name) == value or value in {"all", "both"}


@given(CLAIMS, CLAIMS, CLAIMS)
def test_joining_is_commutative_associative_and_idempotent(one, two, three) -> None:
    a, b, c = decision(one), decision(two), decision(three)
    assert asked(strictest(a, b)) == asked(strictest(b, a))
    assert asked(strictest(strictest(a, b), c)) == asked(strictest(a, strictest(b, c)))
    assert asked(strictest(a, replace(a, ts=9))) == asked(a)
    assert strictest(a, a) is a


@given(CLAIMS, CLAIMS)
def test_only_what_allows_more_is_looser(one, two) -> None:
    a, b = decision(one), decision(two)
    assert looser(a, b) == (asked(strictest(a, b))[:10] != asked(a)[:10])
    assert not looser(strictest(a, b), b)


def test_the_end_of_a_halt_is_looser_and_its_beginning_is_not() -> None:
    calm = Decision(1, "BTC")
    halted = decision([Claim("r", Actions(exposure_cap=0.0))])
    assert halted.state is State.HALTED
    assert looser(calm, halted)
    assert not looser(halted, calm)
