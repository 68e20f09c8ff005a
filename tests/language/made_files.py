"""Rule files at random, made from the key tables: most are right, some are wrong in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from riskguard.language.schema import BLOCKS, ONE_OF, UNITS, required

if TYPE_CHECKING:
    from collections.abc import Callable

    from riskguard.language.schema import Key

__all__ = ["files"]

# what lines may name
HEAD = """\
version: 1
symbols: [BTC, ETH, SOL]
every: 1h
"""
PARAMS = {
    "level": "75_000",
    "cap": "{value: 40%, range: 10%..60%, step: 5%, help: 2026}",
    "hold": "6h",
    "many": "2x",
    "floor": "{by_source: {binance: $50M, 7: $60M, other: $50M}}",
}
# kind of a value -> how it may be written; what is no text is a list
WRITTEN: dict[str, list[Any]] = {
    "text": ["a title", "2026", "yes", "1.5", '"quoted: text"', "true", "2026-02-12", "off"],
    "texts": [["a", "2026", "no"], "one", "[]"],
    "word": ["binance", "7", "published"],
    "name": ["step"],
    "names": [["one"], "one", "[]"],
    "codes": [["RG416"], "RG417", "[]"],
    "truth": ["true", "false", '"true"'],
    "time": ["6h", "24h", "90m", "2 closes", "20 bars", "hold", "4w", "1.5d", "1_000h", '" 6h "'],
    "clock": ["08:00", '"16:30"', "10:30", "1:05", "24:00"],
    "days": ["mon-fri", ["sat", "sun"], "Mon-Fri", "SUN"],
    "zone": ["UTC", "Europe/London"],
    "share": ["50%", "25bp", "1%", "12.5%", "cap", "(5%)", '" 5%"', "5e1%"],
    "multiple": ["2x", "1.5x", "many"],
    "stop": ["5%", "1.5 ATR", "2ATR", "cap", "50bp"],
    "figure": ["75_000", "7.5e4", "75,000", "-4.4%", "$150M", "3x", "24h", "2 closes", "010", "1"],
    "count": ["1", "2", '"1"', "01"],
    "priority": ["0", "100", "7"],
    "value": ["$50M", "$0.9B"],
    "values": [["75_000", "level"], "70_000"],
    "average": ["3x average(30d)", "1.5x  average( 7d )"],
    "symbol": ["BTC", "SOL"],
    "symbols": [["BTC", "ETH"], "SOL"],
    "guards": ["symbol", "all", ["BTC", "ETH"]],
    "line": [
        "close < 75_000",
        "close < level - cap for 2 closes",
        "oi.change(24h) <= -4.4%",
        '"liq.long.sum(24h).times_avg(30d, min=14d) >= 3x"',
        "calm",
        "close == 5",
        "' close < 1 '",
    ],
}
RANGES = [("75_000", "70_000..80_000", "1_000"), ("-4%", "-12%..-2%", "0.4%"), ("2", "0..9", "1")]


@st.composite
def block(draw: Callable, name: str, depth: int = 0) -> dict[str, Any]:
    """Return a block with what it needs and some of what it may have."""
    keys = BLOCKS[name]
    either = ONE_OF.get(name, ())
    chosen = [*required(keys), *([draw(st.sampled_from(either))] if either else [])]
    chosen += [keys[key].needs for key in chosen if keys[key].needs]
    free = [key for key in keys if key not in {*chosen, *either} and keys[key].needs not in either]
    least = 1 if name == "actions" else 0
    if free:
        chosen += draw(st.lists(st.sampled_from(free), min_size=least, max_size=3, unique=True))
    chosen += [keys[key].needs for key in chosen if keys[key].needs]
    return {key: draw(value(keys[key], depth)) for key in dict.fromkeys(chosen)}


@st.composite
def value(draw: Callable, key: Key, depth: int) -> Any:
    """Return what may stand under a key."""
    if key.kind in {"condition", "conditions"}:
        parts = condition(depth + 1)
        return draw(parts if key.kind == "condition" else st.lists(parts, min_size=1, max_size=3))
    if key.kind in BLOCKS:
        return draw(block(key.kind, depth + 1))
    return draw(st.sampled_from(key.choices if key.kind == "choice" else WRITTEN[key.kind]))


@st.composite
def condition(draw: Callable, depth: int) -> Any:
    if depth > 2 or draw(st.booleans()):
        return draw(st.sampled_from(WRITTEN["line"]))
    return draw(block("condition", depth))


@st.composite
def parameter(draw: Callable) -> Any:
    figure, span, step = draw(st.sampled_from(RANGES))
    whole = {"value": figure, "range": span, "step": step}
    return draw(st.sampled_from([figure, {"value": figure}, whole, {"by_source": {"x": figure}}]))


@st.composite
def files(draw: Callable) -> tuple[str, int]:
    """Return the text of a rule file, and how many rules and stages it has."""
    rules = {"one": draw(block("rule"))}
    rules |= draw(st.dictionaries(st.sampled_from(["two", "x1"]), block("rule"), max_size=1))
    stages = draw(st.lists(block("stage"), max_size=2))
    for number, stage in enumerate(stages):
        stage["stage"] = f"step_{number}"
    own = draw(st.dictionaries(st.sampled_from(["stoxx", "vix"]), block("input"), max_size=1))
    inputs = {
        name: {"unit": draw(st.sampled_from(UNITS)), "kind": "level", **one}
        for name, one in own.items()
    }
    single = {
        key: draw(value(BLOCKS["file"][key], 0))
        for key in draw(st.lists(st.sampled_from(SINGLE), max_size=3, unique=True))
    }
    whole = {
        **single,
        "inputs": inputs,
        "params": {**PARAMS, "own": draw(parameter())},
        "define": {"calm": "close > 80_000"},
        "rules": rules,
        "stages": stages,
    }
    if draw(st.integers(0, 3)) == 3:
        spoil(draw, whole)
    return HEAD + written(whole, ""), len(rules) + len(stages)


SINGLE = ("name", "description", "author", "severity", "tags", "guards", "timezone", "blind")


def spoil(draw: Callable, node: dict[str, Any]) -> None:
    """Put something else in the place of one value."""
    for _ in range(draw(st.integers(1, 4))):
        inner = [one for one in node.values() if isinstance(one, dict) and one]
        if not inner:
            break
        node = draw(st.sampled_from(inner))
    key = draw(st.sampled_from(sorted(node)))
    kind = draw(st.sampled_from(sorted(WRITTEN)))
    node[key] = draw(st.sampled_from([*WRITTEN[kind], "{a: 1}", "[[1]]", "50"]))


def written(node: Any, pad: str) -> str:
    """Return the YAML of what was made: texts stand as they are, plain where they can."""
    lines = []
    if isinstance(node, list):
        for item in node:
            nested = isinstance(item, dict | list)
            lines.append(f"{pad}-" + (f"\n{written(item, pad + '  ')}" if nested else f" {item}\n"))
        return "".join(lines)
    for key, item in node.items():
        if not item:
            lines.append(f"{pad}{key}: {'[]' if key == 'stages' else '{}'}\n")
        elif isinstance(item, dict | list):
            lines.append(f"{pad}{key}:\n{written(item, pad + '  ')}")
        else:
            lines.append(f"{pad}{key}: {item}\n")
    return "".join(lines)
