from __future__ import annotations

import json
from collections import deque
from pathlib import Path

import pytest

from riskguard import Event, Fit, Guard, Intake, Intent, Session, load_rules
from riskguard.feeds.recorded import recorded
from riskguard.live.ticker import Ticker
from riskguard.live.warming import warm_at
from riskguard.market import DAY, HOUR, MINUTE, SECOND
from tests.feeds.test_recording import START, SYMBOL, record

RULES = """\
version: 1
symbol: BTC
every: 1h
inputs:
  liq.long: {max_age: 2h}
rules:
  cascade:
    when: liq.long.sum(24h).times_avg(7d, min=1d) >= 3
    clear: liq.long.sum(24h).times_avg(7d, min=1d) < 1.5
    do: {block_entries: both}
"""


def test_a_guard_primed_from_a_recording_is_warm_when_it_said_it_would_be(tmp_path: Path) -> None:
    """Recorded for two days and killed twice in between; warm to the hour it named itself."""
    rules, folder = tmp_path / "rules.yaml", tmp_path / "rec"
    rules.write_text(RULES)
    minutes = DAY // MINUTE
    record(folder, 0, minutes // 3)
    record(folder, minutes // 3, minutes + 60)
    record(folder, minutes + 60, 2 * minutes + 120)
    told = deque(recorded(folder))
    guard = Guard(load_rules(rules), sources={"liq.long": "bybit"})
    intake = Intake(guard)

    def until(ts: int) -> None:
        while told and told[0].ts <= ts:
            intake.take(told.popleft())
        intake.take(Event(ts, "clock", "*"))

    said = set()
    for hours in (3, 20, 30, 47):
        until(START + hours * HOUR + 10 * SECOND)
        said.add(warm_at(guard))
        assert guard.decision.priming
    (when,) = said
    assert when is not None
    until(when - HOUR + 10 * SECOND)
    assert guard.decision.priming
    until(when + 10 * SECOND)
    assert not guard.decision.priming
    assert not guard.decision.blind
    assert warm_at(guard) is None


@pytest.mark.parametrize("minutes", [0, 3])
def test_the_first_refused_entry_of_all_says_how_to_come_by_what_is_missing(
    minutes: int, tmp_path: Path
) -> None:
    """Nothing was seen, or no hour has closed: from when on it is warm cannot be counted yet."""
    rules, folder = tmp_path / "rules.yaml", tmp_path / "rec"
    rules.write_text(RULES)
    now = START + minutes * MINUTE
    ticker = Ticker(wall=lambda: now, elapsed=lambda: now)
    with Session(
        rules, tmp_path / "state", fit=Fit(sources={"liq.long": "okx"}), ticker=ticker
    ) as session:
        if minutes:
            record(folder, 0, minutes)
            session.prime(recorded(folder))
        session.tick()
        verdict = session.decide(Intent(now, SYMBOL, "buy", 1.0, 0.0, price=70_000.0))
        said = " ".join(reason.text for reason in verdict.reasons)
        assert "priming: liq.long.sum(24h) has 0s of 24h" in said
        assert "okx serves no history of liq.long: start from a recording" in said
        assert "until when is told with its first data" in said


def test_a_guard_on_gate_which_serves_liquidations_is_told_to_ask_for_them(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    fit = Fit(sources={"liq.long": "gate"})
    ticker = Ticker(wall=lambda: START, elapsed=lambda: START)
    with Session(rules, tmp_path / "state", fit=fit, ticker=ticker) as session:
        session.tick()
        verdict = session.decide(Intent(START, SYMBOL, "buy", 1.0, 0.0, price=70_000.0))
    said = " ".join(reason.text for reason in verdict.reasons)
    assert "prime it with the history that the venue serves (riskguard.feeds.served)" in said


def test_every_refused_entry_says_what_is_missing_and_how_to_come_by_it(tmp_path: Path) -> None:
    rules, folder = tmp_path / "rules.yaml", tmp_path / "rec"
    rules.write_text(RULES)
    record(folder, 0, 9 * 60)
    clock = [START + 9 * HOUR]
    fit = Fit(sources={"liq.long": "bybit"})
    ticker = Ticker(wall=lambda: clock[0], elapsed=lambda: clock[0])
    with Session(rules, tmp_path / "state", fit=fit, ticker=ticker) as session:
        session.prime(recorded(folder))
        session.tick()
        verdict = session.decide(Intent(clock[0], SYMBOL, "buy", 1.0, 0.0, price=70_000.0))
        assert verdict.answer == "deny"
        said = " ".join(reason.text for reason in verdict.reasons)
        assert "priming: liq.long.sum(24h)" in said
        assert "bybit serves no history of liq.long" in said
        assert "riskguard record --out FOLDER" in said
        assert "or wait until 2026-02-0" in said
        assert "or wait until 2026-02-0" in json.dumps(session.status()["warming"])
        leave = session.decide(Intent(clock[0], SYMBOL, "sell", 1.0, 1.0, price=70_000.0))
        assert leave.answer == "allow"
