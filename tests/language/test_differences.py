from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from riskguard.language.changes.differences import differences
from riskguard.language.reader import read_text
from riskguard.language.ruleset import RuleSet
from riskguard.language.writing.printing import printed
from tests.language.rule_files import file_data, written

COUNT = 120
FILE = """\
version: 1
symbol: BTC
every: 4h
inputs:
  stoxx: {unit: number, max_age: 4d}
params:
  s: {value: 75_000, range: 70_000..80_000, step: 1_000}
  floor: {by_source: {a: $50M, other: $20M}}
  unread: 5h
define:
  lost: close < s - 0.5%
  calm: {all: [close > s, oi.change(24h) > -1%]}
stages:
  - {stage: watch, enter: lost, recover: calm, do: {exposure_cap: 75%, stop: 5%}, min_hold: 8h}
  - {stage: out, enter: oi.drop(24h) > 9%, recover: calm, do: {close: longs}}
rules:
  burst:
    when: {all: [volume.accel(24h) >= 3x, liq.long.sum(24h) >= floor]}
    clear: volume.accel(24h) <= 1x for 24h
    do: {block_entries: long, leverage_cap: 3x}
    fallback: {exposure_cap: 25%}
    cooldown: 12h
  weak: {when: stoxx.drop(5d) >= 3%, do: {hedge: 20%, notify: hey}, min_hold: 1d}
  note: {when: close < 1, min_hold: 1h, do: {notify: low}}
per_symbol:
  ETH: {params: {s: 2_200}, disable: [weak]}
"""
L, S, D = "looser", "stricter", "different"
WATCH = "fires later: stage watch; clears sooner: stage watch, stage out"
TALL = "fires sooner: stage watch; clears later: stage watch, stage out"
WEAK = "weak:\n  when: stoxx.drop(5d) >= 3%\n"
# what is edited, what it becomes, and what is told of it
EDITS = [
    ("every: 4h", "every: 8h", [("every", "4h", "8h", D, "")]),
    ("every: 4h", "every: 4h\nblind: ignore", [("blind", "block", "ignore", L, "")]),
    ("symbol: BTC", "symbol: BTC\nguards: all", [("guards", "symbol", "all", S, "")]),
    (
        *("max_age: 4d", "max_age: 3d"),
        [
            (
                *("inputs.stoxx", "stoxx: {unit: number, max_age: 4d}"),
                *("stoxx: {unit: number, max_age: 3d}", D, ""),
            )
        ],
    ),
    ("value: 75_000", "value: 72_000", [("params.s", "75_000", "72_000", L, WATCH)]),
    ("value: 75_000", "value: 75000.0", []),
    (
        *("range: 70_000", "range: 71_000"),
        [("params.s.range", "70_000..80_000", "71_000..80_000", "", "")],
    ),
    (
        *("other: $20M", "other: $30M"),
        [
            (
                *("params.floor", "a: $50M, other: $20M", "a: $50M, other: $30M", L),
                "fires later: burst",
            )
        ],
    ),
    (
        *("$50M, other: $20M", "$40M, other: $30M"),
        [
            (
                *("params.floor", "a: $50M, other: $20M", "a: $40M, other: $30M", D),
                "fires at other times: burst",
            )
        ],
    ),
    ("  unread: 5h\n", "", [("params.unread", "5h", "", "", "")]),
    (
        *("lost: close < s - 0.5%", "lost: close < s - 0.5% for 2 closes"),
        [
            (
                *("define.lost", "lost: close < s - 0.5%"),
                *("lost: close < s - 0.5% for 2 closes", L, "fires later: stage watch"),
            )
        ],
    ),
    # written otherwise: no other meaning
    ("[close > s, oi.change(24h) > -1%]", "[oi.change(24h) > -1%, close > s]", []),
    ("enter: lost", "enter: close < s - 50bp", []),
    (
        *("exposure_cap: 75%, stop: 5%", "exposure_cap: 60%, stop: 6%"),
        [
            ("stages.watch.do.exposure_cap", "75%", "60%", S, ""),
            ("stages.watch.do.stop", "5%", "6%", L, ""),
        ],
    ),
    ("stop: 5%", "stop: 1.5 ATR", [("stages.watch.do.stop", "5%", "1.5 ATR", D, "")]),
    (", stop: 5%", "", [("stages.watch.do.stop", "5%", "", L, "")]),
    ("min_hold: 8h", "min_hold: 12h", [("stages.watch.min_hold", "8h", "12h", S, "")]),
    ("close: longs", "close: shorts", [("stages.out.do.close", "longs", "shorts", D, "")]),
    ("close: longs", "close: all", [("stages.out.do.close", "longs", "all", S, "")]),
    (
        *("calm, do: {close", "close > 70_000 for 3d, do: {close"),
        [
            (
                *("stages.out.recover", "recover: calm", "recover: close > 70_000 for 3d"),
                *(D, "clears at other times"),
            )
        ],
    ),
    (
        *("[volume.accel(24h) >= 3x, liq.long.sum(24h) >= floor]", "[volume.accel(24h) >= 2x]"),
        [
            (
                *("rules.burst.when", "when: {all: [volume.accel(24h) >= 3x, "),
                *("when: {all: [volume.accel(24h) >= 2x]}", S, "fires sooner"),
            )
        ],
    ),
    (
        *("<= 1x for 24h", "<= 1x for 48h"),
        [
            (
                *("rules.burst.clear", "clear: volume.accel(24h) <= 1x for 24h"),
                *("clear: volume.accel(24h) <= 1x for 2d", S, "clears later"),
            )
        ],
    ),
    (
        *("block_entries: long, leverage_cap: 3x", "leverage_cap: 2x, reduce_only: true"),
        [
            ("rules.burst.do.block_entries", "long", "", L, ""),
            ("rules.burst.do.reduce_only", "", "true", S, ""),
            ("rules.burst.do.leverage_cap", "3x", "2x", S, ""),
        ],
    ),
    (
        *("    fallback: {exposure_cap: 25%}\n", ""),
        [("rules.burst.fallback", "exposure_cap: 25%", "", D, "")],
    ),
    ("cooldown: 12h", "cooldown: 24h", [("rules.burst.cooldown", "12h", "24h", L, "")]),
    (
        *("cooldown: 12h", "cooldown: 12h\n    latch: true"),
        [("rules.burst.latch", "false", "true", S, "")],
    ),
    (
        *("cooldown: 12h", "cooldown: 12h\n    severity: info\n    priority: 7\n    mutes: [note]"),
        [
            ("rules.burst.priority", "0", "7", D, ""),
            ("rules.burst.severity", "warning", "info", D, ""),
            ("rules.burst.mutes", "", "note", D, ""),
        ],
    ),
    (
        *("min_hold: 1d}", "min_hold: 1d, clear: stoxx.drop(5d) <= 1%}"),
        [("rules.weak.clear", "", "clear: stoxx.drop(5d) <= 1%", D, "clears at other times")],
    ),
    ("notify: hey", "notify: ho", [("rules.weak.do.notify", "hey", "ho", D, "")]),
    (
        *("  note: {when: close < 1, min_hold: 1h, do: {notify: low}}\n", ""),
        [("rules.note", "note: {when: close < 1, ", "", D, "removed")],
    ),
    (
        *("params: {s: 2_200}", "params: {s: 2_300}"),
        [("per_symbol.ETH.params.s", "2_200", "2_300", S, TALL)],
    ),
    (", disable: [weak]", "", [("per_symbol.ETH.rules.weak", "", WEAK, S, "added")]),
    (
        *("per_symbol:\n  ETH: {params: {s: 2_200}, disable: [weak]}\n", ""),
        [("per_symbol.ETH", "rules of its own", "", L, "")],
    ),
]


