"""How the guard of a Nautilus host comes to be: rules made to fit its bars, data and instruments.

A backtest gets a guard that nothing outlives, a live node a session with its memory in a folder.
Imported only where nautilus_trader is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nautilus_trader.common import Environment
from nautilus_trader.model.data import BarType

from riskguard.adapters.desk import Offline
from riskguard.engine.guard import Guard
from riskguard.errors import AdapterError
from riskguard.language.binding import bind
from riskguard.language.reader import load_rules
from riskguard.language.rewriting import deciding, key_of, leaves, series_of
from riskguard.language.ruleset import input_of
from riskguard.market import ACCOUNT, CATALOGUE, Instrument, coin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from riskguard.adapters.desk import Desk
    from riskguard.adapters.nautilus_facts import Names
    from riskguard.language.ruleset import RuleSet

__all__ = ["Start", "bar_types", "venue_of"]

Thing = Any  # an object of Nautilus, which is untyped
BARS = tuple(name for name, one in CATALOGUE.items() if one.bar and "." not in name)
BACKTEST = Environment.BACKTEST
PUBLISHED = ("liq.long", "liq.short", "liq.total", "oi", "oi_usd")


def bar_types(bars: Sequence[Thing]) -> list[Thing]:
    """Return bar types, some of which may be given by their names."""
    return [BarType.from_str(one) if isinstance(one, str) else one for one in bars]


def venue_of(instrument: Thing) -> Instrument:
    """Return how the venue counts an instrument."""
    least = float(instrument.min_quantity) if instrument.min_quantity is not None else 0.0
    return Instrument(float(instrument.size_increment), least, float(instrument.multiplier))


@dataclass(frozen=True, slots=True)
class Start:
    """What the rules are made to fit: the first bar type drives them."""

    kernel: Thing
    names: Names
    bars: Sequence[Thing]
    sources: Mapping[str, str]
    data: bool
    funding: bool
    capabilities: frozenset[str]

    def desk(self, rules: Path | str, state: Path | str) -> tuple[Desk, list[str]]:
        """Make the desk; return it with what of the rules is left out or replaced.

        Raises:
            RuleError: the rules have errors, or do not fit.
            AdapterError: no bars drive them, or a live node has no folder to remember in.
        """
        if not self.bars:
            raise AdapterError("no bars drive the guard", help="give bars=[BarType...]")
        ruleset = load_rules(rules)
        symbol, every = self._pilot(ruleset), self._every()
        carried = self._carried(ruleset, symbol)
        bound = bind(
            ruleset,
            symbol=symbol,
            every=every,
            carried={key: replace(_input(ruleset, key), source=carried[key]) for key in carried},
            capabilities=self.capabilities,
            trades=sorted({coin(self.names.unified(one.id)) for one in self._instruments()}),
        )
        notes = [*bound.notes, *(one.message for one in bound.warnings)]
        venues = {self.names.unified(one.id): venue_of(one) for one in self._instruments()}
        if self.kernel.environment == BACKTEST:
            return Offline(Guard(bound.ruleset, sources=carried, instruments=venues)), notes
        if not str(state):
            raise AdapterError("a live guard remembers in a folder", help='give state="riskguard"')
        from riskguard import Fit, Session  # noqa: PLC0415 - the live room, through the face

        fit = Fit(symbol, every, carried, False, self.capabilities, venues)  # noqa: FBT003 - carries_all
        return Session(rules, state, fit=fit), notes

    def _instruments(self) -> list[Thing]:
        """Return the instruments that are known: in a live node some come only at its start."""
        found: list[Thing] = self.kernel.cache.instruments()
        return found

    def _pilot(self, ruleset: RuleSet) -> str:
        return ruleset.symbol or coin(self.names.unified(self.bars[0].instrument_id))

    def _every(self) -> int:
        return int(self.bars[0].spec.timedelta.total_seconds()) * 1_000_000_000

    def _carried(self, ruleset: RuleSet, symbol: str) -> dict[str, str]:
        """Return the keys of the series that come, each with its source."""
        keys = [*BARS, *sorted(ACCOUNT), *self.sources]
        for bar_type in self.bars[1:]:
            other = coin(self.names.unified(bar_type.instrument_id))
            keys += [f"{other}.{name}" for name in BARS] if other != symbol else []
        keys += [key for key in _read(ruleset) if self._comes(key)]
        return {key: self.sources.get(key, "") for key in dict.fromkeys(keys)}

    def _comes(self, key: str) -> bool:
        head, _, tail = key.partition(".")
        name = tail if head.isupper() else key
        return (self.data and name in PUBLISHED) or (self.funding and name == "funding")


def _read(ruleset: RuleSet) -> Iterator[str]:
    for leaf in leaves(*deciding(ruleset)):
        for one in series_of(leaf):
            yield key_of(one)


def _input(ruleset: RuleSet, key: str) -> Any:  # noqa: ANN401 - an Input of the language
    head, _, name = key.partition(".")
    return input_of(ruleset, head, name) if head.isupper() else input_of(ruleset, "", key)
