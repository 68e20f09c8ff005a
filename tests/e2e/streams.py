"""A guard whose state changes at random, bar by bar, for strategies that send what they like."""

from __future__ import annotations

import random
from typing import Any

from riskguard import Instrument, State
from riskguard.testing import ScriptedGuard

DOS: tuple[tuple[State, dict[str, Any]], ...] = (
    (State.ACTIVE, {}),
    (State.ACTIVE, {}),
    (State.CAUTION, {"exposure_cap": 0.5}),
    (State.CAUTION, {"exposure_cap": 0.25}),
    (State.CAUTION, {"block_entries": "long"}),
    (State.CAUTION, {"close": "longs"}),
    (State.CAUTION, {"reduce_by": 0.5}),
    (State.REDUCING, {}),
    (State.HALTED, {}),
)


class Moody(ScriptedGuard):
    """Changes its mind at the close of a bar, before the strategy is asked; fails at times."""

    def __init__(self, seed: int, **instruments: Instrument) -> None:
        super().__init__(instruments)
        self.dice = random.Random(seed)

    def turn(self) -> None:
        """Decide anew, or fail, or work again: to be called when a bar has closed."""
        self.boom = self.dice.random() < 0.02
        if self.dice.random() < 0.15:
            state, do = self.dice.choice(DOS)
            self.state(state, **do)

    @property
    def ceiling(self) -> float:
        """What may be held at most, on either side."""
        return self.episodes.of("BTC").ceiling(self.decision)


def kept(guard: Moody, before: float, now: float) -> str:
    """Say what is wrong with a position a bar after a decision, "" if nothing."""
    state, noise = guard.decision.state, 1e-9 * abs(before)
    if guard.boom or state >= State.REDUCING:
        if abs(now) > abs(before) + noise:
            return "grew"
        if now * before < 0:
            return "flipped"
    if state is State.HALTED and not guard.boom and now:
        return "is not flat"
    return ""
