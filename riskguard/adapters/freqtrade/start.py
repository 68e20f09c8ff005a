"""How the guard of a freqtrade strategy comes to be: what is refused, what is read, what is told.

A backtest gets a guard of its own that nothing outlives; a dry or live run a session with its
memory in the user's data folder. Both are made of the same rules, fitted to the same bot.
"""

from __future__ import annotations

import atexit
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskguard.adapters.shared.logs import logger
from riskguard.adapters.shared.offline import BAR, read_by
from riskguard.adapters.shared.starting import Bot, able, announce
from riskguard.errors import AdapterError
from riskguard.language.reader import load_rules
from riskguard.market import ACCOUNT, SECOND, coin
from riskguard.shipped import shipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from riskguard.adapters.shared.desk import Desk
    from riskguard.language.ruleset import RuleSet
    from riskguard.market import Sample

__all__ = ["Terms", "interval", "live", "pilot", "refuse", "traded"]

Strategy = Any  # freqtrade's own types are not seen from here
NEEDED = (
    ("use_exit_signal", True, "freqtrade asks no exit of the guard without it"),
    ("exit_profit_only", False, "with it an exit at a loss can be dropped, the guard's too"),
    ("position_adjustment_enable", True, "without it no position can be reduced"),
)
SESSIONS: dict[Path, Any] = {}  # by folder: a bot that is reloaded starts anew in its process
log = logger("riskguard.freqtrade")


@dataclass(frozen=True, slots=True)
class Terms:
    """What `guarded` was told; each strategy makes its own desk of it."""

    rules: Path | str
    benchmark: str
    state: Path | str
    sources: Mapping[str, str]
    samples: Callable[[], Iterable[Sample]] | None
    feed: Callable[[Any, Strategy], object] | None
    make: Callable[[], Desk] | None
    capabilities: frozenset[str]

    def read(self, strategy: Strategy) -> RuleSet | None:
        """Read the rules; None where a desk is made without.

        Raises:
            RuleError: they have errors.
            AdapterError: there is no such file.
        """
        return None if self.make is not None else load_rules(self.path(strategy))

    def path(self, strategy: Strategy) -> Path:
        """Find the rule file: beside the strategy, in the user's data, or among the packs.

        Raises:
            AdapterError: it is in none of them.
        """
        folders = [
            Path(getattr(strategy, "__file__", "")).parent,  # freqtrade puts it there
            Path(strategy.config["user_data_dir"]),
            Path.cwd(),
            shipped("rules"),
        ]
        for folder in folders:
            if (folder / self.rules).is_file():  # an absolute path stays what it is
                return folder / self.rules
        looked = ", ".join(map(str, folders))
        raise AdapterError(f"no rule file {str(self.rules)!r}", help=f"looked for in {looked}")

    def desk(self, strategy: Strategy, rules: RuleSet | None, symbol: str) -> Desk:
        """Make the desk of a run, and tell what of the rules is replaced and what nobody guards.

        Raises:
            RuleError: the rules do not fit the bot.
            AdapterError: a desk that was made obeys rules that ask for what cannot be done.
            StateInUseError: another process holds the state.
        """
        if rules is None:
            assert self.make is not None  # noqa: S101 - `read` gives none only where one is made
            desk = self.make()
            able(desk, self.capabilities)
        else:
            desk = self._desk(strategy, rules, symbol)
        announce(desk, traded(strategy), lambda note: log.warning("riskguard: %s", note))
        return desk

    def _desk(self, strategy: Strategy, rules: RuleSet, symbol: str) -> Desk:
        running = live(strategy)
        fed = bool(self.feed if running else self.samples)
        read = read_by(rules, symbol) if fed and not self.sources else ()
        bot = Bot(
            symbol,
            interval(strategy),
            self.capabilities,
            (*BAR, *sorted(ACCOUNT), *read),
            sources=self.sources if fed else {},
        )
        if not running:
            return bot.offline(rules)
        folder = self._folder(strategy)
        session = bot.live(self.path(strategy), folder)
        self._keep(folder, session)
        return session

    def _folder(self, strategy: Strategy) -> Path:
        """Return where a live run remembers, given back by a run before in this process."""
        state = Path(self.state or "riskguard") / type(strategy).__name__
        folder = (Path(strategy.config["user_data_dir"]) / state).resolve()
        if folder in SESSIONS:
            SESSIONS.pop(folder).close()
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _keep(self, folder: Path, session: Desk) -> None:
        if not SESSIONS:
            atexit.register(_close)
        SESSIONS[folder] = session
        log.info("riskguard: the guard remembers in %s", folder)


def _close() -> None:
    for session in SESSIONS.values():
        with suppress(Exception):  # the process ends: what was decided is stored already
            session.close()


def refuse(strategy: Strategy) -> None:
    """Refuse a strategy whose settings would drop what the guard does.

    Raises:
        AdapterError: with what to write instead.
    """
    for name, wanted, why in NEEDED:
        if bool(getattr(strategy, name, wanted)) is not wanted:
            raise AdapterError(f"{name} = {not wanted}: {why}", help=f"write {name} = {wanted}")
    if strategy.config.get("position_stacking"):
        raise AdapterError("the guard knows one trade a pair", help="leave position stacking off")


def live(strategy: Strategy) -> bool:
    """Say whether this is a dry or a live run, and no backtest."""
    return str(getattr(strategy.config.get("runmode"), "value", "")) in {"live", "dry_run"}


def interval(strategy: Strategy) -> int:
    """Return the bar of the strategy in ns."""
    number, unit = strategy.timeframe[:-1], strategy.timeframe[-1]
    return int(number) * {"m": 60, "h": 3600, "d": 86400, "w": 604800}[unit] * SECOND


def traded(strategy: Strategy) -> list[str]:
    """Return the coins that the bot trades."""
    try:
        pairs = strategy.dp.current_whitelist()
    except Exception:  # noqa: BLE001 - a list made by a plug-in may not be there at the start
        pairs = strategy.config.get("exchange", {}).get("pair_whitelist", [])
    return sorted({coin(pair) for pair in pairs})


def pilot(strategy: Strategy, rules: RuleSet | None, benchmark: str) -> str:
    """Return the pair whose candles drive the guard.

    Raises:
        AdapterError: nobody says which.
    """
    if benchmark:
        return benchmark
    exchange = strategy.config.get("exchange", {})
    pairs = list(exchange.get("pair_whitelist", ()))
    name = rules.symbol if rules is not None else coin(pairs[0]) if pairs else ""
    if not name:
        msg = "the rules name no symbol, and the bot says none"
        raise AdapterError(msg, help='write @guarded(..., benchmark="BTC/USDT")')
    for pair in pairs:
        if coin(pair) == name:
            return str(pair)
    stake = strategy.config["stake_currency"]
    futures = str(strategy.config.get("trading_mode", "")).endswith("futures")
    return f"{name}/{stake}:{stake}" if futures else f"{name}/{stake}"
