"""The types that a bot holds are frozen: what changes in them is a change of the API.

`python -m tests.test_frozen` writes the file anew, once version and CHANGELOG say so.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

import riskguard
from riskguard import (
    Action,
    Decision,
    Event,
    Fit,
    Guard,
    Instrument,
    Intake,
    Intent,
    Pending,
    Reading,
    Reason,
    Sample,
    Session,
    State,
    Verdict,
)
from riskguard.adapters import (
    AsyncVenue,
    Desk,
    Memory,
    Offline,
    Order,
    Venue,
    client_id,
    enforce,
    enforce_async,
    exit_alone,
    framework,
    spelled,
    traded,
)
from riskguard.adapters.shared.symbols import STYLES
from riskguard.engine.events import KINDS
from riskguard.engine.recorded import recorded
from riskguard.language.reader import read_text
from riskguard.market import HOUR, coin

GOLDEN = Path(__file__).parent / "golden" / "api.json"
TYPES = (
    State, Sample, Instrument, Event, Pending, Intent, Reason, Verdict, Action, Reading, Decision,
)  # fmt: skip
CALLED = (Guard, Intake, Desk, Offline, Session, Fit, Venue, AsyncVenue, Order, Memory)
FUNCTIONS = (
    enforce, enforce_async, exit_alone, client_id, framework, coin, traded, spelled,
)  # fmt: skip
MARKETS = (
    "BTC", "BTC/USDT", "BTC/USDT:USDT", "BTC-USDT", "BTCUSDT-PERP.BINANCE", "BTCUSDT.BINANCE",
    "BTC-USDT-SWAP", "BTC/USD:BTC", "BTC/USDT:USDT-260626", "BTC/USDT:USDT long",
)  # fmt: skip
RULES = """\
version: 1
symbol: BTC
every: 1h
stages:
  - stage: out
    enter: close < 50
    recover: close > 60
    do: {exposure_cap: 0%}
rules:
  fallen:
    when: close.drop(2h) >= 10%
    clear: close > 95
    do: {exposure_cap: 50%, block_entries: long}
    reentry: {start: 20%, step: 20%, every: 4h, while: close > 90}
