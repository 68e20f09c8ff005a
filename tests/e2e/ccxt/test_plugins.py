"""A feed of a plug-in beside those of an exchange on real ccxt.pro, live and in a recording."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from pathlib import Path
from typing import Any

import ccxt.pro
import pytest
from plugged import Installed

from riskguard import Event
from riskguard.errors import AdapterError
from riskguard.feeds.recorded import recorded
from riskguard.feeds.recorder import record
from riskguard.feeds.streaming import Feeds, Pace
from tests.feeds.ending import ended
from tests.stub import bybit
from tests.stub.server import Stub

SYMBOL = "BTC/USDT:USDT"
FAST = Pace(0.2, 0.2, 1.0, 0.5, 0.2)
BESIDE = ("bars", "open_interest", "liquidations")  # of the exchange
FEED = """
import time
from riskguard import Event
MODE, GO = [], __import__("threading").Event()

class Measure:
    api = (1, 0)
    series = ("funding",)
    values = {"mood": ("index", "1m")}
    every = 0.1

    def __init__(self, symbols):
        self.symbol = symbols[0]

    def poll(self, since):
        if "raise" in MODE:
            raise KeyError("mood")
        if "hang" in MODE:
            GO.wait(60)
        now = time.time_ns() // 10**9 * 10**9
        yield Event(now, "value", "*", {"series": "mood", "value": 7.0})
        yield Event(now, "funding", self.symbol, {"rate": 0.0003, "interval_hours": 8.0})
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "site").mkdir()
    install = Installed(tmp_path / "site", monkeypatch)
    install.allow("vendor")
    return install("vendor", FEED, kind="feeds")


def exchange(stub: Stub) -> Any:
    return ccxt.pro.bybit({"urls": bybit.urls(stub.port), "enableRateLimit": False})


def fed(wanted: Any, mode: str = "", module: str = "") -> tuple[list[Event], dict[str, str]]:
    """Feed until `wanted` holds of the events and of what is silent."""
    told: list[Event] = []

    async def run() -> dict[str, str]:
        stub = Stub()
        runner = await stub.serve()
        venue = exchange(stub)
        feeds = Feeds(venue, (SYMBOL,), told.append, BESIDE, FAST, plugins=("vendor",))
        if mode:
            sys.modules[module].MODE.append(mode)
        running = asyncio.ensure_future(feeds.run())
        try:
            ends = time.monotonic() + 90
            while not wanted(told, feeds.silent()):
                assert time.monotonic() < ends, "it did not happen"
                await asyncio.sleep(0.02)
            return feeds.silent()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await venue.close()
            await runner.cleanup()

    return told, asyncio.run(run())


def kinds(told: list[Event], source: str) -> set[str]:
    return {one.kind for one in told if one.source == source}


@pytest.mark.usefixtures("module")
def test_it_is_heard_beside_the_exchange_under_its_own_name() -> None:
    venue = {"bar", "open_interest", "alive"}

    def both(told: list[Event], _: object) -> bool:
        return kinds(told, "bybit") >= venue and kinds(told, "vendor") == {"value", "funding"}

    told, silent = fed(both)
    assert silent == {}
    assert {one.data["rate"] for one in told if one.kind == "funding"} == {0.0003}


@pytest.mark.parametrize("mode", ["raise", "hang"])
def test_one_that_fails_takes_nothing_from_the_exchange(
    module: str, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("riskguard.feeds.vendors.SLOW", 0.1)
    said = {"raise": "quarantined until the next start: KeyError", "hang": "has not answered"}[mode]

    def both(told: list[Event], silent: dict[str, str]) -> bool:
        return "bar" in kinds(told, "bybit") and silent.get("feed vendor", "").startswith(said)

    told, _ = fed(both, mode, module)
    sys.modules[module].GO.set()
    assert kinds(told, "vendor") == set()


@pytest.mark.usefixtures("module")
def test_what_both_bring_is_refused_and_no_thread_is_left() -> None:
    threads = set(threading.enumerate())
    with (
        Stub() as stub,
        pytest.raises(AdapterError, match="funding would come from bybit and from plug-in vendor"),
    ):
        Feeds(exchange(stub), (SYMBOL,), print, plugins=("vendor",))
    assert set(threading.enumerate()) <= threads


@pytest.mark.usefixtures("module")
def test_both_are_recorded_each_with_its_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, files = tmp_path / "rec", {"BTC-1m.csv", "BTC-mood-1m.csv", "BTC-funding-8h.csv"}
    monkeypatch.setattr("riskguard.feeds.recorder.FLUSH", 0.2)
    rows: dict[str, int] = {}

    async def run() -> None:
        stub = Stub()
        runner = await stub.serve()
        recorder = record(
            exchange(stub), (SYMBOL,), out, pace=FAST, series=BESIDE, plugins=("vendor",),
            tell=lambda written, _: rows.update(written),
        )  # fmt: skip
        try:
            await ended(recorder, lambda: all(rows.get(name) for name in files))
        finally:
            await runner.cleanup()

    asyncio.run(run())
    lines = (out / "scenario.yaml").read_text().splitlines()
    sources = {
        line.partition("file: ")[2].partition(",")[0]: line.partition("source: ")[2].partition(",")[
            0
        ]
        for line in lines
        if "file: " in line
    }
    assert sources["BTC-1m.csv"] == "bybit"
    assert sources["BTC-mood-1m.csv"] == sources["BTC-funding-8h.csv"] == "vendor"
    told = list(recorded(out))
    assert kinds(told, "vendor") == {"value", "funding"}
    assert "bar" in kinds(told, "bybit")
