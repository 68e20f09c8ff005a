"""The rules of a live guard: read, made to fit the bot, and kept with the state they belong to.

What is kept is the rule file in effect as text, and how it was made to fit: from them the same
guard can be built again, for a restart, a replay, or while a rule of an earlier file is still on.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from riskguard.engine.guard import Guard
from riskguard.errors import RuleError, StateError
from riskguard.language.binding import bind, leading
from riskguard.language.reader import load_rules, read_text
from riskguard.language.rewriting import deciding, key_of, leaves, parted, series_of
from riskguard.language.ruleset import Actions, input_of
from riskguard.language.writing.printing import printed
from riskguard.live.written import texts, with_texts
from riskguard.market import CATALOGUE, Instrument

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from riskguard.errors import Diagnostic
    from riskguard.language.ruleset import RuleSet

__all__ = ["Fit", "Loaded"]


@dataclass(frozen=True, slots=True)
class Fit:
    """What the rules are made to fit: the bot's symbol, its bar (ns), its feeds and abilities.

    `sources` name where each series comes from ("liq.long": "bybit"), for a price several venues
    too ("close": ["binance", "bybit", "okx"]): with `carries_all` false they are also the only
    series there are. `capabilities` None: all that can be asked.
    """

    symbol: str = ""
    every: int = 0
    sources: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    carries_all: bool = True
    capabilities: frozenset[str] | None = None
    instruments: Mapping[str, Instrument] = field(default_factory=dict)
    # that the operator allows the rules to use: said anew at each start, and kept nowhere
    plugins: frozenset[str] = field(default=frozenset(), compare=False)

    def __post_init__(self) -> None:
        told = self.sources.items()
        sources = {key: tuple(one) if isinstance(one, list) else one for key, one in told}
        object.__setattr__(self, "sources", sources)

    def plain(self) -> dict[str, Any]:
        """Return this as JSON knows it."""
        able = None if self.capabilities is None else sorted(self.capabilities)
        instruments = {name: list(one) for name, one in self.instruments.items()}
        return {
            "symbol": self.symbol,
            "every": self.every,
            "sources": dict(self.sources),
            "carries_all": self.carries_all,
            "capabilities": able,
            "instruments": instruments,
        }

    @staticmethod
    def of(told: Mapping[str, Any]) -> Fit:
        """Return what `plain` made this of."""
        able = told["capabilities"]
        return Fit(
            str(told["symbol"]),
            int(told["every"]),
            dict(told["sources"]),
            bool(told["carries_all"]),
            None if able is None else frozenset(able),
            {name: Instrument(*one) for name, one in told["instruments"].items()},
        )

    def bound(self, ruleset: RuleSet) -> RuleSet:
        """Return the rules as they hold for this bot.

        Raises:
            RuleError: they do not fit.
        """
        if self.carries_all and self.capabilities is None and not self.symbol and not self.every:
            return ruleset
        symbol, every = self.symbol or ruleset.symbol, self.every or ruleset.every or 0
        keys = leading(ruleset, self.sources)
        if self.carries_all:
            keys = dict.fromkeys(_read(ruleset), "") | keys
        carried = {
            key: replace(input_of(ruleset, *parted(key)), source=source)
            for key, source in keys.items()
        }
        able = ABLE if self.capabilities is None else self.capabilities
        return bind(
            ruleset, symbol=symbol, every=every, carried=carried, capabilities=able, live=True
        ).ruleset


ABLE = frozenset(one.name for one in fields(Actions))  # a bot that can do all that is asked


PLUGGED = {"RG607", "RG608", "RG609"}  # a plug-in is gone, or not allowed, or another one now
BARS = frozenset(name for name, one in CATALOGUE.items() if one.bar and "." not in name)


def _read(ruleset: RuleSet) -> set[str]:
    read = {key_of(one) for leaf in leaves(*deciding(ruleset)) for one in series_of(leaf)}
    return read | BARS


def _why(found: Sequence[Diagnostic]) -> str:
    """Return why rules that were kept cannot be read any more, and the way out."""
    if not found:
        return "they mean something else now"
    plugin = found[0].code in PLUGGED
    fix = f"{found[0].help}; or begin with another folder of state" if plugin else found[0].help
    return found[0].message + (f"\n  = help: {fix}" if fix else "")


class Loaded:
    """One rule file as read once: its text in effect, its hash, and the guard it makes."""

    __slots__ = ("file", "fit", "hash", "text", "unbound")

    def __init__(self, unbound: RuleSet, fit: Fit, file: str = "") -> None:
        self.unbound, self.fit, self.file = unbound, fit, file
        self.text, self.hash = printed(unbound), unbound.hash

    @staticmethod
    def read(path: Path | str, fit: Fit) -> Loaded:
        """Read a rule file.

        Raises:
            RuleError: it has errors.
        """
        return Loaded(load_rules(path, plugins=fit.plugins), fit, os.path.abspath(path))  # noqa: PTH100 - a link stays one

    @staticmethod
    def again(about: Mapping[str, Any]) -> Loaded:
        """Return what was kept with a state, read again.

        Raises:
            StateError: it no longer means what it meant.
        """
        try:
            ruleset, found = read_text(str(about["rules"]), "rules of the state")
            fit = Fit.of(about["fit"])
        except (KeyError, TypeError, ValueError, AttributeError, RuleError) as error:
            raise StateError(f"the rules kept with the state cannot be read: {error}") from error
        if ruleset is None or ruleset.hash != about.get("hash"):
            raise StateError(f"the rules kept with the state cannot be used: {_why(found)}")
        ruleset = with_texts(ruleset, [str(line) for line in about.get("lines", ())])
        return Loaded(ruleset, fit, str(about.get("file", "")))

    def about(self) -> dict[str, Any]:
        """Return what is kept with the state."""
        fit = self.fit.plain()
        lines = texts(self.unbound)
        return {
            "rules": self.text, "hash": self.hash, "lines": lines, "fit": fit, "file": self.file,
        }  # fmt: skip

    def guard(self) -> Guard:
        """Return a new guard of these rules.

        Raises:
            RuleError: they do not fit the bot.
        """
        fit = self.fit
        return Guard(fit.bound(self.unbound), sources=fit.sources, instruments=fit.instruments)
