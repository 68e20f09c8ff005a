"""Inputs and parameters as a rule file declares them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.language.reading.scope import HOLDER
from riskguard.language.source import Mapping
from riskguard.language.writing.numerals import duration_text, number_text
from riskguard.language.writing.wording import block, word
from riskguard.market import CATALOGUE, SeriesSpec

if TYPE_CHECKING:
    from riskguard.language.ruleset import Input, Parameter
    from riskguard.language.source import Node

__all__ = ["input_block", "noted", "parameter_node"]


def noted(one: Input) -> bool:
    """Say whether an input was taken note of where a line reads it: no file declares it."""
    name = one.name
    if not HOLDER.fullmatch(name):
        return False
    return one.spec == CATALOGUE[f"holder.{name.rsplit('.', 1)[1]}"]


def input_block(one: Input, every: int | None) -> Mapping:
    """Return what a file says of an input: what differs from the catalogue."""
    known = CATALOGUE.get(one.name.split(".", 1)[1] if one.name[0].isupper() else one.name)
    base, spec = known or SeriesSpec("number", "level"), one.spec
    late = one.available_after
    return block(
        one.span,
        column=spec.column if spec.column != base.column else None,
        unit=spec.unit if known is None or spec.unit != base.unit else None,
        kind=spec.kind if spec.kind != base.kind else None,
        max_age=_time(spec.max_age, every) if spec.max_age != base.max_age else None,
        available_after=_time(late, every) if late else None,
        stamp=one.stamp or None,
        scale=number_text(one.scale, "plain") if one.scale != 1.0 else None,
        source=one.source or None,
        coverage=one.coverage or None,
        signed=_truth(spec.signed) if spec.signed != base.signed else None,
    )


def _time(length: int | None, every: int | None) -> str | None:
    return None if length is None else duration_text(length, every=every)


def _truth(value: bool) -> str:  # noqa: FBT001 - the value itself, no option
    return "true" if value else "false"


def parameter_node(one: Parameter, *, whole: bool = False) -> Node:
    """Return a parameter; a bare number where there is no more to say, unless it is `whole`."""
    value = None if one.value is None or one.by_source else number_text(one.value, one.dimension)
    sources = Mapping(
        tuple(
            (word(name, one.span), word(number_text(figure, one.dimension), one.span))
            for name, figure in one.by_source.items()
        ),
        one.span,
    )
    low, high = (
        None if bound is None else number_text(bound, one.dimension)
        for bound in (one.low, one.high)
    )
    found = block(
        one.span,
        value=value,
        by_source=sources if one.by_source else None,
        range=f"{low}..{high}" if low is not None and high is not None else None,
        step=None if one.step is None else number_text(one.step, one.dimension),
        help=one.help or None,
    )
    if len(found.items) == 1 and value is not None and not whole:
        return word(value, one.span)
    return found
