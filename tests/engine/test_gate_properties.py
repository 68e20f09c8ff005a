"""Properties of the gate that need no venue: what may never depend on what."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from riskguard.engine.decision import Decision, State
from riskguard.engine.gate import Intent, Pending, gate

ACTIVE = Decision(0, "BTC")
CAPPED = replace(ACTIVE, state=State.CAUTION, exposure_cap=0.5)
BLOCKED = replace(ACTIVE, state=State.REDUCING, block_entries="both")
HALTED = replace(BLOCKED, state=State.HALTED, exposure_cap=0.0, reduce_only=True)

sizes = st.floats(0.0, 1e6)
openings = st.lists(
    st.builds(
        Pending,
        st.sampled_from(("1", "2", "33", "4a")),
        st.sampled_from(("buy", "sell")),
        sizes,
        st.booleans(),
        st.booleans(),
        st.sampled_from(("", "", "g", "h")),
        st.integers(0, 3),
        st.sampled_from(("", "long", "short")),
    ),
    max_size=5,
).map(tuple)
asks = st.builds(
    Intent,
    st.just(0),
    st.just("BTC"),
    st.sampled_from(("buy", "sell")),
    st.floats(1e-6, 1e6),
    st.floats(-1e6, 1e6),
    openings,
    st.sampled_from((None, 100.0)),
    reduce_only=st.booleans(),
    close=st.booleans(),
    book=st.sampled_from(("", "", "long", "short")),
)
decisions = st.sampled_from((ACTIVE, CAPPED, BLOCKED, HALTED))
steps = st.sampled_from((0.0, 0.001, 0.25, 3.0))


@given(asks, decisions, sizes, sizes, steps)
def test_a_lower_ceiling_never_grants_more(asked, decision, one, two, step) -> None:
    low, high = sorted((one, two))
    small = gate(asked, decision, ceiling=low, step=step).quantity
    assert small <= gate(asked, decision, ceiling=high, step=step).quantity


@given(asks, sizes, steps)
def test_a_stricter_state_never_grants_more(asked, ceiling, step) -> None:
    granted = [
        gate(asked, decision, ceiling=ceiling, step=step).quantity
        for decision in (ACTIVE, CAPPED, BLOCKED, HALTED)
    ]
    assert granted == sorted(granted, reverse=True)


@given(asks, decisions, sizes, steps, st.randoms(use_true_random=False))
def test_the_order_of_what_is_open_changes_nothing(asked, decision, ceiling, step, pick) -> None:
    mixed = list(asked.pending)
    pick.shuffle(mixed)
    again = gate(replace(asked, pending=tuple(mixed)), decision, ceiling=ceiling, step=step)
    assert again == gate(asked, decision, ceiling=ceiling, step=step)


@given(asks, decisions, sizes, steps)
def test_long_and_short_are_judged_alike(asked, decision, ceiling, step) -> None:
    other = {"buy": "sell", "sell": "buy", "long": "short", "short": "long", "": ""}
    mirrored = replace(
        asked,
        side=other[asked.side],
        position=-asked.position,
        book=other[asked.book],
        pending=tuple(
            replace(order, side=other[order.side], book=other[order.book])
            for order in asked.pending
        ),
    )
    one, two = (gate(each, decision, ceiling=ceiling, step=step) for each in (asked, mirrored))
    assert one == two
