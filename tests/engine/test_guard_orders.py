"""The guard asked about orders, and about what it wants done unasked."""

from __future__ import annotations

from dataclasses import replace
from math import nan

import pytest

from riskguard import Guard, Instrument, Intent, Sample, State
from riskguard.language.reader import read_text
from riskguard.market import HOUR

START = 1_767_225_600_000_000_000
RULES = """\
version: 1
symbol: BTC
every: 1h
rules:
  fallen:
    when: close < 90
    clear: close > 95
    do: {exposure_cap: 50%}
    min_hold: 6h
  lost:
    when: close < 80
    clear: close > 95
    do: {exposure_cap: 0%}
  signed:
    when: close < 70
    do: {block_entries: both}
    latch: true
"""


def guard(text: str = RULES, **more: object) -> Guard:
    ruleset, found = read_text(text, "rules.yaml")
    assert ruleset is not None, found
    return Guard(ruleset, **more)


def feed(made: Guard, hour: int, close: float, **values: float) -> State:
    return made.update(Sample(START + hour * HOUR, "BTC", {"close": close, **values})).state


def ask(hour: float, side: str, quantity: float, position: float, **more: object) -> Intent:
    at = START + int(hour * HOUR)
    return Intent(at, "BTC", side, quantity, position, price=100.0, **more)


def test_orders_are_judged_by_the_decision_in_force() -> None:
    made = guard()
    feed(made, 1, 100.0, position=4.0)
    assert made.decide(ask(1, "buy", 3.0, 4.0)).answer == "allow"
    assert feed(made, 2, 85.0, position=4.0) is State.CAUTION
    verdict = made.decide(ask(2, "buy", 3.0, 1.0))
    assert (verdict.answer, verdict.quantity) == ("resize", 1.0)
    assert (verdict.as_of, verdict.rules) == (START + 2 * HOUR, made.ruleset.hash)
    assert feed(made, 3, 75.0) is State.HALTED
    assert made.decide(ask(3, "buy", 3.0, 1.0)).answer == "deny"
    assert made.decide(ask(3, "sell", 4.0, 4.0)).answer == "allow"


def test_asking_changes_nothing() -> None:
    made = guard()
    feed(made, 1, 85.0, position=4.0)
    body, stood = made.episodes.dump(), made.update(Sample(START + HOUR, "BTC", {}))
    for number in range(50):
        made.decide(ask(1, "buy", 1.0 + number, 4.0))
        made.poll()
        assert made.episodes.dump() == body
    assert made.update(Sample(START + HOUR, "BTC", {})) is stood


GEARED = """\
version: 1
symbol: BTC
symbols: [BTC, ETH]
guards: all
every: 1h
rules:
  few: {when: {all: [close < 101, ETH.close > 0]}, do: {leverage_cap: 2x}}
"""


def test_a_market_order_is_counted_at_the_last_close_under_a_cap_of_leverage() -> None:
    made = guard(GEARED, instruments={"BTC": Instrument(contract_size=0.1)})
    made.update(Sample(START + HOUR, "ETH", {"close": 10.0}))
    assert feed(made, 1, 100.0, equity=1_000.0) is State.CAUTION
    for name in ("BTC", "BTC/USDT:USDT", "BTCUSDT-PERP.BINANCE"):
        market = replace(ask(1, "buy", 500.0, 0.0), symbol=name, price=None)
        assert made.decide(market).quantity == 200.0
        assert made.decide(replace(market, price=1e-9)).quantity == 200.0
    other = replace(market, symbol="ETH/USDT:USDT")
    assert made.decide(other).quantity == 200.0
    unknown = made.decide(replace(market, symbol="SOL/USDT"))
    assert (unknown.answer, unknown.reasons[0].cause) == ("deny", "blind")
    assert "Intent.price" in unknown.reasons[0].text
    assert made.decide(replace(market, symbol="SOL/USDT", price=5.0)).quantity == 400.0
    leaves = replace(market, symbol="SOL/USDT", side="sell", position=3.0, quantity=3.0)
    assert made.decide(leaves).answer == "allow"


