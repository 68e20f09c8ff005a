"""The parts of a line as it is parsed; offsets count from the start of its text."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "Argument",
    "Binary",
    "Comparison",
    "Literal",
    "Negative",
    "Path",
    "Segment",
    "Syntax",
]


@dataclass(frozen=True, slots=True)
class Literal:
    """A number as written; dimension plain, share, dollars, ratio, time (ns) or bars."""

    value: float
    dimension: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a measure; `keyword` "" when it stands by its place."""

    keyword: str
    value: Syntax
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A name in a path; `arguments` None when no brackets follow, `end` is that of the name."""

    name: str
    arguments: tuple[Argument, ...] | None
    start: int
    end: int
    closed: int  # where its brackets end


@dataclass(frozen=True, slots=True)
class Path:
    """Names joined by dots: a series with its measures, a parameter, a condition."""

    segments: tuple[Segment, ...]
    start: int
    end: int

    @property
    def word(self) -> str:
        """The name when the path is one bare name, else ""."""
        bare = len(self.segments) == 1 and self.segments[0].arguments is None
        return self.segments[0].name if bare else ""


@dataclass(frozen=True, slots=True)
class Binary:
    """left op right."""

    op: str
    left: Syntax
    right: Syntax
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Negative:
    """A minus before something that is no literal."""

    of: Syntax
    start: int
    end: int


Syntax = Literal | Path | Binary | Negative


@dataclass(frozen=True, slots=True)
class Comparison:
    """left op right, and how long it must hold (`hold` None: at once)."""

    left: Syntax
    op: str
    op_start: int
    right: Syntax
    hold: Literal | Path | None
    end: int  # of the comparison, without its "for"
