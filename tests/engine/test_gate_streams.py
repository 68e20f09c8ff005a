"""Random order streams over a small venue: no invariant of the gate is ever broken."""

from __future__ import annotations

from collections import Counter

from tests.counts import counts
from tests.engine.venue import play

STEPS = 14


@counts(20_000, 200_000)
def test_no_stream_breaks_an_invariant_of_the_gate(count, measured) -> None:
    seen: Counter[str] = Counter()
    for seed in range(count):
        try:
            seen += play(seed, STEPS)
        except AssertionError as broken:
            raise AssertionError(f"seed {seed}: {broken}") from broken
    told = ", ".join(f"{number:,} {what}" for what, number in sorted(seen.items()))
    measured(f"order gate: {count:,} streams of {STEPS} steps; {told}")
