"""A file, read whole: settings, defaults, macros, warnings that are silenced."""

from __future__ import annotations

import pytest

from riskguard.errors import RuleError
from riskguard.language.reader import load_rules, read_text
from riskguard.language.reading.conditions import ConditionReader
from riskguard.language.ruleset import All, AtLeast, Compare, Flag, For, Not
from riskguard.market import CATALOGUE, DAY, HOUR

FILE = """\
version: 1
symbol: BTC
every: 1h
params:
  support: {value: 75_000, range: 70_000..80_000, step: 1_000}
  quick: 6h
  floor: {by_source: {published: $150M, other: $50M}, range: $20M..$500M}
rules:
  fall:
    when:
      all: [liq.long.sum(24h).accel(24h) >= 60%, liq.long.sum(24h) >= floor]
    clear: close > support for quick
    do: {exposure_cap: 50%}
""".replace(".sum(24h).accel(24h) >= 60%", ".accel(24h) >= 0.6x")


def read(text: str, **options):
    rules, found = read_text(text, "a.yaml", **options)
    assert rules is not None, [one.render() for one in found]
    return rules


def codes(text: str, **options) -> list[str]:
    return [one.code for one in read_text(text, "a.yaml", **options)[1]]


def rule(body: str, head: str = "") -> str:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"version: 1\nsymbols: [BTC, ETH, SOL]\n{head}rules:\n  r:\n{lines}"


def test_a_file_without_faults_has_none():
    assert codes(FILE) == []


def test_settings_take_the_place_of_what_is_written():
    rules = read(FILE, settings={"support": "72_000", "quick": "12h"})
    assert rules.params["support"].value == 72_000
    assert rules.rules[0].clear.duration == 12 * HOUR
    assert rules.hash != read(FILE).hash


def test_a_setting_of_a_figure_by_source_holds_for_every_source():
    floor = read(FILE, settings={"floor": "$60M"}).params["floor"]
    assert set(floor.by_source.values()) == {60e6}
    assert floor.by_source["other"] == 60e6


@pytest.mark.parametrize(
    ("name", "text", "code", "column"),
    [
        ("suport", "72_000", "RG201", 1),
        ("support", "90_000", "RG145", 9),
        ("support", "5%", "RG305", 9),
        ("support", "3x", "RG305", 9),
        ("support", "7 2", "RG109", 11),
        ("quick", "6", "RG305", 7),
        ("floor", "$1M", "RG145", 7),
        ("floor", "50", "RG305", 7),
        ("support", "", "RG102", 9),
    ],
)
def test_a_setting_is_checked_like_the_file(name, text, code, column):
    rules, found = read_text(FILE, "a.yaml", settings={name: text})
    assert rules is None
    fault = next(one for one in found if one.severity == "error")
    assert (fault.path, fault.code, fault.column) == ("--set", code, column)
    assert fault.source == f"{name}={text}"


@pytest.mark.parametrize(
    ("name", "text", "message", "fix"),
    [
        ("support", "3x", "support is a plain number, 3x is a multiple", "(75_000)"),
        ("quick", "$6", "quick is a duration, $6 is dollars", "(6h)"),
        ("floor", "2x", "floor is dollars, 2x is a multiple", "(published: $150M, other: $50M)"),
    ],
)
def test_a_setting_of_another_unit_is_told_the_unit_of_the_file(name, text, message, fix):
    _, found = read_text(FILE, "a.yaml", settings={name: text})
    fault = next(one for one in found if one.severity == "error")
    assert fault.message == message
    assert fault.help == f"write it in the unit of the file {fix}"


def test_a_multiple_may_be_set_without_its_unit():
    text = rule(
        "when: volume.times_avg(7d) > k\nmin_hold: 1h\ndo: {close: all}", "params: {k: 3x}\n"
    )
    assert read(text, settings={"k": "4"}).params["k"].value == 4


def test_all_faults_are_told_at_once_by_place():
    text = rule("when: clsoe < 5\ndo: {exposure_cap: 0.5}\ncooldown: 5")
    assert codes(text) == ["RG201", "RG303", "RG111"]


def test_all_errors_are_kept_and_at_most_twenty_are_shown():
    lines = "".join(
        f"  r{n}: {{when: close < -5, min_hold: 1h, do: {{close: all}}}}\n" for n in range(50)
    )
    _, found = read_text(f"version: 1\nrules:\n{lines}", "many.yaml")
    assert [one.code for one in found] == ["RG401"] * 50
    shown = str(RuleError(found)).split("\n")
    assert sum("error[RG401]" in line for line in shown) == 20
    assert shown[-1] == "… and 30 more errors in many.yaml"


