"""What status and why print alike: rules that are on, their lines, and who set what."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from riskguard.backtest.text_figures import change, duration, moment, number, percent
from riskguard.backtest.text_timeline import reading_text
from riskguard.engine.decision import Reading
from riskguard.errors import visible
from riskguard.market import MINUTE, SECOND, time_text
from riskguard.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "WIDTH", "age", "asked", "heading", "latches", "line", "line_parts", "nearest", "wrapped",
]  # fmt: skip

WIDTH = 80
MARKS = {"true": "T", "false": "F", "unknown": "U"}
WHY_UNKNOWN = {
    "never_seen": "nothing has come yet",
    "rejected": "what came last was refused",
    "stale": "what came last is too old",
    "warming": "it has not seen enough yet",
    "gap": "there is a hole in its data",
    "undefined": "it cannot be computed",
}


def wrapped(text: str, indent: str = "", more: str = "  ") -> list[str]:
    """Return a text in lines of 80 columns; an old journal may hold what is not kept any more."""
    return textwrap.wrap(
        visible(redacted(text)),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + more,
        break_on_hyphens=False,
    )


def age(span: int) -> str:
    """Return how old something is: "4m", "36h"; below two minutes in seconds."""
    return duration(span // SECOND * SECOND) if span < 2 * MINUTE else time_text(span)


def asked(name: str, value: Any) -> str:  # noqa: ANN401 - of any field of a decision
    """Return the value of a field of a decision: "0%", "2x", "both"."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name in {"exposure_cap", "hedge", "reduce_by"} and value is not None:
        return percent(value, 0)
    if name == "leverage_cap" and value is not None:
        return f"{value:g}x"
    if name == "stop" and isinstance(value, dict):
        return f"{value['atr']:g} ATR" if value["atr"] is not None else percent(value["share"])
    return f"{number(value)} away" if isinstance(value, float) else str(value)


def latches(status: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    """Yield each stage and rule: how a decision calls it, what it is, and of which file."""
    for of in (status, *status["earlier"]):
        hint = "" if of is status else f"of an earlier file ({of['hash'][:8]})"
        for one in of["stages"]:
            yield f"stage {one['name']}", one, hint
        for one in of["rules"]:
            yield one["name"], one, hint


def heading(name: str, latch: Mapping[str, Any], now: int, hint: str = "") -> str:
    """Return what is said of a rule that is on: "fall: on since ..., held 1h of at least 4h"."""
    since, until = latch.get("since"), latch.get("held_until")
    said = [f"on since {moment(since)}" if since is not None else "on"]
    if since is not None and until is not None:
        said.append(f"held {age(max(0, now - since))} of at least {age(until - since)}")
    elif since is not None:
        said.append(f"for {age(max(0, now - since))}")
    if latch.get("held_for"):
        said.append(latch["held_for"])
    if latch.get("latched"):
        said.append(f"waits for a release by hand: riskguard release {name}")
    return f"{name}: {', '.join([*said, *([hint] if hint else [])])}"


def line_parts(one: Mapping[str, Any]) -> tuple[str, str]:
    """Return a line with its value, and how far it is from turning or why it is unknown."""
    reading = Reading(
        "", one["line"], one["value"], one["threshold"], one["margin"], one["truth"],
        one["dimension"], one["role"],
    )  # fmt: skip
    text = reading_text(reading)
    if one["truth"] == "unknown":
        why = WHY_UNKNOWN.get(one["unknown"] or "", "")
        return text, f"unknown{f': {why}' if why else ''}"
    if one["truth"] == "false" and one["distance"]:
        return text, f"needs {change(one['distance'], one['dimension'])}"
    if one["truth"] == "false" and one["distance"] == 0.0:
        return text, "met, but not for long enough"
    if one["margin"] is None:
        return text, ""
    return text, f"margin {change(one['margin'], one['dimension'])}"


def line(one: Mapping[str, Any], indent: str = "    ") -> list[str]:
    """Return one line of a rule with its mark: "T  close 64,856 < 69,650  (margin -6.9%)"."""
    text, far = line_parts(one)
    tail = f"  ({far})" if far else ""
    return wrapped(f"{MARKS[one['truth']]}  {text}{tail}", indent, "   ")


def nearest(status: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the lines that could turn something on, nearest first; unknown ones come last.

    A stage below the one that is on turns nothing on.
    """
    rungs = [one["on"] for one in status["stages"]]
    below = {f"stage {one['name']}" for one in status["stages"][: [*rungs, True].index(True)]}
    found = [
        (name, one)
        for name, latch, hint in latches(status)
        if not latch["on"] and not hint and (name not in below or True not in rungs)
        for one in latch["lines"]
        if one["role"] == "when"
    ]
    return sorted(found, key=_far)


def _far(item: tuple[str, Mapping[str, Any]]) -> tuple[bool, float]:
    distance = item[1]["distance"]
    return distance is None, abs(distance or 0.0)
