from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256

import pytest

from riskguard.backtest.page import page
from riskguard.market import HOUR
from tests.backtest import made
from tests.backtest.page import drawn

GUARD = "guard on reconstructed data"


@pytest.fixture(scope="module")
def text() -> str:
    comparison = drawn.comparison(2_000, HOUR)
    return page(comparison, drawn.evidence(comparison))


def data(text: str) -> dict:
    return json.loads(re.search(r'id="drawn">(.*?)</script>', text, re.DOTALL)[1])


def test_same_comparison_same_page_byte_for_byte(text: str) -> None:
    again = drawn.comparison(2_000, HOUR)
    assert page(again, drawn.evidence(again)) == text


def test_half_a_million_bars_with_all_panels_fit_into_two_and_a_half_megabytes(measured) -> None:
    comparison = drawn.comparison(500_000)
    size = len(page(comparison, drawn.evidence(comparison)).encode())
    measured(f"page of 500,000 bars with all panels: {size / 1e6:.2f} MB")
    assert size <= 2_500_000


def test_many_decisions_fit_as_well_and_the_page_says_that_rows_are_left_out() -> None:
    comparison = drawn.comparison(100_000, levels=drawn.np.arange(100_000) // 7 % 4)
    found = data(page(*drawn.weighed(comparison)))
    assert found["decisions"] == 14_286
    assert 300 < len(found["rows"]) <= 1_500
    assert len(json.dumps(found["rows"], separators=(",", ":"))) <= 180_000


def test_policy_forbids_the_network_and_names_each_script(text: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    sums = {b64encode(sha256(one.encode()).digest()).decode() for one in scripts}
    assert policy.startswith("default-src 'none';")
    assert set(re.findall("'sha256-([^']*)'", policy)) == sums
    assert len(scripts) == 2
    assert "unsafe-eval" not in policy
    assert not re.search(r"(img|connect|font|frame|media)-src", policy)


def test_nothing_in_the_page_is_fetched(text: str) -> None:
    bare = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert not re.search(r"\ssrc=|<link|@import|url\(|<iframe|<img", bare)
    assert re.findall(r'href="([^"]*)"', bare) == ["#decisions", "https://www.tradingview.com/"]


def test_library_comes_with_its_licence_and_is_named(text: str) -> None:
    assert "TradingView Lightweight Charts™ v5.2.1" in text
    assert "Apache License 2.0" in text.rpartition("<footer>")[2]


def test_verdict_stands_first_then_chart_decisions_figures_ledger_rules(text: str) -> None:
    order = re.findall(r"<section[^>]*?\bid=\"(\w+)\"", text)
    assert order == [
        "verdict", "chart", "decisions", "figures", "peers", "ledger", "rules", "data",
    ]  # fmt: skip
    first = text[text.index('id="verdict"') : text.index('id="chart"')]
    assert "NOT SHOWN" in first
    assert "foresight p = 0.210" in first
    assert first.index("HURTS asks for") < first.index("<b>harm") < first.index("HELPS asks for")
    for word in ("not met", "met", "not tested"):
        assert f'<span class="said">{word}</span>' in first


def test_without_evidence_the_page_is_whole_all_the_same(tmp_path) -> None:
    comparison = made.comparison(tmp_path)
    text = page(comparison, made.untested(comparison))
    assert "NOT SHOWN" in text
    assert 'id="ledger"' not in text
    assert 'id="recovery"' in text
    assert "LIQUIDATED at 61,234" in text


def test_reconstructed_is_said_of_all_that_rests_on_it(text: str) -> None:
    body = text[text.index("<body>") : text.index('<script type="application/json"')]
    for name in ("decisions", "peers", "ledger"):
        start = body.index(f'id="{name}"')
        assert 'class="grade">on reconstructed data<' in body[start : body.index("</h2>", start)], (
            name
        )
    assert "BTC.liq.long: reconstructed" in body[: body.index("</header>")]
    assert {pane["name"]: pane["tag"] for pane in data(text)["panes"]} == {
        "Price": GUARD, "Equity": GUARD, "Drawdown": GUARD,
        "Exposure": GUARD, "Open interest": "", "Liquidations": "",
    }  # fmt: skip


def test_rule_file_stands_in_the_page_as_it_was_read() -> None:
    sly = drawn.RULES.replace("version: 1\n", "version: 1 # </pre></script><b>\n")
    text = page(*drawn.weighed(drawn.comparison(300, text=sly)))
    assert "version: 1 # &lt;/pre&gt;&lt;/script&gt;&lt;b&gt;\nsymbol: BTC" in text
    assert "# </pre>" not in text


def test_text_from_files_is_escaped_wherever_it_comes_from() -> None:
    comparison = drawn.comparison(300)
    sly = '"><script>alert(1)</script>'
    history = replace(comparison.history, title=sly, name=sly, notes=(sly,))
    found = replace(
        comparison, history=history, rules_path=sly, notes=(sly,), strategy=sly, params={sly: sly}
    )
    assert sly not in page(found, drawn.evidence(found))
