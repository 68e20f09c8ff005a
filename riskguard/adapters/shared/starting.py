"""Rules made to fit a bot: what it feeds, what it can do, and the desk that comes of it.

A backtest gets a guard that nothing outlives, a live bot a session with its memory in a folder.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from riskguard.adapters.shared.desk import Offline
from riskguard.engine.guard import Guard
from riskguard.errors import AdapterError
from riskguard.language.binding import bind
from riskguard.language.reader import load_rules
from riskguard.language.rewriting import parted
from riskguard.language.ruleset import input_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from riskguard.adapters.shared.desk import Desk
    from riskguard.market import Instrument

__all__ = ["Bot"]


@dataclass(frozen=True, slots=True)
class Bot:
    """What rules are made to fit: the symbol and the bar (ns) that drive them, and the rest.

    `carried` are the keys of the series that come ("close", "ETH.close"), `sources` say where
    each is from, `trades` are the coins that are traded.
    """

    symbol: str
    every: int
    capabilities: frozenset[str]
    carried: Iterable[str]
    sources: Mapping[str, str] = field(default_factory=dict)
    instruments: Mapping[str, Instrument] = field(default_factory=dict)
    trades: Iterable[str] = ()

    def desk(self, rules: Path | str, state: Path | str, *, live: bool) -> tuple[Desk, list[str]]:
        """Make the desk; return it with what of the rules is left out or replaced.

        Raises:
            RuleError: the rules have errors, or do not fit.
            AdapterError: a live guard has no folder to remember in.
            StateInUseError: another process holds that folder.
        """
        ruleset = load_rules(rules)
        keys = {key: self.sources.get(key, "") for key in (*self.carried, *self.sources)}
        bound = bind(
            ruleset,
            symbol=self.symbol,
            every=self.every,
            carried={
                key: replace(input_of(ruleset, *parted(key)), source=keys[key]) for key in keys
            },
            capabilities=self.capabilities,
            trades=sorted(set(self.trades)),
        )
        notes = [*bound.notes, *(one.message for one in bound.warnings)]
        if not live:
            guard = Guard(bound.ruleset, sources=keys, instruments=self.instruments)
            return Offline(guard), notes
        if not str(state):
            raise AdapterError("a live guard remembers in a folder", help='give state="riskguard"')
        from riskguard import Fit, Session  # noqa: PLC0415 - the live room, through the face

        fit = Fit(
            symbol=self.symbol,
            every=self.every,
            sources=keys,
            carries_all=False,
            capabilities=self.capabilities,
            instruments=self.instruments,
        )
        return Session(rules, state, fit=fit), notes
