"""The same decisions, byte for byte: backtest, library, live, replay; any hash seed; any Python."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from riskguard.engine.compile import compile_rules
from riskguard.history import History
from riskguard.history.columns import Columns
from riskguard.history.embedded import scenarios
from riskguard.language.binding import sourced
from riskguard.shipped import shipped
from tests.counts import counts
from tests.engine.parity import (
    WIDE,
    Case,
    by_events,
    by_samples,
    digest,
    drawn_market,
    line,
    rules,
)
from tests.sim.drawn import Rules

ROOT = Path(__file__).parents[2]
PACKS = sorted(
    path.stem for path in shipped("rules").glob("*.yaml") if not path.stem.endswith("_test")
)
OTHERS = ("3.12", "3.13")
BARS = 240


def drawn(seed: int) -> Case:
    """Draw rules over a market."""
    dice = random.Random(seed)
    while True:
        made = Rules(dice, WIDE)
        made.body.pop("evaluate", None)  # columns stand at closes
        case = Case(f"seed {seed}", made.text, {}, *drawn_market(dice, BARS))
        try:
            rules(case)
        except AssertionError:
            continue
        return case


@cache
def on_scenario(pack: str, scenario: str) -> Case:
    """Return a pack over a shipped scenario."""
    history = History.read(scenario)
    text = (shipped("rules") / f"{pack}.yaml").read_text(encoding="utf-8")
    if not re.search("^symbol:", text, re.MULTILINE):
        text = text.replace("version: 1\n", f"version: 1\nsymbol: {history.symbol}\n")
    sources = {key: one for key, one in history.sources().items() if one}
    samples = [tuple(one) for one in history.samples()]
    return Case(f"{pack} on {scenario}", text, sources, samples, {})


def by_columns(case: Case) -> list[str]:
    """Return the log that columns lead to, as a preloaded backtest has it."""
    plan = compile_rules(sourced(rules(case), case.sources))
    told: dict[str, tuple[list[int], list[float]]] = {}
    symbol = plan.ruleset.symbol or "BTC"
    for ts, owner, values in case.samples:
        for name, value in values.items():
            key = name if owner in {symbol, "*"} else f"{owner}.{name}"
            times, numbers = told.setdefault(key, ([], []))
            times.append(ts)
            numbers.append(value)
    arrays = {key: (np.array(at, np.int64), np.array(of)) for key, (at, of) in told.items()}
    closes = arrays["close"][0]
    table = Columns(plan, arrays, closes[closes % plan.every == 0], symbol)
    changes, found = set(table.changes().tolist()), []
    for number, now in enumerate(table.now.tolist()):
        if number in changes:
            decision = table.decision(number)
        found.append(line(now, decision))
    return found


def agree(case: Case) -> int:
    """Check that three ways lead to one log; return how many decisions it holds."""
    wanted = by_samples(case)
    for way in (by_events, by_columns):
        found = way(case)
        assert len(found) == len(wanted), (case.name, way.__name__)
        for number, (one, two) in enumerate(zip(found, wanted, strict=True)):
            assert one == two, (case.name, way.__name__, number)
    return len(wanted)


@pytest.mark.parametrize("scenario", scenarios())
@pytest.mark.parametrize("pack", PACKS)
def test_a_shipped_scenario_is_decided_alike_by_column_by_sample_and_by_event(
    pack: str, scenario: str, measured: Callable[[str], None]
) -> None:
    made = agree(on_scenario(pack, scenario))
    measured(f"{pack} on {scenario}: {made:,} decisions, three logs equal")


@counts(60, 10_000)
def test_random_rules_are_decided_alike_by_column_by_sample_and_by_event(
    count: int, measured: Callable[[str], None]
) -> None:
    made = 0
    for seed in range(count):
        made += agree(drawn(seed))
    measured(f"{count:,} random rule sets: {made:,} decisions, three logs equal")


# ---------------------------------------------------------------- any hash seed, any Python


@cache
def python(version: str) -> str:
    """Return where another Python lies, "" where there is none."""
    places = [shutil.which(f"python{version}")]
    if pyenv := shutil.which("pyenv"):
        listed = subprocess.run(
            [pyenv, "versions", "--bare"], capture_output=True, text=True, check=False
        )
        for name in listed.stdout.split():
            if name.startswith(f"{version}."):
                where = subprocess.run(
                    [pyenv, "prefix", name], capture_output=True, text=True, check=False
                )
                places.append(f"{where.stdout.strip()}/bin/python")
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    for place in filter(None, places):
        try:
            said = subprocess.run([place, "-c", ask], capture_output=True, text=True, check=False)
        except OSError:
            continue
        if said.stdout.strip() == version:
            return place
    return ""


def bare() -> dict[str, str]:
    """Return the variables of this process without what another Python must not find."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}


