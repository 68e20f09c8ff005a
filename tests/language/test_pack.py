"""The pack of February 2026, read whole; and what reading any pack needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from riskguard.language.joining.addresses import value_of
from riskguard.language.reader import load_rules, read_rules
from riskguard.language.ruleset import Arithmetic, AtLeast, Compare, For, Sequence, walk
from riskguard.language.source import compose, items_of, text_of
from riskguard.market import DAY, HOUR
from tests.language.typos import PACKS

ROOT = Path(__file__).parents[2]
PACK = ROOT / "rules" / "feb-2026.yaml"


def test_the_pack_has_no_errors_and_no_warnings():
    rules, found = read_rules(PACK)
    assert found == []
    assert rules is not None
    assert [stage.name for stage in rules.stages] == ["watch", "cut", "out"]
    assert [rule.name for rule in rules.rules] == [
        "cascade",
        "majors_fall_together",
        "longs_crowded",
        "extreme_fear",
        "europe_weak",
        "treasury_under_water",
    ]
    assert (rules.symbol, rules.guards, rules.every) == ("BTC", "all", 4 * HOUR)
    assert len(rules.params) == 10
    assert len(rules.define) == 8


@pytest.mark.parametrize("pack", PACKS, ids=lambda path: path.stem)
def test_a_pack_stands_on_packs_by_their_names_alone(pack: Path):
    root, _ = compose(pack.read_text(encoding="utf-8"), pack.name)
    extended = value_of(root, "extends")
    named = {text_of(one) for one in (extended, *items_of(extended))} - {""}
    assert [name for name in named if not name.startswith("pack:")] == []


def test_the_numbers_of_the_pack_mean_what_is_written():
    rules = load_rules(PACK)
    assert rules.params["oi_day"].value == pytest.approx(-0.044)
    assert rules.params["support_1"].value == 75_000
    assert rules.params["liq_floor_day"].by_source["published"] == 150e6
    lost = rules.define["support_1_lost"].of[0]
    assert isinstance(lost, For)
    assert lost.closes == 2
    assert isinstance(lost.of, Compare)
    assert isinstance(lost.of.right, Arithmetic)
    assert lost.of.right.op == "-share"
    cut = rules.stages[1]
    assert isinstance(cut.enter, AtLeast)
    assert (cut.do.exposure_cap, cut.do.stop.atr, cut.min_hold) == (0.4, 1.5, 12 * HOUR)
    assert cut.fallback.exposure_cap == 0.3
    ramp = rules.stages[0].reentry
    assert (ramp.start, ramp.step, ramp.every) == (0.75, 0.25, 12 * HOUR)
    cascade = rules.rules[0]
    assert isinstance(cascade.when, Sequence)
    assert cascade.when.within == 12 * HOUR
    assert cascade.cooldown == 12 * HOUR
    assert rules.inputs["stoxx"].spec.max_age == 4 * DAY


def test_breadth_asks_every_symbol_the_same():
    rules = load_rules(PACK)
    majors = rules.rules[1].when
    texts = [part.text for part in majors.of]
    assert texts[0] == "BTC.close.drop(24h) >= 5%"
    assert texts[-1] == "XRP.close.drop(24h) >= 5%"
    # BTC is the guarded symbol: the same series as a bare `close`
    assert [part.left.of.symbol for part in majors.of] == ["", "ETH", "SOL", "BNB", "XRP"]


def test_on_missing_of_a_rule_reaches_its_leaves():
    rules = load_rules(PACK)
    by_name = {rule.name: rule for rule in rules.rules}
    leaf = by_name["longs_crowded"].when
    assert leaf.on_missing == "ignore"
    assert by_name["longs_crowded"].clear.on_missing == "ignore"
    assert by_name["cascade"].clear.on_missing == "hold"


def test_every_span_of_the_pack_holds_the_text_it_names():
    rules = load_rules(PACK)
    lines = PACK.read_text(encoding="utf-8").splitlines()
    checked = 0
    for node in rules.define.values():
        for leaf in walk(node):
            if isinstance(leaf, Compare):
                span = leaf.span
                assert lines[span.line - 1][span.column - 1 : span.end_column - 1] == leaf.text
                checked += 1
    assert checked >= 10


@pytest.mark.parametrize("pack", PACKS, ids=lambda path: path.stem)
def test_reading_rules_needs_the_standard_library_and_yaml_alone(pack: Path):
    script = (
        "import sys\n"
        "from riskguard.language.reader import load_rules\n"
        f"load_rules({str(pack)!r})\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))\n"
    )
    loaded = modules_after(script) - modules_after("import sys; print(*sys.modules)")
    # what the C loader of yaml brings along
    loaded = {name for name in loaded if not name.startswith(("_", "cython"))}
    assert loaded - sys.stdlib_module_names == {"riskguard", "yaml"}


def modules_after(script: str) -> set[str]:
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return {name.split(".")[0] for name in run.stdout.split()}
