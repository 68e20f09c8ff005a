"""A guard in a live bot: one update of ten rules with windows up to 28 days, one decide.

The rules are those of `reference`, as they protect. An order is asked after each bar in every
kind, and counted under the state it was asked in. `empty_call` is the least that an answer can
cost: a call under a lock that makes a verdict and looks at nothing.
"""

from __future__ import annotations

import json
import threading
import time
import tracemalloc
from collections import defaultdict
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.measuring import cpu, say
from benchmarks.reference import PROTECTING, minutes, pack, samples, stamps, traded
from riskguard.engine.decision import State
from riskguard.engine.guard import Guard
from riskguard.engine.orders import Intent, Pending, Verdict
from riskguard.market import MINUTE, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

BARS = 50_000  # 28 days are 40,320 minutes
TIMED = 9_000  # after 41,000, and through every state
BARE = 20_000
PRICE = 60_000.0
SELLS = (Pending("1", "sell", 0.5, resting=True),)
BUYS = (Pending("1", "buy", 0.5, resting=True),)
REST = (False, (), State.ACTIVE, False, (), None, None, 0, "")  # of an empty verdict
# what is asked: side, quantity, position, orders that are open
KINDS = {
    "entry": ("buy", 1.0, 0.0, ()),
    "entry_beside_one": ("buy", 1.0, 1.0, BUYS),
    "exit": ("sell", 1.0, 2.0, ()),
    "exit_beside_one": ("sell", 1.0, 2.0, SELLS),
}


def told(frame: pd.DataFrame) -> Iterator[Sample]:
    """Yield a frame as a bot tells it: one sample a minute."""
    columns = {key: values.tolist() for key, (_, values) in samples(frame).items()}
    for number, ts in enumerate(stamps(frame).tolist()):
        yield Sample(ts, "BTC", {key: values[number] for key, values in columns.items()})


class Empty:
    """Answers without looking: a lock, a call, a verdict."""

    def __init__(self) -> None:
        self._lock = threading.RLock()

    def decide(self, intent: Intent) -> Verdict:
        """Allow an order."""
        with self._lock:
            return Verdict("allow", intent.quantity, "open", *REST)


def timed(call: Callable[[object], object], given: object) -> int:
    """Return the wall ns of one call."""
    start = time.perf_counter_ns()
    call(given)
    return time.perf_counter_ns() - start


def main() -> None:
    frame = minutes(BARS)
    ruleset, ahead = pack(frame, PROTECTING), list(told(frame))
    tracemalloc.start()
    guard = Guard(ruleset)
    for sample in ahead[:-TIMED]:
        guard.update(sample)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    taken, empty = defaultdict[str, list[int]](list), Empty()
    for sample in ahead[-TIMED:]:
        taken["update_10_rules"].append(timed(guard.update, sample))
        state = guard.decision.state.name.lower()
        for kind, (side, quantity, position, pending) in KINDS.items():
            intent = Intent(sample.ts + 1, "BTC", side, quantity, position, pending, PRICE)
            taken[f"decide_{kind}_{state}"].append(timed(guard.decide, intent))
            taken["empty_call"].append(timed(empty.decide, intent))
    if guard.decision.priming or guard.as_of % MINUTE:
        raise SystemExit("guard_live: 28 days are not filled")
    bare = cpu(lambda: traded(minutes(BARE), "bare")) / BARE * 1e6
    goals = {"update": 10.0, "decide": 5.0, "empty": None}
    for name, times in sorted(taken.items(), reverse=True):
        each = median(times) / 1e3
        say(name, each, "us_median", goals[name.partition("_")[0]])
        say(f"{name}_to_bare_bar", each / bare, "x_of_bare_bar", None)
    say("guard_of_28_days_of_minutes", held / 2**20, "MiB", None)
    say("dump_of_28_days_of_minutes", len(json.dumps(guard.dump())) / 2**20, "MiB", None)


if __name__ == "__main__":
    main()
