"""Values and conditions as the lines and groups that are read as them again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.language.ruleset import (
    Any,
    Arithmetic,
    AtLeast,
    Compare,
    Constant,
    During,
    Flag,
    For,
    Indicator,
    Measured,
    Not,
    ParameterValue,
    Sequence,
    SeriesValue,
    Span,
    parts,
    walk,
)
from riskguard.language.source import Listing, Mapping, Scalar
from riskguard.language.writing.naming import Names
from riskguard.language.writing.numerals import duration_text, number_text
from riskguard.market import HOUR, MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from riskguard.language.ruleset import Condition, RuleSet, Value
    from riskguard.language.source import Node

__all__ = [
    "NOWHERE",
    "Wording",
    "block",
    "keyed",
    "missing_in",
    "named",
    "row",
    "word",
]

NOWHERE = Span(0, 0, 0, 0)  # of words that nobody wrote
BINDS = {"+": 1, "-": 1, "*": 2, "/": 2}
SIGN, ATOM = 3, 4
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


# ---------------------------------------------------------------- nodes


def word(text: str, span: Span = NOWHERE) -> Scalar:
    """Return a text as a node; one without a letter is quoted, or it would be no text at all."""
    return Scalar(text, span, "" if text else '"')


def block(span: Span = NOWHERE, **items: Node | str | None) -> Mapping:
    """Return a block of keys; what is None is left out, and so is the last _ of a key."""
    return keyed({key.rstrip("_"): value for key, value in items.items()}, span)


def keyed(items: dict[str, Node | str | None], span: Span = NOWHERE) -> Mapping:
    """Return a block of the keys that have a value."""
    pairs = (
        (word(key, span), word(value, span) if isinstance(value, str) else value)
        for key, value in items.items()
        if value is not None
    )
    return Mapping(tuple(pairs), span)


def row(items: Iterable[Node | str], span: Span = NOWHERE) -> Listing:
    """Return a list of nodes."""
    nodes = (word(one, span) if isinstance(one, str) else one for one in items)
    return Listing(tuple(nodes), span)


def named(items: dict[str, Node]) -> Mapping | None:
    """Return a block of names, each standing where what it names does; None without any."""
    pairs = tuple((word(name, node.span), node) for name, node in items.items())
    return Mapping(pairs, NOWHERE) if pairs else None


# ---------------------------------------------------------------- values


class _Expression:
    """Writes values, with no more brackets than they need."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def text(self, node: Value, binds: int) -> str:
        """Return the text of a value that must bind at least so tightly."""
        found, own = self.bound(node)
        return found if own >= binds else f"({found})"

    def bound(self, node: Value) -> tuple[str, int]:
        if isinstance(node, Constant):
            dimension = "plain" if node.dimension == "bars" else node.dimension  # only 0 is left
            return number_text(node.value, dimension), ATOM if node.value >= 0 else SIGN
        if isinstance(node, Arithmetic):
            return self.arithmetic(node)
        return self.path(node), ATOM

    def arithmetic(self, node: Arithmetic) -> tuple[str, int]:
        nothing = Constant(0.0, node.right.dimension)
        if node.op == "-" and node.left == nothing and not isinstance(node.right, Constant):
            return f"-{self.text(node.right, SIGN)}", SIGN
        op = node.op[0]
        binds = BINDS[op]
        # a chain is read from the left
        left, right = self.text(node.left, binds), self.text(node.right, binds + 1)
        return f"{left} {op} {right}", binds

    def path(self, node: ParameterValue | SeriesValue | Indicator | Measured) -> str:
        if isinstance(node, ParameterValue):
            return node.name
        if isinstance(node, Measured):
            return f"{self.path(node.of)}.{node.function}({self.names.window(node)})"
        prefix = f"{node.symbol}." if node.symbol else ""
        if isinstance(node, SeriesValue):
            return f"{prefix}{node.name}"
        arguments = (
            f"{name}={self.names.argument(node, name, value)}" for name, value in node.arguments
        )
        return f"{prefix}{node.library}.{node.name}({', '.join(arguments)})"


# ---------------------------------------------------------------- conditions


class Wording:
    """Words the conditions of one rule set, windows as `figures` or by the names written."""

    def __init__(self, rules: RuleSet, *, figures: bool = False) -> None:
        self.every, self.timezone = rules.every, rules.timezone
        self.names = Names(rules, figures=figures)
        self.values = _Expression(self.names)

    def condition(self, node: Condition, missing: str = "hold") -> Node:
        """Return a condition as it stands where `missing` is the on_missing around it."""
        own = missing_in(node)
        # of a group whose lines differ each says its own
        around = own.pop() if len(own) == 1 else missing
        said = block(node.span, on_missing=around if around != missing else None)
        line = self.line(node)
        if line is not None:
            return (
                _joined(block(node.span, is_=line), said) if said.items else word(line, node.span)
            )
        if not isinstance(node, For):
            return _joined(self.group(node, around), said)
        line = self.line(node.of)
        inner = block(node.span, is_=line) if line is not None else self.group(node.of, around)
        return _joined(_joined(inner, block(node.span, for_=self.names.held(node))), said)

    def line(self, node: Condition) -> str | None:
        """Return a condition as one line, None where it is none."""
        if isinstance(node, Compare):
            left, right = self.values.text(node.left, 0), self.values.text(node.right, 0)
            return f"{left} {node.op} {right}"
        if isinstance(node, Flag):
            return f"stage >= {node.name}" if node.kind == "stage" else node.name
        if not isinstance(node, For):
            return None
        # "for" follows a comparison, the bare name of a condition takes none
        fit = isinstance(node.of, Compare) or (
            isinstance(node.of, Flag) and node.of.kind == "stage"
        )
        return f"{self.line(node.of)} for {self.names.held(node)}" if fit else None

    def group(self, node: Condition, around: str) -> Mapping:
        """Return a group of conditions, or hours, as a block."""
        if isinstance(node, Not):
            return block(node.span, not_=self.condition(node.of, around))
        if isinstance(node, During):
            return block(node.span, during=self.hours(node))
        span = node.span
        inside = row((self.condition(part, around) for part in parts(node)), span)
        if isinstance(node, AtLeast):
            return block(span, at_least=str(node.count), of=inside)
        if isinstance(node, Sequence):
            within = duration_text(node.within, every=self.every)
            return block(span, sequence=inside, within=within)
        return block(span, any=inside) if isinstance(node, Any) else block(span, all=inside)

    def hours(self, node: During) -> Mapping:
        """Return the block of `during`."""
        zone = node.timezone if node.timezone != self.timezone else None
        return block(
            node.span, days=_days(node.days), from_=_clock(node.start), to=_clock(node.end),
            timezone=zone,
        )  # fmt: skip


def missing_in(node: Condition) -> set[str]:
    """Return every on_missing of the lines under a condition."""
    return {leaf.on_missing for leaf in walk(node) if isinstance(leaf, Compare | Flag)}


def _joined(first: Mapping, second: Mapping) -> Mapping:
    return Mapping((*first.items, *second.items), first.span)


def _clock(time: int) -> str:
    return f"{time // HOUR:02}:{time % HOUR // MINUTE:02}"


def _days(days: tuple[int, ...]) -> Node | None:
    """Return days of the week as runs of them: mon-fri; None for all seven."""
    if len(days) == 7:
        return None
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    texts = [DAYS[run[0]] if len(run) == 1 else f"{DAYS[run[0]]}-{DAYS[run[-1]]}" for run in runs]
    return word(texts[0]) if len(texts) == 1 else row(texts)
