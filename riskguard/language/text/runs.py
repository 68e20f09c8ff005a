"""Steps of the scanner in Python that take a run of characters at once and ask nothing twice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Runs"]

# spaces, empty lines and comments
BETWEEN = re.compile(r"(?: *+(?:#[^\n\0]*+)?\n)*+ *+(?:#[^\n\0]*+)?")
# words of a quoted text and the spaces between them, as far as they stand on one line
IN_DOUBLE = re.compile(r'(?:[^"\\\0\n \t]++|[ \t]++(?![\n\0 \t]))*+')
IN_SINGLE = re.compile(r"(?:[^'\0\n \t]++|[ \t]++(?![\n\0 \t]))*+")


class Runs:
    """What goes before the scanner of PyYAML; line breaks are plain by then."""

    buffer: str
    pointer: int
    index: int
    line: int
    column: int
    fetch_more_tokens: Callable[[], None]
    flow_level: int
    allow_simple_key: bool
    tokens: list[Any]
    tokens_taken: int
    ready = -1  # the number of a token that may be taken

    def need_more_tokens(self) -> bool:
        """Say whether the next token is open still: the parser asks several times for each."""
        if self.ready == self.tokens_taken:
            return False
        more = bool(super().need_more_tokens())  # type: ignore[misc]  # the classes of PyYAML have no types
        if not more:
            self.ready = self.tokens_taken
        return more

    def taken(self, run: re.Pattern[str]) -> str:
        """Return what of a run stands here, and go behind it."""
        found = run.match(self.buffer, self.pointer)
        text = found[0] if found else ""
        breaks, length = text.count("\n"), len(text)
        self.pointer, self.index = self.pointer + length, self.index + length
        self.line += breaks
        self.column = length - text.rfind("\n") - 1 if breaks else self.column + length
        return text

    def check_token(self, *choices: Any) -> bool:  # noqa: ANN401 - classes, as PyYAML declares them
        """Say whether the next token is one of these."""
        while self.ready != self.tokens_taken and self.need_more_tokens():
            self.fetch_more_tokens()
        return bool(self.tokens) and (not choices or isinstance(self.tokens[0], choices))

    def scan_to_next_token(self) -> None:
        """Go behind spaces, empty lines and comments."""
        line = self.line
        self.taken(BETWEEN)
        if self.line > line and not self.flow_level:
            self.allow_simple_key = True

    def scan_flow_scalar_non_spaces(self, double: bool, start_mark: Any) -> list[str]:  # noqa: ANN401, FBT001 - as in PyYAML
        """Return what of a quoted text stands on this line, up to what is escaped."""
        text = self.taken(IN_DOUBLE if double else IN_SINGLE)
        return [text, *super().scan_flow_scalar_non_spaces(double, start_mark)]  # type: ignore[misc]  # the classes of PyYAML have no types
