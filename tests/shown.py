"""YAML shown in the documentation, made whole so that it can be run.

A block is a rule file or a test file when it says `version:`. Anything else is a part of a rule
file, and is put where it belongs: keys of a file, rules by name, the keys of one rule or stage, a
list of stages or of conditions, the actions of `do`, a condition, or a single line. A part may
use the names below; what it defines itself is left out of them.

What stands behind ```yaml: `refused` must be refused, with the code that may follow the word;
`same` means what the block before it means. YAML of other tools is shown as ```yml.
"""

from __future__ import annotations

import re
from textwrap import indent
from typing import TYPE_CHECKING, Any

import yaml

from riskguard.language.schema import (
    ACTIONS,
    CONDITION_KEYS,
    FILE_KEYS,
    RULE_KEYS,
    STAGE_KEYS,
)

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FRAME", "completed", "is_test"]

FRAME = "frame.yaml"
HEAD = "version: 1\nsymbol: BTC\nsymbols: [BTC, ETH, SOL, BNB, XRP]\nevery: 1h\n"
NAMES = {
    "params": {
        "support": "75_000",
        "support_1": "75_000",
        "support_2": "70_000",
        "buffer": "0.5%",
        "floor": "{by_source: {published: $150M, binance: $50M, other: $50M}}",
        "liq_floor": "{by_source: {published: $150M, binance: $50M, other: $50M}}",
    },
    "define": {
        "calm": "close > 80_000 for 24h",
        "liq_spike": "liq.long.sum(4h) >= $50M",
        "oi_flush": "oi.change(24h) <= -4.4%",
    },
    "rules": {
        "cascade": "{when: close < 60_000, clear: close > 62_000, do: {hedge: 50%}}",
    },
    "stages": {
        "watch": "{stage: watch, enter: close < 75_000, do: {exposure_cap: 75%}, min_hold: 8h}",
        "cut": "{stage: cut, enter: close < 72_000, do: {exposure_cap: 40%}, min_hold: 8h}",
        "out": "{stage: out, enter: close < 70_000, do: {exposure_cap: 0%}, min_hold: 8h}",
    },
}


def is_test(text: str) -> bool:
    """Say whether a block is a file of rule tests."""
    return bool(re.search(r"^version:", text, re.MULTILINE)) and "\ncases:" in text


def completed(text: str, folder: Path) -> str:
    """Return the rule file that a block is or belongs into; its frame is written to a folder."""
    node = _node(text)
    if node is None or re.search(r"^version:", text, re.MULTILINE):
        return text
    (folder / FRAME).write_text(_frame(text, node), encoding="utf-8")
    return f"version: 1\nextends: ./{FRAME}\n{_placed(text, node)}"


def _node(text: str) -> Any:
    """Return a block as texts; of one that is no YAML, and shown for that, its keys alone."""
    try:
        return yaml.load(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError:
        return dict.fromkeys(re.findall(r"^(\w+):", text, re.MULTILINE)) or text


def _frame(text: str, node: Any) -> str:
    """Return a file with those names that a block uses and does not define."""
    words = set(re.findall(r"[a-z][a-z0-9_]*", text)) - _own(node)
    found = HEAD
    for section, names in NAMES.items():
        used = {name: body for name, body in names.items() if name in words}
        form = "- {1}" if section == "stages" else "{0}: {1}"
        lines = "".join(f"  {form.format(*pair)}\n" for pair in used.items())
        found += f"{section}:\n{lines}" if used else ""
    if "\nrules:" not in found and "\nstages:" not in found:
        found += "rules:\n  framed: {when: close < 1, clear: close > 2, do: {notify: deep}}\n"
    return found


def _own(node: Any) -> set[str]:
    """Return the names that a block gives itself."""
    if isinstance(node, list):
        return {item["stage"] for item in node if isinstance(item, dict) and "stage" in item}
    if not isinstance(node, dict):
        return set()
    found = {node["stage"]} if isinstance(node.get("stage"), str) else set()
    for section in ("params", "define", "rules"):
        found |= set(node.get(section) or ())
    return (
        found | (set(node) - {*FILE_KEYS, *RULE_KEYS, *CONDITION_KEYS}) | _own(node.get("stages"))
    )


def _placed(text: str, node: Any) -> str:
    """Return a block under the keys it belongs to."""
    if isinstance(node, str):
        return _rule(f"when:\n{indent(text, '  ')}")
    if isinstance(node, list):
        if any(isinstance(item, dict) and "stage" in item for item in node):
            return f"stages:\n{indent(text, '  ')}"
        return _rule(f"when:\n  any:\n{indent(text, '    ')}")
    keys = set(node)
    if "stage" in keys and keys <= STAGE_KEYS.keys():
        return f"stages:\n  -\n{indent(text, '    ')}"
    if keys <= FILE_KEYS.keys():
        return text
    if keys <= ACTIONS.keys():
        return _rule(f"do:\n{indent(text, '  ')}")
    if keys <= CONDITION_KEYS.keys():
        return _rule(f"when:\n{indent(text, '  ')}")
    if keys <= RULE_KEYS.keys():
        return _rule(text)
    if all(isinstance(value, dict) and "when" in value for value in node.values()):
        return f"rules:\n{indent(text, '  ')}"
    odd = ", ".join(sorted(keys))
    message = f"a block with the keys {odd} belongs nowhere: see tests/shown.py"
    raise ValueError(message)


def _rule(body: str) -> str:
    """Return a rule with what it lacks."""
    keys = {
        "when": "when: close < 1\n",
        "do": "do: {notify: shown}\n",
        "min_hold": "min_hold: 6h\n",
    }
    for key, line in keys.items():
        if not re.search(rf"^{key}:", body, re.MULTILINE):
            body = f"{body}{line}" if body.endswith("\n") else f"{body}\n{line}"
    return f"rules:\n  shown:\n{indent(body, '    ')}"
