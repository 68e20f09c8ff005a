"""The clock of a live process: what the wall clock does changes nothing, alone."""

from __future__ import annotations

import random

from riskguard.live.ticker import Ticker, elapsed
from riskguard.market import DAY, HOUR, SECOND
from tests.counts import counts

START = 1_770_300_000 * SECOND


class Clocks:
    """A wall clock and the time that passes, set by hand."""

    def __init__(self) -> None:
        self.wall, self.passed = START, 0

    def ticker(self) -> Ticker:
        return Ticker(wall=lambda: self.wall, elapsed=lambda: self.passed)

    def wait(self, span: int) -> None:
        self.wall += span
        self.passed += span


@counts(10_000, 1_000_000)
def test_jumps_of_the_wall_clock_move_no_time(count: int, measured) -> None:
    dice, clocks = random.Random(7), Clocks()
    ticker, expected, last = clocks.ticker(), START, 0
    jumps = [HOUR, -HOUR, 365 * DAY, -365 * DAY, -START, 80 * 365 * DAY, 1, -1]
    for _ in range(count):
        span = dice.randrange(10 * SECOND)
        clocks.wait(span)
        clocks.wall += dice.choice(jumps)
        expected += span
        now = ticker.now()
        assert now == expected
        assert now >= last
        last = now
    measured(f"{count:,} jumps of the wall clock: no time moved")


def test_a_feed_alone_moves_no_time_and_both_together_do() -> None:
    clocks = Clocks()
    ticker = clocks.ticker()
    assert ticker.heard(START + HOUR) == 0  # the feed alone
    clocks.wall += HOUR
    assert ticker.now() == START  # the wall clock alone
    assert ticker.doubt() == HOUR
    assert ticker.heard(START + DAY) == 0  # they disagree
    assert ticker.heard(START + HOUR - SECOND) == HOUR
    assert ticker.now() == START + HOUR
    clocks.wall -= 2 * HOUR
    assert ticker.heard(START - HOUR) == 0  # never back
    assert ticker.now() == START + HOUR


def test_a_clock_that_began_behind_is_behind_until_a_feed_agrees_with_one_that_is_right() -> None:
    clocks = Clocks()
    clocks.wall -= HOUR
    ticker = clocks.ticker()
    assert not ticker.behind
    ticker.since(START)
    assert (ticker.now(), ticker.behind) == (START, True)
    ticker.heard(START + HOUR)  # the clock disagrees
    ticker.heard(START - HOUR)  # old news: what agrees is a clock that is still behind
    assert ticker.behind
    clocks.wall += 3 * HOUR
    ticker.heard(START + 2 * HOUR)
    assert (ticker.now(), ticker.behind) == (START + 2 * HOUR, False)


def test_time_goes_on_with_the_clock_of_the_system() -> None:
    first = elapsed()
    assert elapsed() >= first
    ticker = Ticker()
    assert ticker.now() <= ticker.now()
    assert abs(ticker.doubt()) < HOUR
