"""A small live bot on ccxt.pro: it buys a little every few seconds, and obeys a guard.

    pip install riskguard[data]
    python examples/live_ccxt.py --exchange binanceusdm --settings keys.json --rules rules.yaml

`--settings` is what ccxt takes: apiKey, secret, urls. Everything the guard needs is here: its
memory in a folder, feeds of the same exchange, and one call that judges every order the bot sends
and does what must be done unasked. Ctrl-C ends it; started again it remembers.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import time
from pathlib import Path
from typing import Any

from riskguard import Event, Fit, Session
from riskguard.adapters.ccxt import CAPABILITIES, RiskDenied, guard_exchange
from riskguard.feeds.recorded import recorded
from riskguard.feeds.recorder import opened
from riskguard.feeds.served import served
from riskguard.feeds.streaming import Feeds
from riskguard.feeds.venues import venue
from riskguard.market import DAY
from riskguard.shipped import shipped


async def trade(exchange: Any, symbol: str, amount: float, pause: float) -> None:  # noqa: ANN401 - ccxt is untyped
    """Buy a little, again and again: the strategy, which knows nothing of the guard."""
    while True:
        try:
            order = await exchange.create_order(symbol, "market", "buy", amount)
            print(f"bought {order['amount']:g}", flush=True)
        except RiskDenied as denied:
            print(f"not bought: {denied}", flush=True)
        await asyncio.sleep(pause)


async def past(exchange: Any, given: argparse.Namespace, every: int) -> list[Event]:  # noqa: ANN401 - as above
    """Return what was before: the days the venue serves, then what was recorded, where it was."""
    now = time.time_ns()
    own = list(recorded(given.recording)) if given.recording else []
    begun = own[0].ts if own else now
    days = now - given.days * DAY
    return [*await served(exchange, (given.symbol,), days, begun, every=every), *own]


async def run(given: argparse.Namespace) -> None:
    """Guard one exchange, feed the guard from it, and trade."""
    settings = json.loads(given.settings.read_text()) if given.settings else {}
    exchange = opened(given.exchange, settings)
    await exchange.load_markets()
    market = exchange.market(given.symbol)
    source = venue(exchange.id).name
    fit = Fit(
        symbol=market["base"],
        sources={"liq.long": source, "liq.short": source},
        capabilities=CAPABILITIES,
    )
    with Session(given.rules, given.state, fit=fit) as session:
        session.prime(await past(exchange, given, session.guard.plan.every))
        guarded = guard_exchange(exchange, session, symbols=[given.symbol])
        feeds = Feeds(exchange, (given.symbol,), session.take)
        running = [
            asyncio.ensure_future(feeds.run()),
            asyncio.ensure_future(trade(exchange, given.symbol, given.amount, given.pause)),
        ]
        state, stop = None, asyncio.Event()  # Ctrl-C ends it between two steps, never within one
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
        try:
            while not stop.is_set() and not any(task.done() for task in running):
                for symbol, done in (await guarded.step()).items():  # each second: time, duties
                    for order in done.sent:
                        print(f"{symbol}: {order.side} {order.quantity:g}, reducing", flush=True)
                if session.decision.state is not state:
                    state = session.decision.state
                    print(f"the guard is {state.name}", flush=True)
                await asyncio.sleep(1)
            for task in running:
                if task.done():
                    task.result()
        finally:
            for task in running:
                task.cancel()
            await asyncio.wait(running, timeout=5)
            await exchange.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A small live bot under a guard.")
    parser.add_argument("--exchange", default="binanceusdm")
    parser.add_argument("--symbol", default="BTC/USDT:USDT")
    parser.add_argument("--settings", type=Path, help="JSON for ccxt: apiKey, secret, urls")
    parser.add_argument("--rules", default=shipped("rules") / "cascade.yaml", help="a rule file")
    parser.add_argument("--state", default="riskguard-state", help="where the guard remembers")
    parser.add_argument("--recording", type=Path, help="a folder of riskguard record")
    parser.add_argument("--days", type=int, default=30, help="of history that the venue serves")
    parser.add_argument("--amount", type=float, default=0.01)
    parser.add_argument("--pause", type=float, default=5.0, help="seconds between two buys")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run(parser.parse_args()))
