"""What a case expects: one line of `expect`, read by its words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from riskguard.language.blocks import BlockReader, Entry
from riskguard.language.expression import parse_span
from riskguard.language.findings import LineError, suggestion
from riskguard.language.ruleset import Span
from riskguard.language.source import Mapping, Scalar
from riskguard.market import HOUR
from riskguard.testing.cases import Expectation

if TYPE_CHECKING:
    from collections.abc import Callable

    from riskguard.language.blocks import Block
    from riskguard.language.ruleset import RuleSet
    from riskguard.language.scope import Scope
    from riskguard.language.source import Node

__all__ = ["ExpectationReader"]

STATES = ("ACTIVE", "CAUTION", "REDUCING", "HALTED")
SIDES = ("none", "long", "short", "both")
CLOSES = ("none", "longs", "shorts", "all")
CANCELS = ("none", "entries", "all")
WANTED = (
    *("stage", "rule", "state", "latched", "active", "active_includes", "exposure_cap"),
    *("leverage_cap", "blocked", "blind", "reason", "reduce_only", "close", "hedge"),
    "cancel_orders",
)
KINDS = ("first", "never", "always")
EXAMPLE = "for example {at: 880h, stage: watch}"


class ExpectationReader(BlockReader):
    """Reads expectations of one case; `clock` is (every, start, bars), times in ns."""

    def __init__(
        self,
        scope: Scope,
        rules: RuleSet,
        clock: tuple[int, int, int],
        instant: Callable[[Scalar], int | None],
    ) -> None:
        super().__init__(scope)
        self.rules = rules
        self.every, self.start, self.bars = clock
        self.instant = instant

    @property
    def last(self) -> int:
        """The time of the last bar, ns after the start."""
        return (self.bars - 1) * self.every

    def expectation(self, node: Node) -> Expectation | None:
        """Return one expectation, None when it has a fault."""
        keys = (*WANTED, "at", *KINDS, "between", "before", "after")
        block = self.block(node, keys, "expectation")
        if block is None or block.unknown:
            return None
        kinds = [key for key in block if key in {"at", *KINDS}]
        if len(kinds) != 1:
            message = "an expectation says at, first, never or always, one of them"
            self.findings.error("RG704", _begin(node.span), message, EXAMPLE)
            return None
        kind = kinds[0]
        low, high = 0, self.last
        if kind == "at":
            when = self._time(block["at"].node, on_bar=True)
            wanted = self._wanted({key: one for key, one in block.items() if key in WANTED})
            low = high = -1 if when is None else when
        else:
            span = self._between(block)
            when = None if span is None else 0
            low, high = span or (0, 0)
            wanted = self._inner(block[kind], kind)
        if when is None or wanted is None:
            return None
        if not wanted:
            self.findings.error("RG704", _begin(node.span), "nothing is expected here", EXAMPLE)
            return None
        line = self.findings.lines[min(node.span.line, len(self.findings.lines)) - 1]
        return Expectation(kind, wanted, low, high, node.span, line.strip())

    # ------------------------------------------------------------ times

    def _between(self, block: Block) -> tuple[int, int] | None:
        low, high = 0, self.last
        if "between" in block:
            written = self.scalar(block["between"], "between")
            halves = written.text.split("..") if written else []
            if written and len(halves) != 2:
                message, fix = "between is written from..to", "for example 880h..892h"
                self.findings.error("RG144", written.span, message, fix)
            if written is None or len(halves) != 2:
                return None
            ends = [self._time(_part(written, half)) for half in halves]
            if ends[0] is None or ends[1] is None:
                return None
            low, high = ends[0], ends[1]
        for key in ("before", "after"):
            if key in block:
                when = self._time(block[key].node)
                if when is None:
                    return None
                low, high = (when + 1, high) if key == "after" else (low, when - 1)
        if low > high:
            place = next(block[key].key.span for key in block if key in {"between", *SPANS})
            self.findings.error("RG703", place, "no bar lies between the two", "widen them")
            return None
        return low, high

    def _time(self, node: Node, *, on_bar: bool = False) -> int | None:
        """Return ns after the start of `880h` or a time stamp; RG703 where no bar is there."""
        written = self.scalar(Entry(Scalar("", node.span), node), "at")
        if written is None:
            return None
        when = self._span(written)
        if when is None and written.text.isdecimal():
            message, fix = f"{written.text} of what?", f'write "{written.text}h"'
            self.findings.error("RG111", written.span, message, fix)
            return None
        if when is None:
            moment = self.instant(written)
            if moment is None:
                return None
            when = moment - self.start
        if not 0 <= when <= self.last:
            message = f"the last bar is {self.last / HOUR:g}h"
            self.findings.error("RG703", written.span, message, "name a time of the series")
            return None
        if on_bar and when % self.every:
            before = when // self.every * self.every
            message = f"no bar closes at {written.text}; the last bar is {self.last / HOUR:g}h"
            fix = f"for example {before / HOUR:g}h"
            self.findings.error("RG703", written.span, message, fix)
            return None
        return when

    def _span(self, written: Scalar) -> int | None:
        try:
            node = parse_span(written.text)
        except LineError:
            return None
        if getattr(node, "dimension", "") == "time":
            return round(getattr(node, "value", 0))
        plain_zero = getattr(node, "value", None) == 0
        return 0 if plain_zero else None

    # ------------------------------------------------------------ words

    def _inner(self, entry: Entry, kind: str) -> dict[str, Any] | None:
        if not isinstance(entry.node, Mapping):
            message = f"{kind} needs a block such as {{stage: watch}}"
            self.findings.error("RG120", entry.node.span, message, f"{kind}: {{stage: watch}}")
            return None
        block = self.block(entry.node, WANTED, kind)
        return None if block is None or block.unknown else self._wanted(block)

    def _wanted(self, block: dict[str, Entry]) -> dict[str, Any] | None:
        failed = len(self.findings.sorted())
        found = {key: self._word(key, entry) for key, entry in block.items()}
        return None if len(self.findings.sorted()) > failed else found

    def _word(self, key: str, entry: Entry) -> object:
        stages = ["normal", *(stage.name for stage in self.rules.stages)]
        rules = [rule.name for rule in self.rules.rules]
        if key == "stage":
            return self._known(entry, "stage", stages)
        if key == "rule":
            return self._known(entry, "rule", rules)
        if key in {"active", "active_includes"}:
            return [self._one_of(item, "rule", rules) for item in self.names(entry, key)]
        if key == "blind":
            return [item.text for item in self.names(entry, key)]
        if key in {"latched", "reduce_only"}:
            return self.truth(entry, key)
        choices = {"state": STATES, "blocked": SIDES, "close": CLOSES, "cancel_orders": CANCELS}
        if key in choices:
            return self.choice(entry, key, choices[key])
        if key in {"exposure_cap", "hedge"}:
            return self.share(entry, key)
        if key == "leverage_cap":
            literal = self.literal(entry, key)
            return literal[0] if literal else None
        return self.text(entry, key)

    def _known(self, entry: Entry, what: str, known: list[str]) -> str:
        written = self.scalar(entry, what)
        return self._one_of(written, what, known) if written else ""

    def _one_of(self, written: Scalar, what: str, known: list[str]) -> str:
        if written.text not in known:
            message = f"unknown {what} '{written.text}'"
            self.findings.error("RG702", written.span, message, suggestion(written.text, known))
        return written.text


SPANS = ("before", "after")


def _part(written: Scalar, half: str) -> Scalar:
    at = written.text.index(half) + len(half) - len(half.lstrip())
    return Scalar(half.strip(), written.place(at, at + len(half.strip())), "", written.lines)


def _begin(span: Span) -> Span:
    return Span(span.line, span.column, span.line, span.column + 1)
