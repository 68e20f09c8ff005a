"""A strategy whose guard hears of liquidations by a stream of its own."""

from __future__ import annotations

import asyncio
import threading

import ccxt.pro

from riskguard.adapters.freqtrade import guarded
from riskguard.feeds.streaming import Feeds
from tests.e2e.freqtrade.plain import AtMarket


def liquidations(session, strategy) -> None:
    """Listen to the perpetual's forced orders, in a thread of their own."""
    urls = strategy.config["exchange"]["ccxt_config"]["urls"]

    async def listen() -> None:
        exchange = ccxt.pro.binanceusdm({"urls": urls})
        await Feeds(exchange, ("BTC/USDT:USDT",), session.take, series=("liquidations",)).run()

    threading.Thread(target=lambda: asyncio.run(listen()), daemon=True).start()


@guarded("fed.yaml", feed=liquidations, sources={"liq.long": "binance"})
class Fed(AtMarket):
    """Hears of liquidations, and holds."""
