"""`riskguard replay`: a journal decided again, and the first decision that differs explained."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskguard.cli.failures import FINDINGS
from riskguard.cli.states import AsJson, StateArgument, state_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from riskguard.live.replaying import Checked, Replay, Step

__all__ = ["replay"]


def replay(
    state: StateArgument,
    check: Annotated[
        bool,
        typer.Option("--check", help="Compare with what was stored, byte for byte."),
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Decide a journal again: the same rules are told the same inputs.

    It prints the decisions. With --check each is laid beside the one that was stored, and the
    first that differs is explained. A bot may go on meanwhile.

    Example: riskguard replay state/btc --check

    Exit codes: 0 fine, 1 a decision differs or the state cannot be read, 2 wrong use.
    """
    from riskguard.live.replaying import Replay, checked
    from riskguard.store import Journal

    journal = Journal(state_folder(state, "STATE"))
    again = Replay(journal.contents())
    if check:
        found = checked(again)
        broken = journal.verify()
        if as_json:
            print(json.dumps(_plain(again, found, broken), indent=2))
        else:
            print("\n".join(_report(again, found, broken)))
        return FINDINGS if found.step is not None or broken else 0
    if as_json:
        print(json.dumps([_decision(step) for step in _changes(again)], indent=2))
        return 0
    print("\n".join(_wrapped(_from(again))))
    for step in _changes(again):
        print("\n".join(_told(step.again)))
    return 0


def _changes(again: Replay) -> Iterator[Step]:
    """Yield the steps at which the decision is another than before."""
    last: Mapping[str, Any] | None = None
    for step in again.steps():
        if step.again != last:
            yield step
        last = step.again


def _decision(step: Step) -> dict[str, Any]:
    return {"transition": step.seq, "kind": step.kind, "decision": step.again}


# ---------------------------------------------------------------- text


def _wrapped(text: str, indent: str = "") -> list[str]:
    from riskguard.cli.live_text import wrapped

    return wrapped(text, indent)


def _from(again: Replay) -> str:
    """Return from where on the journal could be decided again."""
    from riskguard.backtest.text_figures import moment

    start, snapshot = moment(again.start), again.from_snapshot
    if snapshot is None:
        return f"from the first input, {start}"
    return (
        f"from snapshot {snapshot.seq:,}, {start}: of what was before it the inputs are gone,"
        " and it is not decided again"
    )


def _report(again: Replay, found: Checked, broken: str) -> Iterator[str]:
    yield from _wrapped(f"{_from(again)}: {again.told:,} inputs, {found.decisions:,} decisions")
    if not found.decisions:
        yield "no decision is stored behind it: there is nothing to compare"
    elif found.step is None:
        yield "every decision is the one that was stored, byte for byte"
    else:
        yield from _difference(found)
    if broken:
        yield from _wrapped(f"the journal is not whole: {broken}")


def _difference(found: Checked) -> Iterator[str]:
    from riskguard._version import VERSION
    from riskguard.backtest.text_figures import moment

    step, what = found.step, found.difference
    if step is None or what is None:
        return
    yield from _wrapped(
        f"the decision of {moment(step.stored['ts'])} differs: transition {step.seq:,}"
        f" ({step.kind}), stored {moment(step.when)}"
    )
    yield from _wrapped(what.place, "  ")
    yield from _wrapped(f"stored    {json.dumps(what.stored)}", "    ")
    yield from _wrapped(f"replayed  {json.dumps(what.again)}", "    ")
    same = step.rule_hash == found.rule_hash
    rules = "the same" if same else f"others: {found.rule_hash[:8]}"
    yield f"  rules     {rules}, stored {step.rule_hash[:8]}"
    yield "  inputs    as they were stored: every seal of the journal holds"
    version = step.version or "an unknown version"
    other = "" if step.version == VERSION else ": another version may decide otherwise"
    yield from _wrapped(f"version   stored by {version}, this is {VERSION}{other}", "  ")
    if same and step.version == VERSION:
        yield from _wrapped(
            "rules and version are the same: the guard was told something that is not in the"
            " journal, or the stored decision was written by other means", "  "
        )  # fmt: skip
    if found.more:
        yield f"  {found.more:,} of the decisions after it differ too"


def _told(decision: Mapping[str, Any]) -> Iterator[str]:
    from riskguard.backtest.text_figures import moment, percent
    from riskguard.backtest.text_timeline import reading_text
    from riskguard.engine.decision import Reading

    yield (
        f"{moment(decision['ts'])}  {decision['stage']:<8} {decision['state']:<9}"
        f" cap {percent(decision['exposure_cap'], 0):<5}"
        f"{'  LATCHED' if decision['latched'] else ''}"
    ).rstrip()
    for row in decision["reasons"]:
        one = Reading(*row)
        yield from _wrapped(f"{one.rule}: {reading_text(one)}", "    ")
    for text in decision["priming"]:
        yield from _wrapped(f"priming: {text}", "    ")


def _plain(again: Replay, found: Checked, broken: str) -> dict[str, Any]:
    snapshot, step, what = again.from_snapshot, found.step, found.difference
    first = None
    if step is not None and what is not None:
        first = {
            "transition": step.seq,
            "kind": step.kind,
            "ts": step.stored["ts"],
            **what._asdict(),
            "rules_stored": step.rule_hash,
            "rules_replayed": found.rule_hash,
            "version_stored": step.version,
            "more": found.more,
        }
    return {
        "from_snapshot": None if snapshot is None else snapshot.seq,
        "start": again.start,
        "inputs": again.told,
        "decisions": found.decisions,
        "broken": broken,
        "first_difference": first,
    }
