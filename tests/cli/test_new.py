from __future__ import annotations

import io
import itertools
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from riskguard.cli.failures import WrongUse
from riskguard.cli.new_answers import action, every, held, longest, others, price, support, then
from riskguard.cli.new_cases import cases_text
from riskguard.cli.new_rules import Answers, rules_text
from riskguard.language.guides.editors import editor_schema
from riskguard.language.reader import read_rules
from riskguard.market import DAY, HOUR, MINUTE
from riskguard.testing.cases import Cases
from riskguard.testing.coverage import coverage
from riskguard.testing.judging import judge
from riskguard.testing.mutation import mutate
from riskguard.testing.reader import read_cases
from tests.language.typed import LOADERS, typed

PRICES = [(75_000.0, 0), (0.5213, 0), (1.2e-5, 0), (None, 7 * DAY), (None, 21 * DAY)]
BARS = [15 * MINUTE, HOUR, 8 * HOUR, 12 * HOUR, DAY]


def written(folder: Path, answers: Answers) -> Cases:
    (folder / "r.yaml").write_text(rules_text(answers))
    (folder / "r_test.yaml").write_text(cases_text(answers, "r.yaml"))
    assert read_rules(folder / "r.yaml")[1] == []
    cases, found = read_cases(folder / "r_test.yaml")
    assert cases is not None
    assert found == []
    return cases


def failures(cases: Cases) -> list[str]:
    return [one.message for case in cases.cases for one in judge(cases, case).failures]


# ---------------------------------------------------------------- what is written


@pytest.mark.parametrize("cap", [0.0, 0.4, 1.0], ids=["flatten", "cut", "block"])
@pytest.mark.parametrize("also", list(itertools.product([False, True], repeat=2)))
@pytest.mark.parametrize(
    ("level", "lookback"), [(75_000.0, 0), (None, 20 * DAY)], ids=["price", "low"]
)
def test_every_answer_gives_rules_whose_test_kills_every_mutant(
    tmp_path: Path, level: float | None, lookback: int, also: tuple[bool, bool], cap: float
) -> None:
    answers = Answers("BTC", level, lookback, *also, cap)
    cases = written(tmp_path, answers)
    assert failures(cases) == []
    assert [one.line.text for one in coverage(cases) if not one.whole] == []
    score = mutate(cases)
    assert score.all >= 7
    assert score.survivors == ()


@pytest.mark.parametrize("bar", BARS, ids=lambda bar: f"{bar // MINUTE}m")
@pytest.mark.parametrize(("level", "lookback"), PRICES)
def test_test_holds_for_every_bar_and_price(
    tmp_path: Path, level: float | None, lookback: int, bar: int
) -> None:
    for back in (bar, longest(bar)):
        answers = Answers("ETH", level, lookback, True, True, 0.4, back, bar)
        cases = written(tmp_path, answers)
        assert failures(cases) == []
        assert [one.line.text for one in coverage(cases) if not one.whole] == []


def test_daily_bars_leave_few_mutants_alive(tmp_path: Path) -> None:
    answers = Answers("BTC", 75_000.0, 0, True, True, 0.4, longest(DAY), DAY)
    assert mutate(written(tmp_path, answers)).share >= 0.8


@pytest.mark.parametrize("level", [(75_000.0, 0), (1.2e-5, 0), (None, 20 * DAY)])
def test_an_editor_has_nothing_against_what_is_written(level: tuple[float | None, int]) -> None:
    validator = Draft7Validator(editor_schema())
    for cap in (0.0, 0.4, 1.0):
        text = rules_text(Answers("ETH", *level, True, True, cap))
        for version in LOADERS:
            assert [one.message for one in validator.iter_errors(typed(text, version))] == []


# ---------------------------------------------------------------- answers


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("75_000", ("BTC", 75_000.0, 0)),
        ("$75k", ("BTC", 75_000.0, 0)),
        ("75,000", ("BTC", 75_000.0, 0)),
        ("eth 2_200", ("ETH", 2_200.0, 0)),
        ("low(20d)", ("BTC", None, 20 * DAY)),
        ("SOL low of 4 weeks", ("SOL", None, 28 * DAY)),
        ("the lowest of 10 days", ("BTC", None, 10 * DAY)),
    ],
)
def test_price_is_read_in_the_words_of_a_trader(text: str, found: tuple[Any, ...]) -> None:
    assert price(text, "BTC") == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("40%, 3d", (0.4, 3 * DAY)),
        ("cut to 25% after 36 hours", (0.25, 36 * HOUR)),
        ("block", (1.0, None)),
        ("flatten, 1w", (0.0, 7 * DAY)),
        ("3 days", (None, 3 * DAY)),
    ],
)
def test_action_and_time_may_be_said_alone_or_together(text: str, found: tuple[Any, ...]) -> None:
    assert then(text, 4 * HOUR) == found


