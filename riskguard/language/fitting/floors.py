"""Figures that hold for one source only: settled by the source of the series beside them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from riskguard.language.rewriting import deciding, key_of, leaves, series_of
from riskguard.language.ruleset import ParameterValue, input_of, values

if TYPE_CHECKING:
    from riskguard.language.findings import Findings
    from riskguard.language.ruleset import Compare, Parameter, RuleSet

__all__ = ["settle"]

OTHER = "other"


def settle(rules: RuleSet, found: Findings, notes: list[str]) -> RuleSet:
    """Return the rules with one value for every parameter that is written `by_source`."""
    uses: dict[str, tuple[str, ParameterValue]] = {}
    for leaf in leaves(*deciding(rules)):
        for used in _by_source(leaf, rules):
            for source in _sources(leaf, rules):
                first = uses.setdefault(used.name, (source, used))
                if first[0] != source:
                    message = (
                        f"'{used.name}' is compared with series of two sources, "
                        f"'{first[0]}' (line {first[1].span.line}) and '{source}'"
                    )
                    fix = "give each source a parameter of its own"
                    found.error("RG509", used.span, message, fix)
    params = dict(rules.params)
    for name, (source, used) in uses.items():
        value = _value(params[name], source, used, found, notes)
        if value is not None:
            params[name] = replace(params[name], value=value)
    return replace(rules, params=params)


def _by_source(leaf: Compare, rules: RuleSet) -> list[ParameterValue]:
    return [
        value
        for side in (leaf.left, leaf.right)
        for value in values(side)
        if isinstance(value, ParameterValue) and rules.params[value.name].by_source
    ]


def _sources(leaf: Compare, rules: RuleSet) -> list[str]:
    read = {key_of(series): series for series in series_of(leaf)}
    return sorted({input_of(rules, one.symbol, one.name).source for one in read.values()})


def _value(
    parameter: Parameter, source: str, used: ParameterValue, found: Findings, notes: list[str]
) -> float | None:
    if source in parameter.by_source and source != OTHER:
        return parameter.by_source[source]
    shown = f"source '{source}'" if source else "data that names no source"
    if OTHER in parameter.by_source:
        figure = parameter.written[OTHER]
        notes.append(f"{parameter.name}: no figure for {shown}, 'other' is used ({figure})")
        return parameter.by_source[OTHER]
    message = f"no floor for {shown}"
    fix = 'add it or "other:" under "by_source:"; riskguard data floors proposes a figure'
    found.error("RG509", used.span, message, fix)
    return None
