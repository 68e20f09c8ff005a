"""Who holds a state, what counts of a request, and an order tried on what is stored."""

from __future__ import annotations

import fcntl
import os
import time

import pytest

from riskguard import StateError
from riskguard.live.operating import ask, worded
from riskguard.live.requests import pending, swept
from riskguard.live.rules import Fit, Loaded
from riskguard.live.written import texts, with_texts
from riskguard.market import HOUR
from riskguard.store import Journal
from tests.live.world import RULES, World


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path)


def test_who_holds_a_state_is_known_while_he_does(world: World) -> None:
    journal = Journal(world.state)
    with world.session():
        assert journal.holder().pid == os.getpid()
        assert journal.holder() is not None  # who looks takes nothing away
    assert journal.holder() is None
    assert Journal(world.state.parent / "nowhere").holder() is None


def test_a_starter_waits_for_who_only_looks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.session().close()
    looking = os.open(world.state / "state.lock", os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    waited: list[float] = []

    def ends(pause: float) -> None:
        waited.append(pause)
        if len(waited) == 20:
            os.close(looking)

    monkeypatch.setattr(time, "sleep", ends)
    world.session().close()
    assert len(waited) == 20


def test_of_a_request_its_words_count_cut_and_visible() -> None:
    told = worded({"do": "halt", "by": "a\x1b[2J", "note": "x" * 9_000, "more": 1, "until": "z"})
    assert sorted(told) == ["by", "do", "note", "until"]
    assert told["by"] == "a\\x1b[2J"
    assert len(told["note"]) == 160


def test_an_order_is_tried_on_what_is_stored_and_changes_nothing(world: World) -> None:
    with world.session() as session:
        world.fallen(session)
        world.bar(session, 6, 55)
    before = Journal(world.state).contents()
    refused = ask(world.state, {"do": "release", "rule": "fall"}, world.now)
    assert "not latched" in refused.refused
    done = ask(world.state, {"do": "release", "rule": "flat"}, world.now)
    assert (done.refused, bool(done.waits)) == ("", True)
    assert "it is not on" in ask(world.state, {"do": "release", "rule": "flat"}, world.now).refused
    assert len(list(pending(world.state))) == 1
    assert Journal(world.state).contents() == before


def test_answers_that_nobody_came_for_are_swept(world: World) -> None:
    world.session().close()
    folder = world.state / "requests"
    folder.mkdir()
    for name, age in (("1.answer.json", 7200), ("2.tmp", 7200), ("3.answer.json", 0)):
        (folder / name).write_text("{}")
        then = time.time() - age
        os.utime(folder / name, (then, then))
    swept(world.state)
    assert [path.name for path in folder.iterdir()] == ["3.answer.json"]


def test_a_bot_that_carries_all_carries_the_bars(world: World) -> None:
    world.rules.write_text(RULES.replace("exposure_cap: 50%", "stop: 2 ATR"))
    loaded = Loaded.read(world.rules, Fit(symbol="BTC"))
    assert {"high", "low"} <= {spec.name for spec in loaded.guard().plan.tapes}


def test_a_series_of_another_coin_with_a_name_of_two_words_is_carried(world: World) -> None:
    sums = RULES.replace("symbol: BTC", "symbol: BTC\nsymbols: [BTC, ETH]").replace(
        "close.drop(2h) >= 5%", "ETH.liq.long.sum(2h) >= $5M"
    )
    world.rules.write_text(sums)
    for fit in (Fit(every=HOUR), Fit(sources={"close": "x", "ETH.liq.long": "bybit"})):
        assert "liq.long" in {
            spec.name for spec in Loaded.read(world.rules, fit).guard().plan.tapes
        }


def test_texts_go_with_the_rules_they_were_written_in(world: World) -> None:
    world.rules.write_text(RULES.replace("5%\n", "500bp\n"))
    loaded = Loaded.read(world.rules, Fit())
    again = Loaded.again(loaded.about())
    assert again.unbound == loaded.unbound
    assert texts(again.unbound) == texts(loaded.unbound)
    assert "close.drop(2h) >= 500bp" in texts(again.unbound)
    for wrong in ([], texts(loaded.unbound)[1:], [*texts(loaded.unbound), "more"]):
        with pytest.raises(StateError):
            with_texts(loaded.unbound, wrong)
