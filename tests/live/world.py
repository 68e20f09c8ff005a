"""A clock set by hand, a folder, and a rule file: what a live session lives in."""

from __future__ import annotations

from pathlib import Path

from riskguard.engine.decision import Decision
from riskguard.engine.events import Event
from riskguard.engine.orders import Intent
from riskguard.live.session import Session
from riskguard.live.ticker import Ticker
from riskguard.market import HOUR, SECOND

__all__ = ["RULES", "START", "World"]

START = 1_767_225_600_000_000_000
RULES = """\
version: 1
symbol: BTC
every: 1h
rules:
  fall:
    when: close.drop(2h) >= 5%
    clear: close.rise(2h) >= 3% for 2 closes
    do: {exposure_cap: 50%}
  flat:
    when: close < 60
    latch: true
    do: {exposure_cap: 0%}
"""


class World:
    """The time is `now`; a bar is told one second after its close, and known three later."""

    def __init__(self, folder: Path, rules: str = RULES) -> None:
        self.now, self.rules, self.state = START, folder / "rules.yaml", folder / "state"
        self.rules.write_text(rules)

    def session(self, **options: object) -> Session:
        ticker = Ticker(wall=lambda: self.now, elapsed=lambda: self.now - START)
        return Session(self.rules, self.state, ticker=ticker, **options)

    def bar(self, session: Session, hour: int, close: float) -> Decision:
        self.now = max(self.now, START + hour * HOUR + SECOND)
        data = {"close": close, "interval_ns": HOUR}
        session.take(Event(START + hour * HOUR, "bar", "BTC", data))
        self.now += 3 * SECOND
        return session.tick()

    def fallen(self, session: Session) -> None:
        for hour, close in enumerate([100, 100, 100, 93, 92], 1):
            self.bar(session, hour, close)
        assert session.decision.active == ("fall",)

    def intent(self, quantity: float = 1.0, side: str = "buy", position: float = 0.0) -> Intent:
        return Intent(self.now, "BTC", side, quantity, position)

    def kill(self, session: Session) -> None:
        """End a session as if its process had gone without a word."""
        session.store._lock.release()
        if session.store._db is not None:
            session.store._db.close()
