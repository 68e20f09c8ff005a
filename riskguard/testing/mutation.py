"""What tests prove: each line is changed four ways, and some case should notice each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from riskguard.language.ruleset import Arithmetic, Compare, Constant, For, ParameterValue
from riskguard.testing.cases import rules_for
from riskguard.testing.judging import kept
from riskguard.testing.lines import lines_of, with_line
from riskguard.testing.playing import Market
from riskguard.testing.traces import Traces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from riskguard.language.ruleset import Condition, RuleSet
    from riskguard.testing.cases import Cases
    from riskguard.testing.lines import Line

__all__ = ["Mutant", "Score", "fitted_as", "mutants", "mutate"]

TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "!=", "!=": "=="}
LESS, MORE = "threshold x 0.9", "threshold x 1.1"
ROUND, BARE = "comparison turned round", '"for" removed'
# a case in which a mutant changes the truth of its line at no bar need not be played again
CHANGES: Mapping[str, Callable[[Traces, Line], bool]] = {
    LESS: lambda traces, line: traces.crosses(line, 0.9),
    MORE: lambda traces, line: traces.crosses(line, 1.1),
    ROUND: lambda traces, line: bool(traces.seen(line) - {"U"}),
    BARE: lambda traces, line: traces.waits(line),
}


class Mutant(NamedTuple):
    """A line and what was done to it."""

    line: Line
    kind: str


@dataclass(frozen=True, slots=True)
class Score:
    """How many mutants the cases killed, and which survived."""

    killed: int
    survivors: tuple[Mutant, ...]

    @property
    def all(self) -> int:
        """How many there were."""
        return self.killed + len(self.survivors)

    @property
    def share(self) -> float:
        """The part that was killed, 1 where there was nothing to change."""
        return self.killed / self.all if self.all else 1.0


def mutants(rules: RuleSet) -> Iterator[tuple[Mutant, RuleSet]]:
    """Yield every mutant of a rule set and the rules it makes."""
    for line in lines_of(rules):
        leaf = _leaf(line.nodes[0])
        kinds: dict[str, Callable[[Compare | For], Condition]] = {ROUND: _turned}
        if not _zero(leaf, rules):
            kinds |= {LESS: _times(0.9), MORE: _times(1.1)}
        if isinstance(line.nodes[0], For):
            kinds[BARE] = _leaf
        for kind in (LESS, MORE, ROUND, BARE):
            if kind in kinds:
                yield Mutant(line, kind), with_line(rules, line, kinds[kind])


def mutate(cases: Cases, told: Callable[[int], None] | None = None) -> Score:
    """Return how many mutants the cases kill; `told` hears how many are done.

    The cases must all be kept by the rules as they are.
    """
    lines = lines_of(cases.ruleset)
    played = [Traces(Market(cases, case), lines) for case in cases.cases]
    killed, survivors = 0, []
    for number, (mutant, rules) in enumerate(mutants(cases.ruleset), 1):
        touched = [one for one in played if CHANGES[mutant.kind](one, mutant.line)]
        slayer = next((one for one in touched if not _survives(one.market, rules)), None)
        if slayer is None:
            survivors.append(mutant)
        else:
            killed += 1
            played.remove(slayer)  # the next one is likely to fall to the same case
            played.insert(0, slayer)
        if told is not None:
            told(number)
    return Score(killed, tuple(survivors))


def fitted_as(market: Market, mutated: RuleSet) -> RuleSet:
    """Return other rules as they hold in a case: its inputs and what its bot can do."""
    rules = rules_for(market.case.symbol, mutated)
    return replace(
        market.rules,
        define=rules.define,
        rules=tuple(
            replace(rule, do=able.do, fallback=None)
            for rule, able in zip(rules.rules, market.rules.rules, strict=True)
        ),
        stages=tuple(
            replace(stage, do=able.do, fallback=None)
            for stage, able in zip(rules.stages, market.rules.stages, strict=True)
        ),
    )


def _survives(market: Market, rules: RuleSet) -> bool:
    guard = market.guard(fitted_as(market, rules))
    return kept(market.case, market.decisions(guard), market.cases.every)


def _leaf(node: Condition) -> Compare:
    inner = node.of if isinstance(node, For) else node
    if not isinstance(inner, Compare):  # lines are comparisons: lines_of yields no other
        raise TypeError(type(inner))
    return inner


def _turned(node: Compare | For) -> Condition:
    leaf = _leaf(node)
    changed = replace(leaf, op=TURNED[leaf.op])
    return replace(node, of=changed) if isinstance(node, For) else changed


def _times(factor: float) -> Callable[[Compare | For], Condition]:
    def change(node: Compare | For) -> Condition:
        leaf = _leaf(node)
        by = Constant(factor, "number")
        right = Arithmetic("*", leaf.right, by, leaf.right.dimension)
        changed = replace(leaf, right=right)
        return replace(node, of=changed) if isinstance(node, For) else changed

    return change


def _zero(leaf: Compare, rules: RuleSet) -> bool:
    """Say whether a threshold is 0, which no factor moves."""
    right = leaf.right
    if isinstance(right, Constant):
        return right.value == 0
    return isinstance(right, ParameterValue) and rules.params[right.name].value == 0
