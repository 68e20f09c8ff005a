"""Under `evaluate: event` what a flow brings is told before its bucket has ended."""

from __future__ import annotations

import json

from riskguard import Event, Guard, Intent
from riskguard.engine.intake import Intake
from riskguard.language.reader import read_text

AT_ONCE = """\
version: 1
symbol: BTC
every: 1m
evaluate: event
inputs:
  liq.long: {max_age: 10m}
rules:
  cascade:
    when: liq.long.sum(1m) >= $20M
    clear: liq.long.sum(1m) < $1M
    do: {block_entries: both}
"""
SECONDS = 1_000_000_000
MS = 1_000_000
MIDDAY = 1_770_292_800 * SECONDS


def intake() -> Intake:
    ruleset, found = read_text(AT_ONCE, "rules.yaml")
    assert ruleset is not None, found
    return Intake(Guard(ruleset))


def heard(until: int) -> Intake:
    """Return an intake under `evaluate: event` whose feed was heard for two minutes."""
    taken = intake()
    for second in range(until // SECONDS - 120, until // SECONDS + 1):
        ts = second * SECONDS
        if ts % (60 * SECONDS) == 0:
            bar = {"close": 90_000.0, "interval_ns": 60 * SECONDS}
            taken.take(Event(ts, "bar", "BTC", bar))
        taken.take(Event(ts, "alive", "BTC", {"series": "liq.long"}))
    return taken


def pushed(taken: Intake, ts: int, dollars: float) -> str:
    data = {"liquidated_side": "long", "notional_usd": dollars}
    return taken.take(Event(ts, "liquidation", "BTC", data, id=str(ts))).block_entries


def test_a_liquidation_tightens_an_order_decided_fifty_milliseconds_later() -> None:
    taken = heard(MIDDAY)
    assert pushed(taken, MIDDAY + 130 * MS, 28e6) == "both"
    order = Intent(MIDDAY + 180 * MS, "BTC", "buy", 1.0, 0.0)
    assert taken.guard.decide(order).answer == "deny"
    leave = Intent(MIDDAY + 180 * MS, "BTC", "sell", 1.0, 1.0)
    assert taken.guard.decide(leave).answer == "allow"


def test_in_a_storm_what_comes_waits_a_fifth_of_a_second_at_most_and_none_is_lost() -> None:
    taken = heard(MIDDAY)
    said = [pushed(taken, MIDDAY + number * 20 * MS, 2e6) for number in range(1, 41)]
    # the first counts at once, those up to 0.22 s together: 2M, then 22M
    assert next(index for index, one in enumerate(said, 1) if one == "both") == 11
    for second in range(1, 30):
        taken.take(Event(MIDDAY + second * SECONDS, "alive", "BTC", {"series": "liq.long"}))
    lines = taken.guard.explain()["rules"][0]["lines"]
    assert {line["value"] for line in lines} == {80e6}


def test_a_storm_that_goes_on_past_the_end_of_a_bucket_waits_no_longer_and_no_less() -> None:
    taken = heard(MIDDAY)
    end = MIDDAY + 60 * SECONDS
    for second in range(1, 60):
        taken.take(Event(MIDDAY + second * SECONDS, "alive", "BTC", {"series": "liq.long"}))
    assert pushed(taken, end - 100 * MS, 1e6) == "none"  # told at once
    assert pushed(taken, end + 40 * MS, 19e6) == "none"  # 140 ms after that: not yet
    assert pushed(taken, end + 80 * MS, 1.0) == "none"
    assert pushed(taken, end + 101 * MS, 1.0) == "both"


def test_a_liquidation_of_nothing_is_told_to_nobody_and_delays_none() -> None:
    taken = heard(MIDDAY)
    assert pushed(taken, MIDDAY + 130 * MS, 0.0) == "none"
    assert taken.guard.as_of == MIDDAY
    assert pushed(taken, MIDDAY + 140 * MS, 28e6) == "both"
    assert taken.guard.as_of == MIDDAY + 140 * MS


def test_what_is_told_early_is_not_told_again_at_the_end_of_its_bucket() -> None:
    taken = heard(MIDDAY)
    pushed(taken, MIDDAY + 130 * MS, 15e6)
    taken.take(Event(MIDDAY + 2 * SECONDS, "alive", "BTC", {"series": "liq.long"}))
    assert taken.guard.explain()["rules"][0]["lines"][0]["value"] == 15e6


def test_a_dump_in_the_middle_of_a_bucket_goes_on_as_if_nothing_had_been() -> None:
    taken, other = heard(MIDDAY), intake()
    pushed(taken, MIDDAY + 130 * MS, 15e6)
    other.guard.load(taken.guard.dump())
    other.load(json.loads(json.dumps(taken.dump())))
    for one in (taken, other):
        pushed(one, MIDDAY + 190 * MS, 3e6)
        pushed(one, MIDDAY + 900 * MS, 4e6)
    assert taken.guard.dump() == other.guard.dump()
    assert taken.dump() == other.dump()
