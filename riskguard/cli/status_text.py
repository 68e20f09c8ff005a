"""What `riskguard status` prints: the most important thing first, then how everything stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from riskguard.backtest.text_figures import moment, number, percent
from riskguard.cli.live_text import age, heading, latches, line_parts, nearest, wrapped
from riskguard.engine.quorum import apart
from riskguard.errors import visible
from riskguard.market import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from riskguard.live.looking import Look

__all__ = ["alarms", "lines"]

LABEL = 12
DOUBT = 5 * SECOND  # by which the clocks may differ without a word
MOST_LINES, MOST_TEXTS = 12, 3


def alarms(found: Look) -> Iterator[str]:
    """Yield what an operator has to know, the most important first."""
    status = found.status
    if found.unasked:
        yield (
            f"NOT ASKED: no request can be left ({found.unasked}), so that process"
            f" {found.process} could not be asked. What follows is what was stored last"
        )
    elif found.process and found.how != "told":
        yield (
            f"NO ANSWER: process {found.process} holds the state and has not answered: does"
            " its loop hang? What follows is what was stored last"
        )
    if status["killed"]:
        yield "KILL: the kill switch is set; remove the file KILL, then: riskguard resume"
    if status["halt"]:
        halt = status["halt"]
        yield f"HALTED BY HAND since {moment(halt['since'])}: {halt['reason'] or 'no reason'}"
    causes = (
        ("STATE LOST: nothing enters until riskguard resume", status["lost"] or ""),
        ("GUARD ERROR: the guard failed inside, nothing enters", status["fault"] or ""),
        ("DEGRADED: nothing loosens while the disk refuses", status["degraded"]),
        ("BLIND: nothing enters, too old", ", ".join(status["blind"])),
        ("PRIMING: nothing enters until it has seen enough", _some(status["priming"])),
        ("  to become warm", status.get("warming", "")),
        ("QUARANTINED until riskguard reload", _quarantined(status)),
        ("STALE RULES: the rule file as it lies there is not in force", _joined(found.changed)),
        ("FLAPPING: latched, for it turned too often", _flapping(status)),
        ("STILL ON from an earlier file", ", ".join(status["still_on_from_earlier_rules"])),
    )
    yield from (f"NOT OBEYED YET, the next start does: {asked}" for asked in found.waits)
    yield from (f"{said}: {why}" for said, why in causes if why)
    if not found.process:
        how = "stopped" if found.stopped else "ended without a word"
        yield f"NOT RUNNING: no process holds the state; the last {how}, {moment(found.stored)}"
    if status["clock_behind"]:
        yield (
            "CLOCK BEHIND: nothing enters: at its start the clock told a time before what is"
            " stored; set it right, and the first feed that agrees with it ends this"
        )
    if abs(status["clock_off_ns"] or 0) > DOUBT:
        yield f"CLOCK: the wall clock is {age(abs(status['clock_off_ns']))} off that of the guard"


def _joined(text: str) -> str:
    """Return a finding and its help in one line, without the piece of the file between them."""
    first, *rest = text.splitlines() or [""]
    return "; ".join([first, *(line.strip()[2:] for line in rest if line.strip()[:2] == "= ")])


def _flapping(status: Mapping[str, Any]) -> str:
    held = [name for name, latch, _ in latches(status) if latch.get("held_for")]
    return ", ".join(f"{name} (riskguard release {name})" for name in held)


def _quarantined(status: Mapping[str, Any]) -> str:
    """Return the plug-ins that are never called again, each with what it failed with last."""
    plugged = [
        (f"action {one['action']}" if "action" in one else str(one["measure"]), one)
        for one in (*status.get("plugins", ()), *status.get("actions", ()))
    ]
    return _some([f"{name} ({one['fault']})" for name, one in plugged if one["quarantined"]])


def _some(texts: Sequence[str]) -> str:
    more = len(texts) - MOST_TEXTS
    return "; ".join(texts[:MOST_TEXTS]) + (f"; and {more} more" if more > 0 else "")


def lines(found: Look) -> Iterator[str]:
    """Yield how a guard is."""
    status = found.status
    now = status["now"] or 0
    told = list(alarms(found))
    summary = _summary(status)
    yield from wrapped(told[0] if told else summary)
    for text in told[1:]:
        yield from wrapped(text)
    if told:
        yield from _row("decision", summary)
    for name, latch, hint in latches(status):
        if latch["on"]:
            yield from _row("on", heading(name, latch, now, hint))
    for name, mute in sorted(status["mutes"].items()):
        yield from _row("muted", f"{name} until {moment(mute['until'])} ({mute['reason']})")
    if status["single_venue"]:
        names = ", ".join(status["single_venue"])
        yield from _row("one venue", f"{names}: a bad print counts; only `for` waits for a second")
    for name, one in status.get("venues", {}).items():
        yield from _row("venues", _venues(name, one))
    yield from _duties(status)
    yield from _facts(found, now)
    yield from _triggers(status)
    yield from _inputs(status)
    counted = status["refused"] | status["intake_refused"]
    for said, count in sorted(counted.items()):
        yield from _row("refused", f"{count:,} x {said}")


def _summary(status: Mapping[str, Any]) -> str:
    fields = status["fields"]
    cap = fields["exposure_cap"]["value"] if "exposure_cap" in fields else 1.0
    stage = f", stage {status['stage']['name']}" if status["stages"] else ""
    by = list(dict.fromkeys(one["winner"] for one in fields.values()))
    latched = ", LATCHED" if status["latched"] else ""
    of = f" by {', '.join(by)}" if by else ""
    return f"{status['state']}{latched}{stage}, exposure cap {percent(cap, 0)}{of}"


def _venues(name: str, price: Mapping[str, Any]) -> str:
    """Return what several venues say of one price, in one line."""
    last = "unknown" if price["last"] is None else number(price["last"])
    told = []
    for venue, ts, said in apart(price):
        if said is not None:
            told.append(f"{venue} departs with {number(said)}")
        else:
            told.append(f"{venue} silent since {moment(ts)}" if ts else f"{venue} never heard")
    if price["doubt"] is not None:
        told.append(f"in doubt since {moment(price['doubt'])}")
    return f"{name} {last} of {', '.join(price['venues'])}: {'; '.join(told) or 'they agree'}"


def _duties(status: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is to be done, and what action plug-ins were told last."""
    for name in status["outstanding"]:
        yield from _row("to do", name)
    for action in status.get("actions", ()):
        for name, how in action["told"].items():
            yield from _row("told", f"{name}: {how}")


