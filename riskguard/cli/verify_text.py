"""What `riskguard verify` found, in a trader's words and as plain data."""

from __future__ import annotations

import math
import textwrap
from dataclasses import asdict
from enum import Enum
from typing import TYPE_CHECKING, Any

from riskguard.backtest.text_figures import duration, iso, moment, value_text
from riskguard.engine.logic import ABSENT, FALSE, TRUE, UNKNOWN
from riskguard.errors import RiskguardError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from riskguard.engine.decision import Reading
    from riskguard.history.verifying import Difference, Verified

__all__ = ["plain", "report"]

WIDTH, LABEL = 80, 16
MOST_LINES = 3  # lines of rules that are shown
TRUTHS = {FALSE: "false", TRUE: "true", UNKNOWN: "unknown", ABSENT: "left out"}
UNSAID = {"ts", "reasons", "winners", "rules"}  # fields that say nothing without the others
TITLES = {
    "early": "USED BEFORE IT WAS KNOWN",
    "stamp": "STAMPS THAT DO NOT FIT",
    "look-ahead": "LOOK-AHEAD",
    "stream": "LIVE DIFFERS FROM BACKTEST",
    "start": "A LATER START READS OTHERWISE",
}
SIDES = {
    "look-ahead": ("data cut", "all data"),
    "stream": ("live", "backtest"),
    "start": ("later start", "whole data"),
}
FAULT = (
    "This is a fault of {whose}, not of your rules: please report this text with the rule "
    "file and the data."
)
ADVICE = {
    "early": "Say in scenario.yaml when the series can be known (stamp, available_after); until "
    "then a backtest knows more than your bot will.",
    "stamp": "One of the two is known too early: look at stamp: (open or close) and "
    "available_after in scenario.yaml.",
    "look-ahead": f"Do not trust a backtest of this file: it knows the future. {FAULT}",
    "stream": f"Do not trust a backtest of this file: your bot will decide otherwise. {FAULT}",
    "start": "A bot that was started later would read other numbers: prime it with all the "
    f"history you have. {FAULT}",
}


def report(path: str, found: Verified | RiskguardError) -> list[str]:
    """Return the lines on one rule file."""
    if isinstance(found, RiskguardError):
        return [path, "  refused:", *(f"  {line}" for line in str(found).splitlines())]
    differences = found.differences
    lines = [path, *_proofs(found)]
    for difference in differences:
        lines += ["", *_explained(difference, found)]
    verdict = "fine" if found.fine else f"{len(differences)} of 4 proofs failed"
    return [*lines, *_row("verdict", verdict)]


