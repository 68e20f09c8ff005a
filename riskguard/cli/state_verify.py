"""`riskguard state verify`: every row of a journal under its seal, or the first that is not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from riskguard.cli.failures import FINDINGS
from riskguard.cli.states import AsJson, StateArgument, state_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from riskguard.store import Walk

__all__ = ["verify"]

NAMES = {"transition": "transitions", "input": "inputs", "done_action": "actions done"}


def verify(state: StateArgument, as_json: AsJson = False) -> int:
    """Walk the whole journal of a state: each row under its seal, none missing.

    A start looks at what it uses; this looks at all, and changes nothing. A bot may go on
    meanwhile. What is damaged the next start sets aside: it lets nothing enter until a resume.

    Example: riskguard state verify state/btc

    Exit codes: 0 whole, 1 damaged or not to be read, 2 wrong use.
    """
    from riskguard.store import Journal

    found = Journal(state_folder(state, "STATE")).walk()
    if as_json:
        print(json.dumps(found._asdict() | {"whole": not found.damage}, indent=2))
    else:
        print("\n".join(_report(found)))
    return FINDINGS if found.damage else 0


def _report(found: Walk) -> Iterator[str]:
    from riskguard.cli.live_text import wrapped

    if found.damage:
        yield from wrapped(f"DAMAGED: {found.damage}")
        yield from wrapped(
            "the next start sets the files aside as state.db.bad-..., begins anew, and lets nothing"
            " enter until: riskguard resume"
        )
    else:
        yield "whole: every row stands under its seal, none is missing"
    for table, count in found.rows.items():
        gone = found.gone[table]
        more = f", {gone:,} before them are gone, as anchors say" if gone else ""
        yield f"  {NAMES[table]:<14}{count:,}{more}"
    if found.rows:
        yield f"  {'snapshots':<14}{found.snapshots:,}"
        yield f"  {'anchors':<14}{found.anchors:,}"
