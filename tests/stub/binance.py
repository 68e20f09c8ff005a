"""Binance as ccxt, freqtrade and hummingbot ask it: public and futures account, by path suffix."""

from __future__ import annotations

from typing import Any

from tests.stub.market import FRAMES, Market, Placed, Rejected, now_ms

BASES = ("BTC", "ETH")


def symbol(base: str, *, futures: bool) -> dict[str, Any]:
    limits = {"minQty": "0.001", "maxQty": "9000", "stepSize": "0.001"}
    described = {
        "symbol": f"{base}USDT", "pair": f"{base}USDT", "status": "TRADING",
        "contractStatus": "TRADING", "baseAsset": base, "quoteAsset": "USDT",
        "marginAsset": "USDT", "baseAssetPrecision": 8, "quotePrecision": 8,
        "quoteAssetPrecision": 8, "pricePrecision": 2, "quantityPrecision": 3,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT",
                       "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"], "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": True, "permissions": ["SPOT"], "permissionSets": [["SPOT"]],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "10000000",
             "tickSize": "0.01"},
            {"filterType": "LOT_SIZE", **limits},
            {"filterType": "MARKET_LOT_SIZE", **limits},
            {"filterType": "NOTIONAL", "minNotional": "5", "maxNotional": "9000000",
             "applyMinToMarket": True},
            {"filterType": "MIN_NOTIONAL", "notional": "5", "minNotional": "5"},
        ],
    }  # fmt: skip
    if futures:
        described |= {
            "contractType": "PERPETUAL", "underlyingType": "COIN", "deliveryDate": 4133404800000,
            "onboardDate": 1569398400000, "maintMarginPercent": "2.5",
            "requiredMarginPercent": "5.0",
        }  # fmt: skip
    return described


def answer(market: Market, method: str, path: str, asked: dict[str, str]) -> Any | None:
    """Return what Binance answers, None where the stub does not serve the path."""
    for suffix, reader in PUBLIC.items():
        if path.endswith(suffix):
            return reader(market, path, asked)
    if path.startswith("/sapi"):
        return []
    private = PRIVATE.get((method, path.rpartition("/")[2]))
    return None if private is None else private(market, asked)


# ---------------------------------------------------------------- public


def _info(market: Market, path: str, asked: dict[str, str]) -> Any:
    futures = "/fapi/" in path
    bases = () if "/dapi/" in path else BASES
    return {
        "timezone": "UTC", "serverTime": now_ms(), "rateLimits": [], "exchangeFilters": [],
        "symbols": [symbol(base, futures=futures) for base in bases],
    }  # fmt: skip


