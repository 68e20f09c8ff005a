"""Parameters that stand in the place of numbers: the tree holds the number, the text the name.

A window is read as so many nanoseconds whatever its name; the name is beside the meaning. It is
printed where the number is still that of the parameter, so that who changes the one in what is
printed changes the other.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from riskguard.language.writing.numerals import duration_text, number_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from riskguard.language.ruleset import For, Indicator, Measured, Parameter, RuleSet

__all__ = ["Names"]

INSIDE = re.compile(r"\(([^()]*)\)\s*$")  # the last brackets of a path


class Names:
    """Finds the names of the parameters of one rule set; none where `figures` are wanted."""

    def __init__(self, rules: RuleSet, *, figures: bool = False) -> None:
        self.every = rules.every
        params = {} if figures else rules.params
        self.params = {name: one for name, one in params.items() if one.value is not None}

    def window(self, node: Measured) -> str:
        """Return what stands in the brackets of a measure."""
        if node.window is None:
            return node.calendar
        written = _arguments(node.text)
        window = self._time(node.window, written.get("window", ""))
        if node.minimum is None:
            return window
        return f"{window}, min={self._time(node.minimum, written.get('min', ''))}"

    def held(self, node: For) -> str:
        """Return how long a condition must hold."""
        written = node.text.rpartition("for ")[2].strip()
        if node.closes is None:
            return self._time(node.duration or 0, written, int)
        one = self.params.get(written)
        if one is not None and one.dimension == "bars" and one.value == node.closes:
            return one.name
        count = number_text(node.closes, "count")
        return f"{count} close" if node.closes == 1 else f"{count} closes"

    def argument(self, node: Indicator, name: str, value: float) -> str:
        """Return an argument of a function of a library."""
        if isinstance(value, bool):  # a kind of int
            return "true" if value else "false"
        if node.plugged is not None and name in node.plugged.windows:
            return self._time(int(value), _arguments(node.text).get(name, ""))
        one = self.params.get(_arguments(node.text).get(name, ""))
        fits = one is not None and one.dimension in {"plain", "bars"} and one.value == value
        return one.name if one is not None and fits else number_text(value, "plain")

    def stands_for(self, written: str, printed: str) -> bool:
        """Say whether a name was written where its number is printed."""
        one = self.params.get(written)
        return one is not None and printed in self._texts(one)

    def _time(self, length: int, written: str, read: Callable[[float], int] = round) -> str:
        one = self.params.get(written)
        if one is not None and self._length(one, read) == length:
            return one.name
        return duration_text(length, read, self.every)

    def _length(self, one: Parameter, read: Callable[[float], int] = round) -> int | None:
        value = one.value or 0.0
        if one.dimension == "time":
            return read(value)
        return read(value * self.every) if one.dimension == "bars" and self.every else None

    def _texts(self, one: Parameter) -> set[str]:
        length = self._length(one)
        found = {number_text(one.value or 0.0, one.dimension)}
        return found | ({duration_text(length, every=self.every)} if length else set())


def _arguments(text: str) -> dict[str, str]:
    """Return what was written in the last brackets of a path, by name; the first is the window."""
    inside = INSIDE.search(text)
    if inside is None:
        return {}
    pairs = (part.rpartition("=")[::2] for part in inside[1].split(","))
    return {name.strip() or "window": value.strip() for name, value in pairs}
