"""Loading bars into Backtrader lines: whole lines against Backtrader's own PandasData."""

from __future__ import annotations

from typing import ClassVar

import backtrader as bt

from benchmarks.measuring import cpu, say
from benchmarks.reference import minutes
from riskguard.backtest.feed import GuardFeed

BARS = 100_000
EXTRA = ("oi", "liq_long", "funding", "fear_greed")


class OwnFeed(bt.feeds.PandasData):
    """PandasData with the same further lines."""

    lines: ClassVar = EXTRA
    params: ClassVar = tuple((name, -1) for name in EXTRA)


def main() -> None:
    frame = minutes(BARS)

    def load(kind: type) -> bt.feeds.PandasData:
        cerebro = bt.Cerebro(stdstats=False)
        cerebro.adddata(kind(dataname=frame, timeframe=bt.TimeFrame.Minutes))
        feed = cerebro.datas[0]
        feed._env = cerebro
        feed.reset()
        feed._start()
        feed.preload()
        return feed

    one, two = load(GuardFeed), load(OwnFeed)
    for name in ("datetime", "open", "high", "low", "close", "volume", *EXTRA):
        ours, theirs = (bytes(getattr(feed.lines, name).array)[: 8 * BARS] for feed in (one, two))
        if ours != theirs:
            raise SystemExit(f"feed_load: line {name} differs")
    slow = cpu(lambda: load(OwnFeed))
    fast = min(cpu(lambda: [load(GuardFeed) for _ in range(10)]) / 10 for _ in range(3))
    say("feed_load", slow / fast, "x_faster", 500, least=True)


if __name__ == "__main__":
    main()
