"""Measures of plug-ins: named by a file, installed by somebody, allowed by the operator."""

from __future__ import annotations

import random
import re
import sys
from pathlib import Path

import pytest

from riskguard.language.reader import load_rules, read_text
from riskguard.language.rewriting import leaves
from riskguard.language.tree import Indicator
from riskguard.language.writing.printing import printed
from riskguard.plugins import PluginError, allowing, load
from tests.plugged import GOOD, Installed

TEXT = """\
version: 1
symbol: BTC
every: 1h
rules:
  r:
    when: LINE
    min_hold: 1h
    do: {block_entries: both}
"""
LINE = "plugin.toxicity(window=1h) > 5"


def told(line: str = LINE) -> list[str]:
    _, found = read_text(TEXT.replace("LINE", line), "rules.yaml")
    return [f"{one.code} {one.message}: {one.help}" for one in found]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    return Installed(tmp_path, monkeypatch)


def test_a_plugin_that_is_not_installed_is_refused_with_those_that_are(install: Installed) -> None:
    assert told() == ["RG607 no plug-in 'toxicity' is installed: none is installed"]
    install("basis")
    assert told() == ["RG607 no plug-in 'toxicity' is installed: installed: basis"]
    install("toxic", of="other")
    assert told() == ["RG607 no plug-in 'toxicity' is installed: did you mean 'toxic'?"]


def test_a_plugin_that_the_operator_has_not_allowed_is_refused_and_not_imported(
    install: Installed,
) -> None:
    module = install("toxicity")
    install.allow("other")
    (found,) = told()
    assert found.startswith("RG608 plug-in 'toxicity' is not allowed here: the operator says ")
    assert found.endswith("--allow-plugin toxicity, or sets RISKGUARD_PLUGINS=toxicity")
    assert module not in sys.modules


@pytest.mark.usefixtures("loader")
def test_an_allowed_measure_is_read(install: Installed) -> None:
    install("toxicity")
    install.allow("other", "toxicity")
    assert told() == []


def test_what_is_not_named_is_not_imported(install: Installed) -> None:
    named, other = install("toxicity"), install("other", of="acme2")
    with allowing(["toxicity", "other"]):
        assert told() == []
    assert named in sys.modules
    assert other not in sys.modules


def test_allowing_ends_and_is_no_word_of_the_file(install: Installed, tmp_path: Path) -> None:
    install("toxicity")
    file = tmp_path / "rules.yaml"
    file.write_text(TEXT.replace("LINE", LINE), encoding="utf-8")
    assert load_rules(file, plugins=["toxicity"]).rules[0].name == "r"
    assert [one[:5] for one in told()] == ["RG608"]
    file.write_text("plugins: [toxicity]\n" + TEXT.replace("LINE", LINE), encoding="utf-8")
    with pytest.raises(Exception, match="RG123"):
        load_rules(file)


def test_a_plugin_of_two_distributions_is_refused(install: Installed) -> None:
    install("toxicity")
    install("toxicity", of="other", version="2.0")
    install.allow("toxicity")
    assert told() == [
        "RG609 plug-in 'toxicity' is offered by acme 0.1 and other 2.0: uninstall one of them"
    ]


