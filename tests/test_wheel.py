"""The wheel alone, away from the checkout, finds its rules, strategies and scenarios."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_wheel_runs_a_backtest_where_there_is_no_checkout(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(site)
    for asked in (["--strategy", "all"], ["--report", "report.html"]):
        done = subprocess.run(
            [sys.executable, "-m", "riskguard", "backtest", "--quiet", *asked],
            cwd=elsewhere,
            env={**os.environ, "PYTHONPATH": str(site)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("NOT SHOWN")
    assert "Lightweight Charts" in (elsewhere / "report.html").read_text(encoding="utf-8")
    names = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert {
        "riskguard/py.typed",
        "riskguard/language/guides/explanations/4-sense.md",
        "riskguard/share/rules/feb-2026.yaml",
        "riskguard/share/rules/riskguard-1.json",
        "riskguard/share/strategies/leveraged_hold.py",
        "riskguard/history/scenarios/feb-2026/scenario.yaml",
        "riskguard/backtest/report-1.schema.json",
        "riskguard/backtest/evidence/study-1.schema.json",
        "riskguard/backtest/page/parts/lightweight-charts-5.2.1.js",
        "riskguard/backtest/page/parts/lightweight-charts-LICENSE",
    } <= names
