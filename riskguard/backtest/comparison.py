"""What a comparison is: one strategy run bare, guarded and at constant exposure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from riskguard.backtest.runs import Costs, Run
    from riskguard.engine.decision import Decision
    from riskguard.history import History, Mark
    from riskguard.language.ruleset import RuleSet

__all__ = ["Comparison", "Recovery", "RunResult"]


@dataclass(frozen=True)
class RunResult:
    """One run; `exposure` is held / wanted per bar, NaN where nothing was wanted."""

    name: str  # bare | guarded | constant
    run: Run
    exposure: NDArray[np.float64]


@dataclass(frozen=True)
class Recovery:
    """One line that is still open before the ladder may step down.

    `distance` is how far `value` must move to meet `threshold`: in points for shares,
    else threshold / value - 1; None where the value is unknown.
    """

    stage: str
    line: str
    truth: str  # true | false | unknown
    value: float | None
    threshold: float | None
    distance: float | None
    dimension: str = "plain"


@dataclass(frozen=True)
class Comparison:
    """Everything a report is made of; bars are labelled by close, times are ns UTC."""

    history: History
    ruleset: RuleSet  # as bound to the history
    rules_path: str
    notes: tuple[str, ...]
    strategy: str
    params: Mapping[str, object]
    leverage: float
    symbol: str
    every: int
    cash: float
    costs: Costs
    ts: NDArray[np.int64]  # closes of all bars
    trading_from: int  # bar number
    warm_up_until: int  # ns
    results: Mapping[str, RunResult]  # bare, guarded, constant
    constant_exposure: float
    # from trading_from on: the start and every change, each with the share of background bars
    # it rests on (None: it reads no reconstructed series)
    decisions: list[tuple[Decision, float | None]]
    recovery: list[Recovery] = field(default_factory=list)
    mark: Mark | None = None
