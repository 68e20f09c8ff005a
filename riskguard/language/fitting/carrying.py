"""Which inputs a feed carries: the specs of the data, and the lines that go without."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from riskguard.language.rewriting import (
    altered,
    deciding,
    key_of,
    latches,
    leaves,
    rebuilt,
    release,
    series_of,
    title,
    trigger,
    uses_atr,
)
from riskguard.language.ruleset import (
    Flag,
    Measured,
    Rule,
    SeriesValue,
    Span,
    Stage,
    input_of,
    values,
)
from riskguard.language.text.units import WORDS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from riskguard.language.findings import Findings
    from riskguard.language.rewriting import Latch
    from riskguard.language.ruleset import Compare, Condition, Input, RuleSet, Stage

__all__ = ["carries", "carry"]

# kept by the core from two flows, so that a feed need not send it
STREAK = ("loss_streak", frozenset({"trades.closed", "trades.lost"}))


def carry(
    rules: RuleSet, carried: Mapping[str, Input], found: Findings, notes: list[str]
) -> RuleSet:
    """Return the rules with the specs of the data, less the lines that may go without theirs."""
    lines = sorted(leaves(*deciding(rules)), key=lambda leaf: (leaf.span.line, leaf.span.column))
    missing = _missing(lines, carried, found)
    rules = _specified(rules, lines, carried, found)
    rules = _bars_of_stops(rules, carried, found)
    if found.failed or not missing:
        return rules
    return _Pruning(rules, missing, found, notes).result()


def _columns(carried: Iterable[str], key: str) -> str:
    prefix = key.split(".", 1)[0] + "." if key[0].isupper() else ""
    own = [name for name in carried if (name.startswith(prefix) if prefix else name[0].islower())]
    listed = f"columns: {', '.join(own)}; or " if own else ""
    return f'{listed}"on_missing: ignore" on every line that reads it'


def carries(carried: Collection[str], key: str) -> bool:
    """Say whether a feed of these keys knows a series: carries it, or what it is counted from."""
    name, flows = STREAK
    return key in carried or (key == name and flows <= set(carried))


def _missing(lines: list[Compare], carried: Mapping[str, Input], found: Findings) -> set[str]:
    """Return the keys no feed carries; lines that cannot do without them are errors."""
    missing: set[str] = set()
    blamed: set[str] = set()
    for leaf in lines:
        for series in series_of(leaf):
            key = key_of(series)
            if carries(carried, key):
                continue
            missing.add(key)
            if leaf.on_missing != "ignore" and key not in blamed:
                blamed.add(key)
                message = f"the data has no column for '{key}'"
                found.error("RG501", series.span, message, _columns(carried, key))
    return missing


def _bars_of_stops(rules: RuleSet, carried: Mapping[str, Input], found: Findings) -> RuleSet:
    """Give the bars that a stop in ATR is measured on the specs of the data."""
    inputs = dict(rules.inputs)
    for latch in latches(rules):
        if not (uses_atr(latch.do) or uses_atr(latch.fallback)):
            continue
        for key in ("high", "low", "close"):
            if key in carried:
                inputs.setdefault(key, _merged(input_of(rules, "", key), carried[key]))
            else:
                message = f"the data has no column for '{key}', which ATR needs"
                found.error("RG501", latch.span, message, "write the stop as a percentage")
    return replace(rules, inputs=inputs)


def _specified(
    rules: RuleSet, lines: list[Compare], carried: Mapping[str, Input], found: Findings
) -> RuleSet:
    """Give every input read the spec of the data, but for what the file itself says of it."""
    inputs = dict(rules.inputs)
    for leaf in lines:
        for series in series_of(leaf):
            key = key_of(series)
            said = input_of(rules, series.symbol, series.name)
            data = carried.get(key)
            if data is None:
                inputs[key] = replace(said, carried=carries(carried, key))
                continue
            inputs[key] = _merged(said, data)
            if inputs[key].spec.dimension != series.dimension:
                given, read = WORDS[inputs[key].spec.dimension], WORDS[series.dimension]
                message = f"the data gives '{key}' as {given}, this line reads it as {read}"
                fix = f'say so under "inputs:": {key}: {{unit: {data.spec.unit}}}'
                found.error("RG305", series.span, message, fix)
        _summed(leaf, inputs, found)
    return replace(rules, inputs=inputs)


def _merged(said: Input, data: Input) -> Input:
    kept = set(said.declared)
    spec = {
        name: getattr(said.spec, name)
        for name in ("unit", "kind", "max_age", "signed", "column")
        if name in kept
    }
    feed = {
        name: getattr(said, name)
        for name in ("source", "available_after", "stamp", "scale", "coverage")
        if name in kept
    }
    merged = replace(data, spec=replace(data.spec, **spec), carried=True, **feed)
    return replace(merged, name=said.name, span=said.span, declared=said.declared)


def _summed(leaf: Compare, inputs: Mapping[str, Input], found: Findings) -> None:
    """Refuse a sum over what the data declares to be no flow."""
    for side in (leaf.left, leaf.right):
        for value in values(side):
            if not (isinstance(value, Measured) and value.function in {"sum", "accel"}):
                continue
            series = value.of
            kind = inputs[key_of(series)].spec.kind if isinstance(series, SeriesValue) else "flow"
            if kind == "rolling":
                message = (
                    f"{value.of.text} is already a rolling total in this data: summing it counts "
                    "the same amounts many times"
                )
                found.error("RG411", value.span, message, "drop sum(), or use change()")
            elif kind != "flow":
                message = f"{value.function}() of {value.of.text}: this data gives it as a level"
                found.error("RG410", value.span, message, "use mean(), high() or low()")


class _Pruning:
    """Removes the lines that may be ignored, and what is left without a line by that."""

    def __init__(
        self, rules: RuleSet, missing: set[str], found: Findings, notes: list[str]
    ) -> None:
        self.rules, self.missing, self.found, self.notes = rules, missing, found, notes
        self.gone: dict[tuple[str, str], set[str]] = {}  # what is off, and for want of what
        self.without: set[str] = set()  # what the condition at hand lost

    def result(self) -> RuleSet:
        before = -1
        while before != len(self.gone):  # what is off may be read by others
            before = len(self.gone)
            self._sweep()
        define: dict[str, Condition] = {}
        for name, node in self.rules.define.items():
            part = self._pruned(node)
            if part is not None:
                define[name] = part
                self._reduced(name)
        stages = tuple(self._kept(stage) for stage in self.rules.stages if not self._off(stage))
        latches = tuple(self._kept(rule) for rule in self.rules.rules if not self._off(rule))
        return replace(self.rules, define=define, stages=stages, rules=latches)

    def _sweep(self) -> None:
        for name, node in self.rules.define.items():
            if self._pruned(node) is None:
                self.gone.setdefault(("definition", name), set(self.without))
        for latch in latches(self.rules):
            if self._pruned(trigger(latch)) is None:
                self.gone.setdefault((_kind(latch), latch.name), set(self.without))

    def _pruned(self, node: Condition, *, more: bool = False) -> Condition | None:
        if not more:
            self.without.clear()
        return rebuilt(node, self._leaf)

    def _leaf(self, leaf: Compare | Flag) -> Condition | None:
        if isinstance(leaf, Flag):
            return self._flag(leaf)
        lost = [key for series in series_of(leaf) if (key := key_of(series)) in self.missing]
        self.without.update(lost)
        return None if lost else leaf

    def _flag(self, flag: Flag) -> Condition | None:
        lost = self.gone.get((flag.kind, flag.name))
        if lost is None:
            return flag
        self.without.update(lost)
        if flag.kind != "definition" and flag.on_missing != "ignore":
            message = f"'{flag.name}' is off here but read at line {flag.span.line}"
            fix = '"on_missing: ignore" on this line too'
            self.found.error("RG605", flag.span, message, fix)
        return None

    def _reduced(self, name: str) -> None:
        if self.without:
            self.notes.append(f"{name} is reduced: {_lacking(self.without)}")

    def _off(self, latch: Rule | Stage) -> bool:
        if (_kind(latch), latch.name) not in self.gone:
            return False
        self._pruned(trigger(latch))
        self.notes.append(f"{title(latch)} is off: {_lacking(self.without)}")
        return True

    def _kept(self, latch: Latch) -> Latch:
        """Return a rule or stage without its lost lines, saying so."""
        fires = self._pruned(trigger(latch)) or trigger(latch)
        old = release(latch)
        frees = self._pruned(old, more=True) if old is not None else None
        if old is not None and frees is None:
            self._empty(old, "clear" if _kind(latch) == "rule" else "recover")
        again = latch.reentry
        if again is not None:
            condition = self._pruned(again.condition, more=True)
            if condition is None:
                self._empty(again.condition, "while")
            again = replace(again, condition=condition or again.condition)
        self._reduced(title(latch))
        return altered(latch, fires, frees, again)

    def _empty(self, node: Condition, what: str) -> None:
        first = next(leaves(node), None)
        place = first.span if first is not None else getattr(node, "span", Span())
        message = f'"{what}" would have no line left: {_lacking(self.without)}'
        fix = f'put a line that is known into "{what}"'
        self.found.error("RG511", place, message, fix)


def _kind(latch: Rule | Stage) -> str:
    return "rule" if isinstance(latch, Rule) else "stage"


def _lacking(keys: set[str]) -> str:
    return "the data has no " + (", ".join(f"'{key}'" for key in sorted(keys)) or "input for it")
