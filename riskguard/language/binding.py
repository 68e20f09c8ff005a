"""A rule set made to fit a feed and a bot: what is missing is said before anything starts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from riskguard.errors import RuleError, visible
from riskguard.language.findings import Findings
from riskguard.language.fitting.carrying import carry
from riskguard.language.fitting.fallbacks import afford
from riskguard.language.fitting.floors import settle
from riskguard.language.rewriting import (
    deciding,
    key_of,
    leaves,
    observed,
    parted,
    respelt,
    series_of,
)
from riskguard.language.ruleset import (
    Indicator,
    Measured,
    RuleSet,
    SeriesValue,
    Span,
    input_of,
    values,
)
from riskguard.language.text.units import span_words
from riskguard.market import CALENDAR, CATALOGUE, FROM_ZERO, coin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from riskguard.errors import Diagnostic
    from riskguard.language.ruleset import Input, Value

__all__ = ["Bound", "bind", "leading", "sourced", "unguarded"]


# windows that a measure looks back over, where it is more than one
SPANS = {"accel": 2, "atr": 5, "ema": 5}


def leading(ruleset: RuleSet, sources: Mapping[str, str | Sequence[str]]) -> dict[str, str]:
    """Return one source a series: of several venues the first that is named.

    Raises:
        DataError: a source is neither name nor list of names, or the venues cannot be compared.
    """
    if all(isinstance(one, str) for one in sources.values()):
        return dict(sources)  # type: ignore[arg-type]  # so it is then
    from riskguard.language.fitting.venues import comparable  # noqa: PLC0415 - most name one

    comparable(ruleset, sources)
    return {key: one if isinstance(one, str) else one[0] for key, one in sources.items()}


@dataclass(frozen=True, slots=True)
class Bound:
    """Rules that fit, and what had to be left out or replaced, one sentence each."""

    ruleset: RuleSet
    notes: tuple[str, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()


def bind(
    ruleset: RuleSet,
    *,
    symbol: str,
    every: int,
    carried: Mapping[str, Input],
    capabilities: frozenset[str],
    strict_symbol: bool = True,
    history: int | None = None,
    live: bool = False,
    recorded: int | None = None,
) -> Bound:
    """Return the rules as they hold for a feed (`every`, `history` in ns) and a bot.

    `carried` has the inputs of the feed by key ("oi", "ETH.close"), `capabilities` the names of
    the actions the bot can do. The hash stays that of the file. A symbol with rules of its own
    gets those. `recorded` is how much a live feed can bring from before the start.

    Raises:
        RuleError: with every reason why the rules do not fit.
    """
    found = Findings(ruleset.path, ruleset.lines, ruleset.files)
    notes: list[str] = []
    if strict_symbol and not ruleset.guarded(symbol):
        _not_guarded(ruleset, symbol, found)
    if symbol in ruleset.per_symbol:
        own = ruleset.per_symbol[symbol]
        ruleset = replace(own, hash=ruleset.hash, allowed=ruleset.allowed)
    fitted = _clocked(_named(ruleset, symbol), every, found)
    if history is not None:
        _known_in(fitted, history, found)
    if live:
        _made_up(fitted, carried, found)
    if recorded is not None:
        _unknown_at_start(fitted, recorded, found)
    fitted = carry(fitted, carried, found, notes)
    _whole_bars(fitted, found)
    _without_transfers(fitted, carried, notes)
    if not found.failed:
        fitted = settle(fitted, found, notes)
    fitted = afford(fitted, capabilities, found, notes)
    if found.failed:
        raise RuleError(found.sorted())
    warnings = tuple(ruleset.unsilenced(found.sorted()))
    told = tuple(map(visible, notes))
    fitted = replace(fitted, notes=(*told, *(one.message for one in warnings)))
    return Bound(fitted, told, warnings)


def sourced(ruleset: RuleSet, sources: Mapping[str, str | Sequence[str]]) -> RuleSet:
    """Return the rules for a feed that is known by the source of each series alone.

    Raises:
        RuleError: where a figure is wanted for a source that has none, or `every` is open.
        DataError: a source names several venues and is no price.
    """
    found = Findings(ruleset.path, ruleset.lines, ruleset.files)
    if ruleset.every is None:
        fix = 'write for example "every: 1h" under "version: 1"'
        found.error("RG514", Span(), "no data says how long a bar is", fix)
    inputs = dict(ruleset.inputs)
    for key, source in leading(ruleset, sources).items():
        symbol, name = parted(key)
        if name in CATALOGUE or key in inputs or name in inputs:
            inputs[key] = replace(input_of(ruleset, symbol, name), source=source)
    settled = settle(replace(ruleset, inputs=inputs), found, [])
    if found.failed:
        raise RuleError(found.sorted())
    return settled


def unguarded(ruleset: RuleSet, trades: Iterable[str]) -> list[Diagnostic]:
    """Warn of symbols, by any of their names, that a bot trades and these rules do not guard.

    Rules that leave their symbol open guard that of the first bar: it is the only one then.
    """
    found = Findings(ruleset.path, ruleset.lines, ruleset.files)
    names = set(trades)
    free = sorted(one for one in names if not (ruleset.guarded(one) or ruleset.guarded(coin(one))))
    place = _key_span(ruleset, "guards", "symbol")
    if free:
        message = f"orders in {', '.join(free)} pass: these rules do not guard them"
        found.warn("RG513", place, message, 'write "guards: all"')
    elif not ruleset.symbol and ruleset.guards == "symbol" and len(set(map(coin, names))) > 1:
        message = "these rules name no symbol: orders in all but that of the first bar pass"
        found.warn("RG513", place, message, 'write "symbol:", and "guards: all" to guard them all')
    return ruleset.unsilenced(found.sorted())


def _key_span(ruleset: RuleSet, *keys: str) -> Span:
    """Return where one of the keys of the file stands, else its beginning."""
    texts = {"": ruleset.lines, **ruleset.files}
    for key in keys:
        for path, lines in texts.items():
            for number, line in enumerate(lines, 1):
                if line.startswith(f"{key}:"):
                    return Span(number, 1, number, len(key) + 1, path)
    return Span()


def _not_guarded(ruleset: RuleSet, symbol: str, found: Findings) -> None:
    guards = ruleset.guards
    names = [ruleset.symbol] if isinstance(guards, str) else list(guards)
    message = f"this file guards {', '.join(names)}, not {symbol}"
    listed = ", ".join(dict.fromkeys([*names, symbol]))
    fix = f'run with --symbol {names[0]}, or write "guards: all" or "guards: [{listed}]"'
    found.error("RG512", _key_span(ruleset, "guards", "symbol"), message, fix)


def _made_up(ruleset: RuleSet, carried: Mapping[str, Input], found: Findings) -> None:
    """Refuse a live feed that declares a series shaped from totals, where it is read first."""
    lines = sorted(leaves(*deciding(ruleset)), key=lambda leaf: (leaf.span.line, leaf.span.column))
    read = {key_of(one): one.span for leaf in reversed(lines) for one in series_of(leaf)}
    for name, one in carried.items():
        if one.coverage == "reconstructed":
            message = f"reconstructed series are history only, and the live feed has '{name}'"
            fix = "bring full or sampled figures of a venue"
            found.error("RG510", read.get(name, one.span), message, fix)


def _unknown_at_start(ruleset: RuleSet, recorded: int, found: Findings) -> None:
    """Warn of lines that stay unknown until a live feed has run for long enough."""
    for leaf in leaves(*deciding(ruleset)):
        for value in (*values(leaf.left), *values(leaf.right)):
            need = _warm_up(value, ruleset.every or 0)
            if need > recorded:
                rest = span_words(need - recorded)
                message = f"the rule stays unknown for {rest} after start"
                fix = 'record it with "riskguard record", or give a baseline "min="'
                found.warn("RG508", value.span, message, fix)


def _without_transfers(ruleset: RuleSet, carried: Mapping[str, Input], notes: list[str]) -> None:
    """Say once that deposits cannot be told from gains."""
    read = (one for leaf in leaves(*deciding(ruleset)) for one in (leaf.left, leaf.right))
    taken = (part for one in read for part in values(one) if isinstance(part, Measured))
    series = {part.of.name for part in taken if isinstance(part.of, SeriesValue)}
    if "equity" in series & carried.keys() and "transfers" not in carried:
        notes.append("no 'transfers' are sent: deposits and withdrawals are taken as none")


def _warm_up(value: Value, every: int) -> int:
    """Return how much has to be seen before a value is known, in ns."""
    if isinstance(value, Indicator):
        return observed(value, every)
    if not isinstance(value, Measured) or _of_account(value):
        return 0
    own = value.minimum or (value.window or 0) * SPANS.get(value.function, 1)
    return own + CALENDAR.get(value.calendar, 0) + _warm_up(value.of, every)


def _of_account(value: Measured) -> bool:
    """Say whether it rests on an account, which is known from its first event on."""
    base = value.of
    while isinstance(base, Measured):
        base = base.of
    return isinstance(base, SeriesValue) and base.name in FROM_ZERO


def _named(ruleset: RuleSet, symbol: str) -> RuleSet:
    """Give the file the bot's symbol where it leaves it open."""
    if ruleset.symbol:
        return ruleset
    return replace(respelt(ruleset, symbol), symbol=symbol)


