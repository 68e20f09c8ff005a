"""Which class keeps the state of a window, and how far back it looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.engine.measures import MEASURES, Atr
from riskguard.engine.windows import CALENDAR_REACH
from riskguard.language.tables.ta_table import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from riskguard.engine.windows import Rolling, Tape, Window

__all__ = ["EVER", "INDICATOR", "kind_of", "looks_back", "renewed", "state_of"]

INDICATOR = "ta."
EVER = "all"


def kind_of(window: Window) -> type[Rolling]:
    """Return the class that keeps a window."""
    if window.plugged is not None:
        from riskguard.engine.measures.plugged import Foreign  # noqa: PLC0415 - rarely needed

        return Foreign
    if window.function.startswith(INDICATOR):
        from riskguard.engine.measures.indicators import Library  # noqa: PLC0415 - rarely needed

        return Library
    if window.calendar:
        from riskguard.engine.measures.calendar import CALENDAR, DrawdownEver  # noqa: PLC0415 - rarely needed

        return DrawdownEver if window.calendar == EVER else CALENDAR[window.function]
    return Atr if window.function == "atr" else MEASURES[window.function]


def state_of(window: Window, tapes: Sequence[Tape]) -> Rolling:
    """Return the empty state of a window over its tapes: its source, then those beside it."""
    first, kind = tapes[0], kind_of(window)
    given: tuple[object, ...] = (first, window.span, window.minimum)
    if window.plugged is not None:
        given = (tapes, window.span, window.function, window.plugged)
    elif window.function.startswith(INDICATOR):
        name = window.function.removeprefix(INDICATOR)
        options = {key: value for key, value in window.arguments if key != "warmup"}
        given = (tapes, window.span, name, FUNCTIONS[name], options)
    elif window.function == "atr":
        given = (first, window.span, tapes[1:])
    elif window.calendar == EVER:
        given = (first, None)
    elif window.calendar:
        from riskguard.engine.calendar import Calendar  # noqa: PLC0415 - rarely needed

        given = (first, Calendar(window.calendar))
    return kind(*given)  # type: ignore[arg-type]  # each kind takes its own


def renewed(state: Rolling, window: Window, tapes: Sequence[Tape], *, whole: bool = False) -> None:
    """Let a state begin anew: what it has taken from its tapes is taken again.

    A tape holds all of a day and a week that are under way; of what there ever was it does not,
    and that stays, unless the state begins anew as a `whole`.
    """
    if window.plugged is not None:  # it is told each sample once, and goes on
        if whole:
            state.restart()  # type: ignore[attr-defined]  # as `kind_of` says
        return
    fresh = state_of(window, tapes)
    kept = () if whole or window.calendar not in {"", EVER} else state.kept
    for tape in tapes:
        if fresh in tape.readers:
            tape.readers.remove(fresh)
    for kind in type(state).__mro__:
        for name in getattr(kind, "__slots__", ()):
            if name not in kept:
                setattr(state, name, getattr(fresh, name))


def looks_back(window: Window) -> int:
    """Return how far back (ns) the value of a window rests on its tape."""
    if window.calendar:
        return 0 if window.calendar == EVER else CALENDAR_REACH
    return window.span * kind_of(window).reach
