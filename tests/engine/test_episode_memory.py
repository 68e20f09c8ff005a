"""What episodes remember, field by field: how strict, how much was held, what a dump gives back."""

from __future__ import annotations

import json
from dataclasses import replace
from math import nan

import pytest

from riskguard.engine.decision import Decision, State
from riskguard.engine.episodes import Episode, Episodes, strictness
from riskguard.engine.orders import Intent, Reason
from riskguard.engine.strangers import elsewhere
from riskguard.errors import StateError
from riskguard.language.reader import read_text
from riskguard.language.ruleset import RuleSet
from riskguard.market import Instrument
from tests.engine.decisions import ACTIVE, HALTED, REDUCING, decision

HALF = decision(State.CAUTION, exposure_cap=0.5)
HALVED = decision(State.CAUTION, reduce_by=0.5)


def intent(side: str, quantity: float, position: float, **more: object) -> Intent:
    symbol = str(more.pop("symbol", "BTC"))
    return Intent(0, symbol, side, quantity, position, **{"price": 100.0} | more)


def again(episodes: Episodes) -> Episodes:
    """Return episodes as they come back from a file."""
    other = Episodes(episodes.instruments)
    other.load(json.loads(json.dumps(episodes.dump())))
    return other


# ---------------------------------------------------------------- how strict


@pytest.mark.parametrize(
    ("limited", "strict"),
    [
        ({}, {}),
        ({"state": State.HALTED}, {0: 3.0}),
        ({"exposure_cap": 0.25}, {1: 0.75}),
        ({"reduce_by": 0.5}, {2: 0.5}),
        ({"hedge": 0.5}, {3: 0.5}),
        ({"leverage_cap": 4.0}, {4: 0.25}),
        ({"stop": 8.0}, {5: 0.125}),
        ({"block_entries": "long"}, {6: 1.0}),
        ({"block_entries": "short"}, {7: 1.0}),
        ({"block_entries": "both"}, {6: 1.0, 7: 1.0}),
        ({"close": "longs"}, {8: 1.0}),
        ({"close": "shorts"}, {9: 1.0}),
        ({"close": "all"}, {8: 1.0, 9: 1.0}),
        ({"reduce_only": True}, {10: 1.0}),
        ({"cancel_orders": "entries"}, {11: 1.0}),
        ({"cancel_orders": "all"}, {11: 2.0}),
    ],
)
def test_each_limit_has_a_number_of_its_own_that_grows_with_strictness(limited, strict) -> None:
    assert strictness(replace(ACTIVE, **limited)) == tuple(strict.get(n, 0.0) for n in range(12))


# ---------------------------------------------------------------- one episode


def test_the_base_is_the_position_and_if_flat_what_is_asked() -> None:
    episode = Episode()
    assert episode.tightening == 0
    assert episode.based(intent("buy", 0.0, 0.0)) is None
    assert episode.based(intent("buy", -1.0, 0.0)) is None
    assert episode.based(intent("buy", 0.5, 0.0)) == 0.5
    assert episode.based(intent("buy", 9.0, -0.5)) == 0.5
    episode.base = 4.0
    assert episode.based(intent("buy", 9.0, 2.0)) == 4.0


@pytest.mark.parametrize(
    ("position", "close", "limit"),
    [
        (2.0, "longs", 0.0),
        (2.0, "shorts", 3.0),
        (-2.0, "shorts", 0.0),
        (-2.0, "longs", 3.0),
        (2.0, "all", 0.0),
        (-2.0, "all", 0.0),
    ],
)
def test_nothing_may_be_held_of_a_side_that_is_closed(position, close, limit) -> None:
    episode = Episode()
    episode.position, episode.base = position, 6.0
    assert episode.limit(replace(HALF, close=close)) == limit


def test_what_a_rule_left_stays_until_it_clears_though_the_position_shrinks_or_grows() -> None:
    episodes = Episodes()
    episodes.note("BTC", 8.0)
    episodes.see(HALVED)
    assert episodes.of("BTC").held == 4.0
    harder = replace(HALVED, reduce_by=0.75)
    episodes.see(harder, {"BTC": 8.0})
    assert episodes.of("BTC").held == 2.0
    episodes.see(HALVED, {"BTC": 12.0})
    episodes.see(harder, {"BTC": 12.0})
    assert episodes.of("BTC").held == 2.0, "what was reduced already is not given back"
    episodes.see(replace(harder, winners={"reduce_by": ("other",)}), {"BTC": 12.0})
    assert episodes.of("BTC").held == 3.0, "another rule reduces what is there now"
    episodes.see(HALF)
    assert episodes.of("BTC").held is None


