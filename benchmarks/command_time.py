"""Wall time of commands on what is embedded, a fresh process each time."""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median

from benchmarks.measuring import say
from riskguard.shipped import shipped

RISKGUARD = [sys.executable, "-m", "riskguard"]
# name -> arguments and what it may take, in seconds
COMMANDS = {
    "backtest_feb_2026": (["backtest", "--quiet"], 3.0),
    "check_all_packs": (["check", str(shipped("rules"))], 1.0),
}


def main() -> None:
    def once(arguments: list[str]) -> float:
        start = time.perf_counter()
        subprocess.run([*RISKGUARD, *arguments], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start

    for name, (arguments, goal) in COMMANDS.items():
        once(arguments)
        say(name, median(once(arguments) for _ in range(5)), "s_wall", goal)


if __name__ == "__main__":
    main()
