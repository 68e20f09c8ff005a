"""One strategy over one history in Backtrader: bare, guarded, or at constant exposure."""

from __future__ import annotations

import inspect
import sys
import traceback
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import backtrader as bt
import numpy as np

from riskguard.backtest.account import (
    Approach,
    Fill,
    FractionalComm,
    Liquidation,
    check_leverage,
)
from riskguard.backtest.feed import feed_of
from riskguard.backtest.perpetual import (
    GuardedPerpetualBroker,
    PerpetualBroker,
    PooledPerpetualBroker,
)
from riskguard.backtest.strategies import ended
from riskguard.errors import AdapterError, RiskguardError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from riskguard.adapters.backtrader import Fault, Veto
    from riskguard.adapters.backtrader.lines import GuardLike, TrackLike
    from riskguard.engine.decision import Decision
    from riskguard.history import History

    Floats = npt.NDArray[np.float64]

__all__ = ["Costs", "Run", "funding_per_bar", "leverage_of", "run"]


@dataclass(frozen=True, slots=True)
class Costs:
    """What a fill costs: fee and slippage as fractions of its price."""

    fee: float = 0.0005
    slippage: float = 0.0005


@dataclass(frozen=True, slots=True)
class Run:
    """What a run left behind; every array has one value per bar of the pilot.

    `equity` and `position` are at the close. `held` is what stood from the open of the bar on
    and `wanted` what the strategy wanted by then: its `target_units`, or what it held. After a
    strategy has ended its run, equity stands and nothing is held or wanted. At constant exposure
    everything is of the whole account, but `wanted` stays what was wanted.
    """

    equity: Floats
    position: Floats
    wanted: Floats
    held: Floats
    fills: tuple[Fill, ...]
    fees: float
    funding: float  # paid > 0, received < 0
    liquidations: tuple[Liquidation, ...]
    nearest: Approach | None  # None: no position that could be closed by force
    vetoes: tuple[Veto, ...]
    faults: tuple[Fault, ...]
    leverage: float
    rejected: int = 0  # orders of the strategy refused for margin or for their size
    # of a guard that was stepped: its decisions, each with the bar at whose close it began
    trail: tuple[tuple[int, Decision], ...] = ()
    charged: Floats | None = None  # funding paid in each bar; None: in none
    bars: int | None = None  # how many were run before the strategy ended; None: all


class _FromBar(bt.Analyzer):
    """Hold `next` back until a bar; indicators have then seen all bars before it."""

    params = (("first", 0), ("bars", 0))

    def start(self) -> None:
        periods = self.strategy._minperiods  # noqa: SLF001 - Backtrader asks nothing else
        if max(periods) > self.p.bars:
            raise AdapterError(
                f"strategy {type(self.strategy).__name__} needs {max(periods)} bars before it "
                f"begins, the data has {self.p.bars}; write shorter periods, or give longer data"
            )
        periods[0] = max(periods[0], self.p.first + 1)


def leverage_of(strategy: type[bt.Strategy], params: Mapping[str, Any]) -> float:
    """Return the leverage a strategy runs at: its parameter, 1 where it has none."""
    declared = dict(strategy.params._getitems())  # noqa: SLF001 - Backtrader has no other way
    return check_leverage(params.get("leverage", declared.get("leverage", 1.0)))


def funding_per_bar(history: History, symbol: str) -> Floats:
    """Return the funding rates charged in each bar, added up; 0 where there are none.

    A stamp belongs to the bar it falls into, one in a gap to the next bar.
    """
    ts = np.asarray(history.bars(symbol).ts)
    rates = np.zeros(len(ts))
    series = history.series.get(f"{symbol}.funding")
    if series is None:
        return rates
    values, events = np.asarray(series.values), np.asarray(series.events)
    known = np.isfinite(values) & (events > ts[0] - history.every) & (events <= ts[-1])
    np.add.at(rates, np.searchsorted(ts, events[known], side="left"), values[known])
    return rates


def _broker(
    history: History,
    symbol: str,
    common: dict[str, Any],
    *,
    track: TrackLike | None,
    guard: GuardLike | None,
    watched: History | None,
    exposure: float,
) -> PerpetualBroker:
    if track is not None:
        return GuardedPerpetualBroker(track=track, symbol=symbol, **common)
    if guard is not None:
        eyes = watched or (history if history.symbol == symbol else history.for_symbol(symbol))
        return GuardedPerpetualBroker(guard=guard, samples=eyes.samples, symbol=symbol, **common)
    if exposure != 1.0:
        return PooledPerpetualBroker(share=exposure, **common)
    return PerpetualBroker(**common)


