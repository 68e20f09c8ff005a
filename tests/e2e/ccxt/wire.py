"""Binance at the wire: what ccxt signs and sends is answered from memory, in any account mode."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import ccxt

from tests.adapters.paper import PaperVenue, Working
from tests.stub import binance
from tests.stub.market import Market

BOOKS = {"LONG": "long", "SHORT": "short", "BOTH": ""}


class Wire:
    """Answers for the requests of one exchange of real ccxt; `down` fails the reads."""

    def __init__(self, *, hedged: bool = False, spot: bool = False) -> None:
        self.venue = PaperVenue(hedged=hedged)
        self.spot = spot
        self.market = Market(price=100.0)
        self.seen: Counter[str] = Counter()
        self.sent: list[dict[str, str]] = []
        self.down = False
        self.wallet = 10_000.0  # USDT; positions were entered at 100
        kind = ccxt.binance if spot else ccxt.binanceusdm
        self.exchange = kind({"apiKey": "x", "secret": "x", "enableRateLimit": False})
        self.exchange.options["fetchCurrencies"] = False
        self.exchange.options["fetchMarkets"] = {"types": ["spot" if spot else "linear"]}
        self.exchange.fetch = self.fetch

    def fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        parts = urlsplit(url)
        asked = dict(parse_qsl(parts.query)) | dict(parse_qsl(body or ""))
        name = f"{method} {parts.path.rpartition('/')[2]}"
        self.seen[name] += 1
        reads = name in ("GET openOrders", "GET openAlgoOrders", "GET positionRisk", "GET account")
        if self.down and reads:
            raise ccxt.ExchangeNotAvailable("503")
        if name == "POST order":
            return self.place(asked)
        if name == "POST algoOrder":
            made = self.place({**asked, "type": "LIMIT", "price": asked["triggerPrice"]}, stop=True)
            return self.algo(str(made["orderId"]))
        if name == "GET openAlgoOrders":
            return [self.algo(one.id) for one in self.venue.orders.values() if one.stop]
        if name == "DELETE algoOrder":
            assert self.venue.orders[asked["algoId"]].stop
            self.venue.cancel("", asked["algoId"])
            return {"algoId": int(asked["algoId"]), "code": "200", "msg": "success"}
        if name == "POST batchOrders":
            import json

            return [self.place(one) for one in json.loads(asked["batchOrders"])]
        if name == "PUT order":
            self.venue.cancel("", asked["orderId"])
            return self.place({**asked, "type": "LIMIT"})
        if name == "DELETE order":
            self.venue.cancel("", asked["orderId"])
            return self.told(asked["orderId"], asked, "CANCELED")
        answers = {
            "GET openOrders": self.orders,
            "GET positionRisk": self.positions,
            "GET account": self.account,
            "POST leverage": lambda: {"leverage": asked["leverage"], "symbol": "BTCUSDT"},
        }
        if name in answers:
            return answers[name]()
        found = binance.answer(self.market, method, parts.path, asked)
        assert found is not None, f"{method} {url}"
        return found

    def algo(self, order_id: str) -> dict[str, Any]:
        """Return an order that waits for a price as Binance has it: under another address."""
        one = self.venue.orders[order_id]
        return {
            "algoId": int(one.id), "clientAlgoId": "x", "algoType": "CONDITIONAL",
            "orderType": "STOP_MARKET", "symbol": "BTCUSDT", "side": one.side.upper(),
            "positionSide": "BOTH", "timeInForce": "GTC", "quantity": str(one.left),
            "algoStatus": "NEW", "triggerPrice": str(one.price), "price": "0",
            "reduceOnly": one.reduce_only, "closePosition": False, "createTime": _ms(),
            "updateTime": _ms(), "triggerTime": 0, "workingType": "CONTRACT_PRICE",
        }  # fmt: skip

    def place(self, asked: dict[str, Any], *, stop: bool = False) -> Any:
        self.sent.append(asked)
        reduces = str(asked.get("reduceOnly", "")).lower() == "true"
        size = asked.get("quantity") or float(asked["quoteOrderQty"]) / self.venue.price
        order = Working(
            "",
            asked["side"].lower(),
            float(size),
            float(asked["price"]) if asked["type"] == "LIMIT" else None,
            stop=stop,
            reduce_only=reduces,
            ref=asked.get("newClientOrderId", ""),
            book=BOOKS[asked.get("positionSide", "BOTH")],
        )
        if reduces and self.venue.books[""] * (1 if asked["side"] == "BUY" else -1) >= 0:
            raise ccxt.InvalidOrder("ReduceOnly Order is rejected.")
        return self.told(self.venue.place(order), asked, "NEW")

    def told(self, order_id: str, asked: dict[str, Any], status: str) -> dict[str, Any]:
        return {
            "orderId": int(order_id), "symbol": "BTCUSDT", "status": status,
            "clientOrderId": asked.get("newClientOrderId", "x"), "price": asked.get("price", "0"),
            "origQty": asked.get("quantity", "0"), "executedQty": "0", "cumQuote": "0",
            "type": asked.get("type", "LIMIT"), "side": asked.get("side", "BUY"),
            "reduceOnly": str(asked.get("reduceOnly", "")).lower() == "true",
            "positionSide": asked.get("positionSide", "BOTH"), "updateTime": _ms(), "time": _ms(),
        }  # fmt: skip

    def orders(self) -> list[dict[str, Any]]:
        words = {book: word for word, book in BOOKS.items()}
        return [
            self.told(
                one.id,
                {
                    "quantity": str(one.left),
                    "price": str(one.price or 0),
                    "type": "MARKET" if one.price is None else "LIMIT",
                    "side": one.side.upper(),
                    "reduceOnly": one.reduce_only,
                    "positionSide": words[one.book],
                },
                "NEW",
            )
            for one in self.venue.orders.values()
            if not one.stop
        ]

    def positions(self) -> list[dict[str, Any]]:
        held = {
            word: (-1 if book == "short" else 1) * self.venue.books[book]
            for word, book in BOOKS.items()
        }
        return [
            {"symbol": "BTCUSDT", "positionSide": word, "positionAmt": str(size),
             "entryPrice": "100", "breakEvenPrice": "100", "markPrice": "100",
             "unRealizedProfit": str(size * (self.venue.price - 100)),
             "liquidationPrice": "0", "isolatedMargin": "0",
             "notional": str(size * self.venue.price), "marginAsset": "USDT", "isolatedWallet": "0",
             "initialMargin": "0", "maintMargin": "0", "positionInitialMargin": "0",
             "openOrderInitialMargin": "0", "adl": 1, "bidNotional": "0", "askNotional": "0",
             "updateTime": _ms()}
            for word, size in held.items()
            if size
        ]  # fmt: skip

    def account(self) -> dict[str, Any]:
        size = str(self.venue.books[""])
        if not self.spot:
            profit = sum(float(one["unRealizedProfit"]) for one in self.positions())
            asset = {"asset": "USDT", "walletBalance": str(self.wallet), "initialMargin": "0",
                     "marginBalance": str(self.wallet + profit), "updateTime": _ms(),
                     "availableBalance": str(self.wallet)}  # fmt: skip
            return {"assets": [asset], "positions": []}
        return {"balances": [{"asset": "BTC", "free": size, "locked": "0"},
                             {"asset": "USDT", "free": "10000", "locked": "0"}],
                "updateTime": _ms()}  # fmt: skip


def _ms() -> int:
    return time.time_ns() // 1_000_000
