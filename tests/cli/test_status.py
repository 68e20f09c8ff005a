"""The most important thing first; the same while a bot runs and after it stopped."""

from __future__ import annotations

import json
import random

import pytest

from riskguard.store.database import SCHEMA
from tests.cli.bots import bot
from tests.live.world import RULES, World
from tests.store.mounted import read_only


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path)


def first(riskguard, world: World) -> str:
    code, out, err = riskguard("status", world.state)
    assert (code, err) == (0, "")
    shown = [row for row in out.splitlines() if not row.startswith("file ")]  # a path stays whole
    assert max(map(len, shown)) <= 80
    return out.splitlines()[0]


def test_a_bot_that_runs_tells_how_it_is(riskguard, world) -> None:
    with bot(world.rules, world.state) as process:
        assert first(riskguard, world) == "ACTIVE, exposure cap 100%"
        out = riskguard("status", world.state).out
        assert f"process     {process.pid} holds the state" in out
        assert f"\nfile        {world.rules}\n" in out
        assert "last drill  never" in out
        told = json.loads(riskguard("status", world.state, "--json").out)
        assert (told["how"], told["process"], told["alarms"]) == ("told", process.pid, [])
    assert not list((world.state / "requests").iterdir())
    assert first(riskguard, world).startswith("NOT RUNNING: no process holds the state; the last")
    assert "the last stopped" in " ".join(riskguard("status", world.state).out.split())


def test_a_bot_that_was_killed_is_told_apart_from_one_that_stopped(riskguard, world) -> None:
    with bot(world.rules, world.state, ends=-9) as process:
        process.kill()
    out = " ".join(riskguard("status", world.state).out.split())
    assert "the last ended without a word" in out


def test_lines_stand_by_how_near_they_are(riskguard, world) -> None:
    with bot(world.rules, world.state, "100,100,98"):
        out = riskguard("status", world.state).out
    lines = out[out.index("to trigger, nearest first") :].splitlines()
    assert lines[1] == "  fall: close.drop(2h) 2% >= 5%  (needs +3.0 points)"
    assert lines[2] == "  flat: close 98 < 60  (needs -38.8%)"
    assert lines[3] == "inputs"
    assert lines[4].startswith("  close  ")


def test_what_matters_most_comes_first(riskguard, world) -> None:
    with bot(world.rules, world.state):
        world.rules.write_text(RULES.replace("50%", "40%"))
        assert first(riskguard, world).startswith("STALE RULES: ")
        world.rules.write_text(RULES + "rules: [")
        out = " ".join(riskguard("status", world.state).out.split())
        assert "\\n" not in out
        assert "content; help: look at" in out
        (world.state / "KILL").touch()
        while not first(riskguard, world).startswith("KILL: the kill switch is set"):
            pass  # until its next tick
        out = riskguard("status", world.state).out
        assert out.index("HALTED BY HAND") < out.index("STALE RULES")
        assert "to do" in out


def test_a_damaged_state_and_a_newer_one_are_refused_and_left_alone(riskguard, world) -> None:
    with world.session() as session:
        world.fallen(session)
    path = world.state / "state.db"
    good = path.read_bytes()
    blob = bytearray(good)
    for place in random.Random(3).sample(range(4096, len(blob)), 300):
        blob[place] ^= 255
    newer = bytearray(good)
    newer[60:64] = (SCHEMA + 1).to_bytes(4, "big")
    for bad in (bytes(blob), good[:5000], b"", b"not a database at all" * 300, bytes(newer)):
        path.write_bytes(bad)
        for command in (
            ("status", world.state),
            ("why", "now", "--state", world.state),
            ("replay", world.state, "--check"),
            ("halt", "--state", world.state, "--reason", "x"),
        ):
            code, out, err = riskguard(*command)
            assert (code, out) == (1, ""), command
            assert err.startswith("error: ")
            assert "Traceback" not in err
        assert path.read_bytes() == bad
    assert {one.name for one in world.state.iterdir()} <= {
        "state.db", "state.db-shm", "state.db-wal", "state.lock",
    }  # fmt: skip


def test_no_state_is_made_by_looking(riskguard, tmp_path) -> None:
    code, _, err = riskguard("status", tmp_path)
    assert code == 2
    assert "there is no state in" in err
    assert list(tmp_path.iterdir()) == []


def test_a_state_that_was_lost_is_told_until_somebody_resumes(riskguard, world) -> None:
    with world.session() as session:
        world.fallen(session)
    path = world.state / "state.db"
    path.write_bytes(path.read_bytes()[:5000])
    world.session().close()
    assert first(riskguard, world).startswith("STATE LOST: nothing enters until riskguard resume:")
    told = json.loads(riskguard("status", world.state, "--json").out)
    assert told["alarms"][0].startswith("STATE LOST: ")
    assert told["state"] == "REDUCING"
    assert riskguard("resume", "--state", world.state, "--reason", "looked at").code == 0
    world.session().close()
    assert "STATE LOST" not in riskguard("status", world.state).out


def test_who_cannot_be_asked_is_not_said_to_hang(riskguard, world) -> None:
    with bot(world.rules, world.state):
        (world.state / "requests").write_text("in the way")  # as a full disk: no request fits
        assert first(riskguard, world).startswith("NOT ASKED: no request can be left (")
        out = riskguard("status", world.state).out
        assert "hang" not in out
        told = riskguard("halt", "--state", world.state, "--reason", "x")
        assert told.code == 1
        assert f"= help: a file called KILL halts as well: touch {world.state}/KILL" in told.err


def test_a_state_that_may_only_be_read_is_told_and_takes_no_order(riskguard, world) -> None:
    with world.session() as session:
        world.fallen(session)
    told = riskguard("status", world.state)
    for side in ("state.db-wal", "state.db-shm"):
        (world.state / side).unlink(missing_ok=True)
    with read_only(world.state) as python:
        code, out, err = python("-m", "riskguard", "status", world.state)
        assert (code, err) == (0, "")
        assert out.splitlines()[1:3] == told.out.splitlines()[1:3]
        asked = ("-m", "riskguard", "halt", "--state", world.state, "--reason", "x")
        code, out, err = python(*asked)
    assert (code, out) == (1, "")
    assert err.startswith(f"error: no request can be left in {world.state}: ")
    assert "= help: ask where the folder can be written, as the user of the bot" in err
    assert "touch" not in err
    assert sorted(one.name for one in world.state.iterdir()) == ["state.db", "state.lock"]
