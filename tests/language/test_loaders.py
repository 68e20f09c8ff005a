"""The loader in C and the one in Python give the same tree, places and diagnostics."""

from __future__ import annotations

import pytest
import yaml

from riskguard.language import source
from riskguard.language.reader import read_text
from riskguard.language.source import Listing, Mapping, Node, Scalar, compose
from tests.counts import counts
from tests.language.hostile import HOSTILE
from tests.language.test_diagnostics import MISTAKES
from tests.language.typos import PACKS, typos

# what the loader in Python reads too slowly for `make test`
SMALL = [name for name in HOSTILE if len(HOSTILE[name]()) < 100_000]


def shape(node: Node | None) -> object:
    """Return a tree with everything that a node says of itself."""
    if isinstance(node, Scalar):
        return node.text, node.style, node.span
    if isinstance(node, Mapping):
        return "block", tuple((shape(key), shape(value)) for key, value in node.items), node.span
    if isinstance(node, Listing):
        return "list", tuple(map(shape, node.items)), node.flow, node.span
    return None


def composed(text: str, name: str, loader: object, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(source, "LOADER", loader)
    root, found = compose(text, name)
    return shape(root), found.sorted()


def same(text: str, name: str, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Say whether both loaders compose the same; what is read from a tree is then the same."""
    fast = composed(text, name, yaml.CSafeLoader, monkeypatch)
    slow = composed(text, name, source.PythonLoader, monkeypatch)
    assert fast == slow, f"{name}: {text[-200:]!r}"
    return True


@pytest.mark.parametrize("pack", PACKS, ids=lambda path: path.stem)
def test_a_pack_is_the_same_to_both(pack, monkeypatch: pytest.MonkeyPatch):
    text = pack.read_text(encoding="utf-8")
    assert same(text, str(pack), monkeypatch)
    monkeypatch.setattr(source, "LOADER", yaml.CSafeLoader)
    fast = read_text(text, str(pack))
    monkeypatch.setattr(source, "LOADER", source.PythonLoader)
    slow = read_text(text, str(pack))
    assert fast == slow
    assert fast[0] is not None
    assert fast[0].hash == slow[0].hash


def test_every_mistake_is_the_same_to_both(monkeypatch: pytest.MonkeyPatch):
    assert all(same(one.text, "rules.yaml", monkeypatch) for one in MISTAKES)


@pytest.mark.parametrize("name", SMALL)
def test_a_hostile_text_is_the_same_to_both(name: str, monkeypatch: pytest.MonkeyPatch):
    text = HOSTILE[name]().decode(errors="surrogateescape")
    assert same(text, "rules.yaml", monkeypatch)


@counts(300, 2_000)
def test_a_typo_is_the_same_to_both(count: int, measured, monkeypatch: pytest.MonkeyPatch):
    read = sum(same(text, str(pack), monkeypatch) for pack, text in typos(count, seed=1976))
    measured(f"{read:,} typos: trees, places and diagnostics of both loaders are the same")
