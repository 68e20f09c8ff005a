"""A measure of a plug-in in a line: `plugin.toxicity(window=1h)`.

Its class says what it reads, what it takes and what it gives; what that may be is told in
docs/plugins.md. It is made once here, so that what it refuses is a finding.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from riskguard.errors import RECEIVED, visible
from riskguard.language.expression import Literal, Negative, Path, parse_span
from riskguard.language.findings import LineError, near
from riskguard.language.ruleset import Indicator
from riskguard.language.text.units import WORDS
from riskguard.language.tree import Plugged
from riskguard.market import FROM_ZERO
from riskguard.plugins import PluginError, load, said

if TYPE_CHECKING:
    from riskguard.language.expression import Argument, Segment
    from riskguard.language.reading.values import ValueReader

    Number = float | int | bool

__all__ = ["plugged"]

BOUNDS = ("above", "at_least", "at_most", "below")  # of the long form
MOST_BARS = 100_000
CALLED = ("update", "read", "dump", "load")
DIMENSIONS = tuple(sorted(WORDS.keys() - {"plain", "bars"}))


class UnfitError(Exception):
    """What a class does not have, or has of another kind."""


class _Shape:
    """What the class of a measure says of itself, read once and copied.

    `defaults` are its arguments; those in `windows` are lengths of time, in ns here.
    """

    def __init__(self, measure: Any) -> None:  # noqa: ANN401 - nothing is known of it yet
        if not isinstance(measure, type):
            raise UnfitError("is no class")
        for name in CALLED:
            if not callable(getattr(measure, name, None)):
                raise UnfitError(f"has no method {name}()")
        self.measure: type[object] = measure
        self.reads = _texts(getattr(measure, "reads", ("close",)))
        self.dimension = getattr(measure, "dimension", "number")
        if self.dimension not in DIMENSIONS:
            raise UnfitError(f"has a dimension that is none of {', '.join(DIMENSIONS)}")
        self.defaults: dict[str, Number] = {}
        self.windows: set[str] = set()
        arguments = getattr(measure, "arguments", {})
        if not isinstance(arguments, Mapping):
            raise UnfitError('has `arguments` that are not {"window": "24h"}')
        for name, default in arguments.items():
            self._argument(name, default)
        self.warmup = getattr(measure, "warmup", 1)
        whole = type(self.warmup) is int and 1 <= self.warmup <= MOST_BARS
        if not whole and self.warmup not in self.windows:
            raise UnfitError("has a `warmup` that is neither bars from 1 nor a window it takes")

    def _argument(self, name: object, default: object) -> None:
        if not isinstance(name, str) or not name.isidentifier() or name in BOUNDS:
            raise UnfitError(
                f"has an argument that no line can name; {', '.join(BOUNDS)} are taken"
            )
        if isinstance(default, str):
            try:
                written = parse_span(default)
            except LineError:
                written = None
            if not isinstance(written, Literal) or written.dimension != "time":
                raise UnfitError(f"has a window {name} that is no time such as '24h'")
            self.windows.add(name)
            self.defaults[name] = round(written.value)
        elif type(default) in {bool, int, float}:
            self.defaults[name] = default  # type: ignore[assignment]  # it is one of the three
        else:
            raise UnfitError(f"has an argument {name} that is no number, no truth and no time")


def _texts(given: object) -> tuple[str, ...]:
    if not isinstance(given, tuple | list) or not given:
        raise UnfitError('has `reads` that is not ("close",)')
    if not all(isinstance(one, str) for one in given) or len(set(given)) < len(given):
        raise UnfitError("has `reads` that are not names, each once")
    return tuple(given)


def plugged(reader: ValueReader, path: Path, symbol: str, called: Segment) -> Indicator:
    """Return the measure that a line calls."""
    start, end = called.start, called.end
    try:
        measure, whose = load("measures", called.name)
    except PluginError as error:
        raise LineError(error.code, start, end, error.message, error.fix) from error
    try:
        shape = _Shape(measure)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # its attributes may be code of others
        why = str(error) if isinstance(error, UnfitError) else said(error)
        message = f"plug-in '{called.name}' of {whose} {why}"
        raise LineError("RG609", start, end, message, f"tell who wrote {whose}") from error
    if called.arguments is None:
        fix = f"write plugin.{called.name}()"
        raise LineError("RG204", start, end, f"plugin.{called.name} needs its brackets", fix)
    written = _written(reader, called, shape)
    given = tuple((shape.defaults | written).items())
    _made(shape, called, whose, given)
    behind = Plugged(
        shape.measure,
        whose,
        _series(reader, symbol, called, shape),
        given,
        frozenset(shape.windows),
        int(dict(given)[shape.warmup]) if isinstance(shape.warmup, str) else 0,
        0 if isinstance(shape.warmup, str) else shape.warmup,
    )
    return Indicator(
        "plugin", called.name, symbol, tuple(sorted(written.items())), shape.dimension,
        reader.place(path.start, called.closed), reader.text[path.start : called.closed], behind,
    )  # fmt: skip


def _made(
    shape: _Shape, called: Segment, whose: str, given: tuple[tuple[str, Number], ...]
) -> None:
    """Make it once: what it does not take it says with ValueError."""
    start, end, name = called.start, called.closed, called.name
    try:
        shape.measure(**dict(given))
    except KeyboardInterrupt:
        raise
    except ValueError as error:
        message = f"plugin.{name} does not take that: {visible(str(error))[: 2 * RECEIVED]}"
        raise LineError("RG205", start, end, message, f"ask {whose} what it takes") from error
    except BaseException as error:  # code of others may leave in any way
        message = f"plug-in '{name}' of {whose} cannot be made: {said(error)}"
        raise LineError("RG609", start, end, message, f"tell who wrote {whose}") from error


def _series(
    reader: ValueReader, symbol: str, called: Segment, shape: _Shape
) -> tuple[tuple[str, str], ...]:
    """Return the series that it reads, with their dimensions."""
    found: list[tuple[str, str]] = []
    for name in shape.reads:
        known = reader.scope.find_input(symbol, name)
        if known is None or name in FROM_ZERO:
            message = (
                f"plugin.{called.name} reads '{visible(name)[:RECEIVED]}', no market input here"
            )
            raise LineError("RG201", called.start, called.end, message, "declare it under inputs:")
        found.append((name, known.spec.dimension))
    return tuple(found)


def _written(reader: ValueReader, called: Segment, shape: _Shape) -> dict[str, Number]:
    written: dict[str, Number] = {}
    for argument in called.arguments or ():
        name = _parameter(reader, called, argument, shape)
        if name in written:
            message = f"'{name}' is written twice"
            raise LineError("RG122", argument.start, argument.end, message, "keep one")
        if name in shape.windows:
            written[name] = reader.window(argument.value, f"plugin.{called.name}")
        else:
            written[name] = _number(reader, called, name, argument, shape)
    return written


def _parameter(reader: ValueReader, called: Segment, argument: Argument, shape: _Shape) -> str:
    names = list(shape.defaults)
    if argument.keyword in shape.defaults:
        return argument.keyword
    shown = f"plugin.{called.name}"
    if argument.keyword:
        close = near(argument.keyword, names)
        fix = f"did you mean '{close}'?" if close else f"it has {', '.join(names)}"
        message = f"{shown} has no parameter '{argument.keyword}'"
        fix = fix if names else f"write {shown}()"
        raise LineError("RG207", called.start, called.end, message, fix)
    given = reader.text[argument.start : argument.end]
    fix = f"write {names[0]}={given}" if names else f"write {shown}()"
    message = f"parameters of {shown} are named"
    raise LineError("RG207", argument.start, argument.end, message, fix)


def _number(
    reader: ValueReader, called: Segment, name: str, argument: Argument, shape: _Shape
) -> Number:
    node, default, shown = argument.value, shape.defaults[name], f"{name} of plugin.{called.name}"
    if isinstance(default, bool):
        if isinstance(node, Path) and node.word in {"true", "false"}:
            return node.word == "true"
        message = f"{shown} must be true or false"
        raise LineError("RG126", node.start, node.end, message, "write true or false")
    example = f"for example {name}={default}"
    sign, literal = (-1, node.of) if isinstance(node, Negative) else (1, node)
    value, dimension = None, ""
    if isinstance(literal, Path) and literal.word in reader.scope.params:
        parameter = reader.scope.params[literal.word]
        reader.scope.used.add(parameter.name)
        value, dimension = parameter.value, parameter.dimension
    elif isinstance(literal, Literal):
        value, dimension = literal.value, literal.dimension
    if value is None or dimension != "plain":
        text = reader.text[node.start : node.end]
        raise LineError(
            "RG205", node.start, node.end, f"{shown} is a plain number, not '{text}'", example
        )
    value = sign * value + 0.0  # never -0.0
    if isinstance(default, int) and value != int(value):
        raise LineError("RG205", node.start, node.end, f"{shown} is a whole number", example)
    return int(value) if isinstance(default, int) else value
