"""A recording read back as events: the history that primes a guard."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from riskguard.engine.events import Event
from riskguard.errors import DataError
from riskguard.feeds.recording import ABOUT, OURS, SERIES_OF, UNITS
from riskguard.feeds.table import rows, stamp
from riskguard.market import DAY, HOUR, MINUTE, SECOND, coin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["recorded"]


def recorded(folder: Path, since: int = 0) -> Iterator[Event]:
    """Yield what was recorded after `since` (ns) as events, in order of time: a guard's history.

    Raises:
        DataError: the folder is no recording, or a row cannot be read.
    """
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        venue, symbols = str(about["venue"]), [str(one) for one in about["symbols"]]
        plugins = dict(about.get("plugins", {})).items()
        brought = {one: name for name, of in plugins for one in (*of["series"], *of["values"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"no recording: {error}"
        help_ = "record one: riskguard record --exchange bybit --symbol BTC/USDT:USDT --out FOLDER"
        raise DataError(msg, path=str(folder), help=help_) from error
    known = {coin(symbol): symbol for symbol in symbols}
    found: list[Event] = []
    for path in sorted(folder.glob("*.csv")):
        name, _, what = path.stem.partition("-")
        kind = what.rpartition("-")[0]
        if name in known and (OURS.fullmatch(what) or kind in brought):
            source = brought.get(SERIES_OF.get(kind, kind), venue)
            found += _events(path, what, known[name], source, since)
    found.sort(key=lambda event: (event.ts, event.kind, event.symbol, event.id))
    yield from found


def _events(path: Path, what: str, symbol: str, source: str, since: int) -> Iterator[Event]:
    kind, _, interval = what.rpartition("-")
    width = int(interval[:-1]) * {"m": MINUTE, "h": HOUR, "d": DAY}[interval[-1]]
    for ts, values in rows(path):
        end = ts + width if kind in ("", "liquidations") else ts
        if end <= since:
            continue
        for number, (word, data) in enumerate(_facts(kind, width, values)):
            at = end if word != "begins" else ts + SECOND
            word = "alive" if word == "begins" else word  # noqa: PLW2901 - how it is told
            yield Event(
                at, word, symbol, data, source=source, id=f"{path.stem}:{stamp(ts)}:{number}"
            )


def _facts(
    kind: str, width: int, values: dict[str, float]
) -> Iterator[tuple[str, dict[str, object]]]:
    if not kind:
        yield "bar", {**values, "interval_ns": width}
    elif kind == "oi":
        units = {column: unit for unit, column in UNITS.items()}
        yield "open_interest", {units[column]: value for column, value in values.items()}
    elif kind == "funding":
        yield "funding", {"rate": values["funding_rate"], "interval_hours": width / HOUR}
    elif kind == "liquidations":
        for column, value in values.items():
            side = column.split("_")[1]
            yield "begins", {"series": f"liq.{side}"}
            if value:
                yield "liquidation", {"liquidated_side": side, "notional_usd": value}
            yield "alive", {"series": f"liq.{side}"}
    else:
        for series, value in values.items():
            yield "value", {"series": series, "value": value}
