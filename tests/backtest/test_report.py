from __future__ import annotations

import errno
import json
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft7Validator, ValidationError

from riskguard.backtest.account import Fill
from riskguard.backtest.comparison import Comparison, Recovery
from riskguard.backtest.evidence.verdict import Verdict
from riskguard.backtest.report import as_json, build, mark_bar, notes, schema_path
from riskguard.cli.writing import write
from riskguard.engine.decision import Reading
from riskguard.history import History, Mark
from riskguard.market import DAY, HOUR
from tests.backtest.made import JANUARY, comparison, fill, ruleset, untested

VALIDATOR = Draft7Validator(json.loads(schema_path().read_text()))
ASKED = {
    "schema", "riskguard", "verdict", "warm_up", "scenario", "data", "rules", "strategy", "symbol",
    "every", "bars", "costs", "runs", "decisions", "recovery", "equity",
}  # fmt: skip


def told(made: Comparison) -> dict[str, Any]:
    return build(made, untested(made))


def word(made: Comparison) -> Verdict:
    return untested(made).verdict


def test_the_schema_is_draft_7_and_requires_every_promised_key() -> None:
    Draft7Validator.check_schema(VALIDATOR.schema)
    assert set(VALIDATOR.schema["required"]) == ASKED


def test_a_report_satisfies_its_schema_and_survives_json(tmp_path: Path) -> None:
    report = told(comparison(tmp_path))
    VALIDATOR.validate(report)
    assert json.loads(as_json(report)) == report


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("decisions", 0, "ts"), "2026-02-06 04:00"),
        (("decisions", 0, "state"), "PANIC"),
        (("runs", "bare", "trades"), 1.5),
        (("verdict", "word"), "HELPED"),
        (("data", 0, "grade"), "good"),
        (("equity", "bare"), None),
    ],
)
def test_the_schema_refuses_what_is_not_promised(tmp_path: Path, place: tuple, value) -> None:
    report = json.loads(as_json(told(comparison(tmp_path))))
    inner = report
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    with pytest.raises(ValidationError):
        VALIDATOR.validate(report)


def test_figures_stand_at_the_mark_and_at_the_end(tmp_path: Path) -> None:
    report = told(comparison(tmp_path))
    assert report["runs"]["guarded"]["end_equity"] == 9000.0
    assert report["mark"]["runs"]["guarded"]["end_equity"] == 9600.0
    assert report["runs"]["guarded"]["fees"] == 8.25
    assert report["runs"]["guarded"]["trades"] == 2
    assert report["runs"]["bare"]["max_drawdown"] == pytest.approx(12_050 / 12_000)
    assert report["runs"]["guarded"]["mean_exposure"] == pytest.approx(0.7)


def test_bars_before_trading_are_not_in_the_report(tmp_path: Path) -> None:
    report = told(comparison(tmp_path))
    assert report["bars"] == len(report["equity"]["ts"]) == len(report["equity"]["bare"]) == 5
    assert report["equity"]["ts"][0] == "2026-01-15T04:00:00Z"
    assert report["equity"]["bare"][-1] == -50.0


def test_a_mark_outside_the_run_is_no_mark(tmp_path: Path) -> None:
    made = comparison(tmp_path)
    for ts in (0, int(made.ts[1]), int(made.ts[-1]), int(made.ts[-1]) + DAY):
        moved = replace(made, mark=Mark("far", ts))
        assert mark_bar(moved) is None
        assert told(moved)["mark"] is None
    assert mark_bar(replace(made, mark=None)) is None
    assert mark_bar(replace(made, mark=Mark("between bars", int(made.ts[3]) + HOUR))) == 4


def test_unknown_numbers_are_null_and_the_text_is_strict_json(tmp_path: Path) -> None:
    made = comparison(tmp_path, constant_exposure=float("nan"))
    made.results["bare"].run.equity[3] = np.nan
    report = told(made)
    assert report["constant_exposure"] is None
    assert report["equity"]["bare"][2] is None
    assert "NaN" not in as_json(report)
    VALIDATOR.validate(json.loads(as_json(report)))


class Cut(str):
    """A text that cannot be written: the disk is full."""

    __slots__ = ()

    def encode(self, *_: object) -> bytes:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_report_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("old")
    with pytest.raises(OSError, match="No space left"):
        write(Cut("new"), path)
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["report.json"]
    write("of a name \udcff", path)
    assert path.read_text() == "of a name \\udcff"
    write("new", path)
    assert path.read_text() == "new"
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) & stat.S_IRUSR


