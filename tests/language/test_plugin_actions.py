"""Action plug-ins under `do`: `plugin.pager: text`, beside what a bot does."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from riskguard.engine.compile import compile_rules
from riskguard.language.binding import bind
from riskguard.language.changes.differences import differences
from riskguard.language.changes.strictness import asks
from riskguard.language.fitting.fallbacks import joined
from riskguard.language.guides.editors import editor_schema
from riskguard.language.reader import load_rules, read_text
from riskguard.language.ruleset import Actions, Input, RuleSet
from riskguard.language.writing.printing import printed
from riskguard.market import CATALOGUE, HOUR
from tests.plugged import Installed

TEXT = """\
version: 1
symbol: BTC
every: 1h
rules:
  r:
    when: close < 5
    clear: close > 6
    do: DO
"""
ACTION = """
class Measure:
    api = (1, 0)

    def act(self, change):
        pass
"""
ODD = """
class Odd(type):
    def __getattr__(cls, name):
        raise {}

class Measure(metaclass=Odd):
    api = (1, 0)
"""
DO = '{exposure_cap: 50%, plugin.pager: "it falls", plugin.mail: bye}'


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    found = Installed(tmp_path, monkeypatch)
    found.allow("pager", "mail")
    return found


@pytest.fixture
def both(install: Installed) -> Installed:
    install("pager", ACTION, kind="actions")
    install("mail", ACTION, kind="actions", of="acme2")
    return install


def read(do: str) -> RuleSet:
    rules, found = read_text(TEXT.replace("DO", do), "rules.yaml")
    assert rules is not None, [one.render() for one in found]
    return rules


def told(do: str) -> list[str]:
    _, found = read_text(TEXT.replace("DO", do), "rules.yaml")
    places = (f"{one.line}:{one.column} {one.code}" for one in found)
    return [f"{at} {one.message}: {one.help}" for at, one in zip(places, found, strict=True)]


@pytest.mark.usefixtures("both", "loader")
def test_a_rule_asks_for_them_beside_what_a_bot_does() -> None:
    assert read(DO).rules[0].do == Actions(
        exposure_cap=0.5, plugins=(("mail", "bye"), ("pager", "it falls"))
    )
    assert read("{plugin.pager: 5}").rules[0].do == Actions(plugins=(("pager", "5"),))
    assert told(DO) == []


@pytest.mark.usefixtures("both")
def test_they_are_printed_and_read_again() -> None:
    rules = read(DO.replace("bye", '"a: b"'))
    again, found = read_text(printed(rules), "printed.yaml")
    assert found == []
    assert again == rules
    assert again.hash == rules.hash


@pytest.mark.usefixtures("both")
def test_the_hash_knows_them_and_is_as_ever_without_them() -> None:
    one, two = read(DO), read(DO.replace("bye", "hello"))
    assert one.hash != two.hash
    assert "plugins" not in repr(read("{exposure_cap: 50%}").rules[0].do)


def test_one_that_is_not_installed_or_not_allowed_is_refused_and_not_imported(
    install: Installed,
) -> None:
    assert told(DO)[0] == "8:29 RG607 no plug-in 'pager' is installed: none is installed"
    assert len(told(DO)) == 2
    module = install("basis", ACTION, kind="actions")
    (found,) = told("{plugin.basis: x}")
    assert found.startswith("8:10 RG608 plug-in 'basis' is not allowed here: the operator says ")
    assert module not in sys.modules
    install("mail", kind="measures", of="acme2")  # a measure is no action
    assert "RG607 no plug-in 'mail' is installed" in told("{plugin.mail: x}")[0]


def test_one_that_two_packages_offer_is_refused_with_both(both: Installed) -> None:
    both("pager", ACTION, kind="actions", of="rival")
    (found,) = told("{plugin.pager: x}")
    assert "RG609 plug-in 'pager' is offered by acme 0.1 and rival 0.1" in found


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("class Measure:\n    api = (1, 0)\n", "has no method act()"),
        (ACTION.replace("def act", "act = 5\n\n    def other"), "has no method act()"),
        (ACTION.replace("(1, 0)", "(1, 9)"), "wants interface 1.9, this riskguard has 1.0"),
        ("raise SystemExit(3)", "does not load: SystemExit: 3"),
        (ODD.format("MemoryError(name)"), "has no method act(): MemoryError: act"),
    ],
)
def test_one_that_is_no_action_is_refused(install: Installed, code: str, why: str) -> None:
    install("pager", code, kind="actions")
    (found,) = told("{plugin.pager: x}")
    assert f"RG609 plug-in 'pager' of acme 0.1 {why}" in found


def test_ctrl_c_while_one_is_read_ends_the_command(install: Installed) -> None:
    code = (
        "class Odd(type):\n    def __getattr__(cls, name):\n        raise KeyboardInterrupt\n\n\n"
    )
    code += "class Measure(metaclass=Odd):\n    api = (1, 0)\n"
    install("pager", code, kind="actions")
    with pytest.raises(KeyboardInterrupt):
        told("{plugin.pager: x}")


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize(
    ("do", "fault"),
    [
        ("{plugin.pager: }", "RG124"),
        ('{plugin.pager: ""}', "RG124"),
        ("{plugin.pager: {a: b}}", "RG125"),
        ("{plugin.pager: [a, b]}", "RG125"),
        ("{plugin.pager: a, plugin.pager: b}", "RG122"),
        ("{plugin.os.system: x}", "RG607"),
        ("{plugin.pägér: x}", "RG607"),
        ("{plugin.: x}", "RG607"),
        (f"{{plugin.{'a' * 300}: x}}", "RG607"),
        ("{plugin.pager: a, exposure_kap: 50%}", "RG123"),
        ("{plugins.pager: a}", "RG123"),
    ],
)
def test_what_is_written_wrongly_is_told_once(do: str, fault: str) -> None:
    (found,) = told(do)
    assert fault in found
    assert len(found) < 500


@pytest.mark.usefixtures("both")
def test_dashes_are_told_of_as_elsewhere() -> None:
    (found,) = told("[{exposure_cap: 50%}, {plugin.pager: x}]")
    assert "RG120" in found
    assert "leave out the dashes" in found


@pytest.mark.usefixtures("both")
def test_a_bot_need_not_be_able_to_and_they_stand_in_for_nothing() -> None:
    def fitted(rules: RuleSet) -> tuple[Actions, list[str]]:
        carried = {"close": Input("close", CATALOGUE["close"], source="x")}
        able = frozenset({"exposure_cap"})
        bound = bind(rules, symbol="BTC", every=HOUR, carried=carried, capabilities=able)
        return bound.ruleset.rules[0].do, list(bound.notes)

    assert fitted(read(DO)) == (read(DO).rules[0].do, [])
    instead = "{exposure_cap: 50%, plugin.pager: no hedge, plugin.mail: x}"
    hedge = f"{{hedge: 50%, plugin.mail: bye}}\n    fallback: {instead}"
    do, notes = fitted(read(hedge))
    assert do == Actions(exposure_cap=0.5, plugins=(("mail", "bye"), ("pager", "no hedge")))
    assert notes == ["r: this bot cannot do hedge 50%; exposure_cap 50% stands in for it"]
    with pytest.raises(Exception, match="has a fallback it cannot do either"):
        fitted(read("{hedge: 50%}\n    fallback: {plugin.pager: no hedge}"))


def test_of_two_texts_for_one_the_rule_s_own_holds() -> None:
    one, other = (
        Actions(plugins=(("a", "1"), ("b", "2"))),
        Actions(plugins=(("b", "3"), ("c", "4"))),
    )
    assert joined(one, other).plugins == (("a", "1"), ("b", "2"), ("c", "4"))


@pytest.mark.usefixtures("both")
def test_they_neither_protect_nor_need_data() -> None:
    only = read("{plugin.pager: x}")
    assert not asks(only.rules[0].do)
    assert not any(tape.needed for tape in compile_rules(only).tapes)
    assert any(tape.needed for tape in compile_rules(read(DO)).tapes)


@pytest.mark.usefixtures("both")
def test_a_change_of_one_is_different_never_looser() -> None:
    found = differences(read(DO), read('{exposure_cap: 50%, plugin.pager: "it fell"}'))
    assert [(one.where, one.old, one.new, one.effect) for one in found] == [
        ("rules.r.do.plugin.mail", "bye", "", "different"),
        ("rules.r.do.plugin.pager", "it falls", "it fell", "different"),
    ]
    (found,) = differences(read(DO), read(DO.replace("bye", "tell me")))
    assert (found.where, found.new) == ("rules.r.do.plugin.mail", "tell me")


@pytest.mark.usefixtures("both")
def test_an_override_reaches_them(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(TEXT.replace("DO", DO))
    mine = tmp_path / "mine.yaml"
    mine.write_text(
        "version: 1\nextends: base.yaml\n"
        "override: {rules.r.do.plugin.pager: call me, rules.r.do.plugin.mail: x}\n"
    )
    assert load_rules(mine).rules[0].do.plugins == (("mail", "x"), ("pager", "call me"))


def test_editors_complete_them() -> None:
    schema = Draft7Validator(json.loads(json.dumps(editor_schema())))

    def faults(do: dict[str, str]) -> int:
        rule = {"when": "close < 5", "clear": "close > 6", "do": do}
        return len(list(schema.iter_errors({"version": 1, "rules": {"r": rule}})))

    assert faults({"plugin.pager": "x"}) == 0
    assert faults({"plugin.Pager": "x"}) == 1
    assert faults({"plugins.pager": "x"}) == 1
    address = "override"
    body = {"version": 1, "extends": "a.yaml", address: {"rules.r.do.plugin.pager": "x"}}
    assert list(schema.iter_errors(body)) == []
    body[address] = {"rules.r.do.plugin.Pager": "x"}
    assert len(list(schema.iter_errors(body))) == 1
