"""`riskguard check`: read rule files and report every finding with its place and its fix."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskguard.cli.failures import FINDINGS, STRICT, WrongUse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from riskguard.errors import Diagnostic

__all__ = ["check"]


class Form(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


def check(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Rule files, or folders of rule files.")
    ],
    form: Annotated[
        Form, typer.Option("--format", help="text, json (a list of findings) or github.")
    ] = Form.TEXT,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 3 on warnings.")] = False,
) -> int:
    """Check rule files, with the place and fix of each mistake.

    Exit codes: 0 fine, 1 errors found, 2 wrong use, 3 warnings under --strict.
    """
    from riskguard.language.reader import read_rules

    paths = list(_files(files))
    found = [item for path in paths for item in read_rules(path)[1]]
    errors = sum(item.severity == "error" for item in found)
    warnings = len(found) - errors
    if form is Form.JSON:
        print(json.dumps([item.as_dict() for item in found], indent=2))
    elif form is Form.GITHUB:
        for item in found:
            print(_annotation(item))
    else:
        for item in found:
            print(item.render() + "\n")
        print(_summary(errors, warnings, len(paths)))
    if errors:
        return FINDINGS
    return STRICT if warnings and strict else 0


def _files(given: Iterable[str]) -> Iterable[Path]:
    for text in given:
        path = Path(text)
        if text.strip() and path.is_dir():
            inside = sorted({*path.glob("*.yaml"), *path.glob("*.yml")})
            rules = [file for file in inside if not file.stem.endswith("_test")]
            if not rules:
                raise WrongUse(f"no rule file (*.yaml) in the folder {text}")
            yield from rules
        elif path.is_file():
            yield path
        elif not text.strip():
            raise WrongUse("the name of a file is empty", "write the path of a rule file")
        elif path.exists():
            raise WrongUse(f"{text} is a pipe or a device", "save the rules to a file first")
        else:
            raise WrongUse(f"there is no file {text}", "write the path of a rule file or a folder")


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
