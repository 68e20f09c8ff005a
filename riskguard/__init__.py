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
    from riskguard.language.reader import load_rules

__all__ = [
    "Action",
    "AdapterError",
    "DataError",
    "Decision",
    "Diagnostic",
    "Guard",
    "Instrument",
    "Intent",
    "Pending",
    "Reading",
    "Reason",
    "RiskguardError",
    "RuleError",
    "RuleSet",
    "Sample",
    "State",
    "StateError",
    "StateInUseError",
    "Verdict",
    "__version__",
    "load_rules",
]


def __getattr__(name: str) -> object:
    # PyYAML is loaded when a rule file is, not when a bot imports its guard
    if name == "load_rules":
        from riskguard.language.reader import load_rules  # noqa: PLC0415 - on first use

        return load_rules
    msg = f"module 'riskguard' has no attribute {name!r}"
    raise AttributeError(msg)
