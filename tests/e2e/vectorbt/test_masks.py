"""Signals and sizes under a guard, handed to vectorbt."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import vectorbt
from e2e.frames import WARM, decisions_of, feb_2026
from stood_in import STANDS_IN, stood_in

from riskguard import AdapterError, RuleError, State, load_rules
from riskguard.adapters.vectorbt import CAPABILITIES, TESTED, Masks, masks

PACK = Path(__file__).resolve().parents[3] / "rules" / "feb-2026.yaml"
RULES = """\
version: 1
symbol: BTC
every: 1h
rules:
  caution: {when: close < 99, clear: close > 99.5, do: {exposure_cap: 50%}}
  reduce: {when: close < 95, clear: close > 99.5, do: {reduce_only: true}}
  halt: {when: close < 90, clear: close > 99.5, do: {exposure_cap: 0%}}
"""


def test_the_version_is_the_one_that_is_told() -> None:
    assert version("vectorbt") == vectorbt.__version__ == TESTED


class Scene:
    """Bars whose open is the close before, and signals by bar."""

    def __init__(self, rules: str, folder: Path, *prices: float) -> None:
        path = folder / "rules.yaml"
        path.write_text(rules)
        index = pd.date_range("2026-01-01", periods=len(prices), freq="1h")
        opens = [prices[0], *prices[:-1]]
        self.frame = pd.DataFrame(
            {
                "Open": opens,
                "High": np.maximum(opens, prices),
                "Low": np.minimum(opens, prices),
                "Close": prices,
            },
            index=index,
            dtype=float,
        )
        self.masks = masks(path, self.frame)

    def at(self, *bars: int) -> np.ndarray:
        found = np.zeros(len(self.frame), bool)
        found[list(bars)] = True
        return found

    def held(self, *said: Any, stop: dict[str, Any] | None = None, **more: Any) -> list[float]:
        """Return what is held at the close of each bar."""
        more = {"size": 10.0, **more}
        found = self.run(self.masks.signals(*said, **more), **(stop or {}))
        return [round(float(one), 9) for one in found.assets()]

    def run(self, signals: dict[str, Any], **more: Any) -> Any:
        return vectorbt.Portfolio.from_signals(
            self.frame["Close"], **signals, init_cash=10_000, freq="1h", **more
        )


# ---------------------------------------------------------------- time


def test_a_signal_fills_at_the_open_of_the_next_bar(tmp_path: Path) -> None:
    scene = Scene(RULES, tmp_path, 100, 101, 102, 103, 104, 105)
    found = scene.run(scene.masks.signals(scene.at(2), scene.at(4), size=10.0))
    records = found.orders.records_readable
    assert list(records["Timestamp"]) == list(scene.frame.index[[3, 5]])
    assert list(records["Price"]) == [102, 104]


def test_what_holds_at_an_open_was_decided_at_the_close_before(tmp_path: Path) -> None:
    found = Scene(RULES, tmp_path, 100, 98, 94, 89, 100, 100).masks
    assert found.state.tolist() == [State.REDUCING, 0, 1, 2, 3, 0]
    assert found.cap.tolist() == [1, 1, 0.5, 0.5, 0, 1]
    assert found.longs.tolist() == found.shorts.tolist() == [0, 1, 1, 0, 0, 1]
    assert found.flatten.tolist() == [0, 0, 0, 0, 1, 0]


@pytest.mark.parametrize("end", [1, 2, 40, 200, 333, 450, 557])
def test_later_bars_change_nothing_of_what_is_handed_over(end: int, pack: Any) -> None:
    frame, sources, whole = pack
    cut = masks(PACK, frame.iloc[: max(2, end)], sources=sources)
    bars = len(cut.closes)
    entries, exits = ladder(len(frame))
    more = {"size": 0.25, "accumulate": True}
    full = whole.signals(entries, exits, **more)
    part = cut.signals(entries[:bars], exits[:bars], **more)
    for name, values in part.items():
        np.testing.assert_array_equal(values, full[name][:bars], err_msg=name)
    for name in ("state", "cap", "longs", "shorts", "flatten"):
        np.testing.assert_array_equal(getattr(cut, name), getattr(whole, name)[:bars])


# ---------------------------------------------------------------- what the guard does


def test_nothing_enters_while_reducing(tmp_path: Path) -> None:
    scene = Scene(RULES, tmp_path, 100, 100, 94, 94, 94, 100, 100, 100)
    assert scene.held(scene.at(3, 4)) == [0] * 8
    assert scene.held(scene.at(3, 4, 5)) == [0] * 6 + [10, 10]


def test_a_halt_flattens_at_the_next_open(tmp_path: Path) -> None:
    scene = Scene(RULES, tmp_path, 100, 100, 100, 89, 89, 89)
    assert scene.held(scene.at(1)) == [0, 0, 10, 10, 0, 0]
    found = scene.run(scene.masks.signals(scene.at(1), size=10.0)).orders.records_readable
    assert found["Price"].tolist() == [100, 89]


def test_a_cap_cuts_once_and_what_was_cut_is_not_bought_back(tmp_path: Path) -> None:
    scene = Scene(RULES, tmp_path, 100, 100, 100, 98, 98, 97, 98, 100, 100)
    assert scene.held(scene.at(1, 4, 5, 6, 7)) == [0, 0, 10, 10, 5, 5, 5, 5, 5]


def test_an_entry_under_a_cap_is_cut_to_it(tmp_path: Path) -> None:
    scene = Scene(RULES, tmp_path, 100, 100, 98, 98, 98, 98, 98)
    assert scene.held(scene.at(3)) == [0] * 4 + [5, 5, 5]
    # out and in again: of what was held when it began, not of what is left
    scene = Scene(RULES, tmp_path, 100, 100, 98, 98, 98, 98, 98, 98, 98)
    assert scene.held(scene.at(1, 5), scene.at(4)) == [0, 0, 10, 5, 5, 0, 5, 5, 5]


def test_averaging_down_adds_nothing_while_reducing(tmp_path: Path) -> None:
    scene = Scene(RULES, tmp_path, 100, 100, 100, 100, 94, 93, 92, 91, 91, 91)
    adds = scene.at(*range(1, 9))
    assert scene.held(adds, accumulate=True) == [0, 0, 10, 20, 30, 15, 15, 15, 15, 15]


def test_what_is_added_stays_under_the_ceiling(tmp_path: Path) -> None:
    scene = Scene(RULES, tmp_path, 100, 100, 100, 98, 98, 98, 98, 98, 98)
    found = scene.held(scene.at(1, 4, 5, 6, 7), scene.at(4), accumulate=True, size=8.0)
    assert found == [0, 0, 8, 8, 4, 4, 4, 4, 4]


def test_of_a_reversal_that_may_not_enter_the_exit_goes_out(tmp_path: Path) -> None:
    scene = Scene(RULES, tmp_path, 100, 100, 100, 94, 94, 94)
    none = scene.at()
    assert scene.held(scene.at(1), none, scene.at(3), none) == [0, 0, 10, 10, 0, 0]
    scene = Scene(RULES, tmp_path, 100, 100, 100, 98, 98, 98)
    assert scene.held(scene.at(1), none, scene.at(3), none) == [0, 0, 10, 10, -5, -5]


def test_a_short_is_cut_and_closed_as_a_long_is(tmp_path: Path) -> None:
    scene = Scene(RULES, tmp_path, 100, 100, 100, 98, 98, 89, 89)
    none = scene.at()
    assert scene.held(none, none, scene.at(1), none) == [0, 0, -10, -10, -5, -5, 0]


def test_a_short_of_unknown_units_is_closed_where_it_had_to_be_cut(tmp_path: Path) -> None:
    scene = Scene(RULES, tmp_path, 100, 100, 100, 98, 98, 98)
    none = scene.at()
    assert scene.held(none, none, scene.at(1), none, size=np.inf)[-2:] == [0, 0]
    assert scene.held(none, none, scene.at(1), none, size=0.5, size_type="percent")[-1] == 0


def test_a_cap_is_counted_in_units_where_sizes_are_values(tmp_path: Path) -> None:
    scene = Scene(RULES.partition("  reduce:")[0], tmp_path, 100, 100, 100, 98, 80, 80, 80)
    # 10 for 1,000; a half; out; 1,000 would now be 12.5: in again with the half of 10
    found = scene.held(scene.at(1, 5), scene.at(4), size=1_000.0, size_type="value")
    assert found == [0, 0, 10, 10, 5, 0, 5]


def test_only_the_blocked_side_is_blocked(tmp_path: Path) -> None:
    rules = RULES.partition("  caution")[0] + "  long: {when: close < 99, do: {close: longs}}\n"
    scene = Scene(rules, tmp_path, 100, 100, 98, 98, 98, 98)
    none = scene.at()
    assert scene.masks.longs.tolist() == [0, 1, 1, 0, 0, 0]
    assert scene.masks.shorts.tolist() == [0, 1, 1, 1, 1, 1]
    assert scene.held(scene.at(1, 3), none, scene.at(4), none) == [0, 0, 10, 0, 0, -10]


def test_an_exit_larger_than_the_position_does_not_flip(tmp_path: Path) -> None:
    scene = Scene(RULES, tmp_path, 100, 100, 100, 94, 94, 94)
    sizes = np.array([10.0, 10, 10, 50, 50, 50])
    found = scene.held(scene.at(1), scene.at(3, 4), size=sizes, accumulate=True)
    assert found == [0, 0, 10, 10, 0, 0]


def test_a_position_that_a_stop_has_closed_can_be_entered_anew(tmp_path: Path) -> None:
    scene = Scene(RULES, tmp_path, 110, 110, 110, 100, 105, 105, 105)
    found = scene.held(scene.at(1, 4), stop={"sl_stop": 0.05}, stops=True)
    assert found == [0, 0, 10, 0, 0, 10, 10]


# ---------------------------------------------------------------- sizes and shapes


def test_while_nothing_limits_a_run_is_as_without_a_guard(tmp_path: Path) -> None:
    scene = Scene(RULES, tmp_path, *[100 + (7 * place) % 11 for place in range(60)])
    entries, exits = scene.at(*range(1, 58, 7)), scene.at(*range(5, 58, 9))
    shorts, covers = scene.at(*range(3, 58, 8)), scene.at(*range(6, 58, 13))
    said = (entries, exits, shorts, covers)
    late = [np.r_[[False], one[:-1]] for one in said]
    kinds = (("amount", np.inf, False), ("amount", 3.0, True), ("value", 500.0, False))
    for kind, size, accumulate in kinds:
        terms = {"size": size, "size_type": kind, "accumulate": accumulate}
        bare = vectorbt.Portfolio.from_signals(
            scene.frame["Close"], *late, price=scene.frame["Open"], init_cash=10_000, freq="1h",
            **terms,
        )  # fmt: skip
        ours = scene.run(scene.masks.signals(*said, **terms))
        assert bare.orders.count() > 5
        np.testing.assert_allclose(ours.value(), bare.value(), rtol=1e-12)


def test_all_that_there_is_is_cut_to_a_share_of_it(tmp_path: Path) -> None:
    scene = Scene(RULES, tmp_path, 100, 100, 98, 98, 98)
    assert scene.held(scene.at(2), size=np.inf)[-1] == round(5_000 / 98, 9)


def test_columns_are_strategies_judged_alone(tmp_path: Path) -> None:
    scene = Scene(RULES, tmp_path, 100, 100, 100, 98, 98, 98)
    both = pd.DataFrame({"early": scene.at(1), "late": scene.at(4)}, index=scene.frame.index)
    found = scene.run(scene.masks.signals(both, size=10.0)).assets()
    assert found.to_numpy().T.tolist() == [[0, 0, 10, 10, 5, 5], [0, 0, 0, 0, 0, 5]]


# ---------------------------------------------------------------- what no mask can do


def test_what_depends_on_the_account_is_refused_in_a_sentence(tmp_path: Path) -> None:
    one = "{when: equity.drawdown(all) >= 5%, do: {exposure_cap: 0%}}"
    text = f"version: 1\nsymbol: BTC\nevery: 1h\nrules:\n  one: {one}\n"
    with pytest.raises(AdapterError, match="the rules read equity: a mask is made before"):
        Scene(text, tmp_path, 100, 100, 100)


def test_the_start_says_what_stands_in_and_no_mask_is_of_what_nobody_guards(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scene = Scene(stood_in(tmp_path).read_text(), tmp_path, 100, 100, 50, 50, 50)
    assert scene.masks.notes == (STANDS_IN,)
    assert f"riskguard: {STANDS_IN}" in caplog.messages
    assert scene.held(scene.at(0))[-1] == 4.0
    with pytest.raises(RuleError, match="guards BTC, ETH, not SOL"):
        masks(stood_in(tmp_path), scene.frame, symbol="SOL")


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    scene = Scene(RULES, tmp_path, 100, 100, 100)
    with pytest.raises(AdapterError, match="no opens"):
        masks(tmp_path / "rules.yaml", scene.frame[["Close"]])
    with pytest.raises(AdapterError, match="target"):
        scene.masks.signals(scene.at(1), size_type="targetpercent")
    with pytest.raises(AdapterError, match=r"shape \(2,\) for 3 bars"):
        scene.masks.signals(scene.at(1)[:2])
    with pytest.raises(RuleError, match="stop"):
        Scene(RULES.replace("reduce_only: true", "stop: 5%"), tmp_path, 100, 100)


# ---------------------------------------------------------------- the embedded sell-off


def ladder(bars: int) -> tuple[np.ndarray, np.ndarray]:
    """Add each day, out every fifteen days."""
    place = np.arange(bars)
    exits = (place >= WARM) & (place % 90 == 0)
    return (place >= WARM) & (place % 6 == 0) & ~exits, exits


@pytest.fixture(scope="module")
def pack() -> tuple[Any, dict[str, str], Masks]:
    frame, sources = feb_2026()
    return frame, sources, masks(PACK, frame, sources=sources)


def test_on_the_embedded_sell_off_the_guarded_run_loses_less(
    pack: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    frame, _, found = pack
    wanted = decisions_of(load_rules(PACK), CAPABILITIES)
    assert list(found.decisions) == list(wanted.values())
    entries, exits = ladder(len(frame))
    sizes = np.where(exits, np.inf, 0.1)
    late = [np.r_[[False], one[:-1]] for one in (entries, exits)]
    terms = {"init_cash": 100_000, "fees": 0.0004, "freq": "4h"}
    bare = vectorbt.Portfolio.from_signals(
        frame["Close"], *late, size=np.r_[0.1, sizes[:-1]], accumulate=True, price=frame["Open"],
        **terms,
    )  # fmt: skip
    signals = found.signals(entries, exits, size=sizes, accumulate=True)
    kept = vectorbt.Portfolio.from_signals(frame["Close"], **signals, **terms)
    bought = kept.orders.records_readable.query("Side == 'Buy'")["Timestamp"]
    tight = found.state >= State.REDUCING
    assert len(bought)
    assert not set(bought) & set(frame.index[tight])
    assert kept.max_drawdown() > bare.max_drawdown() / 2
    worst = [f"{100 * one.max_drawdown():.1f} %" for one in (bare, kept)]
    with capsys.disabled():
        sys.stdout.write(
            f"\nvectorbt, feb-2026, averaging down: drawdown {worst[0]} bare, {worst[1]} guarded;"
            f" {int(tight.sum())} of {len(frame)} bars"
            " closed to entries\n"
        )
