"""The example in examples/ as a reader runs it, but for the exchange."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.stub.binance import urls
from tests.stub.server import Stub

ROOT = Path(__file__).resolve().parents[3]


def test_the_example_shows_a_bare_and_a_guarded_run(tmp_path) -> None:
    with Stub() as stub:
        addresses = {"enable_ws": False, "ccxt_config": {"urls": urls(stub.port)}}
        path = tmp_path / "exchange.json"
        path.write_text(json.dumps({"exchange": addresses}), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, str(ROOT / "examples/freqtrade_bot.py"), "-c", str(path)],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    bare, kept = done.stdout.splitlines()
    assert [bare.split()[0], kept.split()[0]] == ["Ladder", "GuardedLadder"]
    drawdown = [float(line.split()[2].rstrip("%")) for line in (bare, kept)]
    assert 0 < drawdown[1] < drawdown[0] / 2
