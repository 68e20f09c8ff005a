"""The example of an adapter of one's own passes the contract, and its page says how it is made."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import riskguard.adapters
from riskguard.engine.events import KINDS
from riskguard.testing import AdapterContract, Harness
from tests.testing.test_kit_adapter import failed

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "own_adapter"
PAGE = (ROOT / "docs" / "adapters.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
OURS = [path.read_text(encoding="utf-8") for path in sorted(EXAMPLE.glob("*.py"))]
ENDED = re.compile(r"(?:(\d+) failed, )?(\d+) passed, (\d+) skipped")


def ran(folder: Path) -> tuple[int, int, int, str]:
    """Run its tests as the page says; return how many failed, passed, were skipped, and all."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "test_contract.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    told = ENDED.search(done.stdout)
    assert told, done.stdout + done.stderr
    return int(told[1] or 0), int(told[2]), int(told[3]), done.stdout


def test_the_example_passes_all_but_what_its_exchange_cannot_do() -> None:
    failed, passed, skipped, said = ran(EXAMPLE)
    assert (failed, skipped) == (0, 3), said
    assert passed >= 29
    assert "the framework has no brackets" in said
    assert "the framework has one net position" in said
    assert "no equity is told" in said


@pytest.fixture
def harness(tmp_path, monkeypatch) -> Iterator[Callable[[str, str], Any]]:
    """Return what makes the harness around the adapter with something in it changed."""
    names = ("exchange", "adapter", "test_contract")

    def made(right: str, wrong: str) -> Any:
        shutil.copytree(EXAMPLE, tmp_path / "own")
        path = tmp_path / "own" / "adapter.py"
        text = path.read_text(encoding="utf-8")
        assert text.count(right) == 1
        path.write_text(text.replace(right, wrong), encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path / "own")
        return import_module("test_contract").Own

    yield made
    for name in names:
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("right", "wrong", "seen"),
    [
        ("return exit_alone(asked, error)", "raise", "a_broken_guard_lets_nothing_in"),
        ("tuple(self.venue.pending(SYMBOL))", "()", "two_exits_in_one_bar"),
        ("self.exchange.order(order.side, order.quantity, name=order.ref)", "order.ref", "a_cap"),
        ('log.warning("riskguard: %s %g', 'log.debug("%s %g', "a_denial_is_told"),
    ],
)
def test_an_adapter_with_a_fault_fails_it(right, wrong, seen, harness) -> None:
    checks = [name for name in dir(AdapterContract) if name.startswith("test_")]
    found = failed(harness(right, wrong), tuple(checks))
    assert any(seen in name for name in found), found


@pytest.mark.parametrize("block", BLOCKS)
def test_what_the_page_shows_stands_in_the_example(block: str) -> None:
    assert any(block in text for text in OURS)


def test_the_page_names_every_kind_of_event_with_its_fields() -> None:
    rows = dict(re.findall(r"^\| (`[a-z_`, ]+`) \|(.*)\|$", PAGE, re.MULTILINE))
    told = {kind: row for kinds, row in rows.items() for kind in re.findall(r"`(\w+)`", kinds)}
    for kind, form in KINDS.items():
        fields = {*form.must, *form.one_of, *form.may}
        missing = [one for one in fields if f"`{one}`" not in told[kind]]
        assert not missing, f"{kind}: {missing}"


def test_the_page_names_every_call_of_a_harness_and_all_that_is_handed_out() -> None:
    calls = {name for name in vars(Harness) if not name.startswith("_")}
    assert {name for name in calls if f"`{name}" not in PAGE} == set()
    for name in ("Memory", "Order", "enforce", "enforce_async", "exit_alone", "Offline"):
        assert name in riskguard.adapters.__all__
        assert name in PAGE


def test_what_is_handed_out_is_there() -> None:
    for name in riskguard.adapters.__all__:
        assert getattr(riskguard.adapters, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        riskguard.adapters.nothing  # noqa: B018 - asking is the test
