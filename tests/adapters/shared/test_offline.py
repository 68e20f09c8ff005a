from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import NamedTuple

import pytest

from riskguard import AdapterError, RuleError, load_rules
from riskguard.adapters.backtesting import CAPABILITIES, guarded
from riskguard.adapters.shared.offline import (
    Fact,
    Teller,
    Terms,
    closes,
    columns,
    leverage,
    read_by,
    row,
)
from riskguard.history import History
from riskguard.testing import ScriptedGuard

HOUR = 3_600_000_000_000
START = 1_767_225_600_000_000_000  # 2026-01-01
RULES = "version: 1\nevery: 1h\nrules:\n  one: {{when: {when}, do: {{{do}}}}}\n"


def written(folder: Path, when: str = "close < 90", do: str = "block_entries: both") -> Path:
    path = folder / "rules.yaml"
    path.write_text(RULES.format(when=when, do=do))
    return path


class Stamp(NamedTuple):
    value: int  # as a Timestamp of pandas has it


def index(*hours: int) -> list[Stamp]:
    return [Stamp(START + one * HOUR) for one in hours]


def test_told_bar_by_bar_a_guard_decides_what_it_decides_fed_with_samples() -> None:
    history = History.read("feb-2026")
    terms = Terms.of(Path("rules/feb-2026.yaml"), sources=history.sources())
    told, _ = terms.desk(history.every, list(history.inputs()), CAPABILITIES)
    fed, _ = terms.desk(history.every, list(history.inputs()), CAPABILITIES)
    teller, waiting, seen = Teller(told, "BTC", history.every), list[Fact](), 0
    for sample in history.samples():
        wanted = fed.guard.update(sample)  # type: ignore[attr-defined]  # an Offline desk
        bar = dict(sample.values)
        own = sample.symbol == "BTC"
        if own and "close" in bar:
            named = {name: bar.pop(name) for name in ("open", "high", "low", "close", "volume")}
            waiting += [Fact(sample.ts, "", name, value) for name, value in bar.items()]
            assert teller.tell(sample.ts, named, waiting) == wanted
            waiting, seen = [], seen + 1
        else:
            symbol = "" if own else sample.symbol
            waiting += [Fact(sample.ts, symbol, name, value) for name, value in bar.items()]
    assert seen == 558
    assert told.refused == {}  # type: ignore[attr-defined]  # an Offline desk


def test_two_trades_that_look_the_same_are_two(tmp_path: Path) -> None:
    rules = written(tmp_path, "trades.lost.sum(3h) >= 2")
    desk, _ = Terms.of(rules, symbol="BTC").desk(HOUR, ["close"], CAPABILITIES)
    teller, lost = Teller(desk, "BTC", HOUR), {"pnl": -5.0}
    bar = {"close": 100.0}
    account = {"equity": 1_000.0, "position": 0.0}
    teller.tell(START, bar, account=account)
    assert teller.tell(START + HOUR, bar, account=account, trades=[lost]).block_entries == "none"
    twice = teller.tell(START + 2 * HOUR, bar, account=account, trades=[lost])
    assert twice.block_entries == "both"
    found = teller.tell(START + 9 * HOUR, bar, account=account, trades=[lost, lost])
    assert found.block_entries == "both"


def test_what_is_refused_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    desk, _ = Terms.of(written(tmp_path, "oi < 90"), symbol="BTC").desk(
        HOUR, ["close", "oi"], CAPABILITIES
    )
    teller = Teller(desk, "BTC", HOUR)
    with caplog.at_level(logging.WARNING, "riskguard"):
        for place in range(3):
            ts = START + place * HOUR
            teller.tell(ts, {"close": 100.0}, [Fact(ts, "", "oi", -1.0)])
    assert [one.getMessage() for one in caplog.records] == [
        "riskguard: not taken: value: oi: negative"
    ]


