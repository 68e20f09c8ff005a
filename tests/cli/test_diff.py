from __future__ import annotations

import json
from pathlib import Path

import pytest

from riskguard.cli.given import packs

PACK = packs()["feb-2026"]
EDITS = (
    ("{value: 70_000, range: 65", "{value: 66_000, range: 65"),
    ("do: {exposure_cap: 40%,", "do: {exposure_cap: 30%,"),
    ("clear: close.drop(24h) <= 1% for 24h", "clear: close.drop(24h) <= 1% for 12h"),
)


@pytest.fixture
def edited(tmp_path: Path) -> Path:
    text = PACK.read_text(encoding="utf-8")
    for old, new in EDITS:
        assert text.count(old) == 1
        text = text.replace(old, new)
    path = tmp_path / "edited.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_changes_of_meaning_are_told_with_what_protects_less(riskguard, edited: Path) -> None:
    code, out, err = riskguard("diff", "feb-2026", edited)
    assert (code, err) == (1, "")
    assert out == (
        "params.support_2                                                      looser\n"
        "    70_000 -> 66_000\n"
        "    fires later: stage out; clears sooner: stage out\n"
        "stages.cut.do.exposure_cap                                            stricter\n"
        "    40% -> 30%\n"
        "rules.majors_fall_together.clear                                      looser\n"
        "  - clear: close.drop(24h) <= 1% for 24h\n"
        "  + clear: close.drop(24h) <= 1% for 12h\n"
        "    clears sooner\n"
        "3 changes of meaning: 2 looser, 1 stricter\n"
    )


def test_what_a_file_says_cannot_drive_a_terminal(riskguard, tmp_path: Path) -> None:
    text = "version: 1\nrules:\n  a:\n    when: close < 1\n    clear: close > 2\n"
    for name, said in (("a", "\\e]0;x\\a"), ("b", "\\e[2J")):
        (tmp_path / f"{name}.yaml").write_text(f'{text}    do: {{notify: "{said}"}}\n')
    code, out, _ = riskguard("diff", tmp_path / "a.yaml", tmp_path / "b.yaml")
    assert code == 1
    assert out.replace("\n", "").isprintable()
    assert "\\x1b[2J" in out


def test_equal_meaning_is_no_change_however_it_is_written(riskguard, tmp_path: Path) -> None:
    shown = riskguard("show", "feb-2026", "--expand").out
    path = tmp_path / "shown.yaml"
    path.write_text(shown, encoding="utf-8")
    assert riskguard("diff", "feb-2026", path) == (0, "no change of meaning\n", "")
    code, out, _ = riskguard("diff", path, "feb-2026", "--json", "--on", "feb-2026")
    told = json.loads(out)
    assert (code, told["changes"], told["on"]["spans"]) == (0, [], [])


def test_a_history_tells_which_decisions_change_when_and_what_that_did(
    riskguard, edited: Path
) -> None:
    code, out, err = riskguard("diff", "feb-2026", edited, "--on", "feb-2026")
    assert (code, err) == (1, "")
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "on feb-2026: BTC, 4h bars, " in out
    at = lines.index("2026-02-05T20:00Z .. 2026-02-05T20:00Z  (1 bar)")
    assert lines[at + 1].startswith("  - out      HALTED    cap 0%")
    assert "stage out: close 65,266 < 69,650 (support_2 - buffer) for 2 closes" in lines[at + 2]
    assert any(line.startswith("  + cut      CAUTION   cap 25%") for line in lines[at:])
    assert any(line.startswith("    B then drew $") for line in lines)
    assert any(line.startswith("max drawdown") for line in lines)
    assert lines[-1].startswith("One history, seen beforehand")


def test_json_has_every_span_with_both_decisions(riskguard, edited: Path) -> None:
    code, out, _ = riskguard("diff", PACK, edited, "--on", "feb-2026", "--json",
                             "--strategy", "leveraged_hold")  # fmt: skip
    told = json.loads(out)
    assert code == 1
    assert [(one["where"], one["effect"]) for one in told["changes"]] == [
        ("params.support_2", "looser"),
        ("stages.cut.do.exposure_cap", "stricter"),
        ("rules.majors_fall_together.clear", "looser"),
    ]
    run = told["on"]
    assert (run["symbol"], run["every"], run["scenario"]) == ("BTC", "4h", "feb-2026")
    gap = run["new"]["end_equity"] - run["old"]["end_equity"]
    assert sum(one["equity_difference"] for one in run["spans"]) == pytest.approx(gap, abs=1e-6)
    assert {"stage", "state", "exposure_cap", "lines"} <= run["spans"][0]["old"].keys()


def test_a_file_with_errors_is_told_and_not_compared(riskguard, edited: Path) -> None:
    edited.write_text("version: 1\nrules:\n  r: {when: close below 5, do: {close: all}}\n")
    code, out, err = riskguard("diff", "feb-2026", edited)
    assert (code, out) == (1, "")
    assert f"{edited}:3:19: error[RG105]" in err


def test_any_two_packs_can_be_compared_in_80_columns(riskguard) -> None:
    for one in packs():
        for two in packs():
            code, out, err = riskguard("diff", one, two)
            assert (code, err) == (int(one != two), "")
            assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("feb-2026", "feb-2025"), "did you mean 'feb-2026'?"),
        (("feb-2026", "."), "error: B . is a folder"),
        (("feb-2026", "balanced", "--on", "feb-2025"), "no scenario and no file"),
        (("feb-2026", "balanced", "--strategy", "x"), "--strategy is for --on"),
        (("feb-2026", "balanced", "--on", "feb-2026", "--strategy", "x"), "buy_and_hold"),
        (("feb-2026", "balanced", "--on", "feb-2026", "--symbol", "btc"), "did you mean BTC?"),
        (("feb-2026", "balanced", "--on", ""), "--on is empty"),
    ],
)
def test_wrong_use_is_told_with_the_fix(riskguard, arguments, words) -> None:
    code, out, err = riskguard("diff", *arguments)
    assert (code, out) == (2, "")
    assert words in err
