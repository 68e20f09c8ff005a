"""The guard at its door: what is refused, what ages, what blinds it, what it will not do."""

from __future__ import annotations

import copy
import math
import pickle
from dataclasses import replace

import pytest

from riskguard import Decision, Guard, Intent, RuleError, Sample, State
from riskguard.engine.compile import compile_rules
from riskguard.engine.gate import gate
from riskguard.engine.logic import UNKNOWN
from riskguard.engine.reasons import readings
from riskguard.language.reader import read_text
from riskguard.language.ruleset import Input
from riskguard.market import CATALOGUE, HOUR

START = 1_767_225_600_000_000_000
RULES = """\
version: 1
symbol: BTC
every: 1h
rules:
  flush:
    when: oi.change(3h) <= -5%
    clear: oi.change(3h) >= 0%
    do: {exposure_cap: 50%}
"""


def guard(text: str = RULES, **sources: str) -> Guard:
    ruleset, found = read_text(text, "rules.yaml")
    assert ruleset is not None, found
    return Guard(ruleset, sources=sources)


def feed(made: Guard, hour: int, **values: float) -> Decision:
    return made.update(Sample(START + hour * HOUR, "BTC", {"close": 100.0, **values}))


def warm(made: Guard, until: int = 5) -> Decision:
    return [feed(made, hour, oi=1000.0) for hour in range(1, until + 1)][-1]


def test_guard_that_has_not_seen_its_window_lets_nothing_in_and_says_how_much_it_has() -> None:
    made = guard()
    first = feed(made, 1, oi=1000.0)
    assert (first.state, first.block_entries) == (State.REDUCING, "both")
    assert first.priming == ("oi.change(3h) has 0s of 3h",)
    assert warm(guard(), 4).state is State.ACTIVE


@pytest.mark.parametrize(
    "line", ["oi.age() > 3h", "close.age() > oi.age()", "{not: close.age() > oi.age()}"]
)
def test_what_is_not_carried_has_no_age_and_what_compares_with_it_is_unknown(line: str) -> None:
    text = RULES.replace("oi.change(3h) <= -5%", line).replace("oi.change(3h) >= 0%", "close > 5")
    ruleset, found = read_text(text, "rules.yaml")
    assert ruleset is not None, found
    absent = replace(ruleset, inputs={"oi": Input("oi", CATALOGUE["oi"], carried=False)})
    made = Guard(absent)
    (rule,) = absent.rules
    for hour in range(1, 6):
        assert feed(made, hour).active == ()
        assert made.stream.truth(made.plan.slot(rule.when, clearing=False)) == UNKNOWN


def test_priming_says_what_it_has_by_now() -> None:
    made = guard(RULES.replace("3h", "3d"))
    told = {feed(made, hour, oi=1000.0).priming for hour in range(1, 74)}
    assert ("oi.change(3d) has 5h of 3d",) in told
    assert ("oi.change(3d) has 2d of 3d",) in told
    assert feed(made, 74, oi=1000.0).priming == ()


def test_stop_in_atr_primes_until_the_range_is_known_and_then_stands() -> None:
    text = RULES.replace("when: oi.change(3h) <= -5%", "when: close < 200")
    text = text.replace("clear: oi.change(3h) >= 0%", "clear: close > 300")
    made = guard(text.replace("{exposure_cap: 50%}", "{stop: 1.5 ATR}"))
    bar = {"high": 101.0, "low": 99.0}
    early = feed(made, 10, **bar)
    assert early.active == ("flush",)
    assert (early.stop, early.block_entries) == (None, "both")
    assert early.priming == ("close.atr(14 bars) has 60m of 2d",)
    for hour in range(11, 85):
        late = feed(made, hour, **bar)
    assert (late.stop, late.priming, late.state) == (3.0, (), State.CAUTION)


def test_blind_reason_tells_the_age_and_what_is_allowed() -> None:
    made = guard()
    warm(made)
    decision = feed(made, 8)
    (reading,) = decision.reasons
    assert (reading.rule, reading.leaf) == ("blind", "oi")
    assert (reading.value, reading.threshold) == (3 * HOUR, 2 * HOUR)
    verdict = gate(Intent(decision.ts, "BTC", "buy", 1.0, 0.0), decision)
    assert [reason.text for reason in verdict.reasons] == ["blind: oi (3h > 2h)"]


