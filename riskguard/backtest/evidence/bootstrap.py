"""The paired stationary bootstrap: what the same market, in another order, might have given.

Blocks of random length are drawn from the bars in their order, and everything that is compared
is taken from the same bars. Politis and Romano (1994); the block length that their variance
asks for is that of Politis and White (2004) as corrected by Patton (2009).

Our own draws are used everywhere, so that a report does not depend on what is installed; the
tests compare them with the package arch.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from riskguard.backtest.evidence.cores import in_parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Interval", "interval", "optimal_block", "resample", "stationary"]

CHUNK = 1 << 17  # bars drawn at once: 1 MB, which a processor keeps near


class Interval(NamedTuple):
    """A figure and the 5th to 95th percentile of what the resamples gave."""

    value: float
    low: float
    high: float

    @property
    def above(self) -> bool:
        """Whether the whole interval lies above 0."""
        return self.low > 0

    @property
    def below(self) -> bool:
        """Whether the whole interval lies below 0."""
        return self.high < 0


def stationary(
    length: int, block: float, draws: int, chance: np.random.Generator
) -> NDArray[np.int64]:
    """Return `draws` rows of `length` bar numbers, in blocks of mean length `block` on a ring."""
    ends = np.zeros((draws, 0), dtype=np.int64)
    likely = math.ceil(length / block + 6 * math.sqrt(length / block) + 6)
    while not ends.size or ends[:, -1].min() < length:
        more = chance.geometric(1.0 / block, (draws, likely))
        ends = np.cumsum(np.concatenate((np.diff(ends, prepend=0), more), axis=1), axis=1)
    firsts = chance.integers(0, length, ends.shape)
    # a bar is as far into its block as it lies behind the end of the block before
    jumps = firsts - np.concatenate((np.zeros((draws, 1), np.int64), ends[:, :-1]), axis=1)
    bars = np.arange(length)
    rows = [
        (bars + np.repeat(jump, np.diff(end, prepend=0))[:length]) % length
        for jump, end in zip(jumps, np.minimum(ends, length), strict=True)
    ]
    return np.stack(rows)


def optimal_block(values: Floats) -> float:
    """Return the mean block length that estimates the variance of the mean of `values` best.

    At least 1; 1 where the values do not vary.
    """
    length = len(values)
    spread = values - values.mean()
    if length < 8 or not float(spread @ spread) > 1e-30 * length:
        return 1.0
    needed = max(5, int(math.log10(length)))
    most = math.ceil(math.sqrt(length)) + needed
    most = min(most, length - 2)
    lags = _products(spread, most)
    ahead = np.cumsum(spread**2)
    # of the values that lie a lag and one more behind the first, and before the last
    sizes = np.sqrt((ahead[-1] - ahead[: most + 1]) * ahead[length - 2 - np.arange(most + 1)])
    small = np.abs(lags) < 2.0 * math.sqrt(math.log10(length) / length) * sizes
    # the first lag behind which so many in a row are next to nothing
    quiet = (lag for lag in range(most + 1 - needed) if small[lag : lag + needed].all())
    first = next(quiet, None)
    width = most if first is None else min(2 * max(first, 1), most)
    covariances = lags[: width + 1] / length
    order = np.arange(1, width + 1)
    # the flat-top window: 1 up to the half, then down to 0
    weights = np.minimum(1.0, 2.0 * (1.0 - order / width))
    slope = 2.0 * float(weights * order @ covariances[1:])
    long_run = float(covariances[0] + 2.0 * (weights @ covariances[1:]))
    if not long_run**2 > 0:
        return 1.0
    found = math.cbrt(slope**2 / long_run**2 * length)
    return max(1.0, min(found, math.ceil(min(3 * math.sqrt(length), length / 3))))


def _products(spread: Floats, most: int) -> Floats:
    """Return the sum of values times those a lag on, for lags 0 .. most."""
    size = 1 << (len(spread) + most).bit_length()  # room for none to meet another's end
    turned = np.fft.rfft(spread, size)
    found: Floats = np.fft.irfft(turned * np.conj(turned), size)[: most + 1]
    return found


def resample(
    paths: Floats,
    measure: Callable[[Floats], Floats],
    *,
    block: float,
    draws: int,
    seed: int,
) -> Floats:
    """Return what `measure` says of each of `draws` resamples.

    `paths` has one row for each thing compared; `measure` takes (rows, draws, bars) of them, all
    from the same bars, and gives one or more numbers per draw: (..., draws).
    """
    chance, length = np.random.Generator(np.random.PCG64(seed)), paths.shape[1]
    rows = max(1, CHUNK // length)
    counts = (min(rows, draws - first) for first in range(0, draws, rows))
    chunks = (stationary(length, block, count, chance) for count in counts)
    found = list(in_parts(lambda drawn: measure(paths[:, drawn]), chunks))
    return np.concatenate(found, axis=-1)


def interval(value: float, drawn: Floats) -> Interval:
    """Return a figure with the 5th and 95th percentile of its resamples."""
    low, high = np.percentile(drawn, (5, 95))
    return Interval(float(value), float(low), float(high))
