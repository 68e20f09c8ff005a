"""The page in a real browser: what a reader sees, clicks and types."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from riskguard.backtest.page import page
from riskguard.engine.decision import Reading
from riskguard.market import HOUR
from tests.backtest.page import drawn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.needs_group("browser")

DESKTOP, PHONE = (1440, 900), (390, 844)
BARS = 3_000
PATIENCE = 120_000  # ms that a page may take until it stands as it should
# share of pixels of each pane that are not its most frequent colour
DRAWN = """() => {
  const box = document.getElementById("panes");
  const shot = riskguard.chart.takeScreenshot();
  const { data } = shot.getContext("2d").getImageData(0, 0, shot.width, shot.height);
  const pixels = new Uint32Array(data.buffer);
  const ratio = shot.height / box.clientHeight;
  const top = box.getBoundingClientRect().top;
  return riskguard.chart.panes().map((pane) => {
    const place = pane.getHTMLElement().getBoundingClientRect();
    const first = Math.round((place.top - top) * ratio) * shot.width;
    const last = first + Math.round(place.height * ratio) * shot.width;
    const counts = new Map();
    for (const one of pixels.subarray(first, last)) counts.set(one, (counts.get(one) ?? 0) + 1);
    return 1 - Math.max(...counts.values()) / (last - first);
  });
}"""
# the chart moves with its next frame
RANGE = """async () => {
  for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
  const { from, to } = riskguard.chart.timeScale().getVisibleLogicalRange();
  return [from, to];
}"""


@dataclass
class Opened:
    """A page that is open, with all that went wrong and all that was asked for."""

    page: Any
    faults: list[str]
    requests: list[str]
    url: str

    def range(self) -> tuple[float, float]:
        low, high = self.page.evaluate(RANGE)
        return low, high


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a page of 3,000 bars; the guard acts about 400 times."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    comparison = drawn.comparison(BARS, HOUR)
    path.write_text(page(comparison, drawn.evidence(comparison)), encoding="utf-8")
    return path


@pytest.fixture
def look(chromium: Any) -> Iterator[Callable[..., Opened]]:
    """Open a file as a reader would, and wait until all is drawn."""
    contexts = []

    def opened(path: Path, size: tuple[int, int] = DESKTOP, scheme: str = "light") -> Opened:
        width, height = size
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        found = Opened(context.new_page(), [], [], path.as_uri())
        found.page.on("console", lambda told: found.faults.append(told.text))
        found.page.on("pageerror", lambda error: found.faults.append(str(error)))
        found.page.on("request", lambda asked: found.requests.append(asked.url))
        found.page.goto(found.url)
        found.page.wait_for_selector("html[data-ready]", state="attached")
        return found

    yield opened
    for context in contexts:
        context.close()


def test_it_opens_quietly_asks_for_nothing_and_draws_every_pane(look, file: Path) -> None:
    opened = look(file)
    assert opened.page.inner_text("#verdict .word") == "NOT SHOWN"
    shares = opened.page.evaluate(DRAWN)
    assert len(shares) == 6
    assert min(shares) > 0.02, shares
    low, high = opened.range()
    assert -0.01 * BARS < low < 0, "the first bar is in view"
    assert BARS - 1 < high < 1.01 * BARS, "and the last"
    opened.page.mouse.move(600, 500)
    opened.page.wait_for_timeout(100)
    assert opened.faults == []
    assert opened.requests == [opened.url]


def test_click_on_a_decision_moves_the_chart_to_its_bar(look, file: Path) -> None:
    opened = look(file)
    for number, act in ((20, "click"), (31, "Enter")):
        button = opened.page.locator(f"#rows tr[data-row='{number}'] button")
        button.scroll_into_view_if_needed()
        if act == "click":
            button.click()
        else:
            button.focus()
            opened.page.keyboard.press(act)
        candle = opened.page.evaluate(f"riskguard.rows[{number}].candle")
        low, high = opened.range()
        assert (low + high) / 2 == pytest.approx(candle, abs=4)
        assert high - low < 200
        chosen = opened.page.locator("#rows tr[aria-current='true']")
        assert chosen.get_attribute("data-row") == str(number)
    assert opened.faults == []


def test_a_click_on_the_chart_finds_the_decision_in_force(look, file: Path) -> None:
    opened = look(file)
    box = opened.page.locator("#panes").bounding_box()
    opened.page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + 150)
    opened.page.wait_for_selector("#rows tr[aria-current='true']")
    found = opened.page.evaluate(
        "() => riskguard.rows[document.querySelector('[aria-current]').dataset.row].candle"
    )
    # the price axis takes some of the width
    assert BARS * 0.4 < found < BARS * 0.65


def test_everything_can_be_reached_and_done_by_keys(look, file: Path) -> None:
    opened = look(file)
    keys = opened.page.keyboard
    reached = []
    for _ in range(40):
        keys.press("Tab")
        told = opened.page.evaluate(
            "() => { const at = document.activeElement; const style = getComputedStyle(at);"
            " return [at.id || at.className || at.textContent, style.outlineStyle]; }"
        )
        reached.append(told[0])
        assert told[1] == "solid", f"{told[0]} shows no focus"
    assert {"skip", "theme", "before", "after", "log", "panes", "moved", "rows"} <= set(reached)
    opened.page.locator("#panes").focus()
    keys.press("+")
    low, high = opened.range()
    assert high - low < BARS * 0.7
    keys.press("ArrowLeft")
    assert opened.range()[0] < low
    keys.press(".")
    keys.press(".")
    assert opened.page.locator("#rows tr[aria-current='true']").count() == 1
    keys.press("Home")
    assert opened.range() == pytest.approx((-0.5, BARS - 0.5), abs=0.01 * BARS)


def test_phone_has_no_sideways_scroll_and_all_panes(look, file: Path) -> None:
    opened = look(file, PHONE)
    assert opened.page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    assert min(opened.page.evaluate(DRAWN)) > 0.02
    assert opened.page.locator("#rows tr").first.bounding_box()["width"] <= PHONE[0]
    assert opened.faults == []


def test_dark_as_the_system_says_until_the_reader_says_otherwise(look, file: Path) -> None:
    opened = look(file, scheme="dark")

    paper = "riskguard.chart.takeScreenshot().getContext('2d').getImageData(3, 300, 1, 1).data[0]"
    assert opened.page.get_attribute("html", "data-theme") == "dark"
    assert opened.page.evaluate(paper) < 120
    opened.page.click("#theme")
    assert opened.page.get_attribute("html", "data-theme") == "light"
    opened.page.wait_for_function(f"{paper} > 180")
    assert opened.faults == []


def test_a_rule_named_script_shows_as_text(look, tmp_path: Path) -> None:
    name = "<script>window.taken = 1</script>"
    leaf = "</script><script>window.taken = 2</script> < 7"
    comparison = drawn.comparison(300, HOUR)
    reading = Reading(name, leaf, 6.0, 7.0, -0.1, "true", "plain")
    decisions = [
        (replace(decision, active=(name,), reasons=(reading,)), None)
        for decision, _ in comparison.decisions
    ]
    sly = replace(comparison, decisions=decisions, notes=(name, leaf), strategy=name)
    path = tmp_path / "sly.html"
    evidence = replace(drawn.evidence(sly), ledger=(drawn.ledger_row(name),))
    path.write_text(page(sly, evidence), encoding="utf-8")
    opened = look(path)
    assert opened.page.evaluate("window.taken") is None
    assert opened.page.locator("script").count() == 3
    for place in ("h1", "#rows", "#ledger", "#data"):
        assert name in opened.page.inner_text(place), place
    assert "</script><script>window.taken = 2</script>" in opened.page.inner_text("#rows")
    assert opened.faults == []


def test_an_alarm_of_one_bar_in_a_hundred_thousand_can_be_seen(look, tmp_path: Path) -> None:
    levels = np.zeros(100_000, dtype=np.int64)
    levels[61_803] = 3
    path = tmp_path / "long.html"
    path.write_text(
        page(*drawn.weighed(drawn.comparison(100_000, levels=levels))), encoding="utf-8"
    )
    opened = look(path)
    # the ribbon below the prices has the colour of HALTED where the alarm was, and nowhere else
    found = opened.page.evaluate("""() => {
      const shot = riskguard.chart.takeScreenshot();
      const { width } = shot;
      const height = riskguard.chart.panes()[0].getHeight();
      const { data } = shot.getContext("2d").getImageData(0, height - 4, width, 1);
      const red = [];
      for (let at = 0; at < width; at += 1) {
        if (data[4 * at] > 180 && data[4 * at + 1] < 90) red.push(at / (width - 58));
      }
      return red;
    }""")
    assert 1 <= len(found) <= 4
    assert np.mean(found) == pytest.approx(0.618, abs=0.03)
    assert opened.page.inner_text("#rows tr:nth-child(2) .state") == "HALTED"


# of every line that is on, looked at from..to: points drawn, those of them in sight, known candles
# in sight, and by how much the least and the most drawn differ from those of all candles
LINES = """async ([from, to]) => {
  const scale = riskguard.chart.timeScale();
  scale.setVisibleLogicalRange({ from, to });
  for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
  const range = scale.getVisibleLogicalRange();
  const at = (time) => scale.timeToIndex(time);
  const least = (values) => Math.min(...values);
  const most = (values) => Math.max(...values);
  const inSight = (candle) => candle >= from && candle <= to;
  const lines = riskguard.data.panes.flatMap((pane) => pane.lines).filter((line) => line.on);
  return [[range.from, range.to], lines.map((line) => {
    const found = line.series.data().filter((one) => "value" in one || "open" in one);
    const known = [...line.values[0].keys()].filter((one) => !Number.isNaN(line.values[0][one]));
    const [lows, highs] = line.kind === "candles" ? [line.values[2], line.values[1]]
      : [line.values[0], line.values[0]];
    return [
      line.name, found.length, found.filter((one) => inSight(at(one.time))).length,
      known.filter(inSight).length,
      least(found.map((one) => one.value ?? one.low)) - least(known.map((one) => lows[one])),
      most(found.map((one) => one.value ?? one.high)) - most(known.map((one) => highs[one])),
    ];
  })];
}"""


def test_from_afar_no_extreme_is_lost_and_from_near_every_candle_is_drawn(
    look, tmp_path: Path
) -> None:
    path = tmp_path / "far.html"
    path.write_text(page(*drawn.weighed(drawn.comparison(30_000))), encoding="utf-8")
    opened = look(path)
    end = opened.page.evaluate("riskguard.data.panes[0].lines[0].values[0].length") - 0.5
    assert end > 10_000
    # the whole, a day and a half of it, that moved on, both ends, and the whole again
    looks = (
        (-0.5, end), (4_000, 8_000), (5_000, 5_160), (5_080, 5_240), (5_160, 5_320), (-40, 120),
        (end - 100, end + 20), (6_000, 6_900), (-0.5, end),
    )  # fmt: skip
    for sight in looks:
        shown, lines = opened.page.evaluate(LINES, sight)
        assert shown == pytest.approx(sight, abs=0.5), "what is drawn anew does not move the chart"
        assert len(lines) > 8
        for name, points, seen, known, low, high in lines:
            assert (low, high) == (0, 0), name
            assert points < 10_000, name
            if sight[1] - sight[0] <= 1_000:
                assert seen == known, (name, sight)
            else:
                assert seen >= 500, (name, sight)
    assert opened.faults == []


def test_lines_can_be_put_on_and_off(look, file: Path) -> None:
    opened = look(file)
    legend = opened.page.locator(".legend", has_text="Equity")
    opened.page.evaluate("() => document.querySelector('.legend .others').click()")
    button = legend.get_by_role("button", name="random guard")
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    assert opened.faults == []


def test_on_paper_every_listed_decision_stands_and_no_button_does(look, file: Path) -> None:
    opened = look(file)
    opened.page.emulate_media(media="print")
    assert not opened.page.locator("#theme").is_visible()
    assert not opened.page.locator("#spans button").first.is_visible()
    assert opened.page.evaluate("getComputedStyle(document.getElementById('rows')).overflowY") == (
        "visible"
    )
