"""A guard that fails inside, that is fed nonsense, and that is asked by many at once."""

from __future__ import annotations

import json
import random
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from riskguard import Guard, Intent, Sample, State
from riskguard.engine.gate import gate
from riskguard.language.reader import read_text
from riskguard.market import HOUR
from tests.counts import counts

START = 1_767_225_600_000_000_000
RULES = """\
version: 1
symbol: BTC
every: 1h
symbols: [ETH]
rules:
  deep: {when: close.mean(3h) < 90, clear: close > 95, do: {exposure_cap: 50%}}
  apart: {when: ETH.close.drop(2h) >= 5%, min_hold: 2h, do: {block_entries: long}}
"""


def guard() -> Guard:
    ruleset, found = read_text(RULES, "rules.yaml")
    assert ruleset is not None, found
    return Guard(ruleset)


def bar(hour: int, close: float = 100.0) -> Iterator[Sample]:
    yield Sample(START + hour * HOUR, "ETH", {"close": 50.0})
    yield Sample(START + hour * HOUR, "BTC", {"close": close})


def fed(hours: int) -> Guard:
    made = guard()
    for hour in range(1, hours + 1):
        for sample in bar(hour):
            made.update(sample)
    assert made.decision.state is State.ACTIVE
    return made


class BugError(Exception):
    """What a bug would raise."""


def broken(made: Guard) -> Callable[[], None]:
    """Break a measure of a guard; return what mends it."""
    lists = (made.stream._readings, made.stream._glides)
    whole = [readings[0] for readings in lists]

    def fails(_now: int) -> float:
        raise BugError("a bug\x1b[2J")

    for readings in lists:
        readings[0] = (fails, *readings[0][1:])

    def mend() -> None:
        for readings, first in zip(lists, whole, strict=True):
            readings[0] = first

    return mend


def test_a_guard_that_fails_lets_nothing_in_and_everything_out_and_says_so() -> None:
    made = fed(6)
    mend = broken(made)
    for hour in (7, 8):
        for sample in bar(hour):
            decision = made.update(sample)
        assert (decision.state, decision.block_entries) == (State.REDUCING, "both")
        assert decision.winners["block_entries"] == ("guard_error",)
        assert [one.leaf for one in decision.reasons] == [r"BugError: a bug\x1b[2J"]
        assert decision.exposure_cap == 1.0  # nothing is sold for it
        ts = START + hour * HOUR
        assert gate(Intent(ts, "BTC", "buy", 1.0, 0.0), decision).answer == "deny"
        assert gate(Intent(ts, "BTC", "sell", 1.0, 1.0), decision).answer == "allow"
        assert made.status()["fault"] == r"BugError: a bug\x1b[2J"
    assert made.refused["guard_error: BugError"] == 2
    mend()
    quiet = made.update(Sample(START + 8 * HOUR + 1, "*", {}))
    assert quiet.state is State.REDUCING  # no evaluation has succeeded yet
    for sample in bar(9):
        decision = made.update(sample)
    assert (decision.state, made.status()["fault"]) == (State.ACTIVE, None)


def test_what_a_rule_asks_for_stays_in_force_while_the_guard_fails() -> None:
    made = fed(6)
    for hour in range(7, 11):
        for sample in bar(hour, 70.0):
            made.update(sample)
    assert made.decision.active == ("deep",)
    broken(made)
    for sample in bar(11, 100.0):
        decision = made.update(sample)
    assert (decision.active, decision.exposure_cap) == (("deep",), 0.5)
    assert decision.state is State.REDUCING


def test_a_guard_that_fails_is_failing_after_a_restart() -> None:
    made = fed(6)
    broken(made)
    for sample in bar(7):
        made.update(sample)
    other = guard()
    other.load(made.dump())
    assert other.decision == made.decision
    assert other.status()["fault"] == made.status()["fault"]
    for sample in bar(8):
        other.update(sample)
    assert other.decision.state is State.ACTIVE


def test_a_halt_of_a_guard_that_fails_is_in_force() -> None:
    made = fed(6)
    broken(made)
    for sample in bar(7):
        made.update(sample)
    assert made.halt(START + 7 * HOUR, "stop").state is State.HALTED


def test_a_guard_that_fails_while_an_operator_speaks_lets_nothing_in() -> None:
    made = fed(6)

    def fails(_now: int) -> bool:
        raise BugError("a bug")

    made.stream.ranged = fails  # type: ignore[method-assign]  # a bug
    said = made.halt(START + 6 * HOUR, "stop")
    assert (said.state, said.block_entries) == (State.REDUCING, "both")
    assert "guard_error" in said.winners["block_entries"]
    assert made.refused == {"guard_error: BugError": 1}
    del made.stream.ranged
    for sample in bar(7):
        decision = made.update(sample)
    assert decision.state is State.HALTED  # what was said is not forgotten


def test_history_on_which_a_guard_fails_lets_nothing_in() -> None:
    made = guard()
    broken(made)
    primed = made.prime(sample for hour in range(1, 4) for sample in bar(hour))
    assert "guard_error" in primed.winners["block_entries"]
    assert made.refused == {"guard_error: BugError": 3}


def test_a_guard_that_failed_in_the_middle_of_a_step_misses_no_rule_that_moved() -> None:
    made = fed(6)
    last = made.stream.components[-1]
    steps = list(last.steps)

    def fails(_now: int) -> None:
        raise BugError

    last.steps[:] = [fails]
    last.awake = True
    for sample in bar(7, 10.0):
        made.update(sample)
    last.steps[:] = steps
    for sample in bar(8, 10.0):
        made.update(sample)
    assert made.decision.active == ("deep",)


