"""One bad print of one venue flattens nobody while the other venues are fed (F26)."""

from __future__ import annotations

import random

import pytest

from riskguard import State
from riskguard.engine.events import Event
from riskguard.market import MINUTE, SECOND
from tests.counts import counts
from tests.engine.several import FELL, START, THREE, Bar, Minutes

# what was printed on one venue while all others stood: price, print, how many minutes
PRINTS = {
    "65,760 to 8,200 for a minute": (65_760.0, 8_200.0, 1),
    "87,000 to 24,111 for three seconds": (87_000.0, 24_111.0, 0),
    "1.00 to 0.65 for forty minutes": (1.0, 0.65, 40),
    "42,000 to 5,402 for a minute": (42_000.0, 5_402.0, 1),
}
FOUR = (*THREE, "gate")
EARLY = FELL.replace("every: 1m", "every: 1m\nevaluate: event")


def printed(live: Minutes, shape: str, *, bad: str, late: str = "") -> None:
    """Tell a calm market, the bad print of one venue, and a calm market."""
    price, wrong, minutes = PRINTS[shape]
    live.calm(10, price)
    for minute in range(max(1, minutes)):
        near = price * (1 + 0.001 * (minute % 3))
        told: dict[str, Bar | float] = dict.fromkeys(live.venues, near)
        told[bad] = (near, near, wrong, near) if minutes == 0 else wrong
        live.minute(told, late=[late])
    live.calm(10, price)


@pytest.mark.parametrize("shape", PRINTS)
def test_where_one_venue_is_fed_a_bad_print_counts(shape: str) -> None:
    live = Minutes(["binance"])
    printed(live, shape, bad="binance")
    assert live.halted


@pytest.mark.parametrize("venues", [THREE[:2], THREE, FOUR], ids=len)
@pytest.mark.parametrize("bad", [0, 1])
@pytest.mark.parametrize("shape", PRINTS)
def test_where_others_are_fed_it_does_not(shape: str, bad: int, venues: tuple[str, ...]) -> None:
    live = Minutes(venues)
    printed(live, shape, bad=venues[bad])
    assert (live.halted, live.live.refused, live.live.guard.refused) == ([], {}, {})


@pytest.mark.parametrize("shape", PRINTS)
def test_nor_where_the_only_other_one_always_comes_too_late(shape: str) -> None:
    live = Minutes(THREE[:2])
    printed(live, shape, bad="binance", late="bybit")
    assert live.halted == []


@pytest.mark.parametrize("shape", [one for one in PRINTS if PRINTS[one][2] < 2])
def test_nor_where_the_others_are_down_and_it_lasts_no_longer_than_a_bar(shape: str) -> None:
    price, wrong, _ = PRINTS[shape]
    live = Minutes()
    live.calm(10, price)
    live.calm(5, price, ["okx"])
    live.minute({"okx": wrong})
    live.calm(5, price, ["okx"])
    assert live.halted == []


@pytest.mark.parametrize("venues", [THREE[:1], THREE[:2], THREE], ids=len)
@pytest.mark.parametrize("seconds", [1, 3, 30])
def test_under_evaluate_event_no_trade_of_one_venue_decides(
    venues: tuple[str, ...], seconds: int
) -> None:
    live = Minutes(venues, EARLY)
    live.calm(10, 87_000.0)
    states = set()
    for second in range(8, 58):
        for venue in venues:
            wrong = venue == venues[-1] and 15 <= second < 15 + seconds
            if venue == venues[-1] or second % 5 == 0:  # the others trade rarely
                ts = START + live.number * MINUTE + second * SECOND
                price = {"price": 24_111.0 if wrong else 87_000.0 + second}
                states.add(live.live.take(Event(ts, "trade", "BTC", price, source=venue)).state)
    live.calm(3, 87_000.0)
    halted = State.HALTED in states
    assert halted is (len(venues) == 1)


def wicked(dice: random.Random) -> tuple[Minutes, Minutes, int]:
    """Draw venues within 3 % of each other, one with a bad print; return both kinds of guard."""
    venues = FOUR[: dice.randint(2, 4)]
    live, bare = Minutes(venues), Minutes([dice.choice(venues)])
    (bad,) = bare.venues
    price = dice.choice([0.5, 1.0, 42_000.0])
    apart = {venue: dice.uniform(0.988, 1.012) for venue in venues}
    begins, lasts = dice.randrange(8, 12), dice.choice([1, 1, 2, 5])
    lags = dice.choice([*venues, ""])
    for minute in range(begins + lasts + 6):
        common = price * dice.uniform(0.995, 1.005)
        told: dict[str, Bar | float] = {}
        for venue in dice.sample(venues, len(venues)):
            near = common * apart[venue] * dice.uniform(0.999, 1.001)
            told[venue] = (near, near * 1.001, near * 0.999, near)
        if begins <= minute < begins + lasts:
            wrong = price * dice.choice([dice.uniform(0.01, 0.8), dice.uniform(1.2, 90)])
            near = told[bad][3]
            least, most = min(near, wrong), max(near, wrong)
            told[bad] = dice.choice([(near, most, least, near), (near, most, least, wrong)])
        late = [lags] if dice.random() < 0.5 else []
        live.minute(told, late=late)
        bare.minute({bad: told[bad]})
    return live, bare, lasts


@counts(60, 10_000)
def test_whatever_one_venue_prints_nothing_is_flattened(count: int, measured) -> None:
    bitten = 0
    for seed in range(count):
        live, bare, _ = wicked(random.Random(seed))
        assert not live.halted, seed
        bitten += bool(bare.halted)
    assert bitten > count / 3
    measured(f"{count:,} bad prints on one of two to four venues: none counted, {bitten:,} alone")
