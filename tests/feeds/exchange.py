"""An exchange as ccxt.pro shows it, that tells what a test lays down: no socket, no network."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

SYMBOL = "BTC/USDT:USDT"
DESCRIBED = {"symbol": SYMBOL, "contract": True, "contractSize": 1.0, "inverse": False}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Socket:
    """A socket of ccxt.pro, open, and heard from just now."""

    futures: dict[str, Any] = field(default_factory=dict)
    subscriptions: dict[str, Any] = field(default_factory=dict)
    isConnected: bool = True  # noqa: N815 - as ccxt calls it
    last_message_at: int | None = field(default_factory=now_ms)

    def closed(self) -> bool:
        return not self.isConnected


class Exchange:
    """One venue with one market; each list is what the next requests are answered with."""

    def __init__(self, name: str = "bybit") -> None:
        self.id = name
        self.markets = {SYMBOL: DESCRIBED}
        self.streaming = {"keepAlive": 20_000}
        self.liquidations: list[dict[str, Any]] | None = None
        self.clients = {"wss://venue": Socket({f"liquidations::{SYMBOL}": None})}
        self.came = asyncio.Event()  # what `watch_liquidations` waits for
        self.asked: list[tuple[Any, ...]] = []
        self.bars: list[list[float]] = []
        self.rows: list[dict[str, Any]] = []
        self.ahead = 0  # ms of the venue's clock before that of this machine
        self.clock = now_ms  # that of this machine

    @property
    def socket(self) -> Socket:
        return self.clients["wss://venue"]

    def push(self, *infos: dict[str, Any], wake: bool = True) -> None:
        """Let messages arrive; without `wake` nobody waits for them in this moment."""
        told = [{"symbol": SYMBOL, "info": info} for info in infos]
        self.liquidations = [*(self.liquidations or ()), *told]
        self.socket.last_message_at = now_ms()
        if wake:
            self.came.set()

    async def load_markets(self) -> dict[str, Any]:
        return self.markets

    async def watch_liquidations(self, _symbol: str) -> None:
        await self.came.wait()
        self.came.clear()

    async def fetch_time(self) -> int:
        return self.clock() + self.ahead

    async def fetch_ohlcv(self, _symbol: str, _frame: str, since: Any, limit: Any) -> list[Any]:
        self.asked.append(("bars", since, limit))
        return [row for row in self.bars if since is None or row[0] >= since]

    async def fetch_open_interest(self, _symbol: str, _params: dict[str, str]) -> dict[str, Any]:
        return {"openInterestAmount": 80_000.0, "timestamp": now_ms()}

    async def fetch_open_interest_history(
        self, _symbol: str, _frame: str, since: Any, limit: int
    ) -> list[dict[str, Any]]:
        self.asked.append(("rows", since, limit))
        return self.rows[-limit:]

    async def fetch_funding_rate_history(self, _symbol: str, since: Any, limit: int) -> list[Any]:
        self.asked.append(("funding", since, limit))
        hours = now_ms() // 28_800_000
        return [
            {"timestamp": (hours - back) * 28_800_000, "fundingRate": 0.0001}
            for back in range(limit - 1, -1, -1)
        ]

    async def close(self) -> None:
        return None
