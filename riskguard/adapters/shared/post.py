"""Where the orders of one bot are asked about: whatever fails, exits pass and entries do not."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from riskguard.adapters.shared.enforcing import Memory, enforce
from riskguard.adapters.shared.logs import logger
from riskguard.adapters.shared.vetoes import Fault, Veto
from riskguard.engine.decision import Decision, State
from riskguard.engine.gate import exit_alone, surplus
from riskguard.engine.orders import together
from riskguard.errors import foreign
from riskguard.market import Instrument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from riskguard.adapters.shared.desk import Desk
    from riskguard.adapters.shared.enforcing import Enforced, Venue
    from riskguard.engine.orders import Intent, Pending, Verdict

__all__ = ["Post", "closing"]

PLAIN = Instrument()
log = logger("riskguard")


def closing(position: float, side: str, quantity: float, pending: Iterable[Pending]) -> float:
    """Return how much of an order closes, less what is on its way out already."""
    sign = 1 if side == "buy" else -1
    if position * sign >= 0:
        return 0.0
    busy = together([one for one in pending if one.side == side and not one.resting])
    return min(quantity, max(0.0, abs(position) - busy))


class Post:
    """Asks one desk for one symbol, and keeps what came of it in `vetoes` and `faults`.

    Until it has a `desk` and that was told of a bar (`works`), nothing enters. `say` tells the
    words of a refusal in the framework's own log too.
    """

    def __init__(
        self,
        symbol: str,
        instrument: Instrument = PLAIN,
        say: Callable[[str], object] | None = None,
    ) -> None:
        self.symbol, self.instrument, self._say = symbol, instrument, say
        self.desk: Desk | None = None
        self.fault = "no decision yet"
        self.vetoes: list[Veto] = []
        self.faults: list[Fault] = []
        self._memory = Memory()

    def works(self) -> None:
        """Take note that the desk has heard the last bar."""
        self.fault = ""

    def failed(self, ts: int, error: Exception) -> None:
        """Take note of what the guard raised: from here on nothing enters."""
        self.fault = foreign(f"{type(error).__name__}: {error}", 400)
        self.faults.append(Fault(ts, self.fault))
        self._tell(f"the guard failed, nothing enters: {self.fault}", logging.ERROR)

    def free(self, ts: int) -> bool:
        """Say whether the guard works and nothing limits."""
        if self.fault or self.desk is None:
            return False
        try:
            return self.desk.decision.state is State.ACTIVE
        except Exception as error:  # noqa: BLE001 - a broken guard lets nothing in
            self.failed(ts, error)
            return False

    def judge(self, intent: Intent) -> Verdict:
        """Judge one order; what is cut or refused is told."""
        verdict = self._judged(intent)
        if verdict.quantity < intent.quantity:
            self._refused(intent, verdict)
        return verdict

    def enforce(self, venue: Venue) -> Enforced | None:
        """Do what the desk wants done unasked; let no entry rest while the guard fails."""
        if self.desk is None:
            return None
        if self.fault:
            self._clear(venue)
        found = enforce(
            self.desk,
            venue,
            self.symbol,
            memory=self._memory,
            instrument=self.instrument,
            reads=1,
        )
        for text in found.failures:
            self.faults.append(Fault(venue.now(), text))
            self._tell(f"not done: {text}", logging.ERROR)
        for sent in found.sent:
            self._tell(f"{sent.side} {sent.quantity:g} {self.symbol}, unasked")
        return found

    def _clear(self, venue: Venue) -> None:
        """Cancel what would enter or flip when its price comes."""
        try:
            shut = Decision(venue.now(), self.symbol, state=State.REDUCING)
            orders = venue.pending(self.symbol)
            for one in surplus(venue.position(self.symbol), orders, shut):
                venue.cancel(self.symbol, one)
        except Exception as error:  # noqa: BLE001 - whatever a venue raises is told, and retried
            self.failed(venue.now(), error)

    def _judged(self, intent: Intent) -> Verdict:
        step = self.instrument.step
        try:
            if self.fault or self.desk is None:
                return exit_alone(intent, RuntimeError(self.fault), step=step)
            return self.desk.decide(intent)
        except Exception as error:  # noqa: BLE001 - whatever fails, exits pass and entries do not
            self.failed(intent.ts, error)
            return exit_alone(intent, error, step=step)

    def _refused(self, intent: Intent, verdict: Verdict) -> None:
        reasons = tuple(reason.text for reason in verdict.reasons)
        asked, granted = intent.quantity, verdict.quantity
        self.vetoes.append(Veto(intent.ts, intent.symbol, intent.side, asked, granted, reasons))
        said = f"cut to {granted:g}" if granted else "refused"
        why = reasons[0] if reasons else "no reason given"
        self._tell(f"{intent.side} {asked:g} {intent.symbol} {said}: {why}")

    def _tell(self, text: str, level: int = logging.INFO) -> None:
        log.log(level, "riskguard: %s", text)
        if self._say is not None:
            try:
                self._say(f"riskguard: {text}")
            except Exception as error:  # noqa: BLE001 - to tell is not worth a failure
                log.warning("riskguard: the framework's log failed: %s", error)
