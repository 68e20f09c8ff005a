"""The lines of rules as their author wrote them, beside the rules that are printed anew.

Rules are kept with a state as text in one form: "10bp" is printed as "0.1%". What a decision says
of a line must not change by that, so the texts are kept too, in the order the lines stand.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from riskguard.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from riskguard.language.ruleset import RuleSet

__all__ = ["texts", "with_texts"]

T = TypeVar("T")


def texts(ruleset: RuleSet) -> list[str]:
    """Return the texts of all lines of a rule set, in one order for equal rule sets."""
    found: list[str] = []

    def note(text: str) -> str:
        found.append(text)
        return text

    _each(ruleset, note)
    return found


def with_texts(ruleset: RuleSet, given: Sequence[str]) -> RuleSet:
    """Return an equal rule set with other texts.

    Raises:
        StateError: there are more lines than texts, or fewer.
    """
    left = list(reversed(given))
    made = _each(ruleset, lambda text: left.pop() if left else text)
    if left or len(texts(ruleset)) != len(given):
        raise StateError("the texts kept with the state are not those of its rules")
    return made


def _each(ruleset: RuleSet, change: Callable[[str], str]) -> RuleSet:
    """Return a rule set with each text changed, definitions and symbols by name."""
    define = {name: _node(ruleset.define[name], change) for name in sorted(ruleset.define)}
    symbols = {name: _each(ruleset.per_symbol[name], change) for name in sorted(ruleset.per_symbol)}
    return replace(
        ruleset,
        define={name: define[name] for name in ruleset.define},  # in the order of the file
        stages=_node(ruleset.stages, change),
        rules=_node(ruleset.rules, change),
        per_symbol={name: symbols[name] for name in ruleset.per_symbol},
    )


def _node(node: T, change: Callable[[str], str]) -> T:
    """Return a node with the texts in it changed: its own first, then those of its parts."""
    if isinstance(node, tuple):
        return tuple(_node(one, change) for one in node)  # type: ignore[return-value]  # of what T is, a tuple here
    if not is_dataclass(node) or isinstance(node, type):
        return node
    made: dict[str, Any] = {}
    for one in fields(node):
        held = getattr(node, one.name)
        if one.name == "text":
            made["text"] = change(held)
        elif one.compare and (isinstance(held, tuple) or is_dataclass(held)):
            made[one.name] = _node(held, change)
    return replace(node, **made) if made else node