def test_every_symbol_returns_from_its_episode_at_once() -> None:
    episodes = Episodes()
    for symbol in ("BTC", "ETH", "SOL"):
        episodes.note(symbol, 2.0)
    episodes.see(HALF)
    assert [episodes.of(symbol).base for symbol in ("BTC", "ETH", "SOL")] == [2.0] * 3
    for symbol in ("BTC", "ETH", "SOL"):
        episodes.note(symbol, 1.0)
    assert [episodes.of(symbol).within for symbol in ("BTC", "ETH", "SOL")] == [True] * 3
    episodes.see(ACTIVE)
    assert [episodes.of(symbol).base for symbol in ("BTC", "ETH", "SOL")] == [None] * 3
    assert [episodes.of(symbol).within for symbol in ("BTC", "ETH", "SOL")] == [False] * 3


# ---------------------------------------------------------------- the account


def test_an_account_of_nothing_and_of_cents_is_an_account() -> None:
    episodes = Episodes()
    assert episodes.dump()["equity"] is None
    for equity in (0.5, 0.0):
        episodes.account(1, "BTC", {"equity": equity})
        assert episodes.equity == equity
    episodes.account(2, "BTC", {"equity": -1.0})
    assert episodes.equity == 0.0


def test_of_positions_told_for_one_time_the_last_counts_and_none_for_an_earlier() -> None:
    episodes = Episodes()
    for ts, position, known in ((5, 1.0, 1.0), (5, 2.0, 2.0), (4, 3.0, 2.0), (6, 4.0, 4.0)):
        episodes.account(ts, "BTC", {"position": position})
        assert episodes.of("BTC").position == known


def test_what_was_told_of_one_symbol_says_nothing_of_another() -> None:
    episodes = Episodes()
    episodes.note("BTC", 2.0, 9)
    episodes.see(HALF, {"ETH": 4.0})
    assert (episodes.of("ETH").position, episodes.of("ETH").told) == (4.0, None)
    assert (episodes.of("BTC").position, episodes.of("BTC").told) == (2.0, 9)
    assert episodes.of("SOL").position is None


# ---------------------------------------------------------------- orders


def test_the_answer_carries_the_fault_and_the_time_that_the_guard_gave() -> None:
    episodes = Episodes()
    verdict = episodes.judge(intent("buy", 1.0, 0.0), ACTIVE, fault="no clock", as_of=7)
    assert (verdict.answer, verdict.as_of) == ("deny", 7)
    assert verdict.reasons == (Reason("guard_error", "", "no clock"),)


def test_a_refusal_is_told_when_it_may_end() -> None:
    asked = []

    def until(decision: Decision, now: int) -> int:
        asked.append((decision, now))
        return 42

    verdict = Episodes().judge(intent("buy", 1.0, 0.0), HALTED, until=until, as_of=7)
    assert (verdict.until, asked) == (42, [(HALTED, 0)])


def test_what_is_let_out_though_the_guard_failed_is_rounded_as_the_venue_counts() -> None:
    episodes = Episodes({"BTC": Instrument(step=0.5)})
    episodes.see(HALF)
    episodes._known = None
    assert episodes.judge(intent("sell", 0.75, 4.0), HALF).quantity == 0.5


def test_two_decisions_in_turn_are_each_told_by_their_own_rules() -> None:
    episodes = Episodes()
    other = replace(REDUCING, winners={"reduce_only": ("other",)})
    for decided, rule in ((REDUCING, "rule"), (other, "other"), (REDUCING, "rule")):
        [reason] = episodes.judge(intent("buy", 1.0, 0.0), decided).reasons
        assert reason == Reason("rule", rule, f"reduce_only True <- {rule}")


def test_a_small_first_entry_is_the_base_too() -> None:
    episodes = Episodes()
    episodes.see(HALF, {"BTC": 0.0})
    assert episodes.judge(intent("buy", 0.5, 0.0), HALF).quantity == 0.25
    assert episodes.of("BTC").base == 0.5


def test_each_book_of_a_hedged_symbol_has_a_base_of_its_own() -> None:
    episodes = Episodes()
    episodes.see(HALF)
    for book, side, size in (("long", "buy", 2.0), ("short", "sell", 8.0)):
        granted = episodes.judge(intent(side, size, 0.0, book=book), HALF)
        assert granted.quantity == size / 2
    for book, base in (("long", 2.0), ("short", 8.0), ("", None)):
        assert episodes.of("BTC", book).base == base
    more = episodes.judge(intent("buy", 9.0, 0.5, book="long"), HALF)
    assert more.quantity == 0.5
    assert episodes.symbols == ("BTC long", "BTC short")


