"""What `riskguard test` prints: failures with a strip of bars, coverage, mutants; 80 columns."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from riskguard.backtest.text_figures import moment, value_text
from riskguard.errors import Diagnostic, rendered, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from riskguard.cli.test import Tested
    from riskguard.engine.decision import Reading
    from riskguard.testing.judging import Bar, Failure

__all__ = ["lines", "summary"]

WIDTH, CELL, LABEL = 80, 9, 12
TRUTHS = {"true": "T", "false": "F", "unknown": "U"}


def lines(tested: Tested) -> Iterator[str]:
    """Yield what came of one test file."""
    for text in rendered(tested.found):
        yield from (text, "")
    for result in tested.results:
        yield f"{'FAIL' if result.failures else 'ok  '} {visible(result.case.name)}"
        for failure in result.failures:
            yield from _failure(tested, failure)
    if tested.covered is not None:
        whole = sum(one.whole for one in tested.covered)
        yield f"coverage: {whole} of {len(tested.covered)} lines seen both true and false"
        for one in tested.covered:
            if len(one.seen) < 3:
                yield from _wrapped(f"  {one.marks} {one.line.text}{_never(one.seen)}")
    if tested.unscored:
        yield "mutation score: none while a case fails"
    if tested.score is not None:
        score = tested.score
        yield f"mutation score {score.share:.1%}: {score.killed} of {score.all} mutants killed"
        rules = tested.cases.ruleset.path if tested.cases else ""
        for mutant in score.survivors:
            place = f"{mutant.line.span.path or rules}:{mutant.line.span.line}"
            yield from _wrapped(f"  survived: {mutant.kind}: {mutant.line.text}  ({place})")


def _never(seen: frozenset[str]) -> str:
    names = {"T": "true", "F": "false", "U": "unknown"}
    missing = [names[letter] for letter in "TFU" if letter not in seen]
    if len(missing) == 3:
        return "  (never evaluated)"
    return f"  (never {' or '.join(missing)})"


def summary(tested: Sequence[Tested]) -> str:
    """Return the last line: how many cases in how many files, and how many failed."""
    cases = sum(len(one.results) for one in tested)
    failed = sum(bool(result.failures) for one in tested for result in one.results)
    broken = sum(one.cases is None for one in tested)
    told = f"{cases - failed} of {cases} cases passed in {len(tested)} "
    told += "file" if len(tested) == 1 else "files"
    return told + (f"; {broken} could not be read" if broken else "")


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(visible(text), WIDTH, subsequent_indent="      ") or [""]


# ---------------------------------------------------------------- a failure


def _failure(tested: Tested, failure: Failure) -> Iterator[str]:
    span = failure.expectation.span
    source = tested.cases.lines[span.line - 1] if tested.cases else ""
    shown = Diagnostic(
        tested.path, span.line, span.column, span.end_line, span.end_column,
        "", "error", failure.message, "", source,
    )  # fmt: skip
    yield shown.render().replace("error[] ", "")
    yield ""
    yield from _strip(failure.strip)
    if failure.would_hold:
        yield f"  it would hold first at {failure.would_hold}"
    elif failure.expectation.kind in {"at", "first"}:
        yield "  it would hold at no bar"
    yield ""


def _strip(bars: Sequence[Bar]) -> Iterator[str]:
    if not bars:
        return
    first, last = (moment(bar.ts) for bar in (bars[0], bars[-1]))
    yield f"  bars that close from {first} to {last}"
    yield _row("bar", [bar.hours for bar in bars])
    yield _row("stage", [bar.decision.stage for bar in bars])
    yield _row("state", [bar.decision.state.name.lower() for bar in bars])
    yield _row("cap", [f"{bar.decision.exposure_cap:.0%}" for bar in bars])
    for number, head in enumerate(bars[0].readings):
        column = [bar.readings[number] for bar in bars if number < len(bar.readings)]
        yield from _wrapped(f"  {head.rule}: {head.leaf}")
        yield _row("  value", [value_text(one.value, one.dimension) for one in column])
        yield _row("  threshold", [value_text(one.threshold, one.dimension) for one in column])
        yield _row("  margin", [_margin(one) for one in column])
        yield _row("  truth", [TRUTHS.get(one.truth, "U") for one in column])


def _row(label: str, cells: Sequence[str]) -> str:
    body = "".join(
        f"{cell if len(cell) < CELL else cell[: CELL - 2] + '~':>{CELL}}" for cell in cells
    )
    return f"  {label:<{LABEL}}{body}".rstrip()


def _margin(reading: Reading) -> str:
    if reading.margin is None:
        return "-"
    return f"{reading.margin * 100:+.1f}{'pt' if reading.dimension == 'share' else '%'}"
