"""What the adapter adds to hummingbot's backtest: for each executor asked, and for each step.

The guard's own time is taken out: it is measured elsewhere.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # `engine`

from benchmarks.inside import own, timed
from benchmarks.measuring import say  # before hummingbot, which brings a package of that name
from riskguard.testing import ScriptedGuard

STEPS, ASKED = 200, 10


def main() -> None:
    """Ask for an order at each step, two at rest; say what the adapter's part cost."""
    from engine import BUY, Steps

    from riskguard.adapters.hummingbot.watch import Watch

    warnings.simplefilter("ignore")
    for name in ("take", "decide", "poll"):
        timed(ScriptedGuard, name, guard=True)
    timed(Watch, "judged")
    timed(Watch, "look")
    steps = Steps(ScriptedGuard())
    steps.step(100.0, *[lambda one: one.order(BUY, 1, 50.0)] * 2)
    for _ in range(STEPS):
        steps.step(100.0)
        for _ in range(ASKED):  # each as if the one before were not there
            steps.act(lambda one: one.order(BUY, 0.01, 50.0))
            steps.watch.book.sent.clear()
            steps.engine.active_executor_simulations.pop()
    say("hummingbot_executor", own("judged"), "us", 50.0)
    say("hummingbot_step", own("look"), "us", None)


if __name__ == "__main__":
    main()
