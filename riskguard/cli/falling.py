"""What an event is, as it is typed: a fall so deep, within such a time."""

from __future__ import annotations

import re

from riskguard.cli.failures import WrongUse

__all__ = ["depth", "seen", "span"]


def depth(text: str) -> float:
    """Return how deep a fall is an event, as a share: --fall 10%."""
    from riskguard.backtest.evidence.planfile import fall_fault

    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*(%?)", text.strip())
    if not match:
        raise WrongUse(f"--fall '{text}' is not a share", "write 10% or 0.1")
    found = float(match[1]) / (100 if match[2] else 1)
    if fault := fall_fault(found):
        raise WrongUse(f"--fall '{text}': {fault}", "write 10% or 0.1")
    return found


def span(text: str) -> int:
    """Return within which time a fall is an event, in ns: --within 7d."""
    from riskguard.history.stamps import CellError, duration

    try:
        found = duration(text.strip())
    except CellError as fault:
        raise WrongUse(f"--within: {fault.message}", "write 24h or 7d") from None
    if not found:
        raise WrongUse(f"--within '{text}' is no time at all", "write 24h or 7d")
    return found


def seen(within: int, every: int) -> None:
    """Refuse an event that no bar of the data could show; both in ns."""
    from riskguard.market import time_text

    if within < every:
        text = f"--within {time_text(within)} is less than a bar of this data, {time_text(every)}"
        raise WrongUse(f"{text}: no fall can be seen in it", "write 24h or 7d")
