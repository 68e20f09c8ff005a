"""The option of every command that reads rules: which plug-ins its operator allows."""

from __future__ import annotations

import inspect
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["permitting"]

Allowed = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-plugin", metavar="NAME", help="Let rules use a plug-in; may be repeated."
    ),
]
NAME = "allow_plugin"


def permitting(command: Callable[..., Any]) -> Callable[..., Any]:
    """Return a command that takes `--allow-plugin` beside its own options."""

    @wraps(command)
    def permitted(*given: object, allow_plugin: list[str] | None = None, **named: object) -> object:
        if allow_plugin:
            from riskguard.plugins import allow

            allow(*allow_plugin)
        return command(*given, **named)

    own = inspect.signature(command, eval_str=True)
    option = inspect.Parameter(
        NAME, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Allowed
    )
    together = [*own.parameters.values(), option]
    permitted.__signature__ = own.replace(parameters=together)  # type: ignore[attr-defined]  # what Typer reads options from
    permitted.__annotations__ = {one.name: one.annotation for one in together}
    return permitted
