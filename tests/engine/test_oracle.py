"""The engine against a naive model of the whole guard: equal after every event of random rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.counts import counts
from tests.oracle.compare import EVENTS, Pair, replayed, shrunk
from tests.oracle.drawing import Draw
from tests.oracle.feeding import feed

KEPT = Path(__file__).parents[1] / "seeds.txt"  # seeds that failed once: played for ever
BLOCKS = 4


def seeds() -> list[int]:
    lines = KEPT.read_text(encoding="utf-8").splitlines()
    return [int(line.split()[0]) for line in lines if line.strip() and not line.startswith("#")]


def told(seed: int) -> str:
    """Return where engine and oracle part, and how to see it again; "" where they are equal."""
    draw, samples, found = replayed(seed)
    if found is None:
        return ""
    rules, few, found = shrunk(draw.rules, draw.sources, samples)
    latches = ", ".join([*(rule.name for rule in rules.rules), *(one.name for one in rules.stages)])
    return (
        f"seed {seed} differs after {len(few)} of {len(samples)} events, with {latches} alone:\n"
        f"  {found.text}\n  the last event: {few[-1]}\n"
        f"  python -m tests.oracle --seed {seed}; then add the seed to tests/seeds.txt"
    )


@pytest.mark.parametrize("seed", seeds())
def test_what_failed_once_is_equal(seed: int) -> None:
    assert not told(seed)


@pytest.mark.parametrize("block", range(BLOCKS))
@counts(150, 10_000)
def test_engine_equals_oracle_after_every_event(block: int, count: int, measured) -> None:
    for seed in range(block * count, (block + 1) * count):
        assert not told(seed)
    measured(
        f"engine and oracle equal: {count * EVENTS:,} events over {count:,} random rule sets "
        f"(block {block + 1} of {BLOCKS})"
    )


def test_the_same_seed_draws_the_same_rules_and_samples() -> None:
    one, two = Draw(17), Draw(17)
    assert one.rules == two.rules
    assert list(map(repr, feed(one, 200))) == list(map(repr, feed(two, 200)))


def test_the_samples_reach_what_they_are_meant_to() -> None:
    """A comparison in which nothing ever happens would prove nothing."""
    states, seen = set(), dict.fromkeys(("instants", "rules", "stages", "ramps", "reasons"), 0)
    blind = primed = stops = 0
    for seed in range(40):
        draw = Draw(seed)
        pair = Pair(draw.rules, draw.sources)
        for sample in feed(draw, EVENTS):
            assert not pair.update(sample)
            answer = pair.model.answer
            states.add(answer["state"])
            blind += bool(answer["blind"])
            primed += not answer["priming"]
            stops += answer["stop"] is not None
        seen["instants"] += pair.instants
        seen["rules"] += any(one.on for one in pair.model.machines.latches.values())
        seen["stages"] += pair.model.machines.ladder.stage > 0
        seen["ramps"] += any(one.cap < 1 for one in pair.model.machines.ramps.values())
        seen["reasons"] += sum(len(one.reasons) for one in pair.told.values())
    assert states == {"ACTIVE", "CAUTION", "REDUCING", "HALTED"}
    assert min(blind, primed, stops, *seen.values()) > 0, seen
    assert seen["instants"] > 4_000
