"""A YAML file as an editor sees it: typed by YAML 1.1 or 1.2, every key a text, no dates."""

from __future__ import annotations

import re
from typing import Any

import yaml

__all__ = ["LOADERS", "typed"]


LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C is several times faster


class Yaml11(LOADER):
    """As PyYAML types: 75_000 and 16:30 are numbers, yes and off are truths."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the attribute of PyYAML
        first: [one for one in found if not one[0].endswith(("timestamp", "merge"))]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def mapping(self, node: yaml.MappingNode) -> dict[str, Any]:
        return {key.value: self.construct_object(value, deep=True) for key, value in node.value}


class Yaml12(Yaml11):
    """The core schema of YAML 1.2, which most editors follow."""

    yaml_implicit_resolvers: dict[str, list] = {}  # noqa: RUF012 - the attribute of PyYAML


Yaml11.add_constructor("tag:yaml.org,2002:map", Yaml11.mapping)
Yaml12.add_constructor("tag:yaml.org,2002:int", lambda _, node: int(node.value))
Yaml12.add_constructor("tag:yaml.org,2002:float", lambda _, node: float(node.value))
for kind, pattern, first in (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^[-+]?[0-9]+$", list("-+0123456789")),
    ("float", r"^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$", list("-+.0123456789")),
):
    Yaml12.add_implicit_resolver(f"tag:yaml.org,2002:{kind}", re.compile(pattern), first)
LOADERS = {"1.1": Yaml11, "1.2": Yaml12}


def typed(text: str, version: str) -> Any:
    """Return what an editor of that version of YAML makes of a text."""
    return yaml.load(text, Loader=LOADERS[version])