def test_a_name_that_nobody_gave_is_told_once():
    text = rule("when: {any: [clsoe < 5, oi < clsoe]}\nclear: clsoe > 6\ndo: {close: all}")
    assert codes(text) == ["RG201"]


def test_no_rule_is_lost_without_a_word():
    other = "  s: {when: close < 1, min_hold: 1h, do: {close: all}}\n"
    silent = rule("when: close < 5\nmin_hold: 1h\ndo: {notify: ''}")
    assert codes(silent + other) == ["RG124"]
    long = " + ".join(["close"] * 90) + " < 5"
    breadth = f"when: {{breadth: {{of: [ETH, SOL], at_least: 1, where: {long}}}}}"
    assert codes(rule(f"{breadth}\nmin_hold: 1h\ndo: {{close: all}}") + other) == ["RG002"]


def test_a_rule_that_a_fault_of_ours_would_lose_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ConditionReader, "line", lambda *_: None)
    rules, found = read_text(rule("when: close < 5\ndo: {close: all}"), "a.yaml")
    assert rules is None
    assert [(one.code, one.line) for one in found] == [("RG039", 4)]
    assert "this is a fault of riskguard" in found[0].help


def test_equal_rules_have_equal_hashes_whatever_the_sign_of_nothing():
    lines = [rule(f"when: close.change(24h) <= {zero}\nmin_hold: 1h\ndo: {{close: all}}")
             for zero in ("0%", "-0%", "0", "-0")]  # fmt: skip
    first, second, third, fourth = map(read, lines)
    assert first == second == third == fourth
    assert len({first.hash, second.hash, third.hash, fourth.hash}) == 1
    caps = [
        read(rule(f"when: oi < 5\nmin_hold: 1h\ndo: {{hedge: {zero}}}")) for zero in ("0%", "-0%")
    ]
    assert caps[0].hash == caps[1].hash


@pytest.mark.parametrize("line", ["ta.macd() < -5", "ta.macd().mean(24h) < -5"])
def test_a_function_of_a_library_may_be_below_zero(line: str):
    assert codes(rule(f"when: {line}\nmin_hold: 1h\ndo: {{close: all}}")) == []


def test_a_stop_has_a_distance_that_can_be_measured():
    assert codes(rule(f"when: oi < 5\nmin_hold: 1h\ndo: {{stop: {'9' * 400} ATR}}")) == ["RG304"]


def test_a_loss_that_is_a_sum_is_taken_off_whole():
    head, end = "params: {base: $1B}\n", "latch: true\ndo: {close: all}"
    form = read(rule("when: {unrealised_loss: {at_least: base + $1B}}\n" + end, head))
    line = "when: holder.units * (close - holder.cost) <= -(base + $1B)\n" + end
    assert form.hash == read(rule(line, head)).hash


def test_a_floor_of_a_long_form_takes_no_name_that_is_taken():
    head = "inputs: {liq_floor_binance: {unit: number}}\n"
    form = "{side: long, window: 24h, at_least: 3x average(7d), floor: $50M, source: binance}"
    rules = read(rule(f"when: {{liquidations: {form}}}\nmin_hold: 1h\ndo: {{close: all}}", head))
    assert list(rules.params) == ["liq_floor_binance_2"]
    source = "x" * 70
    form = form.replace("binance", source)
    rules = read(rule(f"when: {{liquidations: {form}}}\nmin_hold: 1h\ndo: {{close: all}}"))
    assert len(next(iter(rules.params))) < 64


