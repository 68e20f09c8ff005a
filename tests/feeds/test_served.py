from __future__ import annotations

import asyncio
from typing import Any

import pytest

from riskguard import Event
from riskguard.errors import AdapterError
from riskguard.feeds.served import served
from riskguard.market import DAY, HOUR, MINUTE
from tests.feeds.exchange import SYMBOL, Exchange

NOW = 1_770_336_000_000_000_000  # 2026-02-06T00:00Z
MS = 1_000_000


class Past(Exchange):
    """A venue that serves its past in pages of ten rows, and more than was asked for."""

    def rows_of(self, since: int, step: int) -> list[int]:
        first = -(-since // step) * step
        return [first + n * step for n in range(-1, 9) if first + n * step <= NOW // MS]

    async def fetch_ohlcv(self, _symbol: str, frame: str, since: Any, limit: Any) -> list[Any]:
        self.asked.append((frame, since, limit))
        step = {"1m": 60_000, "15m": 900_000, "1h": 3_600_000, "4h": 14_400_000}[frame]
        return [[ts, 1.0, 2.0, 0.5, 1.5, 3.0] for ts in self.rows_of(since, step)]

    async def fetch_funding_rate_history(self, _symbol: str, since: Any, limit: int) -> list[Any]:
        self.asked.append(("funding", since, limit))
        return [{"timestamp": ts, "fundingRate": 0.1} for ts in self.rows_of(since, 28_800_000)]

    async def fetch_open_interest_history(
        self, _symbol: str, frame: str, since: Any, limit: int
    ) -> list[Any]:
        self.asked.append((frame, since, limit))
        if self.id == "gate":
            info = {"open_interest": "10", "open_interest_usd": "7", "long_liq_usd": "5"}
            return [
                {"info": {**info, "short_liq_usd": "0", "time": ts // 1000}}
                for ts in self.rows_of(since, 300_000)
            ]
        return [
            {"timestamp": ts, "openInterestAmount": 80_000.0}
            for ts in self.rows_of(since, 3_600_000)
        ]


def told(name: str, span: int, **given: Any) -> list[Event]:
    return asyncio.run(served(Past(name), (SYMBOL,), NOW - span, NOW, **given))


def of(events: list[Event], kind: str) -> list[int]:
    return [one.ts for one in events if one.kind == kind]


@pytest.mark.parametrize(
    ("every", "width"), [(HOUR, HOUR), (4 * HOUR, 4 * HOUR), (45 * MINUTE, 15 * MINUTE)]
)
def test_bars_come_in_the_longest_frame_that_divides_every_and_each_once(
    every: int, width: int
) -> None:
    found = told("bybit", 2 * DAY, every=every)
    bars = [one for one in found if one.kind == "bar"]
    assert [one.ts for one in bars] == list(range(NOW - 2 * DAY + width, NOW + 1, width))
    assert {one.data["interval_ns"] for one in bars} == {width}
    assert [one.ts for one in found] == sorted(one.ts for one in found)


def test_rates_and_open_interest_come_whole_and_a_month_at_most() -> None:
    found = told("binance", 40 * DAY)
    assert of(found, "funding") == list(range(NOW - 40 * DAY + 8 * HOUR, NOW + 1, 8 * HOUR))
    assert of(found, "open_interest") == list(range(NOW - 29 * DAY, NOW + 1, HOUR))
    assert not of(found, "liquidation")


def test_okx_serves_open_interest_in_another_unit_which_is_left_alone() -> None:
    assert not of(told("okx", 2 * DAY), "open_interest")


def test_gate_serves_liquidations_and_says_that_they_were_heard() -> None:
    found = told("gate", 2 * HOUR)
    ends = list(range(NOW - 2 * HOUR + 5 * MINUTE, NOW + 1, 5 * MINUTE))
    assert of(found, "open_interest") == ends
    long = [one for one in found if one.data.get("liquidated_side") == "long"]
    assert [one.ts for one in long] == ends
    assert {one.ts for one in found if one.kind == "alive"} == set(ends)


def test_a_symbol_that_is_none_is_refused() -> None:
    with pytest.raises(AdapterError, match="'ETH/USDT' is no contract of bybit"):
        asyncio.run(served(Past(), ("ETH/USDT",), NOW - DAY, NOW))