ODD = (
    float("nan"), float("inf"), -float("inf"), -1.0, 0.0, -0.0, 5e-324, 1e308, 10**400, 1 << 70,
    None, True, False, "100", "1_0", "\u0661", b"1", [], {}, object(), 1j,
)  # fmt: skip


@counts(20_000, 2_000_000)
def test_nonsense_raises_nothing_and_leaves_the_guard_as_if_it_had_not_come(
    count: int, measured: Callable[[str], None]
) -> None:
    made, plain, pick = fed(6), fed(6), random.Random(4)
    for number in range(count):
        ts = START + 6 * HOUR + number
        symbol = pick.choice(["BTC", "ETH", "*", "X"])
        bad = pick.choice([one for one in ODD if not (isinstance(one, float | int) and one > 0)])
        if pick.random() < 0.1:
            ts = pick.choice([None, "now", 1.5, float("nan"), True, 1 << 80, -(1 << 80)])  # type: ignore[assignment]  # nonsense
        made.update(Sample(ts, symbol, {pick.choice(["close", "oi"]): bad}))  # type: ignore[dict-item]  # nonsense
    assert made.stream.tapes[0].times == plain.stream.tapes[0].times
    assert not any(said.startswith("guard_error") for said in made.refused)
    for hour in range(7, 12):
        for sample in bar(hour, 80.0):
            assert made.update(sample) == plain.update(sample)
    measured(f"nonsense: {count:,} values, none raised, none moved the guard")


@pytest.mark.parametrize("sample", [None, 7, (), (1,)])
def test_what_is_no_sample_is_answered_with_no_entries(sample: object) -> None:
    made = fed(3)
    assert made.update(sample).state is State.REDUCING  # type: ignore[arg-type]  # no sample


def test_numbers_of_other_kinds_are_taken_as_floats() -> None:
    import numpy as np

    made, plain = guard(), guard()
    for hour in range(1, 8):
        made.update(Sample(START + hour * HOUR, "BTC", {"close": 100 - hour}))
        plain.update(Sample(START + hour * HOUR, "BTC", {"close": float(100 - hour)}))
        made.update(Sample(START + hour * HOUR, "ETH", {"close": np.float64(50)}))
        plain.update(Sample(START + hour * HOUR, "ETH", {"close": 50.0}))
    assert made.dump() == plain.dump()


# ---------------------------------------------------------------- threads


def test_four_threads_feed_and_ask_one_guard() -> None:
    made, calls, odd = guard(), 4_000, []
    before = sys.getswitchinterval()

    def work(number: int) -> None:
        for call in range(calls):
            hour = call // 40 + 1
            sample = Sample(START + hour * HOUR, "BTC", {"close": 80.0 if hour % 7 else 120.0})
            decision = made.update(sample)
            verdict = made.decide(Intent(made.as_of, "BTC", "buy", 1.0, 0.0))
            leaves = made.decide(Intent(made.as_of, "BTC", "sell", 1.0, 1.0))
            capped = verdict.answer in {"allow", "deny"} and leaves.answer == "allow"
            if not capped or decision.ts > made.as_of:
                odd.append((number, call))
            if call % 500 == 0:
                made.dump()
                made.status()

    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        sys.setswitchinterval(before)
    assert not odd
    assert not any(thread.is_alive() for thread in threads)
    assert not any(said.startswith("guard_error") for said in made.refused)
    alone = guard()
    for call in range(0, calls, 40):
        hour = call // 40 + 1
        alone.update(Sample(START + hour * HOUR, "BTC", {"close": 80.0 if hour % 7 else 120.0}))
    assert made.stream.truths == alone.stream.truths
    assert made.decision.active == alone.decision.active


def test_a_callback_may_call_the_guard_that_calls_it() -> None:
    made = fed(3)

    def history() -> Iterator[Sample]:
        for hour in range(4, 9):
            made.status()
            made.update(Sample(START + hour * HOUR - 1, "*", {}))
            yield from bar(hour)

    assert made.prime(history()).state is State.ACTIVE
    assert made.as_of == START + 8 * HOUR


# ---------------------------------------------------------------- history before the start


def test_a_guard_that_was_primed_stands_as_one_that_was_there() -> None:
    there, primed = guard(), guard()
    history = [sample for hour in range(1, 20) for sample in bar(hour, 70.0)]
    for sample in history:
        there.update(sample)
    assert primed.prime(history) == there.decision
    assert primed.decision.active == ("deep",)
    told, was = (json.loads(one.dump()) for one in (primed, there))
    assert {key for key in told if told[key] != was[key]} == {"parts", "sum"}
    assert told["parts"]["episodes"]["tightening"] == 0  # no duty came of history
    assert [action.kind for action in primed.poll()] == ["cancel_entries", "reduce_to"]


def test_history_that_was_seen_already_is_passed_over_in_silence() -> None:
    made = fed(6)
    before = made.dump()
    made.prime(sample for hour in range(1, 7) for sample in bar(hour, 5.0))
    assert made.dump() == before


def test_warmup_is_how_much_history_fills_every_window() -> None:
    made = guard()
    hours = made.warmup // HOUR
    made.prime(sample for hour in range(1, hours + 1) for sample in bar(hour))
    assert made.decision.priming == ()
    assert hours <= 6
