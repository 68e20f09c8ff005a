"""Dollar floors from what was recorded: what a measure exceeded in one sample of twenty."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from riskguard.history.verifying.subject import subject_of
from riskguard.language.rewriting import deciding, key_of, leaves, series_of
from riskguard.language.ruleset import ParameterValue, input_of, values
from riskguard.language.writing.numerals import number_text
from riskguard.market import DAY, time_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from riskguard.history.history import History
    from riskguard.history.verifying.subject import Subject
    from riskguard.language.ruleset import Compare, Parameter, RuleSet

__all__ = ["Floor", "floors"]

SHARE = 0.05  # of the samples lie above a floor
LEAST = 7 * DAY
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Floor:
    """What is proposed for one parameter and one source; `figure` is "" where nothing is: `why`.

    `first` and `last` (ns) are the samples that `measure` was known at, `samples` how many.
    """

    parameter: str
    source: str
    measure: str
    figure: str = ""
    why: str = ""
    samples: int = 0
    first: int = 0
    last: int = 0
    coverage: str = ""


def floors(ruleset: RuleSet, history: History) -> list[Floor]:
    """Propose a figure for each parameter of `ruleset` that is written `by_source`.

    Raises:
        RuleError: the rules do not fit the data.
        DataError: there is nothing they could be decided on.
    """
    subject = subject_of(_settled(ruleset, history), history)
    found: dict[tuple[str, str], Floor] = {}
    for leaf in leaves(*deciding(subject.ruleset)):
        for used in _floors_of(leaf, subject.ruleset):
            found.setdefault((used.name, leaf.left.text), _proposed(leaf, used, subject))
    return list(found.values())


def _settled(ruleset: RuleSet, history: History) -> RuleSet:
    """Return the rules with some figure for each source of the data: they bind, whichever it is."""
    sources = {one.source for one in history.inputs().values()}

    def settled(parameter: Parameter) -> Parameter:
        some = next(iter(parameter.by_source.values()))
        by_source = dict.fromkeys(sources - {OTHER}, some) | dict(parameter.by_source)
        written = dict.fromkeys(by_source, str(some)) | dict(parameter.written)
        return replace(parameter, by_source=by_source, written=written)

    params = {name: settled(one) if one.by_source else one for name, one in ruleset.params.items()}
    return replace(ruleset, params=params)


def _floors_of(leaf: Compare, ruleset: RuleSet) -> Iterator[ParameterValue]:
    for value in values(leaf.right):
        if isinstance(value, ParameterValue) and ruleset.params[value.name].by_source:
            yield value


def _proposed(leaf: Compare, used: ParameterValue, subject: Subject) -> Floor:
    read = {key_of(one): one for one in series_of(leaf)}
    given = next(iter(input_of(subject.ruleset, one.symbol, one.name) for one in read.values()))
    floor = Floor(used.name, given.source, leaf.left.text, coverage=given.coverage or "full")
    if leaf.op[0] != ">":
        return replace(floor, why="a line to fall below: choose it under the floor")
    measured = subject.whole().values[subject.plan.numbers[leaf.left]]
    known = np.flatnonzero(np.isfinite(measured))
    if not known.size:
        return replace(floor, why="it was never known")
    first, last = int(subject.now[known[0]]), int(subject.now[known[-1]])
    floor = replace(floor, samples=int(known.size), first=first, last=last)
    if last - first < LEAST:
        why = f"{time_text(last - first)} of data: 7d is the least"
        return replace(floor, why=why)
    above = float(np.quantile(measured[known], 1 - SHARE))
    if not above > 0:
        return replace(floor, why="it was zero in 95 % of the samples and more")
    dimension = subject.ruleset.params[used.name].dimension
    return replace(floor, figure=number_text(float(f"{above:.2g}"), dimension))
