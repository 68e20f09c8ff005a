"""The event study on all real sell-offs: the events that exist, and every pack over all of them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from riskguard.backtest.evidence.plan import LOCKED
from riskguard.backtest.evidence.study import Asked, Part, Study, look, study
from riskguard.backtest.evidence.study_block import block, schema_path
from riskguard.backtest.evidence.study_lines import headline, lines
from riskguard.errors import RiskguardError
from riskguard.history.stamps import instant_text
from riskguard.language.reader import load_rules, read_text
from riskguard.language.ruleset import RuleSet
from riskguard.market import DAY
from riskguard.shipped import shipped
from tests.selloffs.real import EVENTS, PACKS, real

pytestmark = pytest.mark.needs_market_data
VALIDATOR = Draft7Validator(json.loads(schema_path().read_text()))
QUICK = """
version: 1
rules:
  fast_fall:
    when: close.drop(24h) >= 8%
    clear: close.drop(24h) <= 2% for 24h
    do: {exposure_cap: 40%, block_entries: long}
"""
# lows of the closes, by the depth that is asked for: the docs print how many there are
FELL = {
    0.10: ["2020-03-13", "2020-03-30", "2021-06-08", "2022-05-12", "2022-06-18", "2025-11-21",
           "2026-03-23"],
    0.15: ["2020-03-13", "2021-06-08", "2022-05-12", "2022-06-18", "2025-11-21"],
    0.20: ["2020-03-13", "2021-06-08", "2022-05-12", "2022-06-18"],
}  # fmt: skip
CLOSED = {0.10: (3, 1), 0.15: (2, 1), 0.20: (2, 1)}  # locked, and of February 2026


def asked(level: float) -> Asked:
    return Asked(level, 7 * DAY, 0.001, LOCKED)


def studied(rules: RuleSet, level: float, folder: Path) -> tuple[Study, dict[str, str]]:
    """Return the study of rules over all sell-offs, and why some are refused."""
    parts: list[Part] = []
    refused: dict[str, str] = {}
    for event in EVENTS:
        try:
            parts.append(look(asked(level), rules, real(event, folder), event))
        except RiskguardError as error:
            refused[event] = str(error).splitlines()[0]
    return study(asked(level), parts), refused


@cache
def quick() -> RuleSet:
    rules, _ = read_text(QUICK, "quick.yaml")
    assert rules is not None
    return rules


@pytest.mark.parametrize("level", sorted(FELL))
def test_fewer_events_exist_than_the_verdict_asks_for(level, market_data, measured):
    found, refused = studied(quick(), level, market_data)
    assert refused == {}
    assert [instant_text(one.low)[:10] for one in found.events] == FELL[level]
    assert headline(found).startswith(f"TOO FEW EVENTS: {len(FELL[level])} independent events, 8")
    reasons = [one.why_not for one in found.others]
    locked = reasons.count("locked, kept for a last look")
    assert (locked, reasons.count("illustrates, was known beforehand")) == CLOSED[level]
    of_one = max(sum(one.part.name == event for one in found.events) for event in EVENTS)
    assert of_one <= 2, "a backtest is of one history"
    measured(f"falls of {level:.0%} within 7d: {len(found.events)} count, {locked} are locked")


def test_locked_months_lie_in_no_figure(market_data):
    found, _ = studied(quick(), 0.10, market_data)
    assert found.scores[0].years == pytest.approx(1.0, abs=0.01)
    for part in found.parts:
        closed = part.scene.closed
        assert not (part.scene.looked_at & closed).any()
        assert closed.any() == (part.name in {"2022-11", "2024-08", "2025-10", "2026-02"})


@pytest.mark.parametrize("pack", PACKS)
def test_every_pack_is_studied_over_all_sell_offs(pack, market_data, measured):
    rules = load_rules(shipped("rules") / f"{pack}.yaml")
    found, refused = studied(rules, 0.10, market_data)
    expected = {
        "account-limits": 8,  # reads the account
        "balanced": 7,  # open interest in coins
        "blind-guard": 0,
        "cascade": 6,  # liquidations of a day, or none
        "conservative": 7,
        "feb-2026": 8,  # both
        "support-ladder": 0,
    }
    assert len(refused) == expected[pack]
    text = list(lines(found, f"rules/{pack}.yaml", refused))
    assert max(map(len, text)) <= 80
    VALIDATOR.validate(json.loads(json.dumps(block(found, rules, pack, refused), allow_nan=False)))
    if len(refused) == len(EVENTS):
        assert text[0].startswith("NOTHING LOOKED AT")
        return
    assert not found.mechanics, "nothing here is modelled"
    assert len(found.events) < 8
    assert len(found.scores) == 1 + len(rules.stages) + len(rules.rules) - _off(found, rules)
    for one in found.scores:
        assert sum(one.words.values()) == sum(one.kinds.values()) == one.alarms
        assert one.recall.of == len(one.answers) <= len(found.events)
    whole = found.scores[0]
    measured(
        f"study of {pack}: {8 - len(refused)} sell-offs, {len(found.events)} events,"
        f" {whole.alarms} alarms of the guard in {whole.years:.2f} years"
    )


def _off(found: Study, rules: RuleSet) -> int:
    """Return how many rules no sell-off carries the data of."""
    read = {name for part in found.counting for name in part.on}
    return sum(rule.name not in read for rule in rules.rules)