def _row(label: str, text: str) -> list[str]:
    begin = f"  {label}".ljust(LABEL)
    return textwrap.wrap(
        text, WIDTH, initial_indent=begin, subsequent_indent=" " * LABEL, break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def _proofs(found: Verified) -> list[str]:
    subject, history = found.subject, found.subject.history
    now = subject.now
    span = f"{moment(int(now[0]))} .. {moment(int(now[-1]))}"
    every = duration(subject.plan.every)
    rows = [
        ("data", f"{history.symbol} in {history.name}: {len(now):,} bars of {every}, {span}"),
        ("known when", "too early, see below" if found.early else "no value is used too early"),
        ("look-ahead", _cuts(found)),
        ("live", _steps(found)),
        ("later starts", _starts(found)),
        *(("left out", one) for one in subject.left_out),
        *(("note", one) for one in _notes(found)),
    ]
    return [line for row in rows for line in _row(*row)]


def _cuts(found: Verified) -> str:
    cuts = found.cuts
    if cuts.difference and cuts.difference.kind == "start":
        return f"given up after {cuts.made:,} cuts: a piece of the data reads otherwise, see below"
    if cuts.difference:
        return f"found after {cuts.made:,} cuts, see below"
    if cuts.made == cuts.bars:
        apart = f" in {cuts.pieces:,} pieces" if cuts.pieces > 1 else ""
        return f"none: data cut at every one of {cuts.bars:,} bars{apart}, the same decisions"
    rest = "the other bars are proved by the guard alone, which is fed bar by bar"
    return f"none at {cuts.made:,} of {cuts.bars:,} bars, spread evenly; {rest}"


def _steps(found: Verified) -> str:
    steps = found.steps
    if steps.difference and not steps.differing:
        return f"other numbers, though no other decision at {steps.bars:,} bars: see below"
    if steps.difference:
        return f"decides otherwise at {steps.differing:,} of {steps.bars:,} bars, see below"
    made = _count(steps.decisions, "decision")
    return f"equals the backtest at all {steps.bars:,} bars ({made}), to the last bit"


def _starts(found: Verified) -> str:
    starts = found.starts
    if not starts.possible:
        return "not tried: a measure looks back to the very first value"
    if starts.difference:
        return f"differ at the start number {starts.tried}, see below"
    if not starts.tried:
        return "not tried: the data is no longer than the windows"
    said = f"{starts.tried} tried, {starts.bars:,} bars with full windows read the same"
    if starts.settling:
        said += f"; {starts.settling:,} bars before moved while a min= baseline was filling"
    if starts.remembering:
        said += f"; at {starts.remembering:,} bars rules stood as an earlier bar had left them"
    return said


def _notes(found: Verified) -> Iterator[str]:
    history = found.subject.history
    read = {spec.name for spec in found.subject.plan.tapes if spec.feeder < 0}
    for one in history.series.values():
        if one.grade in {"reconstructed", "synthetic"} and one.name in read:
            made = "its values hold hindsight, which no proof of the rules can take out"
            yield f"{one.key} is {one.grade}: {made}"
    yield from history.notes
    yield from found.subject.notes


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


# ---------------------------------------------------------------- differences


def _explained(one: Difference, found: Verified) -> list[str]:
    title = f"{TITLES[one.kind]}: the bar that closes {moment(one.ts)} (number {one.bar + 1:,})"
    said = [*_cause(one, found)]
    for pair in one.lines[:MOST_LINES]:
        said += _line(one.kind, pair)
    if len(one.lines) > MOST_LINES:
        said.append(f"and {_count(len(one.lines) - MOST_LINES, 'more line')}")
    said += _decision(one)
    wrapped = (
        textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="      ")
        for text in [*said, ADVICE[one.kind].format(whose=_whose(one, found))]
    )
    begin = textwrap.wrap(title, WIDTH, subsequent_indent="  ")
    return [*begin, *(line for lines in wrapped for line in lines)]


def _whose(one: Difference, found: Verified) -> str:
    """Return whose fault a difference is: of the plug-ins in it, where there are any."""
    plan = found.subject.plan
    foreign = {
        f"{window.function} ({window.plugged.whose})"
        for (window, _), text in zip(plan.windows, plan.window_texts, strict=True)
        if window.plugged is not None and text in one.cause.text
    }
    return " and ".join(sorted(foreign)) or "riskguard"


def _cause(one: Difference, found: Verified) -> Iterator[str]:
    cause = one.cause
    if one.kind == "early":
        yield (
            f"{cause.text}: the value that is joined at {moment(cause.one)} could be known from "
            f"{moment(cause.two)} on"
        )
        return
    if one.kind == "stamp":
        symbol = cause.text.partition(".")[0]
        when = "a bar earlier" if one.ahead == -1 else "a bar later"
        yield (
            f"{cause.text} fits the price in {symbol}.oi_usd / {symbol}.oi {when}: usually "
            f"{cause.two:.2%} away, and {cause.one:.2%} at its own stamp"
        )
        return
    left, right = _pair(one, found)
    sides = SIDES[one.kind]
    what = cause.text if cause.role in {"stage", "decision"} else f"{cause.role} {cause.text}"
    yield f"{what}: {left} ({sides[0]}), {right} ({sides[1]})"
    if one.kind == "look-ahead" and one.ahead is not None:
        when = moment(one.ts + one.ahead * found.subject.plan.every)
        bars = _count(one.ahead, "bar")
        yield f"it moves once the data goes on to {when}: it reads {bars} ahead"
    elif one.kind == "look-ahead":
        yield f"it is another while the data ends {moment(one.since)}"
    if one.kind == "start":
        yield f"the later start has data from {moment(one.since)} on"


