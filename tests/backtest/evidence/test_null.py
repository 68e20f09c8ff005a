from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from riskguard.backtest.compare import compare
from riskguard.backtest.evidence.conditions import BETTER
from riskguard.backtest.evidence.evidence import weigh
from riskguard.backtest.evidence.null import Null, null
from riskguard.backtest.evidence.plan import Plan
from riskguard.backtest.evidence.surrogate import surrogate
from riskguard.backtest.evidence.verdict import WORDS
from riskguard.history import History
from riskguard.market import DAY
from tests.backtest.evidence.daily import request
from tests.counts import counts


def plan(seed: int = 1) -> Plan:
    return Plan("rules.yaml", "", "BTCUSDT-1d.csv", "", "BTC", 0, 0, 0.1, 7 * DAY, seed=seed)


def chance(seed: int = 1) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def documented() -> str:
    """Return what the page on backtests says, in one line."""
    page = Path(__file__).parents[3] / "docs" / "backtests.md"
    return " ".join(page.read_text(encoding="utf-8").split())


def test_a_surrogate_has_the_bars_of_its_history_in_another_order() -> None:
    history = History.read("feb-2026")
    drawn = surrogate(history, chance())
    assert drawn.series.keys() == history.series.keys()
    before, after = history.bars(), drawn.bars()
    assert after.ts.tolist() == before.ts.tolist()
    assert (after.low <= np.minimum(after.open, after.close) * (1 + 1e-9)).all()
    assert (after.high >= np.maximum(after.open, after.close) * (1 - 1e-9)).all()
    real = np.sort(np.diff(np.log(before.close)))
    steps = np.diff(np.log(after.close))
    nearest = real[np.clip(np.searchsorted(real, steps), 1, len(real) - 1)]
    lower = real[np.clip(np.searchsorted(real, steps) - 1, 0, None)]
    assert np.minimum(abs(nearest - steps), abs(lower - steps)).max() < 1e-9
    assert not np.allclose(after.close, before.close)


def test_all_inputs_of_a_bar_stay_together() -> None:
    def beside(history: History) -> dict[int, tuple[float, float]]:
        close, flow = (history.series[f"BTC.{name}"] for name in ("close", "liq.long"))
        steps = dict(zip(close.events[1:].tolist(), np.diff(np.log(close.values)), strict=True))
        flows = zip(flow.events.tolist(), flow.values.tolist(), strict=True)
        return {ts: (round(float(steps[ts]), 9), value) for ts, value in flows if ts in steps}

    real = History.read("feb-2026")
    known = dict(beside(real).values())
    drawn = beside(surrogate(real, chance()))
    agree = [known[step] == value for step, value in drawn.values() if step in known]
    assert len(agree) > 0.8 * len(drawn)
    assert np.mean(agree) > 0.98  # two steps may round to the same


def test_the_same_seed_draws_the_same_surrogate() -> None:
    history = History.read("feb-2026")
    once, again, other = (surrogate(history, chance(seed)).digest for seed in (1, 1, 2))
    assert once == again != other


def test_honesty_is_lost_when_praise_is_no_accident() -> None:
    def told(praised: int, count: int) -> Null:
        words = dict.fromkeys(WORDS, 0) | {BETTER: praised}
        return Null(words, {}, count)

    assert told(6, 50).honest
    assert not told(7, 50).honest
    assert told(10, 200).honest
    assert told(10, 200).bounds[1] < 0.09
    assert not told(18, 200).honest


@counts(50, 200)
def test_a_guard_is_not_praised_where_nothing_could_be_foreseen(tmp_path, count, measured) -> None:
    found = null(request(tmp_path, seed=3), plan(), count)
    words = ", ".join(f"{word} {times}" for word, times in found.words.items())
    measured(f"null, {count} surrogate histories: {words}; upper bound {found.bounds[1]:.1%}")
    assert sum(found.words.values()) == count
    if count >= 200:
        assert found.praised <= 0.05 * count
        assert found.bounds[1] < 0.09
        assert f"{words}; upper bound {found.bounds[1]:.1%}" in documented()
    assert found.honest


@counts(10, 200)
def test_the_power_of_the_whole_verdict_on_planted_skill_is_printed(
    tmp_path, count, measured
) -> None:
    told = dict.fromkeys(WORDS, 0)
    seen = 0
    for seed in range(count):
        run = compare(request(tmp_path, seed=seed, planted=True))
        found = weigh(run, plan=plan(), draws=199, seed=seed, lifted=True)
        told[found.verdict.word] += 1
        seen += found.found.placebo.foresight <= 0.05
    words = ", ".join(f"{word} {times}" for word, times in told.items())
    measured(f"planted skill, {count} whole runs: {words}; foresight in {seen}")
    assert seen >= 0.2 * count
    if count >= 200:
        assert f"{words}; foresight in {seen}" in documented()


@pytest.mark.parametrize("seed", [1])
def test_the_null_of_one_seed_is_always_the_same(tmp_path, seed) -> None:
    once, again = (null(request(tmp_path, seed=3), plan(seed), 2) for _ in range(2))
    assert once == again
