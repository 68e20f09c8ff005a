from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from riskguard.backtest.differing import FIELDS, Trial, differing
from riskguard.backtest.strategies import find
from riskguard.backtest.watching import watch
from riskguard.cli.given import packs
from riskguard.errors import RuleError
from riskguard.history import History
from riskguard.language.reader import load_rules, read_text
from riskguard.language.ruleset import RuleSet
from riskguard.market import HOUR

PACK = packs()["feb-2026"]


@pytest.fixture(scope="module")
def trial() -> Trial:
    return Trial(History.read("feb-2026"), find("buy_and_hold"))


def read(text: str) -> RuleSet:
    rules, found = read_text(f"version: 1\nsymbol: BTC\nevery: 4h\nrules:\n{text}", "a.yaml")
    assert rules is not None, [one.render() for one in found]
    return rules


def test_spans_hold_all_bars_at_which_the_decisions_differ_and_no_other(trial: Trial) -> None:
    rules = [load_rules(PACK), load_rules(PACK, settings={"support_2": "66_000"})]
    found = differing(*rules, trial)
    tracks = [watch(one, trial.history, "BTC").track for one in rules]
    ts = trial.history.bars("BTC").ts

    def meant(side: int, bar: int) -> list[object]:
        return [getattr(tracks[side].at(bar), name) for name in FIELDS]

    told = {
        int(stamp) for span in found.spans for stamp in ts[(ts >= span.start) & (ts <= span.end)]
    }
    first = int(np.searchsorted(ts, found.start))
    wanted = {int(ts[bar]) for bar in range(first, len(ts)) if meant(0, bar) != meant(1, bar)}
    assert told == wanted
    assert sum(span.bars for span in found.spans) == len(wanted)
    starts = [span.start for span in found.spans]
    assert starts == sorted(starts)
    assert all(one.end < two.start for one, two in zip(found.spans, found.spans[1:], strict=False))


def test_what_the_spans_did_adds_up_to_the_difference_of_the_ends(trial: Trial) -> None:
    slower = load_rules(PACK, settings={"liq_burst": "5x", "support_2": "66_000"})
    found = differing(load_rules(PACK), slower, trial)
    assert len(found.spans) > 2
    gap = found.new.end_equity - found.old.end_equity
    assert gap != 0
    assert sum(span.gained for span in found.spans) == pytest.approx(gap, abs=1e-6)
    back = differing(slower, load_rules(PACK), trial)
    assert [span.gained for span in back.spans] == [-span.gained for span in found.spans]


def test_equal_rules_differ_nowhere(trial: Trial) -> None:
    found = differing(load_rules(PACK), load_rules(PACK, settings={"buffer": "0.50%"}), trial)
    assert found.spans == []
    assert found.old == found.new


def test_another_stop_differs_where_it_is_asked_for_and_not_in_dollars_of_a_bar(
    trial: Trial,
) -> None:
    rule = "  r: {when: close < 75_000, clear: close > 80_000, do: {stop: 2 ATR}}\n"
    wide = differing(read(rule), read(rule.replace("2 ATR", "3 ATR")), trial)
    assert wide.spans
    assert all("stop" in span.new.winners for span in wide.spans)
    # a further rule makes other decisions, and with them other distances of the same stop
    other = "  s: {when: close < 70_000, clear: close > 90_000, do: {notify: low}}\n"
    assert differing(read(rule), read(rule + other), trial).spans == []


def test_rules_on_the_account_are_stepped_in_each_run(trial: Trial) -> None:
    limit = (
        "  r: {when: equity.drawdown(all) >= 9%, latch: true, do: {exposure_cap: 0%, close: all}}\n"
    )
    leveraged = replace(trial, strategy=find("leveraged_hold"))
    found = differing(read(limit), read(limit.replace("9%", "20%")), leveraged)
    assert [span.old.exposure_cap for span in found.spans] == [0.0]
    assert found.old.max_drawdown < found.new.max_drawdown


def test_both_trade_from_where_neither_warms_up(trial: Trial) -> None:
    rule = "  r: {when: close < close.low(5d), clear: close > 80_000, do: {exposure_cap: 50%}}\n"
    soon, late = read(rule), read(rule.replace("5d", "20d"))
    begun = trial.history.bars("BTC").ts[0]
    for pair in ((soon, late), (late, soon)):
        start = differing(*pair, trial).start
        assert start - begun >= 20 * 24 * HOUR - 4 * HOUR


def test_rules_that_do_not_fit_the_history_are_refused(trial: Trial) -> None:
    odd = read(
        "  r: {when: oi.change(24h) < -4%, clear: oi.change(24h) > 0%, do: {exposure_cap: 50%}}\n"
    )
    eth = replace(trial, history=History.read("feb-2026", symbol="ETH"), symbol="ETH")
    with pytest.raises(RuleError, match="RG512"):
        differing(odd, odd, eth)