def test_an_equity_that_is_old_lets_nothing_enter_under_a_cap_of_leverage() -> None:
    made = guard(GEARED.replace("{all: [close < 101, ETH.close > 0]}", "close < 101"))
    feed(made, 1, 100.0, equity=1_000.0)
    for hour in (2, 3):
        feed(made, hour, 100.0)
        assert made.decide(ask(hour, "buy", 1.0, 0.0)).answer == "allow"
    assert feed(made, 4, 100.0) is State.CAUTION
    late = made.decide(ask(4, "buy", 1.0, 0.0))
    assert (late.answer, late.reasons[0].cause) == ("deny", "blind")
    assert made.decide(ask(4, "sell", 1.0, 1.0)).answer == "allow"
    again = guard(GEARED.replace("{all: [close < 101, ETH.close > 0]}", "close < 101"))
    again.load(made.dump())
    assert again.decide(ask(4, "buy", 1.0, 0.0)) == late
    made.update(Sample(START + 4 * HOUR, "*", {"equity": 1_000.0}))
    assert made.decide(ask(4, "buy", 1.0, 0.0)).answer == "allow"


def test_a_close_is_a_price_as_long_as_it_stands() -> None:
    made = guard()
    assert made.doors.price("", START) is None
    feed(made, 1, 100.0)
    for name, hour, price in (("", 1, 100.0), ("", 3, 100.0), ("", 3.01, None), ("ETH", 1, None)):
        assert made.doors.price(name, START + int(hour * HOUR)) == price


def test_before_the_first_decision_only_exits_pass() -> None:
    made = guard()
    verdict = made.decide(ask(1, "buy", 1.0, 0.0))
    assert (verdict.answer, verdict.reasons[0].cause) == ("deny", "guard_error")
    assert verdict.reasons[0].text == "no decision yet"
    assert made.decide(ask(1, "sell", 2.0, 2.0)).answer == "allow"


def test_an_old_decision_lets_only_exits_pass() -> None:
    made = guard()
    feed(made, 1, 100.0)
    assert made.decide(ask(3, "buy", 1.0, 0.0)).answer == "allow"
    late = made.decide(ask(3.001, "buy", 1.0, 0.0))
    assert (late.answer, late.state) == ("deny", State.REDUCING)
    assert late.reasons[0].text == "the last decision is older than 2h: nothing was fed since"
    assert made.decide(ask(99, "sell", 5.0, 2.0)).quantity == 2.0
    patient = guard(max_decision_age=100 * HOUR)
    feed(patient, 1, 100.0)
    assert patient.decide(ask(2, "buy", 1.0, 0.0)).answer == "allow"


def test_an_input_that_is_late_when_the_order_comes_blocks_the_entry() -> None:
    made = guard(RULES.replace("every: 1h", "every: 1h\ninputs: {close: {max_age: 90m}}"))
    feed(made, 1, 100.0)
    assert made.decide(ask(2.4, "buy", 1.0, 0.0)).answer == "allow"
    blind = made.decide(ask(2.6, "buy", 1.0, 0.0))
    assert [reason.text for reason in blind.reasons] == ["blind: close (96m > 90m)"]
    assert made.decide(ask(2.6, "sell", 1.0, 1.0)).answer == "allow"
    assert made.decide(ask(2.4, "buy", 1.0, 0.0)).answer == "allow", "nothing was kept of it"


def test_an_order_at_a_late_hour_is_judged_by_what_holds_beside_the_guard_too() -> None:
    made = guard(RULES.replace("every: 1h", "every: 1h\ninputs: {close: {max_age: 90m}}"))
    feed(made, 1, 100.0)
    other = guard()
    feed(other, 1, 85.0)
    late = ask(2.6, "buy", 1.0, 0.0)  # close is older than it may be
    alone = made.decide(late)
    made.also(other.decision)
    together = made.decide(late)
    causes = [{reason.cause for reason in one.reasons} for one in (alone, together)]
    assert (causes[0], causes[1]) == ({"blind"}, {"blind", "rule"})
    assert made.also(None).exposure_cap == 1.0


