from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from riskguard.backtest.evidence.peers import Point
from riskguard.backtest.page.leverage import caption, drawing, guard_path, guard_point
from riskguard.market import DAY
from tests.backtest.page import drawn

LINE = tuple(Point(share / 20, 0.2 * share / 20, 0.4 * share / 20) for share in range(21))


def places(svg: str, kind: str) -> list[tuple[float, float]]:
    found = ET.fromstring(svg).iter("circle")
    return [
        (float(one.get("cx")), float(one.get("cy"))) for one in found if one.get("class") == kind
    ]


def test_growth_goes_up_and_drawdown_to_the_right() -> None:
    marks = places(drawing(LINE, (0.1, 0.1)), "mark")
    assert len(marks) == 11
    assert marks == sorted(marks)
    assert [y for _, y in marks] == sorted((y for _, y in marks), reverse=True)


@pytest.mark.parametrize(("growth", "word"), [(0.2, "above"), (0.01, "below"), (0.1, "on")])
def test_the_dot_lies_where_the_words_say(growth: float, word: str) -> None:
    svg = drawing(LINE, (growth, 0.2))
    ((x, y),) = places(svg, "guard")
    middle = next(place for place in places(svg, "mark") if abs(place[0] - x) < 0.2)
    assert (y < middle[1] - 1, y > middle[1] + 1) == (word == "above", word == "below")
    assert f"lies {word} the line" in caption(LINE, (growth, 0.2))


def test_growth_is_a_year_of_365_days() -> None:
    comparison = drawn.comparison(732, DAY)
    growth, fall = guard_point(comparison)
    assert (1 + growth) ** 2 == pytest.approx(guard_path(comparison)[-1] ** (730 / 731), rel=1e-3)
    assert 0 < fall < 1


def test_an_empty_line_still_shows_the_guard() -> None:
    assert len(places(drawing((), (0.1, 0.2)), "guard")) == 1


def test_drawing_stays_inside_its_box() -> None:
    svg = drawing(LINE, (-1.0, 0.999))
    width, height = map(float, re.search(r'viewBox="0 0 (\d+) (\d+)"', svg).groups())
    for x, y in places(svg, "guard") + places(svg, "mark"):
        assert 0 < x < width
        assert 0 < y < height


def test_caption_claims_no_more_than_the_verdict() -> None:
    line = [Point(share, -share, share) for share in (0.0, 0.5, 1.0)]
    told = str(caption(line, (0.1, 0.4)))
    assert "the guard lies above the line" in told
    assert "helps" not in told
    assert "the verdict is" in told
