"""The pack of February 2026: read whole, and never an exception however it is misspelt."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from riskguard.language import source
from riskguard.language.reader import load_rules, read_rules, read_text
from riskguard.language.ruleset import Arithmetic, AtLeast, Compare, For, Sequence, walk
from riskguard.market import DAY, HOUR

ROOT = Path(__file__).parents[2]
PACK = ROOT / "rules" / "feb-2026.yaml"
TYPOS = 1_500
LETTERS = "abcxyz0123456789 .,:-_%$<>=()[]{}'\"#&*!|@\t\n\u00a0\u201cé"


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


def test_both_loaders_read_the_same(monkeypatch: pytest.MonkeyPatch):
    first = load_rules(PACK)
    monkeypatch.setattr(source, "LOADER", yaml.SafeLoader)
    second = load_rules(PACK)
    assert first == second
    assert first.hash == second.hash


def test_the_pack_is_read_in_a_blink():
    read_rules(PACK)
    begin = time.perf_counter()
    read_rules(PACK)
    assert time.perf_counter() - begin < 0.5  # 50 ms on an idle machine, with room for a busy one


def misspelt(text: str, dice: random.Random) -> str:
    at = dice.randrange(len(text))
    letter = dice.choice(LETTERS)
    kind = dice.randrange(4)
    if kind == 0:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + letter + text[at:]
    if kind == 2:
        return text[:at] + letter + text[at + 1 :]
    return text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :]


def test_a_typo_raises_nothing_but_diagnostics_inside_the_file():
    text = PACK.read_text(encoding="utf-8")
    whole = load_rules(PACK).hash
    dice = random.Random(20260212)
    refused = changed = 0
    for _ in range(TYPOS):
        wrong = misspelt(text, dice)
        rules, found = read_text(wrong, "pack.yaml")
        lines = source.lines_of(wrong)[1]
        for one in found:
            assert 1 <= one.line <= one.end_line <= len(lines), one
            assert 1 <= one.column <= len(lines[one.line - 1]) + 1, one
            assert one.message, one
        refused += rules is None
        changed += rules is not None and rules.hash != whole and not found
    silent = f"{changed} of {TYPOS} typos changed the meaning without a word"
    sys.stdout.write(silent + "\n")
    assert refused > TYPOS / 3
    assert changed < TYPOS / 10, silent


def test_reading_rules_needs_the_standard_library_and_yaml_alone():
    script = (
        "import sys\n"
        "from riskguard.language.reader import load_rules\n"
        f"load_rules({str(PACK)!r})\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    begun = subprocess.run(
        [sys.executable, "-c", "import sys; print(*{n.split('.')[0] for n in sys.modules})"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(run.stdout.split()) - set(begun.stdout.split()) - sys.stdlib_module_names
    # what the C loader of yaml brings along
    loaded = {name for name in loaded if not name.startswith(("_", "cython"))}
    assert loaded == {"riskguard", "yaml"}
