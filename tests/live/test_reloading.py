"""New rules in the place of old ones: whatever means the same goes on as if nothing had been."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from riskguard.engine.events import Event
from riskguard.engine.strictest import looser
from riskguard.live.replaying import Replay, checked
from riskguard.live.requests import asked, leave
from riskguard.live.session import Session
from riskguard.market import HOUR, SECOND
from riskguard.store import Journal
from tests.live.world import START, World

HEAD = "version: 1\nsymbol: BTC\nevery: 1h\n"
MORE = "  more: {when: close < 1, latch: true, do: {exposure_cap: 10%}}\n"
BROKE = "  broke: {when: equity < $1, latch: true, do: {exposure_cap: 10%}}\n"
HOURS = 60
RELOADS = (0, 4, 17, 22, 31, 38, 52)  # before the first hour, on the way up and down
RULES = {
    "ramp": """\
  fall:
    when: close < 90
    clear: close > 92
    do: {exposure_cap: 20%}
    reentry: {start: 20%, step: 20%, every: 3h, while: close > 92}
""",
    "for": """\
  cheap:
    when: close < 98 for 4h
    clear: close > 99 for 3h
    do: {exposure_cap: 50%}
""",
    "closes": """\
  cheap:
    when: close < 98 for 4 closes
    clear: close > 99
    do: {exposure_cap: 50%}
""",
    "sequence": """\
  turn:
    when: {sequence: [close > 108, close < 92], within: 30h}
    clear: close > 103
    do: {exposure_cap: 40%}
""",
    "times": "  cheap: {when: close < 95, min_hold: 9h, cooldown: 20h, do: {exposure_cap: 50%}}\n",
    "peak": "  lost: {when: equity.drawdown(all) >= 12%, latch: true, do: {exposure_cap: 25%}}\n",
    "week": """\
  lost:
    when: equity.drawdown(7d) >= 12%
    clear: equity.drawdown(7d) < 5%
    do: {exposure_cap: 25%}
""",
    "top": """\
  far:
    when: close.drawdown(all) >= 12%
    clear: close.drawdown(all) < 6%
    do: {exposure_cap: 25%}
""",
    "apart": """\
  apart:
    when: close - close.low(30h) >= $18
    clear: close - close.low(30h) < $6
    do: {exposure_cap: 25%}
""",
    "streak": """\
  streak:
    when: loss_streak >= 4
    clear: loss_streak < 1
    do: {block_entries: both}
""",
    "far": """\
  wild:
    when: close.stdev(3h).percentile(20h) > 90%
    clear: close.stdev(3h).percentile(20h) < 50%
    do: {exposure_cap: 30%}
  apart: {when: close.stdev(3h) > 4, clear: close.stdev(3h) < 2, do: {exposure_cap: 60%}}
""",
    "named": """\
define:
  weak: close < 98 for 4h
rules:
  cheap: {when: weak, clear: close > 99 for 3h, do: {exposure_cap: 50%}}
""",
    "stages": """\
stages:
  - stage: watch
    enter: close < 97
    recover: close > 99 for 2h
    do: {exposure_cap: 60%}
    reentry: {start: 60%, step: 10%, every: 3h, while: close > 99}
  - {stage: out, enter: close < 90, recover: close > 93, do: {exposure_cap: 20%}}
rules:
  deep: {when: close < 2, latch: true, do: {exposure_cap: 0%}}
""",
    "day": """\
  day:
    when: pnl.realised.sum(today) <= -$30
    clear: pnl.realised.sum(today) > -$20
    do: {block_entries: both}
""",
    "poor": """\
  poor:
    when: equity < $1010 for 3h
    clear: equity > $1030 for 2h
    do: {exposure_cap: 50%}
