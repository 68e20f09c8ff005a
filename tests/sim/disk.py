"""A disk that refuses writes for a while: SQLite itself says no, to every connection."""

from __future__ import annotations

import random

from riskguard.live.session import Session
from riskguard.store import database

__all__ = ["Disk"]

OURS = database.SETTINGS
# no power fails here (tests/store has that): a seed need not wait for a real disk
SOUND = (*OURS[:-1], "PRAGMA synchronous=OFF", OURS[-1])
WAYS = {
    "read only": ("PRAGMA query_only=ON", "PRAGMA query_only=OFF"),
    "full": ("PRAGMA max_page_count=1", SOUND[-1]),  # no page can be added
}


class Disk:
    """Refuses from `refuse` to `accept`; what is opened meanwhile is refused too.

    It stands in the place of the real one from `plug` to `unplug`.
    """

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.way = ""

    def plug(self) -> None:
        """Let all that is opened from now on lie on this disk."""
        database.SETTINGS = SOUND

    def unplug(self) -> None:
        """Give the real disk back."""
        database.SETTINGS = OURS

    def refuse(self, session: Session) -> None:
        """Let every write fail from now on, or those that need space."""
        self.way = self.dice.choice([*WAYS])
        no, _ = WAYS[self.way]
        database.SETTINGS = (*SOUND, no)
        self._told(session, no)

    def accept(self, session: Session) -> None:
        """Let writes succeed again."""
        database.SETTINGS = SOUND
        if self.way:
            _, yes = WAYS[self.way]
            self._told(session, yes)
        self.way = ""

    @property
    def refuses(self) -> bool:
        """Say whether no write at all can succeed."""
        return self.way == "read only"

    def _told(self, session: Session, pragma: str) -> None:
        if session.store._db is not None:
            session.store._db.execute(pragma)
