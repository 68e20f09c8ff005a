"""What `riskguard test` prints: failures with a strip of bars, coverage, mutants; 80 columns."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from riskguard.backtest.text_figures import moment, value_text, versus
from riskguard.cli.given import pack_path
from riskguard.errors import Diagnostic, rendered, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from riskguard.cli.test import Tested
    from riskguard.engine.decision import Decision, Reading
    from riskguard.testing.coverage import Covered
    from riskguard.testing.judging import Failure
    from riskguard.testing.lines import Line

__all__ = ["lines", "summary"]

WIDTH, CELL, LABEL = 80, 9, 12
TRUTHS = {"true": "T", "false": "F", "unknown": "U"}
NAMES = {"T": "true", "F": "false", "U": "unknown"}


def lines(tested: Tested) -> Iterator[str]:
    """Yield what came of one test file."""
    for text in rendered(tested.found):
        yield from (text, "")
    for result in tested.results:
        yield f"{'FAIL' if result.failures else 'ok  '} {visible(result.case.name)}"
        for failure in result.failures:
            yield from _failure(tested, failure)
    yield from _coverage(tested)
    yield from _mutants(tested)


def _coverage(tested: Tested) -> Iterator[str]:
    if tested.covered is None:
        return
    whole = sum(one.whole for one in tested.covered)
    yield f"coverage: {whole} of {len(tested.covered)} lines seen both true and false"
    for one in tested.covered:
        if len(one.seen) < 3:
            place = _place(one.line, tested)
            yield from _wrapped(f"  {one.marks} {one.line.text}  ({_never(one)}; {place})")


def _mutants(tested: Tested) -> Iterator[str]:
    if tested.unscored:
        yield "mutation score: none while a case fails"
    if tested.score is None:
        return
    score = tested.score
    yield f"mutation score {score.share:.1%}: {score.killed} of {score.all} mutants killed"
    by_line: dict[Line, list[str]] = {}
    for mutant in score.survivors:
        by_line.setdefault(mutant.line, []).append(mutant.kind)
    for line, kinds in by_line.items():
        yield from _wrapped(f"  {line.text}  ({_place(line, tested)})")
        yield f"      survived: {', '.join(kinds)}"


def _never(covered: Covered) -> str:
    missing = [NAMES[letter] for letter in "TFU" if letter not in covered.seen]
    if covered.lacking and "T" not in covered.seen and "F" not in covered.seen:
        return f"never given: {', '.join(covered.lacking)}"
    return "never evaluated" if len(missing) == 3 else f"never {' or '.join(missing)}"


def _place(line: Line, tested: Tested) -> str:
    path = line.span.path or (tested.cases.ruleset.path if tested.cases else "")
    return f"{visible(pack_path(path, Path(path)))}:{line.span.line}"


def summary(tested: Sequence[Tested]) -> str:
    """Return the last line: how many cases in how many files, and how many failed."""
    cases = sum(len(one.results) for one in tested)
    failed = sum(bool(result.failures) for one in tested for result in one.results)
    broken = sum(one.cases is None for one in tested)
    read = len(tested) - broken
    told = f"{cases - failed} of {cases} cases passed in {_files(read)}" if read else ""
    refused = f"{_files(broken)} with errors: no case of it was run" if broken else ""
    return "; ".join(part for part in (told, refused) if part)


def _files(count: int) -> str:
    return f"{count} {'file' if count == 1 else 'files'}"


def _wrapped(text: str) -> list[str]:
    # a path is left whole, so that it can be clicked on
    return textwrap.wrap(
        visible(text),
        WIDTH,
        subsequent_indent="      ",
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]


# ---------------------------------------------------------------- a failure


def _failure(tested: Tested, failure: Failure) -> Iterator[str]:
    span = failure.expectation.span
    source = tested.cases.lines[span.line - 1] if tested.cases else ""
    shown = Diagnostic(
        tested.path, span.line, span.column, span.end_line, span.end_column,
        "", "error", failure.message, "", source,
    )  # fmt: skip
    head, *excerpt = shown.render().replace("error[] ", "").split("\n")
    yield from (*_wrapped(head), *excerpt, "")
    yield from _strip(failure, staged=bool(tested.cases and tested.cases.ruleset.stages))
    for note in failure.notes:
        yield from _wrapped(f"  {note}")
    yield f"  it would hold {failure.would_hold or 'at no bar'}"
    yield ""


# what a row of the strip shows of a decision; the first two always stand there
FIELDS: dict[str, Callable[[Decision], str]] = {
    "state": lambda one: one.state.name.lower(),
    "exposure_cap": lambda one: f"{one.exposure_cap:.0%}",
    "blocked": lambda one: one.block_entries,
    "leverage_cap": lambda one: "none" if one.leverage_cap is None else f"{one.leverage_cap:g}x",
    "reduce_by": lambda one: f"{one.reduce_by:.0%}",
    "hedge": lambda one: f"{one.hedge:.0%}",
    "stop": lambda one: value_text(one.stop, "price") if one.stop else "none",
    "close": lambda one: one.close,
    "cancel_orders": lambda one: one.cancel_orders,
    "reduce_only": lambda one: str(one.reduce_only).lower(),
    "latched": lambda one: str(one.latched).lower(),
}


def _strip(failure: Failure, *, staged: bool) -> Iterator[str]:
    bars = failure.strip
    first, last = (moment(bar.ts) for bar in (bars[0], bars[-1]))
    yield f"  bars that close from {first} to {last}"
    yield _row("bar", [bar.hours for bar in bars])
    if staged:
        yield _row("stage", [bar.decision.stage for bar in bars])
    wanted = failure.expectation.wanted
    for name, told in FIELDS.items():
        if name in {"state", "exposure_cap"} or name in wanted:
            yield _row(name, [told(bar.decision) for bar in bars])
    for number, head in enumerate(bars[0].readings):
        yield from _line(head, [bar.readings[number] for bar in bars if number < len(bar.readings)])


def _line(head: Reading, column: list[Reading]) -> Iterator[str]:
    """Yield the rows of one line; a state (`cascade`, `stage >= cut`) has no numbers."""
    words = ("enter", "recover") if head.rule.startswith("stage ") else ("when", "clear")
    yield from _wrapped(f"  {head.rule}, {words[head.role == 'clear']}: {head.leaf}")
    if head.dimension != "truth":
        pairs = [versus(one.value, one.threshold, one.dimension) for one in column]
        yield _row("  value", [value for value, _ in pairs])
        yield _row("  threshold", [threshold for _, threshold in pairs])
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
