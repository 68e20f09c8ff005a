"""Secrets that slip into what a session hears: none is found in its state, its words, its logs."""

from __future__ import annotations

import json
import random
import sqlite3
from pathlib import Path

import pytest

from riskguard import Event, plugins
from riskguard.cli.status_text import lines
from riskguard.engine.gate import exit_alone
from riskguard.live.looking import look
from riskguard.live.operating import ask, worded
from riskguard.live.replaying import Replay, checked
from riskguard.live.requests import FOLDER, leave
from riskguard.live.rules import Fit
from riskguard.plugins import said
from riskguard.store import Journal
from tests.counts import counts
from tests.live.world import RULES, START, World
from tests.plugged import Installed
from tests.secret_shapes import NAMES, SHAPES, hostile

ACTION = """
class Measure:
    api = (1, 0)

    def act(self, change):
        raise OSError(LEAK)
"""
PAGED = "rules:\n  page: {when: close > 0, do: {notify: look, plugin.pager: it fell}}\n"


def leaks() -> list[tuple[str, str]]:
    """Return texts, each with the part of it that must be seen nowhere."""
    named = [(f"refused {name}=hunter2{number}", f"hunter2{number}")
             for number, name in enumerate(NAMES[::4], 10)]  # fmt: skip
    return [*SHAPES.values(), *named]


def everything(folder: Path) -> str:
    """Return all that lies in the folder of a state, its database as rows too."""
    found = [path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file()]
    with sqlite3.connect(folder / "state.db") as db:
        found += db.iterdump()
    return "\n".join(found)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_what_an_operator_writes_is_kept_without_secrets(world: World) -> None:
    with world.session() as session:
        world.fallen(session)
        for text, _ in leaks():
            for do in ("halt", "resume", "mute", "release", text):
                order = {"do": do, "by": text, "note": text, "rule": "fall"}
                leave(world.state, {**order, "until": world.now + 10**12 if do == "mute" else text})
            session.tick()
            data = {"do": "halt", "by": text, "note": text}
            session.take(Event(world.now, "operator", "*", data))
            session.tick()
        shown = "\n".join([*lines(look(world.state)), json.dumps(session.status())])
    assert len([one for one in Journal(world.state).transitions() if one.kind == "operator"]) > 100
    kept = everything(world.state)
    found = [secret for _, secret in leaks() if secret in kept or secret in shown]
    assert not found
    assert "\x1b" not in shown


def test_a_request_that_waits_holds_no_secret(world: World) -> None:
    with world.session() as session:
        world.fallen(session)
    ask(world.state, {"do": "halt", "by": "me", "note": "apiSecret=hunter2"}, world.now)
    (waits,) = (world.state / FOLDER).glob("*.json")
    assert "hunter2" not in waits.read_text()
    with world.session() as again:
        assert again.decision.state.name == "HALTED"


def test_a_journal_of_cleaned_texts_is_decided_again_as_it_was(world: World) -> None:
    with world.session() as session:
        world.fallen(session)
        data = {"do": "halt", "by": "me", "note": "token=hunter2hunter2 75k lost"}
        session.take(Event(world.now, "operator", "*", data))
        assert "75k lost" in session.decision.reasons[0].leaf
        world.bar(session, 6, 90)
        stood = session.guard.dump()
    again = world.session()
    assert again.guard.dump() == stood
    again.close()
    assert checked(Replay(Journal(world.state).contents())).step is None


def test_what_feeds_and_plug_ins_say_is_kept_without_secrets(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugins, "_FOR_ALL", set())
    (tmp_path / "site").mkdir()
    install = Installed(tmp_path / "site", monkeypatch)
    for number, (text, secret) in enumerate(leaks()[::12]):
        code = f"LEAK = {text!r}\n{ACTION}"
        install(f"pager{number}", code, kind="actions", of=f"acme{number}")
        world.rules.write_text(RULES.replace("rules:\n", PAGED.replace("pager", f"pager{number}")))
        world.state = tmp_path / f"state {number}"
        fit = Fit(plugins=frozenset({f"pager{number}"}))
        with world.session(fit=fit) as session:
            for hour in (1, 2, 3):
                world.bar(session, hour, 100)
            session.take(Event(world.now, "bar", "BTC", {text: 1.0}))
            session.take(Event(world.now, "account", "BTC", {"equity": 1.0, text: 1.0}))
            acting = session.acting
            acting.actors[f"pager{number}"].close(5.0)
            session.tick()
            world.rules.write_text(f"version: 1\nrules: {{a: {{when: '{text[:40]}'}}}}\n")
            world.now += 10**9
            session.reload()
            shown = "\n".join([*lines(look(world.state)), json.dumps(session.status())])
        assert secret not in shown, text
        assert secret not in everything(world.state), text
        world.now = START


@counts(500, 100_000)
def test_every_door_of_a_text_makes_one_clean_line_of_it(count: int, tmp_path: Path) -> None:
    dice, world = random.Random(12), World(tmp_path)
    order = world.intent()
    with world.session() as session:
        world.fallen(session)
        for _ in range(count):
            text, secrets = hostile(dice)
            error = RuntimeError(text)
            request = {"do": text, "by": text, "note": text, "rule": text, "until": text}
            told = [
                *worded(request).values(),
                said(error),
                exit_alone(order, error).reasons[0].text,
            ]
            session.intake.refused.clear()
            session.take(Event(world.now, "account", "BTC", {"equity": 1.0, text: 1.0}))
            session.guard._fail(None, error)
            told += [*session.intake.refused, session.guard.fault]
            assert all(map(str.isprintable, told)), text
            assert not [one for one in secrets for line in told if one in line], text
