"""The page of half a million bars with all its panes: how long it takes to write and to show.

A new tab of a browser that runs already; its start is not counted, the file is read from disk.
*ready*: from the start of navigation, by the page's own clock, to the frame after the one in which
the verdict, every pane over the whole history and the first decisions were drawn; from then on a
click is answered. *click*: from a click on a decision to the frame after the one in which the chart
has moved there and shows every candle, taken at once after *ready*. *floor*: *ready* of a page that
holds one line of text. *work*: what of *ready* the page's main thread computed; on a machine that
does other things too it says more than the clock.
"""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.measuring import say
from riskguard.backtest.page import page
from tests.backtest.page import drawn

if TYPE_CHECKING:
    from collections.abc import Iterator

BARS = 500_000
FRAMES = "requestAnimationFrame(() => requestAnimationFrame(() => {{ {} }}))"
FLOOR = f"""<!doctype html><p>one line</p><script>{
    FRAMES.format("document.documentElement.dataset.ready = performance.now()")
}</script>"""
CLICK = f"""() => new Promise((done) => {{
  const start = performance.now();
  document.querySelector("#rows tr[data-row='20'] button")?.click();
  {FRAMES.format("done(performance.now() - start)")};
}})"""


def main() -> None:
    comparison = drawn.comparison(BARS)
    evidence = drawn.evidence(comparison)
    start = time.perf_counter()
    text = page(comparison, evidence)
    say("page_500k_written", time.perf_counter() - start, "s_wall", None)
    say("page_500k_size", len(text.encode()) / 1e6, "MB", 2.5)
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None or importlib.util.find_spec("playwright") is None:
        print("# page_500k_ready not measured: no Chromium, or no Playwright")
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "page.html")
        path.write_text(text, encoding="utf-8")
        walls, works, clicks = zip(*_shown(path, browser), strict=True)
        say("page_500k_ready", median(walls), "s_wall", 1.0)
        say("page_500k_work", median(works), "s_cpu", 1.0)
        say("page_500k_click", median(clicks), "s_wall", None)
        path.write_text(FLOOR, encoding="utf-8")
        say(
            "page_floor_ready", median(wall for wall, _, _ in _shown(path, browser)), "s_wall", None
        )


def _shown(path: Path, browser: str) -> Iterator[tuple[float, float, float]]:
    """Yield seconds to ready, those of them that were work, and those of a click after it."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - a group that may be missing

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        for _ in range(5):
            tab = opened.new_page(viewport={"width": 1440, "height": 900})
            meter = tab.context.new_cdp_session(tab)
            meter.send("Performance.enable", {"timeDomain": "threadTicks"})
            tab.goto(path.as_uri())
            tab.wait_for_selector("html[data-ready]", state="attached")
            found = meter.send("Performance.getMetrics")["metrics"]
            work = next(one["value"] for one in found if one["name"] == "TaskDuration")
            ready = float(tab.get_attribute("html", "data-ready") or "nan")
            yield ready / 1000, work, tab.evaluate(CLICK) / 1000
            tab.close()
        opened.close()


if __name__ == "__main__":
    main()
