"""An operator asks, and a live guard answers: once, and before the first event."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskguard import State
from riskguard.engine.events import Event
from riskguard.live.operating import ask
from riskguard.live.replaying import Replay, checked
from riskguard.live.requests import asked, heard, leave
from riskguard.market import HOUR, SECOND
from riskguard.store import Journal
from tests.live.world import RULES, START, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_requests_that_wait_are_obeyed_at_the_start_before_the_first_event(world: World) -> None:
    with world.session() as session:
        world.bar(session, 1, 100)
    path = leave(world.state, {"do": "halt", "by": "ann", "note": "overnight"})
    with world.session() as again:
        assert again.decision.state is State.HALTED
        assert asked(path, 0.0) == ""
        assert again.decide(world.intent()).answer == "deny"
    (world.state / "KILL").touch()
    leave(world.state, {"do": "resume", "by": "ann"})
    with world.session() as third:
        assert third.decision.state is State.HALTED
    (world.state / "KILL").unlink()
    leave(world.state, {"do": "resume", "by": "ann"})
    with world.session() as fourth:
        assert fourth.decision.state is State.REDUCING  # `fall` has not seen its two hours yet
        assert fourth.decision.latched is False


@pytest.mark.parametrize("runs", [True, False])
def test_no_resume_goes_past_a_kill_switch_that_is_a_link_to_nowhere(
    world: World, runs: bool
) -> None:
    with world.session() as session:
        world.bar(session, 1, 100)
    (world.state / "KILL").symlink_to("nowhere")
    if not runs:
        refused = ask(world.state, {"do": "resume", "by": "ann"}, world.now).refused
        assert refused == "KILL lies in the folder of the state: remove it first"
    with world.session() as session:
        path = leave(world.state, {"do": "resume", "by": "ann"})
        world.now += SECOND
        session.tick()
        assert session.decision.state is State.HALTED
        assert asked(path, 0.0) == "KILL lies in the folder of the state: remove it first"


def test_no_request_stops_a_bot(world: World) -> None:
    with world.session() as session:
        world.bar(session, 1, 100)
        folder = world.state / "requests"
        folder.mkdir()
        (folder / "1.json").mkdir()
        (folder / "2.json").write_text('{"do": "mute", "rule": "fall", "until": NaN}')
        (folder / "3.json").write_text('{"do": ["halt"], "note": {"a": [1, NaN]}}')
        (folder / "4.json").write_text('{"do": "mute", "rule": "fall", "until": 1e400}')
        (folder / "5.json").write_text('{"do": "release", "rule": "\\ud800\\u0000"}')
        for _ in range(2):
            world.now += 10**9
            session.tick()
        assert [name.name for name in folder.glob("?.json")] == []
    kinds = [one.kind for one in Journal(world.state).transitions()]
    assert kinds.count("refused") == 4


def test_an_order_that_cannot_be_removed_is_obeyed_once(world: World, monkeypatch) -> None:
    with world.session() as session:
        world.bar(session, 1, 100)
        leave(world.state, {"do": "halt", "by": "ann"})
        monkeypatch.setattr(Path, "unlink", _denied)
        monkeypatch.setattr(Path, "rename", _denied)
        for _ in range(3):
            world.now += 10**9
            session.tick()
        monkeypatch.undo()
        assert session.decision.state is State.HALTED
    kinds = [one.kind for one in Journal(world.state).transitions()]
    assert kinds.count("operator") == 1


def _denied(*_: object, **__: object) -> None:
    raise PermissionError("read-only")


def test_a_process_answers_how_it_is(world: World) -> None:
    with world.session() as session:
        world.fallen(session)
        path = leave(world.state, {"do": "status"})
        session.tick()
        told = heard(path, 1.0)["told"]
        assert told["state"] == "CAUTION"
        assert told["file"] == str(world.rules)
        assert [one["name"] for one in told["rules"] if one["on"]] == ["fall"]
    assert {one.kind for one in Journal(world.state).transitions()} == {
        "started",
        "decision",
        "stopped",
    }


def test_a_file_that_reads_fewer_series_takes_over(world: World) -> None:
    both = RULES.replace("close < 60", "oi.change(2h) <= -50%")
    world.rules.write_text(both)
    with world.session() as session:
        world.bar(session, 1, 100)
        session.take(Event(world.now, "open_interest", "BTC", {"coins": 1000.0}))
        session.tick()
        world.rules.write_text(RULES)
        assert session.reload() == ""


UNITS = """\
version: 1
symbol: BTC
every: 1h
rules:
  leaves:
    when: oi.drop(2h) >= 5%
    clear: oi.drop(2h) < 1%
    do: {exposure_cap: 50%}
