from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.counts import counts

ROOT = Path(__file__).parents[2]


def killed(folder: Path, count: int) -> dict[str, object]:
    """Run the harness in an interpreter of its own: a small one forks fast."""
    command = [sys.executable, "-m", "tests.store.killing", str(folder), str(count), "20260212"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@counts(2_000, 10_000)
def test_kills_in_mid_save_lose_nothing_that_was_acknowledged(count: int, folder: Path, measured):
    found = killed(folder, count)
    assert not found["faults"]
    assert found["aside"] == 0
    assert found["saves"] > count
    measured(
        f"{count:,} real kill -9 of a writer, {found['silent']:,} of them in mid-start:"
        f" {found['saves']:,} commits acknowledged, 0 lost, 0 damaged"
    )


def test_kills_on_a_real_disk_lose_nothing_either(tmp_path: Path):
    found = killed(tmp_path / "state", 30)
    assert not found["faults"]
    assert found["aside"] == 0


@pytest.mark.parametrize("lied", [0, 1])
def test_the_harness_would_see_a_lost_commit(lied: int, folder: Path):
    """Acknowledge more than was stored, and it must be found."""
    from tests.store import killing

    said = iter([[[5, 5, 0, 1, ""]], [[5 - lied, 5, 0, 1, ""]]])
    life, journal = killing.life, killing.Journal
    killing.life = lambda *_: next(said)
    killing.Journal = lambda _: type("Sound", (), {"verify": lambda _: ""})()
    folder.mkdir()
    try:
        assert bool(killing.run(folder, 2, 1)["faults"]) == bool(lied)
    finally:
        killing.life, killing.Journal = life, journal
