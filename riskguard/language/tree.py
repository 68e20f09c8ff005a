"""The tree of values and conditions: frozen, comparable by meaning.

Spans and the written text of a line travel beside the meaning: they take no part in equality,
`repr` or a hash. Times are int nanoseconds; shares are fractions (-4.4 % is -0.044).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "All",
    "Any",
    "Arithmetic",
    "AtLeast",
    "Compare",
    "Condition",
    "Constant",
    "During",
    "Flag",
    "For",
    "Indicator",
    "Measured",
    "Not",
    "ParameterValue",
    "Plugged",
    "Sequence",
    "SeriesValue",
    "Span",
    "Value",
    "beside",
    "of_hours",
    "parts",
    "place",
    "values",
    "walk",
]


@dataclass(frozen=True, slots=True)
class Span:
    """Where something is written: from 1, `end_column` exclusive."""

    line: int = 1
    column: int = 1
    end_line: int = 1
    end_column: int = 2
    path: str = ""  # the file, "" for the one that is read

    @property
    def begin(self) -> Span:
        """Where its first character stands."""
        return Span(self.line, self.column, self.line, self.column + 1, self.path)


def place() -> Span:
    """Return a field for a place, which is no part of the meaning."""
    return field(default=Span(), compare=False, repr=False)


def beside(default: str = "") -> str:
    """Return a field for a text, which is no part of the meaning."""
    return field(default=default, compare=False, repr=False)


# ---------------------------------------------------------------- values


@dataclass(frozen=True, slots=True)
class Constant:
    """A number with its dimension ("plain" for a number without a unit)."""

    value: float
    dimension: str
    span: Span = place()
    text: str = beside()


@dataclass(frozen=True, slots=True)
class ParameterValue:
    """A parameter of the file, by name; by_source ones are settled when a guard is built."""

    name: str
    dimension: str
    span: Span = place()
    text: str = beside()


@dataclass(frozen=True, slots=True)
class SeriesValue:
    """The last value of an input; `symbol` "" is the guarded symbol."""

    symbol: str
    name: str
    dimension: str
    span: Span = place()
    text: str = beside()


@dataclass(frozen=True, slots=True)
class Plugged:
    """What stands behind a measure of a plug-in, as it was loaded."""

    measure: type[object]
    whose: str  # the distribution and its version
    series: tuple[tuple[str, str], ...]  # that it reads, each with its dimension
    given: tuple[tuple[str, float | int | bool], ...]  # all its arguments, windows in ns
    windows: frozenset[str]  # the arguments that are windows
    span: int  # ns that must have been observed before it is read; 0: `bars`
    bars: int


@dataclass(frozen=True, slots=True)
class Indicator:
    """A function of a library over the bars of a symbol: `ta.rsi(window=14)`."""

    library: str  # ta | plugin
    name: str
    symbol: str  # "" is the guarded symbol
    arguments: tuple[tuple[str, float | int | bool], ...]  # those written, by name, sorted
    dimension: str = "number"
    span: Span = place()
    text: str = beside()
    plugged: Plugged | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Measured:
    """A measure over a series or over another measure: `of.function(window, min=minimum)`."""

    function: str
    of: SeriesValue | Indicator | Measured
    window: int | None  # ns; None for age() and for calendar windows
    minimum: int | None
    dimension: str
    span: Span = place()
    text: str = beside()
    calendar: str = ""  # today | this_week | all (drawdown only): instead of `window`

    @property
    def inside(self) -> Span:
        """Where its brackets have something written in them."""
        at, span = self.text.rfind("(") + 1, self.span
        if span.line != span.end_line or not at:
            return span
        return Span(span.line, span.column + at, span.line, span.end_column - 1, span.path)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """left op right. `+share` and `-share` are the trader's "price - 0.5%": left * (1 ± right)."""

    op: str  # + - * / +share -share
    left: Value
    right: Value
    dimension: str
    span: Span = place()
    text: str = beside()


Value = Constant | ParameterValue | SeriesValue | Indicator | Measured | Arithmetic

# ---------------------------------------------------------------- conditions


@dataclass(frozen=True, slots=True)
class Compare:
    """One leaf: one number against one threshold."""

    left: Value
    op: str  # < <= > >= == !=
    right: Value
    on_missing: str = "hold"  # hold | fire | ignore, the innermost written one
    span: Span = place()
    text: str = beside()


@dataclass(frozen=True, slots=True)
class Flag:
    """The state of a definition, a rule (is it active) or the ladder (is it at least there)."""

    kind: str  # definition | rule | stage
    name: str
    on_missing: str = "hold"
    span: Span = place()
    text: str = beside()


@dataclass(frozen=True, slots=True)
class All:
    """True when every part is."""

    of: tuple[Condition, ...]
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Any:
    """True when some part is."""

    of: tuple[Condition, ...]
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Not:
    """True when its part is false."""

    of: Condition
    span: Span = place()


@dataclass(frozen=True, slots=True)
class AtLeast:
    """True when at least `count` parts are."""

    count: int
    of: tuple[Condition, ...]
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Sequence:
    """True when the parts came true one after another, all inside `within` (ns)."""

    of: tuple[Condition, ...]
    within: int
    span: Span = place()


@dataclass(frozen=True, slots=True)
class For:
    """True once its part has stayed true for `duration` (ns) or for `closes` closed bars."""

    of: Condition
    duration: int | None
    closes: int | None
    span: Span = place()
    text: str = beside()


@dataclass(frozen=True, slots=True)
class During:
    """True inside the half-open hours [start, end) of the days given, by wall clock.

    Hours that cross midnight (end <= start) belong to the day they begin on. Never unknown.
    """

    days: tuple[int, ...]  # 0 is Monday; ascending
    start: int  # ns after midnight
    end: int
    timezone: str
    span: Span = place()


Condition = Compare | Flag | All | Any | Not | AtLeast | Sequence | For | During


def parts(node: Condition) -> tuple[Condition, ...]:
    """Return the conditions directly under `node`."""
    if isinstance(node, All | Any | AtLeast | Sequence):
        return node.of
    if isinstance(node, Not | For):
        return (node.of,)
    return ()


def walk(node: Condition) -> Iterator[Condition]:
    """Yield `node` and everything under it, parents first, not following flags."""
    ahead = [node]
    while ahead:
        found = ahead.pop()
        yield found
        ahead += reversed(parts(found))


def of_hours(node: Condition) -> bool:
    """Say whether the clock alone decides a condition."""
    return all(isinstance(leaf, During) for leaf in walk(node) if not parts(leaf))


def values(node: Value) -> Iterator[Value]:
    """Yield `node` and every value under it, parents first."""
    ahead = [node]
    while ahead:
        found = ahead.pop()
        yield found
        if isinstance(found, Measured):
            ahead.append(found.of)
        elif isinstance(found, Arithmetic):
            ahead += (found.right, found.left)
