"""Processor time and ratios; a ratio is taken pair by pair, so that drift cancels."""

from __future__ import annotations

import gc
import time
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def cpu(work: Callable[[], object]) -> float:
    """Return the processor seconds of one call."""
    gc.collect()
    start = time.process_time()
    work()
    return time.process_time() - start


def ratio(first: Callable[[], object], second: Callable[[], object], rounds: int = 5) -> float:
    """Return the median ratio of processor time, first over second, measured in turn."""
    first()
    second()
    return median(cpu(first) / cpu(second) for _ in range(rounds))


def say(name: str, value: float, unit: str, goal: float | None, *, least: bool = False) -> bool:
    """Print one line `NAME value unit goal ok|short`; goals are upper bounds unless `least`."""
    met = goal is None or (value >= goal if least else value <= goal)
    bound = "-" if goal is None else f"{'>=' if least else '<='}{goal:g}"
    print(f"{name} {value:.4g} {unit} {bound} {'ok' if met else 'short'}", flush=True)
    return met
