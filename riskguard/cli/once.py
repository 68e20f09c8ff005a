"""A command that takes an option once, unless it may be repeated.

The last of two would win without a word: `riskguard halt --state A --state B` halts one bot.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from typer.core import TyperCommand

from riskguard.cli.failures import WrongUse

__all__ = ["Once"]


class Once(TyperCommand):
    """A command of ours."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - Typer has its own class of it or that of Click, by version
        """Read the arguments; an option with one value that is given twice is refused."""
        if not ctx.resilient_parsing:  # of a shell that completes what is not whole yet
            *_, given = self.make_parser(ctx).parse_args(args=list(args))
            twice = [one for one, count in Counter(given).items() if count > 1 and _single(one)]
            if twice:
                fix = "it takes one value: leave the others out"
                raise WrongUse(f"{twice[0].opts[0]} is given more than once", fix)
        return super().parse_args(ctx, args)


def _single(param: Any) -> bool:  # noqa: ANN401 - as above
    """Say whether a parameter is an option with one value; a flag means the same twice."""
    if param.param_type_name != "option":
        return False
    return not (param.multiple or param.is_flag or param.count)
