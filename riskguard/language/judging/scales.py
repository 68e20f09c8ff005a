"""A sum over a window beside a mean per bar of the same flow: the two are of different size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.language.ruleset import Arithmetic, Constant, Measured

if TYPE_CHECKING:
    from riskguard.language.findings import Findings
    from riskguard.language.ruleset import Compare, Value

__all__ = ["scale"]


def scale(leaf: Compare, every: int | None, found: Findings) -> None:
    """Warn of a sum that is compared with a mean of what it sums; `every` is the bar in ns.

    A multiple of the bars in the sum is one of the average sum: nothing is said of it.
    """
    for total, other in ((leaf.left, leaf.right), (leaf.right, leaf.left)):
        times, mean = _multiple(other)
        if not isinstance(total, Measured) or total.function != "sum" or mean is None:
            continue
        bars = (total.window or 0) // every if every else 0
        if mean.of != total.of or (bars and times % bars == 0):
            continue
        message = f"{total.text} is a sum over its window, {mean.text} a mean per bar"
        window = mean.text.rpartition("(")[2]
        op = leaf.op if total is leaf.left else leaf.op.translate(TURNED)
        fix = f"write {total.text}.times_avg({window} {op[0]}= {times:.12g}x"
        found.warn("RG432", leaf.span, message, fix)
        return


TURNED = str.maketrans("<>", "><")


def _multiple(value: Value) -> tuple[float, Measured | None]:
    """Return the mean that a value is, and how many times it is taken; None for no mean."""
    times = 1.0
    if isinstance(value, Arithmetic) and value.op == "*":
        for number, mean in ((value.left, value.right), (value.right, value.left)):
            if isinstance(number, Constant):
                times, value = number.value, mean
                break
    found = isinstance(value, Measured) and value.function == "mean"
    return times, value if found and isinstance(value, Measured) else None
