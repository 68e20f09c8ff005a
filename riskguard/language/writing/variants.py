"""What a symbol has of its own, as overrides of what the file says for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.language.rewriting import latches, respelt
from riskguard.language.writing.clauses import Clauses
from riskguard.language.writing.declaring import input_block, noted, parameter_node
from riskguard.language.writing.wording import block, named, row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from riskguard.language.ruleset import RuleSet
    from riskguard.language.source import Mapping, Node

__all__ = ["changes"]


def changes(rules: RuleSet, symbol: str) -> Mapping:
    """Return the block of a symbol under per_symbol."""
    own = rules.per_symbol[symbol]
    more = {
        name: parameter_node(one, whole=True)
        for name, one in own.params.items()
        if name not in rules.params
    }
    kept = {one.name for one in latches(own)}
    gone = [one.name for one in latches(rules) if one.name not in kept]
    return block(
        params=named(more),
        override=named(dict(_declarations(rules, own)) | dict(_conditions(rules, own, symbol))),
        disable=row(gone) if gone else None,
    )


def _declarations(rules: RuleSet, own: RuleSet) -> Iterator[tuple[str, Node]]:
    for name, one in own.inputs.items():
        if not noted(one) and one != rules.inputs[name]:
            yield f"inputs.{name}", input_block(one, own.every)
    for name, parameter in own.params.items():
        if parameter != rules.params.get(name, parameter):
            yield f"params.{name}", parameter_node(parameter, whole=True)


def _conditions(rules: RuleSet, own: RuleSet, symbol: str) -> Iterator[tuple[str, Node]]:
    """Yield what is another than the file's, as that reads for the symbol."""
    clauses, theirs = Clauses(own), respelt(rules, symbol)
    for name, condition in own.define.items():
        if condition != theirs.define[name]:
            yield f"define.{name}", clauses.definition(name)
    stages = {one.name: one for one in theirs.stages}
    for stage in own.stages:
        if stage != stages[stage.name]:
            yield f"stages.{stage.name}", clauses.stage(stage, called=False)
    known = {one.name: one for one in theirs.rules}
    for rule in own.rules:
        if rule != known[rule.name]:
            yield f"rules.{rule.name}", clauses.rule(rule)
