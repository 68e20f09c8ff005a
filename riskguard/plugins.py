"""Plug-ins: code of others, found by its entry points.

Nothing of it is imported before a rule file, a bot or a command names it **and** the operator
allows that name: by `allow`, `--allow-plugin NAME` or RISKGUARD_PLUGINS=NAME. A rule file can
name a plug-in; it can neither allow one nor name a module.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from contextvars import ContextVar
from difflib import get_close_matches
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from riskguard.errors import RECEIVED, RiskguardError, foreign

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from importlib.metadata import EntryPoint

__all__ = [
    "ALLOWED",
    "API",
    "PluginError",
    "action",
    "allow",
    "allowed",
    "allowing",
    "each",
    "load",
    "permit",
    "said",
]

API = (1, 0)
NAME = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)
ALLOWED = "RISKGUARD_PLUGINS"  # names that the operator allows, with commas between

_ALLOWED: ContextVar[frozenset[str]] = ContextVar("allowed", default=frozenset())
_FOR_ALL: set[str] = set()  # threads and tasks begin with a context of their own


class PluginError(RiskguardError):
    """A plug-in cannot be used; `code` is that of the finding in a rule file."""

    def __init__(self, code: str, message: str, fix: str) -> None:
        self.code, self.message, self.fix = code, message, fix
        super().__init__(message + (f"\n  = help: {fix}" if fix else ""))


def allow(*names: str) -> None:
    """Allow plug-ins in this process, in the name of its operator."""
    _FOR_ALL.update(names)


def permit(plugins: Iterable[str]) -> None:
    """Allow what the `plugins` of a bot's door names: one name, or several."""
    allow(*each(plugins))


def each(names: Iterable[str]) -> frozenset[str]:
    """Return names; a text is one name, not its letters."""
    return frozenset({names} if isinstance(names, str) else names)


@contextmanager
def allowing(names: Iterable[str]) -> Iterator[None]:
    """Allow plug-ins for what is read inside."""
    before = _ALLOWED.set(_ALLOWED.get() | each(names))
    try:
        yield
    finally:
        _ALLOWED.reset(before)


def allowed() -> frozenset[str]:
    """Return the names that the operator allows here and now."""
    written = (one.strip() for one in os.environ.get(ALLOWED, "").split(","))
    return _ALLOWED.get() | _FOR_ALL | frozenset(one for one in written if one)


def load(kind: str, name: str) -> tuple[Any, str]:
    """Return what a plug-in offers, and the distribution and version it comes from.

    Kinds are `measures`, `actions`, `feeds`, `adapters`: entry points `riskguard.measures`, ...

    Raises:
        PluginError: it is not installed, not allowed, offered twice, does not load, or was
            written for another interface.
    """
    point = _only(kind, name)
    whose = _whose(point)
    try:
        offered = point.load()
        api = getattr(offered, "api", None)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # code of others may leave in any way, by sys.exit too
        message = f"plug-in '{name}' of {whose} does not load: {said(error)}"
        raise PluginError("RG609", message, f"install it anew, or ask who wrote {whose}") from error
    _fits(api, f"plug-in '{name}' of {whose}")
    return offered, whose


def action(name: str) -> tuple[Any, str]:
    """Return the class of an action, as `load` does.

    Raises:
        PluginError: as for `load`, or it has no method `act`.
    """
    offered, whose = load("actions", name)
    try:
        fit = callable(getattr(offered, "act", None))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # an attribute may be code of others
        message = f"plug-in '{name}' of {whose} has no method act(): {said(error)}"
        raise PluginError("RG609", message, f"tell who wrote {whose}") from error
    if not fit or not callable(offered):
        message = f"plug-in '{name}' of {whose} has no method act()"
        raise PluginError("RG609", message, f"tell who wrote {whose}")
    return offered, whose


def said(error: BaseException) -> str:
    """Return what an error of a plug-in says, however it says it."""
    try:
        told = f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001 - its text is code of the plug-in too
        told = type(error).__name__
    return foreign(told)


def _points(kind: str) -> list[EntryPoint]:
    return [one for one in entry_points(group=f"riskguard.{kind}") if NAME.fullmatch(one.name)]


def _only(kind: str, name: str) -> EntryPoint:
    """Return the one entry point of an allowed name."""
    points = _points(kind)
    found = [one for one in points if one.name == name]
    if not found:
        known = sorted({one.name for one in points})
        close = get_close_matches(name[:RECEIVED], known, 1)
        fix = f"installed: {', '.join(known)}" if known else "none is installed"
        fix = f"did you mean '{close[0]}'?" if close else fix
        raise PluginError("RG607", f"no plug-in '{name}' is installed", fix)
    if name not in allowed():
        fix = f"the operator says --allow-plugin {name}, or sets {ALLOWED}={name}"
        raise PluginError("RG608", f"plug-in '{name}' is not allowed here", fix)
    if len(found) > 1:
        message = f"plug-in '{name}' is offered by {' and '.join(sorted(map(_whose, found)))}"
        raise PluginError("RG609", message, "uninstall one of them")
    return found[0]


def _whose(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown distribution"


def _fits(api: object, which: str) -> None:
    ours = ".".join(map(str, API))
    match api:
        case (int() as major, int() as minor) if type(major) is type(minor) is int:
            if major == API[0] and 0 <= minor <= API[1]:
                return
            message = f"{which} wants interface {major}.{minor}, this riskguard has {ours}"
            fix = (
                "install a riskguard as new as that"
                if (major, minor) > API
                else "install a newer one"
            )
            raise PluginError("RG609", message, fix)
    message = f"{which} does not say which interface it was written for"
    raise PluginError("RG609", message, f"its class has the line: api = {API}")
