"""The schema for editors takes what the reader takes, and refuses mistakes of structure."""

from __future__ import annotations

import ast
import json
import random
import re
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft7Validator

from riskguard.language.guides.editors import editor_schema, schema_text
from riskguard.language.reader import read_rules, read_text
from riskguard.language.schema import BLOCKS
from riskguard.market import HOUR
from riskguard.shipped import shipped
from tests.language.made_files import files
from tests.language.test_diagnostics import MISTAKES
from tests.language.test_pack import PACK
from tests.language.typed import LOADERS, typed
from tests.language.typos import misspelt

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
VALIDATOR = Draft7Validator(editor_schema())
SHIPPED = sorted(shipped("rules").glob("*.yaml"))
PACKS = [path for path in SHIPPED if not path.stem.endswith("_test")]
FOR_EDITORS = "# yaml-language-server: $schema=riskguard-1.json"
STRUCTURE = re.compile(r"RG1[2-5]\d|RG210")
# mistakes of structure that no schema can see, by code and place
UNSEEN = {
    ("RG122", "6:5"): "a key written twice: the editor's own reader of YAML tells",
    ("RG122", "4:29"): "brackets inside a line are any text",
    ("RG126", "4:53"): "the same",
    ("RG124", "5:16"): "other texts may be empty",
    ("RG133", "5:40"): "a condition does not know that it clears",
    ("RG134", "6:87"): "a name may be that of a parameter or not",
    ("RG137", "5:17"): "a number is not compared with the length of a list",
    ("RG137", "4:61"): "the same",
    ("RG140", "2:1"): "keys have no order",
    ("RG142", "2:11"): "time zones are no list",
    ("RG144", "3:28"): "numbers inside a text have no order and no unit",
    ("RG144", "3:29"): "the same",
    ("RG145", "3:14"): "the same",
    ("RG151", "4:13"): "names in a list may repeat",
    ("RG154", "4:38"): "a holder is any word",
}


def refusals(text: str) -> list[str]:
    """Return what the schema says of a text, typed by each version of YAML."""
    return [
        f"YAML {version}: {fault.json_path}: {fault.message[:200]}"
        for version in LOADERS
        for fault in VALIDATOR.iter_errors(typed(text, version))
    ]


# ---------------------------------------------------------------- the file beside the packs


def test_the_schema_is_draft_07() -> None:
    Draft7Validator.check_schema(editor_schema())
    assert editor_schema()["$schema"] == "http://json-schema.org/draft-07/schema#"


def test_the_file_beside_the_packs_is_what_is_made_from_the_tables() -> None:
    path = shipped("rules") / "riskguard-1.json"
    again = "the tables have changed; run: riskguard schema --output rules/riskguard-1.json"
    assert path.read_text(encoding="utf-8") == schema_text(), again


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.stem)
def test_the_first_line_of_every_pack_names_the_schema(path: Path) -> None:
    assert path.read_text(encoding="utf-8").splitlines()[0] == FOR_EDITORS


def schemas(node: Any, way: str = "") -> Iterator[tuple[str, dict]]:
    """Yield every object of the schema with the keys that lead to it."""
    if isinstance(node, dict):
        yield way, node
        for key, inner in node.items():
            yield from schemas(inner, f"{way}/{key}")
    elif isinstance(node, list):
        for inner in node:
            yield from schemas(inner, f"{way}/*")


def test_no_value_is_offered_several_schemas() -> None:
    """`anyOf` stands in conditions alone: nobody is told which of its parts fitted."""
    for way, node in schemas(editor_schema()):
        assert "oneOf" not in node, way
        assert "anyOf" not in node or way.endswith("/if/not"), way


def test_every_key_of_the_tables_teaches_on_hover() -> None:
    whole = editor_schema()
    places = {"file": whole, **whole["definitions"]}
    for name, keys in BLOCKS.items():
        assert list(places[name]["properties"]) == list(keys)
        for key, said in keys.items():
            text = places[name]["properties"][key]["description"]
            assert text.startswith(said.help)
            assert "\n" not in text


