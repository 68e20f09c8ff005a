"""What the guard did, told by its stage changes, and what it waits for at the end."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

import numpy as np

from riskguard.backtest.text_figures import change, moment, percent, versus
from riskguard.backtest.text_table import WIDTH

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from riskguard.backtest.comparison import Comparison, Recovery
    from riskguard.engine.decision import Decision, Reading

__all__ = [
    "COMPARISON",
    "blind_bars",
    "blind_since",
    "blind_text",
    "deciding",
    "reading_text",
    "recovery",
    "timeline",
]

COMPARISON = re.compile(r" (<=|>=|==|!=|<|>) ")


def timeline(
    decisions: Sequence[tuple[Decision, float | None]], start: int = 0, *, staged: bool = True
) -> list[str]:
    """Return the lines of the start, and of every change of stage, blindness or priming.

    Where the rules have no stages (not `staged`), rules that go on or off are told instead. All
    else stands in the JSON alone. A line that rests on background bars by more than half says
    so. What was in force before `start` (ns) is told at `start`.
    """
    lines: list[str] = []
    before: Decision | None = None
    for decision, background in decisions:
        place = decision.stage if staged else decision.active
        held = before and (before.stage if staged else before.active)
        blind = before and (before.blind, bool(before.priming))
        moved = before is None or place != held
        if moved or blind != (decision.blind, bool(decision.priming)):
            head = _head(decision, max(start, decision.ts))
            readings = deciding(decision, before) if moved else []
            if background is not None and background > 0.5 and readings:
                head += f"  ({background * 100:.0f} % background)"
            causes = _causes(decision, readings) if moved else []
            lines += [head, *causes, *_senses(decision, before)]
        before = decision
    return lines


def _head(decision: Decision, when: int) -> str:
    return (
        f"{moment(when)}  {decision.stage:<8} {decision.state.name:<9}"
        f" cap {percent(decision.exposure_cap, 0)}"
    )


def _causes(decision: Decision, readings: Sequence[Reading]) -> list[str]:
    lines = []
    for reading in readings:
        # a stage change speaks for itself, a rule beside it is named
        owner = "" if reading.rule.startswith("stage ") else f"{reading.rule}: "
        lines += _wrapped(owner + reading_text(reading))
    return lines + _cap_of(decision, readings)


def _senses(decision: Decision, before: Decision | None) -> list[str]:
    """Tell which series went blind or came back, and where priming begins and ends."""
    lines = []
    gone = set(before.blind) - set(decision.blind) if before else set()
    begun = set(decision.blind) - set(before.blind if before else ())
    lines += [f"    blind: {name}{_age(name, decision)}" for name in sorted(begun)]
    lines += [f"    no longer blind: {name}" for name in sorted(gone)]
    if decision.priming and not (before and before.priming):
        lines += _wrapped("priming: " + "; ".join(decision.priming))
    if before and before.priming and not decision.priming:
        lines.append("    no longer priming")
    return lines


def _age(name: str, decision: Decision) -> str:
    """Return how old a blind series is and how old it may be: " (12h > 8h)"."""
    for reading in decision.reasons:
        if reading.rule == "blind" and reading.leaf == name and reading.value is not None:
            value, limit = versus(reading.value, reading.threshold, reading.dimension)
            return f" ({value} > {limit})"
    return ""


def _cap_of(decision: Decision, told: Sequence[Reading]) -> list[str]:
    """Name who set the cap where neither the stage nor a reading does: a ramp, an older rule."""
    winners = decision.winners.get("exposure_cap", ())
    if not winners or winners[0] in {f"stage {decision.stage}", *(one.rule for one in told)}:
        return []
    # a ramp is named after what it follows
    cause = winners[0].replace("reentry stage ", "re-entry after ")
    return [f"    cap {percent(decision.exposure_cap, 0)}: {cause}"]


def deciding(decision: Decision, before: Decision | None) -> list[Reading]:
    """Return what decided a change: readings of the stage entered or left, and of rules."""
    rules_before = set(before.active) if before else set()
    owners = set(decision.active) ^ rules_before
    if before is None or before.stage != decision.stage:
        owners |= {f"stage {decision.stage}", f"stage {before.stage if before else ''}"}
    found: dict[str, Reading] = {}
    for reading in decision.reasons:
        if reading.rule in owners and reading.truth == "true":
            found.setdefault(reading.leaf, reading)
    return list(found.values())


def reading_text(reading: Reading) -> str:
    """Return a leaf with its value: "oi.change(24h) -4.9% <= -4.4% (oi_day)"."""
    if reading.value is None and reading.threshold is None:
        return f"{reading.leaf}: {reading.truth}"
    value, threshold = versus(reading.value, reading.threshold, reading.dimension)
    split = COMPARISON.split(reading.leaf, maxsplit=1)
    if len(split) != 3:
        return f"{reading.leaf}: {value} against {threshold}"
    left, operator, right = split
    right, _, lasting = right.partition(" for ")
    tail = f" for {lasting}" if lasting else ""
    named = f" ({right})" if re.match(r"[a-z_]", right) else ""
    return f"{left} {value} {operator} {threshold}{named}{tail}"


def _wrapped(text: str, indent: str = "    ") -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def recovery(stage: str, open_lines: Iterable[Recovery]) -> list[str]:
    """Return what the ladder waits for at the end, each line with its distance."""
    lines = []
    for item in open_lines:
        if item.truth == "unknown" or item.value is None:
            state = "unknown"
        else:
            now, wanted = versus(item.value, item.threshold, item.dimension)
            state = f"now {now}, asked {wanted}"
            if item.distance:
                state += f", needs {change(item.distance, item.dimension)}"
            elif item.truth == "false":
                state += ", met but not for long enough"
        lines += _wrapped(f"{item.stage}: {item.line}: {state}")
    if lines:
        lines.insert(0, f"still {stage} at the end; the way back needs")
    return lines


def blind_since(decisions: Sequence[tuple[Decision, float | None]]) -> dict[str, int]:
    """Return the series that are blind at the end, each with the instant it became so."""
    since: dict[str, int] = {}
    for decision, _ in decisions:
        since = {name: since.get(name, decision.ts) for name in decision.blind}
    return since


def blind_bars(comparison: Comparison) -> int:
    """Return how many of the bars that may be traded on were decided blind."""
    since = np.array([decision.ts for decision, _ in comparison.decisions])
    blind = np.array([bool(decision.blind) for decision, _ in comparison.decisions])
    ts = comparison.ts[comparison.trading_from :]
    if not since.size:
        return 0
    return int(blind[np.maximum(np.searchsorted(since, ts, side="right") - 1, 0)].sum())


def blind_text(comparison: Comparison) -> list[str]:
    """Return one line for each series that is blind at the end, with the reason where known."""
    lines = []
    for name, ts in blind_since(comparison.decisions).items():
        series = comparison.history.series
        found = series.get(f"{comparison.symbol}.{name}") or series.get(name)
        found = found or series.get(f"*.{name}")
        published = found is not None and "published" in (found.source, found.grade)
        reason = "no published figures" if published else "no data"
        lines.append(f"blind: {name} since {moment(ts)} ({reason})")
    return lines
