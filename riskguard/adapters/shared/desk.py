"""What an adapter asks of a guard: the same five calls live, in a backtest, and in a test.

A live `Session` is a desk, with its memory on disk and a clock of its own. `Offline` is one for
backtests, where time is what the events say and nothing outlives the run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from riskguard.engine.intake import Intake

if TYPE_CHECKING:
    from riskguard.engine.decision import Decision
    from riskguard.engine.events import Event
    from riskguard.engine.guard import Guard
    from riskguard.engine.orders import Action, Intent, Verdict

__all__ = ["Desk", "Offline"]


class Desk(Protocol):
    """Where an adapter tells what happened, asks before each order, and takes its duties."""

    @property
    def decision(self) -> Decision:
        """Return the decision in force."""

    def take(self, event: Event) -> Decision:
        """Take one event and return the decision in force.

        Raises:
            DataError: the kind is unknown or a field is missing: the adapter has to be mended.
        """

    def tick(self) -> Decision:
        """Let time pass: about once a second in a live process, also while no feed speaks."""

    def decide(self, intent: Intent) -> Verdict:
        """Judge one order; never raises, exits pass."""

    def poll(self, symbol: str = "*") -> list[Action]:
        """List what is to be done unasked and is not done yet."""

    def done(self, *ids: str) -> bool:
        """Take note that actions were carried out and seen in the position; say if it is kept."""


class Offline:
    """A desk for a backtest: the guard itself, and the intake before it.

    Events must come with the time at which a bot could have known them, oldest first: a bar at
    its close. Nothing here reads a clock, so the same events give the same answers.

    >>> from riskguard import Event, Guard, Intent, load_rules
    >>> rules = load_rules("rules/feb-2026.yaml")
    >>> desk = Offline(Guard(rules, sources={"liq.long": "bybit"}))
    >>> bar = {"close": 90_000.0, "interval_ns": 14_400_000_000_000}
    >>> desk.take(Event(1_764_547_200_000_000_000, "bar", "BTC/USDT:USDT", bar)).state.name
    'REDUCING'
    >>> desk.decide(Intent(1_764_547_200_000_000_000, "BTC/USDT:USDT", "buy", 1.0, 0.0)).answer
    'deny'
    """

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self._intake = Intake(guard, wait=0)

    @property
    def decision(self) -> Decision:
        """The decision in force."""
        return self.guard.decision

    @property
    def refused(self) -> dict[str, int]:
        """What was told and could not be true, counted by reason."""
        return self._intake.refused

    def take(self, event: Event) -> Decision:
        """Take one event and return the decision in force."""
        return self._intake.take(event)

    def tick(self) -> Decision:
        """Return the decision in force: in a backtest time passes by events alone."""
        return self.guard.decision

    def decide(self, intent: Intent) -> Verdict:
        """Judge one order; never raises, exits pass."""
        return self.guard.decide(intent)

    def poll(self, symbol: str = "*") -> list[Action]:
        """List what is to be done unasked and is not done yet."""
        return self.guard.poll(symbol)

    def done(self, *ids: str) -> bool:
        """Take note that actions were carried out; nothing outlives a backtest."""
        for one in ids:
            self.guard.done(one)
        return True
