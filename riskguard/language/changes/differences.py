"""What two rule sets mean differently: every change by its address, and whether it protects less.

Texts, places, the order of rules and the way in which a condition is written are no meaning.
Each change is judged by itself, as if it were the only one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from riskguard.language.changes.latchchanges import Difference, LatchChanges, blocks, moves, rows
from riskguard.language.changes.relations import Relations
from riskguard.language.changes.strictness import DIFFERENT, LOOSER, STRICTER, asks, summed
from riskguard.language.rewriting import latches, respelt, title
from riskguard.language.ruleset import Rule
from riskguard.language.writing.clauses import Clauses
from riskguard.language.writing.declaring import input_block, noted
from riskguard.language.writing.numerals import duration_text, number_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from riskguard.language.ruleset import Input, Parameter, RuleSet, Stage

__all__ = ["differences"]


def differences(before: RuleSet, after: RuleSet) -> list[Difference]:
    """Return what has changed from one rule set to another, in the order of a file.

    >>> from riskguard.language.reader import load_rules
    >>> rules = load_rules("rules/feb-2026.yaml")
    >>> slower = load_rules("rules/feb-2026.yaml", settings={"support_2": "69_000"})
    >>> for one in differences(rules, slower):
    ...     print(one.where, one.old, one.new, one.effect, one.says)
    params.support_2 70_000 69_000 looser fires later: stage out; clears sooner: stage out
    """
    found = [*_header(before, after), *_own(before, after)]
    shared = {(one.where, one.old, one.new) for one in found}
    return [*found, *_symbols(before, after, shared)]


def _own(before: RuleSet, after: RuleSet) -> Iterator[Difference]:
    """Yield the changes of what has a name."""
    known = replace(
        before,
        inputs={**after.inputs, **before.inputs},
        params={**after.params, **before.params},
        define={**after.define, **before.define},
    )
    changed = _Named(before, after, known)
    yield from _inputs(before, after)
    yield from changed.params()
    yield from changed.definitions()
    yield from changed.stages()
    yield from changed.rules()


# ---------------------------------------------------------------- the head of a file


def _header(before: RuleSet, after: RuleSet) -> Iterator[Difference]:
    for key, text in HEAD.items():
        old, new = getattr(before, key), getattr(after, key)
        if old != new:
            yield Difference(key, text(old), text(new), _head_effect(key, before, after))


def _listed(names: tuple[str, ...] | str) -> str:
    return names if isinstance(names, str) else f"[{', '.join(names)}]"


HEAD: Mapping[str, Callable[[Any], str]] = {
    "symbol": str,
    "symbols": _listed,
    "guards": _listed,
    "every": lambda every: "" if every is None else duration_text(every),
    "evaluate": str,
    "timezone": str,
    "blind": str,
}


def _head_effect(key: str, before: RuleSet, after: RuleSet) -> str:
    if key == "blind":
        return LOOSER if after.blind == "ignore" else STRICTER
    if key != "guards" or before.symbol != after.symbol:
        return DIFFERENT
    old, new = _guards(before), _guards(after)
    if old is None or new is None:
        return DIFFERENT if old == new else LOOSER if old is None else STRICTER
    return LOOSER if new < old else STRICTER if old < new else DIFFERENT


def _guards(rules: RuleSet) -> set[str] | None:
    """Return whose orders are guarded, None for all."""
    if isinstance(rules.guards, str):
        return None if rules.guards == "all" else {rules.symbol}
    return set(rules.guards)


def _inputs(before: RuleSet, after: RuleSet) -> Iterator[Difference]:
    for name in dict.fromkeys([*before.inputs, *after.inputs]):
        old, new = (_declared(rules, name) for rules in (before, after))
        if old != new:
            was = [] if old is None else rows(name, input_block(old, before.every))
            now = [] if new is None else rows(name, input_block(new, after.every))
            yield blocks(f"inputs.{name}", was, now, DIFFERENT)


def _declared(rules: RuleSet, name: str) -> Input | None:
    found = rules.inputs.get(name)
    return None if found is None or noted(found) else found


# ---------------------------------------------------------------- what has a name


class _Named:
    """Compares parameters, definitions, stages and rules by their names."""

    def __init__(self, before: RuleSet, after: RuleSet, known: RuleSet) -> None:
        self.before, self.after, self.known = before, after, known
        self.latches = LatchChanges(before, after, known)

    def params(self) -> Iterator[Difference]:
        for name in dict.fromkeys([*self.before.params, *self.after.params]):
            old, new = self.before.params.get(name), self.after.params.get(name)
            if old is None or new is None:
                yield Difference(f"params.{name}", _figure(old), _figure(new), "")
                continue
            if _figure(old) != _figure(new):
                moved = replace(self.known, params={**self.known.params, name: new})
                found, words = self._moved(moved)
                yield Difference(f"params.{name}", _figure(old), _figure(new), found, words)
            for key, text in (("range", _range), ("step", _step)):
                if text(old) != text(new):
                    yield Difference(f"params.{name}.{key}", text(old), text(new), "")

    def definitions(self) -> Iterator[Difference]:
        """Yield definitions by which something fires or clears at other times."""
        for name in self.before.define:
            old, new = self.before.define[name], self.after.define.get(name)
            if new is None or old == new:
                continue
            moved = replace(self.known, define={**self.known.define, name: new})
            found, words = self._moved(moved)
            if found:
                was = rows(name, Clauses(self.before, figures=True).definition(name))
                now = rows(name, Clauses(self.after, figures=True).definition(name))
                yield blocks(f"define.{name}", was, now, found, words)

    def _moved(self, after: RuleSet) -> tuple[str, str]:
        """Return what the rules of either file do otherwise with names as after a change."""
        relations = Relations(self.known, after)
        effects: list[str] = []
        who: dict[str, dict[str, None]] = {}
        for latch in (*latches(self.before), *latches(self.after)):
            for found, words in moves(latch, relations):
                effects.append(found)
                who.setdefault(words, {})[title(latch)] = None
        return summed(effects), "; ".join(f"{words}: {', '.join(of)}" for words, of in who.items())

    def stages(self) -> Iterator[Difference]:
        """Yield stages that are new, gone, changed, or in another order."""
        old = {one.name: one for one in self.before.stages}
        new = {one.name: one for one in self.after.stages}
        yield from self._latches("stages", old, new)
        order = [name for name in old if name in new], [name for name in new if name in old]
        if order[0] != order[1]:
            was, now = (", ".join(names) for names in order)
            yield Difference("stages", was, now, DIFFERENT)

    def rules(self) -> Iterator[Difference]:
        """Yield rules that are new, gone or changed; their order means nothing."""
        old = {one.name: one for one in self.before.rules}
        new = {one.name: one for one in self.after.rules}
        yield from self._latches("rules", old, new)

    def _latches(
        self, section: str, old: Mapping[str, Rule | Stage], new: Mapping[str, Rule | Stage]
    ) -> Iterator[Difference]:
        for name in dict.fromkeys([*old, *new]):
            where = f"{section}.{name}"
            if name in old and name in new:
                yield from self.latches.of(where, old[name], new[name])
            elif name in old:
                found = LOOSER if asks(old[name].do) else DIFFERENT
                yield blocks(where, _block(self.before, old[name]), [], found, "removed")
            else:
                found = STRICTER if asks(new[name].do) else DIFFERENT
                yield blocks(where, [], _block(self.after, new[name]), found, "added")


def _block(rules: RuleSet, latch: Rule | Stage) -> list[str]:
    clauses = Clauses(rules, figures=True)
    return rows(
        latch.name, clauses.rule(latch) if isinstance(latch, Rule) else clauses.stage(latch)
    )


def _figure(one: Parameter | None) -> str:
    """Return the number of a parameter, or those of each source."""
    if one is None:
        return ""
    if one.by_source:
        figures = ((name, number_text(of, one.dimension)) for name, of in one.by_source.items())
        return ", ".join(f"{name}: {text}" for name, text in figures)
    return "" if one.value is None else number_text(one.value, one.dimension)


def _range(one: Parameter) -> str:
    if one.low is None or one.high is None:
        return ""
    return "..".join(number_text(bound, one.dimension) for bound in (one.low, one.high))


def _step(one: Parameter) -> str:
    return "" if one.step is None else number_text(one.step, one.dimension)


# ---------------------------------------------------------------- symbols


def _symbols(
    before: RuleSet, after: RuleSet, shared: set[tuple[str, str, str]]
) -> Iterator[Difference]:
    """Yield what has changed for one symbol and not for all."""
    for symbol in dict.fromkeys([*before.per_symbol, *after.per_symbol]):
        where = f"per_symbol.{symbol}"
        old, new = (_rules_of(rules, symbol) for rules in (before, after))
        if old is not None and new is not None:
            for one in _own(old, new):
                if (one.where, one.old, one.new) not in shared:
                    yield replace(one, where=f"{where}.{one.where}")
            continue
        was, now = (_whose(rules, symbol) for rules in (before, after))
        guarded = before.guarded(symbol), after.guarded(symbol)
        found = DIFFERENT if all(guarded) else STRICTER if guarded[1] else LOOSER
        yield Difference(where, was, now, found)


def _rules_of(rules: RuleSet, symbol: str) -> RuleSet | None:
    """Return the rules that read the data of a symbol, None where there are none."""
    if symbol in rules.per_symbol:
        return rules.per_symbol[symbol]
    return None if rules.symbol else respelt(rules, symbol)


def _whose(rules: RuleSet, symbol: str) -> str:
    if symbol in rules.per_symbol:
        return "rules of its own"
    return f"the rules of {rules.symbol}" if rules.guarded(symbol) else ""
