"""The pack feb-2026 on its scenario, against the figures themselves and a checked list."""

from __future__ import annotations

import csv
import struct
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from riskguard.adapters.backtrader import CAPABILITIES
from riskguard.backtest.compare import Request, compare
from riskguard.backtest.strategies import find
from riskguard.backtest.track import Track, columns_of
from riskguard.engine.guard import Guard
from riskguard.history import History
from riskguard.language.binding import bind
from riskguard.language.reader import load_rules
from riskguard.shipped import shipped

if TYPE_CHECKING:
    from riskguard.backtest.comparison import Comparison
    from riskguard.engine.decision import Decision
    from riskguard.history.columns import Columns
    from riskguard.language.ruleset import RuleSet

GOLDEN = Path(__file__).parents[1] / "golden" / "feb-2026.txt"
FIGURES = Path(__file__).parents[2] / "riskguard/history/scenarios/feb-2026"
HOUR = 3_600_000_000_000


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9


def said(ts: int) -> str:
    return datetime.fromtimestamp(ts / 1e9, UTC).strftime("%Y-%m-%dT%H:%MZ")


@cache
def history() -> History:
    return History.read("feb-2026")


@cache
def rules() -> RuleSet:
    return bind(
        load_rules(shipped("rules") / "feb-2026.yaml"),
        symbol="BTC",
        every=history().every,
        carried=history().inputs(),
        capabilities=CAPABILITIES,
    ).ruleset


@cache
def columns() -> Columns:
    return columns_of(rules(), history())


@cache
def track() -> Track:
    return Track.of(columns(), history().bars("BTC").ts)


@cache
def comparison() -> Comparison:
    return compare(
        Request(
            history(),
            load_rules(shipped("rules") / "feb-2026.yaml"),
            "rules/feb-2026.yaml",
            find("leveraged_hold"),
            "leveraged_hold",
        )
    )


def in_force(text: str) -> Decision:
    bar = int(np.searchsorted(history().bars("BTC").ts, at(text)))
    return track().at(bar)


@cache
def figures(name: str) -> dict[int, dict[str, float]]:
    """Rows of a figure file by stamp, read without riskguard; bars by their close."""
    with (FIGURES / name).open() as file:
        rows = list(csv.DictReader(file))
    late = 4 * HOUR if "open" in rows[0] else 0
    return {
        at(row["ts"].removesuffix("Z")) + late: {k: float(v) for k, v in row.items() if k != "ts"}
        for row in rows
    }


def coins(text: str, hours: int = 24) -> float:
    now, oi = at(text), figures("BTC-oi-4h.csv")
    return oi[now]["oi_coins"] / oi[now - hours * HOUR]["oi_coins"] - 1


def line(decision: Decision, background: float | None) -> str:
    """One decision as one line of the checked list."""
    mark = "" if background is None else f" ({background:.0%} background)"
    head = (
        f"{said(decision.ts)}  {decision.stage:<6} {decision.state.name:<8} "
        f"cap {decision.exposure_cap:>4.0%}  blocked {decision.block_entries:<4}"
    )
    rest = f"  on {','.join(decision.active) or '-'}  blind {','.join(decision.blind) or '-'}{mark}"
    return head + rest


def listed() -> str:
    lines, stage = [], "normal"
    for decision, background in comparison().decisions:
        lines.append(line(decision, background))
        if decision.stage != stage:
            lines += [
                f"    {one.rule}: {one.leaf}  [{one.value:.6g} | {one.threshold:.6g}]"
                for one in decision.reasons
                if one.rule.startswith("stage") and one.value is not None
            ]
        stage = decision.stage
    lines += [f"open: {one.stage}: {one.line}: {one.truth}" for one in comparison().recovery]
    return "\n".join(lines) + "\n"


def test_decisions_are_those_of_the_checked_list() -> None:
    assert listed() == GOLDEN.read_text()


def test_nothing_is_traded_before_the_longest_window_is_full() -> None:
    # 28 days after the first open-interest stamp, 1 December 04:00
    first = min(figures("BTC-oi-4h.csv"))
    assert first == at("2025-12-01T04:00")
    made = comparison()
    assert int(made.ts[made.trading_from]) == first + 28 * 24 * HOUR == at("2025-12-29T04:00")
    for result in made.results.values():
        assert min(fill.ts for fill in result.run.fills) > at("2025-12-29T04:00")


def test_sixth_of_january_is_a_false_alarm_on_open_interest_alone() -> None:
    assert coins("2026-01-06T20:00") == pytest.approx(-0.049, abs=5e-4)
    assert figures("BTC-4h.csv")[at("2026-01-06T20:00")]["close"] > 92_000
    assert in_force("2026-01-06T16:00").stage == "normal"
    watch = in_force("2026-01-06T20:00")
    assert (watch.stage, watch.exposure_cap) == ("watch", 0.75)
    assert {key for one in watch.reasons for key, _ in one.reads} == {"oi"}
    assert in_force("2026-01-07T04:00").stage == "normal"


