"""Action plug-ins: told of each change of decision, off the path on which decisions are made.

A webhook that hangs must not hold an order back: changes go through a bounded queue to a thread
of its own. What does not fit is dropped and counted; what fails is counted, then quarantined.
"""

from __future__ import annotations

import threading
from queue import Empty, Full, Queue
from typing import TYPE_CHECKING, Any

from riskguard.engine.bodies import plain
from riskguard.engine.recorded import recorded
from riskguard.plugins import PluginError, load, said

if TYPE_CHECKING:
    from collections.abc import Iterable

    from riskguard.adapters.shared.desk import Desk
    from riskguard.engine.decision import Decision
    from riskguard.engine.events import Event
    from riskguard.engine.orders import Action, Intent, Verdict

__all__ = ["Telling"]

MOST = 256  # changes that wait
MOST_FAULTS = 3


class _Actor:
    """One plug-in, its queue and its thread."""

    def __init__(self, name: str) -> None:
        offered, self.whose = load("actions", name)
        self.name, self.faults, self.fault, self.dropped, self.acted = name, 0, "", 0, 0
        self.queue: Queue[dict[str, Any] | None] = Queue(MOST)
        try:
            self.plugin: Any = offered()
            fit = callable(getattr(self.plugin, "act", None))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # code of others may leave in any way
            message = f"plug-in '{name}' of {self.whose} cannot be made: {said(error)}"
            raise PluginError("RG609", message, f"tell who wrote {self.whose}") from error
        if not fit:
            message = f"plug-in '{name}' of {self.whose} has no method act()"
            raise PluginError("RG609", message, f"tell who wrote {self.whose}")
        self.thread = threading.Thread(target=self._run, name=f"action {name}", daemon=True)
        self.thread.start()

    @property
    def quarantined(self) -> bool:
        return self.faults >= MOST_FAULTS

    def hear(self, change: dict[str, Any]) -> None:
        """Queue a change; one that finds no room is dropped: the order is not held back."""
        try:
            self.queue.put_nowait(change)
        except Full:
            self.dropped += 1

    def _run(self) -> None:
        while (change := self.queue.get()) is not None:
            if self.quarantined:
                self.dropped += 1
                continue
            try:
                self.plugin.act(change)
                self.acted += 1
            except BaseException as error:  # noqa: BLE001 - the thread goes on, whatever it raises
                self.faults, self.fault = self.faults + 1, said(error)

    def close(self, seconds: float) -> None:
        """Let what waits be acted on for so long; a queue that is full gives its oldest up."""
        while self.thread.is_alive():
            try:
                self.queue.put_nowait(None)
                break
            except Full:
                try:
                    self.queue.get_nowait()
                    self.dropped += 1
                except Empty:
                    pass
        self.thread.join(seconds)

    def status(self) -> dict[str, Any]:
        return {
            "action": self.name,
            "from": self.whose,
            "acted": self.acted,
            "waiting": self.queue.qsize(),
            "dropped": self.dropped,
            "faults": self.faults,
            "fault": self.fault or None,
            "quarantined": self.quarantined,
        }


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
        self._actors = [_Actor(name) for name in actions]

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
