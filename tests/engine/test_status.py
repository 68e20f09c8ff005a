"""What a guard says of itself: who set what, how far each line is, why it cannot be judged."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from riskguard import Decision, Guard, Sample
from riskguard.language.reader import read_text
from riskguard.language.ruleset import Input
from riskguard.market import CATALOGUE, DAY, HOUR
from tests.history.test_columns import Draw

START = 1_767_225_600_000_000_000
RULES = """\
version: 1
symbol: BTC
every: 1h
symbols: [ETH]
define:
  quiet: {all: [close > 95, oi.change(3h) > -1%]}
stages:
  - {stage: out, enter: close < 80, recover: close > 90, do: {close: all}}
rules:
  deep: {when: close < 90 for 2h, clear: quiet, min_hold: 3h, do: {exposure_cap: 50%}}
  flush: {when: oi.change(3h) <= -5%, cooldown: 6h, do: {exposure_cap: 70%, notify: oi}}
  apart: {when: close < ETH.close, min_hold: 1h, do: {block_entries: long}}
"""


def guard(text: str = RULES) -> Guard:
    ruleset, found = read_text(text, "rules.yaml")
    assert ruleset is not None, [one.render() for one in found]
    return Guard(ruleset)


def feed(made: Guard, hour: int, close: float = 100.0, **values: float) -> Decision:
    return made.update(Sample(START + hour * HOUR, "BTC", {"close": close, **values}))


def warm() -> Guard:
    made = guard()
    for hour in range(1, 6):
        made.update(Sample(START + hour * HOUR, "ETH", {"close": 50.0}))
        feed(made, hour, oi=1000.0)
    return made


def lines(told: dict[str, Any], rule: str) -> dict[tuple[str, str], dict[str, Any]]:
    (one,) = [one for one in (*told["rules"], *told["stages"]) if one["name"] == rule]
    return {(line["role"], line["line"]): line for line in one["lines"]}


def test_every_line_of_every_rule_is_there_though_nothing_is_on() -> None:
    told = warm().explain()
    assert (told["state"], told["fields"], told["as_of"]) == ("ACTIVE", {}, START + 5 * HOUR)
    assert not any(one["on"] for one in (*told["rules"], *told["stages"]))
    assert set(lines(told, "deep")) == {
        ("when", "close < 90 for 2h"), ("clear", "close > 95"), ("clear", "oi.change(3h) > -1%"),
    }  # fmt: skip
    assert set(lines(told, "out")) == {("when", "close < 80"), ("clear", "close > 90")}


def test_distance_is_what_a_line_lacks_in_shares_of_its_value_or_in_points() -> None:
    told = warm().explain()
    deep = lines(told, "deep")["when", "close < 90 for 2h"]
    assert (deep["value"], deep["threshold"], deep["truth"]) == (100.0, 90.0, "false")
    assert deep["distance"] == pytest.approx(-0.1)
    assert deep["margin"] == pytest.approx(100 / 90 - 1)
    assert lines(told, "flush")["when", "oi.change(3h) <= -5%"]["distance"] == -0.05
    assert lines(told, "apart")["when", "close < ETH.close"]["distance"] == -0.5
    assert lines(told, "out")["clear", "close > 90"]["distance"] == 0.0


def test_a_line_that_holds_but_not_for_long_enough_has_no_way_to_go() -> None:
    made = warm()
    feed(made, 6, 85.0, oi=1000.0)
    deep = lines(made.explain(), "deep")["when", "close < 90 for 2h"]
    assert (deep["truth"], deep["distance"]) == ("false", 0.0)


def test_it_names_who_set_a_field_and_who_was_outdone_and_since_when() -> None:
    made = warm()
    for hour in range(6, 9):
        feed(made, hour, 85.0, oi=900.0)
    told = made.explain()
    assert told["fields"]["exposure_cap"] == {"value": 0.5, "winner": "deep", "others": ["flush"]}
    deep, flush, apart = told["rules"]
    assert (deep["on"], deep["since"]) == (True, START + 8 * HOUR)
    assert deep["held_until"] == START + 11 * HOUR
    assert (flush["on"], flush["since"]) == (True, START + 6 * HOUR)
    assert (apart["on"], apart["since"], apart["cools_until"]) == (False, None, None)
    for hour in range(9, 12):
        feed(made, hour, 100.0, oi=900.0)
    flush = made.explain()["rules"][1]
    assert (flush["on"], flush["cools_until"]) == (False, START + 15 * HOUR)


REASONS = {
    "never_seen": ("oi.change(3h) <= -5%", lambda made: feed(made, 1)),
    "warming": ("oi.change(3h) <= -5%", lambda made: feed(made, 1, oi=1.0)),
    "stale": (
        "oi.change(3h) <= -5%",
        lambda made: [feed(made, h, **({"oi": 1.0} if h < 6 else {})) for h in range(1, 10)],
    ),
    "rejected": (
        "oi.change(3h) <= -5%",
        lambda made: [feed(made, h, oi=1.0 if h < 6 else math.nan) for h in range(1, 10)],
    ),
    "gap": (
        "oi.mean(9h) <= 1",
        lambda made: [feed(made, h, **({"oi": 1.0} if h % 2 else {})) for h in range(1, 16)],
    ),
    "undefined": (
        "oi.zscore(5h) > 3", lambda made: [feed(made, h, oi=7.0) for h in range(1, 16)],
    ),
    "undefined, a side of it": (
        "oi.zscore(5h) + 1 > 3", lambda made: [feed(made, h, oi=7.0) for h in range(1, 16)],
    ),
    "undefined, divided by nothing": (
        "oi / volume > 3", lambda made: [feed(made, h, oi=7.0, volume=0.0) for h in range(1, 4)],
    ),
    "never_seen, the right side of it": (
        "close * oi < $3", lambda made: feed(made, 1),
    ),
}  # fmt: skip


@pytest.mark.parametrize("reason", REASONS)
def test_a_line_that_cannot_be_judged_says_why(reason: str) -> None:
    line, play = REASONS[reason]
    head = "version: 1\nsymbol: BTC\nevery: 1h\nrules:\n"
    made = guard(head + f"  r: {{when: '{line}', min_hold: 1h, do: {{exposure_cap: 50%}}}}\n")
    play(made)
    (told,) = made.explain()["rules"][0]["lines"]
    assert (told["truth"], told["value"], told["distance"]) == ("unknown", None, None)
    assert told["unknown"] == reason.partition(",")[0]


def test_a_line_on_the_age_of_what_is_not_carried_was_never_seen() -> None:
    text = "version: 1\nsymbol: BTC\nevery: 1h\nrules:\n"
    text += "  r: {when: oi.age() > 3h, min_hold: 1h, do: {exposure_cap: 50%}}\n"
    ruleset, found = read_text(text, "rules.yaml")
    assert ruleset is not None, found
    absent = {"oi": Input("oi", CATALOGUE["oi"], carried=False)}
    made = Guard(replace(ruleset, inputs=absent))
    feed(made, 1)
    (told,) = made.explain()["rules"][0]["lines"]
    assert (told["truth"], told["unknown"]) == ("unknown", "never_seen")


def test_status_tells_inputs_refusals_and_what_was_set_by_hand() -> None:
    made = warm()
    feed(made, 6, oi=-1.0)
    made.halt(START + 6 * HOUR, "look")
    made.mute(START + 6 * HOUR, "flush", START + DAY, "known")
    told = made.status()
    assert told["halt"] == {"since": START + 6 * HOUR, "reason": "look"}
    assert told["mutes"] == {"flush": {"until": START + DAY, "reason": "known"}}
    assert told["refused"] == {"oi: negative": 1}
    assert told["by_hand"][-1] == "halt: look"
    assert told["inputs"]["oi"] == {
        "age": HOUR, "max_age": 2 * HOUR, "value": 1000.0, "needed": True, "blind": False,
    }  # fmt: skip
    made.update(Sample(START + 9 * HOUR, "*", {}))
    assert made.status()["inputs"]["oi"]["blind"] is True
    assert made.status()["blind"] == ["ETH.close", "close", "oi"]


def test_status_is_json_at_every_moment_of_random_rules_and_histories() -> None:
    for seed in range(12):
        draw = Draw(seed + 400)
        made = Guard(draw.rules())
        json.dumps(made.status(), allow_nan=False)
        for number, sample in enumerate(draw.history(60)[0]):
            made.update(sample)
            if number % 7 == 0:
                before = made.dump()
                told = made.status()
                json.dumps(told, allow_nan=False)
                assert made.dump() == before
                for one in (*told["rules"], *told["stages"]):
                    for line in one["lines"]:
                        known = line["value"] is not None and line["threshold"] is not None
                        assert known or line["dimension"] == "truth" or line["unknown"] or (
                            line["dimension"] == "time"
                        )  # fmt: skip
