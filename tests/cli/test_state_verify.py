"""Walking the whole journal of a state from the command line."""

from __future__ import annotations

import json
import sqlite3

import pytest

from tests.cli.bots import bot
from tests.live.world import START, World

HOUR = 3_600_000_000_000


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path)


def lived(world: World) -> None:
    with world.session() as session:
        for hour in range(1, 40):
            world.bar(session, hour, 92 if hour // 4 % 2 else 100)


def test_a_whole_journal_is_counted(riskguard, world) -> None:
    lived(world)
    code, out, err = riskguard("state", "verify", world.state)
    assert (code, err) == (0, "")
    assert out.startswith("whole: every row stands under its seal, none is missing\n")
    told = json.loads(riskguard("state", "verify", world.state, "--json").out)
    assert told["whole"]
    assert told["damage"] == ""
    assert told["rows"]["input"] > 39
    assert told["gone"] == {"transition": 0, "input": 0, "done_action": 0}
    assert told["snapshots"] == 2
    assert f"  inputs        {told['rows']['input']}\n" in out


def test_what_was_forgotten_is_counted_apart(riskguard, world) -> None:
    lived(world)
    with world.session() as session:
        session.store.prune(START + 10 * HOUR)
    code, out, _ = riskguard("state", "verify", world.state)
    told = json.loads(riskguard("state", "verify", world.state, "--json").out)
    assert code == 0
    assert told["gone"]["input"] > 5
    assert told["anchors"] == 2
    assert f"{told['gone']['input']} before them are gone, as anchors say" in out


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("UPDATE input SET body='{}' WHERE seq = 3", "the seal of input 3 is broken"),
        ("DELETE FROM transition WHERE seq = 2", "transition 2 is missing"),
        ("DELETE FROM input WHERE seq > 9", "input"),
        ("UPDATE meta SET value='x' WHERE key='heads'", "seal of heads"),
        ("DROP TABLE snapshot", "snapshot"),
    ],
)
def test_the_first_damage_is_told_and_the_code_is_1(riskguard, world, harm, said) -> None:
    lived(world)
    with sqlite3.connect(world.state / "state.db") as db:
        db.execute(harm)
    db.close()
    code, out, err = riskguard("state", "verify", world.state)
    assert (code, err) == (1, "")
    assert out.startswith("DAMAGED: ")
    assert said in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 80
    told = json.loads(riskguard("state", "verify", world.state, "--json").out)
    assert not told["whole"]
    assert said in told["damage"]


def test_an_older_copy_put_in_its_place_is_damage(riskguard, world) -> None:
    lived(world)
    copy = (world.state / "state.db").read_bytes()
    with world.session() as session:
        world.bar(session, 50, 92)
    (world.state / "state.db").write_bytes(copy)
    code, out, _ = riskguard("state", "verify", world.state)
    assert code == 1
    assert "was stored" in out


def test_a_file_that_is_no_database_is_damage(riskguard, world) -> None:
    world.state.mkdir()
    (world.state / "state.db").write_bytes(b"x" * 5000)
    code, out, _ = riskguard("state", "verify", world.state)
    assert code == 1
    assert "DAMAGED" in out


def test_a_bot_may_go_on_meanwhile(riskguard, world) -> None:
    with bot(world.rules, world.state):
        for _ in range(5):
            assert riskguard("state", "verify", world.state).code == 0


def test_wrong_use_and_help(riskguard, world) -> None:
    assert riskguard("state", "verify", world.state / "nowhere").code == 2
    assert riskguard("state", "nonsense").code == 2
    for words in (("state",), ("state", "verify")):
        code, out, _ = riskguard(*words, "--help")
        assert code == 0
        assert "Walk the whole journal" in out
        assert max(map(len, out.splitlines())) <= 80
