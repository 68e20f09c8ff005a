"""The report of a comparison as JSON: `report-1.schema.json` is its contract.

Plain numbers throughout; what is not known is null. Every `ts` is the close of a bar.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from riskguard._version import VERSION
from riskguard.backtest.evidence.grades import grade_of
from riskguard.backtest.evidence.told import block
from riskguard.backtest.metrics import Metrics, measure
from riskguard.backtest.text_figures import duration, iso, moment, number
from riskguard.backtest.text_timeline import blind_bars, blind_since
from riskguard.market import SECOND

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskguard.backtest.comparison import Comparison, Recovery
    from riskguard.backtest.evidence.evidence import Evidence
    from riskguard.backtest.runs import Run
    from riskguard.engine.decision import Decision
    from riskguard.history import Series

__all__ = [
    "SCHEMA",
    "Nearness",
    "as_json",
    "build",
    "figures",
    "mark_bar",
    "nearness",
    "notes",
    "schema_path",
    "unfunded",
]

SCHEMA = "riskguard/report-1"


class Nearness(NamedTuple):
    """How near a run came to forced liquidation: at `ts` (ns), `distance` as a share of price."""

    liquidated: bool
    price: float  # the liquidation price
    distance: float
    ts: int
    shortfall: float  # dollars that equity lacked to 0
    times: int


def schema_path() -> Path:
    """Return the JSON Schema (draft-07) that every report satisfies."""
    return Path(__file__).with_name("report-1.schema.json")


def mark_bar(comparison: Comparison) -> int | None:
    """Return the bar after the last one that closes by the mark; None where no bar does."""
    if comparison.mark is None:
        return None
    stop = int(np.searchsorted(comparison.ts, comparison.mark.ts, side="right"))
    inside = comparison.trading_from + 1 < stop < len(comparison.ts)
    return stop if inside else None


def figures(comparison: Comparison, stop: int | None = None) -> dict[str, Metrics]:
    """Return the figures of the three runs, up to the bar before `stop` or to the end."""
    return {
        name: measure(result.run, result.exposure, comparison.ts, comparison.trading_from, stop)
        for name, result in comparison.results.items()
    }


def build(comparison: Comparison, evidence: Evidence) -> dict[str, Any]:
    """Return the report as plain lists, dicts, texts and numbers, with the evidence if weighed."""
    start, runs = comparison.trading_from, comparison.results
    return {
        "schema": SCHEMA,
        "riskguard": VERSION,
        "verdict": evidence.verdict._asdict(),
        "warm_up": {
            "until": iso(comparison.warm_up_until),
            "trading_from": iso(int(comparison.ts[start])),
        },
        "scenario": comparison.history.name,
        **_setting(comparison),
        "runs": {name: value.as_dict() for name, value in figures(comparison).items()},
        "mark": _mark(comparison),
        "evidence": block(evidence),
        "liquidation": {name: _liquidation(result.run) for name, result in runs.items()},
        "funding": {name: _plain(result.run.funding) for name, result in runs.items()},
        "decisions": _decisions(comparison),
        "recovery": [_recovery(item) for item in comparison.recovery],
        "blind": {name: iso(ts) for name, ts in blind_since(comparison.decisions).items()},
        "equity": {
            "ts": [iso(ts) for ts in comparison.ts[start:].tolist()],
            **{name: _numbers(result.run.equity[start:]) for name, result in runs.items()},
        },
        "notes": notes(comparison),
    }


def notes(comparison: Comparison) -> list[str]:
    """Return what is to be known of the data and the rules, each once."""
    found = [*comparison.history.remarks, *comparison.notes]
    if comparison.leverage > 1 and unfunded(comparison):
        found.append(f"no funding data for {comparison.symbol}: leveraged runs pay none")
    if blind := blind_bars(comparison):
        bars = len(comparison.ts) - comparison.trading_from
        found.append(f"a series the rules read was blind in {blind:,} of {bars:,} bars")
    found += _stopped(comparison)
    for name, result in comparison.results.items():
        count = result.run.rejected
        if count:
            what = f"{count:,} order{'' if count == 1 else 's'} rejected"
            found.append(f"{name}: {what} (not enough cash, or no valid size)")
    return list(dict.fromkeys(found))


def _stopped(comparison: Comparison) -> list[str]:
    """Tell of the stops of the rules: a position that they closed is gone without a decision."""
    stops = [
        one for one in comparison.results["guarded"].run.fills if one.stop and one.own == "guard"
    ]
    if not stops:
        return []
    first = f"{moment(stops[0].ts)} at {number(stops[0].price)}"
    many = f"{len(stops):,} times, first" if len(stops) > 1 else ""
    return [f"guarded: the stop that the rules set was hit {many} {first}".replace("  ", " ")]


def unfunded(comparison: Comparison) -> bool:
    """Tell whether the history has no funding rate of the traded symbol."""
    series = comparison.history.series.get(f"{comparison.symbol}.funding")
    return series is None or not len(series.times)


def _setting(comparison: Comparison) -> dict[str, Any]:
    costs = comparison.costs
    return {
        "data": [_data(series) for series in comparison.history.series.values()],
        "rules": {"path": comparison.rules_path, "hash": comparison.ruleset.hash},
        "strategy": {
            "name": comparison.strategy,
            "params": {name: _plain(value) for name, value in comparison.params.items()},
            "leverage": _plain(comparison.leverage),
        },
        "symbol": comparison.symbol,
        "every": duration(comparison.every),
        "bars": len(comparison.ts) - comparison.trading_from,
        "cash": _plain(comparison.cash),
        "costs": {"fee": _plain(costs.fee), "slippage": _plain(costs.slippage)},
        "constant_exposure": _plain(comparison.constant_exposure),
    }


def _recovery(item: Recovery) -> dict[str, Any]:
    return {
        "stage": item.stage,
        "line": item.line,
        "truth": item.truth,
        "value": _measured(item.value, item.dimension),
        "threshold": _measured(item.threshold, item.dimension),
        "distance": _plain(item.distance),
    }


def _plain(value: object) -> Any:  # noqa: ANN401 - whatever JSON knows
    """Turn numpy scalars into numbers, what is not finite into None, the rest into text."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def _measured(value: float | None, dimension: str) -> Any:  # noqa: ANN401 - whatever JSON knows
    """Return a value of a leaf; times, which the engine counts in ns, in seconds."""
    return _plain(value / SECOND if value is not None and dimension == "time" else value)


