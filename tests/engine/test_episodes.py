"""What a symbol remembers between leaving ACTIVE and the return, and what is due unasked."""

from __future__ import annotations

import json
from dataclasses import replace
from math import inf, nan

import pytest

from riskguard.engine.decision import State
from riskguard.engine.episodes import Episodes, strictness
from riskguard.engine.gate import Intent, Pending
from riskguard.errors import StateError
from riskguard.market import Instrument
from tests.engine.decisions import ACTIVE, DECISIONS, HALTED, REDUCING, decision

HALF = decision(State.CAUTION, exposure_cap=0.5)
QUARTER = decision(State.CAUTION, exposure_cap=0.25)
HALVED = decision(State.CAUTION, reduce_by=0.5)


def intent(side: str, quantity: float, position: float, **more: object) -> Intent:
    return Intent(0, "BTC", side, quantity, position, price=100.0, **more)


def seen(*steps: object, **instruments: Instrument) -> Episodes:
    """Return episodes that saw decisions and positions of BTC, in turn."""
    episodes = Episodes(instruments)
    for step in steps:
        if isinstance(step, float):
            episodes.note("BTC", step)
        else:
            episodes.see(step)
    return episodes


def kinds(episodes: Episodes) -> list[str]:
    return [action.kind for action in episodes.duties("BTC")]


def ceiling(episodes: Episodes) -> float:
    return episodes.of("BTC").ceiling(episodes.decision)


# ---------------------------------------------------------------- base and ceiling


def test_the_base_is_kept_through_tightenings_and_dropped_when_active() -> None:
    episodes = seen(4.0, HALF)
    assert ceiling(episodes) == 2.0
    episodes.see(QUARTER, {"BTC": 2.0})
    assert ceiling(episodes) == 1.0
    episodes.see(ACTIVE)
    assert episodes.of("BTC").base is None
    assert ceiling(episodes) == inf


def test_flat_the_first_entry_granted_is_the_base_and_asking_again_changes_nothing() -> None:
    episodes = seen(0.0, HALF)
    assert episodes.judge(intent("buy", 6.0, 0.0), HALF).quantity == 3.0
    body = episodes.dump()
    for _ in range(50):
        assert episodes.judge(intent("buy", 10.0, 0.0), HALF).quantity == 3.0
    assert episodes.dump() == body


def test_flat_at_first_the_position_that_comes_is_the_base() -> None:
    episodes = seen(0.0, HALF, 3.0)
    assert ceiling(episodes) == 1.5
    episodes.note("BTC", 5.0)
    assert ceiling(episodes) == 1.5


def test_an_entry_that_was_refused_is_no_base() -> None:
    episodes = seen(0.0, REDUCING)
    body = episodes.dump()
    assert episodes.judge(intent("buy", 6.0, 0.0), REDUCING).answer == "deny"
    assert episodes.dump() == body
    episodes.see(HALF)
    assert episodes.judge(intent("buy", 10.0, 0.0), HALF).quantity == 5.0


def test_an_order_tells_the_position_where_the_account_does_not() -> None:
    episodes = seen(HALF)
    assert episodes.judge(intent("sell", 3.0, 4.0), HALF).quantity == 3.0
    assert episodes.judge(intent("buy", 9.0, 1.0), HALF).quantity == 1.0
    assert episodes.judge(intent("buy", 9.0, 0.0), HALF).quantity == 2.0


def test_an_order_that_makes_no_sense_tells_nothing() -> None:
    for wrong in ({"side": "up"}, {"quantity": nan}, {"position": nan}, {"quantity": "x"}):
        episodes = seen(HALF)
        body = episodes.dump()
        assert episodes.judge(replace(intent("sell", 3.0, 4.0), **wrong), HALF).quantity == 0.0
        assert episodes.dump() == body


def test_in_active_nothing_is_remembered_of_an_order() -> None:
    episodes = seen(ACTIVE)
    body = episodes.dump()
    assert episodes.judge(intent("buy", 3.0, 4.0), ACTIVE).answer == "allow"
    assert episodes.dump() == body


def test_the_books_of_hedge_mode_have_bases_of_their_own() -> None:
    episodes = seen(HALF)
    assert episodes.judge(intent("buy", 9.0, 4.0, book="long"), HALF).quantity == 0.0
    assert episodes.judge(intent("sell", 9.0, 0.0, book="short"), HALF).quantity == 4.5
    assert episodes.of("BTC", "long").base == 4.0
    assert episodes.of("BTC", "short").base == 9.0
    assert episodes.symbols == ("BTC long", "BTC short")