UNFIT = {
    "raise RuntimeError('no')": "does not load: RuntimeError: no",
    "raise SystemExit(3)": "does not load: SystemExit: 3",
    "import no_such_module": "does not load: ModuleNotFoundError: No module named 'no_such_module'",
    "Other = 1": "does not load: AttributeError: module",
    "class Measure: pass": "does not say which interface it was written for",
    "class Measure: api = (2, 0)": "wants interface 2.0, this riskguard has 1.0",
    "class Measure: api = (1, 1)": "wants interface 1.1, this riskguard has 1.0",
    "class Measure: api = (0, 9)": "wants interface 0.9, this riskguard has 1.0",
    "class Measure: api = '1.0'": "does not say which interface it was written for",
    "class Measure: api = (1, 0)": "has no method update()",
    "def Measure(): pass\nMeasure.api = (1, 0)": "is no class",
    GOOD.replace("api =", "reads = 'close'; api ="): 'has `reads` that is not ("close",)',
    GOOD.replace("api =", "reads = (); api ="): 'has `reads` that is not ("close",)',
    GOOD.replace("api =", "reads = ('high', 'high'); api ="): "not names, each once",
    GOOD.replace("api =", "reads = ('high', 1); api ="): "has `reads` that are not names",
    GOOD.replace("api =", "dimension = 'apples'; api ="): "has a dimension that is none of",
    GOOD.replace('"2h"', '"2"'): "has a window window that is no time such as '24h'",
    GOOD.replace('"2h"', '"2%"'): "has a window window that is no time",
    GOOD.replace('"2h"', "None"): "has an argument window that is no number, no truth and no time",
    GOOD.replace("arguments = {", "arguments = 3  # {"): 'has `arguments` that are not {"window":',
    GOOD.replace('"scale"', '"above"'): "has an argument that no line can name",
    GOOD.replace('warmup = "window"', "warmup = 0"): "has a `warmup` that is neither",
    GOOD.replace('warmup = "window"', "warmup = 'scale'"): "neither bars from 1 nor a window",
    GOOD.replace('warmup = "window"', "warmup = True"): "neither bars from 1 nor a window",
    GOOD.replace("if scale < 0:", "if True:").replace("ValueError", "KeyError"): "cannot be made",
}


@pytest.mark.parametrize("code", UNFIT, ids=UNFIT.values())
def test_a_plugin_that_cannot_be_used_is_named_with_distribution_and_version(
    install: Installed, code: str
) -> None:
    install("toxicity", code)
    install.allow("toxicity")
    (found,) = told()
    assert found.startswith("RG609 plug-in 'toxicity' of acme 0.1 ")
    assert UNFIT[code] in found


ASKED = """
class Asked(type):
    @property
    def reads(cls):
        raise KeyboardInterrupt


class Measure(metaclass=Asked):
"""
INTERRUPTED = {
    "as its class is read": GOOD.replace("class Measure:", ASKED),
    "as it is made": GOOD.replace("if scale < 0:", "if True:").replace(
        'ValueError("scale is at least 0")', "KeyboardInterrupt"
    ),
}


@pytest.mark.parametrize("when", INTERRUPTED)
def test_ctrl_c_inside_a_plugin_is_the_users(install: Installed, when: str) -> None:
    install("toxicity", INTERRUPTED[when])
    install.allow("toxicity")
    with pytest.raises(KeyboardInterrupt):
        told()


LINES = {
    "plugin.toxicity > 5": "RG204",
    "plugin.toxicity(1h) > 5": "RG207",
    "plugin.toxicity(widow=1h) > 5": "RG207",
    "plugin.toxicity(window=3) > 5": "RG205",
    "plugin.toxicity(count=2.5) > 5": "RG205",
    "plugin.toxicity(scale=2%) > 5": "RG205",
    "plugin.toxicity(scale=-1) > 5": "RG205",
    "plugin.toxicity(scale=close) > 5": "RG205",
    "plugin.toxicity(whole=3) > 5": "RG126",
    "plugin.toxicity(whole=maybe) > 5": "RG126",
    "plugin.toxicity(count=1, count=2) > 5": "RG122",
    "plugin.toxicity() > $5": "RG305",
    "{plugin.toxicity: {window: 1h}}": "RG134",
    "{plugin.toxicity: {above: 1, below: 2}}": "RG134",
    "{plugin.toxicity: {above: 1, widow: 2}}": "RG207",
    "{plugin.toxicity: close}": "RG134",
}


@pytest.mark.parametrize("line", LINES)
def test_what_a_measure_does_not_take_is_a_finding_at_its_place(
    install: Installed, line: str
) -> None:
    install("toxicity")
    install.allow("toxicity")
    assert {one[:5] for one in told(line)} >= {LINES[line]}


PARAMS = "params: {big: 2, half: 0.5, small: 2%, many: {by_source: {binance: 1, other: 2}}}\n"
GIVEN = {
    "": (7_200_000_000_000, 1.0, 3, True),
    "whole=false": (7_200_000_000_000, 1.0, 3, False),
    "whole=true, window=1h": (3_600_000_000_000, 1.0, 3, True),
    "scale=half, count=big": (7_200_000_000_000, 0.5, 2, True),
    "scale=-0.0, count=-big": (7_200_000_000_000, 0.0, -2, True),
}


