"""Every known mistake: its code, its place, its words, and nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from riskguard.errors import RuleError
from riskguard.language.binding import bind
from riskguard.language.reader import read_text
from riskguard.language.ruleset import Input
from riskguard.market import CATALOGUE, DAY, HOUR

TABLE = Path(__file__).with_name("mistakes.md")
BEFORE = "version: 1\nrules:\n  r:\n    when: "
AFTER = "\n    do: {exposure_cap: 50%}\n"
# decided by the data, not by the text
BY_DATA = {"RG501": None, "RG502": 90 * DAY}
ACTIONS = frozenset({"exposure_cap"})


@dataclass(frozen=True)
class Mistake:
    code: str
    severity: str
    text: str
    place: str
    message: str
    help: str

    def __str__(self) -> str:
        return f"{self.code}-{self.text[-40:]!r}"


def mistakes() -> list[Mistake]:
    found = []
    for row in TABLE.read_text(encoding="utf-8").splitlines():
        if not re.match(r"\| RG\d", row):
            continue
        cells = row.strip("| ").replace("| |", "|  |").split(" | ")
        cells = [cell.strip() for cell in cells] + ["", ""]
        code, severity, file, place, message, fix = cells[:6]
        text = "" if file == "(empty)" else file.strip("`")
        for sign, stands_for in (("▸", BEFORE), ("◂", AFTER), ("⏎", "\n")):
            text = text.replace(sign, stands_for)
        for escape, letter in (("\\t", "\t"), ("\\u00a0", "\u00a0"), ("\\x07", "\x07")):
            text = text.replace(escape, letter)
        kind = "error" if severity == "E" else "warning"
        found.append(Mistake(code, kind, text, place, message, fix))
    return found


MISTAKES = mistakes()


def found_in(one: Mistake):
    rules, found = read_text(one.text, "rules.yaml", every=HOUR)
    if one.code not in BY_DATA:
        return found
    names = ("open", "high", "low", "close", "volume")
    carried = {name: Input(name, CATALOGUE[name]) for name in names}
    with pytest.raises(RuleError) as refused:
        bind(
            rules,
            symbol="BTC",
            every=HOUR,
            carried=carried,
            capabilities=ACTIONS,
            history=BY_DATA[one.code],
        )
    return list(refused.value.diagnostics)


def test_the_table_is_whole():
    assert len(mistakes()) > 150
    assert {one.code for one in mistakes()} > BY_DATA.keys()


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize("one", MISTAKES, ids=str)
def test_a_mistake_is_named_at_its_place_and_alone(one: Mistake):
    found = found_in(one)
    at = f"{one.code} {one.place}"
    places = [f"{hit.code} {hit.line}:{hit.column}" for hit in found]
    assert at in places, [hit.render() for hit in found]
    hit = next(hit for hit in found if f"{hit.code} {hit.line}:{hit.column}" == at)
    assert hit.severity == one.severity
    others = [other for other in found if other is not hit and other.severity == "error"]
    assert not others, [other.render() for other in others]
    assert [other.render() for other in found if not other.help] == []
    assert hit.message == one.message or not one.message
    assert hit.help == one.help or not one.help
