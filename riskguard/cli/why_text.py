"""What `riskguard why` prints: a decision in a sentence, who set it, its lines with figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from riskguard.backtest.text_figures import moment, percent
from riskguard.cli.live_text import (
    age,
    asked,
    heading,
    latches,
    line,
    line_parts,
    nearest,
    wrapped,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from riskguard.live.looking import Look

__all__ = ["lines"]

ALLOWED = {
    "HALTED": "nothing may be held and nothing opened",
    "REDUCING": "nothing may be opened or enlarged",
    "CAUTION": "entries are limited",
    "ACTIVE": "nothing is limited",
}
ORDER = (
    "exposure_cap", "close", "reduce_only", "block_entries", "leverage_cap", "reduce_by", "stop",
    "hedge", "cancel_orders",
)  # fmt: skip
NEAREST = 3
CAUSES = {
    "manual": "an operator",
    "blind": "the guard is blind",
    "priming": "the guard has not seen enough yet",
    "guard_error": "the guard failed inside",
}


def lines(found: Look, when: int | None) -> Iterator[str]:
    """Yield why a decision stands; `when` is the time that was asked for, None for now."""
    status = found.status
    now = when if when is not None else status["now"] or status["as_of"] or 0
    yield from wrapped(_head(status, now))
    yield from wrapped(_sentence(status, now))
    told: set[str] = set()
    for name in ORDER:
        if name in status["fields"]:
            yield from wrapped(f"{name} {_field(status, name, now, told)}", "  ", "    ")
    yield from _senses(status)
    on = [item for item in latches(status) if item[1]["on"]]
    for name, latch, hint in on:
        yield from _latch(name, latch, now, hint)
    if not on:
        yield from _nearest(status)
    yield from wrapped(_known(found, when))


def _head(status: Mapping[str, Any], now: int) -> str:
    stage = f"stage {status['stage']['name']}  " if status["stages"] else ""
    latched = " LATCHED" if status["latched"] else ""
    fields = status["fields"]
    cap = fields["exposure_cap"]["value"] if "exposure_cap" in fields else 1.0
    return (
        f"{moment(now)}  {status['symbol'] or 'no bar yet'}  {stage}"
        f"state {status['state']}{latched}  exposure_cap {percent(cap, 0)}"
    )


def _sentence(status: Mapping[str, Any], now: int) -> str:
    said = ALLOWED[status["state"]]
    causes = []
    for name in ORDER:
        winner = status["fields"].get(name, {}).get("winner")
        if winner and winner not in causes:
            causes.append(winner)
    why = " and ".join(_cause(status, name, now) for name in causes[:2])
    text = f"{said[0].upper()}{said[1:]}" + (f": {why}" if why else "")
    return f"{text}. Exits and cancels pass."


def _cause(status: Mapping[str, Any], name: str, now: int) -> str:
    if name == "manual" and status.get("halt"):
        halt = status["halt"]
        return f"halted by hand since {moment(halt['since'])} ({halt['reason'] or 'no reason'})"
    if name in CAUSES:
        return CAUSES[name]
    if name.startswith("reentry "):
        return f"the way back after {name.removeprefix('reentry ')} is not over"
    for other, latch, hint in latches(status):
        if other == name and latch["on"]:
            since = latch["since"]
            tail = f" since {moment(since)} ({age(now - since)})" if since is not None else ""
            return f"{name} is on{tail}{f', {hint}' if hint else ''}"
    return name


def _field(status: Mapping[str, Any], name: str, now: int, told: set[str]) -> str:
    """Return the value of a field, who set it, and who would have."""
    field = status["fields"][name]
    winner, value = field["winner"], field["value"]
    text = f"{asked(name, value)}  <- "
    text += winner if winner in told else _winner(status, winner, now, (name, value))
    told.add(winner)
    others = [_other(status, name, other) for other in field["others"]]
    return text + (f"; also {', '.join(others)}" if others else "")


def _winner(status: Mapping[str, Any], name: str, now: int, wanted: tuple[str, Any]) -> str:
    """Return who won, since when; of two files with a rule of that name, the one that asks so."""
    found = [item for item in latches(status) if item[0] == name and item[1]["on"]]
    field, value = wanted
    exact = [item for item in found if item[1]["asks"].get(field) == value]
    for _, latch, hint in exact or found:
        if latch["since"] is not None:
            said = heading(name, latch, now, hint).removeprefix(f"{name}: on ")
            return f"{name} ({said})"
    return name


def _other(status: Mapping[str, Any], field: str, name: str) -> str:
    values = [
        asked(field, latch["asks"][field]) + (f" {hint}" if hint else "")
        for other, latch, hint in latches(status)
        if other == name and latch["on"] and field in latch["asks"]
    ]
    if field == "exposure_cap":
        values += [asked(field, one["cap"]) for one in status["ramps"] if one["name"] == name]
    return f"{name} {' and '.join(values)}" if values else name


def _senses(status: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was set by hand, what is not seen, and what fails."""
    if status.get("fault"):
        yield from wrapped(f"the guard failed inside: {status['fault']}", "  ", "    ")
    for text in status["by_hand"]:
        yield from wrapped(f"by hand: {text}", "  ", "    ")
    for name in status["blind"]:
        one = status.get("inputs", {}).get(name)
        old = "never came" if one is None or one["age"] is None else f"{age(one['age'])} old"
        most = f", at most {age(one['max_age'])}" if one is not None else ""
        yield from wrapped(f"blind: {name} {old}{most}", "  ", "    ")
    for text in status["priming"]:
        yield from wrapped(f"priming: {text}", "  ", "    ")


def _latch(name: str, latch: Mapping[str, Any], now: int, hint: str) -> Iterator[str]:
    yield from wrapped(heading(name, latch, now, hint), "  ", "    ")
    fires = [one for one in latch["lines"] if one["role"] == "when"]
    frees = [one for one in latch["lines"] if one["role"] == "clear"]
    holds = [one for one in fires if one["truth"] == "true"]
    unknown = [one for one in fires if one["truth"] == "unknown"]
    if not holds and fires:
        said = "is not known now" if unknown else "no longer holds"
        yield from wrapped(f"what turned it on {said}", "    ")
    for one in holds or unknown or fires:
        yield from line(one)
    waits = [one for one in frees if one["truth"] != "true"]
    if frees:
        yield "    to clear" + ("" if waits else ": all of it holds")
        for one in frees:
            yield from line(one, "      ")
    elif holds and not latch.get("latched"):
        yield "    to clear: the lines above no longer hold"


def _nearest(status: Mapping[str, Any]) -> Iterator[str]:
    found = nearest(status)[:NEAREST]
    if found:
        yield "  nothing is on; nearest to it"
    for name, one in found:
        text, far = line_parts(one)
        yield from wrapped(f"{name}: {text}" + (f"  ({far})" if far else ""), "    ")


def _known(found: Look, when: int | None) -> str:
    """Return from where this is known, and what may be missing."""
    process = f"process {found.process}"
    if found.how == "told":
        return f"told by {process}, which holds the state"
    if found.how == "recalled":
        return (
            "from the decision that was stored: the journal does not reach so far back that it"
            " could be decided again, so distances are not known"
        )
    until = f"stored until {moment(found.stored)}"
    if found.how == "replayed":
        late = when is not None and when > found.stored and found.process
        more = f"; {process} may know more: riskguard why now" if late else ""
        return f"decided again from the journal, {until}{more}"
    hung = f"; {process} holds the state and does not answer" if found.process else ""
    return f"no process holds the state: {until}" if not hung else f"{until}{hung}"
