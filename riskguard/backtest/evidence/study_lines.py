"""A study as text: what was looked at, the events, and four tables of rules, in 80 columns."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING

from riskguard.backtest.evidence.after import AROUND
from riskguard.backtest.evidence.signs import ENOUGH
from riskguard.backtest.evidence.windows import CALM, DIP, FALL, KINDS
from riskguard.backtest.text_figures import moment, percent
from riskguard.backtest.text_table import WIDTH
from riskguard.history.stamps import duration_text
from riskguard.market import DAY, time_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from riskguard.backtest.evidence.after import Moved
    from riskguard.backtest.evidence.scores import Score, Share, Span
    from riskguard.backtest.evidence.study import Happened, Part, Study

__all__ = ["headline", "lines", "wrapped"]

LABEL = 24


def headline(found: Study) -> str:
    """Return the one sentence that a study may say."""
    count = len(found.events)
    noun = "event" if count == 1 else "events"
    if not found.counting:
        return (
            "NOTHING LOOKED AT: no bar is left that is neither warm-up, closed nor counted before"
        )
    if found.mechanics:
        reasons = sorted({one for part in found.counting for one in part.modelled})
        known = ", in-sample" if any(part.in_sample for part in found.counting) else ""
        return f"MECHANICS ONLY{known}: {', '.join(reasons)}; no interval is computed"
    if not count:
        return f"NO EVENT: the alarms of calm and bounced time alone; {ENOUGH} events are needed"
    if count < ENOUGH:
        return f"TOO FEW EVENTS: {count} independent {noun}, {ENOUGH} needed to show anything"
    return f"{count} INDEPENDENT EVENTS: past alarms described, nothing said of the next"


def lines(found: Study, rules: str, refused: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines of a study; `refused` are the reasons of what could not be read."""
    for line in _lines(found, rules, refused):
        yield from wrapped(line)


def wrapped(line: str) -> list[str]:
    """Return a line as lines that a terminal holds."""
    if len(line) <= WIDTH:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.wrap(line, WIDTH, subsequent_indent=indent, break_on_hyphens=False)


def _lines(found: Study, rules: str, refused: Mapping[str, str]) -> Iterator[str]:
    asked = found.asked
    yield headline(found)
    event = f"falls of {asked.level * 100:g}% within {duration_text(asked.within)}"
    yield f"{event}; {asked.cost * 1e4:g} bp a fill; no plan, no verdict"
    yield f"rules: {rules}"
    if not asked.locked:
        yield "the months kept for a last look are looked at: for these rules they are spent"
    yield ""
    yield from _data(found)
    yield from (f"{name}: refused: {reason}" for name, reason in refused.items())
    if found.scores:
        bars = sum(int(part.scene.looked_at.sum()) for part in found.counting)
        yield f"in all {bars:,} bars, {found.scores[0].years:.2f} years"
    if not found.counting:
        return
    yield ""
    yield from _happened(found)
    for table in (_alarms, _worth, _events, _around):
        yield ""
        yield from table(found.scores)
    yield ""
    yield from _notes(found)


# ------------------------------------------------------------ what was looked at


def _data(found: Study) -> Iterator[str]:
    yield _head("data", ("looked at", 22), ("fall", 7), ("dip", 6), ("calm", 6), ("grade", 15))
    for part in found.parts:
        looked = part.scene.looked_at
        first, last = (moment(one)[:10] for one in part.span)
        span = f"{first}..{last}" if looked.any() else "nothing"
        days = (f"{one:.0f}d" for one in _days(part))
        # of a long path the end tells more
        name = part.name if len(part.name) < LABEL else f"...{part.name[4 - LABEL :]}"
        yield _row(name, span, *days, part.grade, widths=(22, 7, 6, 6, 15))
        if part.modelled and part not in found.counting:
            yield f"  left out, mechanics only: {', '.join(part.modelled)}"
        if part.blind:
            yield f"  blind in {part.blind:,} of {int(looked.sum()):,} bars"


def _days(part: Part) -> Iterator[float]:
    """Yield the days of falls, of dips and of calm that are looked at."""
    looked, kinds = part.scene.looked_at, part.scene.kinds
    for kind in (FALL, DIP, CALM):
        yield int((looked & (kinds == kind)).sum()) * part.scene.every / DAY


def _happened(found: Study) -> Iterator[str]:
    yield f"independent events: {len(found.events)}; dips half regained in 3 days: {found.dips}"
    yield from (_event(one) for one in found.events)
    if found.others:
        yield f"falls that do not count: {len(found.others)}"
        yield from (_event(one) for one in found.others)


def _event(one: Happened) -> str:
    remark = one.why_not or (f"{one.falls} falls, the deepest told" if one.falls > 1 else "")
    span = f"{moment(one.high)[:10]} to {moment(one.low)}"
    return f"  {span}  {percent(-one.fall.depth):>6}  {remark}".rstrip()


# ------------------------------------------------------------ the rules


def _head(first: str, *columns: tuple[str, int]) -> str:
    return _row(first, *(text for text, _ in columns), widths=[width for _, width in columns])


