"""Every pack on every real sell-off: it decides as it did, or says why not."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from riskguard.backtest.evidence.identity import identity
from riskguard.errors import DataError, RiskguardError
from riskguard.history import History
from riskguard.history.scenario import read_scenario
from riskguard.history.verifying import verify
from tests.history import planted
from tests.selloffs.real import EVENTS, FOLDER, GOLDEN, PACKS, real, told

LOWS = {  # data.md names them: hourly bars, in dollars
    "2020-03": 3_850.0,
    "2021-05": 30_000.0,
    "2022-05": 17_622.0,
    "2022-11": 15_476.0,
    "2024-08": 48_888.0,
    "2025-10": 101_516.5,
    "2025-11": 80_600.0,
    "2026-02": 59_800.0,
}


def golden(event: str, pack: str) -> list[str]:
    head, lines = f"# {event} {pack}", GOLDEN.read_text(encoding="utf-8").splitlines()
    after = lines[lines.index(head) + 1 :]
    end = next((place for place, line in enumerate(after) if line.startswith("#")), len(after))
    return after[:end]


@pytest.mark.needs_market_data
@pytest.mark.parametrize("event", EVENTS)
def test_a_sell_off_is_read_whole_and_reaches_its_low(event, market_data, measured):
    history = real(event, market_data)
    bars = history.bars()
    assert bars.low.min() == LOWS[event]
    grades = Counter(one.grade for one in history.series.values())
    assert set(grades) <= {"exchange", "vendor"}, "nothing here is modelled"
    for one in history.series.values():  # no stamp before its value was known
        assert (one.times >= one.events).all()
        if one.name.startswith("liq."):
            assert one.coverage == "sampled", one.key
    told = ", ".join(f"{count} {grade}" for grade, count in sorted(grades.items()))
    measured(f"{event}: {len(bars.ts):,} bars of BTC, series by grade: {told}")


@pytest.mark.needs_market_data
@pytest.mark.parametrize("event", EVENTS)
def test_every_pack_decides_as_it_did_and_its_money_adds_up(event, market_data, measured):
    history, refused = real(event, market_data), []
    decisions, worst = 0, 0.0
    for pack in PACKS:
        lines, found = told(history, pack)
        assert lines == golden(event, pack), pack
        if found is None:
            refused.append(pack)
            continue
        lacking = abs(identity(found).error)
        assert lacking <= 1e-12, pack
        decisions, worst = decisions + len(found.decisions), max(worst, lacking)
    assert len(refused) < len(PACKS)
    measured(
        f"{event}: {len(PACKS) - len(refused)} packs obeyed by a 3x long, {decisions} decisions,"
        f" identity to {worst:.1e}; refused: {', '.join(refused) or 'none'}"
    )


@pytest.mark.soak
@pytest.mark.needs_market_data
@pytest.mark.parametrize("event", EVENTS)
def test_every_pack_is_cut_at_every_bar_of_every_sell_off(event, market_data, measured):
    history, cuts, bars, refused = real(event, market_data), 0, 0, []
    for name in PACKS:
        try:
            found = verify(planted.pack(name, history), history)
        except RiskguardError:
            refused.append(name)  # the data lacks what it reads, or it reads the account alone
            continue
        assert found.fine, (name, found.differences)
        cuts, bars = cuts + found.cuts.made, bars + found.cuts.bars
    assert cuts == bars > 0
    measured(f"{event}: {cuts:,} cuts, every bar, 0 differences; refused: {', '.join(refused)}")


def test_the_golden_decisions_are_of_every_pack_on_every_sell_off():
    heads = [line for line in GOLDEN.read_text(encoding="utf-8").splitlines() if line[0] == "#"]
    assert heads == [f"# {event} {pack}" for event in EVENTS for pack in PACKS]
    assert sorted(LOWS) == EVENTS


def test_packs_that_read_coins_are_refused_where_the_data_has_dollars_alone():
    """Open interest in coins is in the files of one sell-off; dollars never stand in for it."""
    for event in EVENTS:
        for pack in ("balanced", "conservative", "feb-2026"):
            lacking = [line for line in golden(event, pack) if line.startswith("refused RG501")]
            assert bool(lacking) == (event != "2026-02"), (event, pack)
            assert not lacking or any("'oi'" in line for line in lacking)


def test_packs_that_count_hours_are_refused_where_liquidations_are_of_days():
    """A day's total would stand for four hours of it: the rule would fire on nothing, or never."""
    for event in EVENTS:
        hours = event in {"2025-10", "2025-11"}
        lines = golden(event, "cascade")
        assert any(line.startswith("refused") for line in lines) != hours, event
        if event not in {"2020-03", "2025-10", "2025-11"}:
            assert all(
                "RG408" in line and "'liq.long' in the data (24 h)" in line for line in lines
            )


@pytest.mark.parametrize("event", EVENTS)
def test_a_scenario_of_a_sell_off_is_complete_without_its_files(event):
    scenario = read_scenario(FOLDER / event)
    assert (scenario.name, scenario.symbol) == (event, "BTC")
    for entry in scenario.entries:
        assert entry.file.startswith(f"{event}/"), "file names are relative"
        assert entry.source
        if "fear_greed" in entry.columns:
            assert entry.available_after, "a day is known when it is over"
    assert not list((FOLDER / event).glob("*.csv")), "the data is not ours to copy"


# ------------------------------------------------------------ files from another folder


ROWS = "ts,open,high,low,close\n" + "".join(
    f"2026-01-01T{hour:02}:00Z,100,101,99,100\n" for hour in range(4)
)
ONE = "symbol: BTC\nseries:\n  - {{file: {file}, symbol: BTC, series: bars, interval: 1h,\n"
ONE += "     stamp: open, source: mine, grade: exchange}}\n"


def scenario(folder: Path, file: str) -> Path:
    place = folder / "told"
    place.mkdir()
    (place / "scenario.yaml").write_text(ONE.format(file=file))
    return place


def test_file_names_count_from_the_folder_that_is_named(tmp_path):
    place, files = scenario(tmp_path, "some/bars.csv"), tmp_path / "files"
    (files / "some").mkdir(parents=True)
    (files / "some" / "bars.csv").write_text(ROWS)
    assert len(History.read(place, files=files).bars().ts) == 4
    with pytest.raises(DataError, match=r"bars\.csv"):
        History.read(place)


@pytest.mark.parametrize("file", ["../bars.csv", "some/../../bars.csv", "/etc/hostname"])
def test_no_file_name_leaves_the_folder_that_is_named(tmp_path, file):
    (tmp_path / "bars.csv").write_text(ROWS)
    place, files = scenario(tmp_path, file), tmp_path / "files"
    files.mkdir()
    with pytest.raises(DataError, match="leads out of") as caught:
        History.read(place, files=files)
    assert (caught.value.column, caught.value.line) == ("file", 3)
    assert caught.value.path.endswith("scenario.yaml")
