"""The plan of a test, written down before any result is seen, and what has changed since.

A plan names the rules and the data by their hashes, so that a later change of either is seen,
and fixes what an event is, what is measured, against whom, at what costs and with what seed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from riskguard.backtest.strategies import SHIPPED, find, full_name, settings, source_hash
from riskguard.history.stamps import duration_text, instant_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from riskguard.backtest.comparison import Comparison

__all__ = ["LOCKED", "METRIC", "PEERS", "Plan", "plan_text"]

METRIC = "net benefit a year against the best simple peer at equal mean exposure"
PEERS = ("constant exposure", "volatility targeting", "moving average", "trailing stop")
# sell-offs kept for a last look: they are no events of a plan unless it says so
LOCKED = ("2022-11", "2024-08", "2025-10")
HEAD = """\
# Fixed before any result was seen. Change nothing here: a changed plan is shown as changed.
# To test something else, write another plan: riskguard plan RULES --data FOLDER ...
"""


@dataclass(frozen=True)
class Plan:
    """What was fixed; shares are fractions, times ns UTC."""

    rules: str  # as found from the folder of the plan
    rules_hash: str
    data: str
    data_hash: str
    symbol: str
    trade_from: int  # close of the bar from which on it may be traded
    to: int  # close of the last bar
    fall: float
    within: int  # ns
    strategy: str = "buy_and_hold"
    params: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    cash: float = 100_000.0
    fee: float = 0.0005
    slippage: float = 0.0005
    locked: tuple[str, ...] = LOCKED  # months whose events do not count
    metric: str = METRIC
    peers: tuple[str, ...] = PEERS
    draws: int = 999
    seed: int = 1
    tried: int = 1  # settings tried on this data so far, these included
    strategy_hash: str = SHIPPED  # of the file of an own strategy
    files: str = ""  # from where file names of the data count, "" where from the data itself
    written: str = ""  # the hash that stands in the file, "" where none does

    @property
    def hash(self) -> str:
        """The SHA-256 of all that is fixed."""
        return hashlib.sha256("\n".join(_lines(self)).encode()).hexdigest()

    @property
    def name(self) -> str:
        """The first digits of the hash: enough to know a plan by."""
        return self.hash[:12]

    def changes(self, comparison: Comparison) -> tuple[str, ...]:
        """Return what is no longer as it was planned, in words; empty where all is."""
        ts, costs, own = comparison.ts, comparison.costs, full_name(comparison.strategy)
        as_run = {
            "the rules": (self.rules_hash, comparison.ruleset.hash),
            "the data": (self.data_hash, comparison.history.digest),
            "the symbol": (self.symbol, comparison.symbol),
            "the first bar": (self.trade_from, int(ts[comparison.trading_from])),
            "the last bar": (self.to, int(ts[-1])),
            "the strategy": (_named(self.strategy), _named(own)),
            "the cash": (self.cash, comparison.cash),
            "the fee": (self.fee, costs.fee),
            "the slippage": (self.slippage, costs.slippage),
        }
        found = [name for name, (planned, run) in as_run.items() if planned != run]
        if "the strategy" not in found:
            if self.strategy_hash != source_hash(own):
                found.append("the file of the strategy")
            elif _whole(self.params, own) != _whole(comparison.params, own):
                found.append("the parameters of the strategy")
        if self.written and self.written != self.hash:
            found.append("the plan itself, after it was written")
        return tuple(found)


def _named(strategy: str) -> str:
    """Return a strategy by its name, an own one by its class: its file may lie elsewhere."""
    return strategy.rpartition(":")[2]


def _whole(params: Mapping[str, object], strategy: str) -> dict[str, str]:
    """Return every parameter of a strategy as text: what is not said is as it was declared."""
    declared = {one.name: one.default for one in settings(find(strategy))}
    return {name: str(value) for name, value in (declared | dict(params)).items()}


def plan_text(plan: Plan, remarks: Iterable[str] = ()) -> str:
    """Return a plan as the text of its file; `remarks` stand in it as comments."""
    told = [f"# {line}".rstrip() for line in remarks]
    body = [*_lines(plan), f"hash: {plan.hash}"]
    return HEAD + "\n".join(["plan: 1", *body, *told]) + "\n"


def _lines(plan: Plan) -> list[str]:
    told = {one.name: getattr(plan, one.name) for one in fields(plan) if one.name != "written"}
    told |= {
        "trade_from": instant_text(plan.trade_from),
        "to": instant_text(plan.to),
        "within": duration_text(plan.within),
    }
    if not plan.files:  # as plans were written before there was such a folder
        del told["files"]
    return [f"{name}: {_value(value)}" for name, value in told.items()]


def _value(value: object) -> str:
    """Write a value on one line; what is JSON is YAML too."""
    if isinstance(value, float):
        return f"{value!r}"
    if isinstance(value, dict):
        value = {str(name): str(one) for name, one in sorted(value.items())}
    return json.dumps(value, ensure_ascii=True)
