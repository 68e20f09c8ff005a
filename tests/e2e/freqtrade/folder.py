"""A user_data folder for freqtrade, and freqtrade run in it, offline."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd

from riskguard.history import History

STRATEGIES = Path(__file__).parent / "strategies"
COLUMNS = ("open", "high", "low", "close", "volume")


def config(urls: dict, pairs=("BTC/USDT", "ETH/USDT"), **more) -> dict:
    return {
        "max_open_trades": 2,
        "stake_currency": "USDT",
        "stake_amount": 1000,
        "dry_run": True,
        "dry_run_wallet": 10_000,
        "trading_mode": "spot",
        "cancel_open_orders_on_exit": False,
        "exchange": {
            "name": "binance",
            "pair_whitelist": list(pairs),
            "enable_ws": False,
            "ccxt_config": {"enableRateLimit": False, "urls": urls},
            "ccxt_async_config": {},
        },
        "entry_pricing": {"price_side": "same", "use_order_book": False},
        "exit_pricing": {"price_side": "same", "use_order_book": False},
        "pairlists": [{"method": "StaticPairList"}],
        "internals": {"process_throttle_secs": 1},
        "initial_state": "running",
        "bot_name": "riskguard",
        **more,
    }


def written(folder: Path, urls: dict, **more) -> Path:
    """Write a folder of user data with a configuration; return the configuration."""
    (folder / "user_data").mkdir(parents=True, exist_ok=True)
    path = folder / "config.json"
    path.write_text(json.dumps(config(urls, **more)), encoding="utf-8")
    return path


def candles(folder: Path, history: History, timeframe: str) -> None:
    """Write the bars of a scenario where freqtrade looks for candles."""
    data = folder / "user_data" / "data" / "binance"
    data.mkdir(parents=True, exist_ok=True)
    for symbol in ("BTC", "ETH"):
        bars = history.bars(symbol)
        frame = {name: getattr(bars, name) for name in COLUMNS}
        opened = pd.to_datetime(bars.ts - history.every, utc=True).astype("datetime64[ms, UTC]")
        table = pd.DataFrame({"date": opened, **frame})
        table.to_feather(data / f"{symbol}_USDT-{timeframe}.feather")


def command(folder: Path, *words: str) -> list[str]:
    return [
        sys.executable, "-m", "freqtrade", words[0], "-c", str(folder / "config.json"),
        "--userdir", str(folder / "user_data"), *words[1:],
    ]  # fmt: skip


def backtested(folder: Path, *strategies: str) -> tuple[dict, str]:
    """Run a backtest of some strategies; return what it found of each, and what it printed."""
    done = subprocess.run(
        command(
            folder, "backtesting", "--strategy-path", str(STRATEGIES), "--cache", "none",
            "--timeframe", "4h", "--strategy-list", *strategies,
        ),
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-4000:]
    found = max((folder / "user_data" / "backtest_results").glob("*.zip"))
    with zipfile.ZipFile(found) as archive:
        name = found.with_suffix(".json").name
        return json.loads(archive.read(name))["strategy"], said
