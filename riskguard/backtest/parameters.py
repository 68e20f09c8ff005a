"""What the parameters of a strategy may be; asked before a run, told in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.errors import AdapterError

if TYPE_CHECKING:
    import backtrader as bt

__all__ = ["require", "require_count", "require_share"]


def require(strategy: bt.Strategy, name: str, *, allowed: bool, what: str) -> None:
    """Raise AdapterError with what a parameter is and `what` it may be, unless it is allowed."""
    if not allowed:
        value = getattr(strategy.p, name)
        raise AdapterError(f"{type(strategy).__name__}: {name}={value}; write {what}")


def require_count(strategy: bt.Strategy, *names: str) -> None:
    """Require whole numbers from 1 up."""
    for name in names:
        value = getattr(strategy.p, name)
        whole = isinstance(value, int) and not isinstance(value, bool)
        require(strategy, name, allowed=whole and value >= 1, what="a whole number, 1 or more")


def require_share(strategy: bt.Strategy, *names: str) -> None:
    """Require shares above 0, at most 1."""
    for name in names:
        value = getattr(strategy.p, name)
        require(strategy, name, allowed=0 < value <= 1, what="a share above 0, at most 1")
