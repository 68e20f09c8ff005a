"""The door of the Nautilus adapter: a guard put before the engines of one host."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskguard.adapters.shared.frameworks import framework
from riskguard.adapters.shared.starting import able
from riskguard.errors import AdapterError
from riskguard.plugins import permit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from riskguard.adapters.shared.desk import Desk

__all__ = ["CAPABILITIES", "NAME", "TESTED", "guard_engine"]

NAME = "nautilus"
TESTED = "1.231.0"
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
Thing = Any  # an object of Nautilus, which is untyped
Watch = Any  # the guard's actor


def guard_engine(
    host: Thing,
    rules: Path | str | Desk,
    *,
    state: Path | str = "",
    sources: Mapping[str, str] | None = None,
    bars: Sequence[Any] = (),
    symbols: Mapping[str, str] | None = None,
    stamp: str = "close",
    source: str = "",
    data: str = "",
    funding: bool = False,
    marks: bool = False,
    mirror: bool = False,
    install: bool = True,
    plugins: Iterable[str] = (),
) -> Watch:
    """Put a guard before the engines of a BacktestEngine or a TradingNode; return its actor.

    To be called before the host runs, in a backtest after its instruments are added. `rules` is
    a rule file, or a desk that was made of one: `Offline(Guard(...))` in a backtest, a `Session`
    live. A live guard remembers in the folder `state`. `bars` are the bar types that feed the
    guard, the first of them drives it; `stamp` says whether their ts_event is the "close" or the
    "open" of a bar. `sources` says where each series comes from.

    `symbols` names instruments for the rules where their own names will not do
    ("BTCUSDT-PERP.BINANCE": "BTC/USDT:USDT"). `data` is the client that publishes `Liquidation`,
    `OpenInterest`, `Alive` and `Reading`; with `funding` and `marks` the rates and mark prices
    of the venue are told too. `mirror` shows the state of the guard as the trading state of
    Nautilus: only where every instrument of the host is guarded. `install=False` leaves the
    engines alone: then only `GuardedStrategy` is judged. `plugins` names the plug-ins that rules
    may use.

    Raises:
        AdapterError: nautilus_trader is missing, its risk engine is bypassed, or the rules ask
            for what cannot be done here.
        RuleError: the rules have errors, or do not fit.
    """
    framework("nautilus_trader", package="nautilus_trader", tested=TESTED)
    if stamp not in {"close", "open"}:
        raise AdapterError(f"stamp={stamp!r}; write 'close' or 'open'")
    kernel = host.kernel
    if kernel.risk_engine.is_bypassed:
        raise AdapterError(
            "the risk engine of this host is bypassed: nothing would be checked before a venue",
            help="leave RiskEngineConfig(bypass=...) at False",
        )
    from riskguard.adapters.nautilus.facts import Facts, Names  # noqa: PLC0415 - only where Nautilus is
    from riskguard.adapters.nautilus.gate import Gate  # noqa: PLC0415 - as above
    from riskguard.adapters.nautilus.start import Start, bar_types  # noqa: PLC0415 - as above
    from riskguard.adapters.nautilus.watch import Watch  # noqa: PLC0415 - as above

    names, bars = Names(kernel.cache, symbols or {}), bar_types(bars)
    permit(plugins)
    if isinstance(rules, str | Path):
        start = Start(kernel, names, bars, sources or {}, bool(data), funding, CAPABILITIES)
        desk = start.desk(rules, state)
    else:
        desk = rules
        able(desk, CAPABILITIES)
    gate = Gate(desk, kernel, names)
    watch = Watch(
        gate,
        Facts(kernel, names, stamp, source),
        bars=bars,
        data=data,
        funding=funding,
        marks=marks,
        mirror=mirror,
    )
    kernel.trader.add_actor(watch)
    if install:
        gate.install()
    return watch