def test_load_rules_raises_with_every_diagnostic(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text(rule("when: clsoe < 5\ndo: {exposure_cap: 0.5}"), encoding="utf-8")
    with pytest.raises(RuleError) as refused:
        load_rules(file)
    assert [one.code for one in refused.value.diagnostics] == ["RG201", "RG303"]
    assert f"{file}:5:11: error[RG201] unknown name 'clsoe'" in str(refused.value)


def test_defaults_are_those_of_the_language():
    rules = read("version: 1\nrules: {r: {when: close < 5, do: {close: all}}}\n")
    assert (rules.symbol, rules.symbols, rules.guards, rules.every) == ("", (), "symbol", None)
    assert (rules.blind, rules.timezone, rules.evaluate) == ("block", "UTC", "bar_close")
    assert rules.rules[0].clear is None


def test_bars_need_the_decision_interval():
    text = rule("when: close < close.low(20 bars).ago(2 bars)\nmin_hold: 1h\ndo: {close: longs}")
    assert codes(text) == ["RG205"]
    rules = read(text, every=4 * HOUR)
    assert rules.rules[0].when.right.of.window == 80 * HOUR
    assert rules.every == 4 * HOUR  # the windows were counted in these bars


def test_without_bars_the_interval_stays_open():
    assert read(rule("when: close < 5\ndo: {close: all}"), every=HOUR).every is None


def test_the_innermost_on_missing_wins():
    rules = read(
        rule(
            "when:\n  all:\n    - close < 5\n    - {is: oi < 6, on_missing: fire}\n"
            "    - {any: [volume > 5, r2], on_missing: hold}\n"
            "clear: close > 6\ndo: {block_entries: long}\non_missing: ignore"
        )
        + "  r2: {when: close < 1, do: {close: all}}\n"
    )
    first, second, third = rules.rules[0].when.of
    assert [first.on_missing, second.on_missing] == ["ignore", "fire"]
    assert [part.on_missing for part in third.of] == ["hold", "hold"]
    assert third.of[1] == Flag("rule", "r2")
    assert rules.rules[0].clear.on_missing == "ignore"


def test_fire_around_a_rule_does_not_reach_its_clear():
    rules = read(
        rule("when: close < 5\nclear: close > 6\ndo: {block_entries: long}\non_missing: fire")
    )
    assert rules.rules[0].when.on_missing == "fire"
    assert rules.rules[0].clear.on_missing == "hold"


def test_groups_may_have_to_hold_for_a_time():
    rules = read(
        rule("when:\n  not: {all: [close < 5, oi < 6]}\n  for: 30m\nmin_hold: 1h\ndo: {close: all}")
    )
    node = rules.rules[0].when
    assert isinstance(node, For)
    assert isinstance(node.of, Not)
    assert isinstance(node.of.of, All)
    assert node.duration == HOUR // 2


def test_breadth_prefixes_market_inputs_only():
    rules = read(
        rule(
            "when: {breadth: {of: [ETH, SOL], at_least: 1, where: close * 2 < close.mean(24h)}}\n"
            "min_hold: 1h\ndo: {close: all}"
        )
    )
    node = rules.rules[0].when
    assert isinstance(node, AtLeast)
    assert node.of[0].text == "ETH.close * 2 < ETH.close.mean(24h)"
    mixed = rule(
        "when: {breadth: {of: [ETH], at_least: 1, where: fear_greed < 5}}\n"
        "min_hold: 1h\ndo: {close: all}"
    )
    assert read(mixed).rules[0].when.of[0].text == "fear_greed < 5"


def test_a_stage_may_be_asked_for():
    rules = read(
        "version: 1\nstages:\n"
        "  - {stage: watch, enter: close < 7, min_hold: 1h, do: {exposure_cap: 60%}}\n"
        "rules:\n  r: {when: stage >= watch for 2 closes, min_hold: 1h, do: {close: all}}\n"
    )
    assert rules.rules[0].when.of == Flag("stage", "watch")


def test_own_series_and_holders_may_be_named():
    rules = read(
        rule(
            "when:\n  all: [stoxx.drop(5d) >= 3%, holder.strategy.units > 5]\n"
            "min_hold: 1h\ndo: {close: all}",
            "inputs: {stoxx: {unit: number, max_age: 4d}, oi: {max_age: 8h}}\n",
        )
    )
    assert rules.inputs["stoxx"].spec.kind == "level"
    assert rules.inputs["oi"].spec.unit == CATALOGUE["oi"].unit
    assert rules.inputs["oi"].spec.max_age == 8 * HOUR
    assert rules.inputs["oi"].declared == ("max_age",)
    assert rules.inputs["holder.strategy.units"].spec == CATALOGUE["holder.units"]


def test_a_warning_may_be_silenced_where_it_stands_and_only_there():
    loud = rule("when: oi.change(4w) <= -34%\nmin_hold: 1h\ndo: {close: all}")
    assert codes(loud) == ["RG425"]
    assert codes(loud + "    allow: [RG425]\n") == []
    assert codes(loud + "allow: [RG425]\n") == []
    elsewhere = loud + "  s: {when: close < 5, min_hold: 1h, do: {close: all}, allow: [RG425]}\n"
    assert codes(elsewhere) == ["RG425", "RG901"]


def test_an_error_cannot_be_silenced():
    text = rule("when: close < -5\nmin_hold: 1h\ndo: {close: all}\nallow: [RG401]")
    assert codes(text) == ["RG401", "RG901"]


def test_one_fault_of_a_parameter_is_not_told_again_where_it_is_used():
    text = rule("when: close < s\ndo: {close: all}", "params: {s: 5 %%}\n")
    assert codes(text) == ["RG101"]


def test_the_hash_is_of_the_meaning_alone():
    first = read(rule("when: close < 75_000\nmin_hold: 1h\ndo: {close: all}"))
    second = read(
        "version: 1\nname: other words\nsymbols: [BTC, ETH, SOL]\n# a comment\nrules:\n"
        "  r: {when: 'close < 75,000', min_hold: 60m, do: {close: all}, description: text}\n"
    )
    assert first.hash == second.hash
    assert first == second
    third = read(rule("when: close <= 75_000\nmin_hold: 1h\ndo: {close: all}"))
    assert third.hash != first.hash


def test_what_has_no_order_of_its_own_changes_no_hash():
    head = "version: 1\nsymbol: BTC\n"
    params = ["  p: 5%\n", "  q: 3x\n"]
    define = ["  a: close.drop(24h) >= p\n", "  b: leverage >= q\n"]
    rules = [
        "  x: {when: a, min_hold: 1h, do: {exposure_cap: 50%}}\n",
        "  y: {when: b, min_hold: 1h, do: {exposure_cap: 50%}}\n",
        "  z: {when: {any: [a, b]}, min_hold: 1h, do: {notify: n}, mutes: [MUTED]}\n",
    ]

    def read_in(step: int) -> str:
        blocks = (("params", params), ("define", define), ("rules", rules))
        text = "".join(f"{key}:\n" + "".join(lines[::step]) for key, lines in blocks)
        return read(head + text.replace("MUTED", ", ".join(["x", "y"][::step]))).hash

    assert read_in(1) == read_in(-1)


def test_thresholds_are_compared_in_the_unit_of_the_series():
    node = read(rule("when: oi_usd.change(24h) <= -4.4%\nmin_hold: 1d\ndo: {close: all}"))
    leaf = node.rules[0].when
    assert isinstance(leaf, Compare)
    assert leaf.right.dimension == leaf.left.dimension == "share"
    assert node.rules[0].min_hold == DAY


@pytest.mark.parametrize(
    ("line", "warned"),
    [
        ("liq.long.sum(4h) > 5 * liq.long.mean(7d)", True),
        ("liq.long.sum(24h) > liq.long.mean(7d)", True),
        ("liq.long.sum(24h) > 72 * liq.long.mean(7d)", False),  # three times 24 bars of an hour
        ("liq.long.sum(24h) > liq.long.mean(7d) / 2", False),
        ("liq.long.sum(24h) > liq.short.mean(7d)", False),
    ],
)
def test_a_sum_beside_a_mean_is_doubted_unless_its_bars_are_counted(line: str, warned: bool):
    text = f"version: 1\nevery: 1h\nrules:\n  r:\n    when: {line}\n    min_hold: 1h\n"
    _, found = read_text(f"{text}    do: {{notify: look}}\n", "rules.yaml")
    assert ("RG432" in {one.code for one in found}) == warned


def test_a_floor_that_a_long_form_makes_cannot_be_read_before_or_behind_it():
    form = "{side: long, window: 24h, at_least: 3x average(7d), floor: $150M, source: a}"
    reading = "  r: {when: liq.long.sum(24h) >= liq_floor_a, latch: true, do: {close: all}}\n"
    making = f"  m: {{when: {{liquidations: {form}}}, latch: true, do: {{close: all}}}}\n"
    for rules, line in ((reading + making, 3), (making + reading, 4)):
        found = read_text(f"version: 1\nrules:\n{rules}", "a.yaml")[1]
        errors = [(one.code, one.line) for one in found if one.severity == "error"]
        assert errors == [("RG201", line)]


@pytest.mark.parametrize(
    ("when", "clear"),
    [
        ("{all: [close > 70_000, close < 75_000]}", "close > 74_000"),  # a range
        ("{all: [close < 75_000, volume > 1]}", "close > 75_000"),
        ("{all: [close < 75_000, volume > 1]}", "close < 60_000"),
        ("{all: [close < 75_000, {any: [close > 70_000, volume > 1]}]}", "close > 74_000"),
        ("{at_least: 1, of: [{not: close < 75_000}, volume > 1]}", "close < 76_000"),
        ("close < 75_000", "close < 80_000"),
        ("{all: [close < 75_000, volume > 1]}", "volume < 1"),
    ],
)
def test_a_clear_that_may_be_meant_is_not_on_the_wrong_side(when: str, clear: str):
    body = f"{{when: {when}, clear: {clear}, do: {{close: all}}}}"
    _, found = read_text(f"version: 1\nrules:\n  r: {body}\n", "a.yaml")
    assert "RG406" not in {one.code for one in found}
