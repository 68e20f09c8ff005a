"""Bybit as the feeds ask it: linear perpetuals, public."""

from __future__ import annotations

from typing import Any

from tests.stub.market import Market, now_ms

FRAMES = {"1": 1, "5": 5, "15": 15, "60": 60, "240": 240, "D": 1440}
FRAMES_OF_INTEREST = {"5min": 5, "15min": 15, "30min": 30, "1h": 60, "4h": 240, "1d": 1440}


def serves(path: str) -> bool:
    return path.startswith("/v5/")


def answer(market: Market, method: str, path: str, asked: dict[str, str]) -> Any | None:
    reader = PUBLIC.get(path.removeprefix("/v5/"))
    if reader is None:
        return None
    return {"retCode": 0, "retMsg": "OK", "retExtInfo": {}, "time": now_ms(),
            "result": reader(market, asked)}  # fmt: skip


def _listed(market: Market, asked: dict[str, str]) -> Any:
    if asked.get("category") != "linear":
        return {"category": asked.get("category"), "list": [], "nextPageCursor": ""}
    one = {
        "symbol": "BTCUSDT", "contractType": "LinearPerpetual", "status": "Trading",
        "baseCoin": "BTC", "quoteCoin": "USDT", "settleCoin": "USDT", "launchTime": "1585526400000",
        "deliveryTime": "0", "deliveryFeeRate": "", "priceScale": "2", "fundingInterval": 480,
        "leverageFilter": {"minLeverage": "1", "maxLeverage": "100", "leverageStep": "0.01"},
        "priceFilter": {"minPrice": "0.1", "maxPrice": "1999999.8", "tickSize": "0.1"},
        "lotSizeFilter": {"maxOrderQty": "1190", "minOrderQty": "0.001", "qtyStep": "0.001",
                          "postOnlyMaxOrderQty": "1190", "maxMktOrderQty": "500",
                          "minNotionalValue": "5"},
        "unifiedMarginTrade": True, "copyTrading": "both",
    }  # fmt: skip
    return {"category": "linear", "list": [one], "nextPageCursor": ""}


def _klines(market: Market, asked: dict[str, str]) -> Any:
    minutes, count = FRAMES[asked["interval"]], int(asked.get("limit", 200))
    end, step = now_ms(), minutes * 60_000
    start = int(asked.get("start", (end // step - count + 1) * step))
    rows = market.bars(minutes, start, count, end)
    listed = [[str(int(row[0])), *map(str, row[1:]), str(row[5] * row[4])] for row in rows]
    return {"category": "linear", "symbol": asked["symbol"], "list": listed[::-1]}


def _held(market: Market, asked: dict[str, str]) -> Any:
    step = FRAMES_OF_INTEREST[asked["intervalTime"]] * 60_000
    ts = now_ms() // step * step  # the last snapshot of that spacing
    return {"symbol": asked["symbol"], "category": "linear", "nextPageCursor": "",
            "list": [{"openInterest": str(market.oi), "timestamp": str(ts)}]}  # fmt: skip


def _settled(market: Market, asked: dict[str, str]) -> Any:
    last = now_ms() // 28_800_000 * 28_800_000
    rows = [
        {"symbol": asked["symbol"], "fundingRate": str(market.funding),
         "fundingRateTimestamp": str(last - back * 28_800_000)}
        for back in range(int(asked.get("limit", 3)))
    ]  # fmt: skip
    return {"category": "linear", "list": rows}


PUBLIC = {
    "market/instruments-info": _listed,
    "market/kline": _klines,
    "market/open-interest": _held,
    "market/funding/history": _settled,
    "market/time": lambda market, asked: {"timeSecond": str(now_ms() // 1000)},
}


def all_liquidation(several: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one push with all of them; the side is that of the position: Buy is a long."""
    ts = now_ms()
    return {
        "topic": "allLiquidation.BTCUSDT", "type": "snapshot", "ts": ts,
        "data": [
            {"T": ts, "s": "BTCUSDT", "S": {"long": "Buy", "short": "Sell"}[one["side"]],
             "v": str(one["quantity"]), "p": str(one["price"])}
            for one in several
        ],
    }  # fmt: skip


def urls(port: int) -> dict[str, Any]:
    http, socket = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}"
    names = ("spot", "futures", "v2", "public", "private")
    public = {
        name: f"{socket}/v5/public/{name}" for name in ("spot", "linear", "inverse", "option")
    }
    return {"api": dict.fromkeys(names, http) | {"ws": {"public": public}}}