@pytest.mark.parametrize(
    ("read", "text", "message", "fix"),
    [
        (support, "5%", "'5%' is no price", "75_000, or low(20d)"),
        (support, "0", "a price of 0 cannot be", "75_000"),
        (support, "-5", "a price of -5 cannot be", "75_000"),
        (support, "75.000", "75.000 is 75: decimals follow a point", "75_000 for thousands"),
        (support, "low(3d)", "whole days from 7 to 60", "low(20d)"),
        (support, "low(20x)", "low of 20x is no time", "low(20d)"),
        (lambda text: price(text, "BTC"), "BTCUSDT 5", "BTCUSDT is a pair", "write BTC"),
        (lambda text: price(text, "BTC"), "B-C 5", "'B-C' is no symbol", "letters and digits"),
        (lambda text: price(text, "BTC"), "ETH", "ETH, and which price of it", "ETH low(20d)"),
        (others, "oy", "'oy' cannot be watched here", "known: liquidations, nothing, oi"),
        (others, "oi, nothing", "can be read in two ways", "or nothing"),
        (others, ",", "nothing was said", "oi, liquidations"),
        (action, "40", "40 of what? a share is written with %", "write 40%"),
        (action, "0%", "0% of a position is none", "write flatten"),
        (action, "100%", "100% would change nothing", "flatten"),
        (action, "3x", "'3x' is no share of a position", "40%"),
        (action, "sell", "'sell' is nothing that can be done", "block or flatten"),
        (lambda text: then(text, HOUR), "40%, 50%", "is not one action and one time", "40%, 3d"),
        (lambda text: held(text, 4 * HOUR), "1h", "1h is too short", "from 4h to 7d"),
        (lambda text: held(text, DAY), "7d", "7d is too long", "from 1d to 6d"),
        (lambda text: held(text, DAY), "soon", "'soon' is no time", "from 1d to 6d"),
        (every, "5h", "a day must divide into such bars", "4h"),
        (every, "5m", "a day must divide into such bars", "15m"),
        (every, "4", "every 4 is no time", "4h"),
    ],
)
def test_answer_that_cannot_be_used_says_what_to_write(
    read: Callable[[str], object], text: str, message: str, fix: str
) -> None:
    with pytest.raises(WrongUse) as refused:
        read(text)
    assert message in refused.value.message
    assert fix in refused.value.fix


