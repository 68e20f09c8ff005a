"""`riskguard test`: play the cases written beside rule files, and say what they prove."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from riskguard.cli.failures import FINDINGS, WrongUse
from riskguard.cli.given import (
    filled,
    pack_name,
    pack_path,
    packs,
    percentage,
)
from riskguard.cli.rule_files import is_test, refusal, rule_files
from riskguard.cli.target import writable
from riskguard.cli.waiting import waiting
from riskguard.cli.writing import write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from riskguard.errors import Diagnostic
    from riskguard.testing.cases import Cases
    from riskguard.testing.coverage import Covered
    from riskguard.testing.judging import Result
    from riskguard.testing.lines import Line
    from riskguard.testing.mutation import Score

__all__ = ["Tested", "test"]

SUFFIX = "_test"


class Tested(NamedTuple):
    """What came of one test file."""

    path: str
    found: list[Diagnostic]
    cases: Cases | None
    results: list[Result]
    covered: list[Covered] | None = None
    score: Score | None = None
    unscored: bool = False  # a score was asked for, but a case fails

    @property
    def failed(self) -> bool:
        """Say whether the file has errors or a case was not kept."""
        return self.cases is None or any(one.failures for one in self.results)

    @property
    def share(self) -> float:
        """The part of all lines that was seen both true and false."""
        lines = self.covered or []
        return sum(one.whole for one in lines) / len(lines) if lines else 1.0


def test(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PATH]...",
            help="Test files, rule files with a test beside them, packs, or folders.",
            show_default="this folder",
        ),
    ] = None,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Which lines were seen true, false, unknown.")
    ] = False,
    mutate: Annotated[
        bool, typer.Option("--mutate", help="Change every line four ways: do the tests notice?")
    ] = False,
    min_coverage: Annotated[
        str | None,
        typer.Option(metavar="PERCENT", help="Fail under this percentage of lines seen T and F."),
    ] = None,
    min_mutation: Annotated[
        str | None,
        typer.Option(metavar="PERCENT", help="Fail under this percentage of mutants killed."),
    ] = None,
    junit: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the results as JUnit XML.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> int:
    """Run the unit tests of rule files.

    Example: riskguard test rules/balanced.yaml --coverage --mutate

    Exit codes: 0 all kept, 1 a case failed or a minimum is missed, 2 wrong use.
    """
    from riskguard.cli import cases_text
    from riskguard.cli.junit import junit_xml

    files = list(dict.fromkeys(_files(paths or ["."])))
    target = None if junit is None else _target(junit, files)
    least = (percentage("--min-coverage", min_coverage), percentage("--min-mutation", min_mutation))
    wants = (coverage or min_coverage is not None, mutate or min_mutation is not None)
    tested = []
    for file in files:
        with waiting(quiet=as_json) as tell:
            one = _tested(file, *wants, tell)
        tested.append(one)
        if not as_json:  # each file as soon as it is done: the next may take long
            title = [pack_path(one.path, file)] if len(files) > 1 else []
            print("\n".join([*title, *cases_text.lines(one)]), flush=True)
    if target is not None:
        _write(junit_xml(tested), target)
    missed = list(_missed(tested, *least))
    if as_json:
        print(json.dumps(_plain(tested, missed), indent=2))
    else:
        print("\n".join([*missed, cases_text.summary(tested)]))
    return FINDINGS if missed or any(one.failed for one in tested) else 0


def _tested(path: Path, coverage: bool, mutate: bool, tell: Callable[[str], None]) -> Tested:
    from riskguard.errors import RuleError
    from riskguard.testing.coverage import coverage as covered
    from riskguard.testing.judging import judge
    from riskguard.testing.mutation import mutate as score
    from riskguard.testing.reader import read_cases

    tell(path.name)
    cases, found = read_cases(path)
    if cases is None:
        return Tested(str(path), found, None, [])
    try:
        results = [judge(cases, case) for case in cases.cases]
    except RuleError as refused:
        return Tested(str(path), [*found, *refused.diagnostics], None, [])
    made = Tested(str(path), found, cases, results)
    if coverage:
        made = made._replace(covered=covered(cases))
    if not mutate or made.failed:
        return made._replace(unscored=mutate)
    return made._replace(
        score=score(cases, lambda done: tell(f"{path.name}: {done} mutants tried"))
    )


def _missed(
    tested: Iterable[Tested], coverage: float | None, mutation: float | None
) -> Iterator[str]:
    for one in tested:
        if one.covered is not None and coverage is not None and one.share * 100 < coverage:
            yield f"{one.path}: coverage {one.share:.0%} is below {coverage:g}%"
        if one.score is not None and mutation is not None and one.score.share * 100 < mutation:
            yield f"{one.path}: mutation score {one.score.share:.1%} is below {mutation:g}%"


# ---------------------------------------------------------------- files


def _files(given: Iterable[str]) -> Iterator[Path]:
    for text in given:
        path = Path(text)
        if text.strip() and path.is_dir():
            inside = _below(text)
            if not inside:
                fix = "write RULES_test.yaml beside RULES.yaml"
                raise WrongUse(f"no test file (*{SUFFIX}.yaml) in the folder {text}", fix)
            yield from inside
        elif path.is_file():
            yield _beside(path)
        elif pack_name(text) in packs():
            yield _beside(packs()[pack_name(text)])
        else:
            raise refusal(text)


def _below(folder: str) -> list[Path]:
    try:
        return [file for file in rule_files([folder]) if is_test(file)]
    except WrongUse:  # not even rules: what is missing for a test is said instead
        return []


def _beside(path: Path) -> Path:
    """Return the test file of a rule file; a test file is its own."""
    if is_test(path):
        return path
    test_file = path.with_name(f"{path.stem}{SUFFIX}{path.suffix}")
    if not test_file.is_file():
        fix = f"write {test_file.name}; riskguard new writes rules with their test"
        raise WrongUse(f"{path} has no test beside it ({test_file.name})", fix)
    return test_file


def _target(text: str, inputs: list[Path]) -> Path:
    fix = "write the path of a file: junit.xml"
    filled({"--junit": "FILE"}, {"--junit": text})
    path = writable("--junit", text, fix)
    if path is None:
        raise WrongUse(f"--junit {text} is no file", fix)
    if any(path.exists() and path.samefile(one) for one in inputs):
        raise WrongUse(f"--junit {text} would replace what is read", fix)
    if path.suffix in {".yaml", ".yml", ".json"}:
        raise WrongUse(f"--junit {text} is the name of a rule file", fix)
    return path


def _write(text: str, target: Path) -> None:
    try:
        write(text, target)
    except OSError as error:
        raise WrongUse(f"--junit {target} cannot be written: {error.strerror}") from error


# ---------------------------------------------------------------- machines


def _plain(tested: list[Tested], missed: list[str]) -> dict[str, Any]:
    return {
        "passed": not missed and not any(one.failed for one in tested),
        "missed": missed,
        "files": [
            {
                "path": one.path,
                "errors": [item.as_dict() for item in one.found],
                "cases": [_plain_case(result) for result in one.results],
                "coverage": None if one.covered is None else _plain_coverage(one, one.covered),
                "mutation": None if one.score is None else _plain_score(one, one.score),
            }
            for one in tested
        ],
    }


def _plain_case(result: Result) -> dict[str, Any]:
    return {
        "name": result.case.name,
        "line": result.case.span.line,
        "passed": not result.failures,
        "failures": [
            {
                "line": fail.expectation.span.line,
                "message": fail.message,
                "notes": list(fail.notes),
                "would_hold": fail.would_hold,
            }
            for fail in result.failures
        ],
    }


def _plain_line(tested: Tested, line: Line) -> dict[str, Any]:
    rules = tested.cases.ruleset.path if tested.cases else ""
    return {"path": line.span.path or rules, "line": line.span.line, "text": line.text}


def _plain_coverage(tested: Tested, covered: list[Covered]) -> list[dict[str, Any]]:
    return [_plain_line(tested, one.line) | {"seen": one.marks} for one in covered]


def _plain_score(tested: Tested, score: Score) -> dict[str, Any]:
    return {
        "killed": score.killed,
        "all": score.all,
        "survivors": [
            _plain_line(tested, one.line) | {"kind": one.kind} for one in score.survivors
        ],
    }
