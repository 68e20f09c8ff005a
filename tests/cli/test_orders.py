"""What an operator says to a bot that runs, and to one that does not."""

from __future__ import annotations

import json

import pytest

from riskguard import Event, State
from riskguard.market import HOUR, SECOND
from riskguard.store import Journal
from tests.cli.bots import bot
from tests.live.world import RULES, START, World


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path)


def transitions(world: World, kind: str) -> list:
    return [one for one in Journal(world.state).transitions() if one.kind == kind]


def test_a_bot_that_runs_obeys_and_answers(riskguard, world) -> None:
    state = ("--state", world.state, "--reason", "a test")
    with bot(world.rules, world.state, "100,100,55"):
        assert riskguard("halt", *state) == (0, "halted\n", "")
        assert "HALTED BY HAND since" in riskguard("status", world.state).out.splitlines()[0]
        assert riskguard("mute", "fall", "--for", "2h", *state).out == "muted fall for 2h\n"
        code, out, err = riskguard("release", "fal", *state)
        assert (code, err) == (1, "")
        assert "no rule is called 'fal'" in out
        assert "there are: fall, flat" in out
        assert riskguard("release", "flat", *state).out == "released flat\n"
        assert riskguard("resume", *state).code == 0
        assert riskguard("resume", *state).code == 1
        world.rules.write_text(RULES.replace("50%", "40%"))
        assert riskguard("reload", *state) == (0, "reloaded\n", "")
        world.rules.write_text("version: 1\nrules: {}\n")
        code, out, _ = riskguard("reload", *state)
        assert code == 1
        assert out.startswith("refused, the rules in force stay\n")
        assert "error[RG146]" in out
    asked = [one.body["asked"] for one in transitions(world, "operator")]
    assert [one["do"] for one in asked] == ["halt", "mute", "release", "resume"]
    assert {one["note"] for one in asked} == {"a test"}
    assert len(transitions(world, "refused")) == 2
    assert len(transitions(world, "reload_refused")) == 1


def test_where_no_bot_runs_an_order_waits_for_the_next_start(riskguard, world) -> None:
    state = ("--state", world.state, "--reason", "overnight")
    with world.session() as session:
        world.bar(session, 1, 100)
    code, out, err = riskguard("halt", *state)
    assert (code, err) == (0, "")
    assert "to be obeyed when a process starts" in " ".join(out.split())
    told = " ".join(riskguard("status", world.state).out.split())
    assert "NOT OBEYED YET, the next start does: halt" in told
    code, out, _ = riskguard("release", "flat", *state)
    assert code == 1
    assert "it is not on" in out
    code, out, _ = riskguard("mute", "nobody", *state)
    assert code == 1
    assert "there are: fall, flat" in out
    assert len(list((world.state / "requests").iterdir())) == 1  # what is refused is not left
    with world.session() as session:
        assert session.decision.state is State.HALTED
    assert riskguard("resume", *state).code == 0
    with world.session() as session:
        assert session.decision.state is not State.HALTED


def test_a_resume_is_tried_after_the_halt_that_waits(riskguard, world) -> None:
    state = ("--state", world.state, "--reason", "x")
    with world.session() as session:
        world.bar(session, 1, 100)
    assert riskguard("resume", *state).code == 1
    assert riskguard("halt", *state).code == 0
    assert riskguard("resume", *state).code == 0
    (world.state / "KILL").touch()
    code, out, _ = riskguard("resume", *state)
    assert code == 1
    assert "remove it first" in out


