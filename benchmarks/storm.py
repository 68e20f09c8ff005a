"""The worst minutes: 100,000 liquidations a second through the intake, orders asked meanwhile.

Memory is measured twice: over a storm of seconds, and over sixty days of minutes, from the day on
that windows of 28 days are full. `python -m benchmarks.storm --whole` takes ten million events for
each of the two (several minutes).
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
from riskguard.language.reader import load_rules, read_text
from riskguard.market import DAY, HOUR, MINUTE, SECOND
from riskguard.shipped import shipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

START = 1_767_225_600_000_000_000
SYMBOL = "BTC/USDT:USDT"
RATE = 100_000  # events a second
SECONDS = 10
ASKED = 50  # events from one order to the next
QUICK, WHOLE = 1_000_000, 10_000_000
BARS = 20_000  # of the reference
DAYS, FULL = 60 * DAY, 29 * DAY
MONTHS = """\
version: 1
symbol: BTC
every: 1m
rules:
  flood: {when: liq.long.sum(28d) > $1T, clear: liq.long.sum(28d) < $1B, do: {exposure_cap: 50%}}
  burst:
    when: liq.long.sum(60m).times_avg(28d) > 50x
    clear: liq.long.sum(60m).times_avg(28d) < 2x
    do: {block_entries: long}
  fall: {when: close.drawdown(28d) > 50%, clear: close.drawdown(28d) < 9%, do: {reduce_only: true}}
  wild: {when: close.stdev(28d) > 5000, clear: close.stdev(28d) < 50, do: {block_entries: both}}
"""


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


def months(count: int) -> Iterator[Event]:
    """Yield so many liquidations, evenly over sixty days, and the bars of their minutes."""
    step, closed = DAYS // count, START
    for number in range(count):
        ts = START + number * step
        while closed + MINUTE <= ts:
            closed += MINUTE
            close = 9e4 + closed // MINUTE % 997
            bar = {"open": 9e4, "high": 9.1e4, "low": 9e4, "close": close, "interval_ns": MINUTE}
            yield Event(closed, "bar", SYMBOL, bar, source="bybit")
        data = {"liquidated_side": "long", "notional_usd": (number % 99_991 + 1) / 100}
        yield Event(ts, "liquidation", SYMBOL, data, ts + 50_000_000, "bybit", str(number))


def growth(kind: str, count: int) -> float:
    """Return how many MiB a process of its own grows by over so many events."""
    command = [sys.executable, "-m", "benchmarks.storm", kind, str(count)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def stormy(count: int) -> float:
    """Return how many MiB this process grows by over a storm, after a first tenth."""
    live, first = intake(), count // 10
    for event in liquidations(first):
        live.take(event)
    return grown(live, liquidations(count - first, first))


def monthly(count: int) -> float:
    """Return how many MiB this process grows by over minutes, once windows of 28 days are full."""
    ruleset, found = read_text(MONTHS, "months.yaml")
    if ruleset is None:
        raise SystemExit("\n".join(one.render() for one in found))
    live, told = Intake(Guard(ruleset)), months(count)
    for event in told:
        live.take(event)
        if event.ts >= START + FULL:
            break
    decision = live.guard.decision
    if decision.priming or decision.blind or live.refused:
        raise SystemExit(f"storm: {decision.priming} {decision.blind} {live.refused}")
    return grown(live, told)


def grown(live: Intake, events: Iterable[Event]) -> float:
    """Return how many MiB this process grows by while it takes events."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for event in events:
        live.take(event)
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / unit


def main() -> None:
    kinds = {"storm": stormy, "months": monthly}
    if len(sys.argv) == 3 and sys.argv[1] in kinds:
        print(kinds[sys.argv[1]](int(sys.argv[2])))
        return
    frame = minutes(BARS)
    stormed(cpu(lambda: traded(frame, "bare")) / BARS)
    count = WHOLE if "--whole" in sys.argv else QUICK
    say(f"storm_growth_over_{count}_events", growth("storm", count), "MiB", 5)
    say(f"months_growth_over_{count}_events", growth("months", count), "MiB", 5)


if __name__ == "__main__":
    main()
