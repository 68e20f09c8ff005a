"""One line: numbers, units, precedence, and the dimensions they lead to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskguard.language.expression import (
    Comparison,
    Path,
    parse_line,
    parse_literal,
    parse_span,
)
from riskguard.language.findings import LineError
from riskguard.language.reader import read_text
from riskguard.language.ruleset import Arithmetic, Compare, Constant, For, Measured, SeriesValue
from riskguard.market import DAY, HOUR, MINUTE, SECOND


@pytest.mark.parametrize(
    ("text", "value", "dimension"),
    [
        ("75000", 75_000, "plain"),
        ("75_000", 75_000, "plain"),
        ("75,000", 75_000, "plain"),
        ("7.5e4", 75_000, "plain"),
        ("100k", 100_000, "plain"),
        ("-4.4%", -0.044, "share"),
        ("25bp", 0.0025, "share"),
        ("$237M", 237e6, "dollars"),
        ("$2.16B", 2.16e9, "dollars"),
        ("-$0.9B", -0.9e9, "dollars"),
        ("$75k", 75e3, "dollars"),
        ("3x", 3, "ratio"),
        ("30s", 30 * SECOND, "time"),
        ("15m", 15 * MINUTE, "time"),
        ("15min", 15 * MINUTE, "time"),
        ("24h", DAY, "time"),
        ("4w", 28 * DAY, "time"),
        ("20 bars", 20, "bars"),
        ("2 closes", 2, "bars"),
        ("(-5)", -5, "plain"),
    ],
)
def test_a_literal_means_what_a_trader_writes(text, value, dimension):
    literal = parse_literal(text)
    assert literal.value == value
    assert literal.dimension == dimension


def leaf(line: str, head: str = ""):
    text = f"version: 1\nsymbol: BTC\nsymbols: [BTC, ETH]\n{head}rules:\n  r:\n    when: '{line}'\n"
    text += "    min_hold: 1h\n    do: {exposure_cap: 50%}\n"
    rules, found = read_text(text, "a.yaml", every=HOUR)
    assert rules is not None, [one.render() for one in found]
    return rules.rules[0].when


def test_multiplication_binds_before_addition():
    node = leaf("holder.units * close - $5 * 2 <= -$5")
    assert isinstance(node, Compare)
    difference = node.left
    assert isinstance(difference, Arithmetic)
    assert (difference.op, difference.dimension) == ("-", "dollars")
    assert difference.left.op == "*"


def test_brackets_bind_first():
    node = leaf("holder.units * (close - holder.cost) <= -$0.9B")
    assert node.left.op == "*"
    assert node.left.right.op == "-"
    assert node.right == Constant(-0.9e9, "dollars")


def test_a_share_taken_from_a_price_is_a_share_of_it():
    node = leaf("close < 75_000 - 0.5%")
    assert node.right == Arithmetic(
        "-share", Constant(75_000, "plain"), Constant(0.005, "share"), "plain"
    )


def test_measures_are_read_from_left_to_right():
    node = leaf("liq.long.sum(24h).times_avg(30d, min=14d) >= 3x for 2 closes")
    assert isinstance(node, For)
    assert (node.closes, node.duration) == (2, None)
    assert node.text == "liq.long.sum(24h).times_avg(30d, min=14d) >= 3x for 2 closes"
    outer = node.of.left
    assert isinstance(outer, Measured)
    assert (outer.function, outer.window, outer.minimum) == ("times_avg", 30 * DAY, 14 * DAY)
    assert (outer.of.function, outer.of.window, outer.of.dimension) == ("sum", DAY, "dollars")
    assert outer.of.of == SeriesValue("", "liq.long", "dollars")


def test_sma_is_the_mean():
    assert leaf("close.sma(20 bars) > 5").left == leaf("close.mean(20h) > 5").left


def test_the_symbol_of_the_file_is_the_guarded_one():
    assert leaf("BTC.close < 5").left == SeriesValue("", "close", "price")
    assert leaf("ETH.close < 5").left == SeriesValue("ETH", "close", "price")


def test_a_threshold_written_first_is_turned_round():
    assert leaf("75_000 > close") == leaf("close < 75_000")


def test_a_plain_number_takes_the_unit_it_meets():
    assert leaf("funding < 0").right.dimension == "share"
    assert leaf("fear_greed <= 10").right.dimension == "index"


def test_a_minus_before_a_series_is_taken_from_nothing():
    node = leaf("-close < 5 - 9")
    assert node.left == Arithmetic(
        "-", Constant(0.0, "price"), SeriesValue("", "close", "price"), "price"
    )


def test_parameters_stand_in_for_windows_and_durations():
    head = "params: {w: 24h, n: 3 closes, s: 2%}\n"
    node = leaf("close.drop(w) >= s for n", head)
    assert node.closes == 3
    assert node.of.left.window == DAY
    assert leaf("close.drop(w) >= s for w", head).duration == DAY


@given(st.text(alphabet="close.oi()<>=-+*/ $%0123456789hdxM,_for", max_size=60))
def test_any_text_is_read_or_refused_inside_itself(text):
    fault = None
    try:
        line = parse_line(text)
    except LineError as refused:
        fault = refused
    if fault is None:
        assert isinstance(line, Comparison | Path)
    else:
        assert 0 <= fault.start < fault.end <= len(text) + 1
        assert fault.message


@given(st.integers(-(10**9), 10**9), st.sampled_from(["", "%", "x", "k", "M"]))
def test_a_number_is_read_as_written(number, unit):
    scale = {"": 1, "%": 0.01, "x": 1, "k": 1e3, "M": 1e6}[unit]
    assert parse_literal(f"{number}{unit}").value == pytest.approx(number * scale)


def test_a_span_is_a_time_a_count_or_a_name():
    assert parse_span("2h").value == 2 * HOUR
    assert parse_span("2 closes").dimension == "bars"
    assert parse_span("confirm").word == "confirm"
    with pytest.raises(LineError, match="2 of what"):
        parse_span("2")