def test_patterns_are_read_by_python_and_by_javascript_alike() -> None:
    patterns = [node["pattern"] for _, node in schemas(editor_schema()) if "pattern" in node]
    assert len(patterns) > 30
    for pattern in patterns:
        re.compile(pattern)
        assert "(?P" not in pattern
        assert "(?i" not in pattern


# ---------------------------------------------------------------- takes what the reader takes


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.stem)
def test_the_schema_takes_every_pack(path: Path) -> None:
    assert refusals(path.read_text(encoding="utf-8")) == []


def corpus() -> Iterator[tuple[str, str]]:
    """Yield every text of the repository that looks like a rule file, and where it stands."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    for page in pages:
        found = re.findall(
            r"^```yaml.*?\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL
        )
        yield from ((page.name, text) for text in found)
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield path.name, node.value
    yield from (("mistakes.md", one.text) for one in MISTAKES)


def test_the_schema_takes_every_rule_file_of_documentation_and_tests() -> None:
    taken, refused = Counter(), []
    for name, text in corpus():
        if "version: 1" in text and read_text(text, name, every=HOUR)[0] is not None:
            taken[name] += 1
            refused += [f"{name}: {one}\n{text}" for one in refusals(text)]
    sys.stdout.write(f"{taken.total()} rule files in {len(taken)} files\n")
    assert not refused, "\n".join(refused)
    assert taken.total() > 30
    assert {"README.md", "mistakes.md"} <= taken.keys()


def test_the_schema_takes_what_the_reader_takes_of_made_files() -> None:
    count = Counter()

    @settings(max_examples=150)
    @given(files())
    def run(made: tuple[str, int]) -> None:
        text, size = made
        rules, found = read_text(text, "a.yaml", every=HOUR)
        count[rules is not None] += 1
        if rules is None:
            assert any(one.severity == "error" for one in found), text
            return
        assert len(rules.rules) + len(rules.stages) == size, text
        assert refusals(text) == [], text

    run()
    sys.stdout.write(f"{count[True]} of {count.total()} made files are read\n")
    assert count[True] > 75


def test_the_schema_takes_what_the_reader_takes_of_typos() -> None:
    text, dice = PACK.read_text(encoding="utf-8"), random.Random(20260213)
    read = 0
    for _ in range(200):
        wrong = misspelt(text, dice)
        if read_text(wrong, "pack.yaml")[0] is not None:
            read += 1
            assert refusals(wrong) == [], wrong
    assert read > 50


COMPOSED = """\
version: "1"
extends: [./base.yaml, pack:feb-2026@1]
override:
  every: 1h
  stages.watch.do.leverage_cap: 2x
  stages.watch.reentry.every: 6h
  stages.cut: {enter: support_2_lost, do: {exposure_cap: 30%}, min_hold: 6h}
  rules.cascade.when: "close < support_2"
  rules.cascade.min_hold: 2 closes
  params.support_1: 72_000
  params.liq_floor_day.by_source.binance: $40M
  define.liquidations_slow: {not: liq_spike}
  inputs.stoxx.max_age: 5d
disable: extreme_fear
per_symbol:
  ETH:
    params: {support_1: 2_200, support_2: {value: 2_000, range: 1_500..2_500}}
    override: {rules.cascade.do.hedge: 25%}
    disable: [majors_fall_together]
