"""The example bot as a user starts it, on a loopback exchange that moves against it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.stub import binance
from tests.stub.server import Stub

ROOT = Path(__file__).resolve().parents[3]
RULES = """\
version: 1
symbol: BTC
every: 1m
rules:
  fallen:
    when: close < 65000
    clear: close > 68000
    do: {exposure_cap: 50%, block_entries: both}
"""


@contextmanager
def bot(folder: Path, port: int) -> Iterator[Path]:
    """Run the example; yields the file its words go to."""
    settings = {"urls": binance.urls(port), "apiKey": "x", "secret": "y"}
    options = {"enableRateLimit": False, "options": {"fetchCurrencies": False}}
    (folder / "settings.json").write_text(json.dumps(settings | options))
    (folder / "rules.yaml").write_text(RULES)
    said = folder / "said.txt"
    command = [
        sys.executable, str(ROOT / "examples/live_ccxt.py"), "--settings", "settings.json",
        "--rules", "rules.yaml", "--amount", "0.5", "--pause", "2", "--days", "1",
    ]  # fmt: skip
    with said.open("a") as out:
        running = subprocess.Popen(
            command, cwd=folder, stdout=out, stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
    try:
        yield said
        assert running.poll() is None, said.read_text()
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(60)


def until(found: Callable[[], object], what: Callable[[], str], seconds: float) -> None:
    ends = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < ends, what()
        time.sleep(0.2)


def test_the_bot_buys_is_halved_once_and_stays_halved_across_a_restart(tmp_path: Path) -> None:
    with Stub() as stub:
        market = stub.market
        with bot(tmp_path, stub.port) as said:
            until(lambda: market.positions["BTCUSDT"] >= 1.0, said.read_text, 150)
            stub.control_now(price=60_000)
            until(lambda: "reducing" in said.read_text(), said.read_text, 120)  # at a close
            bought = sum(one.filled for one in market.orders if one.side == "BUY")
            left = market.positions["BTCUSDT"]
            assert 0 < left <= bought / 2  # of what was held when the guard looked last
        with bot(tmp_path, stub.port) as said:
            words = said.read_text().count("not bought")
            until(lambda: said.read_text().count("not bought") > words + 2, said.read_text, 150)
            assert market.positions["BTCUSDT"] == left  # neither halved again nor bought
        sells = [one for one in market.orders if one.side == "SELL"]
        assert len(sells) == 1
        assert sells[0].reduce_only
        assert sells[0].filled == bought - left
