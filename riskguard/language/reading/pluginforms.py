"""The long form of a measure of a plug-in: `plugin.NAME: {window: 1h, above: 0.7}`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from riskguard.language.findings import LineError
from riskguard.language.reading.blocks import BlockReader, Entry
from riskguard.language.source import Mapping, Scalar

if TYPE_CHECKING:
    from riskguard.language.source import Node

__all__ = ["PluginFormReader"]

PLUGIN = "plugin."
BOUNDS = {"above": ">", "at_least": ">=", "at_most": "<=", "below": "<"}


class PluginFormReader(BlockReader):
    """Writes the long forms of plug-ins as lines."""

    def plugged(self, node: Mapping) -> Mapping | None:
        """Return a condition with `plugin.NAME: {above: 1}` as the line it stands for."""
        found: list[tuple[Node, Node]] = []
        for key, value in node.items:
            if isinstance(key, Scalar) and key.text.startswith(PLUGIN):
                line = self._plugin_line(Entry(key, value))
                if line is None:
                    return None
                found.append((replace(key, text="is"), line))
            else:
                found.append((key, value))
        return replace(node, items=tuple(found))

    def _plugin_line(self, entry: Entry) -> Scalar | None:
        from riskguard.plugins import PluginError, load  # noqa: PLC0415 - rarely needed

        called = entry.key.text
        try:
            load("measures", called.removeprefix(PLUGIN))
        except PluginError as error:
            fault = LineError(error.code, 0, len(called), error.message, error.fix)
            self.scope.fail(fault, entry.key)
            return None
        given: list[str] = []
        bounds: list[str] = []
        for one in self.entries(entry.node, called) or ():
            text = self.text(one, one.key.text)
            if one.key.text in BOUNDS:
                bounds.append(f"{BOUNDS[one.key.text]} {text}")
            else:
                given.append(f"{one.key.text}={text}")
        if len(bounds) != 1:
            message = f"'{called}' needs one of {', '.join(BOUNDS)}"
            fix = f"for example {called}: {{above: 0.7}}"
            self.findings.error("RG134", entry.key.span, message, fix)
            return None
        text = f"{called}({', '.join(given)}) {bounds[0]}"
        return Scalar(text, entry.key.span, whole=True)
