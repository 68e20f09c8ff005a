"""What the adapter adds to freqtrade's backtest: for each order asked, and for each candle.

The guard's own time is taken out: it is measured elsewhere.
"""

from __future__ import annotations

import contextlib
import io
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from freqtrade.main import main as freqtrade

from benchmarks.measuring import say
from riskguard.adapters.freqtrade.duties import Duties
from riskguard.adapters.freqtrade.watch import Watch
from riskguard.engine.guard import Guard
from riskguard.history import History
from tests.e2e.freqtrade.folder import candles, command, written
from tests.stub.binance import urls
from tests.stub.server import Stub

SPENT: Counter[str] = Counter()  # ns, what was called inside included
CALLS: Counter[str] = Counter()
INSIDE: Counter[str] = Counter()  # ns of the guard, by the call of the adapter around it
AROUND: list[str] = []


def timed(owner: Any, name: str, *, guard: bool = False) -> None:
    """Count the time of a method, and that of the guard inside it."""
    inner = getattr(owner, name)

    def outer(*args: Any, **words: Any) -> Any:
        if not guard:
            AROUND.append(name)
        began = time.thread_time_ns()
        try:
            return inner(*args, **words)
        finally:
            took = time.thread_time_ns() - began
            if guard and AROUND:
                INSIDE[AROUND[-1]] += took
            elif not guard:
                AROUND.pop()
                SPENT[name] += took
                CALLS[name] += 1

    setattr(owner, name, outer)


def main() -> None:
    """Run the averaging strategy under the guard and say what its hooks cost."""
    for name in ("update", "decide", "poll"):
        timed(Guard, name, guard=True)
    timed(Watch, "judge")
    timed(Watch, "loop")
    timed(Duties, "reduction")
    with Stub() as stub, TemporaryDirectory() as place:
        folder = Path(place)
        written(folder, urls(stub.port), stake_amount=30_000, dry_run_wallet=100_000)
        candles(folder, History.read("feb-2026"), "4h")
        strategies = str(Path(__file__).parent / "strategies")
        words = command(
            folder, "backtesting", "--strategy-path", strategies, "--cache", "none",
            "--timeframe", "4h", "--strategy-list", "AveragingGuarded",
        )[3:]  # fmt: skip
        with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
            freqtrade(words)
    for name, told, goal in (
        ("judge", "freqtrade_order", 50.0),
        ("loop", "freqtrade_candle", None),
        ("reduction", "freqtrade_reduction_asked", None),
    ):
        own = (SPENT[name] - INSIDE[name]) / 1000 / max(1, CALLS[name])
        say(told, own, "us", goal)


if __name__ == "__main__":
    main()
