"""`riskguard halt`, `resume`, `release`, `mute` and `reload`: what an operator says to a guard."""

from __future__ import annotations

import re
import time
from typing import Annotated

import typer

from riskguard.cli.failures import FINDINGS, WrongUse
from riskguard.cli.states import StateOption, operator, state_folder
from riskguard.market import DAY, HOUR, MINUTE, SECOND, WEEK

__all__ = ["halt", "mute", "release", "reload", "resume"]

UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": WEEK}
LONGEST = 52 * WEEK

Reason = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why; it stands in the journal.")
]
RuleArgument = Annotated[
    str, typer.Argument(metavar="RULE", help='Name of a rule; of a stage "stage NAME".')
]


def halt(state: StateOption, reason: Reason) -> int:
    """Halt: flat, nothing enters, until `riskguard resume`. Exits pass.

    Without this program a file called KILL in the folder of the state does the same.

    Example: riskguard halt --state state/btc --reason "the exchange is odd"

    Exit codes: 0 done or left for the next start, 1 refused, 2 wrong use.
    """
    return _ordered(state, {"do": "halt"}, reason, "halted")


def resume(state: StateOption, reason: Reason) -> int:
    """End a halt; what rules ask for stays in force.

    Example: riskguard resume --state state/btc --reason "the exchange is back"

    Exit codes: 0 done or left for the next start, 1 refused, 2 wrong use.
    """
    return _ordered(state, {"do": "resume"}, reason, "resumed")


def release(rule: RuleArgument, state: StateOption, reason: Reason) -> int:
    """Let a latched rule go, or one of an earlier rule file that is still on.

    Open interest (`oi`, `oi_usd`, `ETH.oi`) is let go of too, where its first values came in a
    wrong unit: it begins anew in whatever unit comes next, and nothing enters until its windows
    are full again.

    Example: riskguard release big_loss --state state/btc --reason "seen and understood"

    Exit codes: 0 done or left for the next start, 1 refused, 2 wrong use.
    """
    return _ordered(state, {"do": "release", "rule": _rule(rule)}, reason, f"released {rule}")


def mute(
    rule: RuleArgument,
    state: StateOption,
    reason: Reason,
    span: Annotated[
        str, typer.Option("--for", metavar="TIME", help="For how long: 30m, 2h, 1d.")
    ] = "2h",
) -> int:
    """Silence the messages of a rule for a time, and nothing else: it goes on protecting.

    Example: riskguard mute fall --for 2h --state state/btc --reason "known"

    Exit codes: 0 done or left for the next start, 1 refused, 2 wrong use.
    """
    until = time.time_ns() + _span(span)
    request = {"do": "mute", "rule": _rule(rule), "until": until}
    return _ordered(state, request, reason, f"muted {rule} for {span}")


def reload(state: StateOption, reason: Reason) -> int:
    """Put the rule file as it lies there now in force, in the bot that runs.

    A file with an error changes nothing. A rule that is on stays on as it was, until it clears
    or is released. A start reads the file anyway.

    Example: riskguard reload --state state/btc --reason "lower support"

    Exit codes: 0 done, 1 refused or no bot runs, 2 wrong use.
    """
    from riskguard.store import Journal

    if Journal(state_folder(state)).holder() is None:
        print("no process holds the state: the next start reads the rule file")
        return FINDINGS
    return _ordered(state, {"do": "reload"}, reason, "reloaded")


def _ordered(state: str, request: dict[str, object], reason: str, done: str) -> int:
    """Leave a request, and say what became of it."""
    from riskguard.cli.live_text import wrapped
    from riskguard.live.operating import ask

    folder = state_folder(state)
    if not reason.strip():
        raise WrongUse("--reason is empty", 'write why: --reason "the exchange is odd"')
    whole = request | {"by": operator(), "note": reason.strip()}
    answer = ask(folder, whole, time.time_ns())
    if answer.refused:
        if request["do"] == "reload":  # a finding with its line, as `check` shows it
            print(f"refused, the rules in force stay\n{answer.refused}")
        else:
            told = f"refused: {answer.refused}".splitlines()
            print("\n".join(row for line in told for row in wrapped(line)))
        return FINDINGS
    if answer.waits:
        print("\n".join(wrapped(f"left in {folder}, to be obeyed when {answer.waits}")))
        return 0
    print(done)
    if answer.told.get("degraded"):
        why = f"in force, and not stored yet: the disk refuses ({answer.told['degraded']})"
        print("\n".join(wrapped(why)))
    return 0


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
