"""`python -m tests.mutants`: change the engine in small ways; count what the tests notice.

mutmut makes one change after another in the files that `[tool.mutmut]` of pyproject.toml names
and runs the tests that reach it. A file of which too few changes are noticed fails the run.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import Counter

__all__ = ["report"]

MUTMUT = (sys.executable, "-c", "from mutmut.__main__ import cli; cli()")
NOTICED = ("killed", "timeout")  # what never ends is noticed too
LEAST = 0.9  # of the changes in a file


def report(results: str) -> tuple[list[str], bool]:
    """Return a line a file, and whether each is good enough, from what `mutmut results` prints."""
    found: dict[str, Counter[str]] = {}
    for line in results.splitlines():
        mutant, _, status = line.strip().rpartition(": ")
        found.setdefault(mutant.rpartition(".")[0], Counter())[status] += 1
    lines, good = [], bool(found)
    for name, counts in sorted(found.items()):
        score = sum(counts[status] for status in NOTICED) / counts.total()
        told = ", ".join(f"{count:,} {status}" for status, count in sorted(counts.items()))
        lines.append(f"{name}: {score:.1%} of {counts.total():,} mutants noticed; {told}")
        good &= score >= LEAST
    return lines, good


def main() -> int:
    shutil.rmtree("mutants", ignore_errors=True)  # what other tests had noticed would stand
    subprocess.run([*MUTMUT, "run", *sys.argv[1:]], check=True)
    told = subprocess.run(
        [*MUTMUT, "results", "--all", "true"], check=True, capture_output=True, text=True
    )
    lines, good = report(told.stdout)
    sys.stdout.write("\n".join(("", *lines, "")))
    if not good:
        sys.stdout.write(
            f"under {LEAST:.0%}: `mutmut results` names them, `mutmut show` tells one\n"
        )
    return not good


if __name__ == "__main__":
    sys.exit(main())
