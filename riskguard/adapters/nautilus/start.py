"""How the guard of a Nautilus host comes to be: which bars and data feed it, what is traded.

Imported only where nautilus_trader is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nautilus_trader.common import Environment
from nautilus_trader.model.data import BarType

from riskguard.adapters.shared.offline import BAR, read_by
from riskguard.adapters.shared.starting import Bot
from riskguard.errors import AdapterError
from riskguard.language.reader import load_rules
from riskguard.language.rewriting import parted
from riskguard.market import ACCOUNT, Instrument, coin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from riskguard.adapters.nautilus.facts import Names
    from riskguard.adapters.shared.desk import Desk
    from riskguard.language.ruleset import RuleSet

__all__ = ["Start", "bar_types", "venue_of"]

Thing = Any  # an object of Nautilus, which is untyped
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

    def desk(self, rules: Path | str, state: Path | str) -> Desk:
        """Make the desk.

        Raises:
            RuleError: the rules have errors, or do not fit.
            AdapterError: no bars drive them, or a live node has no folder to remember in.
        """
        if not self.bars:
            raise AdapterError("no bars drive the guard", help="give bars=[BarType...]")
        ruleset = load_rules(rules)
        symbol = ruleset.symbol or coin(self.names.unified(self.bars[0].instrument_id))
        known = {self.names.unified(one.id): one for one in self.kernel.cache.instruments()}
        bot = Bot(
            symbol=symbol,
            every=int(self.bars[0].spec.timedelta.total_seconds()) * 1_000_000_000,
            capabilities=self.capabilities,
            carried=self._carried(ruleset, symbol),
            sources=self.sources,
            instruments={name: venue_of(one) for name, one in known.items()},
        )
        if self.kernel.environment == BACKTEST:
            return bot.offline(ruleset)
        return bot.live(rules, state)

    def _carried(self, ruleset: RuleSet, symbol: str) -> list[str]:
        """Return the keys of the series that come."""
        keys = [*BAR, *sorted(ACCOUNT)]
        for bar_type in self.bars[1:]:
            other = coin(self.names.unified(bar_type.instrument_id))
            keys += [f"{other}.{name}" for name in BAR] if other != symbol else []
        return keys + [key for key in read_by(ruleset, symbol) if self._comes(key)]

    def _comes(self, key: str) -> bool:
        _, name = parted(key)
        return (self.data and name in PUBLISHED) or (self.funding and name == "funding")
