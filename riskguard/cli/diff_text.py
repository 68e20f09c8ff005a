"""What `riskguard diff` prints: each change with its effect, each span with both decisions."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING

from riskguard.errors import visible
from riskguard.language.changes.strictness import DIFFERENT, LOOSER, STRICTER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from riskguard.backtest.differing import Differing, Span
    from riskguard.engine.decision import Decision, Reading
    from riskguard.language.changes.latchchanges import Difference

__all__ = ["changes", "trial"]

WIDTH = 80
MOST_SPANS = 20
MOST_LINES = 4
LONGEST = 70  # of old and new on one line


def changes(found: Sequence[Difference]) -> list[str]:
    """Return the lines of what has changed, and how many changes protect less."""
    if not found:
        return ["no change of meaning"]
    lines = [visible(line) for one in found for line in _change(one)]
    effects = Counter(one.effect for one in found)
    counts = [f"{effects[name]} {name}" for name in (LOOSER, STRICTER, DIFFERENT) if effects[name]]
    summary = f"{len(found)} change{'s' if len(found) > 1 else ''} of meaning"
    return [*lines, f"{summary}: {', '.join(counts)}" if counts else summary]


def _change(one: Difference) -> Iterator[str]:
    yield f"{one.where.ljust(WIDTH - 11)} {one.effect}".rstrip()
    both = f"{one.old or 'nothing'} -> {one.new or 'nothing'}"
    short = "\n" not in both and len(both) <= LONGEST
    if one.lines:
        yield from (f"  {line}" for line in one.lines)
    elif short:
        yield f"    {both}"
    else:
        yield from _wrapped(f"- {one.old}", "  ") if one.old else ()
        yield from _wrapped(f"+ {one.new}", "  ") if one.new else ()
    if one.says:
        yield from _wrapped(one.says, "    ")


# ---------------------------------------------------------------- on a history


def trial(tried: Differing, scenario: str, strategy: str) -> list[str]:
    """Return the lines of where two files decide differently, and of what that did."""
    from riskguard.backtest.text_figures import duration, moment, money, percent

    head = f"on {scenario}: {tried.symbol}, {duration(tried.every)} bars, "
    head += f"{moment(tried.start)} .. {moment(tried.end)}; {strategy} under A and under B"
    lines = ["", *textwrap.wrap(head, WIDTH, subsequent_indent="  ")]
    if not tried.spans:
        return [*lines, "no decision differs"]
    for span in tried.spans[:MOST_SPANS]:
        lines += _span(span)
    more = len(tried.spans) - MOST_SPANS
    lines += [f"and {more} more spans: --json has all"] if more > 0 else []
    rows = [
        ("", "A", "B"),
        ("end equity", money(tried.old.end_equity), money(tried.new.end_equity)),
        ("max drawdown", percent(tried.old.max_drawdown), percent(tried.new.max_drawdown)),
    ]
    lines += [f"{name:<14}{old:>12}{new:>12}" for name, old, new in rows]
    for note in dict.fromkeys([*tried.old.notes, *tried.new.notes]):
        lines += _wrapped(f"note: {note}", "")
    honest = "One history, seen beforehand: what the change did here, not what it will do."
    return [*lines, honest]


def _span(span: Span) -> Iterator[str]:
    from riskguard.backtest.text_figures import moment, money

    bars = f"{span.bars} bar{'s' if span.bars > 1 else ''}"
    yield f"{moment(span.start)} .. {moment(span.end)}  ({bars})"
    for sign, one, other in (("-", span.old, span.new), ("+", span.new, span.old)):
        yield from _wrapped(f"{sign} {_decision(one)}", "  ")
        yield from _reasons(one, other)
    if round(span.gained):
        who = "ahead of" if span.gained > 0 else "behind"
        yield f"    B then drew {money(abs(span.gained))} {who} A"


def _decision(one: Decision) -> str:
    from riskguard.backtest.text_figures import number, percent

    parts = [f"{one.stage:<8} {one.state.name:<9} cap {percent(one.exposure_cap, 0):<5}"]
    parts += [f"entries blocked: {one.block_entries}"] if one.block_entries != "none" else []
    parts += [f"leverage {one.leverage_cap:g}x"] if one.leverage_cap is not None else []
    parts += [f"stop {number(one.stop)} away"] if one.stop is not None else []
    return "  ".join(parts).rstrip()


def _reasons(one: Decision, other: Decision) -> Iterator[str]:
    """Yield what decided the one and not the other."""
    theirs = {(reading.rule, reading.leaf, reading.role) for reading in other.reasons}
    own = {
        _reason(reading): None
        for reading in one.reasons
        if (reading.rule, reading.leaf, reading.role) not in theirs
    }
    for text in list(own)[:MOST_LINES]:
        yield from _wrapped(text, "      ")
    if len(own) > MOST_LINES:
        yield f"      and {len(own) - MOST_LINES} more lines"


def _reason(reading: Reading) -> str:
    from riskguard.backtest.text_timeline import reading_text

    owner = reading.rule
    if reading.role == "clear":
        owner += " cleared" if reading.truth == "true" else " waits for"
    return f"{owner}: {reading_text(reading)}"


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
