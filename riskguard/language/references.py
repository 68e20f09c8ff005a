"""Which condition reads which: circles are refused, whatever their length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.language.ruleset import Flag, Span, walk

if TYPE_CHECKING:
    from collections.abc import Iterable

    from riskguard.language.ruleset import Condition, RuleSet
    from riskguard.language.scope import Scope

__all__ = ["circles"]

LADDER = "stage"


def circles(rules: RuleSet, scope: Scope) -> None:
    """Note every definition, rule or stage whose condition reads itself, however indirectly."""
    graph = _graph(rules)
    done: set[str] = set()
    for name in graph:
        _follow(name, graph, done, scope)


def _graph(rules: RuleSet) -> dict[str, list[str]]:
    graph = {name: _read(node) for name, node in rules.define.items()}
    for rule in rules.rules:
        again = rule.reentry.condition if rule.reentry else None
        graph[rule.name] = _read(rule.when, rule.clear, again)
    ladder: list[str] = []
    for stage in rules.stages:
        again = stage.reentry.condition if stage.reentry else None
        ladder += _read(stage.enter, stage.recover, again)
    graph[LADDER] = ladder
    return graph


def _read(*conditions: Condition | None) -> list[str]:
    nodes: Iterable[Condition] = (
        node for condition in conditions if condition is not None for node in walk(condition)
    )
    return [
        LADDER if node.kind == "stage" else node.name for node in nodes if isinstance(node, Flag)
    ]


def _follow(start: str, graph: dict[str, list[str]], done: set[str], scope: Scope) -> None:
    """Walk from one name; no recursion, since a chain may be as long as a file."""
    path: list[str] = []
    ahead = [iter([start])]
    while ahead:
        name = next(ahead[-1], None)
        if name is None:
            ahead.pop()
            if path:
                done.add(path.pop())
        elif name in path:
            circle = path[path.index(name) :]
            _note(circle, scope)
            done.update(circle)
        elif name not in done and name in graph:
            path.append(name)
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
