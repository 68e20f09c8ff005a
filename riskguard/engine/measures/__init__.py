"""The measures of the rule language, by name; definitions in rules.md section 5.

Each class is the streaming step that defines its measure. They do not know each other. Those
that the calendar begins, and functions of libraries, are loaded when a file asks for them.
"""

from __future__ import annotations

from riskguard.engine.measures.baselines import Percentile, Stdev, Times, Zscore
from riskguard.engine.measures.extremes import Drawdown, High, Low
from riskguard.engine.measures.points import Age, Ago, Change, Drop, Rise
from riskguard.engine.measures.recursive import Atr, Ema
from riskguard.engine.measures.returns import Vol
from riskguard.engine.measures.totals import Accel, Mean, Sum

__all__ = ["MEASURES", "Atr"]

MEASURES = {
    "accel": Accel,
    "age": Age,
    "ago": Ago,
    "change": Change,
    "drawdown": Drawdown,
    "drop": Drop,
    "ema": Ema,
    "high": High,
    "low": Low,
    "mean": Mean,
    "percentile": Percentile,
    "rise": Rise,
    "stdev": Stdev,
    "sum": Sum,
    "times_avg": Times,
    "vol": Vol,
    "zscore": Zscore,
}