def test_symbols_do_not_share_a_base() -> None:
    episodes = Episodes()
    episodes.see(HALF, {"BTC": 4.0, "ETH": -2.0})
    assert [episodes.of(name).ceiling(HALF) for name in ("BTC", "ETH", "SOL")] == [2.0, 1.0, inf]


def test_the_account_tells_coins_and_orders_count_contracts() -> None:
    episodes = Episodes({"BTC": Instrument(contract_size=0.01)})
    episodes.account(5, "BTC", {"position": 4.0, "equity": 1_000.0})
    episodes.see(decision(State.CAUTION, exposure_cap=0.5, leverage_cap=2.0))
    assert episodes.of("BTC").position == pytest.approx(400.0)
    verdict = episodes.judge(intent("buy", 500.0, 0.0), episodes.decision)
    assert verdict.quantity == pytest.approx(200.0)
    assert verdict.max_leverage == 2.0
    geared = decision(State.CAUTION, leverage_cap=2.0)
    assert episodes.judge(intent("buy", 5e4, 0.0), geared).quantity == pytest.approx(2_000.0)
    assert episodes.judge(intent("buy", 5e4, 0.0), geared, equity=500.0).quantity == 1_000.0


def test_what_is_late_or_no_number_tells_nothing_of_the_account() -> None:
    episodes = Episodes()
    episodes.account(5, "BTC", {"position": 4.0, "equity": 10.0})
    episodes.account(4, "BTC", {"position": 9.0})
    episodes.account(6, "BTC", {"position": nan, "equity": -1.0})
    episodes.account(6, "BTC", {"position": inf, "equity": nan})
    episodes.account(4, "BTC", {"equity": 70.0})
    assert (episodes.of("BTC").position, episodes.equity) == (4.0, 10.0)


# ---------------------------------------------------------------- reduce_by


def test_reduce_by_takes_its_share_once_and_holds_until_it_clears() -> None:
    episodes = seen(4.0, HALVED)
    assert ceiling(episodes) == 2.0
    episodes.see(replace(HALVED, stop=1.0), {"BTC": 2.0})
    assert ceiling(episodes) == 2.0
    episodes.see(decision(State.CAUTION, stop=1.0))
    assert ceiling(episodes) == inf
    episodes.see(HALVED)
    assert ceiling(episodes) == 1.0, "another activation"


def test_a_rule_that_follows_another_at_once_reduces_anew() -> None:
    episodes = seen(4.0, HALVED, 2.0)
    number = episodes.tightening
    episodes.see(replace(HALVED, winners={"reduce_by": ("other",)}))
    assert (ceiling(episodes), episodes.tightening) == (1.0, number + 1)


def test_a_rule_that_joins_another_reduces_only_by_more() -> None:
    episodes = seen(4.0, HALVED, 2.0)
    episodes.see(replace(HALVED, winners={"reduce_by": ("rule", "other")}))
    assert ceiling(episodes) == 2.0
    episodes.see(replace(HALVED, reduce_by=0.75, winners={"reduce_by": ("other", "rule")}))
    assert ceiling(episodes) == 0.5


def test_an_unknown_position_is_reduced_by_its_share_of_the_base() -> None:
    episodes = seen(HALVED)
    [cancel, reduce] = episodes.duties("BTC")
    assert (cancel.kind, reduce.kind, reduce.fraction, reduce.data) == (
        "cancel_entries", "reduce_to", 0.5, {},
    )  # fmt: skip
    episodes.judge(intent("sell", 1.0, 4.0), HALVED)
    assert ceiling(episodes) == 2.0


# ---------------------------------------------------------------- tightenings and ids


def test_a_tightening_is_counted_when_something_is_stricter_not_at_each_decision() -> None:
    episodes = Episodes()
    numbers = []
    for one in (ACTIVE, HALF, replace(HALF, ts=2), QUARTER, HALF, REDUCING, HALTED, ACTIVE, HALF):
        episodes.see(one)
        numbers.append(episodes.tightening)
    assert numbers == [0, 1, 1, 2, 2, 3, 4, 4, 5]


