"""A stock freqtrade process, driven through its REST API."""

from __future__ import annotations

import json
import random
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

import pytest

from riskguard.adapters.freqtrade.rest import Driver, Remote
from riskguard.engine.decision import State
from riskguard.errors import AdapterError
from riskguard.testing import ScriptedGuard
from tests.e2e.freqtrade.folder import written
from tests.e2e.freqtrade.process import Holding, Process
from tests.stub.binance import urls

LOGIN = "guard:secret"


class Driven(NamedTuple):
    """A bot with its exchange, and what drives it."""

    exchange: Holding
    process: Process
    remote: Remote
    guard: ScriptedGuard
    driver: Driver

    def step(self) -> list[str]:
        return self.driver.step(time.time_ns())

    @property
    def state(self) -> str:
        return self.remote.call("GET", "/show_config")["state"]


def free_port() -> int:
    """Return a port that is free, and of those that no system gives away of its own accord."""
    ports = list(range(20_000, 30_000))
    random.SystemRandom().shuffle(ports)
    for port in ports:
        with socket.socket() as found, suppress(OSError):
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


@pytest.fixture
def driven(tmp_path) -> Iterator[Driven]:
    port, (user, password) = free_port(), LOGIN.split(":")
    server = {
        "enabled": True, "listen_ip_address": "127.0.0.1", "listen_port": port,
        "username": user, "password": password, "jwt_secret_key": "x" * 40, "ws_token": "y" * 40,
        "verbosity": "error",
    }  # fmt: skip
    with Holding(price=70_000.0) as stub:
        written(
            tmp_path, urls(stub.port), pairs=["BTC/USDT"], stake_amount=7_000,
            db_url=f"sqlite:///{tmp_path / 'trades.sqlite'}", api_server=server,
            entry_pricing={"price_side": "other", "use_order_book": False},
        )  # fmt: skip
        process = Process(tmp_path, "Stock")
        process.start()
        remote, guard = Remote(f"http://127.0.0.1:{port}", LOGIN), ScriptedGuard()
        yield Driven(stub, process, remote, guard, Driver(guard, remote, "BTC/USDT", tmp_path))
        stub.holds = False
        process.kill()


def again(driven: Driven, folder) -> Driven:
    """The driver dies and comes back; its desk and the bot stand."""
    fresh = Driver(driven.guard, driven.remote, "BTC/USDT", folder)
    return driven._replace(driver=fresh)


def test_a_stock_bot_is_paused_reduced_closed_and_started_again(driven, tmp_path) -> None:
    driven.process.until(lambda: driven.process.held, "an entry")
    whole = driven.process.held
    assert driven.step() == []
    assert {one.kind for one in driven.guard.events} >= {"bar", "account"}
    assert not driven.guard.refused

    driven.guard.state(State.CAUTION, exposure_cap=0.5)
    calls = driven.step()
    assert [call.split()[1] for call in calls] == ["/pause", "/forceexit"]
    driven.process.until(lambda: driven.process.held < whole, "a reduction")
    half = driven.process.held
    assert half == pytest.approx(whole / 2, abs=0.001)
    assert half <= whole / 2
    assert driven.process.exits[-1][:3] == ("force_exit", "market", "closed")

    driven = again(driven, tmp_path)
    assert driven.step() == []  # nothing is halved twice
    assert driven.step() == []
    assert driven.process.held == half
    driven.guard.state(State.CAUTION, exposure_cap=0.25)
    assert [call.split()[1] for call in driven.step()] == ["/forceexit"]
    driven.process.until(lambda: driven.process.held < half, "a second reduction")
    half = driven.process.held
    assert half == pytest.approx(whole / 4, abs=0.001)
    assert driven.step() == []
    assert any(":reduce_to:" in one for one in driven.guard.finished)
    assert driven.process.held == half
    assert driven.state == "paused"

    driven.process.kill()  # the bot forgets that it was paused
    driven.process.start()
    driven.process.until(lambda: answers(driven), "the bot to come back")
    assert [call.split()[1] for call in driven.step()] == ["/pause"]

    driven.guard.state(State.HALTED)
    assert [call.split()[1] for call in driven.step()] == ["/forceexit"]
    driven.process.until(lambda: not driven.process.held, "a flat position")
    assert driven.step() == []

    driven.guard.state(State.ACTIVE)
    assert driven.step() == ["POST /start"]
    driven.process.until(lambda: driven.process.held, "an entry after the release")


def answers(driven: Driven) -> bool:
    try:
        return driven.state == "running"
    except AdapterError:
        return False


def test_a_pause_of_the_operators_own_is_left_alone(driven) -> None:
    driven.process.until(lambda: answers(driven), "the bot")
    driven.remote.call("POST", "/pause")
    driven.guard.state(State.REDUCING)
    assert driven.step() == []
    driven.guard.state(State.ACTIVE)
    assert driven.step() == []
    assert driven.state == "paused"
    driven.remote.call("POST", "/stop")
    driven.guard.state(State.REDUCING)
    driven.process.until(lambda: driven.state == "stopped", "a stop")
    assert driven.step() == []  # a pause would make a running bot of it
    assert driven.state == "stopped"


def test_a_wrong_password_is_told(driven) -> None:
    driven.process.until(lambda: answers(driven), "the bot")
    stranger = Remote(driven.remote.url.removesuffix("/api/v1"), "guard:wrong")
    with pytest.raises(AdapterError, match="refuses GET /status: 401"):
        stranger.call("GET", "/status")
    assert json.dumps(driven.remote.call("GET", "/ping")) == '{"status": "pong"}'
