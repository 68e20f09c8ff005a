from __future__ import annotations

from riskguard.shipped import shipped


def test_a_checkout_finds_its_rules_and_strategies() -> None:
    assert (shipped("rules") / "feb-2026.yaml").is_file()
    assert (shipped("strategies") / "buy_and_hold.py").is_file()