def _row(name: str, *cells: object, widths: Sequence[int]) -> str:
    told = zip(cells, widths, strict=True)
    return f"{name[: LABEL - 1]:<{LABEL}}" + "".join(f"{text!s:>{width}}" for text, width in told)


def _alarms(scores: Sequence[Score]) -> Iterator[str]:
    widths = (7, 7, 5, 5, 6, 5, 6, 4, 5, 6)
    names = ("alarms", "a year", "true", "late", "false", "open", "fall", "dip", "calm", "on")
    yield _row("alarms", *names, widths=widths)
    for one in scores:
        words = (one.words[word] for word in ("true", "late", "false", "unjudged"))
        kinds = (one.kinds[kind] for kind in KINDS)
        yearly = "-" if math.isnan(one.yearly) else f"{one.yearly:.1f}"
        cells = (one.alarms, yearly, *words, *kinds, percent(one.on, 0))
        yield _row(one.rule, *cells, widths=widths)


def _worth(scores: Sequence[Score]) -> Iterator[str]:
    widths = (15, 8, 8, 6, 19)
    names = ("precision", "hit", "false", "pays", "above that, points")
    yield _row("what they were worth", *names, widths=widths)
    for one in scores:
        gains = _signed(one.hit_gains), _signed(-one.false_costs)
        above = _points(*one.above)
        cells = (_share(one.precision), *gains, percent(one.break_even, 0), above)
        yield _row(one.rule, *cells, widths=widths)


def _events(scores: Sequence[Score]) -> Iterator[str]:
    widths = (16, 20, 20)
    names = ("recall, in time", "lead to the low", "of the fall done")
    yield _row("in the events", *names, widths=widths)
    for one in scores:
        lead = _range(one.lead, lambda value: time_text(int(value)))
        done = _range(one.done, lambda value: percent(value, 0))
        yield _row(one.rule, _share(one.recall), lead, done, widths=widths)


def _around(scores: Sequence[Score]) -> Iterator[str]:
    widths = (14,) * len(AROUND)
    spans = (f"{time_text(abs(one))} {'before' if one < 0 else 'after'}" for one in AROUND)
    yield _row("prices around, %", *spans, widths=widths)
    for one in scores:
        if one.alarms:
            means = (_pair(each) for each in one.around)
            yield _row(one.rule, *means, widths=widths)
        if any(each.band for each in one.around):
            bands = (_placebo(each.band) for each in one.around)
            yield _row("  of shifted ones", *bands, widths=widths)


WORDS = """\
true: the fall followed the fill; late: more than half of it was done by then; open: the data \
ends, or is closed, before that can be told. fall, dip, calm: in what an alarm came; on: share of \
the time. hit, false: what a unit of position gained by leaving at the next open and coming back \
when the alarm was over, costs paid; pays: the precision from which on hits pay for false alarms. \
prices around: mean (median)"""
TOLD = " is off: ", " is sampled: "  # of what is to be known of the data
MORE = """\
; shifted: 5 to 95 % of the means of 999 shifts, where the data is long enough to shift in. \
[95 % interval of Wilson]: as if each alarm came alone; in one fall they do not, so that it is too \
narrow"""


def _notes(found: Study) -> Iterator[str]:
    words = WORDS + ("" if found.mechanics else MORE)
    yield from textwrap.wrap(f"{words}.", WIDTH, break_on_hyphens=False)
    if not found.dips:
        yield "no false-alarm history: no dip that recovered within three days is looked at"
    notes = (note for part in found.parts for note in part.notes if any(map(note.count, TOLD)))
    for note in dict.fromkeys(notes):
        yield from textwrap.wrap(note, WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def _share(one: Share) -> str:
    if one.bounds is None:
        return f"{one.good} of {one.of}" if one.of else "-"
    low, high = (bound * 100 for bound in one.bounds)
    return f"{percent(one.value, 0)} [{low:.0f}, {high:.0f}]"


def _points(value: float, bounds: tuple[float, float] | None) -> str:
    if math.isnan(value) or bounds is None:
        return "-"
    return f"{value * 100:+.0f} [{bounds[0] * 100:+.0f}, {bounds[1] * 100:+.0f}]"


def _pair(one: Moved) -> str:
    if math.isnan(one.mean):
        return "-"
    mean, middle = (round(each * 100, 1) + 0.0 for each in (one.mean, one.median))
    return f"{mean:+.1f} ({middle:+.1f})"


def _placebo(band: tuple[float, float] | None) -> str:
    return "-" if band is None else f"{band[0] * 100:+.1f}..{band[1] * 100:+.1f}"


def _signed(share: float) -> str:
    return "-" if math.isnan(share) else f"{round(share * 100, 1) + 0.0:+.1f}%"


def _range(one: Span | None, text: Callable[[float], str]) -> str:
    if one is None:
        return "-"
    if one.least == one.most:
        return text(one.median)
    return f"{text(one.median)} ({text(one.least)}..{text(one.most)})"
