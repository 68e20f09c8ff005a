from __future__ import annotations

from pathlib import Path

import pytest

from riskguard.cli.given import packs
from riskguard.language.reader import load_rules

BASE = """\
version: 1
name: base
symbol: BTC
every: 4h
params:
  s: {value: 75_000, range: 70_000..80_000}  # first support
  quick: 12h
  floor: {by_source: {published: $150M, binance: $50M}}
rules:
  cascade:
    when:
      all:
        - close < s
        - {all: ["liq.long.sum(24h).times_avg(7d, min=1d) >= 3x", liq.long.sum(24h) >= floor]}
    clear: close > 80_000 for quick
    do: {exposure_cap: 50%, notify: "a: b"}
  long_window: {when: oi.change(4w) <= -34%, min_hold: quick, do: {hedge: 20%}, allow: [RG425]}
  fear: {when: fear_greed <= 10, clear: fear_greed >= 20, do: {hedge: 8%}, on_missing: ignore}
stages:
  - {stage: watch, enter: close < 69_000, recover: close > 83_000, do: {exposure_cap: 70%}}
"""
MAIN = """\
version: 1
extends: ./base.yaml
symbols: [BTC, ETH]
override: {every: 1h, stages.watch.do.exposure_cap: 60%, params.s: 72_000}
disable: [fear]
rules:
  all_fall:
    when: {breadth: {of: [BTC, ETH], at_least: 2, where: close.drop(24h) >= 5%}}
    min_hold: 1h
    do: {block_entries: long}
per_symbol:
  ETH: {params: {s: 2_200}, override: {rules.cascade.min_hold: 2h}, disable: [long_window]}
"""