@pytest.mark.parametrize(
    "wrong", [None, 7, "buy", replace(ask(1, "buy", 1.0, 0.0), ts=None)], ids=str
)
def test_decide_never_raises(wrong) -> None:
    made = guard()
    feed(made, 1, 100.0)
    verdict = made.decide(wrong)
    assert (verdict.answer, verdict.reasons[0].cause) == ("deny", "guard_error")


def test_a_guard_that_fails_inside_lets_the_exit_pass() -> None:
    made = guard()
    feed(made, 1, 100.0)
    made.episodes = None
    assert made.decide(ask(1, "sell", 5.0, 2.0)).quantity == 2.0
    assert made.decide(ask(1, "buy", 5.0, 2.0)).quantity == 0.0
    assert made.poll() == []
    assert made.refused == {"poll: AttributeError": 1}


def test_no_time_is_late() -> None:
    made = guard()
    feed(made, 1, 100.0)
    assert made.decide(replace(ask(1, "buy", 1.0, 0.0), ts=nan)).answer == "deny"


def test_orders_in_other_symbols_are_allowed_and_named() -> None:
    made = guard()
    feed(made, 1, 60.0)
    other = made.decide(replace(ask(1, "buy", 1.0, 0.0), symbol="ETH"))
    assert (other.answer, other.reasons[0].cause) == ("allow", "unguarded")
    every = guard(RULES.replace("every: 1h", "every: 1h\nguards: all"))
    feed(every, 1, 60.0)
    assert every.decide(replace(ask(1, "buy", 1.0, 0.0), symbol="ETH")).answer == "deny"


@pytest.mark.parametrize(
    "symbol", ["btcusdt", "btc-usdt", " BTC/USDT:USDT", "BTCPERP", "", "*", " "]
)
def test_an_order_that_spells_the_guarded_symbol_oddly_or_names_none_is_guarded(symbol) -> None:
    made = guard()
    feed(made, 1, 60.0)
    asked = replace(ask(1, "buy", 1.0, 0.0), symbol=symbol)
    assert made.decide(asked).answer == "deny"
    assert made.decide(replace(asked, side="sell", position=1.0)).quantity == 1.0


def test_rules_without_a_symbol_guard_the_one_whose_bars_they_get() -> None:
    made = guard(RULES.replace("symbol: BTC\n", ""))
    elsewhere = replace(ask(1, "buy", 1.0, 0.0), symbol="ETH")
    assert made.decide(ask(1, "buy", 1.0, 0.0)).answer == "deny"
    assert made.decide(elsewhere).answer == "deny"  # it may still be the one
    feed(made, 1, 60.0)
    assert made.decide(ask(1, "buy", 1.0, 0.0)).answer == "deny"
    other = made.decide(elsewhere)
    assert other.reasons[0].cause == "unguarded"


@pytest.mark.parametrize("guards", ["symbol", "all", "[BTC, ETH]"])
@pytest.mark.parametrize("symbol", ["ETH", "ETH/USDT:USDT"])
def test_a_symbol_with_rules_of_its_own_is_never_judged_by_those_of_another(
    guards: str, symbol: str
) -> None:
    text = RULES.replace("every: 1h", f"every: 1h\nguards: {guards}")
    made = guard(text + "per_symbol: {ETH: {override: {rules.fallen.when: close < 9}}}\n")
    feed(made, 1, 100.0)
    entry = replace(ask(1, "buy", 1.0, 0.0), symbol=symbol)
    denied = made.decide(entry)
    assert (denied.answer, denied.state, denied.reasons[0].cause) == (
        "deny", State.REDUCING, "blind",
    )  # fmt: skip
    assert "ask the guard made with symbol ETH" in denied.reasons[0].text
    leaving = made.decide(replace(ask(1, "sell", 3.0, 2.0), symbol=symbol))
    assert (leaving.quantity, leaving.effect) == (2.0, "flip")
    assert made.decide(replace(ask(1, "sell", 2.0, 2.0), symbol=symbol)).answer == "allow"
    made.update(Sample(START + HOUR, "ETH", {"position": 5.0}))
    feed(made, 2, 60.0, position=4.0)  # what BTC has to do is no duty of ETH
    assert {action.symbol for action in made.poll()} == {"BTC"}
    assert made.poll("ETH") == []
    assert made.decide(ask(2, "buy", 1.0, 0.0)).reasons[0].cause == "rule"
    other = made.decide(replace(ask(1, "buy", 1.0, 0.0), symbol="SOL"))
    assert (other.answer == "allow") is (guards != "all")


