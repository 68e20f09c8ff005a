from __future__ import annotations

import numpy as np
import pytest

from riskguard.backtest.evidence.placebo import (
    cdars,
    drawdowns,
    nets,
    placebo,
    shifts,
    worst_drawdowns,
)
from riskguard.backtest.metrics import cdar


def made(seed: int, length: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    x = np.repeat(chance.choice([0.0, 0.4, 1.0], length // 10), 10)
    return x, chance.standard_t(4, length) * 0.02, chance.uniform(0.0005, 0.002, length)


def rolled_by_hand(x: np.ndarray, r: np.ndarray, k: np.ndarray, shift: int) -> np.ndarray:
    turned = np.roll(x, shift)
    return turned * r - k * np.abs(turned - np.roll(turned, 1))


@pytest.mark.parametrize("length", [399, 400])
def test_every_shift_gives_what_rolling_the_exposure_gives(length) -> None:
    x, r, k = made(1)
    x, r, k = x[:length], r[:length], k[:length]
    plain = [(rolled_by_hand(x, r, k, shift) - r).sum() for shift in range(length)]
    assert nets(x, r, k) == pytest.approx(plain, abs=1e-12)
    some = np.array([0, 1, 50, length - 1])
    paths = [np.cumprod(np.append(1.0, 1 + rolled_by_hand(x, r, k, shift))) for shift in some]
    assert cdars(x, r, k, some) == pytest.approx([cdar(path) for path in paths], rel=1e-12)


def test_a_path_that_lost_everything_stays_in_full_drawdown() -> None:
    ruined = np.array([[0.1, -1.5, 3.0, 0.1] * 10])
    assert worst_drawdowns(drawdowns(ruined)) == pytest.approx([1.0])


def test_drawdown_at_risk_is_that_of_the_figures_of_a_run() -> None:
    for length in (1, 7, 20, 21, 400):
        r = np.random.default_rng(length).normal(0, 0.03, length)
        path = np.cumprod(np.append(1.0, 1 + r))
        assert worst_drawdowns(drawdowns(r[None]))[0] == pytest.approx(cdar(path), rel=1e-12)


def test_shifts_keep_away_from_no_shift_by_window_and_cool_down() -> None:
    drawn = shifts(1_000, 120, 20_000, 3)
    assert drawn is not None
    assert (drawn.min(), drawn.max()) == (120, 880)
    assert shifts(240, 120, 9, 3) is None
    assert placebo(*made(1), shortest=200, draws=9, seed=1) is None


def test_a_short_path_has_each_of_its_placebos_once() -> None:
    every = shifts(45, 20, 999, 3)
    assert every is not None
    assert every.tolist() == [20, 21, 22, 23, 24, 25]
    drawn = shifts(45, 20, 5, 3)
    assert drawn is not None
    assert len(drawn) == 5
    _, r, k = made(2, 50)
    found = placebo((r > 0).astype(float), r, k * 0, shortest=20, draws=999, seed=1)
    assert found is not None
    # better than all eleven: one of twelve, not one of a thousand
    assert (found.draws, found.foresight) == (11, pytest.approx(1 / 12))


def test_a_guard_that_knows_the_future_beats_all_its_placebos() -> None:
    _, r, k = made(2)
    x = (r > 0).astype(float)
    found = placebo(x, r, k * 0, shortest=20, draws=199, seed=1)
    assert found is not None
    assert found.foresight == pytest.approx(1 / 200)
    assert found.volatility_timing == pytest.approx(1 / 200)


def test_a_guard_that_never_acts_equals_all_its_placebos() -> None:
    _, r, k = made(3)
    found = placebo(np.full(400, 0.7), r, k, shortest=20, draws=99, seed=1)
    assert found is not None
    assert (found.foresight, found.volatility_timing) == (1.0, 1.0)


def test_the_same_seed_gives_the_same_placebos() -> None:
    once, again = (placebo(*made(4), shortest=20, draws=99, seed=7) for _ in range(2))
    assert once == again
