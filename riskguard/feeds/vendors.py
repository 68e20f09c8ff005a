"""The feeds of plug-ins in the event loop of a bot: polled, passed on, tried again, told of."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from riskguard.errors import AdapterError
from riskguard.feeds.plugged import Vendor

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from riskguard.engine.events import Event

__all__ = ["Vendors"]

SLOW = 60.0  # seconds after which one that has not answered is told of
FIRST, LONGEST = 0.5, 30.0  # seconds between two tries


class Vendors:
    """Feeds of plug-ins: `run` them in the bot's own event loop, beside those of an exchange.

    `names` are entry points of `riskguard.feeds` that the operator allows, `symbols` what they are
    asked for, `take` eats events (`Session.take`). `taken` are series that come from `other`.

    Raises:
        PluginError: one is not installed, not allowed, or does not fit.
        AdapterError: two bring the same series.
    """

    def __init__(
        self,
        names: Iterable[str],
        symbols: tuple[str, ...],
        take: Callable[[Event], object],
        *,
        now: Callable[[], int] = time.time_ns,
        taken: Collection[str] = (),
        other: str = "",
    ) -> None:
        self.take, self.now = take, now
        self.vendors: list[Vendor] = []
        self._asked: dict[str, float] = {}  # name -> since when an answer is waited for (s)
        brings = dict.fromkeys(taken, other)
        try:
            for name in dict.fromkeys([names] if isinstance(names, str) else names):
                vendor = Vendor(name, symbols, now)
                self.vendors.append(vendor)
                _join(brings, vendor)
        except BaseException:
            self.end()
            raise

    async def run(self) -> None:
        """Feed until cancelled; no failure of a plug-in ends it, nor that of another."""
        try:
            await asyncio.gather(*(self._forever(vendor) for vendor in self.vendors))
        finally:
            self.end()

    def silent(self) -> dict[str, str]:
        """Return the plug-ins that fail now or are quarantined, and with what."""
        found = {}
        for one in self.vendors:
            waits = time.monotonic() - self._asked.get(one.name, time.monotonic())
            if one.quarantined:
                found[f"feed {one.name}"] = f"quarantined until the next start: {one.fault}"
            elif waits > SLOW:
                found[f"feed {one.name}"] = f"has not answered for {waits:.0f} s"
            elif one.fault:
                found[f"feed {one.name}"] = one.fault
        return found

    def end(self) -> None:
        """Ask no more."""
        for one in self.vendors:
            one.end()

    async def _forever(self, vendor: Vendor) -> None:
        pause = FIRST
        while not vendor.quarantined:
            found = await self._answer(vendor)
            if isinstance(found, BaseException):
                vendor.ended(found)
                await asyncio.sleep(pause)
                pause = min(LONGEST, 2 * pause)
                continue
            vendor.ended(None)
            for event in found:
                self.take(event)
            pause = FIRST
            await asyncio.sleep(vendor.every)
        await asyncio.Event().wait()  # the others go on

    async def _answer(self, vendor: Vendor) -> list[Event] | BaseException:
        """Wait for what a poll brings; its thread may outlive the loop."""
        loop = asyncio.get_running_loop()
        waits: asyncio.Future[list[Event] | BaseException] = loop.create_future()

        def arrived(found: list[Event] | BaseException) -> None:
            if not waits.done():
                waits.set_result(found)

        def answer(found: list[Event] | BaseException) -> None:
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(arrived, found)

        self._asked[vendor.name] = time.monotonic()
        vendor.ask(answer)
        try:
            return await waits
        finally:
            del self._asked[vendor.name]


def _join(brings: dict[str, str], vendor: Vendor) -> None:
    """Let the series of a plug-in come from it, and from nobody else."""
    for series in vendor.brings:
        if series in brings:
            msg = f"{series} would come from {brings[series]} and from plug-in {vendor.name}"
            raise AdapterError(msg, help="take it from one: leave it out of `series`")
        brings[series] = f"plug-in {vendor.name}"
