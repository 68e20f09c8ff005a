"""A run as a plan has it: what is not said on the command line is taken from the plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskguard.cli import given
from riskguard.cli.failures import WrongUse

if TYPE_CHECKING:
    from collections.abc import Collection

    from riskguard.backtest.evidence.plan import Plan
    from riskguard.cli.ordering import Order

__all__ = ["HOW", "plan_of", "under"]

HOW = "riskguard plan RULES --data FOLDER --fall 10% --within 7d"


def plan_of(text: str) -> Plan:
    """Return the plan that `--preregister` names."""
    from riskguard.backtest.evidence.planfile import read_plan

    path = Path(text)
    if path.is_dir():
        raise WrongUse(f"--preregister {text} is a folder", "name the file of the plan in it")
    if not path.exists():
        raise WrongUse(f"there is no plan {text}", f"write one: {HOW}")
    return read_plan(path)


def under(plan: Plan, file: Path, order: Order, said: Collection[str]) -> Order:
    """Return the order as planned; `said` are the options that were given, which stay.

    A run that differs from its plan is shown as changed, it is not refused.
    """
    found: dict[str, Any] = {
        "params": plan.params,
        "settings": plan.settings,
        "symbol": plan.symbol,
        "cash": plan.cash,
        "fee": plan.fee,
        "slippage": plan.slippage,
        "start": plan.trade_from,
        "end": plan.to,
    }
    if "rules" not in said:
        found["rules"] = rules = _file(file, plan.rules)
        found["rules_path"] = given.pack_path(plan.rules, rules)
    if not {"data", "scenario"} & set(said):
        found["source"] = _data(file, plan.data)
        if "files" not in said:
            found["files"] = _files(file, plan.files)
    if "strategy" not in said:
        found["strategy"] = _strategy(file, plan.strategy)
    found["dates"] = (
        "--from" if "start" in said else "trade_from of the plan,",
        "--to" if "end" in said else "to of the plan,",
    )
    names = {"param": "params"}
    kept = {names.get(option, option) for option in said}
    planned = {key: one for key, one in found.items() if key not in kept}
    if planned.get("strategy", order.strategy) == "all":
        raise WrongUse("a plan is of one strategy", "name it: --strategy buy_and_hold")
    return replace(order, **planned)


def _file(plan: Path, name: str) -> Path:
    path = plan.parent / name
    if path.is_file():
        return path
    try:
        return given.pack(name)
    except WrongUse:
        fix = "say where they are: --rules FILE"
        raise WrongUse(f"the rules of the plan are not there: {path}", fix) from None


def _strategy(plan: Path, name: str) -> str:
    from riskguard.backtest.strategies import own_file

    own = own_file(name)
    if own is None:
        return name
    file, wanted = plan.parent / own, name.rpartition(".py")[2]
    if not file.is_file():
        fix = "say where it is: --strategy FILE.py:CLASS"
        raise WrongUse(f"the strategy of the plan is not there: {file}", fix)
    return f"{file}{wanted}"


def _files(plan: Path, name: str) -> Path | None:
    if not name:
        return None
    path = plan.parent / name
    if not path.is_dir():
        fix = "say where they are: --files FOLDER"
        raise WrongUse(f"the files of the data of the plan are not there: {path}", fix)
    return path


def _data(plan: Path, name: str) -> str:
    path = plan.parent / name
    if not path.exists():
        fix = "say where they are: --data FOLDER"
        raise WrongUse(f"the data of the plan are not there: {path}", fix)
    return str(path)
