"""Which condition reads which: circles are refused, and what is nested too deep to follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.language.rewriting import conditions_of
from riskguard.language.ruleset import Flag, Span, parts, walk

if TYPE_CHECKING:
    from collections.abc import Iterable

    from riskguard.language.reading.scope import Scope
    from riskguard.language.ruleset import Condition, RuleSet

__all__ = ["circles"]

LADDER = "stage"
# levels of conditions, those they read counted in; the core looks through them by recursion
DEEPEST = 150


def circles(rules: RuleSet, scope: Scope) -> None:
    """Note what reads itself, however indirectly, and conditions that stand too deep."""
    trees = _trees(rules)
    graph = {name: _read(conditions) for name, conditions in trees.items()}
    done: dict[str, None] = {}
    for name in graph:
        _follow(name, graph, done, scope)
    if not scope.findings.failed:
        _deep(trees, done, scope)


def _trees(rules: RuleSet) -> dict[str, list[Condition]]:
    trees = {name: [node] for name, node in rules.define.items()}
    for rule in rules.rules:
        trees[rule.name] = conditions_of(rule)
    trees[LADDER] = [node for stage in rules.stages for node in conditions_of(stage)]
    return trees


def _read(conditions: list[Condition]) -> list[str]:
    nodes = (node for condition in conditions for node in walk(condition))
    return [_name(node) for node in nodes if isinstance(node, Flag)]


def _name(flag: Flag) -> str:
    return LADDER if flag.kind == "stage" else flag.name


def _deep(trees: dict[str, list[Condition]], order: Iterable[str], scope: Scope) -> None:
    """Count levels, what is read before what reads it."""
    levels: dict[str, int] = {}

    def count(node: Condition) -> int:
        if isinstance(node, Flag):
            return 1 + levels.get(_name(node), 0)
        return 1 + max((count(part) for part in parts(node)), default=0)

    for name in order:
        levels[name] = max((count(node) for node in trees[name]), default=0)
        if levels[name] > DEEPEST:
            place = scope.definitions.get(name) or scope.rules.get(name)
            message = f"'{name}' is nested too deep: more than {DEEPEST} levels of conditions"
            fix = "let it stand on inputs, or on fewer definitions and rules"
            scope.findings.error("RG002", place or Span(), message, fix)
            return


def _follow(start: str, graph: dict[str, list[str]], done: dict[str, None], scope: Scope) -> None:
    """Walk from one name; no recursion, since a chain may be as long as a file."""
    path: dict[str, None] = {}
    ahead = [iter([start])]
    while ahead:
        name = next(ahead[-1], None)
        if name is None:
            ahead.pop()
            if path:
                done[path.popitem()[0]] = None
        elif name in path:
            way = list(path)
            circle = way[way.index(name) :]
            _note(circle, scope)
            done.update(dict.fromkeys(circle))
        elif name not in done and name in graph:
            path[name] = None
            ahead.append(iter(graph[name]))


def _note(circle: list[str], scope: Scope) -> None:
    first = circle[0]
    way = " -> ".join([*circle, first])
    fix = "let one of them stand on inputs alone"
    definitions = all(name in scope.definitions for name in circle)
    if definitions:
        place = scope.definitions[first]
        message = f"definition '{first}' refers to itself: {way}"
        scope.findings.error("RG208", place, message, fix)
        return
    owner = next((name for name in circle if name in scope.rules), "")
    if owner:
        place, message = scope.rules[owner], f"rule '{owner}' refers to itself"
    else:
        place = next(iter(scope.stages.values()), Span())
        message = "the ladder of stages refers to itself"
    message += f": {way}" if len(circle) > 1 else ""
    scope.findings.error("RG209", place, message, fix)