def read(text: str) -> RuleSet:
    rules, found = read_text(text, "a.yaml")
    assert rules is not None, [one.render() for one in found]
    return rules


@pytest.mark.parametrize(("old", "new", "wanted"), EDITS, ids=[one[1][:40] for one in EDITS])
def test_an_edit_is_told_as_what_it_changes(old, new, wanted):
    assert FILE.count(old) == 1
    before, after = read(FILE), read(FILE.replace(old, new))
    found = differences(before, after)
    assert [(one.where, one.effect, one.says) for one in found] == [
        (where, how, says) for where, _, _, how, says in wanted
    ]
    for one, (_, was, now, _, _) in zip(found, wanted, strict=True):
        assert one.old.startswith(was)
        assert one.new.startswith(now)
        assert bool(one.old) == bool(was)
        assert bool(one.new) == bool(now)
    turned = {L: S, S: L}
    back = {(one.where, one.effect) for one in differences(after, before)}
    assert back == {(where, turned.get(how, how)) for where, _, _, how, _ in wanted}


def test_texts_places_and_order_are_no_meaning():
    first = read(FILE)
    moved = FILE.replace("version: 1\n", "version: 1\nname: other words\n# a comment\n")
    lines = moved.splitlines(keepends=True)
    weak = next(line for line in lines if line.startswith("  weak:"))
    lines.remove(weak)
    lines.insert(lines.index("rules:\n") + 1, weak.replace("{when", "{description: x, when"))
    second = read("".join(lines))
    assert [rule.name for rule in second.rules] != [rule.name for rule in first.rules]
    assert differences(first, second) == []


def test_a_name_that_takes_over_a_line_and_means_something_else_is_told():
    inline = FILE.replace("enter: lost", "enter: close < s - 0.5%")
    named = FILE.replace("lost: close < s - 0.5%", "lost: close < s - 2%")
    found = differences(read(inline), read(named))
    assert [(one.where, one.effect, one.says) for one in found] == [
        ("define.lost", L, "fires later: stage watch")
    ]


