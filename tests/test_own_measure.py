"""The example of plug-ins of one's own: installed by pip, used by the commands, as it says."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "own_measure"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that the example was installed into, without a network."""
    folder = tmp_path_factory.mktemp("own")
    source, target = folder / "source", folder / "site"
    shutil.copytree(EXAMPLE, source)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    install += ["--no-build-isolation", "--no-deps", "--no-index", "--target", str(target)]
    done = subprocess.run(
        [*install, str(source)], capture_output=True, text=True, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return target


def ran(
    site: Path, *words: str, program: str = "", **more: str
) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT), str(site)])
    return subprocess.run(
        [sys.executable, *([program] if program else ["-m", "riskguard"]), *words],
        cwd=EXAMPLE,
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", **more},
        capture_output=True,
        text=True,
        check=False,
    )


class Live:
    """The bot of the example with its files, in a folder; `minutes` writes what the feed reads."""

    def __init__(self, site: Path, folder: Path) -> None:
        self.site, self.folder = site, folder
        self.files = {"OWN_TICKS": str(folder / "ticks.csv"), "OWN_LOGBOOK": str(folder / "log")}
        self.now = int(time.time()) // 60 * 60

    def minutes(self, *moods: float) -> None:
        """Let minutes have ended until now, the last of them at the last mood."""
        first = self.now - 60 * (len(moods) - 1)
        lines = (f"{first + 60 * n},100,101,99,100,{mood}\n" for n, mood in enumerate(moods))
        (self.folder / "ticks.csv").write_text("".join(lines))

    def bot(self, until: str) -> str:
        """Run the bot until it says something, and end it as Ctrl-C does."""
        words = ["bot.py", "--state", str(self.folder / "state"), "--for", "90"]
        path = os.pathsep.join([str(ROOT), str(self.site)])
        given = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", **self.files}
        with subprocess.Popen(
            [sys.executable, *words], cwd=EXAMPLE, env=given, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            said = next((line for line in process.stdout if until in line), "")
            process.send_signal(signal.SIGINT)
            process.stdout.read()
        assert process.returncode == 0
        return said

    def command(self, *words: str) -> str:
        done = ran(self.site, *words, **self.files)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @property
    def logged(self) -> list[dict[str, object]]:
        lines = Path(self.files["OWN_LOGBOOK"]).read_text().splitlines()
        return [json.loads(line) for line in lines]


ASKED = re.findall(r"^\$ riskguard (.+)$", (EXAMPLE / "README.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize("line", ASKED)
def test_what_the_readme_says_runs(site: Path, line: str) -> None:
    done = ran(site, *line.split())
    assert done.returncode == 0, done.stdout + done.stderr
    shown = {
        "check": "0 errors, 0 warnings in 1 file",
        "test": "3 of 3 cases passed",
        "backtest": "bruised",
    }
    assert shown[line.partition(" ")[0]] in done.stdout


@pytest.mark.parametrize("line", ASKED)
def test_nothing_of_it_runs_where_it_is_not_allowed(site: Path, line: str) -> None:
    words = line.replace("--allow-plugin ulcer ", "").split()
    assert len(words) == len(line.split()) - 2
    done = ran(site, *words)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "RG608] plug-in 'ulcer' is not allowed here" in done.stdout + done.stderr


def test_live_equals_the_backtest(site: Path) -> None:
    done = ran(site, "verify", "--allow-plugin", "ulcer", "rules.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "equals the backtest at all 558 bars" in done.stdout


def test_a_bot_is_fed_by_the_feed_and_tells_the_logbook_once(site: Path, tmp_path: Path) -> None:
    live = Live(site, tmp_path)
    live.minutes(60, 60, 60, 10)
    assert live.bot("gloom") == "CAUTION gloom\n"
    (told,) = live.logged
    assert told["id"] == f"plugin.logbook:BTC:gloom:{live.now}000000000"
    assert (told["rule"], told["text"]) == ("gloom", "the mood is gone")
    assert told["exposure_cap"] == 0.5
    assert "gloom" in live.bot("gloom")  # started again: the rule is on, and has been told
    assert len(live.logged) == 1
    state = str(tmp_path / "state")
    shown = " ".join(live.command("status", "--allow-plugin", "logbook", state).split())
    assert f"told {told['id']}: done" in shown
    checked = live.command("replay", "--allow-plugin", "logbook", state, "--check")
    assert "every decision is the one that was stored" in checked
    gone = ran(site, "status", state, **live.files)
    assert gone.returncode == 1
    assert "plug-in 'logbook' is not allowed here" in gone.stdout + gone.stderr


def test_the_feed_is_recorded_and_the_recording_fits_the_rules(site: Path, tmp_path: Path) -> None:
    live, out = Live(site, tmp_path), str(tmp_path / "recorded")
    live.minutes(*[60.0] * 10, *[10.0] * 10, *[60.0] * 10)
    words = ["record", "--feed", "ticks", "--symbol", "BTC/USDT", "--out", out, "--for", "5s"]
    shown = live.command(*words, "--allow-plugin", "ticks")
    assert f"recording BTC/USDT of ticks into {out}" in shown
    assert "BTC-1m.csv +30, BTC-mood-1m.csv +30" in shown
    asked = ["backtest", "--allow-plugin", "logbook", "--rules", "live.yaml", "--data", out]
    found = live.command(*asked)
    assert "data: vendor (bars of BTC, mood)" in found
    assert "gloom: mood 10 <= 20" in found
    assert not Path(live.files["OWN_LOGBOOK"]).exists()  # a backtest calls nobody
    refused = ran(site, *words, **live.files)
    assert refused.returncode == 1
    assert "plug-in 'ticks' is not allowed here" in refused.stderr


def test_a_feed_whose_file_is_missing_is_told_of(site: Path, tmp_path: Path) -> None:
    files = Live(site, tmp_path).files
    done = ran(site, "--state", str(tmp_path / "state"), "--for", "5", program="bot.py", **files)
    assert (done.returncode, done.stderr) == (0, "")
    assert "feed ticks: FileNotFoundError" in done.stdout