"""


def test_a_unit_that_was_taken_first_and_wrong_ends_by_release(tmp_path: Path) -> None:
    """Every true value is then a jump by a factor of units: nothing would ever end it."""
    world = World(tmp_path, UNITS)

    def hours(session, *which: int, coins: float) -> list[str]:
        found = []
        for hour in which:
            world.now = max(world.now, START + hour * HOUR - SECOND)
            session.take(Event(START + hour * HOUR - SECOND, "open_interest", "BTC",
                               {"coins": coins * (1 + hour / 1000)}))  # fmt: skip
            found.append(world.bar(session, hour, 100).state.name)
        return found

    def release(session, name: str = "oi") -> str:
        path = leave(world.state, {"do": "release", "rule": name, "by": "ann", "note": "unit"})
        session.tick()
        return asked(path, 0.0)

    with world.session() as session:
        assert "no rule is called 'oi'" in release(session)  # nothing of it has come
        hours(session, 1, 2, 3, coins=5e8)  # contracts, told as coins
        assert session.decision.state is State.ACTIVE
        assert hours(session, *range(4, 10), coins=5e5)[-1] == "REDUCING"
        assert session.decision.blind == ("oi",)
        assert release(session) == ""
        assert session.decision.priming
        assert session.decision.state is State.REDUCING
    with world.session() as session:
        assert session.decision.state is State.REDUCING
        assert hours(session, 10, 11, 12, coins=5e5) == ["REDUCING", "REDUCING", "ACTIVE"]
        assert session.decision.active == ()
        assert "unit_step" not in str(session.status()["by_hand"])
        assert hours(session, 13, coins=5e8) == ["ACTIVE"]
        assert (
            session.status()["intake_refused"][
                "open_interest: unit_step: oi jumps by a factor of units"
            ]
            == 7
        )
    done = [
        one.body["asked"] for one in Journal(world.state).transitions() if one.kind == "operator"
    ]
    assert done == [{"do": "release", "rule": "oi", "by": "ann", "note": "unit"}]
    assert checked(Replay(Journal(world.state).contents())).step is None


def test_a_series_that_was_released_blinds_until_it_comes_again(tmp_path: Path) -> None:
    """Where no window has to fill, age alone tells that nothing is known of it."""
    world = World(tmp_path, UNITS.replace("oi.drop(2h) >= 5%", "oi < 5").replace(
        "oi.drop(2h) < 1%", "oi > 6"))  # fmt: skip
    with world.session() as session:
        world.now = START + HOUR - SECOND
        session.take(Event(world.now, "open_interest", "BTC", {"coins": 5e8}))
        assert world.bar(session, 1, 100).state is State.ACTIVE
        leave(world.state, {"do": "release", "rule": "oi", "by": "ann"})
        for _ in range(3):
            world.now += SECOND
            assert session.tick().blind == ("oi",)
            assert session.decide(world.intent()).quantity == 0
        session.take(Event(world.now, "open_interest", "BTC", {"coins": 5e5}))
        world.now += SECOND
        assert session.tick().blind == ()
        assert session.decide(world.intent()).quantity == 1
