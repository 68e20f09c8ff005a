"""The measure of a plug-in: code of others, told each sample once, trusted with nothing.

It is given copies and answers a number. Whatever else it does - raise, leave, answer a text, take
too long - makes it unknown, which tightens nothing and loosens nothing; after three of those it
is quarantined: never called again until the rules are loaded anew.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from time import perf_counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from riskguard.engine.windows import NEVER, UNKNOWN, Rolling
from riskguard.errors import StateError
from riskguard.plugins import said

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from riskguard.engine.windows import Tape
    from riskguard.language.tree import Plugged

__all__ = ["Foreign"]

MOST_FAULTS = 3
BUDGET = 1.0  # seconds that one sample may take
LONGEST = 1 << 20  # characters of what it remembers


class Foreign(Rolling):
    """Return what the measure of a plug-in says of the bars so far, or unknown.

    `faults` is how often it failed, `fault` the last of it, `lost` when it was quarantined.
    """

    __slots__ = (
        "fault",
        "faults",
        "lost",
        "measure",
        "name",
        "plugged",
        "result",
        "tapes",
        "until",
    )
    kept = ("memory", "fault", "faults", "lost", "result", "until")

    def __init__(self, tapes: Sequence[Tape], span: int, name: str, plugged: Plugged) -> None:
        super().__init__(tapes[0], span)
        self.name, self.plugged, self.tapes = name, plugged, tuple(tapes)
        for tape in self.tapes:
            tape.keep = max(tape.keep, self.tape.keep + tape.fresh)
        self.restart()

    def restart(self) -> None:
        """Let it begin as one that has seen nothing."""
        self.faults, self.fault, self.lost = 0, "", NEVER
        self.until, self.result = NEVER, UNKNOWN
        self.measure: Any = None
        self.measure = self._asked(self.plugged.measure, **dict(self.plugged.given))

    @property
    def quarantined(self) -> bool:
        """Whether it is never called again."""
        return self.faults >= MOST_FAULTS

    def seen(self, now: int) -> int:
        if self.quarantined:
            return 0
        since = [now - tape.start if tape.first is not None else 0 for tape in self.tapes]
        return max(0, min(self.need, *since))

    def place(self) -> int:
        return bisect_right(self.tape.times, self.until)

    def moved(self, gone: int) -> None:
        """Nothing is remembered of places on the tape."""

    def read(self, now: int) -> float:
        last = self.tape.last
        if self.tape.clock.latest > self.until:
            self._follow()
        if last == NEVER or now - last > self.tape.fresh or self.seen(last) < self.need:
            return UNKNOWN
        return self.result

    def _follow(self) -> None:
        """Tell it every sample that it has not been told."""
        for ts in self.tape.times[self.place() :]:
            if self.quarantined:
                break
            self.until = ts
            names = (name for name, _ in self.plugged.series)
            values = {name: _at(tape, ts) for name, tape in zip(names, self.tapes, strict=True)}
            found = self._asked(self._told, ts, values)
            self.result = UNKNOWN if found is None else found
        self.until = self.tape.clock.latest

    def _told(self, ts: int, values: dict[str, float]) -> float | None:
        begun = perf_counter()
        self.measure.update(ts, MappingProxyType(values))
        found = self.measure.read()
        if perf_counter() - begun > BUDGET:
            msg = f"took longer than {BUDGET:g} s"
            raise TimeoutError(msg)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, float | int):
            msg = f"answered {type(found).__name__}, not a number"
            raise TypeError(msg)
        if not math.isfinite(found):
            msg = "answered a number that is not finite; None is what is not known"
            raise ValueError(msg)
        return float(found)

    def _asked(self, call: Callable[..., Any], *given: object, **named: object) -> Any:  # noqa: ANN401 - it may answer anything
        """Return the answer of code that may do anything, None where it fails."""
        try:
            return call(*given, **named)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - it may leave in any way, by sys.exit too
            self._fail(said(error))
        return None

    def _fail(self, fault: str, weight: int = 1) -> None:
        self.fault, self.faults = fault, self.faults + weight
        if self.measure is None:
            self.faults = MOST_FAULTS
        if self.quarantined:
            self.lost, self.result = self.until, UNKNOWN

    # ------------------------------------------------------------ state

    @property
    def memory(self) -> str:
        """What it remembers, as JSON; one that cannot tell is quarantined, and "" stands for it."""
        if self.quarantined:
            return ""
        text = self._asked(self._dumped)
        if text is None:
            self._fail(f"its state cannot be saved: {self.fault}", MOST_FAULTS)
        return text or ""

    @memory.setter
    def memory(self, text: str) -> None:
        if not text:
            return
        try:
            self.measure.load(json.loads(text))
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            msg = (
                f"the saved state cannot be used: {self.name} of {self.plugged.whose} does not "
                f"take what it remembered: {said(error)}"
                "\n  = help: install the version that saved it, or start anew and `prime`"
            )
            raise StateError(msg) from error

    def _dumped(self) -> str:
        text = json.dumps(self.measure.dump(), sort_keys=True, allow_nan=False)
        if len(text) > LONGEST:
            msg = f"it remembers more than {LONGEST:,} characters"
            raise ValueError(msg)
        return text


def _at(tape: Tape, ts: int) -> float:
    """Return the value of a series that stands for `ts`, or unknown."""
    place = bisect_right(tape.times, ts) - 1
    return tape.values[place] if place >= 0 and ts - tape.times[place] <= tape.fresh else UNKNOWN