@pytest.mark.skipif(os.name != "posix", reason="modes and links of POSIX")
def test_what_a_link_points_to_is_replaced_and_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    kept, link = tmp_path / "reports" / "kept.json", tmp_path / "link.json"
    kept.write_text("old")
    kept.chmod(0o640)
    link.symlink_to(kept)
    write("new", link)
    assert link.is_symlink()
    assert kept.read_text() == "new"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o640
    dangling = tmp_path / "dangling.json"
    dangling.symlink_to(tmp_path / "reports" / "fresh.json")
    write("new", dangling)
    assert dangling.is_symlink()
    assert (tmp_path / "reports" / "fresh.json").read_text() == "new"


def test_the_text_is_ascii_whatever_is_in_it(tmp_path: Path) -> None:
    report = told(comparison(tmp_path, strategy="M\u00fcller \udcff"))
    assert as_json(report).isascii()
    assert as_json([report]).isascii()
    assert json.loads(as_json(report)) == report


def test_times_are_seconds(tmp_path: Path) -> None:
    age = Reading("blind", "oi", 12.0 * HOUR, 8.0 * HOUR, None, "true", "time")
    line = Recovery("cut", "age(oi) <= 8h", "false", 12.0 * HOUR, 8.0 * HOUR, -0.25, "time")
    made = comparison(tmp_path)
    late = replace(made.decisions[0][0], reasons=(age,))
    report = told(replace(made, decisions=[(late, None)], recovery=[line]))
    (reason,) = report["decisions"][0]["reasons"]
    assert (reason["value"], reason["threshold"]) == (43_200.0, 28_800.0)
    (open_,) = report["recovery"]
    assert (open_["value"], open_["threshold"], open_["distance"]) == (43_200.0, 28_800.0, -0.25)
    VALIDATOR.validate(report)


def test_a_decision_from_before_the_first_bar_is_told_at_it(tmp_path: Path) -> None:
    made = comparison(tmp_path)
    (first, share), *rest = made.decisions
    earlier = replace(first, ts=JANUARY - 30 * DAY)
    report = told(replace(made, decisions=[(earlier, share), *rest]))
    assert report["decisions"] == told(made)["decisions"]
    assert report["decisions"][0]["ts"] == report["warm_up"]["trading_from"]


def test_the_embedded_scenario_shows_mechanics_only(tmp_path: Path) -> None:
    made = comparison(tmp_path)
    embedded = replace(made, history=History.read("feb-2026"))
    assert ": ".join(word(embedded)) == "NOT SHOWN: mechanics only, in-sample"


def test_own_data_is_an_exploratory_run(tmp_path: Path) -> None:
    assert word(comparison(tmp_path)).reason == "exploratory run, no plan"


def test_a_rebuilt_series_is_named_when_a_rule_reads_it(tmp_path: Path) -> None:
    made = comparison(tmp_path)
    series = dict(made.history.series)
    series["BTC.liq.long"] = replace(series["BTC.liq.long"], coverage="reconstructed")
    series["BTC.volume"] = replace(series["BTC.volume"], grade="synthetic")
    rebuilt = replace(made, history=replace(made.history, series=series))
    assert word(rebuilt).reason == "mechanics only (BTC.liq.long is reconstructed)"
    assert told(rebuilt)["data"][-1]["grade"] == "reconstructed"
    unread = replace(rebuilt, ruleset=replace(ruleset(), rules=(), hash=""))
    assert word(unread).reason == "exploratory run, no plan"


def test_february_2026_is_in_sample_whoever_brings_the_data(tmp_path: Path) -> None:
    made = comparison(tmp_path)
    shifted = replace(made, ts=made.ts + 20 * DAY)
    assert "in-sample" in word(shifted).reason
    assert "in-sample" not in word(made).reason
    assert int(made.ts[0]) == JANUARY


def test_bars_that_were_decided_blind_are_counted(tmp_path: Path) -> None:
    made = comparison(tmp_path)
    said = "a series the rules read was blind in 1 of 5 bars"
    assert said in notes(made)
    seeing = [(replace(decision, blind=()), held) for decision, held in made.decisions]
    assert not any("blind" in note for note in notes(replace(made, decisions=seeing)))


def test_a_position_that_a_stop_of_the_rules_closed_is_told(tmp_path: Path) -> None:
    made = comparison(tmp_path)
    guarded = made.results["guarded"]
    bought = fill(1, 1.0)
    stop = bought._replace(size=-1.0, price=98.5, own="guard", stop=True)

    def with_fills(*fills: Fill) -> list[str]:
        run = replace(guarded.run, fills=fills)
        return notes(replace(made, results=made.results | {"guarded": replace(guarded, run=run)}))

    said = "guarded: the stop that the rules set was hit "
    assert f"{said}2026-01-15T04:00Z at 98.5" in with_fills(bought, stop)
    assert f"{said}2 times, first 2026-01-15T04:00Z at 98.5" in with_fills(stop, bought, stop)
    own = stop._replace(own="strategy"), stop._replace(stop=False)
    assert not any("stop" in note for note in with_fills(bought, *own))
