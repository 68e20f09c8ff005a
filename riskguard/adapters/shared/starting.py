"""How a bot starts: the desk that its rules become, and what it is told of them.

A backtest gets a guard that nothing outlives, a live bot a session with its memory in a folder.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from riskguard.adapters.shared.desk import Offline
from riskguard.engine.guard import Guard
from riskguard.errors import AdapterError
from riskguard.language.binding import bind, unguarded
from riskguard.language.fitting.fallbacks import said
from riskguard.language.rewriting import latches, parted
from riskguard.language.ruleset import RuleSet, input_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from riskguard.adapters.shared.desk import Desk
    from riskguard.market import Instrument

__all__ = ["Bot", "able", "announce", "rules_of"]

UNTOLD = "transfers"  # by no framework, while a bot runs


@dataclass(frozen=True, slots=True)
class Bot:
    """What rules are made to fit: the symbol and the bar (ns) that drive them, and the rest.

    `carried` are the keys of the series that come ("close", "ETH.close"), `sources` say where
    each is from.
    """

    symbol: str
    every: int
    capabilities: frozenset[str]
    carried: Iterable[str]
    sources: Mapping[str, str] = field(default_factory=dict)
    instruments: Mapping[str, Instrument] = field(default_factory=dict)

    def offline(self, ruleset: RuleSet) -> Offline:
        """Make the desk of a backtest.

        Raises:
            RuleError: the rules do not fit.
        """
        keys = self._keys()
        bound = bind(
            ruleset,
            symbol=self.symbol,
            every=self.every,
            carried={
                key: replace(input_of(ruleset, *parted(key)), source=keys[key]) for key in keys
            },
            capabilities=self.capabilities,
        )
        return Offline(Guard(bound.ruleset, sources=keys, instruments=self.instruments))

    def live(self, rules: Path | str, state: Path | str) -> Desk:
        """Make the session of a live bot, which reads the rules again when they change.

        Raises:
            RuleError: the rules have errors, or do not fit.
            AdapterError: it has no folder to remember in.
            StateInUseError: another process holds that folder.
        """
        if not str(state):
            raise AdapterError("a live guard remembers in a folder", help='give state="riskguard"')
        from riskguard import Fit, Session  # noqa: PLC0415 - the live room, through the face

        fit = Fit(
            symbol=self.symbol,
            every=self.every,
            sources={key: told for key, told in self._keys().items() if key != UNTOLD},
            carries_all=False,
            capabilities=self.capabilities,
            instruments=self.instruments,
        )
        return Session(rules, state, fit=fit)

    def _keys(self) -> dict[str, str]:
        return {key: self.sources.get(key, "") for key in (*self.carried, *self.sources)}


def able(desk: object, capabilities: frozenset[str]) -> None:
    """Refuse a desk, made elsewhere, whose rules ask for what an adapter cannot do.

    Raises:
        AdapterError: nothing would say so later.
    """
    ruleset = rules_of(desk)
    for latch in latches(ruleset) if ruleset is not None else ():
        lacking = [word for word in said(latch.do) if word not in {*capabilities, "notify"}]
        if lacking:
            raise AdapterError(
                f"'{latch.name}' asks for {', '.join(lacking)}, which this adapter cannot do",
                help='give it a "fallback:", and make the rules fit with capabilities=CAPABILITIES',
            )


def announce(desk: object, trades: Iterable[str], say: Callable[[str], object]) -> tuple[str, ...]:
    """Say at a start what of the rules is left out or replaced, and what nobody guards.

    `desk` may be a guard too; `trades` are the symbols that the bot trades, by any name. What
    was said is returned.
    """
    ruleset = rules_of(desk)
    if ruleset is None:
        return ()
    free = [one.message for one in unguarded(ruleset, trades)]
    notes = tuple(dict.fromkeys((*ruleset.notes, *free)))
    for note in notes:
        say(note)
    return notes


def rules_of(desk: object) -> RuleSet | None:
    """Return the rules that a desk obeys; None where it has none, or is broken: it lets none in."""
    ruleset = None
    with suppress(Exception):
        ruleset = getattr(getattr(desk, "guard", desk), "ruleset", None)
    return ruleset if isinstance(ruleset, RuleSet) else None
