"""What is said of two conditions is true at every instant that hypothesis can think of."""

from __future__ import annotations

import sys
from collections import Counter
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riskguard.language.changes.relations import LESS, MORE, OTHER, SAME, Relations
from riskguard.language.reader import read_text
from riskguard.language.ruleset import (
    All,
    Any,
    AtLeast,
    Compare,
    Condition,
    Constant,
    Flag,
    Not,
    ParameterValue,
    Rule,
    RuleSet,
    SeriesValue,
)

COUNT = 500
NAMES = ("close", "open", "high")
LEVELS = (1.0, 2.0, 3.0)


def leaf(name: str, op: str, level: float | str) -> Compare:
    right = ParameterValue(level, "plain") if isinstance(level, str) else Constant(level, "price")
    return Compare(SeriesValue("", name, "price"), op, right)


LEAVES = st.builds(
    leaf,
    st.sampled_from(NAMES),
    st.sampled_from(("<", "<=", ">", ">=")),
    st.sampled_from((*LEVELS, "p")),
)


def groups(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    lists = st.lists(parts, min_size=1, max_size=3).map(tuple)
    counted = st.tuples(st.integers(1, 3), lists).map(
        lambda pair: AtLeast(min(pair[0], len(pair[1])), pair[1])
    )
    return st.one_of(st.builds(All, lists), st.builds(Any, lists), st.builds(Not, parts), counted)


NODES = st.recursive(st.one_of(LEAVES, st.just(Flag("definition", "calm"))), groups, max_leaves=6)
INSTANTS = [
    dict(zip(NAMES, values, strict=True))
    for values in product((None, 0.5, 1.0, 2.0, 3.0, 3.5), repeat=len(NAMES))
]
SAID: Counter[str] = Counter()
FALSE, UNKNOWN, TRUE = 0, 1, 2


def truth(node: Condition, rules: RuleSet, values: dict[str, float | None]) -> int:
    """Return the truth of a condition at one instant, in three values."""
    if isinstance(node, Compare):
        value = values[node.left.name]
        if value is None:
            return UNKNOWN
        right = node.right
        level = rules.params["p"].value if isinstance(right, ParameterValue) else right.value
        met = {"<": value < level, "<=": value <= level, ">": value > level, ">=": value >= level}
        return TRUE if met[node.op] else FALSE
    if isinstance(node, Flag):
        return truth(rules.define[node.name], rules, values)
    if isinstance(node, Not):
        return TRUE - truth(node.of, rules, values)
    parts = [truth(part, rules, values) for part in node.of]
    if isinstance(node, AtLeast):
        if parts.count(TRUE) >= node.count:
            return TRUE
        return UNKNOWN if parts.count(FALSE) <= len(parts) - node.count else FALSE
    return min(parts) if isinstance(node, All) else max(parts)


def rules_of(calm: Condition, level: float) -> RuleSet:
    rules, _ = read_text(
        "version: 1\nrules: {r: {when: close < 5, latch: true, do: {close: all}}}", ""
    )
    params, _ = read_text(
        f"version: 1\nparams: {{p: {level}}}\n"
        "rules: {r: {when: close < p, latch: true, do: {close: all}}}",
        "",
    )
    assert rules is not None
    assert params is not None
    (rule,) = rules.rules
    assert isinstance(rule, Rule)
    return RuleSet(params=params.params, define={"calm": calm}, rules=(rule,))


@settings(max_examples=COUNT, suppress_health_check=list(HealthCheck))
@given(NODES, NODES, st.tuples(LEAVES, LEAVES), st.tuples(*[st.sampled_from(LEVELS)] * 2))
def test_what_is_said_of_two_conditions_holds_at_every_instant(old, new, calm, levels):
    one, two = rules_of(calm[0], levels[0]), rules_of(calm[1], levels[1])
    for first, second in ((old, new), (old, old)):  # others, and the same with other names
        said = Relations(one, two).of(first, second)
        SAID[said] += 1
        pairs = [(truth(first, one, now), truth(second, two, now)) for now in INSTANTS]
        holds = {SAME: int.__eq__, MORE: int.__le__, LESS: int.__ge__}.get(said)
        assert holds is None or all(holds(was, now) for was, now in pairs), said


def test_much_can_be_said_of_what_is_drawn():
    sys.stdout.write(f"said of two conditions: {dict(SAID)}\n")
    assert min(SAID[one] for one in (SAME, MORE, LESS)) > COUNT / 20


FILE = """\
version: 1
symbol: BTC
every: 1h
params: {{p: 100, s: 1%, d: {{by_source: {{a: $5M, other: $2M}}}}}}
define: {{calm: oi > 9, deep: close < 80}}
rules:
  other: {{when: oi < 3, latch: true, do: {{close: all}}}}
  r: {{when: {{all: [deep, calm, x_y]}}, min_hold: 1h, do: {{block_entries: long}}}}
  x_y: {{when: {when}, min_hold: 1h, do: {{block_entries: long}}}}
"""
PAIRS = [
    ("close < 75_000", "close < 74_000", LESS),
    ("close > 75_000", "close > 74_000", MORE),
    ("close < 75_000", "75_000 > close", SAME),
    ("close < p", "close < 100", SAME),
    ("close < p", "close <= 100", MORE),
    ("close < p - s", "close < p - 2%", LESS),
    ("close < close.low(20d) - 0.5%", "close < close.low(20d) - 1%", LESS),
    ("close < close.low(20d)", "close < close.low(30d)", LESS),
    ("close < close.mean(20d)", "close < close.mean(30d)", OTHER),
    ("oi.change(24h) <= -4%", "oi.change(24h) <= -5%", LESS),
    ("oi.change(24h) <= -4%", "oi_usd.change(24h) <= -4%", OTHER),
    ("close.drawdown(10d) > 5%", "close.drawdown(20d) > 5%", MORE),
    ("(close - open) * 2 < 5", "(close - open) * 2 < 6", MORE),
    ("basis.mean(24h) * -1 < 5%", "basis.mean(24h) * -1 < 6%", MORE),
    ("liq.long.sum(24h) > d", "liq.long.sum(24h) > $5M", LESS),
    ("close < 5", "close < 5 for 2h", LESS),
    ("close < 5 for 2h", "close < 5 for 1h", MORE),
    ("close < 5 for 2h", "close < 5 for 2 closes", OTHER),
    ("close < 5 for 2h", "close < 6 for 1h", MORE),
    ("close < 5 for 2h", "close < 6 for 3h", OTHER),
    ("deep", "close < 80", SAME),
    ("deep", "close < 81", MORE),
    ("deep", "{all: [deep, calm]}", LESS),
    ("deep", "{any: [deep, calm]}", MORE),
    ("{any: [deep, calm]}", "{any: [calm, deep]}", SAME),
    ("{all: [deep, calm]}", "{any: [calm, deep]}", MORE),
    ("{all: [deep, calm]}", "{at_least: 1, of: [calm, deep]}", MORE),
    ("{at_least: 2, of: [deep, calm, other]}", "{at_least: 2, of: [deep, calm]}", LESS),
    ("{at_least: 2, of: [deep, calm]}", "{at_least: 3, of: [deep, calm, other]}", LESS),
    ("{at_least: 1, of: [deep, calm]}", "{at_least: 2, of: [deep, calm, other]}", LESS),
    ("{at_least: 2, of: [deep, calm]}", "{at_least: 3, of: [deep, calm, other, oi < 1]}", OTHER),
    ("{all: [deep, {is: calm, on_missing: ignore}]}", "{at_least: 2, of: [deep, calm]}", OTHER),
    ("{not: deep}", "{not: close < 81}", LESS),
    ("{not: deep}", "deep", OTHER),
    ("{is: oi < 5, on_missing: fire}", "oi < 5", LESS),
    ("{is: oi < 5, on_missing: ignore}", "oi < 5", OTHER),
    ("{is: deep, on_missing: fire}", "deep", OTHER),
    ("{sequence: [deep, calm], within: 6h}", "{sequence: [deep, calm], within: 9h}", MORE),
    ("{sequence: [deep, calm], within: 6h}", "{sequence: [calm, deep], within: 6h}", OTHER),
    ("{during: {days: mon-fri, from: 08:00, to: 09:00}}",
     "{during: {from: 08:00, to: 09:00}}", MORE),
    ("{during: {from: 08:00, to: 09:00}}", "{during: {from: 08:00, to: 10:00}}", OTHER),
    ("{sequence: [deep, calm], within: 6h}", "{sequence: [deep, calm, other], within: 6h}", OTHER),
    ("fear_greed == 5", "fear_greed == 6", OTHER),
    ("close.low(20d) * 2 > 5", "close.low(30d) * 2 > 5", LESS),
    ("basis.low(20d) * -1 > -5%", "basis.low(30d) * -1 > -5%", MORE),
    ("close.low(20d) / close.low(2d) > 5", "close.low(30d) / close.low(2d) > 5", OTHER),
    ("close < 100 + funding.high(24h)", "close < 100 + funding.high(48h)", MORE),
    ("close < (close - open) + 1%", "close < (close - open) + 2%", OTHER),
    ("equity.drop(today) > 5%", "equity.drop(24h) > 5%", OTHER),
    ("other", "other", SAME),
    ("other", "deep", OTHER),
    ("other", "{any: [other, deep]}", MORE),
]  # fmt: skip


def trigger_of(when: str) -> tuple[RuleSet, Condition]:
    rules, found = read_text(FILE.format(when=when), "a.yaml")
    assert rules is not None, [one.render() for one in found]
    return rules, rules.rules[-1].when


@pytest.mark.parametrize(("old", "new", "relation"), PAIRS)
def test_a_condition_stands_to_another_and_back(old: str, new: str, relation: str):
    before, one = trigger_of(old)
    after, two = trigger_of(new)
    back = {MORE: LESS, LESS: MORE}.get(relation, relation)
    assert (Relations(before, after).of(one, two), Relations(after, before).of(two, one)) == (
        relation,
        back,
    )
