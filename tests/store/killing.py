"""Kill a writer in mid-save, over and over: `python -m tests.store.killing FOLDER COUNT SEED`.

Each child opens the state, says what it found, and acknowledges each commit through a pipe until
SIGKILL comes. What was acknowledged must be there for the next child, and in order.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from riskguard.store import Journal, Store
from tests.store.made import Writer, ends, wrong

WORDS = 10  # that a child may have said before its end is near, at most
LONGEST = 0.001  # seconds from the last of these to its end
EARLY = 0.1  # of the children are killed in mid-start


def child(folder: Path, seed: int, pipe: int) -> None:
    """Write until killed; each line says how far it is on disk."""
    with Store(folder) as store:
        fault = wrong(store.restored) if store.restored.seq else store.restored.lost
        os.write(pipe, f"{json.dumps([*ends(store), fault])}\n".encode())
        writer = Writer(store, seed)
        while True:
            fault = "" if writer.step() else f"degraded: {store.degraded}"
            os.write(pipe, f"{json.dumps([*ends(store), fault])}\n".encode())


def life(folder: Path, dice: random.Random) -> list[list[int | str]]:
    """Return what a child said between its start and its end."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            child(folder, dice.getrandbits(32), writing)
        except BaseException as error:  # noqa: BLE001 - told to the parent
            os.write(writing, f"{json.dumps([0, 0, 0, 0, repr(error)])}\n".encode())
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        first, words = b"", 0 if dice.random() < EARLY else dice.randint(1, WORDS)
        while first.count(b"\n") < words and (more := pipe.read(4096)):
            first += more
        time.sleep(dice.uniform(0, LONGEST))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        dice.getrandbits(32)  # the child's own
        return [json.loads(line) for line in (first + pipe.read()).split(b"\n")[:-1]]


def run(folder: Path, count: int, seed: int) -> dict[str, int | list[str]]:
    """Kill `count` writers of one state; return counts and what went wrong."""
    dice = random.Random(seed)
    acked, saves, silent, faults = [0, 0, 0, 0], 0, 0, []
    for number in range(count):
        said = life(folder, dice)
        silent += not said
        saves += max(0, len(said) - 1)
        for *found, fault in said:
            if fault:
                faults.append(f"kill {number}: {fault}")
            if any(now < before for now, before in zip(found, acked, strict=True)):
                faults.append(f"kill {number}: {acked} was acknowledged, and {found} is there")
            acked = found
        if number % 100 == 0 and said and (fault := Journal(folder).verify()):
            faults.append(f"kill {number}: {fault}")
        if len(faults) > 10:
            break
    aside = sum(".bad-" in path.name for path in folder.iterdir())
    return {"saves": saves, "silent": silent, "acked": acked[0], "aside": aside, "faults": faults}


if __name__ == "__main__":
    place, kills, start = sys.argv[1:]
    sys.stdout.write(json.dumps(run(Path(place), int(kills), int(start))))
