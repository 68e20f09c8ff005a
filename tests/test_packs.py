"""The shipped packs: read without a word, tested to the last line, fit for live use."""

from __future__ import annotations

import re
import sys
from functools import cache
from pathlib import Path

import pytest

from riskguard.engine.guard import Guard
from riskguard.errors import RuleError
from riskguard.language.binding import Bound, bind
from riskguard.language.findings import Findings
from riskguard.language.fitting.fallbacks import afford
from riskguard.language.reader import load_rules, read_rules
from riskguard.language.rewriting import deciding, leaves
from riskguard.language.ruleset import Input, Measured, RuleSet, SeriesValue, values
from riskguard.language.schema import ACTIONS
from riskguard.market import CATALOGUE, DAY, HOUR, Sample
from riskguard.shipped import shipped
from riskguard.testing.coverage import coverage
from riskguard.testing.judging import judge
from riskguard.testing.mutation import mutate
from riskguard.testing.reader import read_cases

# mutants killed when the tests were written: fewer are a step back
KILLED = {
    "account-limits": 53,  # of 60: nine tenths of four whole trades are four, too
    "balanced": 46,
    "blind-guard": 21,
    "cascade": 15,
    "conservative": 45,
    "feb-2026": 79,
    "support-ladder": 19,
}
PACKS = sorted(KILLED)
LIVE = sorted(set(PACKS) - {"feb-2026"})
MARKET = ["balanced", "cascade", "conservative", "support-ladder"]
LEAST = 0.8
PAGE = Path(__file__).parents[1] / "docs" / "packs.md"
HEAD = "# yaml-language-server: $schema=riskguard-1.json"
BARS = ("open", "high", "low", "close", "volume")


def file(pack: str) -> Path:
    return shipped("rules") / f"{pack}.yaml"


@cache
def rules(pack: str) -> RuleSet:
    return load_rules(file(pack))


def card(pack: str) -> str:
    """Return the section of a pack in docs/packs.md, as one line."""
    parts = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return " ".join(next(part for part in parts if part.startswith(f"{pack}\n")).split())


def fitted(pack: str, *inputs: str, symbol: str = "BTC", every: int = 4 * HOUR) -> Bound:
    """Return a pack bound to a feed that carries bars and these inputs."""
    carried = {name: Input(name, CATALOGUE[name], "binance") for name in (*BARS, *inputs)}
    able = frozenset(ACTIONS)
    return bind(rules(pack), symbol=symbol, every=every, carried=carried, capabilities=able)


def refused(pack: str, *inputs: str, every: int = 4 * HOUR) -> set[str]:
    """Return the inputs for want of which a pack does not start."""
    with pytest.raises(RuleError) as caught:
        fitted(pack, *inputs, every=every)
    return {one.message.split("'")[1] for one in caught.value.diagnostics}


# ---------------------------------------------------------------- as files


def test_these_are_all_packs_and_each_has_its_test() -> None:
    found = {path.stem for path in shipped("rules").glob("*.yaml")}
    assert found == {*PACKS, *(f"{pack}_test" for pack in PACKS)}


@pytest.mark.parametrize("pack", PACKS)
def test_a_pack_is_read_without_a_finding_and_says_what_it_is_for(pack: str) -> None:
    read, found = read_rules(file(pack))
    assert found == []
    assert read is not None
    assert read.lines[0] == HEAD
    assert read.lines[1] == "version: 1"
    assert read.name
    assert len(read.description) > 80
    assert {"severity:", "references:"} <= {line.partition(" ")[0] for line in read.lines}
    for parameter in read.params.values():
        assert parameter.low is not None, f"{parameter.name} has no range"
        assert not parameter.by_source or "other" in parameter.by_source


@pytest.mark.parametrize("pack", PACKS)
def test_the_tests_of_a_pack_pass_see_every_line_both_ways_and_kill_its_mutants(pack: str) -> None:
    cases, found = read_cases(file(f"{pack}_test"))
    assert found == []
    assert cases is not None
    for case in cases.cases:
        assert [one.message for one in judge(cases, case).failures] == [], case.name
    half = [f"{one.marks} {one.line.text}" for one in coverage(cases) if not one.whole]
    assert half == []
    score = mutate(cases)
    told = [f"{one.kind}: {one.line.text}" for one in score.survivors]
    assert score.killed >= KILLED[pack], told
    assert score.share >= LEAST, told
    sys.stdout.write(
        f"{pack}: {len(cases.cases)} cases, {score.killed} of {score.all} mutants killed\n"
    )


# ---------------------------------------------------------------- live


@pytest.mark.parametrize("pack", LIVE)
def test_averages_of_liquidations_are_known_two_days_after_the_first_start(pack: str) -> None:
    for leaf in leaves(*deciding(rules(pack))):
        for value in (*values(leaf.left), *values(leaf.right)):
            if isinstance(value, Measured) and value.function == "times_avg":
                assert isinstance(value.of, Measured)
                assert isinstance(value.of.of, SeriesValue)
                assert value.of.of.name == "liq.long"
                assert (value.window, value.minimum) == (7 * DAY, DAY)