def test_priming_ends_where_the_guard_was_blind_a_moment_before() -> None:
    text = RULES.replace("rules:", "symbols: [ETH]\nrules:").replace(
        "change(3h) >= 0%", "low(6h) > 9"
    )
    made = guard(text.replace("change(3h) <= -5%", "low(6h) < 5"))
    warm(made, 4)
    feed(made, 5)
    assert feed(made, 6).priming == ("oi.low(6h) has 5h of 6h",)
    made.update(Sample(START + 7 * HOUR, "ETH", {"close": 1.0}))
    assert feed(made, 7, oi=1000.0).priming == ()


def test_values_that_cannot_be_true_are_counted_and_the_input_goes_stale() -> None:
    made = guard()
    warm(made)
    for hour, bad in enumerate((math.nan, math.inf, -1.0), 6):
        feed(made, hour, oi=bad)
    assert made.refused == {"oi: not finite": 2, "oi: negative": 1}
    assert feed(made, 9).blind == ("oi",)


def test_sample_that_comes_late_is_refused_and_time_does_not_go_back() -> None:
    made = guard()
    warm(made)
    before = made.as_of
    made.update(Sample(START, "BTC", {"close": 1.0, "oi": 1.0}))
    assert made.as_of == before
    assert made.refused["oi: out of order"] == 1


def test_blind_begins_when_the_age_passes_max_age_and_ends_with_the_next_value() -> None:
    made = guard()
    warm(made)
    assert feed(made, 7).blind == ()  # 2 h = max_age
    silent = feed(made, 8)
    assert (silent.blind, silent.block_entries, silent.exposure_cap) == (("oi",), "both", 1.0)
    assert feed(made, 9, oi=1000.0).blind == ()


def test_clock_alone_makes_a_guard_blind_between_two_closes() -> None:
    made = guard()
    warm(made)
    decision = made.update(Sample(START + 8 * HOUR + 1, "BTC", {}))
    assert decision.blind == ("oi",)
    assert decision.ts == START + 8 * HOUR + 1


def test_a_dead_feed_neither_fires_nor_clears_nor_sells() -> None:
    made = guard()
    warm(made)
    fired = feed(made, 6, oi=900.0)
    assert (fired.active, fired.exposure_cap) == (("flush",), 0.5)
    for hour in range(7, 30):
        silent = feed(made, hour)
    assert (silent.active, silent.exposure_cap, silent.close) == (("flush",), 0.5, "none")


def test_blind_ignore_announces_and_does_not_block() -> None:
    made = guard(RULES.replace("every: 1h", "every: 1h\nblind: ignore"))
    warm(made)
    decision = feed(made, 12)
    assert (decision.blind, decision.state) == (("oi",), State.ACTIVE)


def test_rules_that_only_notify_need_nothing() -> None:
    made = guard(RULES.replace("{exposure_cap: 50%}", "{notify: look}"))
    assert feed(made, 1).state is State.ACTIVE


def test_missing_line_that_is_ignored_is_neutral_in_its_group() -> None:
    text = RULES.replace(
        "when: oi.change(3h) <= -5%",
        "when: {all: [close < 90, {is: oi.change(3h) <= -5%, on_missing: ignore}]}",
    ).replace("clear: oi.change(3h) >= 0%", "clear: close > 95")
    made = guard(text)
    fallen = made.update(Sample(START + HOUR, "BTC", {"close": 80.0}))
    assert fallen.active == ("flush",)


def test_guard_cannot_be_copied() -> None:
    for copied in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="build another"):
            copied(guard())


def test_floor_without_the_source_of_the_feed_is_refused() -> None:
    text = """\
version: 1
symbol: BTC
every: 1h
params:
  floor: {by_source: {binance: $18M}}
rules:
  r:
    when: {all: ["liq.long.sum(4h).times_avg(7d) >= 3x", liq.long.sum(4h) >= floor]}
    clear: liq.long.sum(4h) < $1M
    do: {exposure_cap: 50%}
"""
    assert guard(text, **{"liq.long": "binance"}).ruleset.params["floor"].value == 18e6
    with pytest.raises(RuleError, match="RG509"):
        guard(text, **{"liq.long": "bybit"})


def test_a_file_without_every_needs_data_to_say_it() -> None:
    with pytest.raises(RuleError, match="every"):
        guard(RULES.replace("every: 1h\n", ""))


