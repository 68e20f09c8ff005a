"""One number against one threshold: whether the two may be compared, and what to write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.language.findings import LineError
from riskguard.language.ruleset import (
    Compare,
    Constant,
    Measured,
    ParameterValue,
    SeriesValue,
    values,
)
from riskguard.language.text.units import AMOUNTS, WORDS, comparable, percent
from riskguard.market import ACCOUNT

if TYPE_CHECKING:
    from riskguard.language.expression import Comparison, Syntax
    from riskguard.language.reading.values import ValueReader
    from riskguard.language.ruleset import Value

__all__ = ["compared"]

FALLS = frozenset({"<", "<="})
TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def compared(reader: ValueReader, line: Comparison, missing: str) -> Compare:
    """Return the leaf of a comparison, or raise LineError where it makes no sense."""
    left, right = reader.read(line.left), reader.read(line.right)
    _check(line, left, right)
    if line.op in {"==", "!="} and "count" not in {left.dimension, right.dimension}:
        place = reader.place(line.op_start, line.op_start + len(line.op))
        message = f"{line.op} on a measured number is almost never exactly true"
        reader.scope.findings.warn("RG306", place, message, "use <= or >=")
    place = reader.place(line.left.start, line.end)
    text = reader.text[line.left.start : line.end]
    left, right = _same_unit(left, right), _same_unit(right, left)
    if _threshold(left) and not _threshold(right):  # the measured number stands on the left
        return Compare(right, TURNED.get(line.op, line.op), left, missing, place, text)
    return Compare(left, line.op, right, missing, place, text)


def _threshold(value: Value) -> bool:
    return isinstance(value, Constant | ParameterValue)


def _same_unit(value: Value, other: Value) -> Value:
    """Give a number without a unit the dimension of what it is compared with."""
    if isinstance(value, Constant) and value.dimension == "plain":
        return Constant(value.value, other.dimension, value.span, value.text)
    return value


def _account(value: Value) -> bool:
    return any(isinstance(one, SeriesValue) and one.name in ACCOUNT for one in values(value))


def _zero(value: Value) -> bool:
    return isinstance(value, Constant) and value.dimension == "plain" and value.value == 0


def _check(line: Comparison, left: Value, right: Value) -> None:
    if _zero(left) or _zero(right) or comparable(left.dimension, right.dimension):
        return
    if _threshold(left) and not _threshold(right):
        raise _mismatch(line, line.left, right, left)
    raise _mismatch(line, line.right, left, right)


def _mismatch(line: Comparison, at: Syntax, measured: Value, threshold: Value) -> LineError:
    """Explain a threshold of the wrong unit, and what to write instead."""
    first, second = measured.dimension, threshold.dimension
    if first == "share" and second == "plain":
        return _bare_share(at, measured, threshold)
    if first == "dollars" and second == "plain":
        message = f"{measured.text} is in US dollars"
        fix = "write $ before the number"
        if isinstance(threshold, Constant):
            sign, digits = ("-" if threshold.value < 0 else ""), threshold.text.lstrip("-")
            small = abs(threshold.value) < 1_000 and not _account(measured)
            fix = f"write {sign}${digits}M if you meant millions"
            fix = fix if small else f"write {sign}${digits}"
        return LineError("RG302", at.start, at.end, message, fix)
    if first == "dollars" and second == "share" and _account(measured):
        message = f"{WORDS[first]} is compared with a percentage"
        shown = percent(abs(threshold.value)) if isinstance(threshold, Constant) else threshold.text
        falls = (line.op in FALLS) == (at is line.right)
        amount = "-$500" if falls else "$500"
        fix = f"write equity.{'drop' if falls else 'rise'}(today) >= {shown}, or dollars: {amount}"
        return LineError("RG307", at.start, at.end, message, fix)
    if first in AMOUNTS and second == "share":
        message = f"{WORDS[first]} is compared with a percentage"
        falls = (line.op in FALLS) == (at is line.right)
        if isinstance(threshold, Constant):
            shown = percent(abs(threshold.value))
            name = "drop" if falls else "rise"
            subject = measured.text if not isinstance(measured, Measured) else "close"
            fix = f"did you mean {subject}.{name}(24h) >= {shown}?"
            return LineError("RG307", at.start, at.end, message, fix)
        fix = f"for example {measured.text}.drop(24h) >= 5%"
        return LineError("RG307", at.start, at.end, message, fix)
    message = f"{WORDS[first]} is compared with {WORDS[second]}"
    if first == "ratio" and second == "share" and isinstance(threshold, Constant):
        return LineError("RG305", at.start, at.end, message, f"write {threshold.value:.12g}x")
    return LineError("RG305", at.start, at.end, message, f"write {EXAMPLES[first]}")


EXAMPLES = {
    "price": "a price such as 75_000",
    "dollars": "dollars such as $5M",
    "coins": "a number of coins",
    "share": "a percentage such as 5%",
    "ratio": "a multiple such as 3x",
    "index": "a plain number",
    "number": "a plain number",
    "count": "a plain number",
    "time": "a time such as 2h",
    "plain": "a plain number",
    "bars": "a number of bars",
}


def _bare_share(at: Syntax, measured: Value, threshold: Value) -> LineError:
    subject = f"{measured.text} is a share of the whole"
    if not isinstance(threshold, Constant):
        message = f"{subject}: {threshold.text} is a plain number"
        return LineError("RG301", at.start, at.end, message, "write the figure with %")
    written, value = threshold.text, threshold.value
    message = f"{subject}: {written} would mean {percent(value)}"
    fix = f"write {written}%"
    if abs(value) < 1:
        fix += f" (or {percent(value)} if you meant the fraction)"
    return LineError("RG301", at.start, at.end, message, fix)
