"""Bodies of a saved state: canonical JSON out, and back in only what fits.

Canonical: sorted keys, no spaces, floats by `repr`, NaN and infinity as the texts "nan", "inf"
and "-inf", integers beyond 64 bits as decimal text. Equal states are equal texts.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from riskguard.errors import RECEIVED, StateError, foreign

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

__all__ = ["Body", "canonical", "parsed", "plain", "runs", "unrun"]

LONGEST = 1 << 28  # characters of a dump
SIXTY_FOUR = 1 << 63
ODD = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def plain(value: Any) -> Any:  # noqa: ANN401 - whatever a machine remembers
    """Return a number, a text or a container as JSON can hold it to the last bit."""
    if isinstance(value, float):
        if value - value == 0.0:  # finite
            return float(value)
        return "nan" if value != value else "inf" if value > 0 else "-inf"  # noqa: PLR0124 - NaN
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, int):
        return int(value) if -SIXTY_FOUR <= value < SIXTY_FOUR else str(int(value))
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value]


def canonical(body: Any) -> str:  # noqa: ANN401 - whatever JSON can hold
    """Return a body as text: equal bodies are equal texts."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False)


def parsed(blob: object) -> Any:  # noqa: ANN401 - nothing is known of it yet
    """Return what a text holds.

    Raises:
        StateError: where it is no JSON, or more than a state can be.
    """
    if not isinstance(blob, str):
        raise _refused("a dump is a text", type(blob).__name__)
    if len(blob) > LONGEST:
        raise _refused(f"a dump has at most {LONGEST:,} characters", f"{len(blob):,}")
    try:
        return json.loads(blob, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        raise _refused("a dump is JSON", blob) from error


def _constant(name: str) -> float:
    raise ValueError(name)


def _refused(wanted: str, received: object) -> StateError:
    shown = foreign(received, RECEIVED)
    return StateError(
        f"the saved state cannot be used: {wanted}, received {shown!r}"
        "\n  = help: load what `dump` returned for these rules, or start anew and `prime`"
    )


def runs(times: Sequence[int]) -> list[int]:
    """Return rising times as first, step, count, one after another: a full series is one run."""
    found: list[int] = []
    index, size = 0, len(times)
    while index < size:
        end = index + 1
        step = times[end] - times[index] if end < size else 0
        while end < size and times[end] - times[end - 1] == step:
            end += 1
        found += (times[index], step, end - index)
        index = end
    return found


def unrun(found: Sequence[int], most: int) -> list[int] | None:
    """Return the times of runs, at most so many; None where they do not rise."""
    times: list[int] = []
    if len(found) % 3:
        return None
    for first, step, count in zip(found[::3], found[1::3], found[2::3], strict=True):
        if not 0 < count <= most - len(times) or (count > 1 and step <= 0):
            return None
        if times and first <= times[-1]:
            return None
        times += [first + step * place for place in range(count)]
    return times


class Body:
    """One part of a saved state: each reading gives what was asked for or raises StateError."""

    __slots__ = ("of", "path")

    def __init__(self, of: object, path: str = "") -> None:
        if not isinstance(of, dict):
            raise _refused(f"{path or 'a dump'} is a mapping", of)
        self.of, self.path = of, path

    def part(self, name: str) -> Body:
        """Return a mapping inside."""
        return Body(self.value(name), self.place(name))

    def place(self, name: str) -> str:
        """Return how a key is told in a message."""
        return f"{self.path}.{name}" if self.path else name

    def value(self, name: str) -> Any:  # noqa: ANN401 - the callers judge it
        """Return whatever stands under a name."""
        if name not in self.of:
            raise self.refused(name, "is there")
        return self.of[name]

    def refused(self, name: str, wanted: str) -> StateError:
        """Return the error of a value that does not fit."""
        return _refused(f"{self.place(name)} {wanted}", self.of.get(name, "nothing"))

    def names(self, wanted: Iterable[str]) -> None:
        """Raise unless exactly these names are there."""
        wanted = set(wanted)
        if self.of.keys() != wanted:
            odd = sorted(self.of.keys() ^ wanted, key=str)
            raise _refused(f"{self.path or 'a dump'} holds what these rules need", odd)

    def whole(self, name: str, least: int = -SIXTY_FOUR, most: int | None = SIXTY_FOUR) -> int:
        """Return an integer; one of any size comes as decimal text."""
        return self._whole(name, self.value(name), least, most)

    def _whole(self, name: str, value: object, least: int, most: int | None) -> int:
        if most is None and isinstance(value, str):
            try:
                return int(value)
            except ValueError as error:
                raise self.refused(name, "is an integer") from error
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.refused(name, "is an integer")
        if most is not None and not least <= value <= most:
            raise self.refused(name, f"lies between {least} and {most}")
        return value

    def number(self, name: str, *, finite: bool = True) -> float:
        """Return a float, finite unless said otherwise."""
        return self._number(name, self.value(name), finite=finite)

    def _number(self, name: str, value: object, *, finite: bool) -> float:
        if not finite and isinstance(value, str) and value in ODD:
            return ODD[value]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.refused(name, "is a number")
        return value  # finite: a body with 1e999 in it has no sum

    def text(self, name: str, among: Collection[str] | None = None) -> str:
        """Return a text, one of some where they are given."""
        value = self.value(name)
        if not isinstance(value, str) or (among is not None and value not in among):
            raise self.refused(name, "is a text" if among is None else f"is one of {among}")
        return value

    def flag(self, name: str) -> bool:
        """Return true or false."""
        value = self.value(name)
        if not isinstance(value, bool):
            raise self.refused(name, "is true or false")
        return value

    def items(self, name: str, size: int | None = None) -> list[Any]:
        """Return a list, of a size where it is given."""
        value = self.value(name)
        if not isinstance(value, list) or (size is not None and len(value) != size):
            raise self.refused(name, "is a list" if size is None else f"is a list of {size}")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts."""
        values = self.items(name)
        if not all(isinstance(value, str) for value in values):
            raise self.refused(name, "is a list of texts")
        return tuple(values)

    def flags(self, name: str, size: int) -> list[bool]:
        """Return a list of truths."""
        values = self.items(name, size)
        if not all(isinstance(value, bool) for value in values):
            raise self.refused(name, f"is a list of {size} truths")
        return values

    def wholes(
        self, name: str, size: int | None = None, least: int = -SIXTY_FOUR, most: int = SIXTY_FOUR
    ) -> list[int]:
        """Return a list of integers."""
        return [self._whole(name, value, least, most) for value in self.items(name, size)]

    def numbers(self, name: str, size: int | None = None, *, finite: bool = True) -> list[float]:
        """Return a list of floats."""
        return [self._number(name, value, finite=finite) for value in self.items(name, size)]

    def like(self, name: str, example: object) -> Any:  # noqa: ANN401 - of the kind of `example`
        """Return a value of the kind that a machine remembers there."""
        if isinstance(example, bool):
            return self.flag(name)
        if isinstance(example, int):
            return self.whole(name, most=None)
        if isinstance(example, str):
            return self.text(name)
        if isinstance(example, list):
            return self.wholes(name, len(example))
        return self.number(name, finite=False)
