"""Action plug-ins: told of each change of decision, off the path on which decisions are made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from riskguard.engine.bodies import plain
from riskguard.engine.recorded import recorded
from riskguard.live.actors import Actor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from riskguard.adapters.shared.desk import Desk
    from riskguard.engine.decision import Decision
    from riskguard.engine.events import Event
    from riskguard.engine.orders import Action, Intent, Verdict

__all__ = ["Telling"]


class Telling:
    """A desk that tells action plug-ins of each change of decision; all else is the desk's own.

    Each is told in order: `act(change)` with the decision as JSON holds it. The operator names
    and allows them here; what they do or raise changes nothing of what the desk answers.

    >>> from riskguard import Session
    >>> desk = Telling(Session("rules.yaml", "state"), ["webhook"])        # doctest: +SKIP

    Raises:
        PluginError: one is not installed, not allowed, or does not fit.
    """

    def __init__(self, desk: Desk, actions: Iterable[str]) -> None:
        self._desk = desk
        self._last: Decision | None = None
        self._actors = [
            Actor(name) for name in ([actions] if isinstance(actions, str) else actions)
        ]

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the desk has
        return getattr(self._desk, name)

    @property
    def decision(self) -> Decision:
        """The decision in force."""
        return self._desk.decision

    def take(self, event: Event) -> Decision:
        """Let the desk take an event, and tell what it changes."""
        return self._see(self._desk.take(event))

    def tick(self) -> Decision:
        """Let time pass, and tell what that changes."""
        return self._see(self._desk.tick())

    def decide(self, intent: Intent) -> Verdict:
        """Let the desk judge an order."""
        return self._desk.decide(intent)

    def poll(self, symbol: str = "*") -> list[Action]:
        """List what the desk wants done."""
        return self._desk.poll(symbol)

    def done(self, *ids: str) -> bool:
        """Tell the desk what was done."""
        return self._desk.done(*ids)

    def actions(self) -> list[dict[str, Any]]:
        """Return how each plug-in does: acted, waiting, dropped, faults, quarantined."""
        return [one.status() for one in self._actors]

    def hush(self, seconds: float = 5.0) -> None:
        """Tell nothing more; what waits is acted on for so long at most. The desk goes on."""
        for one in self._actors:
            one.close(seconds)

    def _see(self, decision: Decision) -> Decision:
        if decision is not self._last:
            self._last = decision
            for one in self._actors:
                one.hear(plain(recorded(decision)))  # each has a copy of its own
        return decision
