"""States that were written by hand: each is refused by what stands in it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from riskguard import Guard
from riskguard.engine import bodies
from riskguard.errors import StateError
from tests.engine.test_state import fed, signed


@pytest.mark.parametrize(
    ("place", "value", "why"),
    [
        ("standing.rests.told.0", ["oi", "2d", "3d"], "names windows"),
        ("standing.decision.reasons.1", ["flush", "close > 1"], "is a list of"),
        ("standing.decision.reasons.1.2", "many", "has finite numbers"),
        ("standing.decision.reasons.1.8", [["close", "1h"]], "names series"),
        ("standing.decision.reasons.1.8", "close", "names series"),
        ("series.close.times", [5, 1, 2, 6, 1, 1], "is rising"),
        ("windows", {}, "windows"),
        ("as_of", "now", "is an integer"),
        ("as_of", 1 << 64, "lies between"),
        ("symbol", 7, "is a text"),
        ("standing.decision.state", "CALM", "is one of"),
        ("standing.decision.exposure_cap", "half", "is a number"),
        ("standing.decision.latched", 1, "is true or false"),
        ("standing.decision.reasons", {}, "is a list"),
        ("standing.decision.active", [1], "is a list of texts"),
        ("standing.decision.reasons.1.5", "maybe", "names rule, leaf, truth"),
        ("nodes.on", [1], "is a list of 1 truths"),
        ("nodes.sequence.7.starts", 5, "is a list"),
        ("windows.1.best", [], "is a number"),
        ("series.close.last", 1 << 61, "no later than the last sample"),
        ("series.close.start", 5, "from when on it was observed"),
        ("controls.halt", ["now", "a look"], "is a time and a reason"),
        ("controls.latched", {"nobody": [1, "flapping"]}, "is a rule that is on"),
    ],
)
def test_a_forged_dump_is_told_what_stands_there(place: str, value: object, why: str) -> None:
    made = fed()
    body: Any = json.loads(made.dump())
    held, (*way, last) = body, place.split(".")
    for step in way:
        held = held[int(step) if isinstance(held, list) else step]
    held[int(last) if isinstance(held, list) else last] = value
    with pytest.raises(StateError, match=why):
        Guard(made.ruleset, sources=made.sources).load(signed(body))


def test_an_integer_of_any_size_comes_as_text() -> None:
    made = fed()
    body: Any = json.loads(made.dump())
    (name,) = (name for name, kept in body["windows"].items() if "total" in kept)
    body["windows"][name]["total"] = str(1 << 80)
    other = Guard(made.ruleset, sources=made.sources)
    other.load(signed(body))
    assert json.loads(other.dump())["windows"][name]["total"] == str(1 << 80)
    body["windows"][name]["total"] = "much"
    with pytest.raises(StateError, match="is an integer"):
        Guard(made.ruleset, sources=made.sources).load(signed(body))


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('"api":[1,0]', '"api":[1,1]', "so that no change goes unseen"),
        ('"api":[1,0]', '"api": [1,0]', "canonical JSON"),
    ],
)
def test_a_dump_that_was_touched_is_refused(old: str, new: str, why: str) -> None:
    made = fed()
    with pytest.raises(StateError, match=why):
        Guard(made.ruleset, sources=made.sources).load(made.dump().replace(old, new))


def test_a_number_beyond_every_float_is_no_state() -> None:
    made = fed()
    text = made.dump().replace('"exposure_cap":0.0', '"exposure_cap":1e999')
    with pytest.raises(StateError, match="holds what no state holds"):
        Guard(made.ruleset, sources=made.sources).load(text)


def test_a_text_that_is_longer_than_a_state_can_be_is_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = fed()
    blob = made.dump()
    monkeypatch.setattr(bodies, "LONGEST", len(blob) - 1)
    with pytest.raises(StateError, match="a dump has at most"):
        Guard(made.ruleset, sources=made.sources).load(blob)