def test_rules_that_do_not_fit_make_no_desk(tmp_path: Path) -> None:
    terms = Terms.of(written(tmp_path, "oi < 90"), symbol="BTC")
    with pytest.raises(RuleError, match="oi"):
        terms.desk(HOUR, ["close"], CAPABILITIES)
    terms = Terms.of(written(tmp_path, do="stop: 5%"), symbol="BTC")
    with pytest.raises(RuleError, match="stop"):
        terms.desk(HOUR, ["close"], CAPABILITIES)
    terms = Terms.of(written(tmp_path, "equity.drawdown(all) >= 5%"), symbol="BTC")
    with pytest.raises(RuleError, match="equity"):
        terms.desk(HOUR, ["close"], CAPABILITIES, account=False)


def test_a_desk_of_their_own_stands_for_rules() -> None:
    guard = ScriptedGuard()
    terms = Terms.of("", symbol="BTC/USDT:USDT", desk=lambda: guard)
    assert terms.symbol == "BTC"
    assert terms.desk(HOUR, [], CAPABILITIES) == (guard, ())
    assert terms.keys == ["open", "high", "low", "close", "volume"]


def test_what_makes_no_guard_is_said(tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match="one of rules and desk"):
        Terms.of("")
    with pytest.raises(AdapterError, match="one of rules and desk"):
        Terms.of(written(tmp_path), symbol="BTC", desk=ScriptedGuard)
    with pytest.raises(AdapterError, match="no symbol"):
        Terms.of(written(tmp_path))
    with pytest.raises(AdapterError, match=r"pip install backtesting==0\.6\.6"):
        guarded(written(tmp_path))


def test_keys_are_what_the_rules_read_less_the_account() -> None:
    rules = load_rules("rules/feb-2026.yaml")
    keys = Terms.of(rules).keys
    assert {"close", "oi", "liq.long", "ETH.close", "fear_greed", "holder.cost"} <= set(keys)
    assert "BTC.close" not in keys
    strict = read_by(rules, "BTC", strictly=True)
    assert "fear_greed" not in strict  # it may be missing
    assert "oi" in strict


def test_columns_are_found_by_any_of_their_names() -> None:
    keys = ("close", "high", "liq.long", "oi", "ETH.close", "SOL.close", "funding", "volume")
    there = ("Close", "high", "liq_long_usd", "oi_coins", "ETH_close", "SOL.close", "funding_rate")
    assert columns(keys, there) == {
        "close": "Close",
        "high": "high",
        "liq.long": "liq_long_usd",
        "oi": "oi_coins",
        "ETH.close": "ETH_close",
        "SOL.close": "SOL.close",
        "funding": "funding_rate",
    }


def test_a_row_is_counted_in_coins_and_nan_is_nothing_new() -> None:
    named = {"close": "Close", "volume": "Volume", "oi": "oi", "ETH.close": "e"}
    values = {"Close": 0.05, "Volume": 2e6, "oi": math.nan, "e": 3_000.0}
    bar, facts = row(named, START, values.__getitem__, unit=1e-6)
    assert bar == pytest.approx({"close": 50_000.0, "volume": 2.0})
    assert facts == [Fact(START, "ETH", "close", 3_000.0)]


def test_bars_close_an_interval_after_they_open() -> None:
    assert closes(index(0, 1, 3), "open") == ([START + n * HOUR for n in (1, 2, 4)], HOUR)
    assert closes(index(0, 1, 3), "close") == ([START + n * HOUR for n in (0, 1, 3)], HOUR)
    with pytest.raises(AdapterError, match="write 'open' or 'close'"):
        closes(index(0, 1), "middle")
    with pytest.raises(AdapterError, match="no times"):
        closes([0, 1, 2], "open")
    with pytest.raises(AdapterError, match="no multiple"):
        closes([Stamp(START + 7), Stamp(START + 7 + HOUR)], "open")
    with pytest.raises(AdapterError, match="oldest first"):
        closes(index(1, 0), "open")


def test_an_account_worth_nothing_is_beyond_any_leverage() -> None:
    assert leverage(-2_000.0, 1_000.0) == 2.0
    assert leverage(0.0, 0.0) == 0.0
    assert leverage(1.0, -1.0) > 1_000
