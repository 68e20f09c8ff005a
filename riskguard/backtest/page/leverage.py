"""The leverage line as a drawing: growth against drawdown for less size, the guard as a dot."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from riskguard.backtest.evidence.figures import compounded
from riskguard.backtest.evidence.paths import Paths
from riskguard.backtest.metrics import cdar
from riskguard.backtest.page.markup import Markup, joined, tag
from riskguard.backtest.text_figures import percent
from riskguard.market import DAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from riskguard.backtest.comparison import Comparison
    from riskguard.backtest.evidence.peers import Point

__all__ = ["caption", "drawing", "guard_path", "guard_point"]

WIDTH, HEIGHT = 560.0, 320.0
LEFT, RIGHT, TOP, BOTTOM = 62.0, 24.0, 18.0, 44.0
YEAR = 365 * DAY


def guard_path(comparison: Comparison) -> NDArray[np.float64]:
    """Return what 1 became under the guard, in the terms of its peers: a share of the bare run."""
    paths = Paths.of(comparison)
    return paths.equity(paths.x)


def guard_point(comparison: Comparison) -> tuple[float, float]:
    """Return growth a year and CDaR 95 % of the guard; a lost account has shrunk by all."""
    path = guard_path(comparison)
    years = (len(path) - 1) * comparison.every / YEAR
    return compounded(float(path[-1]), 1.0 / years) if years else -1.0, cdar(path)


def drawing(line: Sequence[Point], guard: tuple[float, float]) -> Markup:
    """Return the SVG: CDaR to the right, growth upwards, one mark for each tenth of exposure."""
    points = [(point.cdar, point.cagr, point.exposure) for point in line]
    points = [point for point in points if all(math.isfinite(value) for value in point)]
    growth, fall = guard
    across = _Scale([fall, *(point[0] for point in points)], LEFT, WIDTH - RIGHT)
    up = _Scale([growth, *(point[1] for point in points)], HEIGHT - BOTTOM, TOP)
    places = [(across.at(x), up.at(y)) for x, y, _ in points]
    path = "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in places) if places else ""
    marks = [
        tag("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r="2.5", class_="mark")
        for (x, y), (_, _, exposure) in zip(places, points, strict=True)
        if abs(exposure * 10 - round(exposure * 10)) < 1e-9
    ]
    return tag(
        "svg",
        tag("title", "Leverage line: growth a year against CDaR 95 %"),
        *_axes(across, up),
        tag("path", d=path, class_="curve"),
        *marks,
        *_ends(places, points),
        *_dot(across.at(fall), up.at(growth), f"guarded {percent(growth, 0)}, {percent(fall, 0)}"),
        viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}",
        role="img",
        class_="leverage",
    )


class _Scale:
    """Places of shares between two edges of the drawing, with round ticks."""

    def __init__(self, values: Sequence[float], first: float, last: float) -> None:
        low, high = min(0.0, *values), max(0.0, *values)
        room = (high - low) * 0.08 or 0.1
        self.low, self.high = low - room * (low < 0), high + room
        self.first, self.last = first, last

    def at(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.first + share * (self.last - self.first)

    def ticks(self) -> list[float]:
        raw = (self.high - self.low) / 5
        unit = 10.0 ** math.floor(math.log10(raw))
        step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= raw)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [number * step for number in range(first, last + 1)]


def _axes(across: _Scale, up: _Scale) -> list[Markup]:
    bottom, parts = HEIGHT - BOTTOM, []
    for value in up.ticks():
        y = f"{up.at(value):.1f}"
        parts.append(tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid"))
        label = {"x": LEFT - 8, "y": y, "text_anchor": "end", "dominant_baseline": "middle"}
        parts.append(tag("text", percent(value, 0), **label))
    for value in across.ticks():
        x = f"{across.at(value):.1f}"
        parts.append(tag("text", percent(value, 0), x=x, y=bottom + 18, text_anchor="middle"))
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(
        tag("text", "CDaR 95 % (less is better)", x=middle, y=HEIGHT - 6, text_anchor="middle")
    )
    turned = f"translate(13 {(TOP + bottom) / 2:g}) rotate(-90)"
    parts.append(tag("text", "growth a year", transform=turned, text_anchor="middle"))
    return parts


def _ends(
    places: Sequence[tuple[float, float]], points: Sequence[tuple[float, float, float]]
) -> list[Markup]:
    if not places:
        return []
    (x, y), exposure = places[-1], points[-1][2]
    anchor = "end" if x > WIDTH / 2 else "start"
    text = f"{percent(exposure, 0)} held"
    return [tag("text", text, x=f"{x:.1f}", y=f"{y + 18:.1f}", text_anchor=anchor)]


def _dot(x: float, y: float, text: str) -> list[Markup]:
    anchor = "end" if x > WIDTH / 2 else "start"
    beside = x - 11 if anchor == "end" else x + 11
    label = {"x": f"{beside:.1f}", "y": f"{y + 4:.1f}", "text_anchor": anchor}
    return [
        tag("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r="6", class_="guard"),
        tag("text", text, class_="guard", **label),
    ]


def caption(line: Sequence[Point], guard: tuple[float, float]) -> Markup:
    """Return the drawing in words: where the guard lies against less size of the same drawdown."""
    growth, fall = guard
    points = sorted((point.cdar, point.cagr) for point in line)
    falls, grown = [point[0] for point in points], [point[1] for point in points]
    same = float(np.interp(fall, falls, grown))
    where = "above" if growth > same else "below" if growth < same else "on"
    return joined(
        f"The guard grew {percent(growth)} a year with a CDaR of {percent(fall)}. Less size with"
        f" the same drawdown grew {percent(same)}: the guard lies {where} the line. On the line"
        " it is only less size. Where it lies on one history is no evidence: the verdict is."
    )
