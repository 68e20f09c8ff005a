"""One folder for each trading framework; each imports its framework, nothing imports them.

What an adapter of your own is made of is handed out here, and loads when it is asked for:
`from riskguard.adapters import Memory, Order, enforce, exit_alone` (docs/adapters.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from riskguard.adapters.shared.desk import Desk, Offline
    from riskguard.adapters.shared.enforcing import enforce, enforce_async
    from riskguard.adapters.shared.frameworks import UntestedVersionWarning, framework
    from riskguard.adapters.shared.outcome import Enforced, Memory, Outstanding
    from riskguard.adapters.shared.starting import able, announce
    from riskguard.adapters.shared.symbols import Traded, spelled, traded
    from riskguard.adapters.shared.venue import AsyncVenue, Open, Order, Venue, client_id
    from riskguard.engine.gate import exit_alone

__all__ = [
    "AsyncVenue",
    "Desk",
    "Enforced",
    "Memory",
    "Offline",
    "Open",
    "Order",
    "Outstanding",
    "Traded",
    "UntestedVersionWarning",
    "Venue",
    "able",
    "announce",
    "client_id",
    "enforce",
    "enforce_async",
    "exit_alone",
    "framework",
    "spelled",
    "traded",
]

LATE = {
    "AsyncVenue": "adapters.shared.venue",
    "Desk": "adapters.shared.desk",
    "Enforced": "adapters.shared.outcome",
    "Memory": "adapters.shared.outcome",
    "Offline": "adapters.shared.desk",
    "Open": "adapters.shared.venue",
    "Order": "adapters.shared.venue",
    "Outstanding": "adapters.shared.outcome",
    "Traded": "adapters.shared.symbols",
    "UntestedVersionWarning": "adapters.shared.frameworks",
    "Venue": "adapters.shared.venue",
    "able": "adapters.shared.starting",
    "announce": "adapters.shared.starting",
    "client_id": "adapters.shared.venue",
    "enforce": "adapters.shared.enforcing",
    "enforce_async": "adapters.shared.enforcing",
    "exit_alone": "engine.gate",
    "framework": "adapters.shared.frameworks",
    "spelled": "adapters.shared.symbols",
    "traded": "adapters.shared.symbols",
}


def __getattr__(name: str) -> object:
    if name in LATE:
        from importlib import import_module  # noqa: PLC0415 - on first use

        return getattr(import_module(f"riskguard.{LATE[name]}"), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
