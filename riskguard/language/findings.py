"""Everything found in a file, kept in one place, each at its exact characters."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from riskguard.errors import Diagnostic, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from riskguard.language.ruleset import Span

__all__ = ["SURE", "Findings", "LineError", "advice", "near", "suggestion"]

# how alike two words must be where one is taken for the other without asking
SURE = 0.75
# a file with more errors than this is read no further
ENOUGH = 100
# no slip is looked for in a longer word or among more names; how many letters are compared
WORD, NAMES, LETTERS = 64, 1_000, 1_000


class _EnoughError(Exception):
    """Enough has been read of a file that is refused anyway."""


class LineError(Exception):
    """A fault inside one text: `start` and `end` are offsets into it."""

    def __init__(self, code: str, start: int, end: int, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.code, self.start, self.end, self.message, self.fix = code, start, end, message, fix


class Findings:
    """Collects diagnostics of a file; a place is never blamed twice for the same thing.

    `files` has the lines of the files it extends, by the `path` of their spans.
    """

    def __init__(
        self, path: str, lines: Sequence[str], files: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self.path = path
        self.lines = tuple(lines) or ("",)
        self.files = {name: tuple(of) for name, of in (files or {}).items()}
        self._found: dict[tuple[str, str, int, int], Diagnostic] = {}
        self._errors, self._most = 0, 0  # most 0: without end

    @property
    def failed(self) -> bool:
        """Say whether an error was found."""
        return self._errors > 0

    @contextmanager
    def bounded(self) -> Iterator[None]:
        """Leave the block early once it has noted many errors: hardly one of them is shown."""
        before, self._most = self._most, ENOUGH
        try:
            yield
        except _EnoughError:
            pass
        finally:
            self._most = before

    def stop(self) -> NoReturn:
        """Leave the block that is bounded: what follows would not be worth reading."""
        raise _EnoughError

    def error(self, code: str, span: Span, message: str, fix: str = "") -> None:
        """Note an error at `span`."""
        self._note("error", code, span, message, fix)

    def warn(self, code: str, span: Span, message: str, fix: str = "") -> None:
        """Note a warning at `span`."""
        self._note("warning", code, span, message, fix)

    def take(self, found: Diagnostic) -> None:
        """Note a diagnostic that was made elsewhere."""
        key = _key(found)
        if key in self._found:
            return
        self._found[key] = found
        self._errors += found.severity == "error"
        if 0 < self._most < self._errors:
            raise _EnoughError

    def drop(self, found: Diagnostic) -> None:
        """Forget a warning that the author silences."""
        self._found.pop(_key(found), None)

    def sorted(self) -> list[Diagnostic]:
        """Return what was found, this file first, by place."""
        shown = {visible(name): rank for rank, name in enumerate(self.files, 1)}

        def rank(one: Diagnostic) -> tuple[int, int, int, str]:
            return shown.get(one.path, 0), one.line, one.column, one.code

        return sorted(self._found.values(), key=rank)

    def _note(self, severity: str, code: str, span: Span, message: str, fix: str) -> None:
        lines = self.files.get(span.path) or self.lines
        path = span.path or self.path
        line = max(1, min(span.line, len(lines)))
        source = lines[line - 1]
        column = max(1, min(span.column, len(source) + 1))
        end_line = max(line, min(span.end_line, len(lines)))
        end = min(span.end_column, len(lines[end_line - 1]) + 1)
        if end_line == line:
            end = max(column + 1, end)
        self.take(
            Diagnostic(path, line, column, end_line, end, code, severity, message, fix, source)
        )


def _key(found: Diagnostic) -> tuple[str, str, int, int]:
    return found.path, found.code, found.line, found.column


def near(word: str, known: Iterable[str], least: float = 0.6) -> str:
    """Return the known word that `word` most likely means, "" when none is close.

    Words from elsewhere come first ("price" is close), then the nearest spelling; `least` is how
    alike the two must be, from 0 to 1.
    """
    # a live guard never needs these
    from difflib import get_close_matches  # noqa: PLC0415 - as said above
    from heapq import nsmallest  # noqa: PLC0415 - as said above

    from riskguard.language.tables.synonyms import meanings  # noqa: PLC0415 - as said above

    wanted = word.lower()
    by_lower = {name.lower(): name for name in known}
    if wanted in by_lower:
        return by_lower[wanted]
    if not 0 < len(word) <= WORD:
        return ""
    for meant in meanings(word):
        if meant in by_lower:
            return by_lower[meant]
    if len(by_lower) > NAMES:
        return ""
    letters = set(wanted)
    names = nsmallest(
        LETTERS // len(word),
        by_lower,
        lambda name: len(letters ^ set(name)) + abs(len(name) - len(wanted)),
    )
    found = get_close_matches(wanted, names, 1, least)
    return by_lower[found[0]] if found else ""


def advice(word: str, known: Iterable[str]) -> str:
    """Return the help for an unknown word of the language: what is written instead of it."""
    from riskguard.language.tables.synonyms import INSTEAD, meanings, plain  # noqa: PLC0415 - as in near

    names = sorted(known)
    told = "" if set(meanings(word)) & set(names) else INSTEAD.get(plain(word), "")
    return told or suggestion(word, names)


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return the help for an unknown word: the near one, else everything allowed."""
    names = sorted(known)
    found = near(word, names)
    if found:
        return f"did you mean '{found}'?"
    return f"one of: {', '.join(names)}" if 0 < len(names) <= 40 else ""