def test_an_order_of_a_symbol_that_is_none_still_closes() -> None:
    episodes = Episodes({"BTC": Instrument(step=1.0)})
    odd = replace(intent("sell", 0.5, 1.5), symbol=[])
    verdict = episodes.judge(odd, replace(HALTED, latched=True), as_of=7)
    assert (verdict.answer, verdict.quantity, verdict.state) == ("allow", 0.5, State.HALTED)
    assert (verdict.latched, verdict.as_of, verdict.rules) == (True, 7, HALTED.rules)
    [reason] = verdict.reasons
    assert reason.cause == "guard_error"
    assert reason.text.startswith("TypeError: ")


def test_what_nobody_guards_is_allowed_and_says_so() -> None:
    stands = Decision(5, "BTC", state=State.HALTED, exposure_cap=0.0, rules=ACTIVE.rules)
    free = Episodes().judge(intent("buy", 1.0, 0.0), stands, guarded=False)
    assert (free.answer, free.quantity, free.state) == ("allow", 1.0, State.ACTIVE)
    assert (free.as_of, free.rules) == (5, ACTIVE.rules)
    told = "unguarded: the rules do not name BTC"
    assert free.reasons == (Reason("unguarded", "", told),)
    assert Episodes().judge(intent("buy", 1.0, 0.0), stands, guarded=False, as_of=7).as_of == 7


def own_rules(*symbols: str) -> RuleSet:
    names = "".join(f"  {one}: {{override: {{rules.r.when: close < 9}}}}\n" for one in symbols)
    text = "version: 1\nsymbol: BTC\nevery: 1h\nrules:\n  r: {when: close < 5, "
    found, said = read_text(
        f"{text}latch: true, do: {{exposure_cap: 0%}}}}\nper_symbol:\n{names}", "rules.yaml"
    )
    assert found is not None, said
    return found


@pytest.mark.parametrize("symbol", ["ETH", "ETH/USDT:USDT", "ETHUSDT"])
def test_orders_of_a_symbol_with_rules_of_its_own_are_asked_of_its_own_guard(symbol) -> None:
    ruleset = own_rules("ETH", "SOL")
    entry = elsewhere(intent("buy", 1.0, 0.0, symbol=symbol), ruleset, 7)
    assert (entry.answer, entry.quantity, entry.as_of, entry.rules) == (
        "deny",
        0.0,
        7,
        ruleset.hash,
    )
    assert {reason.cause for reason in entry.reasons} == {"blind"}
    told = "ETH has rules of its own (per_symbol): ask the guard made with symbol ETH"
    assert entry.reasons[0].text.count(told) == 1
    exit_ = elsewhere(intent("sell", 1.0, 1.0, symbol=symbol), ruleset, 7)
    assert (exit_.answer, exit_.quantity) == ("allow", 1.0)
    absurd = elsewhere(intent("buy", nan, 0.0, symbol=symbol), ruleset, 7)
    assert [reason.cause for reason in absurd.reasons] == ["absurd"]


def test_orders_of_other_symbols_have_no_guard_elsewhere() -> None:
    ruleset = own_rules("ETH")
    assert elsewhere(intent("buy", 1.0, 0.0), ruleset, 7) is None
    assert elsewhere(intent("buy", 1.0, 0.0, symbol="XRP"), ruleset, 7) is None


def test_what_is_due_is_asked_under_the_names_the_host_gave() -> None:
    episodes = Episodes()
    assert episodes.named("BTC") == ["BTC"]
    episodes.note("SOL", 1.0)
    episodes.note("ETH/USDT", 1.0)
    assert episodes.named("BTC") == ["BTC", "ETH/USDT", "SOL"]
    episodes.note("BTC/USDT:USDT long", 1.0)
    assert episodes.named("BTC") == ["BTC/USDT:USDT long", "ETH/USDT", "SOL"]


TENS, TWOS = Instrument(contract_size=10.0), Instrument(contract_size=2.0)


