"""Action plug-ins, run off the path on which decisions are made.

A webhook that hangs must not hold an order back: what a plug-in is told goes through a bounded
queue to a thread of its own. What does not fit is dropped and counted; what fails is counted,
then quarantined.
"""

from __future__ import annotations

import threading
from collections import deque
from queue import Empty, Full, Queue
from typing import Any

from riskguard.plugins import PluginError, action, said

__all__ = ["MOST", "Actor"]

MOST = 256  # changes that wait
MOST_FAULTS = 3


class Actor:
    """One plug-in, its queue and its thread; `ended` holds how what had an id ended.

    Raises:
        PluginError: it is not installed, not allowed, or does not fit.
    """

    def __init__(self, name: str) -> None:
        offered, self.whose = action(name)
        self.name, self.faults, self.fault, self.dropped, self.acted = name, 0, "", 0, 0
        self.queue: Queue[dict[str, Any] | None] = Queue(MOST)
        self.ended: deque[tuple[str, str]] = deque(maxlen=MOST)  # id, and why not, "" where done
        try:
            self.plugin: Any = offered()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # code of others may leave in any way
            message = f"plug-in '{name}' of {self.whose} cannot be made: {said(error)}"
            raise PluginError("RG609", message, f"tell who wrote {self.whose}") from error
        self.thread = threading.Thread(target=self._run, name=f"action {name}", daemon=True)
        self.thread.start()

    @property
    def quarantined(self) -> bool:
        """Whether it is never called again."""
        return self.faults >= MOST_FAULTS

    def hear(self, change: dict[str, Any]) -> None:
        """Queue a change; one that finds no room is dropped: the order is not held back."""
        try:
            self.queue.put_nowait(change)
        except Full:
            self._drop(_id(change), "dropped: too much waits before it")

    def _drop(self, name: str, why: str) -> None:
        self._end(name, why)
        self.dropped += 1

    def _end(self, name: str, why: str) -> None:
        """Say how it ended; whoever sees the counts of it finds this as well."""
        if name:
            self.ended.append((name, why))

    def _run(self) -> None:
        while (change := self.queue.get()) is not None:
            name = _id(change)  # the change is the plug-in's own from here on
            if self.quarantined:
                self._drop(name, "dropped: the plug-in is quarantined")
                continue
            try:
                self.plugin.act(change)
            except BaseException as error:  # noqa: BLE001 - the thread goes on, whatever it raises
                self.fault = said(error)
                self._end(name, self.fault)
                self.faults += 1
            else:
                self._end(name, "")
                self.acted += 1

    def close(self, seconds: float) -> None:
        """Let what waits be acted on for so long; a queue that is full gives its oldest up."""
        while self.thread.is_alive():
            try:
                self.queue.put_nowait(None)
                break
            except Full:
                try:
                    change = self.queue.get_nowait()
                    self._drop("" if change is None else _id(change), "dropped: the process ended")
                except Empty:
                    pass
        self.thread.join(seconds)

    def status(self) -> dict[str, Any]:
        """Return how it does, as JSON holds it."""
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


def _id(change: dict[str, Any]) -> str:
    return str(change["asked"]["id"]) if "asked" in change else ""
