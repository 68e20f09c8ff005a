"""`riskguard backtest --null`: how often a guard is praised where nothing could be foreseen."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

from riskguard.cli.failures import FINDINGS
from riskguard.cli.ordering import requests
from riskguard.cli.waiting import waiting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from riskguard.backtest.evidence.null import Null
    from riskguard.backtest.evidence.plan import Plan
    from riskguard.cli.ordering import Order

__all__ = ["nulled"]


def nulled(order: Order, plan: Plan, count: int, *, quiet: bool) -> int:
    """Judge surrogate histories and print how often each verdict was given."""
    from riskguard.backtest.evidence.null import null

    # what a strategy prints is no part of the report
    with redirect_stdout(sys.stderr), waiting(quiet=quiet) as tell:
        (request,) = requests(order, [order.strategy])
        found = null(request, plan, count, tell)
    print("\n".join(_lines(found, plan, quiet=quiet)))
    return 0 if found.honest else FINDINGS


def _lines(found: Null, plan: Plan, *, quiet: bool) -> Iterator[str]:
    from riskguard.backtest.evidence.null import ALLOWED, DRAWS

    word = "honest" if found.honest else "NOT HONEST"
    share, bound = found.praised / found.count, found.bounds[1]
    yield f"{word}: HELPS on {found.praised} of {found.count} histories without foresight"
    if quiet:
        return
    yield f"  {share:.1%}, allowed {ALLOWED:.0%}; 95 % upper bound {bound:.1%} (Wilson)"
    yield f"  under the plan {plan.name}, {DRAWS} placebos and resamples each"
    if found.untested:
        yield f"  on {found.untested} nothing could be tested: those show nothing of honesty"
    yield ""
    yield from (f"{name:<28}{count:>6}" for name, count in found.words.items())
    if not found.failed:
        return
    yield ""
    yield "conditions of HELPS that did not hold"
    yield from (f"  {name:<26}{count:>6}" for name, count in found.failed.items())