def _pair(one: Difference, found: Verified) -> tuple[str, str]:
    values = one.cause.one, one.cause.two
    if one.cause.role == "line":
        left, right = (TRUTHS.get(value, str(value)) for value in values)
    elif one.cause.role == "stage":
        names = ["normal", *(stage.name for stage in found.subject.ruleset.stages)]
        left, right = (names[value] for value in values)
    elif isinstance(values[0], bool):
        left, right = ("on" if value else "off" for value in values)
    elif isinstance(values[0], float):
        left, right = _numbers(*values)
    else:
        left, right = map(_word, values)
    return left, right


def _numbers(one: float, two: float) -> tuple[str, str]:
    """Return two numbers with as many digits as they need to look different."""
    for digits in (6, 9, 12, 17):
        left, right = (
            "unknown" if math.isnan(number) else f"{number:,.{digits}g}" for number in (one, two)
        )
        if left != right:
            break
    return left, right


def _line(kind: str, pair: tuple[Reading, Reading]) -> Iterator[str]:
    left, right = pair
    sides = SIDES[kind]
    yield f'{left.rule}, "{left.leaf}"'
    for side, reading in zip(sides, pair, strict=True):
        more = 0 if (left.value, left.threshold) == (right.value, right.threshold) else 4
        value, threshold = (
            value_text(number, reading.dimension, more)
            for number in (reading.value, reading.threshold)
        )
        against = "" if reading.dimension == "truth" else f" {value} against {threshold},"
        yield f"  {side}:{against} {reading.truth}"


def _decision(one: Difference) -> Iterator[str]:
    told = [
        f"{name} {_word(left)} -> {_word(right)}"
        for name, left, right in one.fields
        if name not in UNSAID
    ]
    if told:
        sides = " -> ".join(SIDES[one.kind])
        yield f"the decision of {moment(one.decided)} ({sides}): {'; '.join(told)}"
    elif one.fields:
        yield f"the decision of {moment(one.decided)} has other reasons"
    elif one.kind == "stream":
        yield "no decision in this data is another; in other data one may be"
    elif one.kind == "look-ahead":
        yield "the decision of this bar is the same; that of another may not be"


def _word(value: Any) -> str:  # noqa: ANN401 - any field of a decision
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


# ---------------------------------------------------------------- JSON


def plain(path: str, found: Verified | RiskguardError) -> dict[str, Any]:
    """Return the same as plain data; times as text, unknown numbers as None."""
    if isinstance(found, RiskguardError):
        return {"rules": path, "fine": False, "refused": str(found)}
    subject = found.subject
    return {
        "rules": path,
        "hash": subject.ruleset.hash,
        "fine": found.fine,
        "data": subject.history.name,
        "data_hash": subject.history.digest,
        "symbol": subject.history.symbol,
        "every": duration(subject.plan.every),
        "bars": len(subject.now),
        "start": iso(int(subject.now[0])),
        "end": iso(int(subject.now[-1])),
        "cuts": {"made": found.cuts.made, "of": found.cuts.bars},
        "stream": {
            "bars": found.steps.bars,
            "decisions": found.steps.decisions,
            "differing": found.steps.differing,
        },
        "starts": {
            "possible": found.starts.possible,
            "tried": found.starts.tried,
            "bars": found.starts.bars,
            "settling": found.starts.settling,
            "remembering": found.starts.remembering,
        },
        "left_out": list(subject.left_out),
        "notes": list(_notes(found)),
        "differences": [_plain_difference(one, found) for one in found.differences],
    }


def _plain_difference(one: Difference, found: Verified) -> dict[str, Any]:
    left, right = (
        (iso(one.cause.one), iso(one.cause.two)) if one.kind == "early" else _pair(one, found)
    )
    return {
        "kind": one.kind,
        "at": iso(one.ts),
        "bar": one.bar,
        "cause": {"role": one.cause.role, "text": one.cause.text, "one": left, "two": right},
        "ahead": one.ahead,
        "lines": [[_plain_reading(reading) for reading in pair] for pair in one.lines],
        "fields": [name for name, _, _ in one.fields],
        "text": "\n".join(_explained(one, found)),
    }


def _plain_reading(reading: Reading) -> dict[str, Any]:
    kept = {key: value for key, value in asdict(reading).items() if key != "reads"}
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in kept.items()
    }
