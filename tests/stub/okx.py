"""OKX as the feeds ask it: one linear swap of a hundredth of a coin, public."""

from __future__ import annotations

from typing import Any

from tests.stub.market import Market, now_ms

SIZE = 0.01  # coins of a contract
FRAMES = {"1m": 1, "5m": 5, "15m": 15, "1H": 60, "4H": 240}


def serves(path: str) -> bool:
    return path.startswith("/api/v5/")


def answer(market: Market, method: str, path: str, asked: dict[str, str]) -> Any | None:
    reader = PUBLIC.get(path.removeprefix("/api/v5/"))
    return None if reader is None else {"code": "0", "msg": "", "data": reader(market, asked)}


def _listed(market: Market, asked: dict[str, str]) -> Any:
    if asked.get("instType") != "SWAP":
        return []
    return [
        {"instId": "BTC-USDT-SWAP", "instType": "SWAP", "instFamily": "BTC-USDT",
         "uly": "BTC-USDT", "baseCcy": "", "quoteCcy": "", "settleCcy": "USDT", "ctVal": str(SIZE),
         "ctMult": "1", "ctValCcy": "BTC", "ctType": "linear", "alias": "", "category": "1",
         "expTime": "", "lever": "100", "listTime": "1606468572000", "lotSz": "0.01",
         "minSz": "0.01", "optType": "", "state": "live", "stk": "", "tickSz": "0.1",
         "maxLmtSz": "100000000", "maxMktSz": "10000", "ruleType": "normal"}
    ]  # fmt: skip


def _klines(market: Market, asked: dict[str, str]) -> Any:
    minutes, count = FRAMES[asked["bar"]], int(asked.get("limit", 100))
    end, step = now_ms(), minutes * 60_000
    start = int(asked["before"]) + 1 if "before" in asked else (end // step - count + 1) * step
    rows = market.bars(minutes, start, count, end)
    return [
        [str(int(row[0])), *map(str, row[1:5]), str(row[5] / SIZE), str(row[5]),
         str(row[5] * row[4]), "1"]
        for row in rows[::-1]
    ]  # fmt: skip


def _held(market: Market, asked: dict[str, str]) -> Any:
    return [
        {"instId": "BTC-USDT-SWAP", "instType": "SWAP", "oi": str(market.oi / SIZE),
         "oiCcy": str(market.oi), "oiUsd": str(market.oi * market.price), "ts": str(now_ms())}
    ]  # fmt: skip


def _settled(market: Market, asked: dict[str, str]) -> Any:
    last = now_ms() // 28_800_000 * 28_800_000
    return [
        {"instId": "BTC-USDT-SWAP", "instType": "SWAP", "fundingRate": str(market.funding),
         "realizedRate": str(market.funding), "fundingTime": str(last - back * 28_800_000)}
        for back in range(int(asked.get("limit", 3)))
    ]  # fmt: skip


PUBLIC = {
    "public/instruments": _listed,
    "public/time": lambda market, asked: [{"ts": str(now_ms())}],
    "market/candles": _klines,
    "market/history-candles": _klines,
    "public/open-interest": _held,
    "public/funding-rate-history": _settled,
}


def liquidation_orders(several: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one push of one instrument with all of them in `details`, in contracts."""
    ts = str(now_ms())
    return {
        "arg": {"channel": "liquidation-orders", "instType": "SWAP"},
        "data": [
            {"instFamily": "BTC-USDT", "instId": "BTC-USDT-SWAP", "instType": "SWAP",
             "uly": "BTC-USDT",
             "details": [
                 {"bkLoss": "0", "bkPx": str(one["price"]), "ccy": "", "posSide": one["side"],
                  "side": {"long": "sell", "short": "buy"}[one["side"]],
                  "sz": str(one["quantity"] / SIZE), "ts": ts}
                 for one in several
             ]}
        ],
    }  # fmt: skip


def urls(port: int) -> dict[str, Any]:
    return {"api": {"rest": f"http://127.0.0.1:{port}", "ws": f"ws://127.0.0.1:{port}/ws/v5"}}
