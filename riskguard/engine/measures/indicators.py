"""Functions of the library `ta`, recomputed over a finite tail of bars at each close.

Most of them remember all bars they have seen; a bot that was restarted would see others than a
backtest. The library and pandas are loaded when the first rule file names one of its functions.
"""

from __future__ import annotations

import math
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

from riskguard.engine.windows import NEVER, UNKNOWN, Rolling, bars
from riskguard.errors import RiskguardError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from riskguard.engine.windows import Tape
    from riskguard.language.tables.ta_table import Function

__all__ = ["Library"]

MISSING = (
    "the rules read ta.{name}, and the library ta is not installed"
    "\n  = help: pip install 'riskguard[backtest]'"
)


class Library(Rolling):
    """Return the last value of a function over the bars of `span`, or unknown."""

    __slots__ = ("bars", "computed", "function", "names", "options", "result")
    kept = ("computed", "result")

    def __init__(
        self,
        tapes: Sequence[Tape],
        span: int,
        name: str,
        function: Function,
        options: Mapping[str, float | int | bool],
    ) -> None:
        super().__init__(tapes[0], span)
        self.bars, self.names = tuple(tapes), function.series
        for tape in self.bars:
            tape.keep = max(tape.keep, self.tape.keep)
        self.options = dict(options)
        self.computed, self.result = NEVER, UNKNOWN
        try:
            self.function: Any = getattr(import_module(f"ta.{function.module}"), name)
        except ImportError as error:
            raise RiskguardError(MISSING.format(name=name)) from error

    def seen(self, now: int) -> int:
        since = [now - tape.start if tape.first is not None else 0 for tape in self.bars]
        return max(0, min(self.need, *since))

    def place(self) -> int:
        return len(self.tape.times)  # `keep` holds what the next reading needs

    def moved(self, gone: int) -> None:
        """Nothing is remembered of the tape."""

    def read(self, now: int) -> float:
        last = self.tape.last
        if last == NEVER or now - last > self.tape.fresh or self.seen(last) < self.need:
            return UNKNOWN
        if last != self.computed:
            self.computed, self.result = last, self._value(last)
        return self.result

    def _value(self, last: int) -> float:
        first, *others = found = [bars(tape, last - self.span) for tape in self.bars]
        if len(first[0]) < self.whole or any(times != first[0] for times, _ in others):
            return UNKNOWN
        series = import_module("pandas").Series
        columns = [series(values, dtype=float) for _, values in found]
        with warnings.catch_warnings(), import_module("numpy").errstate(all="ignore"):
            warnings.simplefilter("ignore")  # of the library itself
            found = self.function(*columns, **self.options)
        value = float(found.iloc[-1])
        return value if math.isfinite(value) else UNKNOWN
