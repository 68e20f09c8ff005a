"""Whole live sessions under random faults: safe at every step, and back when the faults stop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.counts import counts
from tests.sim.disk import WAYS
from tests.sim.feeds import FAULTS
from tests.sim.operating import OPERATIONS
from tests.sim.world import World

KEPT = Path(__file__).with_name("seeds.txt")
FIRST = 60_000  # of the seeds that are new with each count
STATES = ("ACTIVE", "CAUTION", "REDUCING", "HALTED")


def kept() -> list[int]:
    """Return the seeds at which something was broken once."""
    lines = KEPT.read_text(encoding="utf-8").splitlines()
    return [int(line.split()[0]) for line in lines if line.strip() and not line.startswith("#")]


def played(seed: int, folder: Path) -> Counter[str]:
    """Play a seed and return what happened how often; nothing of it stays in the folder."""
    try:
        with TemporaryDirectory(dir=folder) as own:
            return World(seed, Path(own)).run()
    except Exception as error:
        error.add_note(f"replay it: python -m tests.sim --seed {seed}; then add it to {KEPT.name}")
        raise


@pytest.mark.parametrize("seed", kept())
def test_a_seed_that_failed_once_holds(seed: int, tmp_path: Path) -> None:
    played(seed, tmp_path)


@counts(20, 5_000)
def test_no_seed_breaks_a_promise(
    count: int, tmp_path: Path, measured: Callable[[str], None]
) -> None:
    seen = Counter[str]()
    for seed in range(FIRST, FIRST + count):
        seen += played(seed, tmp_path)
    told = ", ".join(f"{number:,} {name}" for name, number in sorted(seen.items()))
    measured(f"simulator: {count:,} seeds hold; {told}")
    wanted = [f"feed {fault}" for fault in FAULTS] + [f"disk {way}" for way in WAYS]
    wanted += [*OPERATIONS, *(f"agreed {state}" for state in STATES)]
    assert [name for name in wanted if not seen[name]] == []


def test_a_seed_is_one_world(tmp_path: Path) -> None:
    told: list[list[str]] = [[], []]
    for number, lines in enumerate(told):
        folder = tmp_path / str(number)
        folder.mkdir()
        World(FIRST, folder, tell=lines.append).run()
    assert told[0] == told[1]
    assert len(told[0]) > 20
