"""Whatever is read is printed, and read again as the same: tree, texts and hash."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from riskguard.cli.given import packs
from riskguard.language import source
from riskguard.language.joining.composition import compose_text
from riskguard.language.reader import read_rules, read_text
from riskguard.language.ruleset import RuleSet
from riskguard.language.writing.layout import laid_out
from riskguard.language.writing.printing import printed
from riskguard.market import HOUR
from tests.counts import counts
from tests.language.rule_files import file_data, written


def read(text: str, **options: Any) -> RuleSet:
    rules, found = read_text(text, "a.yaml", **options)
    assert rules is not None, text + "\n" + "\n".join(one.render() for one in found)
    return rules


def texts(rules: RuleSet) -> list[str]:
    """Return what stands beside the meaning."""
    found = [rules.name, rules.description, rules.severity]
    found += [one.help for one in rules.params.values()]
    found += [text for one in rules.rules for text in (one.title, one.description)]
    return found + [one.description for one in rules.stages]


def same(rules: RuleSet, **options: Any) -> str:
    """Print, read again as equal, and return the text."""
    text = printed(rules)
    again = read(text, **options)
    assert again == rules, text
    assert again.hash == rules.hash, text
    assert texts(again) == texts(rules)
    return text


@counts(150, 3_000)
def test_any_rule_set_survives_printing(count: int, measured):
    seen = Counter()

    @settings(
        max_examples=count,
        phases=[Phase.explicit, Phase.generate],  # a failure is printed: shrinking takes minutes
        suppress_health_check=list(HealthCheck),
    )
    @given(file_data())
    def run(data: dict[str, Any]) -> None:
        text = written(data)
        rules, _ = read_text(text, "a.json")
        seen["drawn"] += 1
        if rules is None:
            return
        seen["read"] += 1
        seen["with symbols"] += bool(rules.per_symbol)
        same(rules)
        # and the nodes as they are, which is what a plain `riskguard show` lays out
        root = compose_text(text, "a.json").root
        assert isinstance(root, source.Mapping)
        laid = laid_out(root, by_origin=bool(len(text) % 2))
        again = read("".join(f"{row}\n" for row, _ in laid))
        assert (again, again.hash, texts(again)) == (rules, rules.hash, texts(rules)), text

    run()
    told = f"{seen['read']:,} of {seen['drawn']:,} rule files read, printed and read again"
    measured(f"{told}; {seen['with symbols']:,} have rules of symbols")
    assert seen["read"] > 0.5 * seen["drawn"]


@pytest.mark.parametrize("name", packs())
def test_every_pack_survives_printing(name: str):
    rules, _ = read_rules(packs()[name])
    assert rules is not None
    text = same(rules)
    assert max(map(len, text.splitlines())) <= 100


def file_of(body: str, head: str = "") -> str:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"version: 1\nsymbol: BTC\nsymbols: [BTC, ETH]\nevery: 1h\n{head}rules:\n  r:\n{lines}"


def rule_of(text: str) -> str:
    """Return the printed block of the only rule."""
    return text[text.index("  r:\n") + 5 :]


HEAD = "params: {p: 5, q: 7, s: 2%, t: 12h, d: $5M, n: 2 bars}\n"
LINES = [
    ("close<75000", "close < 75_000"),
    ("75,000 > close", "close < 75_000"),
    ("close < (q - (p - 3))", "close < q - (p - 3)"),
    ("close < ((q - p) - 1)", "close < q - p - 1"),
    ("close < p / (q * 2)", "close < p / (q * 2)"),
    ("close < p / q * 2", "close < p / q * 2"),
    ("close * (1 - 5%) < p", "close * (1 - 5%) < p"),
    ("-close < -(p + q)", "-close < -(p + q)"),
    ("0 - close < -p", "0 - close < -p"),
    ("BTC.close - 0.5% < p", "close - 0.5% < p"),
    ("ETH.close.low(20 bars).ago(48h) < p", "ETH.close.low(20h).ago(2d) < p"),
    ("oi.change(1440m) <= -0.044e2%", "oi.change(24h) <= -4.4%"),
    ("funding.mean(720m) >= 0.05%", "funding.mean(12h) >= 5bp"),
    ("funding.mean(t) >= 0.05%", "funding.mean(t) >= 5bp"),
    ("close.low(window=t).ago(n) < p for n", "close.low(t).ago(n) < p for n"),
    ("oi.mean(7d, min=t) < p for t", "oi.mean(7d, min=t) < p for t"),
    ("ta.rsi(window=n) < 30", "ta.rsi(window=n) < 30"),
    ("oi_usd.sma(4w, min=1w) >= $0.15B", "oi_usd.mean(28d, min=7d) >= $150M"),
    ("oi_usd >= $1_234_567.89", "oi_usd >= $1_234_567.89"),
    ("leverage >= 3", "leverage >= 3x"),
    ("close.age() > 90m for 120min", "close.age() > 90m for 2h"),
    ("equity.drawdown(all) >= s", "equity.drawdown(all) >= s"),
    ("ta.rsi(warmup=99, window=14 bars) < 30", "ta.rsi(warmup=99, window=14) < 30"),
    (
        "ta.keltner_channel_hband(original_version=false) < p",
        "ta.keltner_channel_hband(original_version=false) < p",
    ),
    ("funding < -(5bp)", "funding < -5bp"),
    ("close.change((24h)) < s", "close.change(24h) < s"),
]


@pytest.mark.parametrize(("line", "wanted"), LINES)
def test_a_line_has_one_form(line: str, wanted: str):
    text = same(read(file_of(f"when: {line!r}\nmin_hold: 1h\ndo: {{block_entries: long}}", HEAD)))
    quoted = f'"{wanted}"' if wanted.startswith("-") else wanted
    assert rule_of(text).startswith(f"    when: {quoted}\n")


def test_a_long_form_is_printed_as_what_it_stands_for():
    form = "{side: long, window: 24h, at_least: 3x average(30d), min: 14d, floor: $150M, source: a}"
    body = (
        "when:\n  any:\n"
        f"    - liquidations: {form}\n"
        "    - breadth: {of: [BTC, ETH], at_least: 2, where: close.drop(24h) >= 5%}\n"
        "    - support_lost: {level: low(20d), confirm: 2 closes, buffer: 0.5 atr(14d)}\n"
        "    - unrealised_loss: {holder: fund, at_least: $0.9B}\n"
        "min_hold: 1h\ndo: {exposure_cap: 50%}"
    )
    text = same(read(file_of(body)))
    assert "  liq_floor_a: {by_source: {a: $150M}}\n" in text
    assert rule_of(text) == (
        "    when:\n"
        "      any:\n"
        '        - all: ["liq.long.sum(24h).times_avg(30d, min=14d) >= 3x", '
        "liq.long.sum(24h) >= liq_floor_a]\n"
        "        - {at_least: 2, of: [close.drop(24h) >= 5%, ETH.close.drop(24h) >= 5%]}\n"
        "        - close < close.low(20d).ago(2h) - 0.5 * close.atr(14d) for 2 closes\n"
        "        - holder.fund.units * (close - holder.fund.cost) <= -$900M\n"
        "    do: {exposure_cap: 50%}\n"
        "    min_hold: 1h\n"
    )


LIQUIDATIONS = "{side: long, window: WINDOW, at_least: 3x average(7d), floor: $5M, source: a}"


@pytest.mark.parametrize(
    ("form", "wanted"),
    [
        (
            f"liquidations: {LIQUIDATIONS.replace('WINDOW', 'today')}",
            "{all: [liq.long.sum(today).times_avg(7d) >= 3x, liq.long.sum(today) >= liq_floor_a]}",
        ),
        (
            f"liquidations: {LIQUIDATIONS.replace('WINDOW', '4h')}",
            "{all: [liq.long.sum(4h).times_avg(7d) >= 3x, liq.long.sum(4h) >= liq_floor_a]}",
        ),
        (
            "breadth: {of: [BTC, ETH], at_least: 2, where: close < -open}",
            "{at_least: 2, of: [close < -open, ETH.close < -ETH.open]}",
        ),
    ],
)
@pytest.mark.parametrize("head", ["", "params: {liq_floor_a: {by_source: {a: $5M}}}\n"])
def test_a_long_form_takes_a_day_its_own_floor_and_every_input(form, wanted, head):
    text = same(read(file_of(f"when: {{{form}}}\nmin_hold: 1h\ndo: {{close: all}}", head)))
    assert text.count("{by_source: {a: $5M}}") == ("liq_floor_a" in wanted or bool(head))
    assert " ".join(rule_of(text).split()).startswith(f"when: {wanted}")


def test_missing_data_is_said_as_high_up_as_it_holds():
    either = "any: [{is: oi < 5, on_missing: ignore}, {is: oi < 6 for 2h, on_missing: ignore}]"
    freed = "clear: {all: [{is: oi > 7, on_missing: ignore}]}\ndo: {hedge: 5%}"
    text = same(read(file_of(f"when: {{{either}}}\n{freed}")))
    assert rule_of(text) == (
        "    when: {any: [oi < 5, oi < 6 for 2h]}\n    clear: {all: [oi > 7]}\n"
        "    on_missing: ignore\n    do: {hedge: 5%}\n"
    )
    mixed = "when: {any: [oi < 5, {is: oi < 6, on_missing: hold}]}\nclear: oi > 7\n"
    text = same(read(file_of(f"{mixed}on_missing: fire\ndo: {{block_entries: long}}")))
    assert "    when: {any: [{is: oi < 5, on_missing: fire}, oi < 6]}\n" in text


def test_the_hours_of_a_rule_never_touch_its_clearing():
    hours = 'during: {days: [mon, tue, wed, sat], from: "8:00", to: "24:00", timezone: Asia/Tokyo}'
    body = f"when: {{is: oi < 5, on_missing: fire}}\n{hours}\ndo: {{block_entries: long}}"
    text = same(read(file_of(body)))
    assert rule_of(text) == (
        '    during: {days: [mon-wed, sat], from: "08:00", to: "24:00", timezone: Asia/Tokyo}\n'
        "    when: oi < 5\n    on_missing: fire\n    do: {block_entries: long}\n"
    )
    inside = "when:\n  all:\n    - during: {from: 08:00, to: 09:00}\n    - oi < 5\n"
    text = same(read(file_of(f"{inside}min_hold: 1h\ndo: {{block_entries: long}}")))
    assert '    when: {all: [{during: {from: "08:00", to: "09:00"}}, oi < 5]}\n' in text


FLOOR = "{side: long, window: 24h, at_least: 3x average(7d), floor: $150M, source: a}"
OTHER = FLOOR.replace("$150M", "$50M")
FORMS = (
    "rules:\n"
    f"  first: {{when: {{liquidations: {FLOOR}}}, min_hold: 1h, do: {{exposure_cap: 50%}}}}\n"
    f"  second: {{when: {{liquidations: {OTHER}}}, min_hold: 1h, do: {{exposure_cap: 40%}}}}\n"
    "  third: {when: oi < 5, min_hold: 1h, do: {exposure_cap: 30%}}\n"
)


@pytest.mark.parametrize(
    "own",
    [
        "{}",
        "{disable: [first]}",
        "{disable: [second]}",
        "{disable: [first, second]}",
        f"{{override: {{rules.third.when: {{liquidations: {FLOOR}}}}}}}",
        f"{{override: {{rules.first.when: {{liquidations: {OTHER}}}}}}}",
        f"{{override: {{rules.first.when: oi < 6, rules.third.when: {{liquidations: {OTHER}}}}}}}",
        f"{{override: {{rules.first.when: {{liquidations: {FLOOR.replace('a}', 'b}')}}}}}}}",
    ],
)
def test_a_symbol_may_have_other_floors_made_by_long_forms(own: str):
    text = same(read(f"version: 1\nsymbol: BTC\n{FORMS}per_symbol: {{ETH: {own}}}\n"))
    assert "liquidations:" not in text


def test_a_symbol_is_printed_as_what_it_changes():
    text = same(
        read(
            "version: 1\nsymbol: BTC\nsymbols: [BTC, ETH]\nparams: {s: 75_000, t: 5}\nrules:\n"
            "  a: {when: close < s, clear: close > 80_000, do: {exposure_cap: 50%}}\n"
            "  b: {when: ETH.close < t, clear: ETH.close > 7, do: {exposure_cap: 50%}}\n"
            "  c: {when: BTC.close < s, clear: BTC.close > 80_000, do: {exposure_cap: 50%}}\n"
            "  d: {when: oi < t, min_hold: 2h, do: {exposure_cap: 50%}}\n"
            "per_symbol:\n"
            "  ETH: {params: {s: 2_200}, override: {rules.a.min_hold: 3h}, disable: [d]}\n"
        )
    )
    assert text[text.index("per_symbol:") :] == (
        "per_symbol:\n"
        "  ETH:\n"
        "    override:\n"
        "      params.s: {value: 2_200}\n"
        "      rules.a: {when: close < s, clear: close > 80_000, do: {exposure_cap: 50%}, "
        "min_hold: 3h}\n"
        "      rules.c: {when: BTC.close < s, clear: BTC.close > 80_000, do: {exposure_cap: 50%}}\n"
        "    disable: [d]\n"
    )


def test_a_symbol_may_be_fed_by_other_data():
    own = "{override: {inputs.oi: {max_age: 2h}}}"
    rule = "{when: oi < 5, min_hold: 1h, do: {exposure_cap: 50%}}"
    head = "version: 1\nsymbol: BTC\ninputs: {oi: {max_age: 8h}, funding: {max_age: 9h}}\n"
    text = same(read(f"{head}rules:\n  r: {rule}\nper_symbol: {{ETH: {own}}}\n"))
    assert text.endswith("  ETH:\n    override:\n      inputs.oi: {max_age: 2h}\n")


def test_a_symbol_may_have_another_definition():
    rule = "{when: calm, min_hold: 1h, do: {exposure_cap: 50%}}"
    head = "version: 1\nsymbol: BTC\ndefine: {calm: close > 5}\n"
    own = "{override: {define.calm: close > 6}}"
    text = same(read(f"{head}rules:\n  r: {rule}\nper_symbol: {{ETH: {own}}}\n"))
    assert text.endswith("  ETH:\n    override:\n      define.calm: close > 6\n")


def test_windows_counted_in_the_bars_of_the_data_survive():
    rule = "{when: close < close.low(20 bars), min_hold: 1h, do: {close: all}}"
    rules = read(f"version: 1\nrules:\n  r: {rule}\n", every=4 * HOUR)
    assert "every: 4h\n" in same(rules)
