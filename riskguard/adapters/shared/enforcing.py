"""The enforcer all adapters share: what a decision wants done unasked, done and seen done.

`enforce` is for hosts that call, `enforce_async` for those that await; the steps are the same,
in `steps`. One call does what can be done now and returns; the next one goes on.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from riskguard.adapters.shared.outcome import Enforced, Memory, Outstanding
from riskguard.adapters.shared.steps import Run
from riskguard.adapters.shared.venue import AsyncVenue, Open, Order, Venue, client_id
from riskguard.market import Instrument

if TYPE_CHECKING:
    from riskguard.adapters.shared.desk import Desk

__all__ = [
    "AsyncVenue",
    "Enforced",
    "Memory",
    "Open",
    "Order",
    "Outstanding",
    "Venue",
    "client_id",
    "enforce",
    "enforce_async",
]

PLAIN = Instrument()


def enforce(
    desk: Desk,
    venue: Venue,
    symbol: str,
    *,
    memory: Memory | None = None,
    book: str = "",
    instrument: Instrument = PLAIN,
    reads: int = 3,
    pause: float = 0.0,
    look: bool = False,
) -> Enforced:
    """Bring one symbol to what the decision in force asks for; never raises.

    To be called after each event or bar, for each symbol that is traded, also while nothing
    changes: what could not be done is done then. `memory` is one for all calls of a bot: it
    counts attempts and keeps them apart in time. In hedge mode each `book` is a call of its own.
    What is cancelled or sent is read again up to `reads` times, `pause` seconds apart, and is
    done only when it is seen. While nothing limits the venue is asked nothing, unless `look`:
    then the position is read and told to the desk.
    """
    memory = Memory() if memory is None else memory
    run = Run(
        desk, symbol, memory, book=book, instrument=instrument, reads=reads, pause=pause, look=look
    )
    steps = run.steps()
    try:
        call = next(steps)
        while True:
            try:
                if call.name == "pause":
                    time.sleep(*call.args)
                    answer = None
                else:
                    answer = getattr(venue, call.name)(*call.args)
            except Exception as error:  # noqa: BLE001 - told in the outcome, and retried
                call = steps.throw(error)
            else:
                call = steps.send(answer)
    except StopIteration as end:
        found: Enforced = end.value
        return found


async def enforce_async(
    desk: Desk,
    venue: AsyncVenue,
    symbol: str,
    *,
    memory: Memory | None = None,
    book: str = "",
    instrument: Instrument = PLAIN,
    reads: int = 3,
    pause: float = 0.0,
    look: bool = False,
) -> Enforced:
    """Do the same with a venue whose primitives are awaited; `now` is called.

    One call at a time for each symbol: two that run together would not see each other's orders.
    """
    from asyncio import sleep  # noqa: PLC0415 - a bot that does not await has no need of it

    memory = Memory() if memory is None else memory
    run = Run(
        desk, symbol, memory, book=book, instrument=instrument, reads=reads, pause=pause, look=look
    )
    steps = run.steps()
    try:
        call = next(steps)
        while True:
            try:
                if call.name == "pause":
                    await sleep(*call.args)
                    answer = None
                else:
                    answer = getattr(venue, call.name)(*call.args)
                    if call.name != "now":
                        answer = await answer
            except Exception as error:  # noqa: BLE001 - told in the outcome, and retried
                call = steps.throw(error)
            else:
                call = steps.send(answer)
    except StopIteration as end:
        found: Enforced = end.value
        return found