def test_a_bot_that_hangs_finds_the_order_later(riskguard, world) -> None:
    with bot(world.rules, world.state, "100,100,100", "hangs"):
        code, out, _ = riskguard("halt", "--state", world.state, "--reason", "x")
        assert code == 0
        assert "it has not within 3 s" in " ".join(out.split())
        assert riskguard("status", world.state).out.startswith("NO ANSWER: process ")
        told = riskguard("why", "now", "--state", world.state).out
        assert "holds the state and does not answer" in " ".join(told.split())
    with world.session() as session:
        assert session.decision.state is State.HALTED


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("halt",), "Missing option"),
        (("halt", "--reason", " ", "--state", "STATE"), "--reason is empty"),
        (("mute", "fall", "--for", "2", "--reason", "x", "--state", "STATE"), "write 30m, 2h"),
        (("mute", "fall", "--for", "0h", "--reason", "x", "--state", "STATE"), "write 30m, 2h"),
        (("release", " ", "--reason", "x", "--state", "STATE"), "RULE is empty"),
        (("halt", "--reason", "x", "--state", "nowhere"), "there is no folder nowhere"),
        (("halt", "--reason", "x", "--state", "."), "there is no state in ."),
        (("halt", "--reason", "x", "--state", "rules.yaml"), "is a file"),
        (("halt", "--reason", "x", "--state", ""), "--state is empty"),
        (("halt", "--reason", "x", "--state", "a\0b"), "there is no folder a\\x00b"),
    ],
)
def test_wrong_use_is_told_with_what_to_write(
    riskguard, world, monkeypatch, words: tuple[str, ...], said: str
) -> None:
    with world.session() as session:
        world.bar(session, 1, 100)
    monkeypatch.chdir(world.state.parent)
    given = [str(world.state) if word == "STATE" else word for word in words]
    code, out, err = riskguard(*given)
    assert (code, out) == (2, "")
    assert said in err
    assert not (world.state / "requests").exists()


def test_no_bot_no_reload(riskguard, world) -> None:
    world.session().close()
    code, out, _ = riskguard("reload", "--state", world.state, "--reason", "x")
    assert code == 1
    assert "the next start reads the rule file" in out


def test_open_interest_in_a_wrong_unit_is_let_go_of(riskguard, tmp_path) -> None:
    text = RULES + "  leaves: {when: oi < 1000, latch: true, do: {exposure_cap: 20%}}\n"
    world = World(tmp_path, text)

    def hour(session, number: int, coins: float) -> str:
        world.now = START + number * HOUR - SECOND
        session.take(Event(world.now, "open_interest", "BTC", {"coins": coins}))
        return world.bar(session, number, 100).state.name

    with world.session() as session:
        for number in (1, 2, 3):
            hour(session, number, 5e8)
        assert [hour(session, number, 5e5 + number) for number in (4, 5, 6)][-1] == "REDUCING"
    state = ("--state", world.state, "--reason", "contracts, not coins")
    code, out, _ = riskguard("release", "ETH.oi", *state)
    assert code == 1
    assert "no rule is called 'ETH.oi'" in out
    assert riskguard("release", "oi", *state).code == 0
    with world.session() as session:
        assert hour(session, 7, 5e5) == "ACTIVE"
    assert riskguard("replay", world.state, "--check").code == 0
    (done,) = transitions(world, "operator")
    assert (done.body["asked"]["do"], done.body["asked"]["rule"]) == ("release", "oi")


def outcome(riskguard, *words: object) -> tuple[int, str, str]:
    """Give an order with --json; return exit code, outcome and why."""
    code, out, err = riskguard(*words, "--json")
    told = json.loads(out)
    assert err == ""
    assert set(told) == {"asked", "outcome", "why", "degraded"}
    assert told["asked"]["do"] == words[0]
    assert told["asked"]["note"] == "a test"
    return code, told["outcome"], told["why"]


def test_a_program_is_told_what_became_of_an_order(riskguard, world) -> None:
    state = ("--state", world.state, "--reason", "a test")
    with bot(world.rules, world.state, "100,100,55"):
        for words in (("halt",), ("mute", "fall"), ("release", "flat"), ("resume",), ("reload",)):
            assert outcome(riskguard, *words, *state) == (0, "done", "")
        code, what, why = outcome(riskguard, "release", "fal", *state)
        assert (code, what) == (1, "refused")
        assert "there are: fall, flat" in why
    code, what, why = outcome(riskguard, "halt", *state)
    assert (code, what) == (0, "waits")
    assert why.startswith("a process starts")
    code, what, why = outcome(riskguard, "reload", *state)
    assert (code, what, why) == (
        1,
        "refused",
        "no process holds the state: the next start reads the rule file",
    )
    code, out, err = riskguard("halt", "--state", "nowhere", "--reason", "x", "--json")
    assert (code, out) == (2, "")
    assert "there is no folder nowhere" in err