@pytest.fixture
def main(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text(BASE, encoding="utf-8")
    Path("main.yaml").write_text(MAIN, encoding="utf-8")
    return Path("main.yaml")


def shown(riskguard, *arguments: object) -> str:
    code, out, err = riskguard("show", *arguments)
    assert (code, err) == (0, "")
    return out


def test_a_composed_file_is_shown_as_one_as_its_authors_wrote_it(riskguard, main: Path) -> None:
    assert shown(riskguard, main) == (
        "version: 1\n"
        "name: base\n"
        "symbol: BTC\n"
        "symbols: [BTC, ETH]\n"
        "every: 1h\n"
        "params:\n"
        "  s: {value: 72_000, range: 70_000..80_000}\n"
        "  quick: 12h\n"
        "  floor: {by_source: {published: $150M, binance: $50M}}\n"
        "rules:\n"
        "  cascade:\n"
        "    when:\n"
        "      all:\n"
        "        - close < s\n"
        '        - {all: ["liq.long.sum(24h).times_avg(7d, min=1d) >= 3x", '
        "liq.long.sum(24h) >= floor]}\n"
        "    clear: close > 80_000 for quick\n"
        '    do: {exposure_cap: 50%, notify: "a: b"}\n'
        "  long_window:\n"
        "    when: oi.change(4w) <= -34%\n"
        "    min_hold: quick\n"
        "    do: {hedge: 20%}\n"
        "    allow: [RG425]\n"
        "  all_fall:\n"
        "    when: {breadth: {of: [BTC, ETH], at_least: 2, where: close.drop(24h) >= 5%}}\n"
        "    min_hold: 1h\n"
        "    do: {block_entries: long}\n"
        "stages:\n"
        "  - stage: watch\n"
        "    enter: close < 69_000\n"
        "    recover: close > 83_000\n"
        "    do: {exposure_cap: 60%}\n"
        "per_symbol:\n"
        "  ETH:\n"
        "    params:\n"
        "      s: 2_200\n"
        "    override:\n"
        "      rules.cascade.min_hold: 2h\n"
        "    disable: [long_window]\n"
    )


def test_each_line_says_where_it_is_from(riskguard, main: Path) -> None:
    lines = shown(riskguard, main, "--origin", "--set", "quick=24h").splitlines()
    rows = [tuple(part.strip() for part in line.split("  # from ")) for line in lines]
    found = dict(reversed([row for row in rows if len(row) == 2]))
    assert found["version: 1"] == "main.yaml:1"
    assert found["every: 1h"] == "main.yaml:4"
    assert found["range: 70_000..80_000"] == "base.yaml:6"
    assert found["value: 72_000"] == "main.yaml:4"
    assert found["quick: 24h"] == "--set"
    assert found["clear: close > 80_000 for quick"] == "base.yaml:15"
    assert found["exposure_cap: 60%"] == "main.yaml:4"
    assert found["- stage: watch"] == "base.yaml:20"
    assert found["s: 2_200"] == "main.yaml:12"
    short = [line for line in lines if len(line.split("  # from ")[0].rstrip()) < 72]
    assert len({line.index("  # from ") for line in short}) == 1


def test_long_forms_are_shown_as_what_they_stand_for(riskguard, main: Path) -> None:
    out = shown(riskguard, main, "--expand")
    assert "breadth" not in out
    assert "of: [close.drop(24h) >= 5%, ETH.close.drop(24h) >= 5%]" in out
    # a number that has a name keeps it: who changes the parameter changes the rule
    assert "    clear: close > 80_000 for quick\n" in out
    assert "    min_hold: quick\n" in out
    lines = shown(riskguard, main, "--expand", "--origin").splitlines()
    (line,) = [line for line in lines if "of: [close.drop" in line and "BTC" not in line]
    assert line.endswith("# from main.yaml:8")
    (line,) = [line for line in lines if line.startswith("every:")]
    assert line.endswith("# from main.yaml:4")


def test_the_rules_of_a_symbol_are_shown_alone(riskguard, main: Path) -> None:
    out = shown(riskguard, main, "--symbol", "ETH", "--set", "s=71_000", "--set", "floor=$1M")
    assert "symbol: ETH\n" in out
    assert "per_symbol" not in out
    assert "long_window" not in out
    assert "  s: {value: 2_200}\n" in out
    assert "by_source: {published: $1M, binance: $1M, other: $1M}" in out
    code, _, err = riskguard("show", main, "--symbol", "SOL")
    assert (code, err.splitlines()[0]) == (2, f"error: {main} does not guard SOL")


def test_a_file_without_a_symbol_is_shown_for_the_symbol_of_a_bot(riskguard, main: Path) -> None:
    main.write_text(
        "version: 1\nsymbols: [ETH]\nrules:\n"
        "  r: {when: ETH.close < 5, clear: ETH.close > 7, do: {hedge: 5%}}\n"
    )
    out = shown(riskguard, main, "--symbol", "ETH", "--expand")
    assert "symbol: ETH\nsymbols: [ETH]\n" in out
    assert "    when: close < 5\n" in out


WAYS = [(), ("--expand",), ("--origin",), ("--expand", "--origin")]
ids = [" ".join(one) or "plain" for one in WAYS]


@pytest.mark.parametrize("ways", WAYS, ids=ids)
def test_what_is_shown_passes_the_check_and_means_the_same(riskguard, main: Path, ways) -> None:
    for given in (*packs(), main):
        Path("shown.yaml").write_text(shown(riskguard, given, *ways), encoding="utf-8")
        code, out, _ = riskguard("check", "--strict", "shown.yaml")
        assert (code, out) == (0, "0 errors, 0 warnings in 1 file\n"), given
        assert load_rules("shown.yaml").hash == load_rules(packs().get(str(given), main)).hash
    for symbol in ("BTC", "ETH"):
        out = shown(riskguard, main, *ways, "--symbol", symbol)
        Path("shown.yaml").write_text(out, encoding="utf-8")
        assert riskguard("check", "--strict", "shown.yaml").code == 0


def test_what_is_shown_of_a_pack_fits_100_columns_and_names_the_pack(riskguard) -> None:
    for name in packs():
        lines = shown(riskguard, name).splitlines()
        assert max(map(len, lines)) <= 100
        traced = shown(riskguard, f"pack:{name}", "--origin").splitlines()
        assert f"# from pack:{name}@1:" in traced[0]


def test_warnings_that_were_silenced_stay_silent(riskguard, main: Path) -> None:
    main.write_text("version: 1\nextends: ./base.yaml\nallow: [RG211]\nparams: {unused: 5}\n")
    assert shown(riskguard, main).endswith("allow: [RG211]\n")
    # the way in which a rule silences is no part of what it means
    assert shown(riskguard, main, "--expand").endswith("allow: [RG211, RG425]\n")
    main.write_text("version: 1\nextends: ./base.yaml\nallow: [RG503]\nparams: {unused: 5}\n")
    # what only data can bring is allowed as well, a name without a use is told
    assert shown(riskguard, main, "--expand").endswith("allow: [RG425, RG503]\n")
    main.write_text(shown(riskguard, main), encoding="utf-8")
    assert "RG211" in riskguard("check", main).out


def test_a_file_with_errors_is_told_and_not_shown(riskguard, main: Path) -> None:
    main.write_text(MAIN.replace("stages.watch", "stages.wacth"))
    code, out, err = riskguard("show", main)
    assert (code, out) == (1, "")
    assert err.startswith("main.yaml:4:23: error[RG602] no such address")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("feb-2025",), "did you mean 'feb-2026'?"),
        ((".",), "error: RULES . is a folder"),
        (("feb-2026", "--set", "s"), "--set 's' is not NAME=VALUE"),
        (("feb-2026", "--symbol", "eth"), "did you mean ETH?"),
        (("feb-2026", "--symbol", ""), "--symbol is empty"),
    ],
)
def test_wrong_use_is_told_with_the_fix(riskguard, arguments, words) -> None:
    code, out, err = riskguard("show", *arguments)
    assert (code, out) == (2, "")
    assert words in err
