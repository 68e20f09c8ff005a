"""A bot in a process of its own, to whom the commands speak."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["bot"]

LOOP = """\
import sys, time
from riskguard.live.session import Session
from riskguard.engine.events import Event
from riskguard.market import HOUR

with Session(sys.argv[1], sys.argv[2]) as session:
    now = time.time_ns() // HOUR * HOUR
    for hour, close in enumerate(map(float, sys.argv[3].split(",")), 1 - sys.argv[3].count(",")):
        bar = {"close": close, "interval_ns": HOUR}
        session.prime([Event(now + (hour - 1) * HOUR, "bar", "BTC", bar)])
    session.tick()
    print("ready", flush=True)
    if "hangs" in sys.argv:
        sys.stdin.read()
    import select
    while not select.select([sys.stdin], [], [], 0.05)[0]:
        session.tick()
"""


@contextmanager
def bot(
    rules: Path, state: Path, closes: str = "100,100,100", *words: str, ends: int = 0
) -> Iterator[subprocess.Popen]:
    """Run a bot that ticks until it is left; with the word "hangs" it does not tick."""
    command = [sys.executable, "-c", LOOP, str(rules), str(state), closes, *words]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
        process.stdin.close()
        assert process.wait(30) == ends
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stdin.close()
