"""A guard in a live bot: one update of ten rules with windows up to 28 days, one decide."""

from __future__ import annotations

import json
import time
import tracemalloc
from itertools import islice
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.measuring import cpu, say
from benchmarks.reference import minutes, pack, samples, stamps, traded
from riskguard.engine.guard import Guard
from riskguard.engine.orders import Intent
from riskguard.market import MINUTE, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

BARS = 50_000  # 28 days are 40,320 minutes
TIMED = 5_000
BARE = 20_000


def told(frame: pd.DataFrame) -> Iterator[Sample]:
    """Yield a frame as a bot tells it: one sample a minute."""
    columns = {key: values.tolist() for key, (_, values) in samples(frame).items()}
    for number, ts in enumerate(stamps(frame).tolist()):
        yield Sample(ts, "BTC", {key: values[number] for key, values in columns.items()})


def main() -> None:
    frame = minutes(BARS)
    ruleset, ahead = pack(frame), list(told(frame))
    tracemalloc.start()
    guard = Guard(ruleset)
    for sample in ahead[:-TIMED]:
        guard.update(sample)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    updates, decides = [], []
    for sample in islice(ahead, BARS - TIMED, None):
        start = time.perf_counter_ns()
        guard.update(sample)
        updates.append(time.perf_counter_ns() - start)
        intent = Intent(sample.ts + 1, "BTC", "buy", 1.0, 0.0, price=60_000.0)
        start = time.perf_counter_ns()
        guard.decide(intent)
        decides.append(time.perf_counter_ns() - start)
    if guard.decision.priming or guard.as_of % MINUTE:
        raise SystemExit("guard_live: 28 days are not filled")
    bare = cpu(lambda: traded(minutes(BARE), "bare")) / BARE * 1e6
    for name, times, goal in (("update_10_rules", updates, 10), ("decide", decides, 5)):
        each = median(times) / 1e3
        say(name, each, "us_median", goal)
        say(f"{name}_to_bare_bar", each / bare, "x_of_bare_bar", None)
    say("guard_of_28_days_of_minutes", held / 2**20, "MiB", None)
    say("dump_of_28_days_of_minutes", len(json.dumps(guard.dump())) / 2**20, "MiB", None)


if __name__ == "__main__":
    main()
