"""Random streams of orders and faults: the enforcer never enlarges, flips or sells twice."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskguard.adapters.shared.outcome import book_key
from riskguard.engine.decision import State
from riskguard.engine.gate import surplus
from riskguard.market import MINUTE, SECOND
from riskguard.testing import ScriptedGuard
from tests.adapters.chaos import FAULTS, SLACK, Chaos
from tests.adapters.paper import PaperBot, Working
from tests.counts import counts

CAPS = (0.75, 0.5, 0.25)
STEPS = 24


class Stream:
    """One bot on one venue of faults, and what it may be held to."""

    def __init__(self, dice: random.Random, *, hedged: bool = False) -> None:
        self.dice = dice
        self.venue = Chaos(lambda: dice.choice(FAULTS), hedged=hedged)
        self.desk = ScriptedGuard()
        self.bot = PaperBot(self.desk, self.venue)
        self.books = self.bot.books
        self.venue.floor = self.floor

    def floor(self, book: str) -> float:
        """Return what the decision in force lets be kept in a book."""
        episode = self.desk.episodes.of(book_key(self.bot.symbol, book))
        return episode.limit(self.desk.decision)

    def bar(self) -> None:
        self.bot.bar(self.dice.choice((92.0, 96.0, 100.0, 104.0, 108.0)))

    def step(self) -> str:
        kind = self.dice.choice(
            ("bar", "bar", "entry", "rest", "exit", "state", "restart", "deliver", "stop")
        )
        getattr(self, kind)()
        return kind

    def entry(self) -> None:
        self._send("buy", self.dice.choice((1.0, 2.0, 4.0)))

    def rest(self) -> None:
        self._send("buy", self.dice.choice((1.0, 2.0)), price=self.dice.choice((94.0, 97.0)))

    def exit(self) -> None:
        self._send("sell", self.dice.choice((1.0, 8.0)))

    def stop(self) -> None:
        """Rest a protection of the whole position, as the venue holds it: to reduce-only."""
        position = self.venue.books[self.books[0]]
        if position > 0:
            self.venue.place(
                Working("", "sell", position, 93.0, stop=True, reduce_only=True, book=self.books[0])
            )

    def _send(self, side: str, size: float, price: float | None = None) -> None:
        book = self.books[0]
        if book or side == "buy" or self.venue.books[book] > 0:
            self.venue.delayed, self.venue.share, self.venue.obeys = 0, 1.0, True
            self.bot.order(Working("", side, size, price, book=book))
            self.venue.obeys = False

    def state(self) -> None:
        kind = self.dice.choice(("free", "cap", "cap", "reduce", "halt"))
        if kind == "free":
            self.desk.state(State.ACTIVE)
        elif kind == "cap":
            self.desk.state(State.CAUTION, exposure_cap=self.dice.choice(CAPS))
        else:
            self.desk.state(State.REDUCING if kind == "reduce" else State.HALTED)

    def restart(self) -> None:
        self.bot = PaperBot(self.desk, self.venue)

    def deliver(self) -> None:
        self.venue.deliver()


def settle(stream: Stream) -> None:
    """Let the venue obey, and see everything done."""
    stream.venue.obeys = True
    for turn in range(12):
        stream.venue.deliver()
        stream.venue.time += 61 * SECOND
        stream.bot.bar(100.0)
        if turn > 2 and all(one.settled for one in stream.bot.outcomes[-len(stream.books) :]):
            break
    for book in stream.books:
        limit = stream.floor(book)
        assert abs(stream.venue.books[book]) <= limit + SLACK, f"{book} above {limit}"
        assert not stream.desk.poll(book_key(stream.bot.symbol, book))
        if stream.desk.decision.state >= State.REDUCING:
            orders = stream.venue.pending(stream.bot.symbol)
            position = stream.venue.books[book] * (-1 if book == "short" else 1)
            assert not surplus(position, orders, stream.desk.decision, ceiling=0.0, book=book)


def play(seed: int, *, hedged: bool = False) -> Counter[str]:
    stream = Stream(random.Random(seed), hedged=hedged)
    seen = Counter(stream.step() for _ in range(STEPS))
    settle(stream)
    seen.update(stream.venue.seen)
    return seen


@counts(250, 100_000)
@pytest.mark.parametrize("hedged", [False, True], ids=["netting", "hedged"])
def test_nothing_is_enlarged_flipped_or_sold_twice_on_a_venue_of_faults(
    count, hedged, measured
) -> None:
    seen: Counter[str] = Counter()
    for seed in range(count):
        try:
            seen += play(seed, hedged=hedged)
        except AssertionError as broken:
            raise AssertionError(f"seed {seed}: {broken}") from broken
    told = ", ".join(f"{number:,} {what}" for what, number in sorted(seen.items()))
    measured(f"enforcer, {count:,} streams of {STEPS} steps: {told}")


@given(
    cap=st.sampled_from(CAPS),
    position=st.sampled_from((0.1, 1.0, 7.0, -3.0)),
    faults=st.lists(st.sampled_from(FAULTS), max_size=40),
    restarts=st.sets(st.integers(0, 7)),
)
@settings(max_examples=60)
def test_a_cap_ends_at_the_ceiling_and_never_below(cap, position, faults, restarts) -> None:
    left = iter(faults)
    venue = Chaos(lambda: next(left, ""))
    venue.books[""] = position
    desk = ScriptedGuard()
    desk.episodes.note("BTC/USDT:USDT", position)
    desk.state(State.CAUTION, exposure_cap=cap)
    venue.floor = lambda _book: cap * abs(position)
    bot = PaperBot(desk, venue)
    for turn in range(40):
        if turn in restarts:
            bot = PaperBot(desk, venue)
        if turn % 3 == 2:
            venue.deliver()
        bot.bar(100.0)
        venue.time += MINUTE
    assert abs(abs(venue.books[""]) - cap * abs(position)) <= SLACK
    assert bot.outcomes[-1].settled