def done(*command: str) -> bool:
    """Say whether a command ended well within ten minutes: an index may be slow, or not there."""
    try:
        ran = subprocess.run(command, capture_output=True, check=False, timeout=600, env=bare())
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ran.returncode == 0


@pytest.fixture(scope="session")
def with_yaml(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[str]]:
    """Return what runs another Python that has PyYAML: its own, or one of a folder made for it."""
    folder = tmp_path_factory.mktemp("pythons")

    def made(version: str) -> list[str]:
        place = python(version)
        if not place:
            pytest.skip(f"Python {version} is not installed")
        if not done(place, "-c", "import yaml"):
            home = folder / version
            own = str(home / "bin" / "python")
            if not (
                done(place, "-m", "venv", str(home))
                and done(own, "-m", "pip", "install", "-q", "pyyaml")
            ):
                pytest.skip(f"Python {version} has no PyYAML and none could be installed")
            place = own
        return [place]

    return made


@cache
def cases(count: int) -> list[Case]:
    """Return every pack over every shipped scenario, and as many random rules over a market."""
    made = [on_scenario(pack, scenario) for pack in PACKS for scenario in scenarios()]
    return made + [drawn(seed) for seed in range(count)]


@cache
def logs(count: int) -> dict[str, str]:
    """Return the hash of the log of each of them, as the library decides in this process."""
    return {case.name: digest(by_samples(case)) for case in cases(count)}


def told(
    command: list[str], count: int, folder: Path, *words: str, **environment: str
) -> tuple[str, int]:
    """Ask a Python for its logs, which must be ours; return who answered, and how many."""
    path = folder / "cases.json"
    path.write_text(json.dumps(cases(count)), encoding="utf-8")
    ran = subprocess.run(
        [*command, "-m", "tests.engine.parity", str(path), *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=bare() | {"PYTHONDONTWRITEBYTECODE": "1"} | environment,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    version, found = json.loads(ran.stdout)
    ways = 5 if "columns" in words else 4
    assert found == {name: [one] * ways for name, one in logs(count).items()}
    return version, ways * len(found)


@pytest.mark.parametrize("seed", ["0", "1", "random"])
@counts(8, 200)
def test_no_hash_seed_changes_a_log(
    seed: str, count: int, tmp_path: Path, measured: Callable[[str], None]
) -> None:
    _, found = told([sys.executable], count, tmp_path, "columns", PYTHONHASHSEED=seed)
    measured(f"PYTHONHASHSEED {seed}: {found:,} logs by backtest, library, live and replay, equal")


@pytest.mark.parametrize("version", OTHERS)
@counts(8, 200)
def test_no_other_python_changes_a_log(
    version: str, count: int, tmp_path: Path, with_yaml, measured: Callable[[str], None]
) -> None:
    answered, found = told(with_yaml(version), count, tmp_path, PYTHONHASHSEED="0")
    assert answered.startswith(version)
    measured(f"Python {answered}: {found:,} logs by library, live and replay, as of this Python")
