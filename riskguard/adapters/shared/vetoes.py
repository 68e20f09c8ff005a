"""What an adapter keeps of the orders it refused, and of what failed in it."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Fault", "Veto"]


class Veto(NamedTuple):
    """An order that was cut or refused: quantities asked and granted, and why."""

    ts: int
    symbol: str
    side: str
    asked: float
    granted: float
    reasons: tuple[str, ...]


class Fault(NamedTuple):
    """An exception inside the guard: until it works again entries are denied, exits allowed."""

    ts: int
    text: str
