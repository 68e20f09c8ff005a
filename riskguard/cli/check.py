"""`riskguard check`: read rule files and report every finding with its place and its fix."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from riskguard.cli.failures import FINDINGS, STRICT
from riskguard.cli.rule_files import STDIN, is_test, rule_files

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from riskguard.errors import Diagnostic

__all__ = ["check"]

NAME_OF_STDIN = "<stdin>"


class Form(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


def check(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="Rule files, their tests, packs, - for stdin, or folders: all below them.",
        ),
    ],
    form: Annotated[
        Form, typer.Option("--format", help="text, json (a list of findings), github or sarif.")
    ] = Form.TEXT,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 3 on warnings.")] = False,
) -> int:
    """Check rule files, with the place and fix of each mistake.

    riskguard explain CODE says more about a finding.

    Example: riskguard check my-rules.yaml rules/ --strict

    Exit codes: 0 fine, 1 errors found, 2 wrong use, 3 warnings under --strict.
    """
    paths = rule_files(files)
    found = list(dict.fromkeys(item for path in paths for item in _read(path)))
    errors = sum(item.severity == "error" for item in found)
    warnings = len(found) - errors
    if form is Form.JSON:
        print(json.dumps([item.as_dict() for item in found], indent=2))
    elif form is Form.SARIF:
        from riskguard.cli.sarif import sarif

        print(json.dumps(sarif(found), indent=2))
    elif form is Form.GITHUB:
        for item in found:
            print(_annotation(item))
    else:
        _print(found)
        print(_summary(errors, warnings, len(paths)))
    if errors:
        return FINDINGS
    return STRICT if warnings and strict else 0


def _read(path: Path) -> Iterable[Diagnostic]:
    from riskguard.language.reader import read_rules

    if str(path) == STDIN:
        return _stdin()
    if is_test(path):
        from riskguard.testing.reader import read_cases

        return read_cases(path)[1]
    return read_rules(path)[1]


def _stdin() -> Iterable[Diagnostic]:
    from riskguard.errors import Diagnostic
    from riskguard.language.reader import read_text
    from riskguard.language.source import MAX_BYTES

    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        text = data.decode("utf-8", "replace" if len(data) > MAX_BYTES else "strict")
    except UnicodeDecodeError as fault:
        message, fix = f"byte {fault.start + 1} is not UTF-8 text", "save it as UTF-8"
        return [Diagnostic(NAME_OF_STDIN, 1, 1, 1, 2, "RG038", "error", message, fix)]
    return read_text(text, NAME_OF_STDIN)[1]


def _print(found: Iterable[Diagnostic]) -> None:
    from riskguard.cli.colour import coloured, wanted
    from riskguard.errors import rendered

    paint = coloured if wanted(sys.stdout) else str
    for text in rendered(found):
        print(paint(text) + "\n")


def _summary(errors: int, warnings: int, files: int) -> str:
    def count(number: int, word: str) -> str:
        return f"{number} {word}{'' if number == 1 else 's'}"

    return f"{count(errors, 'error')}, {count(warnings, 'warning')} in {count(files, 'file')}"


def _escaped(text: str, *, inside: bool = False) -> str:
    pairs = [("%", "%25"), ("\r", "%0D"), ("\n", "%0A")]
    for plain, code in pairs + ([(":", "%3A"), (",", "%2C")] if inside else []):
        text = text.replace(plain, code)
    return text


def _annotation(item: Diagnostic) -> str:
    """Return a finding as a workflow command: it then stands beside the line in a review."""
    level = "error" if item.severity == "error" else "warning"
    text = f"{item.message}\nhelp: {item.help}" if item.help else item.message
    return (
        f"::{level} file={_escaped(item.path, inside=True)},line={item.line},col={item.column},"
        f"endLine={item.end_line},endColumn={item.end_column},title={item.code}::{_escaped(text)}"
    )
