"""`riskguard test`: play the cases written beside rule files, and say what they prove."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from riskguard.cli.failures import FINDINGS, WrongUse
from riskguard.cli.given import nearest, packs
from riskguard.cli.waiting import waiting
from riskguard.cli.writing import write

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from riskguard.errors import Diagnostic
    from riskguard.testing.cases import Cases
    from riskguard.testing.coverage import Covered
    from riskguard.testing.judging import Result
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
        float | None,
        typer.Option(min=0, max=100, help="Fail under this percentage of lines seen T and F."),
    ] = None,
    min_mutation: Annotated[
        float | None,
        typer.Option(min=0, max=100, help="Fail under this percentage of mutants killed."),
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
    from riskguard.cli import test_text
    from riskguard.cli.junit import junit_xml

    files = list(dict.fromkeys(_files(paths or ["."])))
    target = None if junit is None else _target(junit, files)
    tested = []
    with waiting(quiet=as_json) as tell:
        for file in files:
            tell(file.name)
            wants = (coverage or min_coverage is not None, mutate or min_mutation is not None)
            tested.append(_tested(file, *wants))
    if target is not None:
        write(junit_xml(tested), target)
    missed = list(_missed(tested, min_coverage, min_mutation))
    if as_json:
        print(json.dumps(_plain(tested, missed), indent=2))
    else:
        for one in tested:
            print("\n".join(test_text.lines(one)))
        print("\n".join([*missed, test_text.summary(tested)]))
    return FINDINGS if missed or any(one.failed for one in tested) else 0


def _tested(path: Path, coverage: bool, mutate: bool) -> Tested:
    from riskguard.errors import RuleError
    from riskguard.testing.coverage import coverage as covered
    from riskguard.testing.judging import judge
    from riskguard.testing.mutation import mutate as score
    from riskguard.testing.reader import read_cases

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
    return made._replace(score=score(cases))


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
            inside = sorted(
                file for end in ("yaml", "yml", "json") for file in path.glob(f"*{SUFFIX}.{end}")
            )
            if not inside:
                fix = "write RULES_test.yaml beside RULES.yaml"
                raise WrongUse(f"no test file (*{SUFFIX}.yaml) in the folder {text}", fix)
            yield from inside
        elif path.is_file():
            yield _beside(path)
        elif text.removeprefix("pack:") in packs():
            yield _beside(packs()[text.removeprefix("pack:")])
        else:
            fix = nearest(text, packs()) if "/" not in text else "write the path of a test file"
            raise WrongUse(f"there is no file or pack '{text}'", fix)


def _beside(path: Path) -> Path:
    """Return the test file of a rule file; a test file is its own."""
    if path.stem.endswith(SUFFIX):
        return path
    test_file = path.with_name(f"{path.stem}{SUFFIX}{path.suffix}")
    if not test_file.is_file():
        fix = f"write {test_file.name}: riskguard new shows the form"
        raise WrongUse(f"{path} has no test beside it ({test_file.name})", fix)
    return test_file


def _target(text: str, inputs: list[Path]) -> Path:
    path = Path(text)
    if not text.strip() or path.is_dir() or not path.parent.is_dir():
        raise WrongUse(f"--junit {text} cannot be written", "write the path of a file: junit.xml")
    if any(path.exists() and path.samefile(one) for one in inputs):
        raise WrongUse(f"--junit {text} would replace what is read", "write another name")
    if path.suffix in {".yaml", ".yml", ".json"}:
        raise WrongUse(f"--junit {text} is the name of a rule file", "write junit.xml")
    return path


# ---------------------------------------------------------------- machines


def _plain(tested: list[Tested], missed: list[str]) -> dict[str, Any]:
    return {
        "passed": not missed and not any(one.failed for one in tested),
        "missed": missed,
        "files": [
            {
                "path": one.path,
                "errors": [item.as_dict() for item in one.found],
                "cases": [
                    {
                        "name": result.case.name,
                        "line": result.case.span.line,
                        "passed": not result.failures,
                        "failures": [
                            {"line": fail.expectation.span.line, "message": fail.message}
                            for fail in result.failures
                        ],
                    }
                    for result in one.results
                ],
                "coverage": None
                if one.covered is None
                else [
                    {"line": line.line.span.line, "text": line.line.text, "seen": line.marks}
                    for line in one.covered
                ],
                "mutation": None
                if one.score is None
                else {
                    "killed": one.score.killed,
                    "all": one.score.all,
                    "survivors": [
                        {"line": item.line.span.line, "text": item.line.text, "kind": item.kind}
                        for item in one.score.survivors
                    ],
                },
            }
            for one in tested
        ],
    }
