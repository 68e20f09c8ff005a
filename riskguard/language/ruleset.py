"""The tree of a rule file: frozen, comparable, hashed by meaning.

Nothing here reads text or knows a value of a market. Spans and the written text of a line
travel beside the meaning: they take no part in equality, `repr` or the hash.
Times are int nanoseconds; shares are fractions (-4.4 % is -0.044).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from riskguard.language.tree import (
    All,
    Any,
    Arithmetic,
    AtLeast,
    Compare,
    Condition,
    Constant,
    During,
    Flag,
    For,
    Indicator,
    Measured,
    Not,
    ParameterValue,
    Sequence,
    SeriesValue,
    Span,
    Value,
    beside,
    of_hours,
    parts,
    place,
    values,
    walk,
)
from riskguard.market import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from riskguard.errors import Diagnostic
    from riskguard.market import SeriesSpec

__all__ = [
    "Actions",
    "All",
    "Allowance",
    "Any",
    "Arithmetic",
    "AtLeast",
    "Compare",
    "Condition",
    "Constant",
    "During",
    "Flag",
    "For",
    "Indicator",
    "Input",
    "Measured",
    "Not",
    "Parameter",
    "ParameterValue",
    "Reentry",
    "Rule",
    "RuleSet",
    "Sequence",
    "SeriesValue",
    "Span",
    "Stage",
    "Stop",
    "Value",
    "digest",
    "input_of",
    "of_hours",
    "parts",
    "values",
    "walk",
]


# ---------------------------------------------------------------- actions


@dataclass(frozen=True, slots=True)
class Stop:
    """Distance of a stop to the price: a share of it, or a multiple of ATR = close.atr(14 bars).

    Both where an action and its fallback are of different units: the nearer holds.
    """

    share: float | None = None
    atr: float | None = None


@dataclass(frozen=True, slots=True)
class Actions:
    """What a rule asks for; None, "" and () say nothing."""

    exposure_cap: float | None = None
    reduce_by: float | None = None
    close: str = ""  # all | longs | shorts
    block_entries: str = ""  # long | short | both
    reduce_only: bool = False
    leverage_cap: float | None = None
    stop: Stop | None = None
    cancel_orders: str = ""  # entries | all
    hedge: float | None = None
    notify: str = ""
    plugins: tuple[tuple[str, str], ...] = ()  # names with what each is told, sorted

    def __repr__(self) -> str:
        """Return all but plug-ins where none is asked: the hash of rules is made of this."""
        asked = [one.name for one in fields(self) if one.name != "plugins" or self.plugins]
        return f"Actions({', '.join(f'{name}={getattr(self, name)!r}' for name in asked)})"


@dataclass(frozen=True, slots=True)
class Reentry:
    """The ramp after clearing: cap = start + step for every `every` ns of `condition` true."""

    start: float
    step: float
    every: int
    condition: Condition
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Rule:
    """One latch: `when` turns on, `clear` turns off (None: when `when` is false)."""

    name: str
    when: Condition
    do: Actions
    clear: Condition | None = None
    min_hold: int = 0
    cooldown: int = 0
    latch: bool = False
    priority: int = 0
    severity: str = "warning"
    title: str = beside()
    description: str = beside()
    mutes: tuple[str, ...] = ()
    reentry: Reentry | None = None
    fallback: Actions | None = None
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the ladder; `recover` None: when `enter` is false."""

    name: str
    enter: Condition
    do: Actions
    recover: Condition | None = None
    min_hold: int = 0
    reentry: Reentry | None = None
    fallback: Actions | None = None
    description: str = beside()
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number the file names: one value, or one per source (`other` for the rest)."""

    name: str
    value: float | None
    dimension: str
    by_source: Mapping[str, float] = field(default_factory=dict)
    low: float | None = None
    high: float | None = None
    step: float | None = None
    text: str = beside()
    help: str = beside()
    span: Span = place()
    # the figures of `by_source` as the file has them
    written: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Input:
    """What the file or the data says of one series: its spec, and whether a feed carries it."""

    name: str
    spec: SeriesSpec
    source: str = ""
    available_after: int = 0
    stamp: str = ""  # open | close, "" = as the data says
    scale: float = 1.0
    coverage: str = ""
    carried: bool = True  # False: unknown throughout, and neither blind nor priming
    span: Span = place()
    # the keys the file wrote: data overrides the rest
    declared: tuple[str, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Allowance:
    """A warning that the author silences, in the lines `first` to `last` of a file."""

    code: str
    path: str
    first: int
    last: int

    def silences(self, found: Diagnostic) -> bool:
        """Say whether a finding is the warning that is meant; errors are never silenced."""
        inside = self.first <= found.line <= self.last and found.path == self.path
        return found.severity == "warning" and found.code == self.code and inside


@dataclass(frozen=True, slots=True)
class RuleSet:
    """A rule file as read: everything the engine needs, nothing it could misread."""

    symbol: str = ""  # "" = the bot's
    symbols: tuple[str, ...] = ()
    guards: tuple[str, ...] | str = "symbol"  # symbol | all | the symbols
    every: int | None = None  # ns; None = the bar of the data
    evaluate: str = "bar_close"
    timezone: str = "UTC"
    blind: str = "block"
    inputs: Mapping[str, Input] = field(default_factory=dict)  # what differs from the catalogue
    params: Mapping[str, Parameter] = field(default_factory=dict)
    define: Mapping[str, Condition] = field(default_factory=dict)
    stages: tuple[Stage, ...] = ()
    rules: tuple[Rule, ...] = ()
    # the rules of symbols that have their own, each read on its own data
    per_symbol: Mapping[str, RuleSet] = field(default_factory=dict)
    name: str = beside()
    description: str = beside()
    severity: str = beside("warning")
    path: str = beside()
    lines: tuple[str, ...] = field(default=(), compare=False, repr=False)
    # the lines of the files it extends, by the path of their spans
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False, repr=False)
    # warnings that data and bots bring, silenced by the author
    allowed: tuple[Allowance, ...] = field(default=(), compare=False, repr=False)
    # what of them is left out or replaced, once they are made to fit data and a bot
    notes: tuple[str, ...] = field(default=(), compare=False, repr=False)
    # carried over by `dataclasses.replace`: what was written, not what the data made of it
    hash: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("inputs", "params", "define", "per_symbol"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        if not self.hash:
            object.__setattr__(self, "hash", digest(self))

    def unsilenced(self, found: Iterable[Diagnostic]) -> list[Diagnostic]:
        """Return what data or a bot brought, without the warnings that the author allows."""
        return [one for one in found if not any(each.silences(one) for each in self.allowed)]

    def guarded(self, symbol: str) -> bool:
        """Say whether the decisions hold for orders in `symbol`."""
        if self.guards == "all" or symbol in self.per_symbol:
            return True
        if self.guards == "symbol":
            return symbol == self.symbol or not self.symbol
        return symbol in self.guards


def digest(ruleset: RuleSet) -> str:
    """Return the SHA-256 of the meaning: places, texts and metadata do not count."""
    import hashlib  # noqa: PLC0415 - not before there are rules

    text = repr(_ordered(ruleset)).replace("mappingproxy", "")
    return hashlib.sha256(text.encode()).hexdigest()


def _ordered(ruleset: RuleSet) -> RuleSet:
    """Return the rules with all that has no order of its own sorted by name."""
    kept = {name: _ordered(own) for name, own in ruleset.per_symbol.items()}
    named = {"inputs": ruleset.inputs, "params": ruleset.params, "define": ruleset.define}
    rules = [replace(rule, mutes=tuple(sorted(set(rule.mutes)))) for rule in ruleset.rules]
    return replace(
        ruleset,
        hash="-",
        symbols=tuple(sorted(set(ruleset.symbols))),
        guards=tuple(sorted(ruleset.guards))
        if isinstance(ruleset.guards, tuple)
        else ruleset.guards,
        rules=tuple(sorted(rules, key=lambda rule: rule.name)),
        per_symbol=dict(sorted(kept.items())),
        **{key: dict(sorted(one.items())) for key, one in named.items()},  # type: ignore[arg-type]  # each of `named` is a mapping
    )


def input_of(ruleset: RuleSet, symbol: str, name: str) -> Input:
    """Return what is known of a series: said for the symbol, for the name, or the catalogue."""
    key = f"{symbol}.{name}" if symbol else name
    found = ruleset.inputs.get(key) or ruleset.inputs.get(name)
    return found or Input(name, CATALOGUE[name])