""",
}


def file(name: str, more: str = "") -> str:
    text = RULES[name]
    return HEAD + ("" if "rules:" in text else "rules:\n") + text + more


def hour_of(world: World, session: Session, hour: int) -> tuple[object, ...]:
    """Tell one hour of a market that goes up and down, and of an account that does so too."""
    world.now = START + hour * HOUR - SECOND
    wave = math.sin(hour / 6)
    equity = round(1000 + 90 * wave - hour, 2)
    data = {"equity": equity} | ({"transfers": 100.0} if hour == 20 else {})
    if hour >= 20:
        data["equity"] += 100.0
    session.take(Event(world.now, "account", "BTC", data))
    if hour % 3 == 0:
        pnl = 10.0 if hour % 21 == 0 else -10.0
        session.take(Event(world.now, "trade_closed", "BTC", {"pnl": pnl}, id=str(hour)))
    made = world.bar(session, hour, round(100 + 12 * wave, 2))
    return made.active, made.exposure_cap, made.block_entries, made.blind


def lines(session: Session) -> dict[str, object]:
    told = session.status()
    return {one["name"]: one["lines"] for one in (*told["rules"], *told["stages"])}


def lived(folder: Path, name: str, more: str, reload: int) -> list[tuple[object, ...]]:
    folder.mkdir()
    world, found = World(folder, file(name)), []
    with world.session() as session:
        for hour in range(HOURS):
            if hour:
                found.append(hour_of(world, session, hour))
            if hour == reload:
                before, seen = session.decision, lines(session)
                world.rules.write_text(file(name, more))
                assert session.reload() == ""
                assert not looser(session.decision, before), hour
                assert seen.items() <= lines(session).items(), hour
    assert checked(Replay(Journal(world.state).contents())).step is None
    return found


@pytest.mark.parametrize("name", RULES)
def test_a_reload_changes_nothing_for_a_rule_that_means_the_same(tmp_path: Path, name: str) -> None:
    more = MORE if "close " in RULES[name] or "close." in RULES[name] else BROKE
    straight = lived(tmp_path / "straight", name, more, -1)
    assert len({one[:3] for one in straight}) > 1, "nothing happened"
    for hour in RELOADS:
        assert lived(tmp_path / str(hour), name, more, hour) == straight, hour


def test_what_is_on_its_way_back_goes_on_though_its_file_drops_it(tmp_path: Path) -> None:
    straight = lived(tmp_path / "straight", "ramp", MORE, -1)
    cleared = next(hour for hour, one in enumerate(straight, 1) if hour > 25 and one[1] == 0.4)
    folder = tmp_path / "dropped"
    folder.mkdir()
    world, caps = World(folder, file("ramp")), []
    with world.session() as session:
        for hour in range(1, cleared + 1):
            hour_of(world, session, hour)
        world.rules.write_text(HEAD + "rules:\n" + MORE)
        assert session.reload() == ""
        assert session.decision.exposure_cap == 0.4
        assert session.status()["still_on_from_earlier_rules"] == ["reentry fall"]
    with world.session() as session:
        assert session.decision.exposure_cap == 0.4
        for hour in range(cleared + 1, HOURS):
            caps.append(hour_of(world, session, hour)[1])
            if caps[-1] == 0.8:
                leave(world.state, {"do": "release", "rule": "fall", "by": "ann"})
                session.tick()
                assert session.decision.exposure_cap == 1.0
                break
        assert session.status()["still_on_from_earlier_rules"] == []
    assert list(dict.fromkeys(caps)) == [0.4, 0.6, 0.8]
    assert checked(Replay(Journal(world.state).contents())).step is None


def test_a_rule_that_was_dropped_while_it_was_on_comes_back_step_by_step(tmp_path: Path) -> None:
    straight = lived(tmp_path / "straight", "ramp", MORE, -1)
    folder = tmp_path / "dropped"
    folder.mkdir()
    world, found = World(folder, file("ramp")), []
    with world.session() as session:
        for hour in range(1, HOURS):
            found.append(hour_of(world, session, hour))
            if hour == 30:
                assert session.decision.active == ("fall",)
                world.rules.write_text(HEAD + "rules:\n" + MORE)
                assert session.reload() == ""
    assert [one[1] for one in found] == [one[1] for one in straight]


def test_a_release_right_after_a_reload_cools_down_in_full(tmp_path: Path) -> None:
    text = HEAD + "rules:\n  poor: {when: equity < $1000, latch: true, cooldown: 6h,"
    world = World(tmp_path, text + " do: {exposure_cap: 50%}}\n")

    def hours(*which: int) -> list[bool]:
        on = []
        for hour in which:
            world.now = START + hour * HOUR - SECOND
            session.take(Event(world.now, "account", "BTC", {"equity": 900.0}))
            on.append("poor" in world.bar(session, hour, 100).active)
        return on

    with world.session() as session:
        assert hours(1, 2, 3)[-1]
        world.rules.write_text(world.rules.read_text() + BROKE)
        assert session.reload() == ""
        assert session.decide(world.intent()).quantity == 0.5  # at once, not at the next close
        path = leave(world.state, {"do": "release", "rule": "poor", "by": "ann"})
        session.tick()
        assert asked(path, 1.0) == ""
        assert hours(*range(4, 10)) == [False] * 5 + [True]


def test_a_new_rule_tells_at_once_what_it_sees(tmp_path: Path) -> None:
    world = World(tmp_path, file("top"))
    with world.session() as session:
        for hour in range(1, 30):
            hour_of(world, session, hour)
        close = session.guard.stream.close()
        new = f"  new: {{when: close < {close + 1}, latch: true, do: {{exposure_cap: 10%}}}}\n"
        world.rules.write_text(file("top", new + BROKE))
        assert session.reload() == ""
        (line,) = lines(session)["new"]
        assert (line["value"], line["truth"], line["distance"]) == (close, "true", 0.0)
        (line,) = lines(session)["broke"]
        assert (line["value"], line["unknown"]) == (None, "never_seen")


def test_a_new_window_is_filled_by_what_an_old_one_holds(tmp_path: Path) -> None:
    held = "  deep: {when: close.drop(10h) > 90%, latch: true, do: {exposure_cap: 0%}}\n"
    asked = "  quick: {when: close.drop(4h) > 90%, latch: true, do: {exposure_cap: 0%}}\n"
    world = World(tmp_path, HEAD + "rules:\n" + held)
    with world.session() as session:
        for hour in range(1, 20):
            hour_of(world, session, hour)
        world.rules.write_text(HEAD + "rules:\n" + held + asked)
        assert session.reload() == ""
        assert (session.decision.priming, session.decision.blind) == ((), ())


def test_series_that_come_together_still_do_after_a_reload(tmp_path: Path) -> None:
    lines = MORE + "  deep: {when: low < 1, latch: true, do: {exposure_cap: 0%}}\n"
    lines += "  paid: {when: funding > 9%, latch: true, do: {exposure_cap: 0%}}\n"
    new = "  wide: {when: high / open > 9x, latch: true, do: {exposure_cap: 0%}}\n"
    world = World(tmp_path, HEAD + "rules:\n" + lines)
    with world.session() as session:
        for hour in range(1, 20):
            world.now = START + hour * HOUR - SECOND
            session.take(Event(world.now, "funding", "BTC", {"rate": 0.0001}))
            data = {"close": 100.0, "low": 99.0, "high": 120.0, "open": 100.0 + hour}
            session.take(Event(START + hour * HOUR, "bar", "BTC", data | {"interval_ns": HOUR}))
            world.now += 4 * SECOND
            session.tick()
            if hour % 6 == 0:  # at last with two series that are both new
                text = lines.replace("9%", f"1{hour}%") + new * (hour == 18)
                world.rules.write_text(HEAD + "rules:\n" + text)
                assert session.reload() == ""
            plan, tapes = session.guard.plan, session.guard.stream.tapes
            for spec, tape in zip(plan.tapes, tapes, strict=True):
                assert len(tape.times) == len(tape.values), hour
                last = START + hour * HOUR - SECOND * (spec.name == "funding")
                assert tape.times[-1:] in ([last], [])
        assert len(tapes) == 5
        assert all(tape.times for tape in tapes)
    with world.session() as again:
        assert again.guard.fault == ""


def test_a_file_of_wider_bars_takes_over_no_series_of_narrow_ones(tmp_path: Path) -> None:
    world = World(tmp_path, file("top"))
    with world.session() as session:
        for hour in range(1, 30):
            hour_of(world, session, hour)
        world.rules.write_text(file("top").replace("every: 1h", "every: 2h"))
        assert session.reload() == ""
        assert session.guard.as_of == START + 28 * HOUR  # the last close of two hours
        assert session.decision.active == ("far",)


def test_a_file_of_another_symbol_takes_over_no_price(tmp_path: Path) -> None:
    world = World(tmp_path, file("top"))
    with world.session() as session:
        for hour in range(1, 30):
            hour_of(world, session, hour)
        assert session.decision.active == ("far",)
        world.rules.write_text(file("top").replace("symbol: BTC", "symbol: ETH"))
        assert session.reload() == ""
        assert not any(tape.times for tape in session.guard.stream.tapes)
        assert session.decision.active == ("far",)  # as it was, beside the new rules


@pytest.mark.parametrize(
    "line", ["drop(20h) > 90%", "high(20h) > 9000", "times_avg(20h) > 9x", "stdev(20h) > 9000"]
)
def test_a_window_wider_than_any_before_primes(tmp_path: Path, line: str) -> None:
    """What the old rules no longer needed is gone: the new ones have not seen it."""
    held = "  deep: {when: close.drop(2h) > 90%, latch: true, do: {exposure_cap: 0%}}\n"
    asked = f"  slow: {{when: close.{line}, latch: true, do: {{exposure_cap: 0%}}}}\n"
    world = World(tmp_path, HEAD + "rules:\n" + held)
    with world.session() as session:
        for hour in range(1, 50):
            hour_of(world, session, hour)
        world.rules.write_text(HEAD + "rules:\n" + held + asked)
        assert session.reload() == ""
        assert "20h" in session.decision.priming[0]
        primed = []
        for hour in range(50, 75):
            primed.append(not world.bar(session, hour, 100).priming)
            (slow,) = [one for one in session.status()["rules"] if one["name"] == "slow"]
            assert session.guard.fault == ""
            assert primed[-1] == (slow["lines"][0]["value"] is not None)
        assert primed == sorted(primed)
        assert 12 < primed.index(True) < 20
    assert checked(Replay(Journal(world.state).contents())).step is None


@pytest.mark.parametrize("name", ["day", "peak", "poor", "week"])
def test_a_wider_window_over_an_account_primes_nothing_and_changes_no_other(
    tmp_path: Path, name: str
) -> None:
    """What an account says when it is seen first has always been so, for a new rule too."""
    what = "pnl.realised.sum(20d) <= -$9000" if name == "day" else "equity.drawdown(20d) >= 90%"
    wide = f"  wide: {{when: {what}, latch: true, do: {{exposure_cap: 10%}}}}\n"
    straight = lived(tmp_path / "straight", name, wide, -1)
    for hour in RELOADS:
        assert lived(tmp_path / str(hour), name, wide, hour) == straight, hour
