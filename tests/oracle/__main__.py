"""`python -m tests.oracle --seed N`: play one seed again and show where engine and oracle part."""

from __future__ import annotations

import argparse
import sys

from tests.oracle.compare import EVENTS, replayed, shrunk

__all__: list[str] = []


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--events", type=int, default=EVENTS)
    given = parser.parse_args()
    draw, samples, found = replayed(given.seed, given.events)
    write = sys.stdout.write
    if found is None:
        write(f"seed {given.seed}: {len(samples)} events, engine and oracle are equal\n")
        return 0
    rules, few, found = shrunk(draw.rules, draw.sources, samples)
    write(f"seed {given.seed}: they differ after event {found.event}\n  {found.text}\n")
    write(f"evaluate {rules.evaluate}, every {rules.every}, zone {rules.timezone}\n")
    for name, node in rules.define.items():
        write(f"define {name}: {node}\n")
    for latch in (*rules.stages, *rules.rules):
        write(f"{latch}\n")
    for number, sample in enumerate(few[-6:], len(few) - len(few[-6:])):
        write(f"{number}: {sample}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
