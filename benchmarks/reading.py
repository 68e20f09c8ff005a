"""Reading rules: every pack, two thousand rules, and files made to be slow."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.measuring import cpu, say
from riskguard.language.reader import read_rules, read_text
from riskguard.shipped import shipped
from tests.language.hostile import HOSTILE, LARGE
from tests.language.reading import Reader

PACKS = [path for path in shipped("rules").glob("*.yaml") if not path.stem.endswith("_test")]


def checked() -> float:
    """Return the wall seconds of `riskguard check` on all packs, in a fresh process."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "riskguard", "check", *map(str, PACKS)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def hostile(loader: str) -> tuple[float, float]:
    """Return the most processor seconds and MiB that a hostile file took."""
    reader = Reader()
    with TemporaryDirectory() as folder:
        path, seconds, mebibytes = Path(folder) / "rules.yaml", 0.0, 0.0
        for make in HOSTILE.values():
            path.write_bytes(make())
            outcome = reader.read(path, loader)
            if outcome.killed or outcome.raised or outcome.accepted:
                raise SystemExit(f"a hostile file was not refused: {outcome}")
            seconds, mebibytes = max(seconds, outcome.seconds), max(mebibytes, outcome.mebibytes)
    reader.close()
    return seconds, mebibytes


def main() -> None:
    checked()
    say("check_all_packs", median(checked() for _ in range(5)), "s_wall", 1.0)
    slowest = max(min(cpu(lambda p=p: read_rules(p)) for _ in range(5)) for p in PACKS)
    say("read_slowest_pack", slowest * 1e3, "ms", 50)
    for name in ("2,000 rules", "1,990 rules that clear"):
        text = LARGE[name]()
        took = min(cpu(lambda text=text: read_text(text, "rules.yaml")) for _ in range(3))
        say(f"read_{name.replace(' ', '_').replace(',', '')}", took, "s", 2.0)
    if sys.platform == "linux":  # its children are measured there only
        for loader in ("C", "Python"):
            seconds, mebibytes = hostile(loader)
            say(f"hostile_file_loader_{loader}", seconds, "s", 0.5)
            say(f"hostile_file_memory_loader_{loader}", mebibytes, "MiB", 50)


if __name__ == "__main__":
    main()
