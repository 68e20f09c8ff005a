"""An adapter by its name: one of ours, or a plug-in that the operator allows."""

from __future__ import annotations

import importlib
from typing import Any

from riskguard.errors import AdapterError
from riskguard.plugins import load

__all__ = ["SHIPPED", "adapter"]

SHIPPED = (
    "backtesting", "backtrader", "ccxt", "freqtrade", "hummingbot", "jesse", "nautilus", "vectorbt",
)  # fmt: skip
SAID = ("NAME", "TESTED", "CAPABILITIES")


def adapter(name: str) -> Any:  # noqa: ANN401 - each has the doors of its framework
    """Return an adapter: a module of `riskguard.adapters`, or what a plug-in offers.

    A plug-in never stands in the place of one of ours. It says NAME, TESTED and CAPABILITIES as
    ours do, and passes `riskguard.testing.AdapterContract`: that is for its author to show.

    Raises:
        PluginError: there is none of that name, or it is not allowed.
        AdapterError: it does not say what it can do.
    """
    if name in SHIPPED:
        return importlib.import_module(f"riskguard.adapters.{name}")
    offered, whose = load("adapters", name)
    missing = [one for one in SAID if not hasattr(offered, one)]
    if missing or not isinstance(offered.CAPABILITIES, frozenset):
        what = ", ".join(missing) or "CAPABILITIES as a frozenset"
        msg = f"adapter '{name}' of {whose} does not say {what}"
        raise AdapterError(msg, help=f"tell who wrote {whose}")
    return offered