@pytest.mark.parametrize(
    "more",
    [
        {"exposure_cap": 0.4},
        {"reduce_by": 0.3},
        {"hedge": 0.2},
        {"leverage_cap": 2.0},
        {"stop": 5.0},
        {"block_entries": "long"},
        {"block_entries": "short"},
        {"close": "longs"},
        {"close": "shorts"},
        {"reduce_only": True},
        {"cancel_orders": "entries"},
        {"state": State.REDUCING},
    ],
    ids=str,
)
def test_every_field_of_a_decision_can_tighten_and_loosen(more) -> None:
    base = decision(State.CAUTION, exposure_cap=0.5)
    strict = replace(base, **more)
    assert any(x > y for x, y in zip(strictness(strict), strictness(base), strict=True))
    assert not any(x > y for x, y in zip(strictness(base), strictness(strict), strict=True))


def test_ids_are_stable_and_never_used_twice() -> None:
    episodes, used = seen(4.0), set()
    for one in (HALF, QUARTER, HALF, ACTIVE, HALF, HALTED, ACTIVE, *DECISIONS):
        episodes.see(one)
        ids = [action.id for action in episodes.duties("BTC")]
        assert ids == [action.id for action in episodes.duties("BTC")]
        for action_id in ids:
            assert action_id not in used
            used.add(action_id)
            assert episodes.finish(action_id)
            assert not episodes.finish(action_id)
        assert episodes.duties("BTC") == []
    assert "01234567:1:reduce_to:BTC:0.5" in used
    assert "01234567:1:cancel_entries:BTC" in used


@pytest.mark.parametrize(
    "action_id", ["", "a:b", "01234567:9:flatten:BTC", "01234567:x:flatten:BTC"]
)
def test_an_id_that_is_not_due_is_passed_over(action_id) -> None:
    episodes = seen(4.0, HALTED)
    assert not episodes.finish(action_id)
    assert kinds(episodes) == ["cancel_entries", "flatten"]


def test_ids_of_symbols_with_colons_are_understood() -> None:
    episodes, symbol = Episodes(), "BTC/USDT:USDT"
    episodes.see(HALF, {symbol: 4.0})
    for action in episodes.duties(symbol):
        assert episodes.finish(action.id)
    assert episodes.duties(symbol) == []


def test_a_position_that_grows_over_its_limit_again_is_a_tightening() -> None:
    episodes = seen(4.0, HALF)
    for action in episodes.duties("BTC"):
        episodes.finish(action.id)
    episodes.note("BTC", 4.0)  # the account lags: still what it was
    assert kinds(episodes) == []
    episodes.note("BTC", 2.0)
    assert kinds(episodes) == []
    episodes.note("BTC", 3.0)
    [cancel, reduce] = episodes.duties("BTC")
    assert cancel.kind == "cancel_entries"
    assert reduce.id == "01234567:2:reduce_to:BTC:0.5"


def test_a_late_fill_while_halted_is_flattened_again() -> None:
    episodes = seen(4.0, HALTED, 0.0)
    assert kinds(episodes) == ["cancel_entries"]
    episodes.note("BTC", -1.0)
    assert kinds(episodes) == ["cancel_entries", "flatten"]


# ---------------------------------------------------------------- duties


def test_nothing_is_due_before_a_decision_and_in_active() -> None:
    assert seen(4.0).duties("BTC") == []
    assert seen(4.0, ACTIVE).duties("BTC") == []


def test_a_cancel_is_due_in_active_too() -> None:
    assert kinds(seen(4.0, replace(ACTIVE, cancel_orders="all"))) == ["cancel_all"]
    assert kinds(seen(4.0, replace(ACTIVE, cancel_orders="entries"))) == ["cancel_entries"]


def test_each_action_has_what_it_needs() -> None:
    episodes = seen(-4.0, decision(State.CAUTION, exposure_cap=0.5, stop=3.0, hedge=0.25))
    cancel, reduce, stop, hedge = episodes.duties("BTC")
    assert (reduce.fraction, reduce.data) == (0.5, {"ceiling": 2.0})
    assert (stop.kind, stop.data) == ("set_stop", {"distance": 3.0})
    assert (hedge.kind, hedge.data) == ("hedge", {"share": 0.25})
    assert cancel.data == {}


@pytest.mark.parametrize("quiet", [{"leverage_cap": 2.0}, {"stop": 5.0}])
def test_a_leverage_cap_and_a_stop_cancel_nothing(quiet) -> None:
    assert "cancel_entries" not in kinds(seen(1.0, decision(State.CAUTION, **quiet)))


