"""Functions of libraries in a line: `ta.rsi(window=14)`, `plugin.toxicity(...)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.language.expression import Literal, Negative, Path
from riskguard.language.findings import LineError, near
from riskguard.language.ruleset import Indicator
from riskguard.language.tables.ta_table import BARS, FUNCTIONS

if TYPE_CHECKING:
    from riskguard.language.expression import Argument, Segment
    from riskguard.language.reading.values import ValueReader

__all__ = ["LIBRARIES", "indicator"]

LIBRARIES = ("ta", "plugin")
MOST_BARS = 100_000
WARMUP = "warmup"


def indicator(
    reader: ValueReader, path: Path, symbol: str, segments: tuple[Segment, ...]
) -> tuple[Indicator, tuple[Segment, ...]]:
    """Return the indicator that `segments` begin with, and the measures after it."""
    library = segments[0]
    if len(segments) < 2:
        message = f"which function of {library.name}?"
        raise LineError("RG102", library.start, library.end, message, "for example ta.rsi()")
    called = segments[1]
    if library.name == "plugin":
        from riskguard.language.reading.plugged import plugged  # noqa: PLC0415 - rarely needed

        return plugged(reader, path, symbol, called), segments[2:]
    if called.name not in FUNCTIONS:
        close = near(called.name, FUNCTIONS)
        fix = f"did you mean '{close}'?" if close else "riskguard knows the 80 functions of ta 0.11"
        message = f"the ta library has no '{called.name}'"
        raise LineError("RG206", called.start, called.end, message, fix)
    if called.arguments is None:
        message = f"ta.{called.name} needs its brackets"
        fix = f"write ta.{called.name}()"
        raise LineError("RG204", called.start, called.end, message, fix)
    written: dict[str, float | int | bool] = {}
    for argument in called.arguments:
        name = _parameter(reader, called, argument)
        if name in written:
            message = f"'{name}' is written twice"
            raise LineError("RG122", argument.start, argument.end, message, "keep one")
        written[name] = _value(reader, called, name, argument)
    place = reader.place(path.start, called.closed)
    text = reader.text[path.start : called.closed]
    found = Indicator(
        "ta", called.name, symbol, tuple(sorted(written.items())), span=place, text=text
    )
    return found, segments[2:]


def _parameter(reader: ValueReader, called: Segment, argument: Argument) -> str:
    """Return the name of an argument; the first may stand without one where it is the window."""
    known = FUNCTIONS[called.name].parameters
    if argument.keyword:
        if argument.keyword in known or argument.keyword == WARMUP:
            return argument.keyword
        close = near(argument.keyword, [*known, WARMUP])
        fix = f"did you mean '{close}'?" if close else f"it has {', '.join([*known, WARMUP])}"
        message = f"ta.{called.name} has no parameter '{argument.keyword}'"
        # the row of the table blames the function: its parameters are what was mistaken
        raise LineError("RG207", called.start, called.end, message, fix)
    names = list(known)
    shown = f"{names[0]}=" if names else f"{WARMUP}="
    message = f"parameters of ta.{called.name} are named"
    given = reader.text[argument.start : argument.end]
    raise LineError("RG207", argument.start, argument.end, message, f"write {shown}{given}")


def _value(
    reader: ValueReader, called: Segment, name: str, argument: Argument
) -> float | int | bool:
    node = argument.value
    default = FUNCTIONS[called.name].parameters.get(name, 1)
    if isinstance(default, bool):
        if isinstance(node, Path) and node.word in {"true", "false"}:
            return node.word == "true"
        message = f"{name} must be true or false"
        raise LineError("RG126", node.start, node.end, message, "write true or false")
    sign, literal = (-1, node.of) if isinstance(node, Negative) else (1, node)
    if isinstance(literal, Path) and literal.word in reader.scope.params:
        parameter = reader.scope.params[literal.word]
        reader.scope.used.add(parameter.name)
        value, dimension = parameter.value, parameter.dimension
    elif isinstance(literal, Literal):
        value, dimension = literal.value, literal.dimension
    else:
        value, dimension = None, ""
    counts = name.startswith(BARS) or name == WARMUP
    if value is None or not (dimension == "plain" or (dimension == "bars" and counts)):
        shown = reader.text[node.start : node.end]
        message = f"{name} of ta.{called.name} is a plain number, not '{shown}'"
        fix = f"for example {name}={default if default is not None else 14}"
        raise LineError("RG205", node.start, node.end, message, fix)
    value = sign * value + 0.0  # never -0.0
    if counts:
        if value != int(value) or not 1 <= value <= MOST_BARS:
            message = f"{name} of ta.{called.name} is a whole number of bars from 1"
            raise LineError("RG205", node.start, node.end, message, f"for example {name}=14")
        return int(value)
    return int(value) if isinstance(default, int) and value == int(value) else value