def test_in_january_the_guard_warns_and_stands_down_more_than_once() -> None:
    stages = [decision.stage for decision, _ in comparison().decisions]
    ts = [decision.ts for decision, _ in comparison().decisions]
    january = [s for s, t in zip(stages, ts, strict=True) if t < at("2026-01-30T00:00")]
    moves = [b for a, b in pairwise(january) if a != b]
    assert moves.count("watch") >= 2
    assert moves.count("normal") >= 2


def test_cut_before_february_and_out_before_the_low() -> None:
    assert coins("2026-01-30T20:00") == pytest.approx(-0.049, abs=5e-4)
    assert coins("2026-02-01T00:00") == pytest.approx(-0.084, abs=5e-4)
    assert in_force("2026-01-30T20:00").stage == "cut"
    bars = figures("BTC-4h.csv")
    two = [bars[at(f"2026-02-05T{hour}:00")]["close"] for hour in ("16", "20")]
    assert [round(close) for close in two] == [67_489, 65_266]
    assert all(close < 70_000 * (1 - 0.005) for close in two)
    assert in_force("2026-02-05T16:00").stage == "cut"
    assert in_force("2026-02-05T20:00").stage == "out"
    low = min(bars, key=lambda ts: bars[ts]["low"])
    assert bars[low]["low"] == 60_000
    assert low - 4 * HOUR >= at("2026-02-05T20:00"), "out before the bar of the low opens"


def test_it_never_comes_back_for_want_of_three_days_above_the_second_support() -> None:
    bars = figures("BTC-4h.csv")
    longest = run = 0
    for ts in sorted(ts for ts in bars if ts > at("2026-02-05T20:00")):
        run = run + 1 if bars[ts]["close"] > 70_000 * (1 + 0.005) else 0
        longest = max(longest, run)
    assert longest == 3, "three days are nineteen closes"
    assert {in_force(said(int(ts))[:-1]).stage for ts in history().bars("BTC").ts[-150:]} == {"out"}
    assert in_force("2026-02-12T12:00").state.name == "HALTED"


def test_after_the_last_published_figure_the_guard_is_blind_and_nothing_clears() -> None:
    series = history().series["BTC.liq.long"]
    assert int(series.times[-1]) == at("2026-02-12T12:00")
    assert in_force("2026-02-12T20:00").blind == ()
    assert in_force("2026-02-13T00:00").blind == ("liq.long",)
    last = track().decisions[-1]
    assert (last.stage, last.blind, last.block_entries) == ("out", ("liq.long",), "both")
    held = {one.line: one.truth for one in comparison().recovery if one.stage == "out"}
    assert held["liq.long.sum(24h).times_avg(7d) <= liq_calm for 24h"] == "unknown"


@pytest.mark.parametrize(
    ("when", "share"),
    [("2026-01-06T20:00", None), ("2026-01-19T00:00", 0.98), ("2026-01-30T04:00", 0.86),
     ("2026-02-05T20:00", 0.67)],
)  # fmt: skip
def test_reasons_that_rest_on_background_bars_are_marked(when: str, share: float | None) -> None:
    found = {decision.ts: background for decision, background in comparison().decisions}
    background = found[at(when)]
    assert background == share if share is None else round(background or 0.0, 2) == share


def test_cut_at_every_bar_the_decision_is_that_of_the_full_run() -> None:
    ts = history().bars("BTC").ts
    for bar in range(ts.size):
        known = {key: one.until(int(ts[bar])) for key, one in history().series.items()}
        cut = columns_of(rules(), replace(history(), series=known))
        number = int(cut.changes()[-1])
        assert cut.decision(number) == track().at(bar), said(int(ts[bar]))


def test_stream_equals_columns_on_every_bar_to_the_last_bit() -> None:
    guard, table = Guard(rules()), columns()
    place = {int(ts): number for number, ts in enumerate(table.now)}
    seen = 0
    for sample in history().samples():
        before = guard.as_of
        decision = guard.update(sample)
        if guard.as_of == before:
            continue
        number = place[guard.as_of]
        assert decision == track().at(number)
        streamed = struct.pack(f"<{len(table.values)}d", *guard.stream.values)
        column = struct.pack(f"<{len(table.values)}d", *(float(c[number]) for c in table.values))
        assert streamed == column, said(guard.as_of)
        assert guard.stream.truths == [int(c[number]) for c in table.truths]
        seen += 1
    assert seen == 558
