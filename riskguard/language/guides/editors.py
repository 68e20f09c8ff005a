"""The JSON Schema (draft-07) by which editors complete, explain and check a rule file.

It is made from the key tables. It takes whatever the reader takes and refuses what is wrong in
structure; what a line means only `riskguard check` knows. No value is offered several schemas:
with `oneOf` and `anyOf` editors say "matches multiple schemas".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from riskguard.language.guides.shapes import ONE_NAME, SHAPES, Schema, ref
from riskguard.language.joining.addresses import INNER, KEYS, SECTIONS, SINGLE
from riskguard.language.schema import BLOCKS, ONE_OF, RULE_KEYS, TOLD, WRITTEN, required
from riskguard.plugins import NAME

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from riskguard.language.schema import Key

__all__ = ["editor_schema", "schema_text"]

# what stands in place of a block: a line for a condition, a bare number for a parameter
INSTEAD: Mapping[str, str] = {"condition": "line", "parameter": "figure"}
# kinds whose values need no word on how they are written
PLAIN = frozenset({"text", "word", "choice", *BLOCKS}) - {
    "actions",
    "condition",
    "during",
    "reentry",
}
_PLUGIN = rf"^plugin\.{NAME.pattern}$"


def schema_text() -> str:
    """Return the schema as it stands in `rules/riskguard-1.json`."""
    return json.dumps(editor_schema(), indent=2) + "\n"


def editor_schema() -> Schema:
    """Return the schema of a rule file of version 1."""
    rules = {"required": ["rules"], "properties": {"rules": {"minProperties": 1}}}
    stages = {"required": ["stages"], "properties": {"stages": {"minItems": 1}}}
    missing = 'nothing to guard: add a rule under "rules:"'
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$comment": "Rules of riskguard, version 1, for editors. Made by: riskguard schema",
        **_block("file"),
        "if": {"not": {"anyOf": [{"required": ["extends"]}, rules, stages]}},
        "then": {**rules, "errorMessage": missing},
        "definitions": {name: _block(name) for name in BLOCKS if name != "file"},
    }


def _block(name: str) -> Schema:
    """Return the schema of a block of keys."""
    keys = BLOCKS[name]
    found: Schema = {"type": "object"}
    if name in INSTEAD:
        shape = SHAPES[INSTEAD[name]]
        types = shape["type"] if isinstance(shape["type"], list) else [shape["type"]]
        found = {
            "type": [*types, "object"],
            "pattern": shape["pattern"],
            "patternErrorMessage": shape["errorMessage"],
        }
    found["properties"] = {word: _described(key) for word, key in keys.items()}
    found["additionalProperties"] = False
    if name == "actions":
        found["minProperties"] = 1
        found["patternProperties"] = {_PLUGIN: {"description": TOLD, **SHAPES["text"]}}
    if needed := required(keys):
        found["required"] = list(needed)
    if needs := {word: [key.needs] for word, key in keys.items() if key.needs}:
        found["dependencies"] = needs
    if name in ONE_OF:
        found["allOf"] = list(_exactly_one(ONE_OF[name]))
    return found


def _exactly_one(keys: tuple[str, ...]) -> Iterator[Schema]:
    """Yield what makes one of the keys, and only one, stand in a block."""
    named = ", ".join(keys)
    yield {
        "if": {"not": {"anyOf": [{"required": [key]} for key in keys]}},
        "then": {"required": [keys[0]], "errorMessage": f"one of these keys is missing: {named}"},
    }
    for place, key in enumerate(keys[:-1], 1):
        message = f'"{key}" is there already: only one of {named}'
        others = dict.fromkeys(keys[place:], False)
        yield {
            "if": {"required": [key]},
            "then": {"properties": others, "errorMessage": message},
        }


def _described(key: Key) -> Schema:
    """Return the schema of what stands under a key, with the help that an editor shows."""
    written = "" if key.kind in PLAIN else f"Write {WRITTEN[key.kind]}."
    default = f"Default: {key.default}." if key.default else ""
    return {
        "description": " ".join(part for part in (key.help, written, default) if part),
        **_shape(key),
    }


def _shape(key: Key) -> Schema:
    if key.kind == "choice":
        return {"enum": [*map(int, filter(str.isdigit, key.choices)), *key.choices]}
    if key.kind == "guards":
        enough = {"enum": list(key.choices)}
        return {**SHAPES["guards"], "if": {"type": "array"}, "else": enough}
    if key.kind == "override":
        return _addresses()
    return {"allOf": [ref(key.kind)]} if key.kind in BLOCKS else SHAPES[key.kind]


def _addresses() -> Schema:
    """Return what may stand at each address of `override`."""
    # names of inputs have dots of their own: which key is meant is seen by the reader alone
    found: dict[str, Schema] = {r"^inputs\..+$": {}, rf"^define\.{ONE_NAME}$": ref("condition")}
    for section, block in (("params", "parameter"), ("rules", "rule"), ("stages", "stage")):
        own = rf"^{section}\.{ONE_NAME}"
        # the name of a stage may stand in its address alone
        found[f"{own}$"] = {"type": "object"} if block == "stage" else ref(block)
        for key in KEYS[section]:
            found[rf"{own}\.{key}$"] = ref(block, "properties", key)
    found[rf"^params\.{ONE_NAME}\.by_source\..+$"] = SHAPES["figure"]
    for key, words in INNER.items():
        block = RULE_KEYS[key].kind
        for word in words:
            address = rf"^(?:rules|stages)\.{ONE_NAME}\.{key}\.{word}$"
            found[address] = ref(block, "properties", word)
        if block == "actions":
            found[rf"^(?:rules|stages)\.{ONE_NAME}\.{key}\.{_PLUGIN[1:]}"] = SHAPES["text"]
    return {
        "type": "object",
        "properties": {key: {"$ref": f"#/properties/{key}"} for key in SINGLE},
        "patternProperties": found,
        "additionalProperties": False,
        "errorMessage": f"no such address; one begins with {', '.join(SECTIONS)}",
    }