@pytest.mark.parametrize(
    ("close", "position", "due"),
    [("longs", 1.0, True), ("longs", -1.0, False), ("shorts", -1.0, True), ("shorts", 1.0, False)],
)
def test_one_side_is_flattened_when_it_is_held(close, position, due) -> None:
    found = kinds(seen(position, decision(State.CAUTION, close=close)))
    assert ("flatten" in found) is due
    assert found[0] == "cancel_entries"


def test_what_the_account_has_not_told_is_taken_to_be_held() -> None:
    assert "flatten" in kinds(seen(HALTED))
    assert "reduce_to" in kinds(seen(HALF))
    assert kinds(seen(REDUCING)) == ["cancel_entries"]


def test_less_than_the_least_order_is_not_reduced() -> None:
    venue = Instrument(step=0.1, min_quantity=0.5)
    assert kinds(seen(4.0, HALF, 2.4, BTC=venue)) == ["cancel_entries"]
    assert kinds(seen(4.0, HALF, 2.5, BTC=venue)) == ["cancel_entries", "reduce_to"]
    assert "flatten" in kinds(seen(0.3, HALTED, BTC=venue)), "a venue closes dust in full"


# ---------------------------------------------------------------- judging


def test_an_unguarded_symbol_is_allowed_as_asked_and_says_so() -> None:
    episodes = seen(HALTED)
    verdict = episodes.judge(intent("buy", 5.0, 0.0), HALTED, guarded=False, fault="late", as_of=3)
    assert (verdict.answer, verdict.quantity, verdict.as_of) == ("allow", 5.0, 3)
    assert [reason.cause for reason in verdict.reasons] == ["unguarded"]
    absurd = episodes.judge(intent("buy", nan, 0.0), HALTED, guarded=False)
    assert (absurd.answer, absurd.reasons[0].cause) == ("deny", "absurd")


def test_the_steps_of_the_venue_round_what_is_granted() -> None:
    episodes = seen(0.0, HALF, BTC=Instrument(step=0.5, min_quantity=1.0))
    assert episodes.judge(intent("buy", 4.5, 0.0), HALF).quantity == 2.0
    small = seen(0.0, HALF, BTC=Instrument(step=0.5, min_quantity=1.0))
    assert small.judge(intent("buy", 1.5, 0.0), HALF).answer == "deny"


def test_whatever_fails_inside_lets_the_exit_pass_alone() -> None:
    episodes = seen(4.0, HALF)
    episodes._known = None
    pending = (Pending("t", "sell", 2.0, resting=True), Pending("f", "sell", 1.0, resting=False))
    verdict = episodes.judge(intent("sell", 9.0, 4.0, pending=pending), HALF, as_of=8)
    assert (verdict.quantity, verdict.cancel_first, verdict.as_of) == (3.0, ("t",), 8)
    assert verdict.reasons[0].cause == "guard_error"
    assert episodes.judge(intent("buy", 9.0, 4.0), HALF).quantity == 0.0
    assert episodes.judge(None, HALF).answer == "deny"


# ---------------------------------------------------------------- dump and load


def test_a_restart_changes_nothing_and_is_no_tightening() -> None:
    episodes = seen(4.0, HALVED, 3.0)
    episodes.account(9, "BTC", {"equity": 100.0})
    episodes.judge(intent("buy", 2.0, 0.0, book="long"), HALVED)
    episodes.finish(episodes.duties("BTC")[0].id)
    body = json.loads(json.dumps(episodes.dump(), allow_nan=False))
    other = Episodes()
    other.load(body)
    assert other.dump() == episodes.dump()
    other.see(replace(HALVED))
    assert other.dump() == episodes.dump()
    assert other.duties("BTC") == episodes.duties("BTC")


@pytest.mark.parametrize(
    "change",
    [
        {"symbols": None},
        {"symbols": {"BTC": {}}},
        {"symbols": {"BTC": None}},
        {"strictness": [0.0]},
        {"strictness": ["x"] * 12},
        {"tightening": None},
        {"equity": "rich"},
        {"equity": nan},
    ],
    ids=str,
)
def test_what_cannot_be_read_changes_nothing(change) -> None:
    body = seen(4.0, HALF).dump() | change
    episodes = seen(2.0, QUARTER)
    before = episodes.dump()
    with pytest.raises(StateError, match="episodes"):
        episodes.load(body)
    assert episodes.dump() == before
    with pytest.raises(StateError):
        episodes.load({})