def test_a_series_that_one_of_the_two_does_not_know_is_compared():
    held = "enter: holder.fund.cost - {share} > close"
    first = FILE.replace("enter: lost", held.format(share="1%"))
    second = FILE.replace("enter: lost", held.format(share="2%"))
    found = differences(read(first), read(second))
    assert [(one.where, one.says) for one in found] == [("stages.watch.enter", "fires later")]
    assert [one.says for one in differences(read(FILE), read(second))] == ["fires at other times"]


def test_a_window_that_is_a_parameter_is_told_in_figures():
    text = FILE.replace("lost: close < s - 0.5%", "lost: close < close.low(unread) for 2 closes")
    found = differences(read(text), read(text.replace("unread: 5h", "unread: 9h")))
    assert [(one.where, one.old, one.new, one.effect) for one in found] == [
        ("params.unread", "5h", "9h", ""),
        (
            *("define.lost", "lost: close < close.low(5h) for 2 closes"),
            *("lost: close < close.low(9h) for 2 closes", L),
        ),
    ]


def test_a_stop_of_more_atr_stands_further_off():
    near = FILE.replace("stop: 5%", "stop: 1.5 ATR")
    found = differences(read(near), read(near.replace("1.5 ATR", "2 ATR")))
    assert [(one.where, one.old, one.new, one.effect) for one in found] == [
        ("stages.watch.do.stop", "1.5 ATR", "2 ATR", L)
    ]


@pytest.mark.parametrize(
    ("old", "new", "effect"),
    [
        ("[BTC]", "[BTC, ETH]", S),
        ("[BTC, SOL]", "[ETH, SOL]", D),
        ("[BTC, ETH]", "all", S),
        ("symbol", "[ETH, BTC]", S),
    ],
)
def test_whose_orders_are_guarded_is_told_as_more_or_fewer_symbols(old, new, effect):
    before, after = (
        read(FILE.replace("symbol: BTC", f"symbol: BTC\nguards: {guards}")) for guards in (old, new)
    )
    assert [(one.where, one.effect) for one in differences(before, after)] == [("guards", effect)]
    back = {L: S, S: L}.get(effect, effect)
    assert [(one.where, one.effect) for one in differences(after, before)] == [("guards", back)]


def test_rules_that_protect_are_looser_without_and_stricter_with():
    less = read(FILE.replace("  weak: {when", "  wreck: {when").replace("[weak]", "[wreck]"))
    found = [
        (one.where, one.effect, one.says, one.lines[0]) for one in differences(read(FILE), less)
    ]
    assert found == [
        ("rules.weak", L, "removed", "- weak:"),
        ("rules.wreck", S, "added", "+ wreck:"),
    ]


def test_a_ramp_and_the_order_of_stages_are_told():
    ramp = "reentry: {start: 50%, step: 25%, every: 12h, while: calm}"
    with_ramp = FILE.replace("min_hold: 8h}", f"min_hold: 8h, {ramp}}}")
    found = differences(read(FILE), read(with_ramp))
    assert [(one.where, one.effect) for one in found] == [("stages.watch.reentry", S)]
    slower = with_ramp.replace("start: 50%, step: 25%, every: 12h, while: calm", (
        "start: 40%, step: 30%, every: 24h, while: {all: [calm, oi > 5]}"
    ))  # fmt: skip
    found = differences(read(with_ramp), read(slower))
    assert [(one.where, one.effect, one.says) for one in found] == [
        ("stages.watch.reentry.start", S, ""),
        ("stages.watch.reentry.step", L, ""),
        ("stages.watch.reentry.every", S, ""),
        ("stages.watch.reentry.while", S, "comes back later"),
    ]
    calmer = with_ramp.replace("oi.change(24h) > -1%", "oi.change(24h) > 0%")
    found = differences(read(with_ramp), read(calmer))
    assert [(one.where, one.effect, one.says) for one in found] == [
        ("define.calm", S, "clears later: stage watch, stage out; comes back later: stage watch")
    ]
    plain = FILE.replace("close: longs", "hedge: 5%").replace("exposure_cap: 75%, ", "")
    ladder = [line for line in plain.splitlines(keepends=True) if "- {stage" in line]
    found = differences(read(plain), read(plain.replace("".join(ladder), "".join(ladder[::-1]))))
    assert [(one.where, one.old, one.new, one.effect) for one in found] == [
        ("stages", "watch, out", "out, watch", D)
    ]


@settings(
    max_examples=COUNT,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(file_data())
def test_a_file_and_its_print_mean_the_same(data):
    rules, _ = read_text(written(data), "a.json")
    if rules is not None:
        assert differences(rules, read(printed(rules))) == []
