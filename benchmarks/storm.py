"""The worst minutes: 100,000 liquidations a second through the intake, orders asked meanwhile.

`python -m benchmarks.storm --whole` takes ten million events for the growth of memory.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from statistics import quantiles
from typing import TYPE_CHECKING

from benchmarks.measuring import cpu, say
from benchmarks.reference import minutes, traded
from riskguard.engine.events import Event
from riskguard.engine.guard import Guard
from riskguard.engine.intake import Intake
from riskguard.engine.orders import Intent
from riskguard.language.reader import load_rules
from riskguard.market import HOUR, SECOND
from riskguard.shipped import shipped

if TYPE_CHECKING:
    from collections.abc import Iterator

START = 1_767_225_600_000_000_000
SYMBOL = "BTC/USDT:USDT"
RATE = 100_000  # events a second
SECONDS = 10
ASKED = 50  # events from one order to the next
QUICK, WHOLE = 1_000_000, 10_000_000
BARS = 20_000  # of the reference


def intake() -> Intake:
    """Return a guard of the pack balanced behind an intake that has seen one bar."""
    rules = load_rules(shipped("rules") / "balanced.yaml")
    made = Intake(Guard(rules, sources={"liq.long": "bybit"}))
    bar = {"open": 9e4, "high": 9e4, "low": 9e4, "close": 9e4, "interval_ns": HOUR}
    made.take(Event(START, "bar", SYMBOL, bar, source="bybit"))
    made.take(Event(START + 3 * SECOND, "clock", "*"))
    return made


def liquidations(count: int, first: int = 0) -> Iterator[Event]:
    """Yield events as a venue sends them, each with an id; in cents so that a sum is known."""
    step = SECOND // RATE
    for number in range(first, first + count):
        ts = START + 4 * SECOND + number * step
        data = {"liquidated_side": "long", "notional_usd": (number % 99_991 + 1) / 100}
        yield Event(ts, "liquidation", SYMBOL, data, ts + 50_000_000, "bybit", str(number))


def cents(count: int, first: int = 0) -> int:
    """Return what that many liquidations come to."""
    return sum(number % 99_991 + 1 for number in range(first, first + count))


def stormed(bar_seconds: float) -> None:
    """Take ten seconds of storm; print what an event and a decide cost."""
    live, asked = intake(), []
    taken, total = 0, RATE * SECONDS
    for begun in range(0, total, ASKED):
        bundle = list(liquidations(ASKED, begun))
        start = time.process_time_ns()
        for event in bundle:
            live.take(event)
        taken += time.process_time_ns() - start
        intent = Intent(bundle[-1].ts, SYMBOL, "buy", 1.0, 0.0, price=9e4)
        start = time.perf_counter_ns()
        live.guard.decide(intent)
        asked.append(time.perf_counter_ns() - start)
    held = sum(value for told in live.buckets.told.values() for value in told.values())
    if held != cents(total) or live.refused:
        raise SystemExit(f"storm: {held} cents, not {cents(total)}; refused {live.refused}")
    each = taken / total / 1e3
    say("storm_event", each, "us_cpu", 10)
    say("storm_event_to_bare_bar", each / bar_seconds / 1e6, "x_of_bare_bar", None)
    say("storm_10_s_of_events", taken / 1e9, "s_cpu", 10)
    say("storm_decide_p99", quantiles(asked, n=100)[98] / 1e6, "ms_wall", 1)


def growth(count: int) -> float:
    """Return how many MiB a process of its own grows by over so many events."""
    command = [sys.executable, "-m", "benchmarks.storm", f"--growth={count}"]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def grown(count: int) -> float:
    """Return how many MiB this process grows by while it takes events, after a first tenth."""
    live, first = intake(), count // 10
    for event in liquidations(first):
        live.take(event)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for event in liquidations(count - first, first):
        live.take(event)
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / unit


def main() -> None:
    asked = [text.removeprefix("--growth=") for text in sys.argv if text.startswith("--growth=")]
    if asked:
        print(grown(int(asked[0])))
        return
    frame = minutes(BARS)
    stormed(cpu(lambda: traded(frame, "bare")) / BARS)
    count = WHOLE if "--whole" in sys.argv else QUICK
    say(f"storm_growth_over_{count}_events", growth(count), "MiB", 5)


if __name__ == "__main__":
    main()
