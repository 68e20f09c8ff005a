"""The sentence a trader understands, at any time the journal reaches."""

from __future__ import annotations

import json

import pytest

from riskguard.live.requests import leave
from riskguard.market import HOUR
from riskguard.store import Journal
from tests.cli.bots import bot
from tests.live.world import RULES, START, World

DEEP = RULES.replace(
    "rules:", "rules:\n  deep: {when: close < 95, do: {exposure_cap: 60%}}"
).replace("do: {exposure_cap: 50%}", "min_hold: 4h\n    do: {exposure_cap: 50%}")


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path, DEEP)


def fallen(world: World) -> None:
    with world.session() as session:
        for hour, close in enumerate([100, 100, 100, 93, 92], 1):
            world.bar(session, hour, close)


def test_a_past_decision_is_told_with_who_won_and_who_would_have(riskguard, world) -> None:
    fallen(world)
    code, out, err = riskguard("why", "2026-01-01T05:30Z", "--state", world.state)
    assert (code, err) == (0, "")
    assert (
        out
        == """\
2026-01-01T05:30Z  BTC  state CAUTION  exposure_cap 50%
Entries are limited: fall is on since 2026-01-01T04:00Z (90m). Exits and cancels
  pass.
  exposure_cap 50%  <- fall (since 2026-01-01T04:00Z, held 90m of at least 4h);
      also deep 60%
  deep: on since 2026-01-01T04:00Z, for 90m
    T  close 92 < 95  (margin -3.2%)
    to clear: the lines above no longer hold
  fall: on since 2026-01-01T04:00Z, held 90m of at least 4h
    T  close.drop(2h) 8% >= 5%  (margin +3.0 points)
    to clear
      F  close.rise(2h) 0% >= 3% for 2 closes  (needs +3.0 points)
decided again from the journal, stored until 2026-01-01T05:00:04Z
"""
    )


def test_before_the_fall_the_nearest_lines_are_told(riskguard, world) -> None:
    fallen(world)
    _, out, _ = riskguard("why", "2026-01-01T03:30Z", "--state", world.state)
    assert "state ACTIVE  exposure_cap 100%\nNothing is limited." in out
    assert "fall: close.drop(2h) 0% >= 5%  (needs +5.0 points)" in out


def test_blind_and_priming_are_said_as_such(riskguard, world) -> None:
    fallen(world)
    _, out, _ = riskguard("why", "2026-01-01T09:00Z", "--state", world.state)
    assert "the guard is blind" in out
    assert "blind: close 4h old, at most 2h" in out
    _, out, _ = riskguard("why", "2026-01-01T01:30Z", "--state", world.state)
    assert "the guard has not seen enough yet" in out
    assert "priming: close.drop(2h) has 0s of 2h" in out


def test_a_halt_by_hand_and_rules_of_an_earlier_file_are_named(riskguard, world) -> None:
    fallen(world)
    world.rules.write_text(DEEP.replace("50%", "90%"))
    leave(world.state, {"do": "halt", "by": "ann", "note": "odd"})
    world.session().close()
    _, out, _ = riskguard("why", "now", "--state", world.state)
    flat = " ".join(out.split())
    assert "halted by hand since 2026-01-01T05:00:04Z (ann odd)" in flat
    assert "by hand: halt: ann odd" in flat
    assert "held 60m of at least 4h, of an earlier file (" in flat
    assert "also deep 60%, fall 90% and 50% of an earlier file (" in flat
    assert "no process holds the state" in flat


def test_a_bot_that_runs_is_asked(riskguard, tmp_path) -> None:
    world = World(tmp_path)
    with bot(world.rules, world.state, "100,100,100,93") as process:
        code, out, _ = riskguard("why", "now", "--state", world.state)
        assert code == 0
        assert f"told by process {process.pid}, which holds the state" in out
        assert "fall: on since" in out
        told = json.loads(riskguard("why", "now", "--state", world.state, "--json").out)
        assert told["known"]["how"] == "told"
        assert told["fields"]["exposure_cap"]["value"] == 0.5


def test_json_holds_the_figures(riskguard, world) -> None:
    fallen(world)
    told = json.loads(riskguard("why", "2026-01-01T05:00Z", "--state", world.state, "--json").out)
    (fall,) = [one for one in told["rules"] if one["name"] == "fall"]
    assert (fall["since"], fall["held_until"]) == (START + 4 * HOUR, START + 8 * HOUR)
    assert fall["lines"][0]["value"] == pytest.approx(0.08)
    assert told["known"] == {
        "how": "replayed",
        "process": 0,
        "stored_until": told["known"]["stored_until"],
    }


def test_a_time_of_which_only_the_decision_is_left_is_told_by_it(riskguard, world) -> None:
    with world.session() as session:
        for hour, close in enumerate([100, 100, 100, 93, 92, 92, 99, 99, 99, 92, 80], 1):
            world.bar(session, hour, close)
        session.store.prune(START + 4 * HOUR)
        for hour, close in enumerate([99, 92, 80, 99, 92, 80], 12):
            world.bar(session, hour, close)
    assert Journal(world.state).inputs()[0].seq > 1
    code, out, _ = riskguard("why", "2026-01-01T05:30Z", "--state", world.state)
    assert code == 0
    assert "T  close.drop(2h) 7% >= 5%  (margin +2.0 points)" in out
    assert "from the decision that was stored" in out
    code, _, err = riskguard("why", "2026-01-01T00:30Z", "--state", world.state)
    assert code == 1
    assert "the journal begins at 2026-01-01T04:00Z" in err


@pytest.mark.parametrize(
    ("time", "code", "said"),
    [
        ("yesterday", 2, "is not a moment in time"),
        ("2026-01-01T05:00", 2, "does not say its time zone"),
        ("2999-01-01", 2, "has not come yet"),
        ("2025-12-01", 1, "the journal begins at 2026-01-01T00:00Z"),
        ("0001-01-01", 1, "the journal begins at"),
    ],
)
def test_odd_times_are_answered(riskguard, world, time: str, code: int, said: str) -> None:
    fallen(world)
    found = riskguard("why", time, "--state", world.state)
    assert (found.code, found.out) == (code, "")
    assert said in found.err


def test_all_fits_a_terminal(riskguard, world) -> None:
    fallen(world)
    for time in ("now", "2026-01-01T01:00Z", "2026-01-01T05:00Z"):
        out = riskguard("why", time, "--state", world.state).out
        assert max(map(len, out.splitlines())) <= 80
        assert out.isascii()