def test_definitions_that_double_at_each_step_cost_no_more_than_their_number() -> None:
    doubled = "".join(f"  d{n}: {{any: [d{n - 1}, d{n - 1}]}}\n" for n in range(1, 40))
    head = "version: 1\nsymbol: BTC\nevery: 1h\ndefine:\n  d0: close < 200\n"
    when = "rules:\n  r: {when: d39, clear: close > 300, do: {exposure_cap: 50%}}\n"
    made = guard(head + doubled + when)
    decision = feed(made, 1)
    assert decision.active == ("r",)
    assert [reading.leaf for reading in decision.reasons] == ["close < 200"]


def test_for_a_day_on_four_hour_bars_is_seven_closes() -> None:
    text = "version: 1\nsymbol: BTC\nevery: 4h\nrules:\n"
    text += "  deep: {when: close < 90 for 24h, clear: close > 95, do: {exposure_cap: 50%}}\n"
    made = guard(text)
    fired = [feed(made, 4 * number, close=80.0).active for number in range(1, 9)]
    assert fired == [()] * 6 + [("deep",)] * 2


@pytest.mark.parametrize(
    ("do", "state"),
    [
        ("exposure_cap: 0%", State.HALTED),
        ("close: all", State.HALTED),
        ("reduce_only: true", State.REDUCING),
        ("reduce_only: true, block_entries: long", State.REDUCING),
    ],
)
def test_halted_and_reduce_only_show_entries_blocked_on_both_sides(do: str, state: State) -> None:
    text = (
        f"version: 1\nsymbol: BTC\nevery: 1h\nrules:\n  deep: {{when: close < 90, do: {{{do}}}}}\n"
    )
    decision = feed(guard(text), 1, close=80.0)
    assert (decision.state, decision.reduce_only) == (state, True)
    assert decision.block_entries == "both"
    assert decision.winners["block_entries"][0] == "deep"
    for side in ("buy", "sell"):
        verdict = gate(Intent(decision.ts, "BTC", side, 1.0, 0.0), decision)
        assert verdict.quantity == 0.0


def test_a_line_that_fires_when_missing_clears_nothing_from_under_a_not() -> None:
    text = RULES.replace(
        "when: oi.change(3h) <= -5%",
        "when: {not: {is: oi.change(3h) <= -5%, on_missing: fire}}",
    ).replace("    clear: oi.change(3h) >= 0%\n", "")
    made = guard(text)
    assert warm(made).active == ("flush",)
    silent = [feed(made, hour).active for hour in range(6, 12)]
    assert silent == [("flush",)] * 6


@pytest.mark.parametrize(
    "clear", ["quiet", "{is: quiet, on_missing: ignore}", "{not: {not: quiet}}", ""]
)
def test_missing_data_clears_nothing_though_a_definition_fires_on_it(clear: str) -> None:
    text = (
        "version: 1\nsymbol: BTC\nevery: 1h\n"
        "define:\n  quiet: {is: oi > 100, on_missing: fire}\nrules:\n  r:\n"
        "    when: {not: quiet}\n    do: {block_entries: long}\n    min_hold: 1h\n"
    )
    made = guard(text + (f"    clear: {clear}\n" if clear else ""))
    assert feed(made, 1, oi=50.0).active == ("r",)
    assert [feed(made, hour).active for hour in range(2, 8)] == [("r",)] * 6
    assert feed(made, 8, oi=150.0).active == ()


@pytest.mark.parametrize(
    "lines",
    [
        ["rules:", "  a: {when: oi < 90, TELL}", "  b: {when: a, CAP}"],
        ["rules:", "  a: {when: b, CAP}", "  b: {when: oi < 90, TELL}"],
        [
            "stages:",
            "  - {stage: thin, enter: oi < 90, TELL}",
            "rules:",
            "  b: {when: stage >= thin, CAP}",
        ],
    ],
)
def test_protection_that_reads_a_message_needs_what_the_message_reads(lines: list[str]) -> None:
    text = "\n".join(["version: 1", "symbol: BTC", "every: 1h", *lines])
    text = text.replace("TELL", "min_hold: 1h, do: {notify: low}")
    made = guard(text.replace("CAP", "min_hold: 1h, do: {exposure_cap: 50%}"))
    feed(made, 1, oi=100.0)
    assert feed(made, 4).blind == ("oi",)


def test_a_sequence_of_one_is_its_part() -> None:
    made = guard(RULES.replace("oi.change(3h) <= -5%", "{sequence: [close < 90], within: 6h}"))
    assert feed(made, 1).active == ()
    assert made.update(Sample(START + 2 * HOUR, "BTC", {"close": 80.0})).active == ("flush",)


