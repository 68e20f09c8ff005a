"""Whole live sessions under random faults: safe at every step, and back when the faults stop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.counts import counts
from tests.sim.world import World

KEPT = Path(__file__).parents[1] / "sim_seeds.txt"  # seeds that found something, for ever
FIRST = 10_000  # of the seeds that are new with each count


def kept() -> list[int]:
    """Return the seeds that failed once."""
    lines = (line.partition("#")[0].strip() for line in KEPT.read_text().splitlines())
    return [int(line) for line in lines if line]


def played(seed: int, folder: Path) -> Counter[str]:
    try:
        return World(seed, folder).run()
    except Exception as error:
        note = f"replay it with a trace: python -m tests.sim --seed {seed}"
        error.add_note(f"{note}; then add the seed to tests/{KEPT.name}")
        raise


@pytest.mark.parametrize("seed", kept())
def test_a_seed_that_failed_once_holds(seed: int, tmp_path: Path) -> None:
    played(seed, tmp_path)


@counts(40, 100_000)
def test_no_seed_breaks_a_promise(
    count: int, tmp_path: Path, measured: Callable[[str], None]
) -> None:
    seen = Counter[str]()
    for seed in range(FIRST, FIRST + count):
        folder = tmp_path / str(seed)
        folder.mkdir()
        seen += played(seed, folder)
    faults = ", ".join(f"{number:,} {name}" for name, number in sorted(seen.items()))
    measured(f"simulator: {count:,} seeds; {faults}")
    assert min(seen[f"agreed {name}"] for name in ("ACTIVE", "CAUTION", "HALTED", "REDUCING")) > 0


def test_a_seed_is_one_world(tmp_path: Path) -> None:
    told: list[list[str]] = [[], []]
    for number, lines in enumerate(told):
        folder = tmp_path / str(number)
        folder.mkdir()
        World(FIRST, folder, tell=lines.append).run()
    assert told[0] == told[1]
    assert len(told[0]) > 20