def _klines(market: Market, path: str, asked: dict[str, str]) -> Any:
    minutes = FRAMES[asked["interval"]]
    count = min(int(asked.get("limit", 500)), 1500)
    end = min(int(asked.get("endTime", now_ms())), now_ms())
    step = minutes * 60_000
    start = int(asked.get("startTime", (end // step - count + 1) * step))
    return [
        [ts, f"{o:.2f}", f"{h:.2f}", f"{low:.2f}", f"{c:.2f}", str(v), ts + step - 1,
         f"{v * c:.2f}", 1000, "50.0", f"{v * c / 2:.2f}", "0"]
        for ts, o, h, low, c, v in market.bars(minutes, start, count, end)
    ]  # fmt: skip


def _ticker(market: Market, path: str, asked: dict[str, str]) -> Any:
    price = market.price

    def one(base: str) -> dict[str, Any]:
        return {
            "symbol": f"{base}USDT", "priceChange": "0", "priceChangePercent": "0",
            "weightedAvgPrice": str(price), "prevClosePrice": str(price), "lastPrice": str(price),
            "price": str(price), "lastQty": "1", "bidPrice": f"{price - 1:.2f}", "bidQty": "10",
            "askPrice": f"{price + 1:.2f}", "askQty": "10", "openPrice": str(price),
            "highPrice": str(price), "lowPrice": str(price), "volume": "1000",
            "quoteVolume": str(price * 1000), "openTime": now_ms() - 86_400_000,
            "closeTime": now_ms(), "firstId": 1, "lastId": 2, "count": 2, "time": now_ms(),
        }  # fmt: skip

    if "symbol" in asked:
        return one(asked["symbol"].removesuffix("USDT"))
    return [one(base) for base in BASES]


def _depth(market: Market, path: str, asked: dict[str, str]) -> Any:
    price = market.price
    return {
        "lastUpdateId": now_ms(), "E": now_ms(), "T": now_ms(),
        "bids": [[f"{price - 1 - level:.2f}", "5"] for level in range(20)],
        "asks": [[f"{price + 1 + level:.2f}", "5"] for level in range(20)],
    }  # fmt: skip


def _premium(market: Market, path: str, asked: dict[str, str]) -> Any:
    price = str(market.price)
    one = {
        "symbol": asked.get("symbol", "BTCUSDT"), "markPrice": price, "indexPrice": price,
        "estimatedSettlePrice": price, "lastFundingRate": str(market.funding),
        "interestRate": "0.0001", "nextFundingTime": now_ms() + 3_600_000, "time": now_ms(),
    }  # fmt: skip
    return one if "symbol" in asked else [one]


def _settled(market: Market, path: str, asked: dict[str, str]) -> Any:
    last = now_ms() // 28_800_000 * 28_800_000
    return [
        {"symbol": asked["symbol"], "fundingTime": last - back * 28_800_000 + 2,
         "fundingRate": str(market.funding), "markPrice": str(market.price)}
        for back in range(int(asked.get("limit", 100)) - 1, -1, -1)
    ]  # fmt: skip


def _held(market: Market, path: str, asked: dict[str, str]) -> Any:
    return {"symbol": asked["symbol"], "openInterest": str(market.oi), "time": now_ms()}


def _held_before(market: Market, path: str, asked: dict[str, str]) -> Any:
    usd = str(market.oi * market.price)
    return [
        {"symbol": asked["symbol"], "sumOpenInterest": str(market.oi),
         "sumOpenInterestValue": usd, "timestamp": now_ms()}
    ]  # fmt: skip


PUBLIC = {
    "/exchangeInfo": _info,
    "/openInterestHist": _held_before,
    "/openInterest": _held,
    "/premiumIndex": _premium,
    "/fundingRate": _settled,
    "/fundingInfo": lambda market, path, asked: [],
    "/klines": _klines,
    "Klines": _klines,
    "/ticker/24hr": _ticker,
    "/ticker/bookTicker": _ticker,
    "/ticker/price": _ticker,
    "/depth": _depth,
    "/time": lambda market, path, asked: {"serverTime": now_ms()},
    "/ping": lambda market, path, asked: {},
    "/trades": lambda market, path, asked: [
        {"id": 1, "price": str(market.price), "qty": "0.1", "quoteQty": "1", "time": now_ms(),
         "isBuyerMaker": False}
    ],
}  # fmt: skip


# ---------------------------------------------------------------- the account


def told(order: Placed) -> dict[str, Any]:
    return {
        "orderId": order.id, "symbol": order.symbol, "status": order.status,
        "clientOrderId": order.client or f"stub{order.id}", "price": str(order.price),
        "avgPrice": str(order.price), "origQty": str(order.quantity),
        "executedQty": str(order.filled), "cumQty": str(order.filled),
        "cumQuote": str(order.filled * order.price), "timeInForce": "GTC", "type": order.kind,
        "reduceOnly": order.reduce_only, "closePosition": False, "side": order.side,
        "positionSide": "BOTH", "stopPrice": "0", "workingType": "CONTRACT_PRICE",
        "priceProtect": False, "origType": order.kind, "updateTime": now_ms(), "time": order.ts,
    }  # fmt: skip


def _place(market: Market, asked: dict[str, str]) -> Any:
    order = Placed(
        id=1000 + len(market.orders),
        symbol=asked["symbol"],
        side=asked["side"],
        kind=asked["type"],
        quantity=float(asked.get("quantity", 0)),
        price=float(asked.get("price", 0)),
        reduce_only=asked.get("reduceOnly", "false").lower() == "true",
        client=asked.get("newClientOrderId", ""),
    )
    return told(market.place(order))


def _positions(market: Market, asked: dict[str, str]) -> Any:
    return [
        {"symbol": name, "positionSide": "BOTH", "positionAmt": str(amount),
         "entryPrice": str(market.entries.get(name, market.price)),
         "breakEvenPrice": str(market.entries.get(name, market.price)),
         "markPrice": str(market.price), "leverage": "3", "marginType": "cross",
         "unRealizedProfit": str(amount * (market.price - market.entries.get(name, market.price))),
         "liquidationPrice": "0", "isolatedMargin": "0", "notional": str(amount * market.price),
         "marginAsset": "USDT", "isolatedWallet": "0", "initialMargin": "0", "maintMargin": "0",
         "positionInitialMargin": "0", "openOrderInitialMargin": "0", "adl": 1, "bidNotional": "0",
         "askNotional": "0", "updateTime": now_ms()}
        for name, amount in market.positions.items()
        if asked.get("symbol", name) == name and amount
    ]  # fmt: skip


def _account(market: Market, asked: dict[str, str]) -> Any:
    open_profit = sum(
        amount * (market.price - market.entries.get(name, market.price))
        for name, amount in market.positions.items()
    )
    equity = str(market.wallet + open_profit)
    asset = {
        "asset": "USDT", "walletBalance": str(market.wallet), "marginBalance": equity,
        "availableBalance": equity, "maxWithdrawAmount": equity, "initialMargin": "0",
        "unrealizedProfit": str(open_profit), "maintMargin": "0", "crossWalletBalance": equity,
        "positionInitialMargin": "0", "openOrderInitialMargin": "0", "crossUnPnl": "0",
        "balance": str(market.wallet), "updateTime": now_ms(), "marginAvailable": True,
    }  # fmt: skip
    return {
        "totalWalletBalance": str(market.wallet), "totalMarginBalance": equity,
        "totalUnrealizedProfit": str(open_profit), "availableBalance": equity,
        "assets": [asset], "positions": _positions(market, {}), "canTrade": True,
    }  # fmt: skip


def _one(market: Market, asked: dict[str, str]) -> Any:
    wanted, client = int(asked.get("orderId", 0)), asked.get("origClientOrderId")
    for order in market.orders:
        if order.id == wanted or (client and order.client == client):
            return told(order)
    raise Rejected(-2013, "Order does not exist.")


def _open(market: Market, asked: dict[str, str]) -> Any:
    name = asked.get("symbol")
    return [told(one) for one in market.orders if one.open and name in (None, one.symbol)]


def _cancel_all(market: Market, asked: dict[str, str]) -> Any:
    for order in market.orders:
        if order.open and order.symbol == asked["symbol"]:
            market.cancel(order.id)
    return {"code": 200, "msg": "done"}


PRIVATE = {
    ("POST", "order"): _place,
    ("GET", "order"): _one,
    ("DELETE", "order"): lambda market, asked: told(market.cancel(int(asked["orderId"]))),
    ("DELETE", "allOpenOrders"): _cancel_all,
    ("GET", "openOrders"): _open,
    ("GET", "openAlgoOrders"): lambda market, asked: [],  # orders that wait for a price
    ("GET", "allOrders"): lambda market, asked: [told(one) for one in market.orders],
    ("GET", "positionRisk"): _positions,
    ("GET", "account"): _account,
    ("GET", "balance"): lambda market, asked: _account(market, asked)["assets"],
    ("GET", "positionSide/dual"): lambda market, asked: {"dualSidePosition": False},
    ("GET", "dual"): lambda market, asked: {"dualSidePosition": False},
    ("GET", "leverageBracket"): lambda market, asked: [],
    ("POST", "leverage"): lambda market, asked: {"leverage": 3, "symbol": asked["symbol"]},
    ("POST", "marginType"): lambda market, asked: {"code": 200, "msg": "success"},
    ("GET", "userTrades"): lambda market, asked: [],
    ("GET", "symbolConfig"): lambda market, asked: [],
    ("GET", "accountConfig"): lambda market, asked: {"dualSidePosition": False},
}


def force_order(side: str, price: float, quantity: float, name: str = "BTCUSDT") -> dict[str, Any]:
    """Return the push of one liquidation; `side` is that of the position: long or short."""
    ts, word = now_ms(), {"long": "SELL", "short": "BUY"}[side]
    return {
        "e": "forceOrder", "E": ts,
        "o": {"s": name, "S": word, "o": "LIMIT", "f": "IOC", "q": str(quantity), "p": str(price),
              "ap": str(price), "X": "FILLED", "l": str(quantity), "z": str(quantity), "T": ts},
    }  # fmt: skip


def urls(port: int) -> dict[str, Any]:
    """Return what ccxt takes as `urls`: every address of Binance on this machine."""
    http, socket = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}/ws"
    same = (
        "sapi", "sapiV2", "sapiV3", "sapiV4", "dapiPrivate", "dapiPrivateV2", "eapiPublic",
        "eapiPrivate", "fapiPrivate", "fapiPrivateV2", "fapiPrivateV3", "papi", "papiV2",
    )  # fmt: skip
    api = {name: f"{http}/{name}" for name in same} | {
        "public": f"{http}/api/v3", "private": f"{http}/api/v3", "v1": f"{http}/api/v1",
        "fapiPublic": f"{http}/fapi/v1", "fapiPublicV2": f"{http}/fapi/v2",
        "fapiPublicV3": f"{http}/fapi/v3", "fapiData": f"{http}/futures/data",
        "dapiPublic": f"{http}/dapi/v1", "dapiData": f"{http}/dapi/data",
        "ws": {"spot": socket, "margin": socket, "linear": socket, "inverse": socket,
               "ws-api": {"spot": socket, "linear": socket, "inverse": socket}},
    }  # fmt: skip
    return {"api": api}
