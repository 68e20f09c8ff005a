"""A start at which events come in another order than they happened: nothing enters unjudged."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskguard import Event, Intent, Session
from riskguard.live.ticker import Ticker
from riskguard.market import MINUTE, SECOND

START = 1_770_000_000 * SECOND // MINUTE * MINUTE
RULES = """\
version: 1
symbol: BTC
every: 1m
{mode}rules:
  lost: {{when: "close < 75_000", clear: "close > 80_000", do: {{exposure_cap: 50%}}}}
"""


def bar(ts: int, close: float) -> Event:
    return Event(ts, "bar", "BTC", {"close": close, "interval_ns": MINUTE})


@pytest.mark.parametrize("mode", ["", "evaluate: event\n"])
def test_an_account_told_before_history_and_the_last_close_lets_nothing_in_unjudged(
    mode: str, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES.format(mode=mode))
    now = [START + 14 * SECOND]
    ticker = Ticker(wall=lambda: now[0], elapsed=lambda: now[0])
    with Session(rules, tmp_path / "state", ticker=ticker) as session:
        session.take(Event(now[0], "account", "BTC", {"position": 0.0}))
        session.prime([bar(START - number * MINUTE, 60_000.0) for number in range(20, 0, -1)])
        session.take(Event(now[0], "account", "BTC", {"equity": 100.0}))
        session.take(bar(START, 60_000.0))
        for _ in range(50):
            session.tick()
            order = Intent(now[0], "BTC", "buy", 1.0, 0.0, price=60_000.0)
            assert session.decide(order).answer != "allow", now[0] - START
            now[0] += SECOND
