"""Evidence as it is told: the block `evidence` of the JSON report, and lines for a terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from riskguard.backtest.evidence.conditions import signed
from riskguard.backtest.evidence.figures import captured
from riskguard.backtest.evidence.sums import printed
from riskguard.backtest.metrics import cdar
from riskguard.backtest.text_figures import compact, money

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from riskguard.backtest.evidence.bootstrap import Interval
    from riskguard.backtest.evidence.evidence import Evidence
    from riskguard.backtest.evidence.findings import Findings
    from riskguard.backtest.evidence.ledger import LedgerRow
    from riskguard.backtest.evidence.peers import Peer

__all__ = ["MONEY", "block", "drawn", "header", "left_out", "lines", "ways_told"]

# what a row of the ledger says in money of the account
MONEY = ("saved", "missed", "costs", "net", "without", "alone", "false_cost")


def block(evidence: Evidence) -> dict[str, Any]:
    """Return the block `evidence` of a report: plain numbers, None for what is not known."""
    return {
        "conditions": [
            {"name": one.name, "met": one.met, "text": one.text, "verdict": one.verdict}
            for one in evidence.conditions
        ],
        "plan": _plan(evidence),
        "years": _plain(evidence.years),
        "mean_exposure": _plain(evidence.mean_exposure),
        "identity": {
            name: _plain(getattr(evidence.identity, name))
            for name in ("avoided", "missed", "costs", "other_path", "guarded", "bare", "error")
        },
        "value": {
            **{
                name: _plain(getattr(evidence.value, name))
                for name in ("avoided", "missed", "costs")
            },
            "capture": _plain(captured(evidence.value)),
            "random_capture": _plain(evidence.random_capture),
        },
        "further": {
            run: {name: _plain(value) for name, value in one._asdict().items()}
            for run, one in evidence.further.items()
        },
        "round_trips": {name: _plain(value) for name, value in evidence.whipsaws._asdict().items()},
        "peers": [_peer(one) for one in evidence.peers],
        "best_simple": evidence.best.name if evidence.best else None,
        "leverage_line": [
            {name: _plain(value) for name, value in point._asdict().items()}
            for point in evidence.leverage_line
        ],
        "tests": None if evidence.found is None else _tests(evidence, evidence.found),
        "untested": evidence.untested or None,
        "ledger": [_row(one, evidence) for one in evidence.ledger],
        "falls": None if evidence.catalogue is None else len(evidence.catalogue.falls),
        "dips": None if evidence.catalogue is None else len(evidence.catalogue.dips),
        "notes": list(evidence.notes),
    }


def _plan(evidence: Evidence) -> dict[str, Any] | None:
    if evidence.plan is None:
        return None
    plan = evidence.plan
    return {"hash": plan.hash, "tried": plan.tried, "changed": list(evidence.changed)}


def _peer(peer: Peer) -> dict[str, Any]:
    return {
        "name": peer.name,
        "knob": peer.knob,
        "setting": _plain(peer.setting),
        "mean_exposure": _plain(peer.mean_exposure),
        "total_return": _plain(peer.equity[-1] - 1.0),
        "cdar_95": _plain(cdar(peer.equity)),
    }


def _row(row: LedgerRow, evidence: Evidence) -> dict[str, Any]:
    counts = ("rule", "trips", "true", "late", "false", "redundant", "unjudged")
    told: dict[str, Any] = {name: getattr(row, name) for name in counts}
    amounts = {name: getattr(row, name) for name in MONEY}
    told |= {"days_out": _plain(row.days_out)}
    told |= {name: None if value is None else _plain(value) for name, value in amounts.items()}
    told["yearly"] = {
        name: None if value is None else _plain(evidence.a_year(value))
        for name, value in amounts.items()
    }
    return told


def _tests(evidence: Evidence, found: Findings) -> dict[str, Any]:
    placebo, names = found.placebo, [one.name for one in evidence.events]
    return {
        "draws": evidence.draws,
        "seed": evidence.seed,
        "block": _plain(found.block),
        "placebos": placebo.draws if placebo else 0,
        "foresight": placebo.foresight if placebo else None,
        "volatility_timing": placebo.volatility_timing if placebo else None,
        "against_constant": _interval(found.against_constant),
        "against_best": _interval(found.against_best),
        "cdar_95": _interval(found.cdar),
        "ulcer": _interval(found.ulcer),
        "shallower": _plain(found.shallower),
        "above_line": found.above_line,
        "events": [
            {"name": name, "benefit": _plain(gain), "without": _plain(rest)}
            for name, gain, rest in zip(names, found.benefits, found.without, strict=True)
        ],
        "hits": found.hits.hits,
        "sign_test": found.hits.sign,
        "flip_test": found.hits.flip,
        "carried": None
        if found.carried is None
        else {"name": names[found.carried[0]], "share": _plain(found.carried[1])},
        "stress": [
            {"late": one.late, "costs": one.dearer, "benefit": _plain(one.benefit)}
            for one in found.stress
        ],
    }


def _interval(one: Interval) -> dict[str, Any]:
    return {name: _plain(value) for name, value in one._asdict().items()}


def _plain(value: float | np.floating[Any]) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None


def header(evidence: Evidence) -> str:
    """Return the line that names the plan and what has changed since, "" without a plan."""
    if evidence.plan is None:
        return ""
    changed = ", ".join(evidence.changed)
    since = f"changed since: {changed}" if changed else "nothing changed since"
    return f"plan {evidence.plan.name}, {since}"


def lines(evidence: Evidence) -> list[str]:
    """Return what the verdict rests on, in lines that a caller wraps."""
    parts = (_value, _peers, _tested, _ledger, _ways)
    return [line for part in parts for line in part(evidence)] + list(evidence.notes)


def _value(evidence: Evidence) -> Iterator[str]:
    one = printed(evidence.identity)
    text = f"losses avoided {one.text(one.avoided)} - gains missed {one.text(one.missed)}"
    text += f" - costs {one.text(one.costs)}"
    if evidence.identity.parted:
        sign = "+" if one.other_path >= 0 else "-"
        text += f" {sign} other path {one.text(abs(one.other_path))}"
    yield f"{text} = guarded - bare {one.text(one.difference)}"


def _peers(evidence: Evidence) -> Iterator[str]:
    if evidence.best is None:
        return
    best = evidence.best
    ended = f"best simple peer at the same mean exposure {evidence.mean_exposure:.2f}:"
    yield f"{ended} {best.name}, {signed(best.equity[-1] - 1.0)} % in all"


def left_out(evidence: Evidence, found: Findings) -> tuple[str, str, str]:
    """Return the least and the most benefit with one event left out, and the one it needs most."""
    least = min(range(len(found.without)), key=lambda number: found.without[number])
    return signed(found.without[least]), signed(max(found.without)), evidence.events[least].name


def drawn(found: Findings, draws: int) -> str:
    """Return how often chance was asked: fewer placebos than draws where the path is short."""
    placebos = found.placebo.draws if found.placebo else 0
    return f"{placebos} placebos, {draws + 1:,} resamples in blocks of {found.block:.0f} bars"


def _tested(evidence: Evidence) -> Iterator[str]:
    found = evidence.found
    if found is None:
        yield f"no tests: {evidence.untested}"
        return
    yield drawn(found, evidence.draws)
    for name, one, unit in (
        ("net benefit vs constant", found.against_constant, "%/yr"),
        ("net benefit vs best simple peer", found.against_best, "%/yr"),
        ("CDaR below constant", found.cdar, "points"),
        ("Ulcer index below constant", found.ulcer, "points"),
    ):
        bounds = f"[90 % CI {signed(one.low)}, {signed(one.high)}]"
        yield f"  {name:<32}{signed(one.value):>7} {unit:<7}{bounds}"
    if found.placebo:
        p = found.placebo
        yield f"  foresight p = {p.foresight:.3f}, volatility timing p = {p.volatility_timing:.3f}"
    late = ", ".join(signed(one.benefit) for one in found.stress if one.late)
    dear = ", ".join(signed(one.benefit) for one in found.stress if not one.late)
    yield f"  1, 2, 5 bars late {late} %/yr; costs x1, x2, x4 {dear} %/yr"
    if evidence.catalogue is not None:
        counts = f"{found.hits.hits} of {found.hits.events} events won"
        listed = evidence.catalogue
        yield f"  {counts}; falls in the data {len(listed.falls)}, dips {len(listed.dips)}"
    if found.without:
        least, most, name = left_out(evidence, found)
        yield f"  one event left out: {least} to {most} %/yr, least without {name}"


def ways_told(evidence: Evidence) -> str:
    """Return how often the guard came back dearer than it had left; "" where it never came back."""
    one = evidence.whipsaws
    if not one.trips:
        return ""
    told = f"ways out and back {one.trips:,}, dearer at the return {one.dearer:,}"
    if one.dearer:
        told += f": {signed(-one.total)} % of the position in all, at worst {signed(-one.worst)} %"
    return f"{told}; back {one.lag:.1f} d after the best open, in the median"


def _ways(evidence: Evidence) -> Iterator[str]:
    told = ways_told(evidence)
    if told:
        yield told


def _dollars(amount: float) -> str:
    """Return dollars in a column: what is too long for it in millions and more."""
    text = f"{round(amount) + 0:,}"
    return text if len(text) < 10 else compact(amount).replace("$", "")


def _ledger(evidence: Evidence) -> Iterator[str]:
    if not evidence.ledger:
        return
    heads = ("saved", "missed", "costs", "net")
    dollars = "".join(f"{head:>10}" for head in heads)
    yield f"{'ledger, in dollars':<24}{'trips':>6}{dollars}{'%/yr':>10}"
    for row in evidence.ledger:
        amounts = (row.saved, row.missed, row.costs, row.net)
        dollars = "".join(f"{_dollars(amount):>10}" for amount in amounts)
        share = evidence.a_year(row.net)
        yearly = signed(share) if abs(share) < 1e4 else "-"  # what is no number is not below
        yield f"  {row.rule[:22]:<22}{row.trips:>6}{dollars}{yearly:>10}"
    judged = [row for row in evidence.ledger if row.false is not None]
    if judged:
        true, late, false = (
            sum(getattr(row, name) for row in judged) for name in ("true", "late", "false")
        )
        cost = money(math.fsum(row.false_cost or 0.0 for row in judged))
        yield f"  trips that came true {true}, late {late}; false alarms {false}, they cost {cost}"
