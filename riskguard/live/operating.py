"""What an operator may ask of a guard, and how a guard that runs, or does not, takes it.

A request waits in the folder of the state. The process that holds the state obeys it at its next
tick; where none does, it is tried on what is stored, and obeyed at the next start.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from riskguard.engine.events import Event
from riskguard.errors import RECEIVED, RiskguardError, StateError, foreign
from riskguard.live.memory import begun, restored
from riskguard.live.recorder import Recorder
from riskguard.live.requests import KILL, heard, leave, pending, switched
from riskguard.store import Entry, Journal, Store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from riskguard.engine.intake import Intake

__all__ = ["DRILLED", "PATIENCE", "REFUSED", "Answer", "ask", "drilled", "ordered", "worded"]

DRILLED, REFUSED = "drilled", "refused"  # kinds of transitions, beside those of the store
PATIENCE = 3.0  # seconds to wait for a process: it ticks about once a second
WORDS = ("do", "rule", "by", "note")


class Answer(NamedTuple):
    """What became of a request: `refused` says why it is not done; `waits` that nobody obeyed."""

    refused: str = ""
    waits: str = ""  # until when: nobody has obeyed yet
    told: Mapping[str, Any] = {}


def worded(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return what counts of a request, its texts cut, made visible and without secrets."""
    found: dict[str, Any] = {name: foreign(request[name]) for name in WORDS if name in request}
    if "until" in request:
        until = request["until"]
        found["until"] = until if isinstance(until, int) else foreign(until, RECEIVED)
    return found


def ordered(intake: Intake, folder: Path, now: int, request: Mapping[str, Any]) -> str:
    """Do what an operator asks of a guard; return why not, "" where it is done."""
    if request.get("do") == "resume" and switched(folder):
        return f"{KILL} lies in the folder of the state: remove it first"
    try:
        intake.take(Event(now, "operator", "*", request, source="operator"))
    except RiskguardError as error:
        return str(error)
    return ""


def ask(folder: Path, request: Mapping[str, Any], now: int, patience: float = PATIENCE) -> Answer:
    """Leave a request and wait for what becomes of it.

    Where no process holds the state, a request that would be refused is not left at all.

    Raises:
        StateError: there is no state, or what is stored cannot be read.
    """
    journal = Journal(folder)
    holder = journal.holder()
    if holder is None:
        refused = _tried(journal, folder, request, now)
        if not refused:
            _left(folder, request)
        return Answer(refused, "a process starts: none holds the state now")
    journal.restored()  # what cannot be read is told at once
    path = _left(folder, request)
    try:
        answer = heard(path, patience)
    except KeyboardInterrupt:  # who does not wait for the answer takes the order back
        path.unlink(missing_ok=True)
        raise
    if answer is None:
        return Answer(waits=f"process {holder.pid} ticks: it has not within {patience:g} s")
    return Answer(str(answer["refused"]), told=answer.get("told") or {})


def _left(folder: Path, request: Mapping[str, Any]) -> Path:
    try:
        return leave(folder, worded(request))
    except OSError as error:
        msg = f"no request can be left in {folder}: {error.strerror}"
        if not os.access(folder, os.W_OK):
            msg += "\n  = help: ask where the folder can be written, as the user of the bot"
        elif request.get("do") == "halt":
            msg += f"\n  = help: a file called {KILL} halts as well: touch {folder / KILL}"
        raise StateError(msg) from error


def _tried(journal: Journal, folder: Path, request: Mapping[str, Any], now: int) -> str:
    """Return why what is stored would refuse a request, after those that wait already."""
    memory = restored(journal.restored())
    recorder = Recorder(memory.guard, memory.formers)
    intake = begun(memory, recorder)
    now = max(now, memory.guard.as_of)
    if switched(folder) and not memory.killed:
        ordered(intake, folder, now, {"do": "halt", "by": KILL})
    for _, earlier in pending(folder):
        if not isinstance(earlier, str):
            ordered(intake, folder, now, worded(earlier))
    return ordered(intake, folder, now, worded(request))


def drilled(folder: Path, by: str, now: int, rules: str) -> str:
    """Note in a state that rules (their hash) were drilled; return who noted it.

    Raises:
        StateInUseError: a process holds the state and does not answer.
        StateError: there is no state, or what is stored cannot be read.
    """
    journal = Journal(folder)
    journal.restored()  # a damaged state is not opened to write: a start has to set it aside
    note = {"do": DRILLED, "by": by, "rule": rules}
    holder = journal.holder()
    if holder is not None:
        path = _left(folder, note)
        if heard(path, PATIENCE) is not None:
            return f"process {holder.pid}"
        path.unlink(missing_ok=True)
    with Store(folder) as store:
        store.commit([Entry(now, DRILLED, worded(note))])
    return "this command"
