"""A sum over a window beside a mean per bar of the same flow: the two are of different size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.language.ruleset import Arithmetic, Constant, Measured, values

if TYPE_CHECKING:
    from riskguard.language.findings import Findings
    from riskguard.language.ruleset import Compare, Value

__all__ = ["scale"]


def scale(leaf: Compare, found: Findings) -> None:
    """Warn of a sum that is compared with a mean of what it sums."""
    for total, other in ((leaf.left, leaf.right), (leaf.right, leaf.left)):
        if not isinstance(total, Measured) or total.function != "sum":
            continue
        for mean in values(other):
            if isinstance(mean, Measured) and mean.function == "mean" and mean.of == total.of:
                message = f"{total.text} is a sum over its window, {mean.text} a mean per bar"
                window = mean.text.rpartition("(")[2]
                op = leaf.op if total is leaf.left else leaf.op.translate(TURNED)
                fix = f"write {total.text}.times_avg({window} {op[0]}= {_times(other)}"
                found.warn("RG432", leaf.span, message, fix)
                return


TURNED = str.maketrans("<>", "><")


def _times(other: Value) -> str:
    """Return the multiple of the mean, 1x where it stands alone."""
    factors = (other.left, other.right) if isinstance(other, Arithmetic) else ()
    number = next((one for one in factors if isinstance(one, Constant)), None)
    return f"{number.value:.12g}x" if number else "1x"
