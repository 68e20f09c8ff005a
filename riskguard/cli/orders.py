"""`riskguard halt`, `resume`, `release`, `mute` and `reload`: what an operator says to a guard."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskguard.cli.failures import FINDINGS, WrongUse
from riskguard.cli.states import AsJson, StateOption, operator, state_folder
from riskguard.market import DAY, HOUR, MINUTE, SECOND, WEEK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from riskguard.live.operating import Answer

__all__ = ["halt", "mute", "release", "reload", "resume"]

UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": WEEK}
LONGEST = 52 * WEEK
NO_BOT = "no process holds the state: the next start reads the rule file"

Reason = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why; it stands in the journal.")
]
RuleArgument = Annotated[
    str, typer.Argument(metavar="RULE", help='Name of a rule; of a stage "stage NAME".')
]


def halt(state: StateOption, reason: Reason, as_json: AsJson = False) -> int:
    """Halt: flat, nothing enters, until `riskguard resume`. Exits pass.

    Without this program a file called KILL in the folder of the state does the same.

    Example: riskguard halt --state state/btc --reason "the exchange is odd"

    Exit codes: 0 done or left for the next start, 1 refused, 2 wrong use.
    """
    return _ordered(state, {"do": "halt"}, reason, "halted", as_json=as_json)


def resume(state: StateOption, reason: Reason, as_json: AsJson = False) -> int:
    """End a halt; what rules ask for stays in force.

    Example: riskguard resume --state state/btc --reason "the exchange is back"

    Exit codes: 0 done or left for the next start, 1 refused, 2 wrong use.
    """
    return _ordered(state, {"do": "resume"}, reason, "resumed", as_json=as_json)


def release(rule: RuleArgument, state: StateOption, reason: Reason, as_json: AsJson = False) -> int:
    """Let a latched rule go, or one of an earlier rule file that is still on.

    Open interest (`oi`, `oi_usd`, `ETH.oi`) is let go of too, where its first values came in a
    wrong unit: it begins anew in whatever unit comes next, and nothing enters until its windows
    are full again.

    Example: riskguard release big_loss --state state/btc --reason "seen and understood"

    Exit codes: 0 done or left for the next start, 1 refused, 2 wrong use.
    """
    request: dict[str, object] = {"do": "release", "rule": _rule(rule)}
    return _ordered(state, request, reason, f"released {rule}", as_json=as_json)


def mute(
    rule: RuleArgument,
    state: StateOption,
    reason: Reason,
    span: Annotated[
        str, typer.Option("--for", metavar="TIME", help="For how long: 30m, 2h, 1d.")
    ] = "2h",
    as_json: AsJson = False,
) -> int:
    """Silence the messages of a rule for a time, and nothing else: it goes on protecting.

    Example: riskguard mute fall --for 2h --state state/btc --reason "known"

    Exit codes: 0 done or left for the next start, 1 refused, 2 wrong use.
    """
    until = time.time_ns() + _span(span)
    request = {"do": "mute", "rule": _rule(rule), "until": until}
    return _ordered(state, request, reason, f"muted {rule} for {span}", as_json=as_json)


def reload(state: StateOption, reason: Reason, as_json: AsJson = False) -> int:
    """Put the rule file as it lies there now in force, in the bot that runs.

    A file with an error changes nothing. A rule that is on stays on as it was, until it clears
    or is released. A start reads the file anyway.

    Example: riskguard reload --state state/btc --reason "lower support"

    Exit codes: 0 done, 1 refused or no bot runs, 2 wrong use.
    """
    return _ordered(state, {"do": "reload"}, reason, "reloaded", as_json=as_json)


def _ordered(
    state: str, request: dict[str, object], reason: str, done: str, *, as_json: bool
) -> int:
    """Leave a request, and say what became of it."""
    folder = state_folder(state)
    if not reason.strip():
        raise WrongUse("--reason is empty", 'write why: --reason "the exchange is odd"')
    whole = request | {"by": operator(), "note": reason.strip()}
    answer = _asked(folder, whole)
    if as_json:
        print(json.dumps(_plain(whole, answer), indent=2))
    else:
        print("\n".join(_told(folder, whole, answer, done)))
    return FINDINGS if answer.refused else 0


def _asked(folder: Path, request: dict[str, object]) -> Answer:
    from riskguard.live.operating import Answer, ask
    from riskguard.store import Journal

    if request["do"] == "reload" and Journal(folder).holder() is None:
        return Answer(NO_BOT)
    return ask(folder, request, time.time_ns())


def _plain(request: dict[str, object], answer: Answer) -> dict[str, Any]:
    outcome = "refused" if answer.refused else "waits" if answer.waits else "done"
    return {
        "asked": request,
        "outcome": outcome,
        "why": answer.refused or answer.waits,
        "degraded": answer.told.get("degraded") or "",
    }


def _told(folder: Path, request: dict[str, object], answer: Answer, done: str) -> Iterator[str]:
    from riskguard.cli.live_text import wrapped

    if answer.refused == NO_BOT:
        yield NO_BOT
    elif answer.refused and request["do"] == "reload":  # a finding with its line, as of `check`
        yield f"refused, the rules in force stay\n{answer.refused}"
    elif answer.refused:
        for line in f"refused: {answer.refused}".splitlines():
            yield from wrapped(line)
    elif answer.waits:
        yield from wrapped(f"left in {folder}, to be obeyed when {answer.waits}")
    else:
        yield done
        if answer.told.get("degraded"):
            why = f"in force, and not stored yet: the disk refuses ({answer.told['degraded']})"
            yield from wrapped(why)


def _rule(name: str) -> str:
    if not name.strip():
        raise WrongUse("RULE is empty", "riskguard status shows the rules that are on")
    return name.strip()


def _span(text: str) -> int:
    """Return "30m", "2h" or "1d" in ns."""
    match = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)\s*([smhdw])", text.strip())
    span = round(float(match[1]) * UNITS[match[2]]) if match else 0
    if not 0 < span <= LONGEST:
        raise WrongUse(f"--for '{text}' is not a time up to 52 weeks", "write 30m, 2h or 1d")
    return span
