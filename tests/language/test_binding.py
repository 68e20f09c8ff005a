"""Rules made to fit a feed and a bot; what does not fit is refused with its place."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from riskguard.errors import RuleError
from riskguard.language.binding import Bound, bind, sourced
from riskguard.language.fitting.fallbacks import joined
from riskguard.language.reader import load_rules, read_text
from riskguard.language.ruleset import Actions, Input, RuleSet, Stop
from riskguard.market import CATALOGUE, DAY, HOUR

pytestmark = pytest.mark.usefixtures("loader")

PACK = Path(__file__).parents[2] / "rules" / "feb-2026.yaml"
BAR = ("open", "high", "low", "close", "volume")
PILOT = (*BAR, "oi", "oi_usd", "liq.long", "funding", "fear_greed")
ALL = frozenset(
    {"exposure_cap", "reduce_by", "close", "block_entries", "reduce_only", "leverage_cap"}
    | {"stop", "cancel_orders", "hedge", "notify"}
)


def inputs(*names: str, source: str = "published") -> dict[str, Input]:
    found = {}
    for name in names:
        bare = name.split(".", 1)[1] if name[0].isupper() else name
        found[name] = Input(name, CATALOGUE[bare], source=source)
    return found


MAJORS = tuple(f"{symbol}.{name}" for symbol in ("ETH", "SOL", "BNB", "XRP") for name in BAR)
FEED = inputs(*PILOT, *MAJORS)


def fit(rules: RuleSet, **changes) -> Bound:
    options = {"symbol": "BTC", "every": HOUR, "carried": inputs(*PILOT), "capabilities": ALL}
    return bind(rules, **{**options, **changes})


def refusal(rules: RuleSet, **changes) -> list[str]:
    with pytest.raises(RuleError) as refused:
        fit(rules, **changes)
    return [f"{one.code} {one.line}:{one.column}" for one in refused.value.diagnostics]


def read(text: str) -> RuleSet:
    rules, found = read_text(text, "a.yaml")
    assert rules is not None, [one.render() for one in found]
    return rules


def rule(body: str, head: str = "") -> RuleSet:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return read(f"version: 1\n{head}rules:\n  r:\n{lines}")


def test_the_pack_fits_its_scenario_and_a_bot_that_cannot_hedge():
    rules = load_rules(PACK)
    bound = fit(rules, every=4 * HOUR, carried=FEED, capabilities=ALL - {"hedge"})
    assert bound.notes == (
        "europe_weak is off: the data has no 'stoxx'",
        "treasury_under_water is off: the data has no 'holder.cost', 'holder.units'",
        "cascade: this bot cannot do hedge 50%; exposure_cap 25% stands in for it",
    )
    names = [one.name for one in bound.ruleset.rules]
    assert names == ["cascade", "majors_fall_together", "longs_crowded", "extreme_fear"]
    assert bound.ruleset.rules[0].do == Actions(exposure_cap=0.25, stop=Stop(atr=1.0))
    assert bound.ruleset.hash == rules.hash
    assert bound.ruleset.params["liq_floor_day"].value == 150e6
    assert bound.ruleset.params["liq_floor_bar"].value == 50e6


def test_a_floor_follows_the_source_of_the_series_beside_it():
    carried = {**FEED, **inputs("liq.long", source="binance")}
    bound = fit(load_rules(PACK), every=4 * HOUR, carried=carried, capabilities=ALL)
    assert bound.ruleset.params["liq_floor_day"].value == 50e6
    carried = {**FEED, **inputs("liq.long", source="bybit")}
    bound = fit(load_rules(PACK), every=4 * HOUR, carried=carried, capabilities=ALL)
    notes = [note for note in bound.notes if "'bybit'" in note]
    assert any(note.startswith("liq_floor_day: no figure for source 'bybit'") for note in notes)
    figures = re.findall(r"liq_floor_day:.*other: (\$\w+)", PACK.read_text(encoding="utf-8"))
    assert any(note.endswith(f"'other' is used ({figures[0]})") for note in notes)


def test_a_source_without_a_floor_is_refused():
    rules = rule(
        "when: {all: [liq.long.accel(24h) >= 0.6x, liq.long.sum(24h) >= f]}\ndo: {close: all}",
        "params: {f: {by_source: {binance: $5M}}}\n",
    )
    assert refusal(rules) == ["RG509 5:68"]
    two = rule(
        "when: {all: [liq.long.sum(24h) >= f, liq.short.sum(24h) >= f]}\ndo: {close: all}",
        "params: {f: {by_source: {binance: $5M, other: $6M}}}\n",
    )
    carried = {**inputs("liq.long", source="binance"), **inputs("liq.short", source="bybit")}
    with pytest.raises(RuleError, match=r"'binance' \(line 5\) and 'bybit'"):
        fit(two, carried=carried)


def test_a_window_shorter_than_the_bars_of_a_flow_is_refused():
    def daily(*names: str) -> dict[str, Input]:
        days = {key: replace(one.spec, interval=DAY) for key, one in inputs(*names).items()}
        told = {key: replace(one, spec=days[key]) for key, one in inputs(*names).items()}
        return inputs(*BAR) | told

    flow = rule(
        "when: {all: [liq.long.sum(4h) >= 2 * liq.long.sum(24h), close < 5]}\ndo: {close: all}"
    )
    assert refusal(flow, carried=daily("liq.long")) == ["RG408 4:31"]
    with pytest.raises(RuleError, match=r"one bar of 'liq.long' in the data \(24 h\)"):
        fit(flow, carried=daily("liq.long"))
    assert fit(flow).notes == ()
    # a level is what it was a day ago, and a day of totals is a day
    level = rule("when: oi.change(4h) <= -4%\ndo: {close: all}")
    fit(level, carried=daily("oi"))
    fit(
        rule("when: liq.long.sum(24h) >= 2 * liq.long.sum(48h)\ndo: {close: all}"),
        carried=daily("liq.long"),
    )
    # the calendar gives a window no length
    today = rule("when: {all: [liq.long.sum(today) >= $5M, close < 5]}\ndo: {close: all}")
    fit(today, carried=daily("liq.long"))


def test_an_input_no_feed_carries_is_named_with_the_columns():
    rules = rule("when: oi.change(24h) <= -4%\ndo: {close: all}")
    assert refusal(rules, carried=inputs(*BAR)) == ["RG501 4:11"]
    with pytest.raises(RuleError, match=r"open, high, low, close, volume; or .on_missing"):
        fit(rules, carried=inputs(*BAR))


def test_a_line_that_may_be_ignored_is_left_out_on_both_sides():
    rules = rule(
        "when: {any: [close < 5, funding > 5bp]}\n"
        "clear: {all: [close > 6, funding < 1bp]}\ndo: {close: all}\non_missing: ignore"
    )
    bound = fit(rules, carried=inputs(*BAR))
    assert bound.notes == ("r is reduced: the data has no 'funding'",)
    found = bound.ruleset.rules[0]
    assert [leaf.text for leaf in found.when.of] == ["close < 5"]
    assert [leaf.text for leaf in found.clear.of] == ["close > 6"]


def test_a_clear_without_a_line_left_is_refused():
    rules = rule(
        "when: close < 5\nclear: {is: funding < 1bp, on_missing: ignore}\ndo: {close: all}"
    )
    assert refusal(rules, carried=inputs(*BAR)) == ["RG511 5:17"]


def test_what_reads_a_rule_that_is_off_is_off_or_refused():
    text = (
        "version: 1\ndefine:\n  crowd: {is: funding > 5bp, on_missing: ignore}\nrules:\n"
        "  a: {when: crowd, min_hold: 1h, do: {close: all}}\n"
        "  b: {when: {any: [a, close < 5]MORE}, min_hold: 1h, do: {close: all}}\n"
    )
    assert refusal(read(text.replace("MORE", "")), carried=inputs(*BAR)) == ["RG605 6:20"]
    bound = fit(read(text.replace("MORE", ", on_missing: ignore")), carried=inputs(*BAR))
    assert bound.notes == (
        "a is off: the data has no 'funding'",
        "b is reduced: the data has no 'funding'",
    )
    assert "crowd" not in bound.ruleset.define


def test_n_of_fewer_than_n_is_off():
    rules = rule(
        "when: {at_least: 2, of: [close < 5, funding > 5bp], on_missing: ignore}\n"
        "min_hold: 1h\ndo: {close: all}"
    )
    bound = fit(rules, carried=inputs(*BAR))
    assert bound.ruleset.rules == ()
    assert bound.notes == ("r is off: the data has no 'funding'",)


@pytest.mark.parametrize(
    "body",
    [
        "when: funding > 5bp\non_missing: ignore\nduring: HOURS\n",
        "when: {all: [funding > 5bp, {during: HOURS}], on_missing: ignore}\n",
        "when: {sequence: [funding > 5bp, close < 5], within: 6h, on_missing: ignore}\n",
    ],
)
def test_hours_or_a_part_of_a_sequence_alone_are_no_rule(body: str):
    hours = "{from: '08:00', to: '16:00'}"
    body = body.replace("HOURS", hours) + "min_hold: 1h\ndo: {close: all}"
    bound = fit(rule(body), carried=inputs(*BAR))
    assert bound.ruleset.rules == ()
    assert bound.notes == ("r is off: the data has no 'funding'",)


def test_the_data_says_what_the_file_leaves_open():
    rules = rule("when: oi.change(24h) <= -4%\ndo: {close: all}", "inputs: {oi: {max_age: 8h}}\n")
    spec = replace(CATALOGUE["oi"], interval=HOUR, max_age=3 * HOUR)
    carried = {"oi": Input("oi", spec, source="binance", available_after=5)}
    bound = fit(rules, carried=carried)
    found = bound.ruleset.inputs["oi"]
    assert (found.spec.interval, found.spec.max_age) == (HOUR, 8 * HOUR)
    assert (found.source, found.available_after, found.carried) == ("binance", 5, True)
    assert (bound.ruleset.symbol, bound.ruleset.every) == ("BTC", HOUR)


def test_data_in_another_unit_or_kind_is_refused():
    dollars = {"oi": Input("oi", CATALOGUE["oi_usd"])}
    assert refusal(rule("when: oi < 5\ndo: {close: all}"), carried=dollars) == ["RG305 4:11"]
    rolling = {"liq.long": Input("liq.long", replace(CATALOGUE["liq.long"], kind="rolling"))}
    total = rule("when: liq.long.sum(24h) >= $5M\ndo: {close: all}")
    assert refusal(total, carried=rolling) == ["RG411 4:11"]
    level = {"liq.long": Input("liq.long", replace(CATALOGUE["liq.long"], kind="level"))}
    assert refusal(total, carried=level) == ["RG410 4:11"]


def test_atr_needs_the_bars():
    rules = rule("when: close < 5\ndo: {stop: 1.5 ATR}")
    assert refusal(rules, carried=inputs("close")) == ["RG501 3:3"]


def test_a_symbol_that_is_not_guarded_is_refused():
    rules = rule("when: close < 5\ndo: {close: all}", "symbol: BTC\n")
    assert refusal(rules, symbol="ETH") == ["RG512 2:1"]
    with pytest.raises(RuleError, match=r"guards BTC, not ETH(.|\n)*guards: \[BTC, ETH\]"):
        fit(rules, symbol="ETH")
    assert fit(rules, symbol="ETH", strict_symbol=False).ruleset.symbol == "BTC"
    everybody = rule("when: close < 5\ndo: {close: all}", "symbol: BTC\nguards: all\n")
    assert fit(everybody, symbol="ETH").ruleset.symbol == "BTC"


def test_the_symbol_of_the_bot_fills_an_open_file():
    rules = rule("when: BTC.close < ETH.close\ndo: {close: all}", "symbols: [BTC, ETH]\n")
    bound = fit(rules, carried=FEED)
    leaf = bound.ruleset.rules[0].when
    assert (leaf.left.symbol, leaf.right.symbol) == ("", "ETH")


def test_bars_must_divide_the_decision_interval():
    rules = rule("when: close < 5\ndo: {close: all}", "every: 4h\n")
    assert fit(rules, every=HOUR).ruleset.every == 4 * HOUR
    assert refusal(rules, every=3 * HOUR) == ["RG514 2:1"]
    assert refusal(rules, every=DAY) == ["RG514 2:1"]


def test_a_window_longer_than_the_data_is_refused_but_for_its_minimum():
    rules = rule("when: close.change(4w) <= -4%\ndo: {close: all}")
    assert refusal(rules, history=20 * DAY) == ["RG502 4:24"]
    rules = rule("when: close.zscore(4w, min=7d) <= -4\ndo: {close: all}")
    assert fit(rules, history=20 * DAY).notes == ()


def test_an_action_the_bot_lacks_needs_a_fallback_it_can_do():
    rules = rule("when: close < 5\ndo: {hedge: 50%, stop: 5%}")
    assert refusal(rules, capabilities=ALL - {"hedge"}) == ["RG606 3:3"]
    rules = rule("when: close < 5\ndo: {hedge: 50%, stop: 5%}\nfallback: {exposure_cap: 25%}")
    assert refusal(rules, capabilities=frozenset({"stop"})) == ["RG606 3:3"]
    bound = fit(rules, capabilities=ALL - {"hedge"})
    assert bound.ruleset.rules[0].do == Actions(exposure_cap=0.25, stop=Stop(share=0.05))
    assert bound.ruleset.rules[0].fallback is None
    assert fit(rules).ruleset.rules[0].do == rules.rules[0].do


def test_a_bot_that_cannot_send_messages_still_runs():
    rules = rule("when: close < 5\ndo: {exposure_cap: 50%, notify: look}")
    bound = fit(rules, capabilities=frozenset({"exposure_cap"}))
    assert bound.ruleset.rules[0].do == Actions(exposure_cap=0.5)
    assert len(bound.notes) == 1


def test_the_stricter_of_each_action_wins_in_either_order():
    one = Actions(exposure_cap=0.4, close="longs", block_entries="long", leverage_cap=2.0)
    other = Actions(exposure_cap=0.3, close="shorts", hedge=0.5, leverage_cap=3.0)
    both = Actions(exposure_cap=0.3, close="all", block_entries="long", leverage_cap=2.0, hedge=0.5)
    assert joined(one, other) == joined(other, one) == both
    assert joined(one, one) == one


def test_the_nearer_of_two_stops_in_one_unit_wins():
    near, far = Actions(stop=Stop(share=0.02)), Actions(stop=Stop(share=0.05))
    assert joined(near, far) == joined(far, near) == near
    near, far = Actions(stop=Stop(atr=1.0)), Actions(stop=Stop(atr=1.5))
    assert joined(near, far) == joined(far, near) == near


def test_stops_in_two_units_both_hold():
    body = "when: close < 5\ndo: {hedge: 50%, stop: 5%}\nfallback: {stop: 1.5 ATR}"
    bound = fit(rule(body), capabilities=ALL - {"hedge"})
    assert bound.ruleset.rules[0].do == Actions(stop=Stop(share=0.05, atr=1.5))
    assert "stop 1.5 ATR stands in" in bound.notes[0]
    both, near = Actions(stop=Stop(share=0.05, atr=1.5)), Actions(stop=Stop(atr=1.0))
    assert joined(both, near) == joined(near, both) == Actions(stop=Stop(share=0.05, atr=1.0))


def test_data_that_says_how_long_a_bar_is_says_what_is_shorter():
    held = "when: close < 5 for 30m\nclear: close > 6 for 2h\ndo: {close: all}"
    assert not fit(rule(held), every=HOUR // 2).warnings
    assert [f"{one.code} {one.line}:{one.column}" for one in fit(rule(held)).warnings] == [
        "RG407 4:11"
    ]
    lows = "when: close.low(30m).ago(2h) < 5\nmin_hold: 1h\ndo: {close: all}"
    assert refusal(rule(lows)) == ["RG408 4:21"]
    assert refusal(rule(lows), every=4 * HOUR) == ["RG408 4:21", "RG408 4:30"]
    assert not fit(
        rule("when: equity.drop(today) > 5%\nlatch: true\ndo: {close: all}"),
        carried=inputs(*BAR, "equity"),
        every=4 * HOUR,
    ).warnings


def test_sources_alone_settle_the_floors():
    rules = load_rules(PACK)
    assert sourced(rules, {"liq.long": "binance"}).params["liq_floor_day"].value == 50e6
    assert sourced(rules, {"liq.long": "published"}).params["liq_floor_day"].value == 150e6
    unread = {"liq.long": "binance", "weather": "radio"}
    assert sourced(rules, unread).inputs == sourced(rules, {"liq.long": "binance"}).inputs
    open_file = rule("when: close < 5\ndo: {close: all}")
    with pytest.raises(RuleError, match="RG514"):
        sourced(open_file, {})


def test_data_must_be_as_long_as_what_library_functions_read_but_not_as_what_an_account_does():
    text = "version: 1\nevery: 1h\nrules:\n  r: {{when: {}, min_hold: 1h, do: {{notify: look}}}}\n"
    carried = {name: Input(name, CATALOGUE[name]) for name in ("close", "equity")}
    found = {}
    for line in ("ta.rsi(window=14) < 30", "equity.drop(30d) > 5%"):
        rules, _ = read_text(text.format(line), "rules.yaml")
        try:
            bind(
                rules,
                symbol="BTC",
                every=HOUR,
                carried=carried,
                capabilities=frozenset({"notify"}),
                history=4 * DAY,
            )
        except RuleError as refused:
            found[line] = [(one.code, one.line, one.column) for one in refused.diagnostics]
    assert found == {"ta.rsi(window=14) < 30": [("RG502", 4, 13)]}


def test_a_live_start_counts_what_library_functions_and_days_need():
    text = (
        "version: 1\nevery: 1h\nrules:\n  r:\n    when: {}\n    min_hold: 1h\n"
        "    do: {{exposure_cap: 50%}}\n"
    )
    names = ("open", "high", "low", "close", "volume", "equity")
    carried = {name: Input(name, CATALOGUE[name]) for name in names}
    told = {}
    for line in (
        "ta.rsi(window=14) < 30",
        "ta.rsi(window=14, warmup=50) < 30",
        "close.drop(today) > 5%",
        "close.atr(2d) > 5",
        "equity.drop(7d) > 5%",
        "equity.ema(7d).change(2d) < -5%",
    ):
        rules, found = read_text(text.format(line), "rules.yaml")
        assert rules is not None, found
        made = bind(
            rules,
            symbol="BTC",
            every=HOUR,
            carried=carried,
            capabilities=frozenset({"exposure_cap"}),
            recorded=0,
        )
        told[line] = ([one.message for one in made.warnings], made.notes)
    assert told["ta.rsi(window=14) < 30"] == (
        ["the rule stays unknown for 5.833 days after start"],
        (),
    )
    assert told["ta.rsi(window=14, warmup=50) < 30"][0] == [
        "the rule stays unknown for 2.083 days after start"
    ]
    assert told["close.drop(today) > 5%"] == (["the rule stays unknown for 24 h after start"], ())
    assert told["close.atr(2d) > 5"] == (["the rule stays unknown for 10 days after start"], ())
    assert told["equity.drop(7d) > 5%"] == (
        [],
        ("no 'transfers' are sent: deposits and withdrawals are taken as none",),
    )
    assert told["equity.ema(7d).change(2d) < -5%"] == told["equity.drop(7d) > 5%"]


def test_the_source_of_a_dotted_series_of_another_symbol_is_its_own() -> None:
    head = (
        "symbol: BTC\nsymbols: [ETH]\nevery: 1h\nparams:\n  floor: {by_source: {a: $1M, b: $2M}}\n"
    )
    rules = rule("when: ETH.liq.long.sum(24h) >= floor\nmin_hold: 1h\ndo: {close: all}", head)
    settled = sourced(rules, {"liq.long": "a", "ETH.liq.long": "b"})
    assert settled.params["floor"].value == 2e6
