"""A loopback exchange: enough of Binance, Bybit, OKX and Gate for ccxt to run without a network.

    python -m tests.stub.server 8899

`POST /ctl` moves it: {"price": 64000}, {"oi": 70000}, {"liquidation": {"side": "long",
"price": 64000, "quantity": 12}}, {"disconnect": true}, {"freeze": true} (sockets stay open and
say nothing; {"freeze": "ethusdt"}: those that asked for it), {"fill": 0.5},
{"reject": [[-2019, "Margin is insufficient."]]}, {"slow": [429]}.
`GET /ctl` tells what was asked for, the account, and the orders.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from dataclasses import asdict
from typing import Any, Self
from urllib.parse import parse_qsl

from aiohttp import WSMsgType, web

from tests.stub import binance, bybit, gate, okx
from tests.stub.market import Market, Rejected, now_ms


class Stub:
    """One loopback exchange; `with Stub() as stub` serves it on a free port in a thread."""

    def __init__(self, **market: float) -> None:
        self.market = Market(**market)
        self.sockets: dict[web.WebSocketResponse, set[str]] = {}
        self.frozen: bool | str = False
        self.port = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    # ------------------------------------------------------------ requests

    async def rest(self, request: web.Request) -> web.Response:
        market, path = self.market, request.path
        asked = dict(request.query)
        if request.can_read_body:
            asked |= dict(parse_qsl(await request.text()))
        market.seen[f"{request.method} {path}"] += 1
        if market.slow:
            status = market.slow.pop(0)
            return web.json_response({"code": -1003, "msg": "Too many requests."}, status=status)
        venue = next((one for one in (bybit, okx, gate) if one.serves(path)), binance)
        try:
            found = venue.answer(market, request.method, path, asked)
        except Rejected as why:
            return web.json_response({"code": why.code, "msg": why.text}, status=400)
        if found is None:
            return web.json_response({"code": -1, "msg": f"not served: {path}"}, status=404)
        return web.json_response(found)

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        self.market.seen[f"WS {request.path}"] += 1
        mine = self.sockets.setdefault(socket, set())
        try:
            async for message in socket:
                if self._silent(mine):
                    continue
                if message.type == WSMsgType.PING:
                    await socket.pong(message.data)
                elif message.type == WSMsgType.TEXT:
                    await self._said(socket, mine, message.data)
        finally:
            self.sockets.pop(socket, None)
        return socket

    def _silent(self, subscribed: set[str]) -> bool:
        if isinstance(self.frozen, str):
            return any(self.frozen in topic for topic in subscribed)
        return self.frozen

    async def _said(self, socket: web.WebSocketResponse, mine: set[str], text: str) -> None:
        if text == "ping":  # okx
            await socket.send_str("pong")
            return
        said = json.loads(text)
        if said.get("op") == "ping":  # bybit
            await socket.send_json({"success": True, "ret_msg": "pong", "op": "ping"})
        elif said.get("method") == "SUBSCRIBE":
            mine.update(said["params"])
            await socket.send_json({"result": None, "id": said["id"]})
        elif said.get("op") == "subscribe":
            for arg in said["args"]:
                mine.add(arg if isinstance(arg, str) else arg["channel"])
            await socket.send_json({"success": True, "op": "subscribe", "event": "subscribe",
                                    "arg": said["args"][0]})  # fmt: skip

    # ------------------------------------------------------------ control

    async def control(self, request: web.Request) -> web.Response:
        market = self.market
        if request.method == "GET":
            return web.json_response(
                {"price": market.price, "oi": market.oi, "seen": market.seen,
                 "positions": market.positions, "sockets": len(self.sockets),
                 "orders": [asdict(one) for one in market.orders]}
            )  # fmt: skip
        sent = await self.do(await request.json())
        return web.json_response({"ok": True, "sent": sent})

    async def do(self, asked: dict[str, Any]) -> int:
        """Do what a control says; return how many sockets it reached."""
        market, sent = self.market, 0
        if "price" in asked:
            market.move(float(asked["price"]))
        for name in ("oi", "funding", "fill", "wallet"):
            if name in asked:
                setattr(market, name, float(asked[name]))
        for name in ("reject", "slow"):
            if name in asked:
                getattr(market, name).extend(asked[name])
        if "positions" in asked:
            market.positions.update(asked["positions"])
        self.frozen = asked.get("freeze", self.frozen)
        if "liquidation" in asked:
            said = asked["liquidation"]
            several = said if isinstance(said, list) else [said]
            market.liquidated += [
                (now_ms(), one["side"], one["price"] * one["quantity"]) for one in several
            ]
            sent = await self._push(several)
        if asked.get("disconnect"):
            for socket in list(self.sockets):
                await socket.close()
                sent += 1
        return sent

    async def _push(self, several: list[dict[str, Any]]) -> int:
        sent = 0
        for socket, subscribed in list(self.sockets.items()):
            if self._silent(subscribed):
                continue
            topics = " ".join(subscribed)
            if "forceOrder" in topics:
                messages = [binance.force_order(**one) for one in several]
            elif "allLiquidation" in topics:
                messages = [bybit.all_liquidation(several)]
            elif "liquidation-orders" in topics:
                messages = [okx.liquidation_orders(several)]
            else:
                continue
            for message in messages:
                await socket.send_json(message)
            sent += 1
        return sent

    # ------------------------------------------------------------ serving

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/ctl", self.control)
        app.router.add_get("/{kind:(?:market/|public/|private/)?}ws{tail:.*}", self.socket)
        app.router.add_get("/v5/public/{tail:.*}", self.socket)
        app.router.add_route("*", "/{tail:.*}", self.rest)
        return app

    async def serve(self, port: int = 0) -> web.AppRunner:
        """Serve on a port, a free one by default; `port` tells which."""
        runner = web.AppRunner(self.app(), access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # aiohttp has no public way
        return runner

    def __enter__(self) -> Self:
        ready = threading.Event()

        async def run() -> None:
            self._loop = asyncio.get_running_loop()
            self._stop = asyncio.Event()
            runner = await self.serve()
            ready.set()
            await self._stop.wait()
            for socket in list(self.sockets):
                await socket.close()
            await runner.cleanup()

        self._thread = threading.Thread(target=asyncio.run, args=(run(),), daemon=True)
        self._thread.start()
        assert ready.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        assert self._thread is not None
        self._thread.join(60)

    def control_now(self, **asked: Any) -> int:
        """Do what a control says, from another thread."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(self.do(asked), self._loop).result(60)


if __name__ == "__main__":
    web.run_app(Stub().app(), host="127.0.0.1", port=int(sys.argv[1]), print=None)
