"""`riskguard plan`: what a backtest is to show, written down before it is run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskguard.cli import given
from riskguard.cli.failures import WrongUse
from riskguard.cli.falling import depth, span
from riskguard.cli.falling import seen as seen_in
from riskguard.cli.ordering import (
    CASH,
    COST,
    STRATEGY,
    Cash,
    End,
    Fee,
    Files,
    Params,
    Settings,
    Slippage,
    Start,
    Symbol,
    ordered,
    requests,
)
from riskguard.cli.places import elsewhere, nameable
from riskguard.cli.states import AsJson
from riskguard.cli.writing import write_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy import int64
    from numpy.typing import NDArray

    from riskguard.backtest.evidence.events import Catalogue, Event, Fall
    from riskguard.backtest.evidence.plan import Plan
    from riskguard.cli.ordering import Order

__all__ = ["plan"]

MOST = 999_999_999
METAVARS = {
    "RULES": "FILE or PACK",
    "--data": "PATH",
    "--output": "FILE",
    "--strategy": "NAME or FILE.py:CLASS",
    "--symbol": "SYMBOL",
}


def plan(
    rules: Annotated[
        str, typer.Argument(metavar="RULES", help="Rule file, or the name of a pack.")
    ],
    data: Annotated[
        str, typer.Option(metavar="PATH", help="Folder with scenario.yaml, or CSV file.")
    ],
    fall: Annotated[str, typer.Option(metavar="SHARE", help="How deep a fall is an event: 10%.")],
    within: Annotated[str, typer.Option(metavar="TIME", help="Within which time: 7d.")],
    files: Files = None,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Where the plan is written.")
    ] = "plan.yaml",
    strategy: Annotated[
        str, typer.Option(metavar="NAME|FILE.py:CLASS", help="Strategy to run.")
    ] = STRATEGY,
    param: Params = None,
    settings: Settings = None,
    symbol: Symbol = None,
    cash: Cash = CASH,
    fee: Fee = COST,
    slippage: Slippage = COST,
    start: Start = None,
    end: End = None,
    seed: Annotated[
        int, typer.Option(min=0, max=MOST, metavar="NUMBER", help="Seed of all chance.")
    ] = 1,
    tried: Annotated[
        int,
        typer.Option(min=1, max=MOST, metavar="NUMBER", help="Settings tried so far, with these."),
    ] = 1,
    as_json: AsJson = False,
) -> int:
    """Write down what a backtest is to show, before it is run.

    The plan fixes rules, data and strategy by their hashes, what an event is, the peers, the costs
    and the seed. Only a run under a plan can say HELPS. Nothing is traded here, no result is shown.
    Say with --tried how many settings were tried on this data: the verdict tells it, and asks more.

    Example: riskguard plan my-rules.yaml --data my-folder --fall 10% --within 7d

    Then: riskguard backtest --preregister plan.yaml

    Exit codes: 0 written, 1 rules or data are refused, 2 wrong use.
    """
    texts = {"RULES": rules, "--data": data, "--output": output, "--strategy": strategy}
    given.filled(METAVARS, texts | {"--symbol": symbol})
    order = ordered(
        given.source(None, data, ""),
        rules,
        files=files,
        strategy=strategy,
        param=param,
        settings=settings,
        symbol=symbol,
        cash=cash,
        fee=fee,
        slippage=slippage,
        start=start,
        end=end,
        named="RULES",
    )
    fallen, time, target = depth(fall), span(within), _target(output)
    rules_name = rules if given.pack_name(rules) in given.packs() else _beside(order.rules, target)
    folder = _beside(order.files, target) if order.files else ""
    names = (rules_name, _beside(Path(order.source), target), folder)
    return _planned(order, names, fallen, time, (seed, tried), target, as_json=as_json)


def _target(text: str) -> Path:
    target = Path(text)
    fix = elsewhere(text, "write another name: --output FILE")
    if text == "-":
        raise WrongUse("--output - is no file: a plan is read from one", fix)
    if target.exists() or target.is_symlink():
        raise WrongUse(f"{text} is there already: a plan is written once", fix)
    if not target.parent.is_dir():
        raise WrongUse(f"--output {text} lies in a folder that does not exist", fix)
    return target


def _beside(path: Path, target: Path) -> str:
    """Return a path as it is found from the folder of the plan, so that both can be moved."""
    return nameable(Path(os.path.relpath(path.resolve(), target.parent.resolve())).as_posix())


def _strategy(text: str, target: Path) -> str:
    """Return an own strategy with its class, its file as found from the folder of the plan."""
    from riskguard.backtest.strategies import full_name, own_file

    file = own_file(text)
    if file is None:
        return text
    return f"{_beside(file, target)}:{full_name(text).rpartition(':')[2]}"


def _planned(
    order: Order,
    names: tuple[str, str, str],
    fall: float,
    within: int,
    numbers: tuple[int, int],
    target: Path,
    *,
    as_json: bool,
) -> int:
    from riskguard.backtest.evidence.events import catalogue, counted
    from riskguard.backtest.evidence.grades import ILLUSTRATION
    from riskguard.backtest.evidence.plan import Plan, plan_text
    from riskguard.backtest.strategies import source_hash
    from riskguard.backtest.watching import watch

    (request,) = requests(order, [order.strategy])
    seen_in(within, request.history.every)
    traded = request.symbol or request.ruleset.symbol or request.history.symbol
    seen = watch(request.ruleset, request.history, traded)
    first = seen.first_bar(request.start)
    made = Plan(
        rules=names[0],
        rules_hash=request.ruleset.hash,
        data=names[1],
        files=names[2],
        data_hash=seen.history.digest,
        symbol=traded,
        trade_from=int(seen.ts[first]),
        to=int(seen.ts[-1]),
        fall=fall,
        within=within,
        strategy=_strategy(order.strategy, target),
        strategy_hash=source_hash(order.strategy),
        params={name: str(request.params[name]) for name in order.params},
        settings=order.settings,
        cash=order.cash,
        fee=order.fee,
        slippage=order.slippage,
        seed=numbers[0],
        tried=numbers[1],
    )
    found = catalogue(seen.ts, seen.history.bars(traded).close, fall, within)
    kept = counted(found, seen.ts, first + 1, (*made.locked, ILLUSTRATION))
    _write(plan_text(made, list(_remarks(found, seen.ts))), target)
    plain = _plain(made, found, kept, target)
    print(json.dumps(plain, indent=2) if as_json else "\n".join(_told(made, found, kept, target)))
    return 0


def _write(text: str, target: Path) -> None:
    try:
        write_all({target: text}, fresh=True)
    except OSError as error:
        raise WrongUse(f"--output {target} cannot be written: {error.strerror}") from error


def _plain(plan: Plan, found: Catalogue, kept: tuple[Event, ...], target: Path) -> dict[str, Any]:
    from riskguard.backtest.evidence.signs import ENOUGH

    return {
        "name": plan.name,
        "file": str(target),
        "rules_hash": plan.rules_hash,
        "data_hash": plan.data_hash,
        "falls": len(found.falls),
        "events": len(found.events),
        "events_that_count": len(kept),
        "events_needed": ENOUGH,
        "dips": len(found.dips),
    }


def _remarks(found: Catalogue, ts: NDArray[int64]) -> Iterator[str]:
    yield f"falls of {found.level * 100:g}% or more: {len(found.falls)}"
    yield from (_row(one, ts) for one in found.falls)
    yield f"dips, half as deep and half regained within three days: {len(found.dips)}"
    yield from (_row(one, ts) for one in found.dips)


def _row(one: Fall, ts: NDArray[int64]) -> str:
    from riskguard.backtest.text_figures import moment, percent

    start, low = moment(int(ts[one.start])), moment(int(ts[one.trough]))
    return f"  {start}  low {low}  {percent(-one.depth)}"


def _told(plan: Plan, found: Catalogue, kept: tuple[Event, ...], target: Path) -> Iterator[str]:
    from riskguard.backtest.evidence.signs import ENOUGH
    from riskguard.history.stamps import duration_text

    yield f"plan {plan.name} written to {target}"
    what = f"falls of {plan.fall * 100:g}% within {duration_text(plan.within)}"
    yield f"{what}: {len(found.falls)}; independent events: {len(found.events)}"
    if len(kept) < len(found.events):
        yield (
            f"  of which {len(kept)} count: the others lie before trading begins, in a locked"
            " month\n  or in February 2026"
        )
    if len(kept) < ENOUGH:
        yield f"  too few events: HELPS needs {ENOUGH}, this data cannot show it"
    if found.dips:
        yield f"dips that recovered within three days: {len(found.dips)}"
    else:
        yield "no false-alarm history: the data has no dip that recovered within three days"
    yield f"next: riskguard backtest --preregister {target}"