def test_a_refusal_says_when_it_may_end_at_the_earliest() -> None:
    made = guard()
    feed(made, 1, 100.0)
    feed(made, 2, 85.0)
    held = made.decide(ask(2.5, "buy", 9.0, 4.0))
    assert held.until == START + 8 * HOUR, "six hours after it came on"
    feed(made, 3, 75.0)
    cleared = made.decide(ask(3.5, "buy", 9.0, 4.0))
    assert cleared.until == START + 4 * HOUR, "at the next close `lost` may clear"
    assert made.decide(ask(3.5, "sell", 4.0, 4.0)).until is None
    feed(made, 4, 65.0)
    assert made.decide(ask(4.5, "buy", 9.0, 4.0)).until == START + 5 * HOUR


def test_where_only_a_person_can_end_it_the_time_is_not_known() -> None:
    made = guard(RULES.replace("close < 80", "close < 20").replace("close < 90", "close < 10"))
    feed(made, 1, 60.0)
    assert made.decide(ask(1.5, "buy", 9.0, 0.0)).until is None
    events = guard(RULES.replace("every: 1h", "every: 1h\nevaluate: event"))
    feed(events, 1, 85.0)
    assert events.decide(ask(1.5, "buy", 9.0, 4.0)).until is None


def test_what_a_person_or_a_fault_holds_names_no_time() -> None:
    made = guard()
    feed(made, 1, 100.0)
    made.halt(START + HOUR, "look")
    assert made.decide(ask(1.5, "buy", 9.0, 0.0)).until is None
    feed(made, 2, 85.0)  # a rule that clears by itself wins nothing
    assert made.decide(ask(2.5, "buy", 9.0, 0.0)).until is None
    made.resume(START + 2 * HOUR, "fine")
    assert made.decide(ask(2.5, "buy", 9.0, 4.0)).until == START + 8 * HOUR
    made.lose(START + 2 * HOUR, "a file was damaged")
    lost = made.decide(ask(2.5, "buy", 9.0, 4.0))
    assert lost.until == START + 8 * HOUR, "the cap may rise then"
    made._fail(Sample(START + 3 * HOUR, "BTC", {}), ValueError("x"))
    assert made.decide(ask(3.0, "buy", 9.0, 4.0)).until is None


def test_a_stage_of_an_earlier_file_is_no_stage_of_this_one() -> None:
    made, former = guard(), guard(STAGES)
    for one in (made, former):
        feed(one, 1, 100.0)
    feed(former, 2, 85.0)
    feed(made, 2, 95.0)  # nothing of its own is on
    made.also(former.decision)
    answer = made.decide(ask(2.5, "buy", 9.0, 0.0))
    assert (answer.reasons[0].cause, answer.until) == ("rule", START + 3 * HOUR)


STAGES = """\
version: 1
symbol: BTC
every: 1h
stages:
  - stage: out
    enter: close < 90
    recover: close > 95
    min_hold: 3h
    do: {exposure_cap: 0%}
    reentry: {start: 0%, step: 25%, every: 4h, while: close > 90}
"""


