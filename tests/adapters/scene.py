"""A desk, a venue with a position, and the memory of a bot between calls."""

from __future__ import annotations

from riskguard.adapters.shared.enforcing import Enforced, Memory, enforce
from riskguard.market import MINUTE, Instrument
from riskguard.testing import ScriptedGuard
from tests.adapters.paper import PaperVenue, Refusing

SYMBOL = "BTC/USDT:USDT"


class Scene:
    """A desk, a venue with a position, and the memory of a bot between calls."""

    def __init__(self, position: float = 0.0, **more: object) -> None:
        self.venue = PaperVenue()
        self.venue.books[""] = position
        self.instrument = Instrument(**more)
        self.desk = ScriptedGuard({SYMBOL: self.instrument})
        self.memory = Memory()

    def call(self, **more: object) -> Enforced:
        self.venue.time += MINUTE
        return self.soon(**more)

    def soon(self, **more: object) -> Enforced:
        return enforce(
            self.desk, self.venue, SYMBOL, memory=self.memory, instrument=self.instrument, **more
        )

    @property
    def position(self) -> float:
        return self.venue.books[""]


def failing(scene: Scene, name: str, times: int = 1) -> None:
    """Have a primitive of the venue raise so many times."""
    works, left = getattr(scene.venue, name), [times]

    def raises(*given):
        if left[0]:
            left[0] -= 1
            raise Refusing(f"no {name} now")
        return works(*given)

    setattr(scene.venue, name, raises)