"""


def test_the_schema_takes_a_file_that_changes_others(tmp_path: Path) -> None:
    base = "version: 1\nrules:\n  deep: {when: close < 1, do: {close: all}, min_hold: 6h}\n"
    (tmp_path / "base.yaml").write_text(base)
    (tmp_path / "own.yaml").write_text(COMPOSED)
    rules, found = read_rules(tmp_path / "own.yaml")
    assert rules is not None, [one.render() for one in found]
    assert refusals(COMPOSED) == []


@pytest.mark.parametrize(
    "wrong",
    [
        "extends: base.yml2",
        "extends: c:\\base.yaml",
        "override: {evry: 1h}",
        "override: {rules.cascade.min_hld: 6h}",
        "override: {rules.cascade.min_hold: 6}",
        "override: {stages.watch.do.hedge: 0.5}",
        "per_symbol: {eth: {disable: [cascade]}}",
        "per_symbol: {ETH: {rules: {}}}",
        "disable: [Cascade]",
    ],
)
def test_the_schema_refuses_wrong_changes_of_other_files(wrong: str) -> None:
    text = f"version: 1\nextends: pack:feb-2026@1\n{wrong}\n"
    assert not VALIDATOR.is_valid(
        typed(text.replace("extends: pack:feb-2026@1\nextends", "extends"), "1.2")
    )


@pytest.mark.parametrize(
    "right",
    [
        "priority: 007",
        'priority: "7"',
        "latch: 'true'",
        "description: |\n      close: far below\n",
        "name: 2026-02-12",
        "during: {from: 24:00, to: 8:30}",
        "clear: |\n      close > 2\n",
        'cooldown: " 6h "',
        "allow: RG417",
        "mutes: r",
    ],
)
def test_the_schema_takes_odd_writing(right: str) -> None:
    text = f"version: '1'\nrules:\n  r:\n    when: close < 1\n    do: {{close: all}}\n    {right}\n"
    assert read_text(text, "a.yaml")[0] is not None
    assert refusals(text) == []


def test_the_schema_takes_json() -> None:
    rule = {"when": {"all": ["close < 1", "volume > 1"]}, "do": {"exposure_cap": "50%"}}
    text = json.dumps({"version": 1, "rules": {"r": {**rule, "priority": 7, "latch": True}}})
    assert read_text(text, "a.json")[0] is not None
    assert refusals(text) == []


# ---------------------------------------------------------------- refuses wrong structure


def test_the_schema_refuses_mistakes_of_structure() -> None:
    rows = [one for one in MISTAKES if one.severity == "error" and STRUCTURE.match(one.code)]
    seen = {True: [], False: []}
    for one in rows:
        seen[not VALIDATOR.is_valid(typed(one.text, "1.2"))].append((one.code, one.place))
    share = f"{len(seen[True])} of {len(rows)} mistakes of structure are seen in an editor"
    sys.stdout.write(share + "\n")
    assert set(seen[False]) <= UNSEEN.keys(), share
    assert len(seen[True]) > 0.8 * len(rows), share


@pytest.mark.parametrize(
    ("wrong", "keyword"),
    [
        ("when: [close < 1, close < 2]", "type"),
        ("when: {all: [close < 1], any: [close < 2]}", None),
        ("when: close below 75_000", "pattern"),
        ("when:", "type"),
        ("do: {exposure_cap: 0.5}", "type"),
        ("do: {leverage_cap: 2}", "type"),
        ("do: {stop: 5}", "type"),
        ("do: {reduce_only: yes}", "pattern"),
        ("min_hold: 6", "type"),
        ("min_hold: 6 h", "pattern"),
        ("min_hold: 1M", "pattern"),
        ("priority: 101", "maximum"),
        ("latch: truely", "pattern"),
        ("mutes: {r: 1}", "type"),
        ("reentry: {start: 25%}", "required"),
        ("during: {from: 8am, to: '16:30'}", "pattern"),
        ("during: {days: mon-fry, from: '08:00', to: '16:30'}", "pattern"),
        ("when: {at_least: 0, of: [close < 1]}", "minimum"),
        ("when: {all: [close < 1, close < 2], within: 6h}", "dependencies"),
        ("when: {support_lost: {confirm: 2 closes}}", "required"),
        ("when: {liquidations: {side: long, window: 24h, at_least: 3x}}", "pattern"),
    ],
)
def test_the_schema_refuses(wrong: str, keyword: str | None) -> None:
    key = wrong.split(":", maxsplit=1)[0]
    keys = {"when": "when: close < 1", "do": "do: {close: all}", "min_hold": "min_hold: 6h"}
    body = "\n".join(f"    {line}" for name, line in keys.items() if name != key)
    text = f"version: 1\nrules:\n  r:\n{body}\n    {wrong}\n"
    assert read_text(text, "a.yaml")[0] is None
    found = [fault.validator for fault in VALIDATOR.iter_errors(typed(text, "1.2"))]
    assert keyword in found