@pytest.mark.parametrize("pack", LIVE)
def test_nothing_is_kept_from_firing_by_a_cool_down(pack: str) -> None:
    assert [rule.name for rule in rules(pack).rules if rule.cooldown] == []


@pytest.mark.parametrize("pack", PACKS)
def test_a_bot_that_can_neither_hedge_nor_move_stops_can_use_every_pack(pack: str) -> None:
    found = Findings(pack, ())
    afford(rules(pack), frozenset(ACTIONS) - {"hedge", "stop"}, found, [])
    assert found.sorted() == []


@pytest.mark.parametrize("pack", MARKET)
def test_a_pack_decides_hourly_when_told_to(tmp_path: Path, pack: str) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(f"version: 1\nextends: [pack:{pack}@1]\noverride: {{every: 1h}}\n")
    read, found = read_rules(own)
    assert found == []
    assert read is not None
    assert read.every == HOUR


@pytest.mark.parametrize("pack", MARKET)
def test_packs_lie_over_each_other_without_a_clash(tmp_path: Path, pack: str) -> None:
    over = [name for name in ("cascade", "account-limits", "blind-guard") if name != pack]
    own = tmp_path / "own.yaml"
    listed = ", ".join(f"pack:{name}@1" for name in (pack, *over))
    own.write_text(f"version: 1\nextends: [{listed}]\n")
    read, found = read_rules(own)
    assert found == []
    assert read is not None
    assert read.every == HOUR  # the last file's: that of blind-guard
    names = {rule.name for name in (pack, *over) for rule in rules(name).rules}
    assert {rule.name for rule in read.rules} == names
    assert read.stages == rules(pack).stages


# ---------------------------------------------------------------- feeds that lack something


def test_the_ladder_of_supports_asks_for_nothing_but_bars_of_any_symbol() -> None:
    bound = fitted("support-ladder", symbol="DOGE")
    assert bound.ruleset.symbol == "DOGE"
    assert bound.notes == ()


@pytest.mark.parametrize("pack", ["balanced", "conservative"])
def test_balanced_and_conservative_do_not_start_without_their_eyes(pack: str) -> None:
    assert refused(pack) == {"oi", "liq.long"}
    assert refused(pack, "oi") == {"liq.long"}
    assert any("longs_crowded is off" in one for one in fitted(pack, "oi", "liq.long").notes)
    assert fitted(pack, "oi", "liq.long", "funding").notes == ()


def test_cascade_does_not_start_without_liquidations() -> None:
    assert refused("cascade", "oi") == {"liq.long"}
    assert fitted("cascade", "liq.long").notes == ()


def test_account_limits_do_not_start_without_the_account() -> None:
    account = {"equity", "pnl.realised", "trades.closed", "trades.lost", "trades.stopped"}
    assert refused("account-limits", every=HOUR) == {*account, "loss_streak", "leverage"}
    assert refused("account-limits", *account, every=HOUR) == {"leverage"}
    whole = (*account, "leverage")
    assert "'transfers'" in fitted("account-limits", *whole, every=HOUR).notes[0]
    assert fitted("account-limits", *whole, "transfers", every=HOUR).notes == ()


def test_blind_guard_watches_what_there_is() -> None:
    bound = fitted("blind-guard", every=HOUR)
    assert [rule.name for rule in bound.ruleset.rules] == ["price_is_late"]
    assert len(bound.notes) == 2
    assert len(fitted("blind-guard", "oi", "liq.long", every=HOUR).ruleset.rules) == 3


def test_blind_guard_speaks_before_the_built_in_one(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("version: 1\nextends: [pack:balanced@1, pack:blind-guard@1]\n")
    guard = Guard(load_rules(own), sources={"liq.long": "binance"})
    said: dict[str, int] = {}
    for bar in range(10):
        values = dict.fromkeys(("high", "low", "close"), 9e4) | {"liq.long": 0.0}
        values |= {"oi": 1e5} if bar < 5 else {}
        decision = guard.update(Sample(bar * HOUR, "BTC", values))
        for word in (*decision.active, *decision.blind):
            said.setdefault(word, bar)
    assert said == {"open_interest_is_late": 5, "oi": 7}


def test_floors_of_a_source_that_is_not_named_are_those_of_one_venue() -> None:
    inputs = {name: Input(name, CATALOGUE[name], "bybit") for name in (*BARS, "oi", "liq.long")}
    bound = bind(
        rules("balanced"), symbol="BTC", every=HOUR, carried=inputs, capabilities=frozenset(ACTIONS)
    )
    assert bound.ruleset.params["liq_floor"].value == 50e6
    assert any("'other' is used ($50M)" in one for one in bound.notes)
