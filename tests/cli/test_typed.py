"""What people type wrong, command by command: a word each time, the right code, nothing lost."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from riskguard._version import VERSION
from riskguard.cli.failures import run
from tests.live.world import RULES

ROOT = Path(__file__).resolve().parents[2]
EVENT = ("--fall", "10%", "--within", "7d")
SLOW = RULES.replace("every: 1h", "every: 4h").replace("2h", "1d")
READING = [
    ("check", "@"),
    ("show", "@"),
    ("test", "@"),
    ("verify", "@"),
    ("diff", "rules.yaml", "@"),
    ("backtest", "--rules", "@"),
    ("study", "@", *EVENT),
    ("plan", "@", "--data", ".", *EVENT),
    ("drill", "@"),
    ("data", "floors", ".", "--rules", "@"),
    ("drive", "freqtrade", "@", "--url", "x", "--login", "x", "--state", "x"),
]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "state").mkdir()
    (tmp_path / "nowhere.link").symlink_to("nowhere")
    (tmp_path / "odd \x1b[31m.yaml").symlink_to("nowhere")
    return tmp_path


@pytest.mark.parametrize("words", READING, ids=lambda words: words[0])
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "is empty"),
        ("rules.yml", "did you mean rules.yaml?"),
        ("~/rules.yaml", "the shell has left ~ as it is: write /home/me/rules.yaml"),
        ("~nobody/rules.yaml", "write "),
        ("/dev/null", "/dev/null is a pipe or a device"),
        ("nowhere.link", "nowhere.link is a link that leads nowhere"),
        ("odd \x1b[31m.yaml", "odd \\x1b[31m.yaml is a link that leads nowhere"),
        ("x" * 300, "x...: File name too long"),
    ],
)
def test_a_rule_file_that_is_none_is_told_alike_everywhere(riskguard, words, name, told) -> None:
    if words[0] == "data" and name == "":
        words = (*words[:2], "rules.yaml", *words[3:])
    given = [name if word == "@" else word for word in words]
    code, out, err = riskguard(*given)
    assert (code, out) == (2, "")
    assert told in err
    assert "\x1b" not in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("status", "~/state"), "write /home/me/state"),
        (("halt", "--state", "~/state", "--reason", "x"), "write /home/me/state"),
        (("backtest", "--data", "~/x.csv"), "write /home/me/x.csv"),
        (("plan", "rules.yaml", "--data", "feb-2026", *EVENT), "feb-2026 is embedded"),
        (("data", "floors", "~/rec", "--rules", "cascade"), "write /home/me/rec"),
        (("diff", "balanced", "cascade", "--on", "~/x.csv"), "write /home/me/x.csv"),
        (("diff", "balanced", "cascade", "--on", "x.csv"), "path of a folder or of a CSV file"),
        (("new", "~/my.yaml", "--yes"), "write /home/me/my.yaml"),
        (("schema", "--output", "~/s.json"), "write /home/me/s.json"),
        (("plan", "rules.yaml", "--data", "state", "-o", "~/p", *EVENT), "write /home/me/p"),
        (("plan", "rules.yaml", "--data", "state", "-o", "-", *EVENT), "--output - is no file"),
    ],
)
def test_a_place_that_is_none_is_told_with_the_way(riskguard, place, words, told) -> None:
    before = sorted(place.iterdir())
    code, out, err = riskguard(*words)
    assert (code, out) == (2, "")
    assert told in err
    assert sorted(place.iterdir()) == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("verify", "rules.yaml", "--cuts", "9" * 5000), "is not a number of bars"),
        (("verify", "rules.yaml", "--cuts", "\u0665"), "is not a number of bars"),
        (("explain", "9" * 5000), "there is no code"),
        (("explain", "--json", "--markdown"), "exclude each other"),
        (("backtest", "--symbol", "\x1b[31m"), "there is no symbol '\\x1b[31m'"),
    ],
)
def test_no_word_is_a_fault_of_ours(riskguard, words: tuple[str, ...], told: str) -> None:
    code, out, err = riskguard(*words)
    assert (code, out) == (2, "")
    assert told in err
    assert "\x1b" not in err


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--url", "x"), "--url x is no address"),
        (("--url", "file:///etc/passwd"), "is no address"),
        (("--url", "http://127.0.0.1:1", "--every", "nan"), "--every nan"),
        (("--url", "http://127.0.0.1:1", "--every", "inf"), "--every inf"),
        (("--url", "http://127.0.0.1:1", "--state", ""), "--state is empty"),
    ],
)
def test_a_bot_that_cannot_be_asked_so_is_wrong_use(riskguard, more, told) -> None:
    words = ["drive", "freqtrade", "rules.yaml", "--login", "login"]
    words += [] if "--state" in more else ["--state", "driven"]
    code, out, err = riskguard(*words, *more)
    assert (code, out) == (2, "")
    assert told in err


@pytest.mark.parametrize(
    "words",
    [
        ("halt", "--state", "state", "--state", "other", "--reason", "x"),
        ("halt", "--state", "state", "--reason", "x", "--reason", "y"),
        ("backtest", "--rules", "rules.yaml", "--rules", "balanced"),
        ("study", *EVENT, "--fall", "20%"),
        ("state", "verify", "state", "--json", "--json"),
        ("check", "rules.yaml", "rules.yaml", "--strict", "--strict"),
        ("show", "balanced", "--set", "a=1", "--set", "b=2"),
    ],
)
def test_one_option_has_one_value(riskguard, place, words: tuple[str, ...]) -> None:
    code, _, err = riskguard(*words)
    refused = "is given more than once" in err
    assert refused == (words[0] in {"halt", "backtest", "study"})
    assert code == 2 or not refused
    assert not (place / "state" / "requests").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("schema", "--output", "mine.yaml"),
        ("backtest", "--rules", "rules.yaml", "--json", "mine.yaml"),
        ("study", *EVENT, "--json", "mine.yml"),
    ],
)
def test_rules_are_not_replaced_by_what_is_written(riskguard, place, words) -> None:
    file = place / words[-1]
    file.write_text(RULES)
    code, out, err = riskguard(*words)
    assert (code, out) == (2, "")
    assert "is there already, and is called as rules and plans are" in err
    assert file.read_text() == RULES


def shell(*words: str, **environment: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "riskguard", *words],
        cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_the_module_is_the_command() -> None:
    assert shell("--version") == (0, f"riskguard {VERSION}\n", "")


def test_a_shell_is_told_what_may_come_next() -> None:
    def completed(line: str) -> list[str]:
        count = str(len(line.split(" ")) - 1)
        code, out, err = shell(
            _RISKGUARD_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=count
        )
        assert (code, err) == (0, "")
        return out.split()

    assert completed("riskguard st") == ["status", "study", "state"]
    assert completed("riskguard state ") == ["verify"]
    assert completed("riskguard backtest --rules x --rules y --pre") == ["--preregister"]
    known = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}  # it is named, not looked for
    code, script, err = shell("--show-completion", "bash", **known)
    assert (code, err) == (0, "")
    assert "_RISKGUARD_COMPLETE=complete_bash" in script


@pytest.mark.parametrize(
    "fault",
    [
        FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']"),
        OSError(errno.ENOSPC, "No space left on device", "/tmp/riskguard-drill-x"),
        OSError(errno.EROFS, "Read-only file system", "/home/me/.bashrc"),
    ],
    ids=lambda fault: fault.strerror,
)
def test_a_system_that_takes_no_file_is_no_fault_of_ours(capsys, place, fault: OSError) -> None:
    def command() -> None:
        raise fault

    assert run(command) == 2
    assert fault.strerror in capsys.readouterr().err
    assert not list(place.glob("riskguard-error-*"))


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda path: path.write_bytes(b"user:\xff"), "is not UTF-8 text"),
        (lambda path: path.write_bytes(b""), "holds no user:password"),
        (lambda path: path.mkdir(mode=0o700), "is no file"),
        (lambda path: os.mkfifo(path, 0o600), "is no file"),
        (lambda path: path.symlink_to("nowhere"), "No such file"),
    ],
)
def test_a_login_that_cannot_be_one_is_wrong_use(riskguard, place, made, told) -> None:
    login = place / "login"
    made(login)
    if login.is_file():
        login.chmod(0o600)
    address = ("--url", "http://127.0.0.1:1", "--login", login, "--state", "driven")
    code, out, err = riskguard("drive", "freqtrade", "rules.yaml", *address)
    assert (code, out) == (2, "")
    assert told in err
    assert not (place / "driven").exists()


def test_an_input_that_is_closed_is_empty(riskguard, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    code, out, err = riskguard("check", "-")
    assert (code, err) == (1, "")
    assert "<stdin>:1:1: error[RG003] the file is empty" in out
    monkeypatch.setattr(sys, "stdin", None)
    code, out, err = riskguard("new", "mine.yaml")
    assert (code, out) == (2, "")
    assert "nobody can be asked here" in err


def test_a_name_that_is_no_utf_8_is_written_out_or_refused(riskguard, place) -> None:
    odd = os.fsdecode(b"odd\xff.yaml")
    try:
        (place / odd).write_text(SLOW)
    except OSError:
        pytest.skip("no such names here")
    code, _, err = riskguard("backtest", "--rules", odd, "--report", "r.md", "-q")
    assert (code, err) == (0, "")
    assert "odd\\udcff.yaml" in (place / "r.md").read_text(encoding="utf-8")
    data = ROOT / "riskguard" / "history" / "scenarios" / "feb-2026"
    for words in (
        ("plan", odd, "--data", data, *EVENT),
        ("new", os.fsdecode(b"n\xff.yaml"), "--yes"),
    ):
        code, out, err = riskguard(*words)
        assert (code, out) == (2, "")
        assert "is not UTF-8, and cannot be named in a file" in err
    assert not (place / "plan.yaml").exists()


def test_rules_are_told_to_be_wrong_before_a_bot_is_asked(riskguard, place) -> None:
    (place / "wrong.yaml").write_text("version: 1\nrules: {}\n")
    address = ("--url", "http://127.0.0.1:1", "--login", "nowhere", "--state", "driven")
    code, out, err = riskguard("drive", "freqtrade", "wrong.yaml", *address)
    assert (code, out) == (1, "")
    assert "error[RG146]" in err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_this_user_may_not_read_is_said_and_never_passed_over(riskguard, place) -> None:
    (place / "closed").mkdir()
    for name in ("mine.yaml", "mine_test.yaml", "closed/deep.yaml"):
        (place / name).write_text(RULES)
        (place / name).chmod(0)
    for words in (("check", "mine.yaml"), ("show", "mine.yaml"), ("test", "mine.yaml")):
        code, out, err = riskguard(*words)
        assert code == 1
        assert "this user may not read it" in out + err
    (place / "closed").chmod(0)
    try:
        code, out, err = riskguard("check", "rules.yaml", ".")
    finally:
        (place / "closed").chmod(0o700)
    assert (code, out) == (2, "")
    assert err == "error: ./closed: Permission denied\n"
