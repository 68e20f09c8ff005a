"""Let starters race for one state: `python -m tests.store.racing FOLDER RACES STARTERS`.

All wait at a gate, start at once, and the ones that got the state commit and hold on until all
have answered. Then a second wave runs into the holder.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from riskguard.errors import StateInUseError
from riskguard.store import Store
from tests.store.made import entry

COMMITS = 100


def starter(folder: Path, gate: int, say: int, stay: int) -> None:
    os.read(gate, 1)
    try:
        store = Store(folder)
    except StateInUseError:
        os.write(say, b"refused\n")
        return
    with store:
        for _ in range(COMMITS):
            assert store.commit([entry(store.seq + 1)])
        os.write(say, b"held\n")
        os.read(stay, 1)
        assert store.commit([entry(store.seq + 1)])
        os.write(say, b"wrote\n")


def wave(folder: Path, count: int, stay: int, say: int) -> list[int]:
    """Start all at once: the gate opens when its last writing end is closed."""
    gate, opener = os.pipe()
    pids = []
    for _ in range(count):
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                os.close(opener)
                starter(folder, gate, say, stay)
                code = 0
            finally:
                os._exit(code)
        pids.append(pid)
    os.close(gate)
    os.close(opener)
    return pids


def race(folder: Path, starters: int) -> list[str]:
    """Return what the starters of both waves said, and how many of them failed."""
    heard, say = os.pipe()
    stay, leave = os.pipe()
    with os.fdopen(heard) as lines:
        pids = wave(folder, starters, stay, say)
        said = [lines.readline().strip() for _ in pids]
        more = wave(folder, 2, stay, say)
        said += [lines.readline().strip() for _ in more]
        os.close(stay)
        os.write(leave, b"x" * starters)
        os.close(leave)
        os.close(say)
        said += lines.read().split()
    codes = [os.waitpid(pid, 0)[1] for pid in pids + more]
    return [*said, *(f"code {code}" for code in codes if code)]


if __name__ == "__main__":
    place, races, each = sys.argv[1:]
    folders = [Path(place) / str(number % 20) for number in range(int(races))]
    sys.stdout.write(json.dumps([race(folder, int(each)) for folder in folders]))
