"""`riskguard record` as it is typed: killed, started again, refused a second time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from riskguard.feeds.recorded import recorded
from riskguard.feeds.table import rows
from riskguard.market import MINUTE, SECOND
from tests.stub import bybit
from tests.stub.server import Stub

ROOT = Path(__file__).resolve().parents[3]


def started(folder: Path, *more: str) -> subprocess.Popen[str]:
    command = [
        sys.executable, "-m", "riskguard", "record", "--exchange", "bybit", "--symbol",
        "BTC/USDT:USDT", "--out", "rec", "--settings", "settings.json", *more,
    ]  # fmt: skip
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def until(found: Callable[[], object], seconds: float) -> None:
    ends = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.2)


def stamps(path: Path) -> list[int]:
    return [ts for ts, _ in rows(path)] if path.exists() else []


def test_killed_and_started_again_a_recording_goes_on_and_leaves_its_gap(tmp_path: Path) -> None:
    liquidations, bars = tmp_path / "rec/BTC-liquidations-1m.csv", tmp_path / "rec/BTC-1m.csv"
    with Stub() as stub:
        settings = {"urls": bybit.urls(stub.port), "enableRateLimit": False}
        (tmp_path / "settings.json").write_text(json.dumps(settings))
        first = started(tmp_path)
        until(lambda: stub.sockets or first.poll() is not None, 120)
        assert first.poll() is None, first.communicate()[0]
        # a whole minute is heard, with two equal liquidations of one message in it
        time.sleep(62 - time.time() % 60)
        one = {"side": "long", "price": 70_000.0, "quantity": 2.0}
        stub.control_now(liquidation=[one, one])
        until(lambda: stamps(liquidations), 90)
        first.send_signal(signal.SIGKILL)
        first.wait(10)
        heard = stamps(liquidations)[-1]
        again = started(tmp_path)
        until(lambda: (again.poll() is not None) or len(stub.sockets) == 1, 120)
        second = started(tmp_path, "--for", "2s")
        said = second.communicate(timeout=60)[0]
        assert second.returncode == 5, said
        assert "another process records into rec" in said
        until(lambda: stamps(bars)[-1] > heard, 100)
        again.send_signal(signal.SIGTERM)
        said = again.communicate(timeout=30)[0]
        assert again.returncode == 0, said
        assert "all that was heard is in rec" in said
    assert stamps(bars) == sorted(set(stamps(bars)))
    found = dict(rows(liquidations))
    assert found[heard]["liq_long_usd"] == 280_000.0
    assert heard + MINUTE not in found  # killed in it, and started again in it
    told = list(recorded(tmp_path / "rec"))
    assert {event.kind for event in told} >= {"bar", "funding", "liquidation", "alive"}
    assert all(event.ts <= time.time_ns() + SECOND for event in told)
