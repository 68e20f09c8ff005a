"""What the adapter adds to a BacktestEngine: for each order asked, and for each bar.

The guard's own time is taken out: it is measured elsewhere.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parent))  # `world`

from world import BUY, World

from benchmarks.inside import own, timed
from benchmarks.measuring import say
from riskguard.adapters.nautilus.gate import Gate
from riskguard.adapters.nautilus.watch import Watch
from riskguard.adapters.shared.desk import Offline

RULES = """\
version: 1
name: one level
symbol: BTC
every: 1h
rules:
  lost: {when: close < 75_000, clear: close > 79_000, do: {reduce_only: true}}
"""
BARS, RESTING = 1_000, 2


def main() -> None:
    """Ask for an order at each bar, two at rest; say what the adapter's part cost."""
    warnings.simplefilter("ignore")
    for name in ("take", "decide", "poll"):
        timed(Offline, name, guard=True)
    timed(Gate, "admit")
    timed(Watch, "hear_bar")
    with TemporaryDirectory() as place:
        path = Path(place) / "rules.yaml"
        path.write_text(RULES, encoding="utf-8")
        world = World(path)
        world.bar(80_000, *[lambda one: one.limit(BUY, 1, 60_000)] * RESTING)
        for number in range(BARS):
            world.bar(80_000 + number % 50, lambda one: one.market(BUY, 0.01))
        world.close()
    say("nautilus_order", own("admit"), "us", 50.0)
    say("nautilus_bar", own("hear_bar"), "us", None)


if __name__ == "__main__":
    main()