def _clocked(ruleset: RuleSet, every: int, found: Findings) -> RuleSet:
    """Take the bars of the data where the file leaves its interval open."""
    if ruleset.every is None:
        from riskguard.language.judging.brevity import brief  # noqa: PLC0415 - most files say it

        brief(ruleset, every, found)
        return replace(ruleset, every=every)
    if every <= 0 or ruleset.every % every:
        bars, written = span_words(every), span_words(ruleset.every)
        message = f"decisions every {written} cannot be made on bars of {bars}"
        fix = f"use bars that divide {written}, or write an every: that {bars} divide"
        found.error("RG514", _key_span(ruleset, "every"), message, fix)
    return ruleset


def _whole_bars(ruleset: RuleSet, found: Findings) -> None:
    """Refuse windows shorter than a bar of their flow: the whole would stand for a part."""
    for leaf in leaves(*deciding(ruleset)):
        for value in (*values(leaf.left), *values(leaf.right)):
            if not isinstance(value, Measured) or not isinstance(value.of, SeriesValue):
                continue
            spec = input_of(ruleset, value.of.symbol, value.of.name).spec
            interval = spec.interval or 0
            if spec.kind == "flow" and not value.calendar and (value.window or interval) < interval:
                key, bar = key_of(value.of), span_words(interval)
                message = f"window is shorter than one bar of '{key}' in the data ({bar})"
                found.error(
                    "RG408", value.inside, message, "write a longer window, or bring finer data"
                )


def _known_in(ruleset: RuleSet, history: int, found: Findings) -> None:
    """Refuse windows that are longer than the data: their lines would never be known."""
    for leaf in leaves(*deciding(ruleset)):
        for value in (*values(leaf.left), *values(leaf.right)):
            if isinstance(value, Measured) and not _of_account(value):
                need, place = value.minimum or value.window or 0, value.inside
            elif isinstance(value, Indicator):
                need, place = _warm_up(value, ruleset.every or 0), value.span
            else:
                continue
            if need > history:
                message = (
                    f"window of {span_words(need)} is longer than the data "
                    f"({span_words(history)}): this line would never be known"
                )
                fix = "shorten it, or bring more data"
                found.error("RG502", place, message, fix)