# ---------------------------------------------------------------- the command


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_three_questions_are_asked_and_bad_answers_asked_again(
    riskguard: Callable[..., Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "ETH 2_200\n\nflaten\nflatten\n"
    monkeypatch.setattr(sys, "stdin", Terminal(said))
    done = riskguard("new")
    assert (done.code, done.err) == (0, "")
    asked = [line[:6] for line in done.out.splitlines() if " of 3. " in line]
    assert asked == ["1 of 3", "2 of 3", "3 of 3"]
    assert "'flaten' is nothing that can be done; write 40%" in done.out
    assert names(folder) == ["my-rules.yaml", "my-rules_test.yaml"]
    text = (folder / "my-rules.yaml").read_text()
    assert "symbol: ETH" in text
    assert "close: longs" in text
    # a terminal breaks the line where Enter is pressed
    shown = done.out.replace("] ", "]\n")
    assert max(map(len, shown.splitlines())) <= 80


def test_only_what_is_not_given_is_asked(
    riskguard: Callable[..., Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("liquidations\n"))
    done = riskguard("new", "a.yaml", "--support", "low(10d)", "--do", "block", "--back", "1d")
    assert done.code == 0
    assert done.out.startswith("One question;")
    assert "lookback: {value: 10d" in (folder / "a.yaml").read_text()
    assert "for 1d" in (folder / "a.yaml").read_text()


def test_what_is_written_passes_the_commands_it_names(
    riskguard: Callable[..., Any], folder: Path
) -> None:
    told = riskguard("new", "--yes", "--with", "oi,liquidations").out
    assert "my-rules.yaml, my-rules_test.yaml: checked, 8 of 8 cases pass" in told
    assert "  riskguard test my-rules.yaml --coverage --mutate\n" in told
    assert riskguard("check", "--strict", "my-rules.yaml").code == 0
    tried = riskguard("test", "my-rules.yaml", "--min-coverage", "100", "--min-mutation", "100")
    assert tried.code == 0
    assert riskguard("backtest", "--rules", "my-rules.yaml", "--quiet").code == 0
    assert "  riskguard schema --output riskguard-1.json " in told
    assert riskguard("schema", "--output", "riskguard-1.json").code == 0


def test_the_first_line_names_the_schema(riskguard: Callable[..., Any], folder: Path) -> None:
    riskguard("new", "--yes")
    first, *lines = (folder / "my-rules.yaml").read_text().splitlines()
    assert first == "# yaml-language-server: $schema=riskguard-1.json"
    assert len(lines) <= 16


def test_without_a_terminal_the_missing_options_are_named(
    riskguard: Callable[..., Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("BTC 5\n"))
    done = riskguard("new", "--support", "75_000")
    assert done.code == 2
    assert "not given: --with, --do" in done.err
    assert "add --with, --do, or --yes" in done.err
    assert names(folder) == []


def test_end_of_input_writes_nothing(
    riskguard: Callable[..., Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("BTC 70_000\n"))
    done = riskguard("new")
    assert done.code == 2
    assert "no answer: nothing is written" in done.err
    assert names(folder) == []


@pytest.mark.parametrize("present", ["my-rules.yaml", "my-rules_test.yaml"])
def test_a_file_that_is_there_is_replaced_by_force_alone(
    riskguard: Callable[..., Any], folder: Path, present: str
) -> None:
    (folder / present).write_text("mine\n")
    done = riskguard("new", "--yes")
    assert done.code == 2
    assert f"{present} is there already" in done.err
    assert names(folder) == [present]
    assert (folder / present).read_text() == "mine\n"
    assert riskguard("new", "--yes", "--force").code == 0
    assert names(folder) == ["my-rules.yaml", "my-rules_test.yaml"]


class Meanwhile(Terminal):
    """A person who answers while somebody else writes the same file."""

    def readline(self, *size: int) -> str:
        Path("my-rules.yaml").write_text("theirs\n")
        return super().readline(*size)


def test_of_two_at_once_the_second_replaces_nothing(
    riskguard: Callable[..., Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Meanwhile("\n\n\n"))
    done = riskguard("new")
    assert done.code == 2
    assert "my-rules.yaml is there already" in done.err
    assert names(folder) == ["my-rules.yaml"]
    assert (folder / "my-rules.yaml").read_text() == "theirs\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["rules"], "write rules.yaml"),
        (["rules.json"], "write rules.yaml"),
        (["rules_test.yaml"], "write rules.yaml"),
        (["."], "write my-rules.yaml"),
        (["no/such/rules.yaml"], "mkdir no/such"),
        (["--support", "cheap"], "--support: 'cheap' is no price"),
        (["--with", "volume"], "--with: 'volume' cannot be watched here"),
        (["--do", "40"], "--do: 40 of what?"),
        (["--back", "30d"], "--back: 30d is too long"),
        (["--every", "7h"], "--every: every 7h"),
        (["--symbol", "BTC/USDT"], "--symbol: BTC/USDT is a pair"),
        (["--symbol", "SOL", "--support", "ETH low(20d)"], "--symbol SOL and --support ETH"),
    ],
)
def test_wrong_use_is_said_with_its_fix_and_writes_nothing(
    riskguard: Callable[..., Any], folder: Path, arguments: list[str], told: str
) -> None:
    done = riskguard("new", "--yes", *arguments)
    assert done.code == 2
    assert told in done.err
    assert names(folder) == []


def test_support_may_name_its_coin_as_the_answer_does(
    riskguard: Callable[..., Any], folder: Path
) -> None:
    assert riskguard("new", "--yes", "--support", "ETH low(20d)").code == 0
    text = (folder / "my-rules.yaml").read_text()
    assert "symbol: ETH" in text
    assert "lookback: {value: 20d" in text


def test_folder_that_may_not_be_written_to_is_told(
    riskguard: Callable[..., Any], folder: Path
) -> None:
    done = riskguard("new", "--yes", folder / ("x" * 300 + ".yaml"))
    assert done.code == 2
    assert "cannot be written" in done.err
    assert names(folder) == []


def test_ctrl_c_at_a_real_terminal_ends_with_130_and_writes_nothing(tmp_path: Path) -> None:
    screen, keyboard = pty.openpty()
    command = [sys.executable, "-m", "riskguard", "new"]
    with subprocess.Popen(
        command, stdin=keyboard, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
    ) as running:
        os.close(keyboard)
        asked = b""
        while b"[BTC 75_000] " not in asked and (more := os.read(running.stdout.fileno(), 4096)):
            asked += more
        code = None
        while code is None:  # a signal that comes before the read begins does not end it
            running.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                code = running.wait(3)
        told = running.stderr.read()
    os.close(screen)
    assert (code, told) == (130, b"interrupted\n")
    assert list(tmp_path.iterdir()) == []
