from __future__ import annotations

import json

import pytest

from riskguard.language.guides.catalogue import explanations


def test_a_code_is_explained_with_what_is_wrong_and_what_is_right(riskguard) -> None:
    code, out, err = riskguard("explain", "RG406")
    assert (code, err) == (0, "")
    assert out.startswith('RG406 error: "clear" on the wrong side\n\n')
    wrong, right = out.split("right, in a rule:\n")
    assert wrong.endswith(
        "wrong, in a rule:\n    when: close < 75_000\n    clear: close > 74_000\n\n"
    )
    assert right == "    when: close < 75_000\n    clear: close > 76_500 for 24h\n"


@pytest.mark.parametrize("given", ["rg406", "406", " RG406 "])
def test_a_code_may_be_written_as_it_comes(riskguard, given: str) -> None:
    assert riskguard("explain", given).out.startswith("RG406 error: ")


@pytest.mark.parametrize("name", explanations())
def test_every_code_fits_a_terminal(riskguard, name: str) -> None:
    _, out, _ = riskguard("explain", name)
    assert max(map(len, out.splitlines())) <= 100  # a rule is shown as it is written
    prose = out.split("\nwrong")[0]
    assert max(map(len, prose.splitlines())) <= 80


def test_without_a_code_all_are_listed(riskguard) -> None:
    code, out, _ = riskguard("explain")
    assert code == 0
    assert "\nUnits and values\n" in out
    listed = [line.split()[0] for line in out.splitlines() if line.startswith("  RG")]
    assert listed == list(explanations())
    assert max(map(len, out.splitlines())) <= 80


def test_json_holds_one_or_all(riskguard) -> None:
    one = json.loads(riskguard("explain", "RG417", "--json").out)
    assert set(one) == {"code", "severity", "title", "finds", "why", "wrong", "right"}
    assert (one["code"], one["severity"]) == ("RG417", "warning")
    every = json.loads(riskguard("explain", "--json").out)
    assert [entry["code"] for entry in every] == list(explanations())


@pytest.mark.parametrize(
    ("given", "said"),
    [("RG999", "the nearest is RG901"), ("RG407x", "lists all"), ("cascade", "lists all")],
)
def test_an_unknown_code_is_wrong_use(riskguard, given: str, said: str) -> None:
    code, out, err = riskguard("explain", given)
    assert (code, out) == (2, "")
    assert f"there is no code '{given}'" in err
    assert said in err


def test_one_code_is_no_page(riskguard) -> None:
    code, _, err = riskguard("explain", "RG406", "--markdown")
    assert code == 2
    assert "leave the code out" in err
