"""The report as one HTML file that opens without a network, and asks for none."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from riskguard._version import VERSION
from riskguard.backtest.page.chart import chart
from riskguard.backtest.page.grades import modelled, resting
from riskguard.backtest.page.markup import joined
from riskguard.backtest.page.packing import script_json
from riskguard.backtest.page.sections import after_chart, first, grade_tag
from riskguard.backtest.page.told import title
from riskguard.backtest.report import SCHEMA

if TYPE_CHECKING:
    from riskguard.backtest.comparison import Comparison
    from riskguard.backtest.evidence.evidence import Evidence

__all__ = ["page"]

PARTS = Path(__file__).with_name("parts")
LIBRARY = "lightweight-charts-5.2.1.js"
PROGRAM = (
    "theme.js", "data.js", "points.js", "guard.js", "panes.js", "decisions.js", "start.js",
)  # fmt: skip
PLACE = re.compile(r"\{\{(\w+)\}\}")


def page(comparison: Comparison, evidence: Evidence) -> str:
    """Return the page; the same comparison and evidence give the same text, byte for byte."""
    series = modelled(comparison)
    library = _part(LIBRARY)
    program = '"use strict";\n(() => {\n' + "\n".join(map(_part, PROGRAM)) + "})();\n"
    grades = ", ".join(sorted(set(series.values())))
    parts = {
        "schema": SCHEMA,
        "policy": _policy(library, program),
        "title": joined(title(comparison)),
        "style": _part("page.css"),
        "grade": grade_tag(f"{', '.join(series)}: {grades}") if series else "",
        "decided": grade_tag(resting(comparison)),
        "first": first(comparison, evidence, series),
        "after": after_chart(comparison, evidence),
        "version": joined(VERSION),
        "data": script_json(chart(comparison, evidence)),
        "library": library,
        "program": program,
    }
    # one pass: what is put in is not looked at again
    return PLACE.sub(lambda found: parts[found[1]], _part("page.html"))


def _part(name: str) -> str:
    return (PARTS / name).read_text(encoding="utf-8")


def _policy(*scripts: str) -> str:
    """Return a policy that lets these scripts run, and nothing be fetched or sent."""
    sums = (b64encode(sha256(text.encode()).digest()).decode() for text in scripts)
    allowed = " ".join(f"'sha256-{one}'" for one in sums)
    # the chart sets its own styles
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline';"
        " base-uri 'none'; form-action 'none'"
    )
