"""The order gate: exits always pass, entries only into the room that is left."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from riskguard.engine.decision import Decision, State
from riskguard.engine.gate import Episode, Intent, Pending, duties, gate

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


def test_leverage_cap_is_a_ceiling_where_equity_is_known() -> None:
    geared = replace(ACTIVE, state=State.CAUTION, leverage_cap=2.0)
    assert gate(intent("buy", 50.0, 0.0), geared, equity=1_000.0).quantity == 20.0
    assert gate(intent("buy", 50.0, 0.0), geared).quantity == 50.0


def test_denial_names_the_rule() -> None:
    verdict = gate(intent("buy", 1.0, 2.0), CAPPED, ceiling=1.0)
    assert [reason.rule for reason in verdict.reasons] == ["a"]
    assert "50%" in verdict.reasons[0].text


def test_episode_keeps_its_base_through_tightenings_and_drops_it_when_active() -> None:
    episode = Episode()
    episode.see(CAPPED, 4.0)
    assert episode.ceiling(CAPPED) == 2.0
    episode.see(replace(CAPPED, exposure_cap=0.25), 2.0)
    assert episode.ceiling(replace(CAPPED, exposure_cap=0.25)) == 1.0
    episode.see(ACTIVE, 1.0)
    assert episode.base is None


def test_flat_episode_takes_the_first_entry_asked_as_its_base() -> None:
    episode = Episode()
    episode.see(CAPPED, 0.0)
    episode.ask(6.0)
    episode.ask(10.0)
    assert episode.ceiling(CAPPED) == 3.0


def test_reduce_by_holds_until_it_clears() -> None:
    episode, halved = Episode(), replace(ACTIVE, state=State.CAUTION, reduce_by=0.5)
    episode.see(halved, 4.0)
    assert episode.ceiling(halved) == 2.0
    episode.see(halved, 2.0)
    assert episode.ceiling(halved) == 2.0, "once an activation"


def test_duties_cancel_before_they_reduce_and_keep_their_ids() -> None:
    episode = Episode()
    episode.see(CAPPED, 4.0)
    first = duties(CAPPED, episode, "BTC", 4.0)
    assert [action.kind for action in first] == ["cancel_entries", "reduce_to"]
    assert first == duties(CAPPED, episode, "BTC", 4.0)
    assert duties(HALTED, episode, "BTC", 4.0)[-1].kind == "flatten"


def test_a_decision_that_only_caps_leverage_or_sets_a_stop_cancels_nothing() -> None:
    for quiet in (
        replace(ACTIVE, state=State.CAUTION, leverage_cap=2.0),
        replace(ACTIVE, state=State.CAUTION, stop=5.0),
    ):
        kinds = [action.kind for action in duties(quiet, Episode(), "BTC", 1.0)]
        assert "cancel_entries" not in kinds


def test_no_stream_of_orders_and_fills_ever_grows_or_flips_a_guarded_position() -> None:
    for seed in range(3_000):
        pick = random.Random(seed)
        position = pick.choice([-3.0, -1.0, 0.0, 2.0, 5.0])
        decision = pick.choice([CAPPED, BLOCKED, HALTED])
        ceiling = 0.5 * abs(position) if decision is CAPPED else float("inf")
        flying: list[Pending] = []
        start, cap = position, max(ceiling, abs(position)) if decision is CAPPED else abs(position)
        for number in range(12):
            side = pick.choice(["buy", "sell"])
            asked = round(pick.uniform(0.1, 6.0), 2)
            verdict = gate(intent(side, asked, position, *flying), decision, ceiling=ceiling)
            assert 0.0 <= verdict.quantity <= asked, seed
            mirrored = intent(side, asked, position, *reversed(flying))
            assert gate(mirrored, decision, ceiling=ceiling).quantity == verdict.quantity, seed
            if verdict.quantity:
                flying.append(Pending(str(number), side, verdict.quantity, resting=False))
            if flying and pick.random() < 0.5:
                order = flying.pop(pick.randrange(len(flying)))
                filled = order.remaining * pick.choice([0.5, 1.0])
                position += filled if order.side == "buy" else -filled
                if filled < order.remaining:
                    flying.append(replace(order, remaining=order.remaining - filled))
            assert abs(position) <= cap + 1e-9, f"seed {seed}: {start} grew to {position}"
            if decision is not CAPPED:  # under a cap the other side may be entered, up to it
                assert position * start >= -1e-9, f"seed {seed}: {start} flipped to {position}"
