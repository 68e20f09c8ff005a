"""Windows and waits shorter than a bar, once the file or the data says how long a bar is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from riskguard.language.rewriting import deciding
from riskguard.language.ruleset import Compare, For, Measured, values, walk
from riskguard.language.text.units import span_words

if TYPE_CHECKING:
    from riskguard.language.findings import Findings
    from riskguard.language.ruleset import RuleSet

__all__ = ["brief", "wait", "window"]


class Brief(NamedTuple):
    """What is told of a time that is too short."""

    code: str
    message: str
    help: str


def window(span: int, every: int | None) -> Brief | None:
    """Return what is wrong with a window, None where nothing is."""
    if every is None or span >= every:
        return None
    message = f"window is shorter than one bar ({span_words(every)})"
    return Brief("RG408", message, "write a longer window")


def wait(span: int, every: int | None) -> Brief | None:
    """Return what is wrong with the time behind a `for`, None where nothing is."""
    if every is None or span >= every:
        return None
    message = f'"for" is shorter than one bar ({span_words(every)}), so it has no effect'
    return Brief("RG407", message, 'write "for 2 closes", or leave it out')


def brief(rules: RuleSet, every: int, found: Findings) -> None:
    """Note the windows and the waits of a rule set that are shorter than a bar of the data."""
    for node in (part for root in deciding(rules) for part in walk(root)):
        if isinstance(node, For) and (told := wait(node.duration or every, every)):
            found.warn(told.code, node.span, told.message, told.help)
        if not isinstance(node, Compare):
            continue
        for value in (*values(node.left), *values(node.right)):
            if not isinstance(value, Measured) or value.calendar:
                continue
            if told := window(value.window or every, every):
                found.error(told.code, value.inside, told.message, told.help)
