"""Several files as one: extends, override, disable, per_symbol, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from riskguard.errors import RuleError
from riskguard.language.binding import bind, unguarded
from riskguard.language.reader import load_rules, read_rules
from riskguard.language.ruleset import Input
from riskguard.market import CATALOGUE, DAY, HOUR

pytestmark = pytest.mark.usefixtures("loader")

BASE = """version: 1
symbol: BTC
every: 4h
params:
  s: {value: 75_000, range: 70_000..80_000}
  t: 70_000
rules:
  cascade: {when: close < s, clear: close > 80_000, do: {exposure_cap: 50%}}
  deep: {when: close < t, clear: close > 81_000, do: {exposure_cap: 20%}}
stages:
  - {stage: watch, enter: close < 69_000, recover: close > 83_000, do: {exposure_cap: 70%}}
"""
PACK = "version: 1\nextends: pack:balanced@1\n"
HEAD = "version: 1\nextends: ./base.yaml\n"
READS = "rules:\n  x: {when: {all: [deep, close < 5]}, clear: close > 7, do: {exposure_cap: 50%}}\n"


def read(folder: Path, text: str, **files: str):
    (folder / "base.yaml").write_text(BASE, encoding="utf-8")
    for name, content in files.items():
        (folder / f"{name}.yaml").write_text(content, encoding="utf-8")
    (folder / "main.yaml").write_text(text, encoding="utf-8")
    return read_rules(folder / "main.yaml")


def test_overrides_and_disabled_rules_change_what_is_extended(tmp_path: Path):
    text = HEAD + "override: {every: 1h, params.t: 69_500, rules.deep.do.exposure_cap: 10%}\n"
    rules, found = read(tmp_path, text + "disable: [cascade]\n")
    assert rules is not None, [one.render() for one in found]
    assert found == []
    assert [rule.name for rule in rules.rules] == ["deep"]
    assert rules.rules[0].do.exposure_cap == 0.1
    assert rules.every == 3_600_000_000_000
    assert rules.params["t"].value == 69_500
    assert rules.rules[0].when.span.path.endswith("base.yaml")


def test_a_bare_override_keeps_the_range(tmp_path: Path):
    rules, _ = read(tmp_path, HEAD + "override: {params.s: 72_000}\n")
    assert rules is not None
    assert (rules.params["s"].value, rules.params["s"].high) == (72_000, 80_000)
    _, found = read(tmp_path, HEAD + "override: {params.s: 90_000}\n")
    assert [(one.code, one.line, one.column) for one in found] == [("RG145", 3, 22)]


def test_a_symbol_has_rules_of_its_own(tmp_path: Path):
    own = "per_symbol:\n  ETH: {params: {s: 2_200}, disable: [deep]}\n"
    rules, found = read(tmp_path, HEAD + own)
    assert rules is not None, [one.render() for one in found]
    assert found == []
    ether = rules.per_symbol["ETH"]
    assert (ether.symbol, ether.params["s"].value) == ("ETH", 2_200)
    assert [rule.name for rule in ether.rules] == ["cascade"]
    assert len(rules.rules) == 2
    assert rules.guarded("ETH")


def test_a_symbol_may_declare_a_parameter_of_its_own_in_full(tmp_path: Path):
    own = "per_symbol:\n  ETH:\n    params: {u: {value: 2_200, range: 2_000..3_000}}\n"
    own += "    override: {rules.deep.when: close < u}\n"
    rules, found = read(tmp_path, HEAD + own)
    assert rules is not None, [one.render() for one in found]
    assert found == []
    assert "u" not in rules.params
    assert rules.per_symbol["ETH"].params["u"].value == 2_200
    _, found = read(tmp_path, HEAD + own.replace("close < u", "close < s"))
    assert [(one.code, one.line, one.column) for one in found] == [("RG211", 5, 14)]


def test_a_symbol_keeps_the_floors_that_long_forms_of_the_file_make(tmp_path: Path):
    form = "{side: long, window: 24h, at_least: 3x average(7d), floor: $50M, source: a}"
    burst = f"{{when: {{liquidations: {form}}}, min_hold: 1h, do: {{hedge: 5%}}}}"
    text = f"{HEAD}rules:\n  burst: {burst}\n  again: {burst}\n"
    rules, found = read(tmp_path, f"{text}per_symbol: {{ETH: {{disable: [burst, again]}}}}\n")
    assert rules is not None, [one.render() for one in found]
    assert list(rules.params) == ["s", "t", "liq_floor_a"]  # equal floors are one
    assert list(rules.per_symbol["ETH"].params) == ["s", "t", "liq_floor_a"]


def test_a_pack_is_extended_by_its_name(tmp_path: Path):
    text = "version: 1\nextends: pack:feb-2026@1\noverride: {stages.watch.min_hold: 9h}\n"
    rules, found = read(tmp_path, text)
    assert rules is not None, [one.render() for one in found]
    assert rules.stages[0].min_hold == 9 * 3_600_000_000_000
    assert rules.stages[1].enter.span.path == "pack:feb-2026@1"


MISTAKES = [
    ("RG005", "3:3", "version: 1\nextends:\n- ./bas.yaml\n", "did you mean 'base.yaml'?"),
    ("RG601", "4:3", HEAD + "params:\n  t: 5\n", "override"),
    (
        "RG601",
        "4:3",
        HEAD + "rules:\n  deep: {when: close < 5, latch: true, do: {close: all}}\n",
        "",
    ),
    ("RG601", "4:11", HEAD + "stages:\n- {stage: watch, enter: close < 5, do: {close: all}}\n", ""),
    ("RG602", "3:12", HEAD + "override: {stages.wacth.do: {close: all}}\n", "stages.watch.do?"),
    ("RG602", "3:12", HEAD + "override: {evry: 1h}\n", "did you mean every?"),
    ("RG602", "3:12", HEAD + "override: {rules.deep.when.all: close < 5}\n", "rules.deep.when"),
    ("RG602", "3:11", HEAD + "disable: [cascad]\n", "did you mean 'cascade'?"),
    ("RG602", "3:12", HEAD + "override: {params: {t: 69_000}}\n", "write params.t: 69_000"),
    (
        "RG602",
        "3:12",
        HEAD + "override: {rules: {deep: {do: {exposure_cap: 10%}}}}\n",
        "write rules.deep.do.exposure_cap: 10%",
    ),
    (
        "RG602",
        "3:12",
        HEAD + "override: {watch.do.exposure_cap: 30%}\n",
        "did you mean stages.watch.do.exposure_cap?",
    ),
    ("RG602", "3:12", HEAD + "override: {t: 69_000}\n", "did you mean params.t?"),
    (
        "RG602",
        "3:12",
        HEAD + "override: {stages.watch.exposure_cap: 30%}\n",
        "did you mean stages.watch.do.exposure_cap?",
    ),
    ("RG603", "2:10", "version: 1\nextends: ./main.yaml\n", ""),
    ("RG603", "2:10", "version: 1\nextends: ../../etc/passwd\n", "root"),
    ("RG603", "2:10", "version: 1\nextends: https://a.example/b.yaml\n", "pack:NAME@1"),
    ("RG604", "2:10", "version: 1\nextends: pack:feb-2025@1\n", "did you mean 'feb-2026'?"),
    ("RG604", "2:10", "version: 1\nextends: pack:feb-2026@2\n", "pack:feb-2026@1"),
    ("RG605", "3:11", HEAD + "disable: [deep]\n" + READS, ""),
    ("RG123", "4:9", HEAD + "per_symbol:\n  ETH: {parms: {s: 5}}\n", "did you mean 'params'?"),
    ("RG123", "4:9", HEAD + "per_symbol:\n  ETH: {params.t: 5}\n", "write params: {t: 5}"),
    ("RG203", "4:3", HEAD + "per_symbol:\n  eth: {params: {s: 5}}\n", ""),
    ("RG602", "4:18", HEAD + "per_symbol:\n  ETH: {params: {u: 5}}\n", ""),
    ("RG305", "3:29", PACK + "override: {params.fall_day: 6}\n", "write 6%"),
    ("RG305", "3:29", PACK + "override: {params.fall_day: 0.06}\n", "write 6%"),
    ("RG305", "3:35", PACK + "override: {params.fall_day.value: $6}\n", "in the unit of 7%"),
    ("RG305", "3:30", PACK + "override: {params.liq_floor: 60}\n", "in the unit of $150M"),
    ("RG305", "4:28", PACK + "per_symbol:\n  ETH: {params: {fall_day: 6}}\n", "write 6%"),
    (
        "RG602",
        "3:12",
        HEAD + "override: {rules.deep.do.exposure_cp: 5%}\n",
        "did you mean rules.deep.do.exposure_cap?",
    ),
    ("RG602", "3:12", HEAD + "override: {rules.deep.foo: 5}\n", "for example: rules.deep.allow"),
    (
        "RG602",
        "3:12",
        HEAD + "override: {rules.deep.reentry.start: 5%}\n",
        "replace it whole: rules.deep.reentry",
    ),
    (
        "RG602",
        "3:12",
        HEAD + "override: {rules.qqqqq.do: {close: all}}\n",
        "for example: rules.cascade, rules.deep",
    ),
    (
        "RG602",
        "3:12",
        HEAD + "override: {define.qqqqq: close < 5}\n",
        "nothing is named under define",
    ),
    ("RG102", "3:22", HEAD + "override: {params.t: abc}\n", "one number with its unit"),
    (
        "RG153",
        "5:3",
        HEAD
        + "override: {stages.watch.min_hold: 8h}\nstages:\n"
        + "- {enter: close < 5, do: {close: all}}\n",
        'begin it with "stage: ',
    ),
]


@pytest.mark.parametrize(("code", "place", "text", "fix"), MISTAKES)
def test_a_mistake_is_named_at_its_place_and_alone(code, place, text, fix, tmp_path):
    rules, found = read(tmp_path, text)
    assert rules is None
    errors = [one for one in found if one.severity == "error"]
    assert [f"{one.code} {one.line}:{one.column}" for one in errors] == [f"{code} {place}"]
    assert fix in errors[0].help


def test_a_fault_is_shown_in_the_file_it_stands_in(tmp_path: Path):
    text = "version: 1\nextends: ./other.yaml\n"
    _, found = read(tmp_path, text, other=BASE.replace("close < s", "clsoe < s"))
    assert [(one.code, one.line, Path(one.path).name) for one in found] == [
        ("RG201", 8, "other.yaml")
    ]
    assert "clsoe" in found[0].source


def test_a_circle_of_three_names_its_way(tmp_path: Path):
    files = {"a": "version: 1\nextends: ./b.yaml\n", "b": "version: 1\nextends: ./main.yaml\n"}
    _, found = read(tmp_path, "version: 1\nextends: ./a.yaml\n", **files)
    assert found[0].message == "main.yaml -> a.yaml -> b.yaml -> main.yaml"


def test_hostile_files_are_refused(tmp_path: Path):  # reading them would not end
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "device.yaml").symlink_to("/dev/zero")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "round.yaml").symlink_to("round.yaml")
    (tmp_path / "wide.yaml").write_bytes(b"\xff\xfe")
    (tmp_path / "large.yaml").write_bytes(b"# x\n" * (1 << 19))
    for name in ("pipe", "device", "folder", "round", "wide", "large"):
        rules, found = read(tmp_path, f"version: 1\nextends: ./{name}.yaml\n")
        assert rules is None
        assert found[0].code in {"RG005", "RG603", "RG038", "RG001"}, name


def test_files_that_multiply_are_read_once_or_refused(tmp_path: Path):
    for level in range(8):
        below = ", ".join(f"./f{level + 1}_{number}.yaml" for number in range(8))
        for number in range(8):
            path = tmp_path / f"f{level}_{number}.yaml"
            path.write_text(f"version: 1\nextends: [{below}]\n", encoding="utf-8")
    rules, found = read(tmp_path, "version: 1\nextends: ./f0_0.yaml\n")  # or 8 ** 8 times
    assert rules is None
    assert found


def test_what_a_file_allows_holds_for_its_own_lines(tmp_path: Path):
    other = BASE.replace("clear: close > 81_000, ", "allow: [RG417], ")
    rules, found = read(tmp_path, "version: 1\nextends: ./other.yaml\n", other=other)
    assert rules is not None
    assert found == []
    whole = BASE.replace("clear: close > 81_000, ", "") + "allow: [RG417]\n"
    more = "rules:\n  x: {when: close < 5, do: {exposure_cap: 10%}}\n"
    _, found = read(tmp_path, f"version: 1\nextends: ./other.yaml\n{more}", other=whole)
    assert [(one.code, one.line, Path(one.path).name) for one in found] == [
        ("RG417", 4, "main.yaml")
    ]
    _, found = read(tmp_path, "version: 1\nallow: [RG417]\nextends: ./other.yaml\n", other=other)
    assert [(one.code, one.line, one.column) for one in found] == [("RG901", 2, 9)]


def test_sources_that_differ_by_case_are_told(tmp_path: Path):
    text = HEAD + "params:\n  u: {by_source: {Venue: 5, venue: 6}}\n"
    text += "rules:\n  u_lost: {when: close < u, clear: close > 90_000, do: {exposure_cap: 50%}}\n"
    _, found = read(tmp_path, text)
    assert ("RG213", 4, 29) in [(one.code, one.line, one.column) for one in found]


def bound(folder: Path, **options):
    own = "per_symbol:\n  ETH: {params: {s: 2_200}}\n"
    changed = "override: {rules.deep.when: close.mean(10d) < t}\n"
    rules, found = read(folder, HEAD + own + changed)
    assert rules is not None, [one.render() for one in found]
    names = ("open", "high", "low", "close", "volume")
    told = Input("close", CATALOGUE["close"], coverage=options.pop("coverage", ""))
    carried = {name: Input(name, CATALOGUE[name]) for name in names} | {"close": told}
    able = frozenset({"exposure_cap"})
    options = {"symbol": "BTC", **options}
    return bind(rules, every=HOUR, carried=carried, capabilities=able, **options)


def test_a_run_takes_the_rules_of_its_symbol(tmp_path: Path):
    assert bound(tmp_path, symbol="ETH").ruleset.params["s"].value == 2_200
    assert bound(tmp_path).ruleset.params["s"].value == 75_000


def test_a_bot_is_told_of_orders_nobody_guards(tmp_path: Path):
    found = unguarded(bound(tmp_path).ruleset, ("BTC/USDT:USDT", "ETH", "SOL/USDT", "SOL/USDT"))
    assert [(one.code, one.line, one.column) for one in found] == [("RG513", 2, 1)]
    assert found[0].message == "orders in SOL/USDT pass: these rules do not guard them"
    assert unguarded(bound(tmp_path).ruleset, ("BTC", "ETH")) == []


def test_rules_without_a_symbol_guard_that_of_the_bot_alone(tmp_path: Path):
    path = tmp_path / "open.yaml"
    rule = "{when: close < 5, clear: close > 6, do: {exposure_cap: 0%}}"
    path.write_text(f"version: 1\nevery: 1h\nrules:\n  r: {rule}\n")
    rules = load_rules(path)
    (open_yet,) = unguarded(rules, ("BTC/USDT", "ETH/USDT"))
    assert open_yet.message.startswith("these rules name no symbol")
    assert unguarded(rules, ("BTC/USDT", "BTC/USDT:USDT")) == []
    carried = {"close": Input("close", CATALOGUE["close"])}
    fitted = bind(rules, symbol="BTC", every=HOUR, carried=carried, capabilities={"exposure_cap"})
    (free,) = unguarded(fitted.ruleset, ("BTC/USDT", "ETH/USDT"))
    assert free.message == "orders in ETH/USDT pass: these rules do not guard them"


def test_a_live_feed_is_told_what_it_cannot_know_yet(tmp_path: Path):
    found = bound(tmp_path, recorded=3 * DAY).warnings
    assert [(one.code, one.line, one.column) for one in found] == [("RG508", 5, 29)]
    assert bound(tmp_path, recorded=11 * DAY).warnings == ()


def test_a_live_feed_may_not_be_reconstructed(tmp_path: Path):
    with pytest.raises(RuleError) as refused:
        bound(tmp_path, live=True, coverage="reconstructed")
    (found,) = refused.value.diagnostics
    assert (found.code, found.line, found.column) == ("RG510", 5, 29)


def test_a_folder_that_is_called_as_a_file_is_not_suggested_in_its_own_place(tmp_path: Path):
    (tmp_path / "rules.yaml").mkdir()
    _, (one,) = read_rules(tmp_path / "rules.yaml")
    assert (one.code, one.help) == ("RG005", "it is there, and is no file that can be read")


def test_a_file_that_this_user_may_not_read_is_said_to_be_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rules.yaml"
    path.mkdir()  # who is root may read any file
    monkeypatch.setattr(os, "access", lambda *_: False)
    _, (one,) = read_rules(path)
    assert (one.code, one.help) == ("RG005", "it is there, and this user may not read it")
