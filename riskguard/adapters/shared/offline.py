"""What the adapters of backtests share: rules made to fit a run, and the facts of a bar in order.

A desk of a backtest waits for nobody: it decides as soon as it is told of the end of a bar. So
what belongs to a bar is told a nanosecond before its close, and the close itself last: the
guard then sees what a guard that is fed with samples sees, and decides the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from riskguard.adapters.shared.logs import logger
from riskguard.adapters.shared.starting import Bot, able, announce
from riskguard.engine.events import Event
from riskguard.errors import AdapterError
from riskguard.language.reader import load_rules
from riskguard.language.rewriting import deciding, key_of, leaves, parted, series_of
from riskguard.language.ruleset import RuleSet
from riskguard.market import ACCOUNT, CATALOGUE, Instrument, coin, time_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from pathlib import Path

    from riskguard.adapters.shared.desk import Desk
    from riskguard.engine.decision import Decision

__all__ = [
    "BAR",
    "Fact",
    "Teller",
    "Terms",
    "closes",
    "columns",
    "leverage",
    "of_account",
    "read_by",
    "row",
]

BAR = ("open", "high", "low", "close", "volume")
PLAIN = Instrument()
UNDER_WATER = 1e6  # leverage of an account that is worth nothing and holds something
log = logger("riskguard")


class Fact(NamedTuple):
    """A value of a series other than the driving bars, and when a bot could know it."""

    ts: int
    symbol: str  # "" is the guarded one, "*" the market
    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Terms:
    """What the guard of a backtest is made of: each run makes its own from the same rules.

    `make` makes a desk to be asked instead. Every name of the symbol is its coin's: "BTC".
    """

    rules: RuleSet | None
    symbol: str
    sources: Mapping[str, str]
    instrument: Instrument
    make: Callable[[], Desk] | None = None

    @staticmethod
    def of(
        rules: RuleSet | Path | str,
        *,
        symbol: str = "",
        sources: Mapping[str, str] | None = None,
        instrument: Instrument = PLAIN,
        desk: Callable[[], Desk] | None = None,
    ) -> Terms:
        """Read the rules and say for whom they are.

        Raises:
            RuleError: the rules have errors.
            AdapterError: there are none, or nobody says which symbol is guarded.
        """
        if (desk is None) == (rules == ""):
            raise AdapterError("nothing to obey", help="give one of rules and desk")
        read = None
        if desk is None:
            read = rules if isinstance(rules, RuleSet) else load_rules(rules)
        name = coin(symbol or (read.symbol if read else ""))
        if not name:
            msg = "the rules name no symbol, and the bot says none"
            raise AdapterError(msg, help='write symbol="BTC", or symbol: BTC in the rules')
        return Terms(read, name, dict(sources or {}), instrument, desk)

    @property
    def keys(self) -> list[str]:
        """The keys of all series that are to be told: the bars, and what the rules read."""
        return list(
            dict.fromkeys((*BAR, *(read_by(self.rules, self.symbol) if self.rules else ())))
        )

    def desk(
        self,
        every: int,
        carried: Collection[str],
        capabilities: frozenset[str],
        trades: Collection[str] = (),
        *,
        account: bool = True,
    ) -> tuple[Desk, tuple[str, ...]]:
        """Make a desk for bars of `every` ns and the series that are `carried`, by their keys.

        Return with it what of the rules is left out or replaced and which of the symbols that
        the bot `trades` nobody guards, which is logged too. Without an `account` rules that
        read one do not fit.

        Raises:
            RuleError: the rules do not fit: a series is not there, or an action cannot be done.
            AdapterError: a desk that was made obeys rules that ask for what cannot be done.
        """
        if self.rules is None:
            assert self.make is not None  # noqa: S101 - `of` saw to it
            desk = self.make()
            able(desk, capabilities)
        else:
            told = [*carried, *(sorted(ACCOUNT) if account else ())]
            sources = {key: self.sources.get(key, "") for key in told}
            units = {self.symbol: self.instrument}
            bot = Bot(self.symbol, every, capabilities, told, sources, units)
            desk = bot.offline(self.rules)
        return desk, announce(desk, trades, lambda note: log.warning("riskguard: %s", note))


def read_by(rules: RuleSet, symbol: str, *, strictly: bool = False) -> list[str]:
    """Return the keys of all series that rules are decided by, `strictly` those they must have."""
    lines = [
        leaf for leaf in leaves(*deciding(rules)) if not strictly or leaf.on_missing != "ignore"
    ]
    found = {key_of(one) for leaf in lines for one in series_of(leaf)}
    return sorted({key.removeprefix(f"{symbol}.") for key in found})


def of_account(key: str) -> bool:
    """Say whether the account tells a series, and no feed."""
    return key.removesuffix(".nav") in ACCOUNT


def closes(index: Any, stamp: str) -> tuple[list[int], int]:  # noqa: ANN401 - an index of pandas
    """Return the closes of bars in ns, and how long a bar is.

    Raises:
        AdapterError: there are no times, or they lie beside the multiples of a bar: nothing
            would be decided.
    """
    if stamp not in {"close", "open"}:
        raise AdapterError(f"stamp={stamp!r}", help="write 'open' or 'close'")
    stamps = [int(one.value) for one in index if hasattr(one, "value")]
    if len(stamps) < 2:
        raise AdapterError("the data has no times", help="give it a DatetimeIndex")
    every = min(after - before for before, after in pairwise(stamps))
    if every <= 0 or stamps[-1] % every:
        raise AdapterError(
            f"bars of {time_text(every)} end at {stamps[-1]} ns, which is no multiple of it in UTC",
            help="give the bars as the venue has them, oldest first, in UTC",
        )
    shift = every if stamp == "open" else 0
    return [one + shift for one in stamps], every


def row(
    named: Mapping[str, str], ts: int, value: Callable[[str], float], unit: float = 1.0
) -> tuple[dict[str, float], list[Fact]]:
    """Return the bar that closes at `ts` and what else its row holds; NaN is nothing new.

    `named` has the columns of the keys, `value` reads one of them; prices are of `unit` coins.
    """
    bar, facts = dict[str, float](), list[Fact]()
    for key, column in named.items():
        found = float(value(column))
        if math.isnan(found):
            continue
        if key in BAR:
            bar[key] = found * unit if key == "volume" else found / unit
        else:
            facts.append(Fact(ts, *parted(key), found))
    return bar, facts


def leverage(notional: float, equity: float) -> float:
    """Return how often a position is the account; beyond any limit where nothing is left."""
    return abs(notional) / equity if equity > 0 else UNDER_WATER if notional else 0.0


class Teller:
    """Tells a desk of one bar after the other: facts first, the close of the bar last."""

    def __init__(self, desk: Desk, symbol: str, every: int) -> None:
        self.desk, self.symbol, self.every = desk, symbol, every
        self._told = 0
        self._warned: set[str] = set()

    def tell(
        self,
        ts: int,
        bar: Mapping[str, float],
        facts: Iterable[Fact] = (),
        *,
        account: Mapping[str, float] | None = None,
        positions: Mapping[str, float] | None = None,
        trades: Iterable[Mapping[str, object]] = (),
    ) -> Decision:
        """Tell of a bar that closes at `ts` (ns), and return the decision in force.

        Bars of other symbols are facts too. `account` is the account with the position of the
        guarded symbol, `positions` those of others; `trades` were closed since the bar before.
        """
        for fact in facts:
            data = {"series": fact.name, "value": fact.value}
            self._take(min(fact.ts, ts) - 1, "value", fact.symbol or self.symbol, data)
        for trade in trades:
            self._take(ts - 1, "trade_closed", self.symbol, trade)
        for symbol, held in (positions or {}).items():
            self._take(ts - 1, "account", symbol, {"position": held})
        if account is not None:
            self._take(ts - 1, "account", self.symbol, account)
        decision = self._take(ts, "bar", self.symbol, {**bar, "interval_ns": self.every})
        self._warn()
        return decision

    def _warn(self) -> None:
        """Say once of each reason that something was refused for: the run goes on without it."""
        refused = getattr(self.desk, "refused", {})
        if len(refused) > len(self._warned):
            for reason in refused.keys() - self._warned:
                log.warning("riskguard: not taken: %s", reason)
            self._warned |= refused.keys()

    def _take(self, ts: int, kind: str, symbol: str, data: Mapping[str, object]) -> Decision:
        self._told += 1  # two trades may look the same: each has an id of its own
        return self.desk.take(Event(ts, kind, symbol, data, id=str(self._told)))


def columns(keys: Iterable[str], carried: Collection[str]) -> dict[str, str]:
    """Find for each key of a series the column of a frame that holds it.

    A column is named as the series ("liq.long"), with "_" for "." ("liq_long"), or as the
    catalogue names it ("liq_long_usd"); bars also as frames have them ("Close").
    """
    found = {}
    for key in keys:
        symbol, name = parted(key)
        names = [name, name.replace(".", "_")]
        if name in CATALOGUE and CATALOGUE[name].column:
            names.append(CATALOGUE[name].column)
        if symbol and symbol != "*":
            tries = [f"{symbol}{sign}{one}" for one in names for sign in "._"]
        else:
            tries = [*names, name.capitalize()] if name in BAR else names
        hit = next((one for one in tries if one in carried), None)
        if hit is not None:
            found[key] = hit
    return found
