"""What a case expects: one line of `expect`, read by its words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from riskguard.language.findings import suggestion
from riskguard.language.reading.blocks import BlockReader
from riskguard.language.rewriting import deciding, key_of, leaves, series_of
from riskguard.language.source import Mapping, Scalar
from riskguard.testing.cases import Expectation

if TYPE_CHECKING:
    from riskguard.language.reading.blocks import Block, Entry
    from riskguard.language.ruleset import RuleSet
    from riskguard.language.source import Node
    from riskguard.testing.times import TimeReader

__all__ = ["KINDS", "SPANS", "WANTED", "ExpectationReader"]

STATES = ("ACTIVE", "CAUTION", "REDUCING", "HALTED")
CHOICES = {
    "state": STATES,
    "blocked": ("none", "long", "short", "both"),
    "close": ("none", "longs", "shorts", "all"),
    "cancel_orders": ("none", "entries", "all"),
}
SHARES = ("exposure_cap", "hedge", "reduce_by")
WANTED = (
    *("stage", "rule", "state", "latched", "active", "active_includes", "exposure_cap"),
    *("leverage_cap", "blocked", "blind", "reason", "reduce_only", "close", "hedge"),
    *("cancel_orders", "reduce_by", "stop", "notify"),
)
KINDS = ("at", "first", "never", "always")
SPANS = ("between", "before", "after")
EXAMPLE = "for example {at: 880h, stage: watch}"


class ExpectationReader(BlockReader):
    """Reads the expectations of one case, whose inputs `given` come."""

    def __init__(self, times: TimeReader, rules: RuleSet, given: frozenset[str]) -> None:
        super().__init__(times.scope)
        self.times, self.rules, self.given = times, rules, given

    def expectation(self, node: Node) -> Expectation | None:
        """Return one expectation, None when it has a fault."""
        block = self.block(node, (*KINDS, *SPANS, *WANTED), "expectation")
        if block is None or block.unknown:
            return None
        kinds = [key for key in block if key in KINDS]
        if len(kinds) != 1:
            told = " and ".join(kinds) + " side by side" if kinds else "no time is said"
            message = f"{told}: an expectation says one of at, first, never, always"
            self.findings.error("RG704", node.span.begin, message, EXAMPLE)
            return None
        kind = kinds[0]
        if not self._fitting(block, kind):
            return None
        span = self._span(block, kind)
        inner = block if kind == "at" else self._inner(block[kind], kind)
        wanted = None if inner is None else self._wanted(inner)
        if span is None or wanted is None:
            return None
        if not wanted:
            self.findings.error("RG704", node.span.begin, "nothing is expected here", EXAMPLE)
            return None
        line = self.findings.lines[min(node.span.line, len(self.findings.lines)) - 1]
        return Expectation(kind, wanted, *span, node.span, line.strip())

    def _fitting(self, block: Block, kind: str) -> bool:
        """Refuse what has no meaning beside `at`, `first`, `never` or `always`."""
        whole = True
        for key, entry in block.items():
            fix = ""
            if kind == "at" and key in SPANS:
                fix = f"always: {{...}}, {key}: ... speaks of a time from one bar to another"
            elif kind != "at" and key in WANTED:
                fix = f"write it inside: {kind}: {{{key}: {_shown(entry.node)}}}"
            if fix:
                whole = False
                message = f"'{key}' cannot stand beside '{kind}'"
                self.findings.error("RG123", entry.key.span, message, fix)
        return whole

    def _span(self, block: Block, kind: str) -> tuple[int, int] | None:
        if kind != "at":
            return self.times.between(block)
        when = self.times.at(block["at"])
        return None if when is None else (when, when)

    # ------------------------------------------------------------ words

    def _inner(self, entry: Entry, kind: str) -> Block | None:
        if not isinstance(entry.node, Mapping):
            message, example = f"{kind} needs a block", f"{kind}: {{stage: watch}}"
            text = _shown(entry.node)
            known = {
                "rule": [rule.name for rule in self.rules.rules],
                "stage": [stage.name for stage in self.rules.stages],
                "state": STATES,
            }
            what = next((what for what, names in known.items() if text in names), "")
            fix = f"write {kind}: {{{what}: {text}}}" if what else f"for example {example}"
            self.findings.error("RG120", entry.node.span, message, fix)
            return None
        block = self.block(entry.node, WANTED, kind)
        return None if block is None or block.unknown else block

    def _wanted(self, block: Block) -> dict[str, Any] | None:
        failed = len(self.findings.sorted())
        found = {key: self._word(key, entry) for key, entry in block.items() if key in WANTED}
        return None if len(self.findings.sorted()) > failed else found

    def _word(self, key: str, entry: Entry) -> object:
        stages = ["normal", *(stage.name for stage in self.rules.stages)]
        rules = [rule.name for rule in self.rules.rules]
        if key in {"stage", "rule"}:
            written = self.scalar(entry, key)
            known = stages if key == "stage" else rules
            return self._one_of(written, key, known) if written else ""
        if key in {"active", "active_includes"}:
            return [self._one_of(item, "rule", rules) for item in self.names(entry, key)]
        if key == "blind":
            return [self._blind(item) for item in self.names(entry, key)]
        if key in {"latched", "reduce_only"}:
            return self.truth(entry, key)
        if key in CHOICES:
            return self.choice(entry, key, CHOICES[key])
        if key in SHARES:
            return self.share(entry, key)
        if key in {"leverage_cap", "stop"}:
            return self._number(entry, key)
        return self.text(entry, key)

    def _number(self, entry: Entry, key: str) -> float | None:
        """Return a multiple, or the distance of a stop; None stands for `none`."""
        written = self.scalar(entry, key)
        if written is None or written.text == "none":
            return None
        literal = self.literal(entry, key)
        if literal is None:
            return None
        value, dimension, _ = literal
        if key == "leverage_cap" and dimension != "ratio":
            message = f"{key}: {written.text} of what? a multiple is written with x"
            self.findings.error("RG308", written.span, message, "write 2x, or none")
        elif key == "stop" and dimension not in {"plain", "dollars"}:
            message = "a stop is expected as its distance to the price, in price"
            fix = "for example stop: 3_700, or none"
            self.findings.error("RG305", written.span, message, fix)
        return value

    def _blind(self, written: Scalar) -> str:
        """Return a series that the rules read and the case gives: no other goes blind."""
        read = leaves(*deciding(self.rules))
        known = {key_of(series) for leaf in read for series in series_of(leaf)}
        known = {key.removeprefix(f"{self.rules.symbol}.") for key in known}
        name = self._one_of(written, "input", sorted(known))
        if name in known - self.given:
            message = f"'{name}' is not given: unknown throughout, and not blind"
            fix = f'give it under "series:", for example {name}: ...'
            self.findings.error("RG705", written.span, message, fix)
        return name

    def _one_of(self, written: Scalar, what: str, known: list[str]) -> str:
        if written.text not in known:
            message = f"unknown {what} '{written.text}'"
            empty = written.text in {"none", "[]"} and what == "rule"
            fix = "write [] for none" if empty else suggestion(written.text, known)
            self.findings.error("RG702", written.span, message, fix)
        return written.text


def _shown(node: Node) -> str:
    return node.text if isinstance(node, Scalar) else "..."
