"""What fuzzing found once stays mended; the fuzzer itself runs in `make soak`."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.counts import counts
from tests.fuzz.fuzz_rules import changed
from tests.fuzz.promises import kept
from tests.fuzz.seeds import seeds

ROOT = Path(__file__).parents[2]
RUNS = 10_000_000
# texts that broke a promise, cut down by hand
FOUND = {
    "override of a section that is no block": (
        "version: 1\nrules: {}\ndefine:\n  e any\noverride:\n  define:\n"
    ),
    "a list of rules with nothing in one of them": "version: 1\nrules:\n- {}\n",
}


@pytest.mark.parametrize("name", FOUND)
def test_what_was_found_stays_mended(name: str):
    assert not kept(FOUND[name])


def test_every_seed_keeps_the_promises():
    read = [kept(text) for text in seeds()]
    assert sum(read) > 80


@counts(4_000, 400_000)
def test_slips_in_the_seeds_break_no_promise(count: int, measured):
    dice, texts = random.Random(20260212), list(seeds())
    sound = [text for text in texts if kept(text)]
    drawn = (dice.choice(dice.choice([texts, sound])) for _ in range(count))
    accepted = sum(kept(changed(text, dice)) for text in drawn)
    measured(f"{count:,} files with slips of letters, words and lines: {accepted:,} accepted")
    assert accepted > count / 30


@pytest.mark.soak
@pytest.mark.needs_group("soak")
def test_ten_million_texts_break_no_promise(tmp_path: Path, measured):
    pytest.importorskip("atheris", reason="atheris is not for this version of Python")
    target = [sys.executable, "-m", "tests.fuzz.fuzz_rules", str(tmp_path)]
    limits = ["-max_len=2048", "-timeout=20", "-rss_limit_mb=1024", f"-runs={RUNS}"]
    run = subprocess.run(
        [*target, *limits], cwd=ROOT, capture_output=True, text=True, errors="replace", check=False
    )
    assert run.returncode == 0, run.stderr[-4_000:]
    done = re.search(r"Done (\d+) runs in (\d+) second", run.stderr)
    assert done
    assert int(done[1]) >= RUNS
    measured(f"{int(done[1]):,} texts fuzzed in {int(done[2]) / 60:.0f} min: no promise broken")
