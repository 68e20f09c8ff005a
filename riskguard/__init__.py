"""riskguard: write exit rules once, in YAML; test them on every crash; let any bot obey them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard._version import VERSION as __version__  # noqa: N811 - the name Python gives it
from riskguard.engine.decision import Decision, Reading, State
from riskguard.engine.guard import Guard
from riskguard.engine.orders import Action, Intent, Pending, Reason, Verdict
from riskguard.errors import (
    AdapterError,
    DataError,
    Diagnostic,
    RiskguardError,
    RuleError,
    StateError,
    StateInUseError,
)
from riskguard.language.ruleset import RuleSet
from riskguard.market import Instrument, Sample

if TYPE_CHECKING:
    from riskguard.engine.events import Event
    from riskguard.engine.intake import Intake
    from riskguard.language.reader import load_rules
    from riskguard.live.rules import Fit
    from riskguard.live.session import Session

__all__ = [
    "Action",
    "AdapterError",
    "DataError",
    "Decision",
    "Diagnostic",
    "Event",
    "Fit",
    "Guard",
    "Instrument",
    "Intake",
    "Intent",
    "Pending",
    "Reading",
    "Reason",
    "RiskguardError",
    "RuleError",
    "RuleSet",
    "Sample",
    "Session",
    "State",
    "StateError",
    "StateInUseError",
    "Verdict",
    "__version__",
    "load_rules",
]


# PyYAML is loaded when a rule file is, SQLite with a live session: a bot imports neither
LATE = {
    "Event": "engine.events",
    "Fit": "live.rules",
    "Intake": "engine.intake",
    "Session": "live.session",
    "load_rules": "language.reader",
}


def __getattr__(name: str) -> object:
    if name in LATE:
        from importlib import import_module  # noqa: PLC0415 - on first use

        return getattr(import_module(f"riskguard.{LATE[name]}"), name)
    msg = f"module 'riskguard' has no attribute {name!r}"
    raise AttributeError(msg)