def test_a_stage_and_its_reentry_tell_when_they_may_relax() -> None:
    made = guard(STAGES)
    feed(made, 1, 85.0, position=4.0)
    assert made.decide(ask(1.5, "buy", 9.0, 4.0)).until == START + 4 * HOUR
    for hour in range(2, 6):
        feed(made, hour, 100.0, position=0.0)
    assert made.decide(ask(5.5, "buy", 9.0, 0.0)).until == START + 6 * HOUR


def test_a_stage_of_a_former_file_caps_by_rules_that_have_no_stages() -> None:
    former = guard(STAGES.replace("exposure_cap: 0%", "exposure_cap: 50%").replace("0%,", "50%,"))
    feed(former, 1, 85.0, position=4.0)
    made = guard()
    feed(made, 1, 100.0, position=4.0)
    made.also(former.decision)
    entry = made.decide(ask(1.5, "buy", 9.0, 4.0))
    assert [reason.text for reason in entry.reasons] == ["exposure_cap 50% <- stage out"]
    assert entry.until == START + 2 * HOUR, "nothing is known of it here: any close may end it"


def test_duties_are_listed_until_they_are_done() -> None:
    made = guard(instruments={"BTC": Instrument(contract_size=0.5)})
    assert made.poll() == []
    feed(made, 1, 85.0, position=2.0)
    found = made.poll()
    assert [action.kind for action in found] == ["cancel_entries", "reduce_to"]
    assert found[1].data == {"ceiling": 2.0}, "4 contracts of half a coin"
    assert found == made.poll("BTC")
    assert made.poll("ETH") == []
    assert all(made.done(action.id) for action in found)
    assert made.poll() == []
    assert not made.done(found[0].id)


def test_market_wide_account_samples_are_of_the_guarded_symbol() -> None:
    made = guard()
    feed(made, 1, 100.0)
    made.update(Sample(START + HOUR + 1, "*", {"position": 3.0, "equity": 500.0}))
    assert made.episodes.of("BTC").position == 3.0
    assert made.episodes.equity == 500.0


@pytest.mark.parametrize("symbol", ["BTC/USDT:USDT", "BTC-USDT", "BTC/USD"])
@pytest.mark.parametrize("named", [True, False])
def test_an_order_in_a_venues_name_of_the_guarded_symbol_is_guarded(
    symbol: str, *, named: bool
) -> None:
    made = guard(RULES if named else RULES.replace("symbol: BTC\n", ""))
    for hour in (1, 2):
        feed(made, hour, 75.0)
    order = replace(ask(2, "buy", 3.0, 0.0), symbol=symbol)
    assert made.decide(order).answer == "deny"
    assert made.decide(replace(order, symbol="ETH/USDT:USDT")).answer == "allow"


def test_no_order_is_allowed_more_than_the_decision_in_force() -> None:
    made = guard(RULES.replace("close < 70", "oi < 70"))
    for hour in range(1, 6):
        feed(made, hour, 100.0, **({"oi": 100.0} if hour == 1 else {}))
    assert made.decision.blind == ("oi",)
    made.update(Sample(START + 5 * HOUR, "BTC", {"oi": 100.0}))  # after the close it belongs to
    assert made.decision.blind == ("oi",)
    assert made.decide(ask(5.1, "buy", 3.0, 0.0)).answer == "deny"
    made.update(Sample(START + 5 * HOUR + 1, "*", {}))
    assert made.decide(ask(5.1, "buy", 3.0, 0.0)).answer == "allow"


def test_the_first_position_told_after_a_restart_begins_a_tightening_where_it_has_grown() -> None:
    made, other = guard(), guard()
    feed(made, 1, 100.0, position=4.0)
    feed(made, 2, 85.0)
    for action in made.poll("BTC"):
        made.done(action.id)
    made.update(Sample(START + 2 * HOUR + 1, "BTC", {"position": 2.0}))
    other.load(made.dump())
    for one in (made, other):  # an order that filled while nobody watched
        one.update(Sample(START + 2 * HOUR + 2, "BTC", {"position": 3.0}))
        assert [action.kind for action in one.poll("BTC")] == ["cancel_entries", "reduce_to"]
    assert made.dump() == other.dump()
