"""What a rule asks for: `do`, `fallback` and the ramp of `reentry`."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from riskguard.language.findings import SURE, near
from riskguard.language.reading.blocks import BlockReader
from riskguard.language.reading.strays import undashed
from riskguard.language.ruleset import Actions, Reentry, Stop
from riskguard.language.schema import ACTIONS, REENTRY_KEYS, required
from riskguard.language.source import Mapping, Scalar

if TYPE_CHECKING:
    from typing import Any

    from riskguard.language.reading.blocks import Entry
    from riskguard.language.reading.conditions import ConditionReader
    from riskguard.language.schema import Action
    from riskguard.language.source import Node

__all__ = ["ActionReader"]

PLUGIN = "plugin."
REENTRY = "reentry: {start: 25%, step: 25%, every: 12h, while: close > 76_500}"
ATR = re.compile(r"(?P<times>\d+(?:\.\d+)?) ?ATR")
NEARLY_ATR = re.compile(rf"{ATR.pattern[:-3]}(?P<unit>ATR)", re.IGNORECASE)


class ActionReader(BlockReader):
    """Reads the actions of rules and stages."""

    def actions(self, entry: Entry, what: str) -> Actions | None:
        """Return the actions under `do` or `fallback`, None when they have a fault."""
        if isinstance(entry.node, Scalar):
            self._bare(entry, entry.node, what)
            return None
        node, named = _parted(undashed(entry.node, what, self.findings))
        plugins = self._plugins(named, what)
        block = self.block(node, ACTIONS, what)
        if block is None:
            return None
        known = {key: one for key, one in block.items() if key not in block.guessed}
        values = {key: self._value(key, one, ACTIONS[key]) for key, one in known.items()}
        if not block and not block.unknown and named is None:
            message = f'"{what}" is empty: the rule would change nothing'
            self.findings.error("RG139", entry.node.span, message, "for example exposure_cap: 50%")
        if None in values.values() or block.unknown or plugins is None or not (block or plugins):
            return None
        found = Actions(**cast("dict[str, Any]", values), plugins=plugins)
        self._sense(found, entry)
        return found

    def _bare(self, entry: Entry, text: Scalar, what: str) -> None:
        """Note actions that are written as one text."""
        if text.empty:
            self.no_value(entry, what)
            return
        message = f'{what} must be a block of "key: value" lines'
        self.findings.error("RG120", text.span, message, f'write "{what}: {{{_meant(text.text)}}}"')

    def _value(self, key: str, entry: Entry, action: Action) -> object:
        if action.kind == "share":
            return self.share(entry, key)
        if action.kind == "choice":
            return self.choice(entry, key, action.choices) or None
        if action.kind == "truth":
            return self.truth(entry, key)
        if action.kind == "multiple":
            return self._multiple(entry, key)
        if action.kind == "stop":
            return self._stop(entry, key)
        return self._told(entry, key)

    def _told(self, entry: Entry, key: str) -> str | None:
        """Return a message, None where there is none."""
        text = self.scalar(entry, key)
        if text is not None and not text.text.strip():
            self.no_value(entry, key)
            return None
        return text.text.strip() if text is not None else None

    def _plugins(self, named: Mapping | None, what: str) -> tuple[tuple[str, str], ...] | None:
        """Return the plug-ins that are asked for with their texts, None where one has a fault."""
        if named is None:
            return ()
        from riskguard.plugins import PluginError, action  # noqa: PLC0415 - rarely needed

        found: dict[str, str | None] = {}
        for entry in self.entries(named, what) or ():
            name = entry.key.text.removeprefix(PLUGIN)
            found[name] = self._told(entry, entry.key.text)
            try:
                action(name)
            except PluginError as error:
                self.findings.error(error.code, entry.key.span, error.message, error.fix)
                found[name] = None
        given = {name: text for name, text in found.items() if text is not None}
        return tuple(sorted(given.items())) if len(given) == len(named.items) else None

    def _multiple(self, entry: Entry, what: str) -> float | None:
        found = self.literal(entry, what)
        if found is None:
            return None
        value, dimension, written = found
        if dimension != "ratio":
            message = f"{what}: {written.text} of what? a multiple is written with x"
            fix = f"write {written.text}x" if dimension == "plain" else "for example 2x"
            self.findings.error("RG308", written.span, message, fix)
            return None
        if value < 1:
            message = f"{what} {written.text} is below 1x"
            self.findings.error("RG310", written.span, message, "write at least 1x")
            return None
        return value

    def _stop(self, entry: Entry, what: str) -> Stop | None:
        text = self.scalar(entry, what)
        if text is None:
            return None
        match = ATR.fullmatch(text.text)
        nearly = None if match else NEARLY_ATR.fullmatch(text.text)
        if nearly:
            place = text.place(nearly.start("unit"), nearly.end("unit"))
            fix = f"write {nearly['times']} ATR"
            self.findings.error("RG112", place, f"unknown unit '{nearly['unit']}'", fix)
            return None
        if match:
            times = float(match["times"])
            if 0 < times < math.inf:
                return Stop(atr=times)
            self._no_distance(text, what)
            return None
        share = self.share(entry, what, example="5% or 1.5 ATR")
        if share == 0:
            self._no_distance(text, what)
            return None
        return Stop(share=share) if share else None

    def _no_distance(self, text: Scalar, what: str) -> None:
        message = f"{what} {text.text} is no distance"
        self.findings.error("RG304", text.span, message, "for example 5% or 1.5 ATR")

    def _sense(self, found: Actions, entry: Entry) -> None:
        place = entry.node.span
        if found == Actions(exposure_cap=1.0):
            self.findings.warn("RG420", place, "exposure_cap 100% changes nothing", "lower it")
        if found.close == "all" and found.reduce_by is not None:
            message = '"close: all" makes "reduce_by" meaningless'
            self.findings.warn("RG421", place, message, "keep one of the two")

    def reentry(
        self, entry: Entry, cap: float | None, conditions: ConditionReader
    ) -> Reentry | None:
        """Return the ramp after clearing, None when it has a fault."""
        block = self.block(entry.node, REENTRY_KEYS, "reentry", REENTRY)
        if block is None or not self.require(
            block, required(REENTRY_KEYS), entry.key.span, "RG134", '"reentry"', example=REENTRY
        ):
            return None
        start, step = self.share(block["start"], "start"), self.share(block["step"], "step")
        every = self.duration(block["every"], "every")
        condition = conditions.condition(block["while"], clearing=True)
        if start is not None and cap is not None and start > cap:
            message = "the ramp starts above the stage's cap"
            fix = f"start at {cap:.10g} or less".replace(f"{cap:.10g}", f"{cap * 100:.10g}%")
            self.findings.error("RG419", block["start"].node.span, message, fix)
        if step == 0:
            message = "the cap would never rise"
            self.findings.error("RG422", block["step"].node.span, message, "for example 25%")
        if start is None or not step or not every or condition is None:
            return None
        return Reentry(start, step, every, condition, entry.key.span)


def _parted(node: Node) -> tuple[Node, Mapping | None]:
    """Return a block without the plug-ins it asks for, and those where there are any."""
    if not isinstance(node, Mapping):
        return node, None
    named = [one for one in node.items if _is_plugin(one[0])]
    if not named:
        return node, None
    others = tuple(one for one in node.items if not _is_plugin(one[0]))
    return replace(node, items=others), replace(node, items=tuple(named))


def _is_plugin(key: Node) -> bool:
    return isinstance(key, Scalar) and key.text.startswith(PLUGIN)


def _meant(text: str) -> str:
    """Return the action that a text such as "reduce 50%" or "close all" stands for."""
    first, *rest = re.split(r"[\s=:]+", text.strip())
    key = near(text, ACTIONS, SURE) or near(first, ACTIONS, SURE)
    if not key:
        return "exposure_cap: 50%"
    written = rest[-1] if rest else ""
    if key == "close" and written.endswith("%"):  # sell 50%
        key = "reduce_by"
    action = ACTIONS[key]
    value = written if re.match(r"\d", written) else EXAMPLES[action.kind]
    if action.choices:
        value = near(written, action.choices) or EXAMPLES.get(key, action.choices[-1])
    return f"{key}: {value}"


# how the value of an action is written, by its kind or its name
EXAMPLES = {
    "share": "50%",
    "choice": "all",
    "close": "all",
    "truth": "true",
    "multiple": "2x",
    "stop": "5%",
    "text": "...",
}
