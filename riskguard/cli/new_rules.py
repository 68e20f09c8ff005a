"""The rule file of `riskguard new`: the answers to its questions, in the words of the language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from riskguard.market import DAY, HOUR, MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["RULE", "SCHEMA", "Answers", "percent", "plain", "rules_text", "span"]

SCHEMA = "riskguard-1.json"
RULE = "support_lost"
PACE = "liq.long.sum(24h).times_avg(7d, min=1d)"


@dataclass(frozen=True, slots=True)
class Answers:
    """What was asked: times in ns; one of `support` and `lookback` is given."""

    symbol: str = "BTC"
    support: float | None = 75_000.0
    lookback: int = 0
    oi: bool = True
    liquidations: bool = False
    cap: float = 0.4  # 0 = flatten, 1 = only block entries
    back: int = 3 * DAY
    every: int = 4 * HOUR

    @property
    def level(self) -> str:
        """The support as it is answered: 75_000, low(20d)."""
        return plain(self.support) if self.support else f"low({span(self.lookback)})"


def span(time: int) -> str:
    """Return a time (ns) as rules write it: 3d, 36h, 90m."""
    for unit, letter in ((DAY, "d"), (HOUR, "h")):
        if time % unit == 0:
            return f"{time // unit}{letter}"
    return f"{time // MINUTE}m"


def plain(number: float, digits: int = 10) -> str:
    """Return a number as rules write it: 75_000, 0.52."""
    return f"{float(f'{number:.{digits}g}'):_.10g}"


def percent(share: float) -> str:
    """Return a share as rules write it: 40%."""
    return f"{share * 100:.10g}%"


# ---------------------------------------------------------------- rules


def rules_text(answers: Answers) -> str:
    """Return the rule file."""
    when, clear = list(_when(answers)), list(_clear(answers))
    return "\n".join(
        [
            f"# yaml-language-server: $schema={SCHEMA}",
            "version: 1",
            f"name: {answers.symbol} loses {answers.level}",
            f"symbol: {answers.symbol}",
            f"every: {span(answers.every)}",
            "params:",
            *(f"  {line}" for line in _params(answers)),
            "rules:",
            f"  {RULE}:",
            *_group("when", when),
            *_group("clear", clear),
            f"    do: {{{', '.join(_actions(answers))}}}",
            "",
        ]
    )


def _group(key: str, lines: list[str]) -> Iterator[str]:
    if len(lines) == 1:
        yield f"    {key}: {lines[0]}"
        return
    yield f"    {key}:"
    yield "      all:"
    yield from (f"        - {line}" for line in lines)


def _params(answers: Answers) -> Iterator[str]:
    if answers.support:
        value = answers.support
        low, high, step = (plain(value * part, 5) for part in (0.9, 1.1, 0.02))
        yield (
            f"support: {{value: {plain(value)}, range: {low}..{high}, step: {step}, "
            "help: the price that must hold}"
        )
    else:
        low, high, step = (span(answers.lookback * part // 4) for part in (2, 8, 1))
        yield (
            f"lookback: {{value: {span(answers.lookback)}, range: {low}..{high}, step: {step}, "
            "help: the low of this time must hold}"
        )
    if answers.oi:
        yield (
            "oi_fall: {value: -4.4%, range: -12%..-2%, step: 0.4%, "
            "help: change of open interest in coins}"
        )
    if answers.liquidations:
        yield (
            "liq_burst: {value: 3x, range: 1.5x..6x, step: 0.5x, "
            "help: 24 h of liquidated longs against their week}"
        )
        yield "liq_calm: {value: 1x, range: 0.5x..1.5x, step: 0.25x, help: slow enough to return}"
        if answers.symbol != "BTC":
            yield "# these figures are those of BTC: a smaller market needs smaller ones"
        yield "liq_floor:"
        yield "  by_source: {published: $150M, coinglass: $150M, binance: $50M, other: $50M}"
        yield "  range: $1M..$500M"


def _when(answers: Answers) -> Iterator[str]:
    low = "support" if answers.support else "close.low(lookback).ago(2 bars)"
    yield f"close < {low} for 2 closes"
    if answers.oi:
        yield "oi.change(24h) <= oi_fall"
    if answers.liquidations:
        yield f"{PACE} >= liq_burst"
        yield "liq.long.sum(24h) >= liq_floor"


def _clear(answers: Answers) -> Iterator[str]:
    held = "support + 1%" if answers.support else "close.mean(lookback)"
    yield f"close > {held} for {span(answers.back)}"
    if answers.liquidations:
        yield f"{PACE} <= liq_calm"


def _actions(answers: Answers) -> Iterator[str]:
    if answers.cap < 1:
        yield f"exposure_cap: {percent(answers.cap)}"
    yield "block_entries: long"
    if not answers.cap:
        yield "close: longs"
        yield "cancel_orders: entries"
