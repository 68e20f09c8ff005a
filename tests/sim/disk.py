"""A disk that refuses writes for a while: SQLite itself says no, to every connection."""

from __future__ import annotations

import random

from riskguard.live.session import Session
from riskguard.store import database

__all__ = ["Disk"]

SOUND = database.SETTINGS
WAYS = (
    ("PRAGMA query_only=ON", "PRAGMA query_only=OFF"),
    ("PRAGMA max_page_count=1", SOUND[-1]),  # full: no page can be added
)


class Disk:
    """Refuses from `refuse` to `accept`; what is opened meanwhile is refused too."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.way: tuple[str, str] | None = None

    def refuse(self, session: Session) -> None:
        """Let every write fail from now on, or those that need space."""
        self.way = self.dice.choice(WAYS)
        database.SETTINGS = (*SOUND, self.way[0])
        self._told(session, self.way[0])

    def accept(self, session: Session | None = None) -> None:
        """Let writes succeed again."""
        database.SETTINGS = SOUND
        if self.way is not None and session is not None:
            self._told(session, self.way[1])
        self.way = None

    @property
    def refuses(self) -> bool:
        """Say whether no write at all can succeed."""
        return self.way == WAYS[0]

    def _told(self, session: Session, pragma: str) -> None:
        if session.store._db is not None:
            session.store._db.execute(pragma)
