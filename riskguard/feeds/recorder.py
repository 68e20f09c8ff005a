"""A recorder: the feeds of an exchange into a folder, until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from riskguard.adapters.shared.frameworks import framework
from riskguard.errors import AdapterError, DataError, StateError, StateInUseError
from riskguard.feeds.recording import Recording
from riskguard.feeds.streaming import SERIES, Feeds, Pace
from riskguard.feeds.vendors import Vendors
from riskguard.feeds.venues import Venue, venue
from riskguard.store.lock import Lock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from riskguard.engine.events import Event
    from riskguard.feeds.plugged import Vendor

    Tell = Callable[[dict[str, int], dict[str, str]], None]

__all__ = ["TESTED", "opened", "record"]

TESTED = "4.5.90"  # of ccxt
FLUSH = 10.0  # seconds: a kill loses no more
LOCK = "recording.lock"


def opened(exchange: str, settings: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 - an exchange of ccxt
    """Return an exchange of ccxt.pro; `settings` are what its constructor takes: proxies, urls.

    Raises:
        AdapterError: ccxt is missing, or nothing certain is known of the venue.
    """
    venue(exchange)
    pro = framework("ccxt.pro", package="ccxt", tested=TESTED)
    made = getattr(pro, exchange, None)
    if made is None:
        raise AdapterError(f"ccxt {TESTED} has no exchange {exchange!r} with streams")
    return made({"enableRateLimit": True, **(settings or {})})


async def record(
    exchange: Any | None,  # noqa: ANN401 - an exchange of ccxt.pro
    symbols: tuple[str, ...],
    folder: Path,
    *,
    seconds: float | None = None,
    pace: Pace | None = None,
    series: tuple[str, ...] = SERIES,
    plugins: tuple[str, ...] = (),
    tell: Tell = lambda _rows, _faults: None,
) -> Recording:
    """Record for so many seconds, or until SIGTERM or Ctrl-C; what was heard is on disk then.

    `series` are taken of the exchange, what `plugins` bring of these; without an exchange they
    are all there is. `tell` hears after each flush how many rows each file has gained, and which
    feeds fail.

    Raises:
        DataError: the folder holds something else, or cannot be written.
        StateInUseError: another process records into it.
        AdapterError: a symbol is no contract of the venue, or two feeds bring the same.
        PluginError: a plug-in is not installed, not allowed, or does not fit.
    """
    lock = _locked(folder)

    def take(event: Event) -> None:
        recording.take(event)

    try:
        feeds: Feeds | Vendors
        if exchange is None:
            feeds = vendors = Vendors(plugins, symbols, take)
            of = Venue(plugins[0], "", "full", _nothing, _nothing)
        else:
            feeds = Feeds(exchange, symbols, take, series, pace or Pace(), plugins=plugins)
            of, vendors = venue(exchange.id), feeds.vendors
        recording = _begun(folder, of, symbols, vendors.vendors)
        await _recorded(recording, feeds, seconds, tell)
    finally:
        lock.release()
        if exchange is not None:
            await exchange.close()
    return recording


async def _recorded(
    recording: Recording, feeds: Feeds | Vendors, seconds: float | None, tell: Tell
) -> None:
    """Let feeds run and flush what they tell, until the time is over or somebody says so."""
    running = asyncio.ensure_future(feeds.run())
    stop = _stopping()
    try:
        ends = None if seconds is None else time.monotonic() + seconds
        while not stop.is_set() and not running.done():
            left = FLUSH if ends is None else min(FLUSH, ends - time.monotonic())
            if left <= 0:
                break
            await asyncio.wait([running, asyncio.ensure_future(_within(stop, left))],
                               return_when=asyncio.FIRST_COMPLETED)  # fmt: skip
            _flushed(recording, feeds, tell)
        if running.done():
            running.result()  # why it ended
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        _flushed(recording, feeds, tell)


def _nothing(*_: object) -> Any:  # noqa: ANN401 - where there is no venue, none is read
    """Return nothing: there is no message of a venue to be read."""
    return ()


def _locked(folder: Path) -> Lock:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return Lock(folder / LOCK)
    except StateInUseError as error:
        msg = f"another process records into {folder}: stop it, or name another folder"
        raise StateInUseError(msg) from error
    except OSError as error:
        raise _unwritable(folder, error.strerror or str(error)) from error
    except StateError as error:
        raise _unwritable(folder, str(error)) from error


def _begun(
    folder: Path, venue: Venue, symbols: tuple[str, ...], vendors: Sequence[Vendor]
) -> Recording:
    try:
        return Recording(folder, venue, symbols, vendors)
    except OSError as error:
        raise _unwritable(folder, error.strerror or str(error)) from error


def _unwritable(folder: Path, why: str) -> DataError:
    help_ = "name a folder of this user, on a disk that can be written"
    return DataError(f"nothing can be recorded here: {why}", path=str(folder), help=help_)


def _flushed(recording: Recording, feeds: Feeds | Vendors, tell: Tell) -> None:
    """Write what is complete; a disk that refuses is a fault as any other."""
    faults = feeds.silent()
    try:
        recording.flush(feeds.now())
    except OSError as error:
        faults["disk"] = f"{error.strerror or error}: {recording.waiting} rows wait"
    tell(recording.written, faults)


def _stopping() -> asyncio.Event:
    """Return an event that SIGTERM sets, and Ctrl-C where the loop can be told of it."""
    stop = asyncio.Event()
    if sys.platform != "win32":
        loop = asyncio.get_running_loop()
        for one in (signal.SIGTERM, signal.SIGINT):
            with suppress(ValueError, RuntimeError):  # not in the main thread
                loop.add_signal_handler(one, stop.set)
    return stop


async def _within(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
