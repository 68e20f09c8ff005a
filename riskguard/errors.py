"""What can go wrong, and how it is said.

RiskguardError
├── RuleError      a rule file is refused; carries every Diagnostic found
├── DataError      a series or a scenario is refused; names file, line, column and the fix
├── StateError     saved state cannot be used
│   └── StateInUseError   another process holds it
└── AdapterError   a framework cannot do what the rules need

A message says what was received, what is allowed, and what to write instead. What was received
may be hostile: it is shown with its control and invisible characters written out, and not at
any length.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "AdapterError",
    "DataError",
    "Diagnostic",
    "RiskguardError",
    "RuleError",
    "StateError",
    "StateInUseError",
    "foreign",
    "rendered",
    "visible",
]

# how much is shown of a text that was received, of a message and of a source line
RECEIVED, MESSAGE, LINE = 80, 400, 160
MOST = 20  # errors of one file
WHOLE, HALF = 8_192, 1_024  # letters of a text of others that are looked through
PASSES = 4
# a quoted text, or a word; a path is left whole
LONG = re.compile(
    rf"(?<!\w)'[^']{{{RECEIVED - 1},}}'(?!\w)"
    rf'|(?<!\w)"[^"]{{{RECEIVED - 1},}}"(?!\w)'
    rf"|[^\s/]{{{RECEIVED + 1},}}"
)


def visible(text: str) -> str:
    """Return a text fit for a terminal: what cannot be printed is written out, as U+001B is."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def foreign(text: object, most: int = 2 * RECEIVED) -> str:
    """Return what others said as one visible line of at most so many letters, without secrets.

    Whatever a venue, a plug-in or a person says passes here before it is kept or shown. The same
    text always becomes the same, and what has passed stays as it is.
    """
    from riskguard.redaction import MARK, redacted  # noqa: PLC0415 - not before something is said

    told = str(text)
    if len(told) > WHOLE:  # at the end half a secret may be left, which looks like none
        told = redacted(told[:WHOLE])
        told = told[: max(len(told) - HALF, told.rfind(MARK) + len(MARK))]
    for _ in range(PASSES):  # what was cut may look different
        before, told = told, visible(redacted(told))[:most]
        if told == before:
            break
    return told


def _lines(text: str) -> str:
    return "\n".join(visible(line) for line in text.split("\n"))


def _brief(text: str) -> str:
    """Return a text visible, with what it quotes cut short; the last character is kept."""
    return LONG.sub(lambda long: f"{long[0][: RECEIVED - 2]}…{long[0][-1]}", visible(text))


def _told(message: str) -> str:
    told = _brief(message)
    return told if len(told) <= MESSAGE else f"{told[: MESSAGE - RECEIVED]} … {told[-RECEIVED:]}"


def _head(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


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

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", visible(self.path))
        object.__setattr__(self, "message", _told(self.message))
        object.__setattr__(self, "help", _brief(self.help))

    def render(self) -> str:
        """Return the finding as text: place, source line, caret under the characters, help."""
        head = f"{self.path}:{self.line}:{self.column}: {self.severity}[{self.code}] {self.message}"
        margin = " " * len(str(self.line))
        rows = [head]
        if self.source:
            before, marked, after = self._excerpt()
            caret = " " * len(before) + "^" * max(1, len(marked))
            line = f"{self.line} | {before}{marked}{after}"
            rows += [f"{margin} |", line, f"{margin} | {caret}"]
        if self.help:
            rows.append(f"{margin} = help: {self.help}")
        return "\n".join(rows)

    def _excerpt(self) -> tuple[str, str, str]:
        """Return the source line as shown: before, under and after the caret."""
        begin, end = self.column - 1, len(self.source)
        if self.end_line == self.line:
            end = max(self.end_column - 1, begin + 1)
        # no more of a long line than could be shown
        before = visible(self.source[max(0, begin - LINE - 1) : begin])
        marked = visible(self.source[begin : min(end, begin + LINE + 1)])
        after = visible(self.source[end : end + LINE + 1])
        if len(before) + len(marked) + len(after) <= LINE:
            return before, marked, after
        third = LINE // 3
        before = before if len(before) <= third else "…" + before[1 - third :]
        return before, _head(marked, third), _head(after, third)

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
    """Base of every error riskguard raises on purpose; what others said in it has no secrets."""

    def __init__(self, text: str) -> None:
        from riskguard.redaction import redacted  # noqa: PLC0415 - not before something is wrong

        super().__init__(_lines(redacted(text)))


def rendered(found: Iterable[Diagnostic]) -> list[str]:
    """Return findings as texts: at most 20 errors and 20 warnings of a file, then what is left."""
    texts: list[str] = []
    counts: Counter[tuple[str, str]] = Counter()
    for one in found:
        counts[one.path, one.severity] += 1
        if counts[one.path, one.severity] <= MOST:
            texts.append(one.render())
    for (path, severity), count in counts.items():
        left = count - MOST
        if left > 0:
            texts.append(f"… and {left} more {severity}{'s' if left > 1 else ''} in {path}")
    return texts


class RuleError(RiskguardError):
    """A rule file is refused; `diagnostics` holds everything found, errors and warnings."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(rendered(self.diagnostics)))


class DataError(RiskguardError):
    """Data is refused: where (file, line, column, each if known), what, the fix, and a code."""

    def __init__(
        self,
        message: str,
        *,
        path: str = "",
        line: int | None = None,
        column: str = "",
        help: str = "",  # noqa: A002 - the same word as in Diagnostic
        code: str = "",
    ) -> None:
        self.message, self.help = _told(message), _lines(help)  # a help is copied: it stays whole
        self.path, self.line, self.column, self.code = path, line, column, code
        place = visible(path) + (f":{line}" if line is not None else "")
        where = f"{place}: " if place else ""
        which = f"column '{_head(visible(column), RECEIVED)}': " if column else ""
        fix = f"\n  = help: {self.help}" if help else ""
        kind = f"error[{code}]" if code else "error"
        super().__init__(f"{where}{kind}: {which}{self.message}{fix}")


class StateError(RiskguardError):
    """Saved state cannot be used."""


class StateInUseError(StateError):
    """Saved state is in use by another process, and one at a time may write it."""


class AdapterError(RiskguardError):
    """A framework cannot do what the rules need."""

    def __init__(self, message: str, *, help: str = "") -> None:  # noqa: A002 - as in Diagnostic
        super().__init__(message + (f"\n  = help: {help}" if help else ""))
