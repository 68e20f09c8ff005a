"""The order of rules, and rules written twice, change no decision."""

from __future__ import annotations

import random
from dataclasses import replace

from riskguard.engine.decision import Decision
from riskguard.engine.guard import Guard
from riskguard.language.ruleset import Rule, RuleSet
from riskguard.market import Sample
from tests.counts import counts
from tests.history.test_columns import Draw

COPY = "_copy"


def shuffled(rules: RuleSet, pick: random.Random) -> RuleSet:
    return replace(rules, rules=tuple(pick.sample(rules.rules, len(rules.rules))))


def doubled(rules: RuleSet, pick: random.Random) -> RuleSet:
    """Return the rules, each with its like under another name, in any order."""
    both: list[Rule] = [*rules.rules, *(replace(r, name=r.name + COPY) for r in rules.rules)]
    return replace(rules, rules=tuple(pick.sample(both, len(both))))


def decisions(rules: RuleSet, samples: list[Sample]) -> list[Decision]:
    guard = Guard(rules)
    return [replace(guard.update(sample), rules="") for sample in samples]


def plain(decision: Decision) -> Decision:
    """Return a decision with rules written once, and what is told of it in one order."""
    winners = {
        field: tuple(dict.fromkeys(name.replace(COPY, "") for name in names))
        for field, names in decision.winners.items()
    }
    active = tuple(sorted({name.replace(COPY, "") for name in decision.active}))
    reasons = {replace(one, rule=one.rule.replace(COPY, "")) for one in decision.reasons}
    told = tuple(sorted(reasons, key=repr)), tuple(sorted(decision.priming))
    return replace(decision, winners=winners, active=active, reasons=told[0], priming=told[1])


@counts(20, 1_000)
def test_shuffled_and_doubled_rules_make_the_same_decisions(count: int, measured):
    made = 0
    for seed in range(count):
        draw = Draw(seed)
        rules, (samples, _) = draw.rules(), draw.history(80)
        first = decisions(rules, samples)
        for change in (shuffled, doubled):
            again = decisions(change(rules, draw.random), samples)
            for one, other in zip(first, again, strict=True):
                assert plain(other) == plain(one), (seed, change)
        made += len(first)
    measured(f"{count:,} rule sets shuffled and doubled: {made:,} decisions, all the same")
