"""The tree of a rule file: frozen, comparable, hashed by meaning.

Nothing here reads text or knows a value of a market. Spans and the written text of a line
travel beside the meaning: they take no part in equality, `repr` or the hash.
Times are int nanoseconds; shares are fractions (-4.4 % is -0.044).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from riskguard.market import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from riskguard.market import SeriesSpec

__all__ = [
    "Actions",
    "All",
    "Any",
    "Arithmetic",
    "AtLeast",
    "Compare",
    "Condition",
    "Constant",
    "Flag",
    "For",
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
]


@dataclass(frozen=True, slots=True)
class Span:
    """Where something is written: from 1, `end_column` exclusive."""

    line: int = 1
    column: int = 1
    end_line: int = 1
    end_column: int = 2


def _place() -> Span:
    return field(default=Span(), compare=False, repr=False)


def _beside(default: str = "") -> str:
    return field(default=default, compare=False, repr=False)


# ---------------------------------------------------------------- values


@dataclass(frozen=True, slots=True)
class Constant:
    """A number with its dimension ("plain" for a number without a unit)."""

    value: float
    dimension: str
    span: Span = _place()
    text: str = _beside()


@dataclass(frozen=True, slots=True)
class ParameterValue:
    """A parameter of the file, by name; by_source ones are settled when a guard is built."""

    name: str
    dimension: str
    span: Span = _place()
    text: str = _beside()


@dataclass(frozen=True, slots=True)
class SeriesValue:
    """The last value of an input; `symbol` "" is the guarded symbol."""

    symbol: str
    name: str
    dimension: str
    span: Span = _place()
    text: str = _beside()


@dataclass(frozen=True, slots=True)
class Measured:
    """A measure over a series or over another measure: `of.function(window, min=minimum)`."""

    function: str
    of: SeriesValue | Measured
    window: int | None  # ns; None for age()
    minimum: int | None
    dimension: str
    span: Span = _place()
    text: str = _beside()


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """left op right. `+share` and `-share` are the trader's "price - 0.5%": left * (1 ± right)."""

    op: str  # + - * / +share -share
    left: Value
    right: Value
    dimension: str
    span: Span = _place()
    text: str = _beside()


Value = Constant | ParameterValue | SeriesValue | Measured | Arithmetic

# ---------------------------------------------------------------- conditions


@dataclass(frozen=True, slots=True)
class Compare:
    """One leaf: one number against one threshold."""

    left: Value
    op: str  # < <= > >= == !=
    right: Value
    on_missing: str = "hold"  # hold | fire | ignore, the innermost written one
    span: Span = _place()
    text: str = _beside()


@dataclass(frozen=True, slots=True)
class Flag:
    """The state of a definition, a rule (is it active) or the ladder (is it at least there)."""

    kind: str  # definition | rule | stage
    name: str
    on_missing: str = "hold"
    span: Span = _place()
    text: str = _beside()


@dataclass(frozen=True, slots=True)
class All:
    """True when every part is."""

    of: tuple[Condition, ...]
    span: Span = _place()


@dataclass(frozen=True, slots=True)
class Any:
    """True when some part is."""

    of: tuple[Condition, ...]
    span: Span = _place()


@dataclass(frozen=True, slots=True)
class Not:
    """True when its part is false."""

    of: Condition
    span: Span = _place()


@dataclass(frozen=True, slots=True)
class AtLeast:
    """True when at least `count` parts are."""

    count: int
    of: tuple[Condition, ...]
    span: Span = _place()


@dataclass(frozen=True, slots=True)
class Sequence:
    """True when the parts came true one after another, all inside `within` (ns)."""

    of: tuple[Condition, ...]
    within: int
    span: Span = _place()


@dataclass(frozen=True, slots=True)
class For:
    """True once its part has stayed true for `duration` (ns) or for `closes` closed bars."""

    of: Condition
    duration: int | None
    closes: int | None
    span: Span = _place()
    text: str = _beside()


Condition = Compare | Flag | All | Any | Not | AtLeast | Sequence | For


def parts(node: Condition) -> tuple[Condition, ...]:
    """Return the conditions directly under `node`."""
    if isinstance(node, All | Any | AtLeast | Sequence):
        return node.of
    if isinstance(node, Not | For):
        return (node.of,)
    return ()


def walk(node: Condition) -> Iterator[Condition]:
    """Yield `node` and everything under it, parents first, not following flags."""
    yield node
    for part in parts(node):
        yield from walk(part)


def values(node: Value) -> Iterator[Value]:
    """Yield `node` and every value under it, parents first."""
    yield node
    if isinstance(node, Measured):
        yield from values(node.of)
    elif isinstance(node, Arithmetic):
        yield from values(node.left)
        yield from values(node.right)


# ---------------------------------------------------------------- actions


@dataclass(frozen=True, slots=True)
class Stop:
    """Distance of a stop to the price: a share of it, or a multiple of ATR = close.atr(14 bars)."""

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


@dataclass(frozen=True, slots=True)
class Reentry:
    """The ramp after clearing: cap = start + step for every `every` ns of `condition` true."""

    start: float
    step: float
    every: int
    condition: Condition
    span: Span = _place()


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
    title: str = _beside()
    description: str = _beside()
    mutes: tuple[str, ...] = ()
    reentry: Reentry | None = None
    fallback: Actions | None = None
    span: Span = _place()


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
    description: str = _beside()
    span: Span = _place()


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
    text: str = _beside()
    help: str = _beside()
    span: Span = _place()
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
    span: Span = _place()
    # the keys the file wrote: data overrides the rest
    declared: tuple[str, ...] = field(default=(), compare=False, repr=False)


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
    name: str = _beside()
    description: str = _beside()
    severity: str = _beside("warning")
    path: str = _beside()
    lines: tuple[str, ...] = field(default=(), compare=False, repr=False)
    # carried over by `dataclasses.replace`: what was written, not what the data made of it
    hash: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("inputs", "params", "define"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        if not self.hash:
            object.__setattr__(self, "hash", digest(self))

    def guarded(self, symbol: str) -> bool:
        """Say whether the decisions hold for orders in `symbol`."""
        if self.guards == "all":
            return True
        if self.guards == "symbol":
            return symbol == self.symbol or not self.symbol
        return symbol in self.guards


def digest(ruleset: RuleSet) -> str:
    """Return the SHA-256 of the meaning: places, texts and metadata do not count."""
    plain = replace(ruleset, hash="-")
    text = repr(plain).replace("mappingproxy", "")
    return hashlib.sha256(text.encode()).hexdigest()


def input_of(ruleset: RuleSet, symbol: str, name: str) -> Input:
    """Return what is known of a series: said for the symbol, for the name, or the catalogue."""
    key = f"{symbol}.{name}" if symbol else name
    found = ruleset.inputs.get(key) or ruleset.inputs.get(name)
    return found or Input(name, CATALOGUE[name])