@pytest.mark.parametrize("written", GIVEN)
def test_a_measure_is_given_what_the_line_says_and_else_its_defaults(
    install: Installed, written: str
) -> None:
    install("toxicity")
    install.allow("toxicity")
    text = TEXT.replace("rules:", f"{PARAMS}rules:").replace(
        "LINE", f"plugin.toxicity({written}) > 5"
    )
    rules, found = read_text(text, "rules.yaml")
    assert rules is not None, found
    unused = {"big", "half", "small", "many"} - set(re.findall(r"[a-z]+", written))
    assert {name for one in found for name in unused if f"'{name}'" in one.message} == unused
    assert len(found) == len(unused)
    (leaf,) = leaves(rules.rules[0].when)
    assert isinstance(leaf.left, Indicator)
    assert leaf.left.plugged is not None
    given = dict(leaf.left.plugged.given)
    assert tuple(given[name] for name in ("window", "scale", "count", "whole")) == GIVEN[written]
    assert str(given["scale"])[0] != "-"


@pytest.mark.parametrize("name", ["small", "many"])
def test_a_measure_takes_no_parameter_that_is_no_one_plain_number(
    install: Installed, name: str
) -> None:
    install("toxicity")
    install.allow("toxicity")
    text = TEXT.replace("rules:", f"{PARAMS}rules:").replace(
        "LINE", f"plugin.toxicity(count={name}) > 5"
    )
    _, found = read_text(text, "rules.yaml")
    assert (
        f"RG205 count of plugin.toxicity is a plain number, not '{name}': for example count=3"
    ) in [f"{one.code} {one.message}: {one.help}" for one in found]


def test_a_measure_that_reads_what_the_file_does_not_know_is_refused(install: Installed) -> None:
    install("toxicity", GOOD.replace("api =", "reads = ('close', 'nowhere'); api ="))
    install.allow("toxicity")
    assert told() == [
        "RG201 plugin.toxicity reads 'nowhere', no market input here: declare it under inputs:"
    ]


def test_the_long_form_is_the_line_it_stands_for(install: Installed) -> None:
    install("toxicity")
    install.allow("toxicity")
    hashes = set()
    for line in (
        "plugin.toxicity(window=1h, scale=2) >= 5",
        "plugin.toxicity(scale=2, window=60m) >= 5",
        "{plugin.toxicity: {window: 1h, scale: 2, at_least: 5}}",
    ):
        rules, found = read_text(TEXT.replace("LINE", line), "rules.yaml")
        assert rules is not None, found
        hashes.add(rules.hash)
        again, _ = read_text(printed(rules), "printed.yaml")
        assert again is not None
        assert again.hash == rules.hash
        assert "plugin.toxicity(scale=2, window=1h) >= 5" in printed(rules)
    assert len(hashes) == 1


HOSTILE = [
    *("os.system", "../x", "a.b:c", "x" * 10_000, "toxicity ", "toxicity\n", "TOXICITY"),
    *("toxicit\u0443", "__import__", "os", "sys", "subprocess", "", "1x", "a-b", "toxicity\0"),
    *("x" * 33, "tox\u200bicity"),
]


def test_500_hostile_names_import_nothing(install: Installed) -> None:
    install("toxicity")
    draw = random.Random(23)
    letters = "abcxyz_.:/\\-019 \u0430\u200b\0'\"(){}[]"
    names = HOSTILE + [
        "".join(draw.choices(letters, k=draw.randint(1, 40))) for _ in range(500 - len(HOSTILE))
    ]
    load_again = "plugin.nobody() > 5"
    told(load_again)  # what reading itself loads late is loaded
    with pytest.raises(PluginError):
        load("measures", "nobody")
    seen: list[str] = []
    listening = [True]

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if listening and event in {"import", "exec", "os.system", "subprocess.Popen"}:
            seen.append(f"{event} {arguments[:1]}")

    sys.addaudithook(hook)
    try:
        for name in names:
            with allowing([name]), pytest.raises(PluginError):
                load("measures", name)
            with allowing([name]):
                shown = name.replace('"', "'").replace("\n", " ")
                read_text(TEXT.replace("LINE", f'"plugin.{shown}() > 5"'), "rules.yaml")
    finally:
        listening.clear()
    assert seen == []
