"""A bot that trades nothing: a guard fed by one plug-in, whose rules tell another.

    OWN_TICKS=ticks.csv OWN_LOGBOOK=logbook.jsonl python bot.py

It prints each state of the guard until Ctrl-C, or for so many seconds. A real bot asks
`session.decide` before each order, and has the feeds of its exchange beside this one:
`riskguard.feeds.streaming.Feeds(exchange, symbols, session.take, plugins=("ticks",))`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from pathlib import Path

from riskguard import Session
from riskguard.feeds.vendors import Vendors

RULES = Path(__file__).with_name("live.yaml")


async def run(state: Path, seconds: float) -> None:
    """Guard for so many seconds."""
    with Session(RULES, state, plugins=["ticks", "logbook"]) as session:
        feeds = Vendors(["ticks"], ("BTC/USDT",), session.take)
        running = asyncio.ensure_future(feeds.run())
        shown = ""
        ends = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < ends and not running.done():
            decision = session.tick()
            if shown != decision.state.name:
                shown = decision.state.name
                print(shown, *decision.active, flush=True)
            await asyncio.sleep(0.2)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        for name, why in feeds.silent().items():
            print(f"{name}: {why}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A guard fed by a plug-in.")
    parser.add_argument("--state", type=Path, default=Path("state"))
    parser.add_argument("--for", dest="seconds", type=float, default=3600.0)
    given = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run(given.state, given.seconds))
