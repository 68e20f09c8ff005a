"""Rules made to fit: what is left out, guarded, allowed, and where a refusal points."""

from __future__ import annotations

import pytest

from riskguard.language.rewriting import parted
from riskguard.market import DAY, HOUR
from tests.language.test_binding import BAR, fit, inputs, read, refusal, rule

pytestmark = pytest.mark.usefixtures("loader")


def test_a_ramp_without_a_line_left_is_refused():
    ramp = "{start: 25%, step: 25%, every: 12h, while: {is: funding < 1bp, on_missing: ignore}}"
    rules = rule(f"when: close < 5\nclear: close > 6\ndo: {{close: all}}\nreentry: {ramp}")
    assert refusal(rules, carried=inputs(*BAR)) == ["RG511 7:62"]


def test_a_window_on_a_line_of_its_own_is_refused_where_its_measure_begins():
    rules = rule("when: close.change(\n  4w) <= -4%\ndo: {close: all}")
    assert refusal(rules, history=20 * DAY) == ["RG502 4:11"]


def test_a_note_says_what_is_left_out_as_it_is_written():
    asked = "leverage_cap: 3x, block_entries: long, reduce_only: true, stop: 1.5 ATR"
    rules = rule(f"when: close < 5\ndo: {{{asked}}}\nfallback: {{exposure_cap: 25%}}")
    bound = fit(rules, capabilities=frozenset({"exposure_cap"}))
    assert len(bound.notes) == 1
    shown = bound.notes[0].partition("this bot cannot do ")[2].partition(";")[0]
    assert set(shown.split(", ")) == {
        "leverage_cap 3x",
        "block_entries long",
        "reduce_only",
        "stop 1.5 ATR",
    }


def test_symbols_that_are_listed_are_guarded_and_no_others():
    rules = rule("when: close < 5\ndo: {close: all}", "symbol: BTC\nguards: [BTC, ETH]\n")
    assert fit(rules, symbol="ETH").ruleset.guards == ("BTC", "ETH")
    assert refusal(rules, symbol="SOL") == ["RG512 3:1"]


def test_a_warning_of_the_data_may_be_allowed_where_it_stands():
    body = "when: close.drop(30d) > 5%\nmin_hold: 1h\ndo: {close: all}"
    assert [one.code for one in fit(rule(body), recorded=DAY).warnings] == ["RG508"]
    assert fit(rule(f"{body}\nallow: [RG508]"), recorded=DAY).warnings == ()
    elsewhere = read(
        "version: 1\nrules:\n"
        "  a: {when: close.drop(30d) > 5%, min_hold: 1h, do: {close: all}}\n"
        "  b: {when: oi < 5, min_hold: 1h, do: {close: all}, allow: [RG508]}\n"
    )
    assert [one.line for one in fit(elsewhere, recorded=DAY).warnings] == [3]


def test_a_file_in_braces_is_refused_at_its_beginning() -> None:
    rule_of_r = '{"when": "close < 5", "do": {"close": "all"}}'
    rules = read(f'{{"version": 1, "every": "4h", "rules": {{"r": {rule_of_r}}}}}')
    assert refusal(rules, every=3 * HOUR) == ["RG514 1:1"]


def test_the_key_of_a_series_is_parted_at_its_symbol_alone():
    keys = ("liq.long", "ETH.close", "ETH.liq.long", "1000PEPE.oi", "oi")
    assert [parted(key) for key in keys] == [
        ("", "liq.long"),
        ("ETH", "close"),
        ("ETH", "liq.long"),
        ("1000PEPE", "oi"),
        ("", "oi"),
    ]
