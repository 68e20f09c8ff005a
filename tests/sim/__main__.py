"""Play seeds: `python -m tests.sim --seed N` replays one with a trace, `--to N` many."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from tests.sim.world import World


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.sim")
    parser.add_argument("--seed", type=int, help="replay one seed with a trace")
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--to", dest="last", type=int, default=100)
    given = parser.parse_args()
    if given.seed is not None:
        with tempfile.TemporaryDirectory() as folder:
            World(given.seed, Path(folder), tell=say).run()
        return
    seen, failed, start = Counter[str](), [], time.process_time()
    for seed in range(given.first, given.last):
        with tempfile.TemporaryDirectory() as folder:
            try:
                seen += World(seed, Path(folder)).run()
            except Exception as error:  # noqa: BLE001 - whatever it is, the seed has failed
                failed.append(seed)
                last = traceback.extract_tb(error.__traceback__)[-1]
                say(f"seed {seed}: {type(error).__name__} {str(error)[:160]} ({last.name})")
    say(f"{given.last - given.first} seeds, {len(failed)} failed: {failed}")
    say(f"{time.process_time() - start:.1f} s; {dict(sorted(seen.items()))}")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
