"""A recorder that is ended once something holds: no test waits for a number of seconds."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Coroutine
from typing import Any

__all__ = ["ended"]


async def ended(
    recorder: Coroutine[Any, Any, Any], holds: Callable[[], object], seconds: float = 60.0
) -> Any:
    """Let a recorder run until something holds, and end it as `kill` does; return what it gives."""
    running, ends = asyncio.ensure_future(recorder), time.monotonic() + seconds
    await asyncio.sleep(0)  # from here on it hears of signals, or has failed
    while not (running.done() or holds()):
        assert time.monotonic() < ends, "it did not happen"
        await asyncio.sleep(0.005)
    if not running.done():
        signal.raise_signal(signal.SIGTERM)
    return await running
