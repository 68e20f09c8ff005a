"""Wall time of `riskguard backtest` on the embedded scenario, a fresh process each time."""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median

from benchmarks.measuring import say

COMMAND = [sys.executable, "-m", "riskguard", "backtest", "--quiet"]


def main() -> None:
    def once() -> float:
        start = time.perf_counter()
        subprocess.run(COMMAND, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start

    once()
    say("backtest_feb_2026", median(once() for _ in range(5)), "s_wall", 3.0)


if __name__ == "__main__":
    main()
