"""A real freqtrade process in a dry run: killed in the middle of a reduction, and begun again."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.freqtrade.folder import STRATEGIES, command, written
from tests.stub.binance import urls
from tests.stub.server import Stub

PATIENCE = 60.0


class Holding(Stub):
    """An exchange that can keep a question for its order book unanswered."""

    def __init__(self, **market: float) -> None:
        super().__init__(**market)
        self.holds, self.kept = False, threading.Event()

    async def rest(self, request: Any) -> Any:
        if request.path.endswith("/depth") and self.holds:
            self.kept.set()
            while self.holds:  # noqa: ASYNC110 - the test is in another thread
                await asyncio.sleep(0.05)
        return await super().rest(request)


class Process:
    """`freqtrade trade` in a folder, and what its database holds."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.database = folder, folder / "trades.sqlite"
        self.log = (folder / "said.txt").open("ab")
        self.child: subprocess.Popen[bytes] | None = None
        self.begun = 0

    def start(self) -> None:
        self.begun = self.log.seek(0, os.SEEK_END)
        words = command(self.folder, "trade", "--strategy-path", str(STRATEGIES), "-s", "Living")
        self.child = subprocess.Popen(
            words, stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True
        )

    def kill(self) -> None:
        if self.child is not None:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait(10)
            self.child = None

    def rows(self, query: str) -> list[tuple]:
        if not self.database.exists():
            return []
        try:
            with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as base:
                return base.execute(query).fetchall()
        except sqlite3.OperationalError:  # its tables are not there yet
            return []

    @property
    def held(self) -> float:
        return sum(row[0] for row in self.rows("select amount from trades where is_open"))

    @property
    def exits(self) -> list[tuple]:
        return self.rows(
            "select ft_order_tag, order_type, status, filled from orders where side = 'sell'"
        )

    def until(self, true: Callable[[], Any], what: str) -> Any:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            assert self.child is None or self.child.poll() is None, self.said
            if found := true():
                return found
            time.sleep(0.1)
        pytest.fail(f"not in {PATIENCE:g} s: {what}\n{self.said[-5000:]}")

    @property
    def said(self) -> str:
        """What was logged since the last start."""
        return (self.folder / "said.txt").read_bytes()[self.begun :].decode()


@pytest.fixture
def exchange() -> Iterator[Holding]:
    with Holding(price=70_000.0) as stub:
        yield stub
        stub.holds = False


@pytest.fixture
def process(exchange, tmp_path) -> Iterator[Process]:
    written(
        tmp_path, urls(exchange.port), pairs=["BTC/USDT"], stub_port=exchange.port,
        db_url=f"sqlite:///{tmp_path / 'trades.sqlite'}", stake_amount=7_000,
        entry_pricing={"price_side": "other", "use_order_book": False},
    )  # fmt: skip
    found = Process(tmp_path)
    yield found
    found.kill()


def test_a_bot_killed_in_the_middle_of_a_reduction_halves_nothing_twice(exchange, process) -> None:
    process.start()
    process.until(lambda: process.held, "an entry")
    whole = process.held

    exchange.holds = True
    exchange.control_now(price=64_000)
    process.until(exchange.kept.is_set, "a reduction on its way")
    begun = process.rows("select cd_key, cd_value from trade_custom_data")
    process.kill()  # written down, and not sent
    assert [key for key, _ in begun] == ["riskguard_done"]
    assert process.held == whole
    exchange.holds = False

    process.start()
    process.until(lambda: process.held < whole, "the reduction after the restart")
    process.kill()  # filled, and the guard not told yet, or just now
    half = process.held
    assert half == pytest.approx(whole / 2, abs=0.001)

    process.start()
    seen = len(process.rows("select 1 from orders"))
    process.until(lambda: "Bot heartbeat" in process.said, "a third life")
    time.sleep(6)  # as many loops
    assert process.held == half
    assert len(process.rows("select 1 from orders")) == seen
    assert [(tag, kind) for tag, kind, _, _ in process.exits] == [("riskguard_reduce", "market")]

    exchange.control_now(price=59_000)  # HALTED: everything leaves, at market
    process.until(lambda: not process.held, "a flat position")
    assert process.exits[-1][:3] == ("riskguard_flatten", "market", "closed")
    assert process.rows("select exit_reason from trades") == [("riskguard_flatten",)]
    assert process.rows("select count(*) from trades") == [(1,)]  # nothing entered since