"""
TOLD = (
    "{name} is not what it was in {places}. Bots and stored journals rely on it: raise API in"
    " riskguard/engine/guard.py (the first number where something went, moved or means something"
    " else; the second where something was added that may be left out), write it in CHANGELOG.md,"
    " then write tests/golden/api.json anew: python -m tests.test_frozen"
)


def plain(value: object) -> Any:
    """Return a value as JSON holds it."""
    if isinstance(value, Enum):
        return value.name
    if dataclasses.is_dataclass(value):
        return {one.name: plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list | tuple) else value


def shape(kind: type) -> list[Any]:
    """Return the fields of a type in order: name, type, default."""
    if issubclass(kind, Enum):
        return [[one.name, "int", one.value] for one in kind]
    told = inspect.get_annotations(kind)
    if dataclasses.is_dataclass(kind):
        return [[one.name, str(one.type), default(one)] for one in dataclasses.fields(kind)]
    return [
        [name, getattr(told[name], "__forward_arg__", str(told[name])),
         repr(kind._field_defaults[name]) if name in kind._field_defaults else "must be given"]
        for name in kind._fields
    ]  # fmt: skip


def default(one: dataclasses.Field[Any]) -> str:
    if one.default is not dataclasses.MISSING:
        return str(one.default) if isinstance(one.default, Enum) else repr(one.default)
    if one.default_factory is not dataclasses.MISSING:
        return repr(plain(one.default_factory()))
    return "must be given"


def keys(value: object) -> Any:
    """Return the keys of a mapping and of what is in it, each with the type of its value."""
    if isinstance(value, Mapping):
        return {name: keys(one) for name, one in value.items()}
    if isinstance(value, list):
        return [keys(value[0])] if value else []
    return type(value).__name__


def guard() -> Guard:
    rules, found = read_text(RULES, "rules.yaml")
    assert rules is not None, found
    made = Guard(rules, instruments={"BTC": Instrument(0.001, 0.001)})
    for hour, close in enumerate([100.0, 100.0, 100.0, 88.0], 1):
        made.update(Sample(hour * HOUR, "BTC", {"close": close, "position": 2.0}))
    made.mute(4 * HOUR, "fallen", 9 * HOUR, "known")
    return made


def examples() -> dict[str, Any]:
    """Return one of each, as a bot meets it."""
    made = guard()
    resting = Pending("7", "buy", 1.0, resting=True)
    intent = Intent(4 * HOUR, "BTC", "buy", 3.0, 2.0, (resting,), 88.0)
    verdict, action = made.decide(intent), made.poll()[-1]
    bar = {"close": 88.0, "interval_ns": HOUR}
    return {
        "State": "REDUCING",
        "Sample": plain(Sample(HOUR, "BTC", {"close": 88.0})),
        "Instrument": plain(made.instruments["BTC"]),
        "Event": plain(Event(HOUR, "bar", "BTC/USDT:USDT", bar, source="binance")),
        "Pending": plain(resting),
        "Intent": plain(intent),
        "Reason": plain(verdict.reasons[0]),
        "Verdict": plain(verdict),
        "Action": plain(action),
        "Reading": plain(made.decision.reasons[-1]),
        "Decision": recorded(made.decision),
    }


def calls(kind: type) -> dict[str, str]:
    """Return what may be called of a class, with its arguments, and what may be read of it."""
    public = [name for name in dir(kind) if not name.startswith("_")]
    found = {"": arguments(kind)}
    for name in public:
        one = inspect.getattr_static(kind, name)
        if isinstance(one, property):
            found[name] = f"-> {one.fget.__annotations__['return']}"
        elif inspect.isfunction(one):
            found[name] = arguments(one)
    return found


def arguments(one: Any) -> str:
    """Return the arguments of a call as they are written; a protocol is not called."""
    return "" if getattr(one, "_is_protocol", False) else str(inspect.signature(one))


def market(name: str) -> dict[str, Any]:
    """Return what a name of a market is, and what others call that market."""
    found = traded(name)
    names = {style: spelled(found, style, venue="BINANCE") for style in STYLES if found.quote}
    return {"coin": coin(name), "traded": list(found), "spelled": names}


def frozen() -> dict[str, Any]:
    """Return all that is frozen."""
    told = examples()
    types = {kind.__name__: {"fields": shape(kind), "example": told[kind.__name__]}
             for kind in TYPES}  # fmt: skip
    made = guard()
    return {
        "API": list(Guard.api),
        "types": types,
        "Status": {"keys": keys(made.status()), "example": made.status()},
        "events": {name: plain(one) for name, one in KINDS.items()},
        "calls": {kind.__name__: calls(kind) for kind in CALLED},
        "functions": {one.__name__: arguments(one) for one in FUNCTIONS},
        "markets": {name: market(name) for name in MARKETS},
    }


@pytest.fixture(scope="module")
def now() -> dict[str, Any]:
    return json.loads(json.dumps(frozen()))


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    return json.loads(GOLDEN.read_text(encoding="utf-8"))


def differing(one: dict[str, Any], two: dict[str, Any]) -> str:
    """Return the parts of two that differ, in order of the first; order within counts."""
    return ", ".join(name for name in one if json.dumps(one[name]) != json.dumps(two.get(name)))


@pytest.mark.parametrize("name", [kind.__name__ for kind in TYPES])
def test_a_type_of_the_api_keeps_its_fields(name: str, now, golden) -> None:
    places = differing(golden["types"][name], now["types"][name])
    assert not places, TOLD.format(name=name, places=places)


def test_status_keeps_its_keys(now, golden) -> None:
    places = differing(golden["Status"], now["Status"])
    assert not places, TOLD.format(name="Status", places=places)
    assert golden["API"] == now["API"]


@pytest.mark.parametrize("name", [kind.__name__ for kind in CALLED])
def test_a_call_of_the_api_keeps_its_arguments(name: str, now, golden) -> None:
    places = differing(golden["calls"][name] | now["calls"][name], golden["calls"][name])
    assert not places, TOLD.format(name=name, places=places)
    assert golden["calls"][name].keys() <= now["calls"][name].keys()


@pytest.mark.parametrize("part", ["events", "functions", "markets"])
def test_events_functions_and_names_of_markets_stay_as_they_are(part: str, now, golden) -> None:
    places = differing(golden[part] | now[part], golden[part])
    assert not places, TOLD.format(name=f"the part '{part}'", places=places)
    assert golden[part].keys() == now[part].keys()


def test_what_is_handed_out_at_the_top_is_frozen() -> None:
    frozen_here = {kind.__name__ for kind in (*TYPES, *CALLED)}
    elsewhere = {"RuleSet", "load_rules", "__version__"}  # of the language, not of a bot
    errors = {name for name in riskguard.__all__ if name.endswith("Error") or name == "Diagnostic"}
    assert set(riskguard.__all__) == (set(riskguard.__all__) & frozen_here) | errors | elsewhere


@pytest.mark.parametrize("harm", ["renamed", "moved", "default", "gone"])
def test_any_change_of_a_field_is_seen(harm: str, golden) -> None:
    fields = json.loads(json.dumps(golden["types"]["Verdict"]["fields"]))
    if harm == "renamed":
        fields[0][0] = "verdict"
    elif harm == "moved":
        fields[0], fields[1] = fields[1], fields[0]
    elif harm == "default":
        fields[-1][2] = "None"
    else:
        del fields[-1]
    changed = golden["types"]["Verdict"] | {"fields": fields}
    assert differing(golden["types"]["Verdict"], changed) == "fields"


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(frozen(), indent=1) + "\n", encoding="utf-8")
