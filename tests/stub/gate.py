"""Gate as the feeds ask it: one linear swap of a ten-thousandth of a coin, public.

Liquidations come in no stream: they stand in rows of five minutes, with open interest.
"""

from __future__ import annotations

from typing import Any

from tests.stub.market import FRAMES, MINUTE, Market, now_ms

SIZE = 0.0001  # coins of a contract
ROW = 5 * MINUTE


def serves(path: str) -> bool:
    return path.startswith("/api/v4/")


def answer(market: Market, method: str, path: str, asked: dict[str, str]) -> Any | None:
    kind, *_, name = path.removeprefix("/api/v4/").split("/")
    if name == "time":
        return {"server_time": now_ms()}
    if kind != "futures":  # spot, margin, delivery and options: none
        return []
    return PUBLIC[name](market, asked) if name in PUBLIC and "/usdt/" in path else []


def _listed(market: Market, asked: dict[str, str]) -> Any:
    price = str(market.price)
    return [
        {"name": "BTC_USDT", "type": "direct", "quanto_multiplier": str(SIZE), "mark_type": "index",
         "last_price": price, "mark_price": price, "index_price": price, "status": "trading",
         "in_delisting": False, "order_price_round": "0.1", "mark_price_round": "0.01",
         "order_price_deviate": "0.2", "order_size_min": 1, "order_size_max": 1_000_000,
         "leverage_min": "1", "leverage_max": "125", "maintenance_rate": "0.004",
         "funding_rate": str(market.funding), "funding_interval": 28_800, "funding_offset": 0,
         "funding_next_apply": now_ms() // 1000 + 3_600, "maker_fee_rate": "-0.0001",
         "taker_fee_rate": "0.00075", "orders_limit": 100, "create_time": 1_546_905_600}
    ]  # fmt: skip


def _klines(market: Market, asked: dict[str, str]) -> Any:
    step = FRAMES[asked["interval"]] * MINUTE
    end = min(int(asked["to"]) * 1000, now_ms()) if "to" in asked else now_ms()
    count = int(asked.get("limit", 1999))
    start = int(asked["from"]) * 1000 if "from" in asked else (end // step - count + 1) * step
    return [
        {"t": int(ts) // 1000, "o": str(o), "h": str(h), "l": str(low), "c": str(c),
         "v": round(v / SIZE), "sum": str(v * c)}
        for ts, o, h, low, c, v in market.bars(step // MINUTE, start, count, end)
    ]  # fmt: skip


def _settled(market: Market, asked: dict[str, str]) -> Any:
    last = now_ms() // 28_800_000 * 28_800
    return [
        {"t": last - back * 28_800, "r": str(market.funding)}
        for back in range(int(asked.get("limit", 100)))
    ]


def _stats(market: Market, asked: dict[str, str]) -> Any:
    """Return the newest rows, the one in progress as the last."""
    last = market.rows_until() // ROW * ROW
    count = int(asked.get("limit", 30))
    first = int(asked["from"]) * 1000 if "from" in asked else last - (count - 1) * ROW
    return [_row(market, start) for start in range(first, last + 1, ROW)][:count]


def _row(market: Market, start: int) -> dict[str, Any]:
    sums = {
        side: sum(
            usd for ts, one, usd in market.liquidated if one == side and 0 <= ts - start < ROW
        )
        for side in ("long", "short")
    }
    return {
        "time": start // 1000, "open_interest": str(round(market.oi / SIZE)),
        "open_interest_usd": str(market.oi * market.price), "mark_price": str(market.price),
        "long_liq_usd": str(sums["long"]), "short_liq_usd": str(sums["short"]),
    }  # fmt: skip


PUBLIC = {
    "contracts": _listed,
    "candlesticks": _klines,
    "funding_rate": _settled,
    "contract_stats": _stats,
}


def urls(port: int) -> dict[str, Any]:
    names = ("wallet", "futures", "margin", "delivery", "spot", "options", "unified", "earn")
    at = dict.fromkeys(names, f"http://127.0.0.1:{port}/api/v4")
    return {"api": {"public": at, "private": at}}
