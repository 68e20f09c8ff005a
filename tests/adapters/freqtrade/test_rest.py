"""The driver of a stock bot while something fails: nothing enters, and what is held may leave.

It is tested with real freqtrade in tests/e2e/freqtrade/test_drive.py.
"""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from riskguard import AdapterError, State
from riskguard.adapters.freqtrade.rest import Driver, Remote
from riskguard.testing import ScriptedGuard

HOUR_MS = 3_600_000
START = 1_770_000_000_000 // HOUR_MS * HOUR_MS
COLUMNS = ["date", "open", "high", "low", "close", "volume", "__date_ts"]


class Bot(Remote):
    """A bot with one trade of 2 BTC and an entry that rests; `down` are paths that fail."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1", "u:p")
        self.state, self.calls, self.hour = "running", list[str](), 40
        self.down: dict[str, Any] = {}
        self.entering = False

    def call(self, method: str, path: str, body: Any = None) -> Any:  # noqa: ARG002 - as Remote
        name = path.partition("?")[0]
        if name in self.down:
            if isinstance(self.down[name], Exception):
                raise self.down[name]
            return self.down[name]
        if name == "/show_config":
            return {"state": self.state, "timeframe": "1h"}
        if name == "/pair_candles":
            rows = [[None, 100.0, 100.0, 100.0, 100.0, 1.0, START + hour * HOUR_MS]
                    for hour in range(self.hour)]  # fmt: skip
            return {"columns": COLUMNS, "timeframe_ms": HOUR_MS, "data": rows}
        if name == "/status":
            rests = {"is_open": True, "ft_order_side": "buy", "remaining": 1.0}
            return [{"trade_id": 7, "pair": "BTC/USDT", "amount": 2.0, "is_short": False,
                     "nr_of_successful_entries": 1, "orders": [rests] * self.entering,
                     "amount_precision": 0.001, "precision_mode": 4}]  # fmt: skip
        if name == "/balance":
            return {"total_bot": 100_000.0}
        self.calls.append(f"{method} {path}")
        self.state = {"/pause": "paused", "/start": "running"}.get(path, self.state)
        return {}


class Scene:
    def __init__(self, folder: Path) -> None:
        self.bot, self.guard = Bot(), ScriptedGuard()
        self.driver = Driver(self.guard, self.bot, "BTC/USDT", folder)
        self.step()
        assert self.bot.calls == []

    def step(self) -> None:
        self.bot.hour += 1
        self.driver.step((START + self.bot.hour * HOUR_MS) * 1_000_000 + 1)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_broken_guard_pauses_the_bot_and_takes_back_what_would_enter(scene: Scene) -> None:
    scene.guard.boom = scene.bot.entering = True
    scene.step()
    assert scene.bot.calls == ["POST /pause", "DELETE /trades/7/open-order"]
    scene.guard.boom = scene.bot.entering = False
    scene.step()
    assert scene.bot.calls[-1] == "POST /start"


@pytest.mark.parametrize(
    "answer", [AdapterError("503"), {"data": [[1]]}, {"columns": [], "data": [[]]}]
)
def test_a_bot_whose_candles_cannot_be_read_is_paused(scene: Scene, answer: Any) -> None:
    scene.bot.down["/pair_candles"] = answer
    scene.step()
    assert scene.bot.calls == ["POST /pause"]


@pytest.mark.parametrize("answer", [AdapterError("503"), [{"trade_id": 7}], [None]])
def test_a_bot_whose_trades_cannot_be_read_is_paused(scene: Scene, answer: Any) -> None:
    scene.bot.down["/status"] = answer
    scene.guard.state(State.HALTED)
    scene.step()
    assert scene.bot.calls == ["POST /pause"]
    told = [one.data["position"] for one in scene.guard.events if one.kind == "account"
            and "position" in one.data]  # fmt: skip
    assert 0.0 not in told  # not known is not flat
    del scene.bot.down["/status"]
    scene.step()
    assert scene.bot.calls[-1] == "POST /forceexit"


def test_a_guard_that_fails_forgets_no_duty(scene: Scene) -> None:
    scene.guard.state(State.HALTED)
    scene.guard.boom = True
    scene.step()
    scene.guard.boom = False
    scene.step()
    assert scene.bot.calls == ["POST /pause", "POST /forceexit"]
    assert not [one for one in scene.guard.finished if ":flatten:" in one]


def test_a_bot_that_cannot_be_reached_is_told(scene: Scene) -> None:
    scene.bot.down["/show_config"] = AdapterError("refused")
    with pytest.raises(AdapterError, match="refused"):
        scene.step()


@pytest.mark.parametrize(
    "answer",
    [
        b"garbage\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.0 200 OK\r\n\r\n<html>",
        b"HTTP/1.0 200 OK\r\n\r\n\xff",
        b"HTTP/1.0 502 Bad Gateway\r\n\r\n\xff",
        b"",
    ],
)
def test_whatever_answers_in_the_place_of_a_bot_is_told(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def serve() -> None:
            there, _ = server.accept()
            with there:
                there.recv(65_536)
                there.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(AdapterError, match=r"freqtrade (cannot be asked|refuses) GET /status"):
            Remote(f"http://127.0.0.1:{port}", "user:password").call("GET", "/status")
        thread.join()


@pytest.mark.parametrize("answer", [[], {}, {"state": "running"}, "ok", None])
def test_what_is_no_freqtrade_is_told_and_the_driver_goes_on(scene: Scene, answer: Any) -> None:
    scene.bot.down["/show_config"] = answer
    with pytest.raises(AdapterError, match="what answers is no freqtrade"):
        scene.step()
    del scene.bot.down["/show_config"]
    scene.step()


@pytest.mark.parametrize("url", ["http://[::1", "http://a b", "x", "http://127.0.0.1:x"])
def test_an_address_that_is_none_is_told(url: str) -> None:
    with pytest.raises(AdapterError, match="freqtrade cannot be asked GET /status"):
        Remote(url, "user:password").call("GET", "/status")
