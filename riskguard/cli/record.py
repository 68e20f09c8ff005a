"""`riskguard record`: what an exchange tells, into a folder that primes a guard tomorrow."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskguard.cli.failures import WrongUse
from riskguard.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from riskguard.feeds.recording import Recording

__all__ = ["record"]

ENDED = "quarantined"
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def record(
    symbol: Annotated[
        list[str],
        typer.Option(
            "--symbol",
            metavar="SYMBOL",
            help="BTC/USDT:USDT; give it again for more. The first is traded.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where to write.")],
    exchange: Annotated[
        str,
        typer.Option(
            "--exchange",
            metavar="NAME",
            help="binanceusdm, binancecoinm, bybit, okx or gate, as ccxt names it.",
        ),
    ] = "",
    feed: Annotated[
        list[str] | None,
        typer.Option("--feed", metavar="NAME", help="A feed of a plug-in; may be repeated."),
    ] = None,
    series: Annotated[
        list[str] | None,
        typer.Option(
            "--series",
            metavar="NAME",
            help="What to take of the exchange: bars, open_interest, liquidations, funding; all.",
        ),
    ] = None,
    duration: Annotated[
        str, typer.Option("--for", metavar="TIME", help="End after 90s, 10m, 2h or 3d.")
    ] = "",
    settings: Annotated[
        Path | None,
        typer.Option("--settings", metavar="FILE", help="JSON for ccxt: proxies, urls."),
    ] = None,
) -> int:
    """Record closes, open interest, liquidations by side and funding of an exchange.

    The folder is a scenario: it primes a guard, gives floors, and can be backtested. Minutes
    that were not heard nine tenths are left out: a gap stays a gap. It goes on where it was when
    it is started again; a kill loses what was heard in the last ten seconds at most. No keys are
    needed. ccxt is: pip install "riskguard[data]". A feed of a plug-in has to be allowed, and
    may stand alone; what it brings cannot come from the exchange as well.

    Example: riskguard record --exchange bybit --symbol BTC/USDT:USDT --out rec

    Exit codes: 0 it ended by --for or SIGTERM or Ctrl-C with all on disk, 1 the folder, the
    venue or a plug-in is refused, or the disk was to the end, 2 wrong use, 5 another process
    records into the folder.
    """
    import asyncio

    from riskguard.feeds.recorder import opened
    from riskguard.feeds.recorder import record as recording

    feeds = tuple(feed or ())
    if not symbol:
        raise WrongUse("--symbol is missing", "write --symbol BTC/USDT:USDT")
    if not exchange and not feeds:
        raise WrongUse("--exchange is missing", "write --exchange bybit")
    seconds = _seconds(duration) if duration else None
    made, wanted = _settings(settings), _series(series)

    symbols = tuple(dict.fromkeys(symbol))

    async def run() -> Recording:
        venue = opened(exchange, made) if exchange else None
        of = ", ".join(filter(None, (exchange, *feeds)))
        print(f"recording {', '.join(symbols)} of {of} into {out}", flush=True)
        return await recording(
            venue, symbols, out,
            seconds=seconds, series=wanted, plugins=feeds, tell=_telling(),
        )  # fmt: skip

    found = asyncio.run(run())
    if found.late:
        print(f"{found.late} liquidations came too late for their minute")
    if found.waiting:
        msg = f"the disk refused to the end: {found.waiting} rows are lost"
        raise DataError(msg, path=str(out), help="make room, and start it again")
    print(f"stopped; all that was heard is in {out}")
    return 0


def _series(given: list[str] | None) -> tuple[str, ...]:
    from riskguard.feeds.plugged import SERIES

    wrong = [one for one in given or () if one not in SERIES]
    if wrong:
        raise WrongUse(f"--series {wrong[0]!r} is none", f"write one of {', '.join(SERIES)}")
    return tuple(given or SERIES)


def _telling() -> Callable[[dict[str, int], dict[str, str]], None]:
    """Return what says once which feeds fail or are well, and each minute what was written."""
    failing: dict[str, str] = {}
    flushes = 0

    def tell(written: dict[str, int], faults: dict[str, str]) -> None:
        nonlocal flushes
        for name in sorted(failing.keys() - faults.keys()):
            print(f"{name}: well again", file=sys.stderr, flush=True)
        for name, why in sorted(faults.items()):
            ended = why.startswith(ENDED)
            if name not in failing or ended != failing[name].startswith(ENDED):
                again = "" if ended else "; it is tried again"
                print(f"{name}: {why}{again}", file=sys.stderr, flush=True)
        failing.clear()
        failing.update(faults)
        flushes += 1
        if flushes % 6 == 1 and written:
            rows = ", ".join(f"{name} +{count}" for name, count in written.items())
            print(f"rows since the start: {rows}", flush=True)

    return tell


def _seconds(text: str) -> float:
    number, unit = text[:-1], text[-1:]
    if unit not in UNITS or not number.replace(".", "", 1).isdigit() or float(number) <= 0:
        raise WrongUse(f"--for {text!r} is no time", "write 90s, 10m, 2h or 3d")
    return float(number) * UNITS[unit]


def _settings(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WrongUse(f"--settings {path}: {error}", "give a file of JSON") from error
    if not isinstance(found, dict):
        raise WrongUse(f"--settings {path} holds no object", 'write {"httpsProxy": "..."}')
    return found
