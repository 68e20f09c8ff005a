"""What can go wrong, and how it is said.

RiskguardError
├── RuleError      a rule file is refused; carries every Diagnostic found
├── DataError      a series or a scenario is refused; names file, line, column and the fix
├── StateError     saved state cannot be used
└── AdapterError   a framework cannot do what the rules need

A message says what was received, what is allowed, and what to write instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "AdapterError",
    "DataError",
    "Diagnostic",
    "RiskguardError",
    "RuleError",
    "StateError",
]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding in a file: lines and columns count from 1, `end_column` is exclusive."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    code: str
    severity: str
    message: str
    help: str = ""
    source: str = ""

    def render(self) -> str:
        """Return the finding as text: place, source line, caret under the characters, help."""
        head = f"{self.path}:{self.line}:{self.column}: {self.severity}[{self.code}] {self.message}"
        margin = " " * len(str(self.line))
        rows = [head]
        if self.source:
            end = self.end_column if self.end_line == self.line else len(self.source) + 1
            width = max(1, min(end, len(self.source) + 1) - self.column)
            caret = " " * (self.column - 1) + "^" * width
            rows += [f"{margin} |", f"{self.line} | {self.source}", f"{margin} | {caret}"]
        if self.help:
            rows.append(f"{margin} = help: {self.help}")
        return "\n".join(rows)

    def as_dict(self) -> dict[str, str | int]:
        """Return the machine-readable form, the same keys for every finding."""
        return {
            "path": self.path,
            "line": self.line,
            "column": self.column,
            "end_line": self.end_line,
            "end_column": self.end_column,
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "help": self.help,
        }


class RiskguardError(Exception):
    """Base of every error riskguard raises on purpose."""


class RuleError(RiskguardError):
    """A rule file is refused; `diagnostics` holds everything found, errors and warnings."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(found.render() for found in self.diagnostics))


class DataError(RiskguardError):
    """Data is refused: where (file, line, column, each if known), what, and the fix."""

    def __init__(
        self,
        message: str,
        *,
        path: str = "",
        line: int | None = None,
        column: str = "",
        help: str = "",  # noqa: A002 - the same word as in Diagnostic
    ) -> None:
        self.message, self.path, self.line, self.column, self.help = (
            message,
            path,
            line,
            column,
            help,
        )
        place = path + (f":{line}" if line is not None else "")
        where = f"{place}: " if place else ""
        which = f"column '{column}': " if column else ""
        fix = f"\n  = help: {help}" if help else ""
        super().__init__(f"{where}error: {which}{message}{fix}")


class StateError(RiskguardError):
    """Saved state cannot be used, or is in use by another process."""


class AdapterError(RiskguardError):
    """A framework cannot do what the rules need."""
