"""Findings as SARIF 2.1.0, the form that code scanning and editors read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from riskguard._version import VERSION
from riskguard.language.guides.catalogue import explanations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from riskguard.errors import Diagnostic
    from riskguard.language.guides.catalogue import Explanation

__all__ = ["sarif"]

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(found: Sequence[Diagnostic]) -> dict[str, Any]:
    """Return the log of one run: the codes that occur, and every finding with its region."""
    codes = sorted({one.code for one in found})
    known = explanations()
    driver = {
        "name": "riskguard",
        "version": VERSION,
        "rules": [_rule(code, known.get(code)) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, codes.index(one.code)) for one in found],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str, known: Explanation | None) -> dict[str, Any]:
    if known is None:
        return {"id": code, "shortDescription": {"text": code}}
    return {
        "id": code,
        "shortDescription": {"text": known.title},
        "fullDescription": {"text": known.finds},
        "help": {"text": known.why},
        "defaultConfiguration": {"level": known.severity},
    }


def _result(one: Diagnostic, index: int) -> dict[str, Any]:
    text = f"{one.message}\nhelp: {one.help}" if one.help else one.message
    region = {
        "startLine": one.line,
        "startColumn": one.column,
        "endLine": one.end_line,
        "endColumn": one.end_column,
    }
    place = {"artifactLocation": {"uri": _uri(one.path)}, "region": region}
    return {
        "ruleId": one.code,
        "ruleIndex": index,
        "level": one.severity,
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
    }


def _uri(path: str) -> str:
    """Return a path as it is seen from here, with forward slashes."""
    file = Path(path)
    if file.is_absolute():
        here = Path.cwd()
        if not file.is_relative_to(here):
            return file.as_uri()
        file = file.relative_to(here)
    return quote(Path(os.path.normpath(file)).as_posix())
