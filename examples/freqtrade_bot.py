"""A freqtrade strategy that averages down, bare and guarded, on the embedded sell-off.

    pip install riskguard[backtest] freqtrade==2026.9
    python examples/freqtrade_bot.py

The guarded strategy is the bare one under `@guarded`; nothing else in it changes, and in a dry or
live run nothing changes either: there the guard remembers in user_data/riskguard. freqtrade asks
the exchange which markets there are, and nothing more; its data is the embedded scenario. What is
given to this script is handed to `freqtrade backtesting`.

One sell-off, known when the rules were written: what is printed shows the wiring, not the worth.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd
from freqtrade.strategy import IStrategy

from riskguard.adapters.freqtrade import guarded
from riskguard.history import History

if TYPE_CHECKING:
    from datetime import datetime

history = History.read("feb-2026")


class Ladder(IStrategy):
    """Buys as soon as it can, and a little more each noon."""

    INTERFACE_VERSION = 3
    timeframe = "4h"
    minimal_roi: ClassVar = {"0": 10}
    stoploss = -0.9
    position_adjustment_enable = True

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """Have no indicators."""
        return dataframe

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """Enter whenever flat."""
        dataframe["enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """Never leave."""
        dataframe["exit_long"] = 0
        return dataframe

    def adjust_trade_position(self, current_time: datetime, **kwargs: object) -> float | None:
        """Average down, and up."""
        return 200.0 if current_time.hour == 12 else None


# candles, open interest and liquidations come from the scenario; live, `feed` brings the others
@guarded("feb-2026.yaml", samples=history.samples, sources=history.sources())
class GuardedLadder(Ladder):
    """The same under a guard."""


CONFIG: dict[str, Any] = {
    "max_open_trades": 1,
    "stake_currency": "USDT",
    "stake_amount": 30_000,
    "dry_run": True,
    "dry_run_wallet": 100_000,
    "exchange": {"name": "binance", "pair_whitelist": ["BTC/USDT"]},
    "entry_pricing": {"price_side": "same"},
    "exit_pricing": {"price_side": "same"},
    "pairlists": [{"method": "StaticPairList"}],
}


def written(folder: Path) -> list[str]:
    """Write configuration, candles and this file where freqtrade looks for them."""
    data, strategies = folder / "data" / "binance", folder / "strategies"
    for made in (data, strategies):
        made.mkdir(parents=True)
    bars = history.bars()
    columns = {name: getattr(bars, name) for name in ("open", "high", "low", "close", "volume")}
    opens = pd.to_datetime(bars.ts - history.every, utc=True).astype("datetime64[ms, UTC]")
    pd.DataFrame({"date": opens, **columns}).to_feather(data / "BTC_USDT-4h.feather")
    shutil.copy(__file__, strategies)
    (folder / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    return ["--userdir", str(folder), "-c", str(folder / "config.json"), "--timeframe", "4h"]


def main() -> None:
    """Run freqtrade's backtest of both, and say how they fared."""
    with TemporaryDirectory() as place:
        words = written(Path(place) / "user_data")
        command = [sys.executable, "-m", "freqtrade", "backtesting", *words, *sys.argv[1:]]
        names = ["--strategy-list", "Ladder", "GuardedLadder"]
        done = subprocess.run([*command, *names], capture_output=True, text=True, check=False)  # noqa: S603 - freqtrade itself
        if done.returncode:
            sys.exit(done.stdout[-2000:] + done.stderr[-2000:])
        found = next((Path(place) / "user_data" / "backtest_results").glob("*.zip"))
        with zipfile.ZipFile(found) as archive:
            results = json.loads(archive.read(f"{found.stem}.json"))["strategy"]
    for name, one in results.items():
        orders = sum(len(trade["orders"]) for trade in one["trades"])
        worst, left = one["max_drawdown_account"], one["profit_total"]
        print(f"{name:14} drawdown {worst:7.1%}   return {left:7.1%}   {orders} orders")


if __name__ == "__main__":
    main()
