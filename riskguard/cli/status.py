"""`riskguard status`: how a guard is, the most important thing first."""

from __future__ import annotations

import json

from riskguard.cli.states import AsJson, StateArgument, state_folder

__all__ = ["status"]


def status(state: StateArgument, as_json: AsJson = False) -> int:
    """Tell how a guard is: what is on, how far each line is, what its inputs do.

    The bot that holds the state is asked; where none does, or it does not answer within three
    seconds, what is stored is told, and that it is so.

    Example: riskguard status state/btc

    Exit codes: 0 fine, 1 the state cannot be read, 2 wrong use.
    """
    from riskguard.cli import status_text
    from riskguard.live.looking import look

    found = look(state_folder(state, "STATE"))
    if as_json:
        known = {
            "alarms": list(status_text.alarms(found)),
            "how": found.how,
            "process": found.process,
            "stored_until": found.stored,
            "last_drill": found.drilled,
            "last_drill_rules": found.drilled_rules,
        }
        print(json.dumps(found.status | known, indent=2))
    else:
        print("\n".join(status_text.lines(found)))
    return 0
