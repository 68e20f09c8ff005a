"""Rule unit tests beside the rules, and the contracts that guards and adapters have to keep.

The contracts load when they are asked for: `from riskguard.testing import AdapterContract`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from riskguard.testing.kit.adapter import AdapterContract
    from riskguard.testing.kit.guard import GuardContract
    from riskguard.testing.kit.harness import Harness, NotSupported
    from riskguard.testing.kit.scripted import ScriptedGuard
    from riskguard.testing.kit.stepping import Stepper

__all__ = [
    "AdapterContract",
    "GuardContract",
    "Harness",
    "NotSupported",
    "ScriptedGuard",
    "Stepper",
]

LATE = {
    "AdapterContract": "adapter",
    "GuardContract": "guard",
    "Harness": "harness",
    "NotSupported": "harness",
    "ScriptedGuard": "scripted",
    "Stepper": "stepping",
}


def __getattr__(name: str) -> object:
    if name in LATE:
        from importlib import import_module  # noqa: PLC0415 - on first use

        return getattr(import_module(f"riskguard.testing.kit.{LATE[name]}"), name)
    msg = f"module 'riskguard.testing' has no attribute {name!r}"
    raise AttributeError(msg)
