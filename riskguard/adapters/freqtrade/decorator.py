"""The decorator of freqtrade: each hook asks the guard first, and catches what fails.

freqtrade takes a hook that raises for a "yes": so none does.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar

from riskguard.adapters.freqtrade.duties import FLATTEN, REDUCE
from riskguard.adapters.freqtrade.start import Terms
from riskguard.adapters.freqtrade.watch import NOISE, Watch
from riskguard.adapters.shared.frameworks import framework
from riskguard.adapters.shared.logs import logger
from riskguard.errors import AdapterError
from riskguard.plugins import permit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from riskguard.adapters.shared.desk import Desk
    from riskguard.engine.orders import Verdict
    from riskguard.market import Sample

__all__ = ["CAPABILITIES", "NAME", "TESTED", "guarded"]

NAME, TESTED = "freqtrade", "2026.9"
CAPABILITIES = frozenset(
    {
        "exposure_cap",
        "reduce_by",
        "close",
        "block_entries",
        "reduce_only",
        "leverage_cap",
        "cancel_orders",
        "notify",
    }
)
PRICED = 0.02  # how far freqtrade lets a strategy's own entry price be from the one it was told
Words = dict[str, Any]
Inner = Any  # the strategy's own hook, bound
Class = TypeVar("Class", bound=type)
log = logger("riskguard.freqtrade")


def guarded(
    rules: Path | str = "",
    *,
    benchmark: str = "",
    state: Path | str = "",
    sources: Mapping[str, str] | None = None,
    samples: Callable[[], Iterable[Sample]] | None = None,
    feed: Callable[[Any, Any], object] | None = None,
    desk: Callable[[], Desk] | None = None,
    plugins: Iterable[str] = (),
) -> Callable[[Class], Class]:
    """Guard a strategy class: `@guarded("rules.yaml")` above it, and nothing else changes.

    `benchmark` is the pair whose closed candles drive the guard (default: the one in the
    whitelist that the rules name). What else the rules read comes in a backtest by `samples`,
    which then bring the candles too, and in a dry or live run by `feed`: it is called with the
    session and the strategy once the candles so far are told, and gives `session.take` events
    from a thread of its own. `sources` says which series these are, and where each is from.
    `state` is the folder, below the user's data, in which a dry or live run remembers. `desk`
    makes a desk to be asked instead of rules; `plugins` names the plug-ins that rules may use.

    Raises:
        AdapterError: freqtrade is missing, or neither rules nor a desk are given.
    """
    if (desk is None) == (not str(rules)):
        msg = "nothing to obey" if desk is None else "give one of rules and desk"
        raise AdapterError(msg, help='write @guarded("rules.yaml")')
    framework("freqtrade", package="freqtrade", tested=TESTED)
    permit(plugins)
    terms = Terms(rules, benchmark, state, dict(sources or {}), samples, feed, desk, CAPABILITIES)

    def decorate(cls: Class) -> Class:
        _wrap(cls, terms, HOOKS)

        def below(sub: type, /, **more: object) -> None:
            """Guard the hooks that a strategy made of a guarded one writes anew."""
            super(cls, sub).__init_subclass__(**more)  # type: ignore[arg-type]  # any class is one
            _wrap(sub, terms, [name for name in HOOKS if name in sub.__dict__])

        if "__init_subclass__" not in cls.__dict__:
            cls.__init_subclass__ = classmethod(below)  # type: ignore[assignment]  # PEP 487 calls it so
        return cls

    return decorate


def _wrap(cls: type, terms: Terms, names: Iterable[str]) -> None:
    """Put our hooks before those of a class, in place: freqtrade knows a strategy by its class."""
    for name in names:
        setattr(cls, name, _hook(getattr(cls, name), terms, *HOOKS[name]))


def _hook(inner: Any, terms: Terms, answer: Any, words: tuple[str, ...]) -> Any:  # noqa: ANN401 - functions of freqtrade
    @functools.wraps(inner)
    def hook(self: Any, *given: Any, **more: Any) -> Any:  # noqa: ANN401 - as above
        more.update(zip(words, given, strict=False))  # freqtrade names them, a strategy may not
        watch = self.__dict__.get("_riskguard")
        if watch is None:
            watch = self._riskguard = Watch(terms, self)
        return answer(watch, functools.partial(inner, self), more)

    return hook


# ---------------------------------------------------------------- time


def bot_start(watch: Watch, inner: Inner, kw: Words) -> None:
    """Start the guard, then the strategy."""
    if watch.desk is None:
        watch.start()
    inner(**kw)


def bot_loop_start(watch: Watch, inner: Inner, kw: Words) -> None:
    """Tell the guard what is new before the strategy acts on it."""
    watch.loop(kw["current_time"])
    inner(**kw)


def informative_pairs(watch: Watch, inner: Inner, kw: Words) -> list[Any]:
    """Ask for the candles that drive the guard too."""
    found = list(inner(**kw) or [])
    timeframe = watch.strategy.timeframe
    if watch.pair and not any(one[:2] == (watch.pair, timeframe) for one in found):
        found.append((watch.pair, timeframe))
    return found


# ---------------------------------------------------------------- entries


def confirm_trade_entry(watch: Watch, inner: Inner, kw: Words) -> bool:
    """Let in what the guard grants in full; here an order cannot be cut any more."""
    asked = kw["amount"]
    verdict = watch.judge(kw["pair"], kw["side"], asked, kw["rate"], kw["current_time"])
    if not verdict.quantity >= asked * (1 - NOISE):
        watch.denied(kw["pair"], verdict)
        return False
    return bool(inner(**kw))


def custom_stake_amount(watch: Watch, inner: Inner, kw: Words) -> float:
    """Cut the stake to what the guard grants; 0 is no trade."""
    try:
        stake = float(inner(**kw))
    except Exception:
        log.exception("riskguard: the strategy's stake cannot be asked; the proposed one is taken")
        stake = float(kw["proposed_stake"])
    geared = kw.get("leverage") or 1.0
    asked = stake * geared / kw["current_rate"]
    verdict = watch.judge(
        kw["pair"], kw["side"], asked, kw["current_rate"], kw["current_time"], leverage=geared
    )
    return _cut(watch, kw, verdict, stake=stake, asked=asked)


def _cut(watch: Watch, kw: Words, verdict: Verdict, *, stake: float, asked: float) -> float:
    """Return what is granted of a stake; 0 where freqtrade would make it larger again."""
    pair = kw["pair"] if "pair" in kw else kw["trade"].pair
    share = verdict.quantity / asked if asked else 0.0
    if share >= 1 - NOISE:
        return stake
    granted = stake * share if share > 0 else 0.0
    if granted <= (kw.get("min_stake") or 0.0):
        watch.denied(pair, verdict)
        return 0.0
    watch.denied(pair, verdict, f"entry cut to {share:.0%}")
    return granted


def leverage(watch: Watch, inner: Inner, kw: Words) -> float:
    """Cap the leverage."""
    wanted, most = float(inner(**kw)), watch.gear()
    return wanted if most is None else max(1.0, min(wanted, most))


def check_entry_timeout(watch: Watch, inner: Inner, kw: Words) -> bool:
    """Drop a resting entry that the guard would not let in now."""
    if watch.duties.drops(kw["trade"], kw["order"], kw["current_time"], entry=True):
        return True
    return bool(inner(**kw))


# ---------------------------------------------------------------- exits


def custom_exit(watch: Watch, inner: Inner, kw: Words) -> Any:  # noqa: ANN401 - freqtrade's own
    """Close what has to be flat."""
    if watch.duties.flattens(kw["trade"]):
        return FLATTEN
    return inner(**kw)


def check_exit_timeout(watch: Watch, inner: Inner, kw: Words) -> bool:
    """Drop a resting exit where the rules drop all orders."""
    if watch.duties.drops(kw["trade"], kw["order"], kw["current_time"], entry=False):
        return True
    return bool(inner(**kw))


def confirm_trade_exit(watch: Watch, inner: Inner, kw: Words) -> bool:  # noqa: ARG001 - as its like
    """Let no strategy veto what the guard closes; the guard vetoes no exit."""
    return kw.get("exit_reason") == FLATTEN or bool(inner(**kw))


def adjust_trade_position(watch: Watch, inner: Inner, kw: Words) -> Any:  # noqa: ANN401 - freqtrade's own
    """Reduce where it is due, else ask for what the strategy adds."""
    trade, rate = kw["trade"], kw.get("current_exit_rate") or kw["current_rate"]
    try:
        less = watch.duties.reduction(trade, rate, kw.get("min_stake"))
    except Exception:
        log.exception("riskguard: %s cannot be reduced", trade.pair)
        less = 0.0
    if less > 0:
        return -less, REDUCE
    found = inner(**kw)
    stake = found[0] if isinstance(found, tuple) and found else found
    if not isinstance(stake, (int, float)) or not stake > 0:
        return found
    added = _added(watch, float(stake), kw)
    if not added:
        return None
    return (added, *found[1:]) if isinstance(found, tuple) else added


def _added(watch: Watch, stake: float, kw: Words) -> float:
    """Return how much of an add is granted; freqtrade asks nobody after this."""
    trade = kw["trade"]
    rate = kw.get("current_entry_rate") or kw["current_rate"]
    geared = float(trade.leverage or 1.0)
    config = watch.strategy.config
    away = config.get("custom_price_max_distance_ratio", PRICED)
    # at a lower price of the strategy's own the same stake buys more
    own = not watch.strategy.custom_entry_price.__qualname__.startswith("IStrategy.")
    asked = stake * geared / (rate * (1 - away) if own else rate)
    verdict = watch.judge(
        trade.pair, trade.trade_direction, asked, rate, kw["current_time"],
        trade=trade, leverage=geared,
    )  # fmt: skip
    return _cut(watch, kw, verdict, stake=stake, asked=asked)


TRADED = ("pair", "trade", "current_time", "current_rate", "current_profit")
RESTING = ("pair", "trade", "order", "current_time")
SENT = ("order_type", "amount", "rate", "time_in_force")
RATES = ("current_rate", "current_profit", "min_stake", "max_stake", "current_entry_rate")
# each with the names freqtrade gives its arguments, in their order
HOOKS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "bot_start": (bot_start, ()),
    "bot_loop_start": (bot_loop_start, ("current_time",)),
    "informative_pairs": (informative_pairs, ()),
    "confirm_trade_entry": (
        confirm_trade_entry,
        ("pair", *SENT, "current_time", "entry_tag", "side"),
    ),
    "custom_stake_amount": (
        custom_stake_amount,
        ("pair", "current_time", "current_rate", "proposed_stake", "min_stake", "max_stake",
         "leverage", "entry_tag", "side"),
    ),
    "leverage": (
        leverage,
        ("pair", "current_time", "current_rate", "proposed_leverage", "max_leverage",
         "entry_tag", "side"),
    ),
    "check_entry_timeout": (check_entry_timeout, RESTING),
    "check_exit_timeout": (check_exit_timeout, RESTING),
    "custom_exit": (custom_exit, TRADED),
    "confirm_trade_exit": (
        confirm_trade_exit,
        ("pair", "trade", *SENT, "exit_reason", "current_time"),
    ),
    "adjust_trade_position": (
        adjust_trade_position,
        ("trade", "current_time", *RATES, "current_exit_rate", "current_entry_profit",
         "current_exit_profit"),
    ),
}  # fmt: skip
