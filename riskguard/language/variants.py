"""What a symbol has of its own, as overrides of what the file says for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.language.clauses import Clauses
from riskguard.language.declaring import input_block, noted, parameter_node
from riskguard.language.floorforms import FloorForms
from riskguard.language.rewriting import conditions_of, latches, leaves, respelt
from riskguard.language.ruleset import ParameterValue, values
from riskguard.language.wording import block, named, row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from riskguard.language.ruleset import Condition, RuleSet
    from riskguard.language.source import Mapping, Node

__all__ = ["changes"]


def changes(rules: RuleSet, symbol: str, names: list[str]) -> Mapping:
    """Return the block of a symbol; `names` are the parameters that the file declares."""
    own = rules.per_symbol[symbol]
    found = dict(_declarations(rules, own, names))
    found |= dict(_conditions(rules, own, symbol, names))
    kept = {one.name for one in latches(own)}
    gone = [one.name for one in latches(rules) if one.name not in kept]
    return block(override=named(found), disable=row(gone) if gone else None)


def _declarations(rules: RuleSet, own: RuleSet, names: list[str]) -> Iterator[tuple[str, Node]]:
    for name, one in own.inputs.items():
        if not noted(one) and one != rules.inputs[name]:
            yield f"inputs.{name}", input_block(one, own.every)
    for name in names:
        if own.params[name] != rules.params[name]:
            yield f"params.{name}", parameter_node(own.params[name], whole=True)


def _conditions(
    rules: RuleSet, own: RuleSet, symbol: str, names: list[str]
) -> Iterator[tuple[str, Node]]:
    """Yield what is another condition than that of the file, read for the symbol."""
    clauses = Clauses(own, FloorForms(own, names))
    theirs = respelt(rules, symbol)
    known = {one.name: one for one in latches(theirs)}
    # floors that a long form makes are in no declaration: another one is another condition
    made = own.params.keys() - set(names)
    moved = {name for name in made if own.params[name] != rules.params.get(name)}
    # all are worded, in the order of reading: the first that reads a floor is who makes it
    for name, condition in own.define.items():
        node = clauses.definition(name)
        if condition != theirs.define[name] or moved & _read(condition):
            yield f"define.{name}", node
    for stage in own.stages:
        node = clauses.stage(stage, called=False)
        if stage != known[stage.name] or moved & _read(*conditions_of(stage)):
            yield f"stages.{stage.name}", node
    for rule in own.rules:
        node = clauses.rule(rule)
        if rule != known[rule.name] or moved & _read(*conditions_of(rule)):
            yield f"rules.{rule.name}", node


def _read(*conditions: Condition) -> set[str]:
    """Return the parameters that conditions name."""
    return {
        value.name
        for leaf in leaves(*conditions)
        for side in (leaf.left, leaf.right)
        for value in values(side)
        if isinstance(value, ParameterValue)
    }
