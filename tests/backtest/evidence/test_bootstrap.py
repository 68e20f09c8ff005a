from __future__ import annotations

import numpy as np
import pytest

from riskguard.backtest.evidence.bootstrap import interval, optimal_block, resample, stationary


def chance(seed: int = 1) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def lagged(seed: int, length: int, phi: float) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=length)
    for bar in range(1, length):
        noise[bar] += phi * noise[bar - 1]
    return noise


def test_blocks_run_on_in_order_around_the_ring_and_break_once_in_a_mean_length() -> None:
    drawn = stationary(500, 20.0, 400, chance())
    assert drawn.shape == (400, 500)
    assert (drawn.min(), drawn.max()) == (0, 499)
    breaks = (np.diff(drawn, axis=1) % 500 != 1).mean()
    # a new block begins with the bar that follows by chance in 1 of 500
    assert breaks == pytest.approx(1 / 20 * 499 / 500, rel=0.03)
    counts = np.bincount(drawn.ravel(), minlength=500)
    assert counts.min() > 0.7 * counts.mean()


def test_blocks_of_one_bar_are_a_plain_bootstrap() -> None:
    drawn = stationary(50, 1.0, 400, chance())
    assert (np.diff(drawn, axis=1) % 50 == 1).mean() == pytest.approx(1 / 50, rel=0.2)


def test_the_variance_of_the_mean_is_that_of_politis_and_romano() -> None:
    values, block = lagged(2, 300, 0.6), 10.0
    spread, length = values - values.mean(), len(values)
    ring = np.array([spread @ np.roll(spread, lag) for lag in range(length)]) / length
    lag = np.arange(1, length)
    kept = (1 - lag / length) * (1 - 1 / block) ** lag
    exact = (ring[0] + 2 * kept @ ring[1:]) / length
    drawn = resample(
        values[None], lambda paths: paths[0].mean(axis=1), block=block, draws=20_000, seed=3
    )
    assert drawn.var() == pytest.approx(exact, rel=0.05)


def test_what_is_compared_comes_from_the_same_bars() -> None:
    paths = np.stack((np.arange(60.0), np.arange(60.0) + 5))
    drawn = resample(
        paths, lambda some: np.ptp(some[1] - some[0], axis=1), block=5, draws=50, seed=1
    )
    assert not drawn.any()


def test_the_same_seed_gives_the_same_resamples() -> None:
    once, again, other = (
        resample(lagged(1, 90, 0)[None], lambda p: p[0].mean(axis=1), block=9, draws=9, seed=seed)
        for seed in (4, 4, 5)
    )
    assert once.tolist() == again.tolist() != other.tolist()


def test_an_interval_says_on_which_side_of_nothing_it_lies() -> None:
    drawn = np.linspace(1, 2, 101)
    assert interval(1.5, drawn).above
    assert interval(-1.5, -drawn).below
    wide = interval(0.1, drawn - 1.5)
    assert (wide.above, wide.below) == (False, False)
    assert (wide.low, wide.high) == pytest.approx((-0.45, 0.45))


def test_the_block_of_values_that_do_not_vary_is_one_bar() -> None:
    assert optimal_block(np.zeros(100)) == 1.0
    assert optimal_block(np.arange(5.0)) == 1.0


@pytest.mark.needs_group("parity")
@pytest.mark.parametrize("phi", [0.0, 0.3, 0.9, 1.0])
@pytest.mark.parametrize("length", [60, 1_095, 9_000])
def test_the_block_length_is_that_of_arch(length, phi) -> None:
    import arch.bootstrap as arch

    values = lagged(3, length, phi)
    theirs = float(arch.optimal_block_length(values)["stationary"].iloc[0])
    assert optimal_block(values) == pytest.approx(max(1.0, theirs), rel=1e-9)


@pytest.mark.needs_group("parity")
def test_intervals_are_those_of_arch() -> None:
    import arch.bootstrap as arch

    guard, peer = lagged(5, 800, 0.4), lagged(6, 800, 0.4)
    theirs = arch.StationaryBootstrap(15, guard, peer, seed=np.random.default_rng(1))
    means = theirs.apply(lambda one, other: np.array([(one - other).mean()]), 4_000)[:, 0]
    ours = resample(
        np.stack((guard, peer)),
        lambda paths: (paths[0] - paths[1]).mean(axis=1),
        block=15,
        draws=4_000,
        seed=1,
    )
    assert ours.std() == pytest.approx(means.std(), rel=0.05)
    assert np.percentile(ours, (5, 95)) == pytest.approx(
        np.percentile(means, (5, 95)), abs=0.1 * means.std()
    )