def _facts(found: Look, now: int) -> Iterator[str]:
    status = found.status
    if found.process:
        yield from _row("process", f"{found.process} holds the state")
    if status["as_of"] is not None:
        since = age(max(0, now - status["as_of"]))
        yield from _row("decided", f"{moment(status['as_of'])}, {since} before {moment(now)}")
    yield from _row("rules", status["hash"][:12])
    yield f"{'file':<{LABEL}}{visible(status['file'])}"  # whole, to be copied
    drilled = "never, as far as is stored: riskguard drill"
    if found.drilled is not None:
        same = found.drilled_rules == status["hash"]
        rules = "these rules" if same else f"other rules ({found.drilled_rules[:12] or 'unknown'})"
        drilled = f"{moment(found.drilled)}, of {rules}"
    yield from _row("last drill", drilled)


def _triggers(status: Mapping[str, Any]) -> Iterator[str]:
    found = nearest(status)
    if found:
        yield "to trigger, nearest first"
    for name, one in found[:MOST_LINES]:
        text, far = line_parts(one)
        yield from wrapped(f"{name}: {text}" + (f"  ({far})" if far else ""), "  ", "    ")
    if len(found) > MOST_LINES:
        yield f"  and {len(found) - MOST_LINES} more: --json has all"


def _inputs(status: Mapping[str, Any]) -> Iterator[str]:
    if status["inputs"]:
        yield "inputs"
    for name, one in status["inputs"].items():
        how = "never came" if one["age"] is None else f"{age(one['age'])} old"
        most = f"at most {age(one['max_age'])}" + ("" if one["needed"] else ", not needed")
        late = "BLIND  " if one["blind"] else ""
        yield from wrapped(f"{late}{name}  {how} ({most})", "  ", "    ")


def _row(label: str, text: str) -> Iterator[str]:
    yield from wrapped(f"{label:<{LABEL}}{text}", "", " " * LABEL)
