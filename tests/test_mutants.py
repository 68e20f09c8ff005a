from __future__ import annotations

import tomllib
from pathlib import Path

from tests.mutants import report

ROOT = Path(__file__).resolve().parents[1]


def results(**counts: int) -> str:
    """Return what `mutmut results` prints for a file in which so many mutants ended so."""
    ended = [status.replace("_", " ") for status, count in counts.items() for _ in range(count)]
    names = [f"a.gate.xǁGateǁjudge__mutmut_{n}" for n in range(1, len(ended) + 1)]
    return "".join(f"    {name}: {status}\n" for name, status in zip(names, ended, strict=True))


def test_nine_of_ten_changes_must_be_noticed() -> None:
    lines, good = report(results(killed=8, survived=1, timeout=1))
    assert good
    assert lines == ["a.gate: 90.0% of 10 mutants noticed; 8 killed, 1 survived, 1 timeout"]
    assert not report(results(killed=89, survived=11))[1]


def test_what_no_test_reaches_or_was_never_tried_is_not_noticed() -> None:
    for status in ("no_tests", "not_checked", "suspicious", "segfault", "skipped"):
        assert not report(results(killed=8, **{status: 2}))[1]


def test_one_file_cannot_make_up_for_another() -> None:
    other = results(killed=99, survived=1).replace("a.gate", "a.logic")
    lines, good = report(results(survived=1) + other)
    assert [line.partition(":")[0] for line in lines] == ["a.gate", "a.logic"]
    assert not good


def test_a_run_without_mutants_is_not_good() -> None:
    assert report("") == ([], False)


def test_mutants_are_made_of_files_that_exist_and_judged_by_tests_that_do() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
        "mutmut"
    ]
    named = settings["only_mutate"] + settings["pytest_add_cli_args_test_selection"]
    assert [path for path in named if not (ROOT / path).is_file()] == []