def _numbers(values: NDArray[np.float64]) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values.tolist()]


def _data(series: Series) -> dict[str, Any]:
    filled = len(series.times) > 0
    span = {"first": iso(int(series.events[0])), "last": iso(int(series.events[-1]))}
    return {
        "series": series.name,
        "symbol": series.symbol,
        "unit": series.spec.unit,
        "grade": grade_of(series),
        "coverage": series.coverage,
        "source": series.source,
        "span": span if filled else None,
        "rows": len(series.times),
    }


def _mark(comparison: Comparison) -> dict[str, Any] | None:
    stop = mark_bar(comparison)
    if stop is None or comparison.mark is None:
        return None
    runs = figures(comparison, stop)
    return {
        "name": comparison.mark.name,
        "ts": iso(comparison.mark.ts),
        "runs": {name: value.as_dict() for name, value in runs.items()},
    }


def nearness(run: Run) -> Nearness | None:
    """Return the first liquidation of a run, else its nearest approach; None without leverage."""
    if run.liquidations:
        first = run.liquidations[0]
        return Nearness(
            liquidated=True,
            price=first.threshold,
            distance=0.0,
            ts=first.ts,
            shortfall=math.fsum(one.shortfall for one in run.liquidations),
            times=len(run.liquidations),
        )
    if run.nearest is None:
        return None
    near = run.nearest
    return Nearness(
        liquidated=False,
        price=near.price,
        distance=near.distance,
        ts=near.ts,
        shortfall=0.0,
        times=0,
    )


def _liquidation(run: Run) -> dict[str, Any] | None:
    near = nearness(run)
    if near is None:
        return None
    return {name: _plain(value) for name, value in near._asdict().items()} | {"ts": iso(near.ts)}


def _decisions(comparison: Comparison) -> list[dict[str, Any]]:
    found = [_decision(*pair) for pair in comparison.decisions]
    start = int(comparison.ts[comparison.trading_from])
    # what came into force before the first bar is told at it
    return [
        item | {"ts": iso(max(start, one.ts))}
        for item, (one, _) in zip(found, comparison.decisions, strict=True)
    ]


def _decision(decision: Decision, background: float | None) -> dict[str, Any]:
    return {
        "ts": iso(decision.ts),
        "symbol": decision.symbol,
        "stage": decision.stage,
        "state": decision.state.name,
        "latched": decision.latched,
        "priming": list(decision.priming),
        "blind": list(decision.blind),
        "exposure_cap": _plain(decision.exposure_cap),
        "block_entries": decision.block_entries,
        "reduce_only": decision.reduce_only,
        "leverage_cap": _plain(decision.leverage_cap),
        "stop": _plain(decision.stop),
        "close": decision.close,
        "hedge": _plain(decision.hedge),
        "cancel_orders": decision.cancel_orders,
        "background": _plain(background),
        "reasons": [
            {
                "rule": reading.rule,
                "leaf": reading.leaf,
                "value": _measured(reading.value, reading.dimension),
                "threshold": _measured(reading.threshold, reading.dimension),
                "truth": reading.truth,
            }
            for reading in decision.reasons
        ],
    }


def as_json(report: object) -> str:
    """Return a report as text: strict JSON, one key a line at the top, a line for each decision."""
    if not isinstance(report, dict):
        return json.dumps(report, allow_nan=False)
    rows = [f"  {json.dumps(key)}: {_value(value)}" for key, value in report.items()]
    return "{\n" + ",\n".join(rows) + "\n}\n"


def _value(value: object) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(f"    {_one(item)}" for item in value) + "\n  ]"
    return _one(value)


def _one(value: object) -> str:
    return json.dumps(value, allow_nan=False)
