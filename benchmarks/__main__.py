"""Run every benchmark: one line `NAME value unit goal ok|short` each."""

from __future__ import annotations

import platform
import sys
from importlib import metadata

from benchmarks import (
    adapters,
    backtrader_order,
    command_time,
    evidence,
    feed_load,
    guard_cost,
    guard_live,
    pack_update,
    page,
    reading,
    storm,
    study,
)


def main() -> None:
    versions = [f"{name} {metadata.version(name)}" for name in ("backtrader", "numpy", "pandas")]
    print(f"# Python {platform.python_version()}, {', '.join(versions)}, {platform.machine()}")
    sys.stdout.flush()
    for bench in (
        guard_cost,
        feed_load,
        pack_update,
        guard_live,
        storm,
        reading,
        evidence,
        page,
        study,
        backtrader_order,
        adapters,
        command_time,
    ):
        bench.main()


if __name__ == "__main__":
    main()