def test_a_margin_against_what_has_no_end_is_none() -> None:
    made = guard(
        "version: 1\nsymbol: BTC\nevery: 1h\nrules:\n"
        "  r: {when: fear_greed.age() >= 3h, min_hold: 1h, do: {notify: nobody asks}}\n"
    )
    (reading,) = feed(made, 1).reasons  # what never came is of any age
    assert (reading.truth, reading.value, reading.margin) == ("true", None, None)


@pytest.mark.parametrize(
    ("value", "taken"), [(100.0, True), (0.0, True), (100.1, False), (-1.0, False)]
)
def test_an_index_lies_between_0_and_100(value: float, taken: bool) -> None:
    text = "version: 1\nsymbol: BTC\nevery: 1h\nrules:\n"
    text += "  fear: {when: fear_greed <= 20, clear: fear_greed > 25, do: {exposure_cap: 50%}}\n"
    rules, _ = read_text(text, "fear.yaml")
    made = Guard(rules)
    made.update(Sample(HOUR, "BTC", {"close": 1.0, "fear_greed": 10.0}))
    made.update(Sample(2 * HOUR, "BTC", {"close": 1.0, "fear_greed": value}))
    assert (made.refused == {}) is taken
    if value > 100:
        assert made.refused == {"fear_greed: out of bounds": 1}
        assert made.decision.active == ("fear",)


def test_rules_without_an_interval_are_not_compiled() -> None:
    ruleset, _ = read_text(RULES.replace("every: 1h\n", ""), "rules.yaml")
    assert ruleset is not None
    with pytest.raises(ValueError, match="bind it to data first"):
        compile_rules(ruleset)


def test_equity_that_no_measure_chains_ends_alone() -> None:
    made = guard(RULES.replace("oi.change(3h) <= -5%", "equity < $5"))
    feed(made, 1, equity=4.0, oi=1.0)
    made.expire(START + HOUR + 1, "BTC", "equity")
    assert made.update(Sample(START + HOUR + 2, "*", {})).blind == ("equity",)


def test_every_line_is_read_once_however_often_its_name_is() -> None:
    text = RULES.replace("rules:\n", "define: {calm: {all: [oi > 5, close > 5]}}\nrules:\n")
    made = guard(text.replace("oi.change(3h) <= -5%", "{any: [calm, {not: calm}, oi > 5]}"))
    feed(made, 1, oi=1000.0)
    (rule,) = made.ruleset.rules
    told = readings(made.plan, made.stream, rule.name, rule.when, "when")
    assert [(one.leaf, one.truth) for one in told] == [("oi > 5", "true"), ("close > 5", "true")]


def test_a_series_that_is_forgotten_primes_as_if_it_had_never_come() -> None:
    """Measures of measures, peaks and sums of it too; what other series told stands."""
    text = """
version: 1
symbol: BTC
every: 1h
rules:
  far: {when: oi.stdev(3h).percentile(8h) > 99%, latch: true, do: {exposure_cap: 10%}}
  top: {when: oi.drawdown(all) > 90%, latch: true, do: {exposure_cap: 20%}}
  day: {when: oi.high(today) > 1e12, latch: true, do: {exposure_cap: 30%}}
  deep: {when: close.drop(5h) > 90%, latch: true, do: {exposure_cap: 0%}}
"""
    known, fresh = guard(text), guard(text)

    def hour(number: int, *guards: Guard, oi: float) -> None:
        ts = START + number * HOUR
        for one in guards:
            one.update(Sample(ts - 1, "BTC", {"oi": oi}))
            one.update(Sample(ts, "BTC", {"close": 100.0 + number}))

    def seen(one: Guard) -> list[list[object]]:
        return [[line["value"] for line in rule["lines"]] for rule in one.explain()["rules"]]

    for number in range(1, 40):
        hour(number, known, oi=5e8 + number**2)
        fresh.update(Sample(START + number * HOUR, "BTC", {"close": 100.0 + number}))
    assert not known.decision.priming
    decision = known.forget("", "oi")
    assert decision.priming == fresh.decision.priming
    assert decision.blind == ("oi",)
    again = guard(text)
    again.load(known.dump())
    for number in range(40, 80):
        hour(number, known, fresh, again, oi=5e5 + number**2 % 7)
        assert seen(known) == seen(fresh) == seen(again)
        assert known.decision.priming == fresh.decision.priming
    assert known.decision == again.decision
    assert known.decision.blind == fresh.decision.blind == ()
    assert not known.decision.priming
