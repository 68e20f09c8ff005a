"""The placebo of a guard: its own exposure path, rolled to other times.

Rolled as a whole, the number, the lengths and the clustering of its times out are kept; only
what they have to do with the returns is lost. Whoever is no better than the placebo has no
foresight. All paths hold one value per bar on which something is wanted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from riskguard.backtest.evidence.cores import in_parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Placebo", "cdars", "drawdowns", "nets", "placebo", "shifts", "worst_drawdowns"]

CHUNK = 1 << 18  # numbers held at once: 2 MB, which a processor keeps near


@dataclass(frozen=True, slots=True)
class Placebo:
    """Shares of placebos at least as good as the guard, itself counted among them."""

    foresight: float  # p of the net avoided return
    volatility_timing: float  # p of CDaR
    draws: int  # fewer than asked for where the path has fewer shifts
    shortest: int  # bars by which no placebo is shifted less


def placebo(
    x: Floats, r: Floats, k: Floats, *, shortest: int, draws: int, seed: int
) -> Placebo | None:
    """Compare a guard with up to `draws` shifts of itself; None where the path is too short.

    `x` is the exposure, `r` the bare return and `k` the cost of a change of exposure per bar. A
    shift is at least `shortest` bars, the longest window and cool-down of the rules, both ways.
    """
    rolled = shifts(len(x), shortest, draws, seed)
    if rolled is None:
        return None
    made = nets(x, r, k)
    # an exposure that never changes equals its placebos, whatever the rounding of a transform
    close = 1e-9 * (float(np.abs(r).sum()) + 1e-12)
    better = int((made[rolled] >= made[0] - close).sum())
    falls = cdars(x, r, k, np.append(rolled, 0))
    calmer = int((falls[:-1] <= falls[-1] + 1e-12).sum())
    count = len(rolled)
    return Placebo((1 + better) / (count + 1), (1 + calmer) / (count + 1), count, shortest)


def shifts(length: int, shortest: int, draws: int, seed: int) -> NDArray[np.int64] | None:
    """Return `draws` shifts, uniform from `shortest` to `length - shortest`; None if none fits.

    Where there are no more than `draws` of them it is each of them once: drawn again and again,
    two placebos would pass for a thousand.
    """
    if shortest < 1 or length < 2 * shortest + 1:
        return None
    if length - 2 * shortest < draws:
        return np.arange(shortest, length - shortest + 1)
    chance = np.random.Generator(np.random.PCG64(seed))
    return chance.integers(shortest, length - shortest, size=draws, endpoint=True)


def nets(x: Floats, r: Floats, k: Floats) -> Floats:
    """Return the net avoided return at every shift 0 .. T-1 of `x`, summed over all bars.

    The path is a ring: the step from its end to its beginning costs in every shift alike.
    """
    length = len(x)
    steps = np.abs(x - np.roll(x, 1))

    def at_every_shift(path: Floats, other: Floats) -> Floats:
        turned = np.fft.rfft(other) * np.conj(np.fft.rfft(path))
        return np.fft.irfft(turned, length)

    made: Floats = at_every_shift(x, r) - r.sum() - at_every_shift(steps, k)
    return made


def cdars(
    x: Floats, r: Floats, k: Floats, rolled: NDArray[np.int64], level: float = 0.95
) -> Floats:
    """Return the conditional drawdown at risk of the guarded path at each shift of `x`."""
    length = len(x)
    steps = np.abs(x - np.roll(x, 1))
    # two turns of the ring: a shift is then a slice
    twice, changed = np.tile(x, 2), np.tile(steps, 2)
    rows = max(1, CHUNK // length)

    def of(first: int) -> Floats:
        begins = (length - rolled[first : first + rows]) % length
        held = np.stack([twice[begin : begin + length] for begin in begins])
        paid = np.stack([changed[begin : begin + length] for begin in begins])
        return worst_drawdowns(drawdowns(held * r - paid * k), level)

    return np.concatenate(list(in_parts(of, range(0, len(rolled), rows))))


def worst_drawdowns(falls: Floats, level: float = 0.95) -> Floats:
    """Return CDaR of each row of drawdowns: the mean of the worst, the last one weighted."""
    share = (1.0 - level) * falls.shape[1]
    whole = max(0, int(np.ceil(share - 1e-9)) - 1)
    least = falls.shape[1] - 1 - whole
    falls = np.partition(falls, least, axis=1)[:, least:]
    found: Floats = (falls[:, 1:].sum(axis=1) + (share - whole) * falls[:, 0]) / share
    return found


def drawdowns(returns: Floats) -> Floats:
    """Return the drawdown after each bar of each row of simple returns; what is lost stays lost."""
    path = np.maximum(1.0 + returns, 0.0)
    np.cumprod(path, axis=1, out=path)
    peak = np.maximum.accumulate(path, axis=1)
    path /= np.maximum(peak, 1.0, out=peak)
    return np.subtract(1.0, path, out=path)