@pytest.mark.parametrize(
    ("instruments", "contracts"),
    [
        ({"BTC/USDT:USDT": TENS, "BTC": TWOS}, 4.0),  # its own name before that of its coin
        ({"BTC": TENS, "ETH": TWOS}, 4.0),
        ({"ETH": TWOS, "*": TWOS}, 40.0),
    ],
)
@pytest.mark.parametrize("symbol", ["BTC/USDT:USDT", "BTC/USDT:USDT long"])
def test_a_venue_counts_a_symbol_as_it_is_named_or_as_its_coin(
    symbol, instruments, contracts
) -> None:
    episodes = Episodes(instruments)
    episodes.account(1, symbol, {"position": 40.0})
    assert episodes.of(symbol).position == contracts


@pytest.mark.parametrize("name", ["BTC", "BTC/USDT:USDT"])
def test_an_order_is_counted_by_the_instrument_of_its_coin(name) -> None:
    limited = decision(State.CAUTION, leverage_cap=2.0)
    episodes = Episodes({name: Instrument(step=2.0, min_quantity=8.0, contract_size=10.0)})
    order = intent("buy", 50.0, 0.0, symbol="BTC/USDT:USDT")
    held = episodes.judge(order, limited, equity=11_500.0)
    assert (held.answer, held.quantity) == ("resize", 22.0)  # 22 x 10 coins x 100 of 23,000
    assert episodes.judge(order, limited, equity=3_900.0).answer == "deny"  # 6 are too few


def test_an_equity_that_was_told_long_ago_is_none() -> None:
    geared, order = decision(State.CAUTION, leverage_cap=2.0), intent("buy", 1.0, 0.0)
    episodes = Episodes(max_age=10)
    assert episodes.judge(order, geared).reasons[0].cause == "blind"
    episodes.account(5, "BTC", {"equity": 1_000.0})
    assert episodes.judge(replace(order, ts=15), geared).answer == "allow"
    assert episodes.judge(replace(order, ts=16), geared).answer == "deny"
    assert episodes.judge(replace(order, ts=16), geared, equity=1_000.0).answer == "allow"
    loaded = Episodes(max_age=10)
    loaded.load(episodes.dump())
    assert loaded.judge(replace(order, ts=15), geared).answer == "allow"
    assert loaded.judge(replace(order, ts=16), geared).answer == "deny"


def test_a_state_that_does_not_say_when_the_equity_was_told_knows_none() -> None:
    episodes = Episodes()
    episodes.account(5, "BTC", {"equity": 1_000.0})
    body = episodes.dump()
    del body["counted"]
    episodes.load(body)
    geared = decision(State.CAUTION, leverage_cap=2.0)
    assert episodes.judge(intent("buy", 1.0, 0.0), geared).answer == "deny"


# ---------------------------------------------------------------- a dump


def test_everything_that_is_remembered_comes_back_from_a_file() -> None:
    episodes = Episodes()
    episodes.account(9, "BTC", {"equity": 500.0, "position": 4.0})
    episodes.see(HALVED)
    episodes.note("BTC", 2.0, 11)
    for action in episodes.duties("BTC"):
        assert episodes.finish(action.id)
    kept = episodes.dump()["symbols"]["BTC"]
    assert kept == {
        "base": 4.0,
        "done": kept["done"],
        "held": 2.0,
        "position": 2.0,
        "tightening": 1,
        "told": 11,
        "within": True,
    }
    assert len(kept["done"]) == 1
    assert again(episodes).dump() == episodes.dump()
    fresh = Episodes()
    fresh.note("BTC", 2.0)
    assert again(fresh).dump() == fresh.dump()
    assert fresh.dump()["symbols"]["BTC"]["within"] is False


def test_a_dump_does_not_change_with_what_is_done_after_it() -> None:
    episodes = Episodes()
    episodes.note("BTC", 4.0)
    episodes.see(HALF)
    body = episodes.dump()
    assert episodes.finish(episodes.duties("BTC")[0].id)
    assert body["symbols"]["BTC"]["done"] == []


def test_a_position_that_grows_after_a_restart_is_a_tightening_as_it_was_before() -> None:
    episodes = Episodes()
    episodes.note("BTC", 4.0)
    episodes.see(HALF)
    episodes.note("BTC", 2.0)
    other = again(episodes)
    other.see(HALF)
    before = other.tightening
    other.note("BTC", 3.0)
    assert other.tightening == before + 1


def test_a_size_that_is_none_is_refused_by_name() -> None:
    episodes = Episodes()
    episodes.note("BTC", 4.0)
    body = episodes.dump()
    body["symbols"]["BTC"]["base"] = "wide"
    with pytest.raises(StateError, match="'wide' is no size"):
        Episodes().load(body)