def run(
    history: History,
    strategy: type[bt.Strategy],
    params: Mapping[str, Any],
    *,
    symbol: str,
    cash: float,
    costs: Costs,
    trading_from: int,
    track: TrackLike | None = None,
    guard: GuardLike | None = None,
    watched: History | None = None,
    exposure: float = 1.0,
    runonce: bool = True,
    preload: bool = True,
    extra: Sequence[str] = (),
) -> Run:
    """Run `strategy` over all bars, trading from bar `trading_from` (from 0) on.

    With `track` or `guard` it is guarded, with neither it runs bare; `watched` is the history as
    the guard's own symbol sees it, where another one is traded. With `exposure` below 1 the
    bare run has that share of the cash, and the rest lies idle beside it. Raises AdapterError
    where the strategy fails.
    """
    leverage = leverage_of(strategy, params)
    common: dict[str, Any] = {"cash": cash, "trading_from": trading_from}
    if leverage > 1:
        common["funding"] = funding_per_bar(history, symbol).tolist()
    eyes: dict[str, Any] = {"track": track, "guard": guard, "watched": watched}
    broker = _broker(history, symbol, common, **eyes, exposure=exposure)
    broker.addcommissioninfo(FractionalComm(commission=costs.fee, leverage=leverage))
    broker.set_slippage_perc(costs.slippage)
    cerebro = bt.Cerebro(stdstats=False, runonce=runonce, preload=preload)
    cerebro.setbroker(broker)
    cerebro.adddata(feed_of(history, symbol, extra))
    cerebro.addsizer(bt.sizers.PercentSizer, percents=99 * leverage)  # where none is given
    bars = len(history.bars(symbol).ts)
    cerebro.addanalyzer(_FromBar, first=trading_from, bars=bars)
    cerebro.addstrategy(strategy, **params)
    try:
        cerebro.run()
    except RiskguardError:
        raise
    except SystemExit as error:
        raise AdapterError(f"strategy {strategy.__name__} {ended(error)}") from error
    except Exception as error:
        raise AdapterError(_told(strategy, error)) from error
    made = _result(broker, bars, leverage)
    return made if exposure == 1.0 or track or guard else _share(made, exposure, cash)


def _told(strategy: type[bt.Strategy], error: Exception) -> str:
    modules = [sys.modules.get(kind.__module__) for kind in strategy.__mro__]
    own = {
        getattr(module, "__file__", None)
        for module in modules
        if module and module.__name__.partition(".")[0] != "backtrader"
    }
    frames = traceback.extract_tb(error.__traceback__)
    last = next((frame for frame in reversed(frames) if frame.filename in own), None)
    place = f"{last.filename}:{last.lineno}, in {last.name}" if last else _place(strategy)
    return f"strategy {strategy.__name__} failed: {type(error).__name__}: {error} ({place})"


def _place(strategy: type[bt.Strategy]) -> str:
    """Return where a class begins: what it set up may fail long after its own lines ran."""
    try:
        return f"{inspect.getsourcefile(strategy)}:{inspect.getsourcelines(strategy)[1]}"
    except (OSError, TypeError):
        return f"{strategy.__module__}, which has no source file"


def _result(broker: PerpetualBroker, bars: int, leverage: float) -> Run:
    def column(values: Sequence[float], rest: float = 0.0) -> Floats:
        found = np.full(bars, rest)  # after the bar at which the strategy ended the run
        found[: len(values)] = values
        return found

    held, stated = column(broker.held), column(broker.wanted)
    last = broker.equity[-1] if broker.equity else np.nan
    return Run(
        equity=column(broker.equity, last),
        position=column(broker.position_at_close),
        wanted=np.where(np.isnan(stated), held, stated),
        held=held,
        fills=tuple(broker.fills),
        fees=sum(fill.fee for fill in broker.fills),
        funding=broker.funding_paid,
        liquidations=tuple(broker.liquidations),
        nearest=broker.nearest,
        vetoes=tuple(getattr(broker, "vetoes", ())),
        faults=tuple(getattr(broker, "faults", ())),
        leverage=leverage,
        rejected=len(broker.refused),
        trail=tuple(getattr(broker, "trail", ())),
        charged=column(broker.charged),
        bars=len(broker.equity),
    )


def _share(made: Run, share: float, cash: float) -> Run:
    """Return the run of the whole account, of which the strategy's is `share`."""
    return replace(
        made,
        equity=cash + share * (made.equity - cash),
        position=share * made.position,
        held=share * made.held,
        fills=tuple(
            fill._replace(size=share * fill.size, fee=share * fill.fee)
            for fill in made.fills
            if share
        ),
        fees=share * made.fees,
        funding=share * made.funding,
        charged=None if made.charged is None else share * made.charged,
        liquidations=tuple(
            lost._replace(
                size=share * lost.size, fee=share * lost.fee, shortfall=share * lost.shortfall
            )
            for lost in made.liquidations
        ),
    )
