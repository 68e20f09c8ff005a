"""What the adapter adds to an order of a bot on ccxt, and to a step of its duties.

Nothing is sent: the calls of the framework that would go out are answered from memory, and what
they cost bare is taken off.
"""

from __future__ import annotations

import time
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any

import ccxt as library

from benchmarks.measuring import say
from riskguard import Event, Guard
from riskguard.adapters.ccxt import guard_exchange
from riskguard.adapters.shared.desk import Offline
from riskguard.engine.decision import State
from riskguard.language.reader import read_text
from riskguard.market import MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable

ORDERS, ROUNDS = 500, 9
START = 1_770_000_000_000_000_000
SYMBOL = "BTC/USDT:USDT"
RULES = """\
version: 1
symbol: BTC
every: 1m
rules:
  fallen: {when: close < 90, clear: close > 95, do: {exposure_cap: 50%}}
  lost: {when: close < 80, clear: close > 95, do: {exposure_cap: 0%}}
"""


def desk(close: float) -> Offline:
    """Return a desk that has seen a bar of real rules."""
    ruleset, found = read_text(RULES, "rules.yaml")
    assert ruleset is not None, found
    made = Offline(Guard(ruleset))
    made.take(Event(START, "bar", SYMBOL, {"close": close, "interval_ns": MINUTE}))
    return made


def each(work: Callable[[], object]) -> float:
    """Return the microseconds of one call, the median of several rounds."""
    found = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        for _ in range(ORDERS):
            work()
        found.append((time.process_time() - begun) / ORDERS * 1e6)
    return median(found)


def main() -> None:
    """A bot on ccxt: an order while nothing limits, an exit under a cap, a step of the duties."""

    def venue() -> Any:
        exchange = library.binanceusdm()
        exchange.markets = {SYMBOL: {"symbol": SYMBOL, "base": "BTC", "contract": True,
                                     "contractSize": 1.0, "precision": {"amount": 0.001},
                                     "limits": {"amount": {"min": 0.001}}}}  # fmt: skip
        position = {"symbol": SYMBOL, "side": "long", "contracts": 1.0}
        exchange.create_order = lambda *_given: {"id": "1"}
        exchange.fetch_open_orders = lambda *_given: []
        exchange.fetch_positions = lambda *_given: [position]
        exchange.feature_value = lambda *_given: False
        return exchange

    bare = venue()
    base = each(lambda: bare.create_order(SYMBOL, "market", "buy", 1.0))
    for close, side, name in ((100.0, "buy", "order"), (85.0, "sell", "exit_under_a_cap")):
        exchange = venue()
        made = desk(close)
        guarded = guard_exchange(exchange, made, symbols=[SYMBOL], now=lambda: START, watch=1e9)
        assert (made.decision.state is State.ACTIVE) is (side == "buy")
        order = partial(exchange.create_order, SYMBOL, "market", side, 0.1)
        taken = each(order)
        say(f"adapter_ccxt_{name}", taken - base, "us", 50)
        say(f"adapter_ccxt_step_{made.decision.state.name.lower()}", each(guarded.step), "us", None)


if __name__ == "__main__":
    main()
