from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import riskguard

ROOT = Path(__file__).resolve().parents[1]
HEAVY = {
    "numpy", "pandas", "yaml", "backtrader", "ta", "typer", "rich", "asyncio", "sqlite3",
}  # fmt: skip
FEW = 119
# the package each imports, late
ADAPTERS = {
    "backtesting": "backtesting", "backtrader": "backtrader", "ccxt": "ccxt",
    "freqtrade": "freqtrade", "hummingbot": "hummingbot", "jesse": "jesse",
    "nautilus": "nautilus_trader", "vectorbt": "vectorbt",
}  # fmt: skip


def loaded_by(statement: str) -> set[str]:
    """Return what a fresh interpreter has loaded, without what the machine loads at each start."""
    code = f"import site, sys; sys.path[:] = {['', *sys.path]}"
    code += f"; {statement}; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_import_riskguard_reaches_nothing_heavy() -> None:
    modules = loaded_by("import riskguard")
    assert not HEAVY & {name.partition(".")[0] for name in modules}
    assert len(modules) <= FEW


@pytest.mark.parametrize("name", riskguard.__all__)
def test_each_name_of_the_face_is_there_alone_in_a_fresh_interpreter(name: str) -> None:
    assert "riskguard" in loaded_by(f"from riskguard import {name}")


def test_a_name_that_is_not_on_the_face_is_refused() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        riskguard.nothing  # noqa: B018 - to look is enough


@pytest.mark.parametrize("module", ["engine.guard", "engine.gate", "market", "errors"])
def test_the_core_is_standard_library(module: str) -> None:
    modules = loaded_by(f"import riskguard.{module}")
    own = {name for name in modules if not name.startswith("riskguard")}
    assert {name.partition(".")[0] for name in own} <= sys.stdlib_module_names | {"__main__"} | {
        name for name in own if name.startswith(("_", "sitecustomize"))
    }


def test_help_loads_no_room() -> None:
    modules = loaded_by("import riskguard.cli.app")
    assert not {"numpy", "pandas", "backtrader", "yaml", "rich"} & modules


def test_the_room_of_the_adapters_loads_none_of_them() -> None:
    modules = loaded_by("import riskguard.adapters")
    assert not HEAVY & {name.partition(".")[0] for name in modules}
    assert not [name for name in modules if name.startswith("riskguard.adapters.")]
    assert len(modules) <= FEW + 1


@pytest.mark.parametrize("name", sorted(ADAPTERS))
def test_a_door_opens_without_its_framework_and_to_no_other_adapter(name: str) -> None:
    modules = loaded_by(f"import riskguard.adapters.{name}")
    assert not {"numpy", "pandas", ADAPTERS[name]} & {word.partition(".")[0] for word in modules}
    others = {f"riskguard.adapters.{other}" for other in ADAPTERS if other != name}
    assert not others & modules


def test_every_adapter_opens_so() -> None:
    folders = {path.parent.name for path in (ROOT / "riskguard/adapters").glob("*/__init__.py")}
    assert folders == {*ADAPTERS, "shared"}
