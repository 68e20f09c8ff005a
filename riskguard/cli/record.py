"""`riskguard record`: what an exchange tells, into a folder that primes a guard tomorrow."""

from __future__ import annotations

import json
import re
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskguard.cli import given
from riskguard.cli.failures import WrongUse
from riskguard.cli.states import AsJson
from riskguard.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from riskguard.feeds.recording import Recording

__all__ = ["record"]

ENDED = "quarantined"
METAVARS = {
    "--symbol": "SYMBOL",
    "--out": "FOLDER",
    "--exchange": "NAME",
    "--feed": "NAME",
    "--series": "NAME",
    "--for": "TIME",
    "--settings": "FILE",
}
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
    out: Annotated[str, typer.Option("--out", metavar="FOLDER", help="Where to write.")],
    exchange: Annotated[
        str | None,
        typer.Option(
            "--exchange",
            metavar="NAME",
            help="binanceusdm, binancecoinm, bybit, okx or gate, as ccxt names it.",
        ),
    ] = None,
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
        str | None, typer.Option("--for", metavar="TIME", help="End after 90s, 10m, 2h or 3d.")
    ] = None,
    settings: Annotated[
        str | None,
        typer.Option("--settings", metavar="FILE", help="JSON for ccxt: proxies, urls."),
    ] = None,
    as_json: AsJson = False,
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
    given.filled(
        METAVARS, {"--for": duration, "--exchange": exchange, "--out": out, "--settings": settings}
    )
    for option, several in (("--symbol", symbol), ("--feed", feeds), ("--series", series or ())):
        for one in several:
            given.filled(METAVARS, {option: one})
    if not exchange and not feeds:
        raise WrongUse("--exchange is missing", "write --exchange bybit")
    seconds, made, wanted = _seconds(duration), _settings(settings), _series(series)

    symbols = tuple(dict.fromkeys(symbol))
    say = partial(print, file=sys.stderr if as_json else None, flush=True)

    async def run() -> Recording:
        venue = opened(exchange, made) if exchange else None
        of = ", ".join(filter(None, (exchange, *feeds)))
        say(f"recording {', '.join(symbols)} of {of} into {out}")
        return await recording(
            venue, symbols, Path(out),
            seconds=seconds, series=wanted, plugins=feeds, tell=_telling(say),
        )  # fmt: skip

    found = asyncio.run(run())
    if as_json:
        print(json.dumps(_plain(found, exchange, feeds), indent=2))
    elif found.late:
        print(f"{found.late} liquidations came too late for their minute")
    if found.waiting:
        msg = f"the disk refused to the end: {found.waiting} rows are lost"
        raise DataError(msg, path=out, help="make room, and start it again")
    if not as_json:
        print(f"stopped; all that was heard is in {out}")
    return 0


def _plain(found: Recording, exchange: str | None, feeds: Sequence[str]) -> dict[str, Any]:
    return {
        "folder": str(found.folder),
        "exchange": exchange,
        "feeds": list(feeds),
        "symbols": list(found.symbols),
        "rows": found.written,
        "late": found.late,
        "lost": found.waiting,
    }


def _series(asked: list[str] | None) -> tuple[str, ...]:
    from riskguard.feeds.plugged import SERIES

    wrong = [one for one in asked or () if one not in SERIES]
    if wrong:
        raise WrongUse(f"--series '{wrong[0]}' is none", f"write one of {', '.join(SERIES)}")
    return tuple(asked or SERIES)


def _telling(say: Callable[[str], None]) -> Callable[[dict[str, int], dict[str, str]], None]:
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
            say(f"rows since the start: {rows}")

    return tell


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)\s*([smhd])", text.strip())
    seconds = float(match[1]) * UNITS[match[2]] if match else 0.0
    if not seconds:
        raise WrongUse(f"--for '{text}' is no time", "write 90s, 10m, 2h or 3d")
    return seconds


def _settings(path: str | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        fix = "write the path of a file of JSON"
        raise WrongUse(f"--settings {path}: {error.strerror}", fix) from error
    except (ValueError, RecursionError) as error:
        raise WrongUse(f"--settings {path}: {error}", "give a file of JSON") from error
    if not isinstance(found, dict):
        raise WrongUse(f"--settings {path} holds no object", 'write {"httpsProxy": "..."}')
    return found
