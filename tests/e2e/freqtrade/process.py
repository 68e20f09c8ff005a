"""Real freqtrade processes in a dry run, and an exchange that can keep a question waiting."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.freqtrade.folder import STRATEGIES, command
from tests.stub.server import Stub

PATIENCE = 240.0


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

    def __init__(self, folder: Path, strategy: str) -> None:
        self.folder, self.database = folder, folder / "trades.sqlite"
        self.strategy = strategy
        self.log = (folder / "said.txt").open("ab")
        self.child: subprocess.Popen[bytes] | None = None
        self.begun = 0

    def start(self) -> None:
        self.begun = self.log.seek(0, os.SEEK_END)
        words = command(self.folder, "trade", "--strategy-path", str(STRATEGIES))
        words += ["-s", self.strategy]
        self.child = subprocess.Popen(
            words, stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True
        )

    def kill(self) -> None:
        if self.child is not None:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait(60)
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
