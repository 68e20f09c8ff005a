"""Secrets are taken out of texts of others, by shape and by name; all else stays as it is."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from riskguard.errors import RiskguardError, foreign
from riskguard.redaction import MARK, redacted
from tests.counts import counts
from tests.secret_shapes import HOSTILE, NAMES, SHAPES, SPELLED, hostile

ROOT = Path(__file__).resolve().parents[1]
HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


@pytest.mark.parametrize("name", SHAPES)
def test_a_secret_is_known_by_its_shape_wherever_it_stands(name: str) -> None:
    text, secret = SHAPES[name]
    for before, after in (("", ""), ("the venue said ", " and no more"), ('{"x": "', '"}')):
        told = redacted(f"{before}{text}{after}")
        assert secret not in told
        assert MARK in told
        assert told.startswith(before)
        assert redacted(told) == told


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("spelled", SPELLED)
def test_a_secret_is_known_by_its_name_however_it_is_written(name: str, spelled: str) -> None:
    secret = "hunter2hunter2"
    text = spelled.format(name=name, value=secret)
    told = redacted(text)
    assert secret not in told
    assert told == spelled.format(name=name, value=MARK)
    assert redacted(told) == told


def test_what_comes_beside_a_secret_is_left() -> None:
    told = redacted(
        "binance GET https://me:pw@api.binance.com/v3?symbol=BTC&timestamp=17&signature=0a1b"
        ' 401 {"code":-2014,"msg":"API-key format invalid.","apiKey":"k"} [RequestId 77]'
    )
    assert told == (
        f"binance GET https://{MARK}@api.binance.com/v3?symbol=BTC&timestamp=17&signature={MARK}"
        f' 401 {{"code":-2014,"msg":"API-key format invalid.","apiKey":"{MARK}"}} [RequestId 77]'
    )


@pytest.mark.parametrize(
    "text",
    [
        '"secret": "ab\\"cd", "b": 1', "{'secret': 'ab\\'cd', 'b': 1}",
        '{\\"secret\\":\\"abcd\\",\\"b\\":1}', '"secret": "abcd', "secret=b'abcd'",
        "Error: secret=abcd", "401: apiKey=ab secret=cd", "Authorization: Digest ab, cd",
        "Cookie: a=ab; b=cd", "('authorization', 'Bearer abcd')",
    ],
)  # fmt: skip
def test_a_secret_goes_whole(text: str) -> None:
    told = redacted(text)
    assert not {"ab", "cd", "abcd"} & set("".join(c if c.isalpha() else " " for c in told).split())


@pytest.mark.parametrize(
    "text",
    [
        HASH, f"rules {HASH}", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "rg374217aa53aef1f8d1c91e47",
        "x-R4BD3S820aB30aB30aB30aB30aB30aB3", "e847386590ce4dBC0a1B2c3D4e5F6a7B",
        "8389765510012345678", "t-0123456789abcdefABCDEF012345", "BTC/USDT:USDT long",
        "0f1e2d3c:4:flatten:BTC",
        "key: support at 75k lost", "the sign: up", "sign=-1 key=oi", "a token of trust",
        "password",
        "KeyError: 'close'", "API-key format invalid", "/home/Ann/Data2026/BTCUSDT/2025/10/Bars=5",
        "0x71C7656EC7ab88b098defB751B7401B5f6d8976F", "a@b.c", "see https://venue.com/a@b?c=d",
        "keyword: stop_loss_guard_of_the_account", "monkey=stop_loss_guard", "secret:", "<key>",
    ],
)  # fmt: skip
def test_ids_hashes_and_words_stay(text: str) -> None:
    assert redacted(text) == text


def test_no_line_of_the_documents_and_rules_is_changed() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "*.md", "rules/*.yaml", "tests/golden/*", "examples/*.yaml"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    ).stdout.split()  # fmt: skip
    if not listed:
        pytest.skip("no checkout of git: there is no list of documents")
    for name in listed:
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
            assert redacted(line) == line, name


@counts(10_000, 1_000_000)
def test_whatever_others_say_becomes_one_visible_line_without_a_secret(count: int) -> None:
    dice = random.Random(33)
    for _ in range(count):
        text, secrets = hostile(dice)
        told = foreign(text)
        assert told.isprintable()
        assert len(told) <= 160
        assert foreign(text) == told == foreign(told)
        found = [one for one in secrets if one in told]
        assert not found, text


@pytest.mark.parametrize("text", HOSTILE)
def test_a_long_text_takes_little_time_and_leaves_no_half_of_a_secret(text: str) -> None:
    long = (text * 9_000)[:9_000]
    for size in (8_190, 9_000):
        assert len(foreign(long[:size])) <= 160
    assert "Zz9" not in foreign(f"{'secret=a ' * 907}secret: Zz9{'Zz9' * 400}", 8_000)


def test_a_text_is_read_behind_what_colours_a_terminal() -> None:
    long = "ValueError: \x1b[2J" + "x" * 9_000
    assert foreign(long) == ("ValueError: \\x1b[2J" + "x" * 160)[:160]
    assert foreign("\x1b[2Jghp_" + "a1B2" * 9) == f"\\x1b[2J{MARK}"
    assert foreign(f"apiKey=\x1b[31mhunter2\x1b[0m {'x' * 9_000}").startswith(f"apiKey={MARK}")
    assert foreign(f"-----BEGIN PRIVATE KEY-----\n{'aB3d' * 3_000}") == MARK


def test_errors_of_riskguard_say_no_secrets() -> None:
    assert str(RiskguardError("refused: api_key=abc\nsecond")) == f"refused: api_key={MARK}\nsecond"
