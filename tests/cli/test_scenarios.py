from __future__ import annotations

import json


def test_scenarios_are_listed_with_spans_series_and_grades(riskguard) -> None:
    code, out, err = riskguard("scenarios")
    assert (code, err) == (0, "")
    assert out.startswith("feb-2026  ")
    assert "2025-12-01T00:00Z .. 2026-03-04T00:00Z, 4h bars" in out
    (line,) = [line for line in out.splitlines() if line.split()[:1] == ["BTC.liq.long"]]
    assert line.split() == ["BTC.liq.long", "usd", "reconstructed", "441", "2026-02-12T12:00Z"]
    assert max(map(len, out.splitlines())) <= 80


def test_scenarios_as_json(riskguard) -> None:
    code, out, _ = riskguard("scenarios", "--json")
    (found,) = json.loads(out)
    assert code == 0
    assert (found["name"], found["symbol"], found["every"]) == ("feb-2026", "BTC", "4h")
    series = {one["key"]: one for one in found["series"]}
    assert series["BTC.oi"]["unit"] == "coins"
    assert series["BTC.close"]["end"] == "2026-03-04T00:00:00Z"
