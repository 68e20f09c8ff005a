"""What `riskguard record` says, of an exchange without a socket."""

from __future__ import annotations

import json

import pytest

from riskguard.feeds import recorder, table
from tests.cli.words import instead
from tests.feeds.exchange import SYMBOL, Exchange
from tests.feeds.test_recorder import telling

ASKED = ("record", "--exchange", "bybit", "--symbol", SYMBOL, "--for", "1s", "--out")


@pytest.fixture(autouse=True)
def _venue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "opened", lambda *_: telling(Exchange()))


def test_a_person_is_told_as_it_goes(riskguard, tmp_path) -> None:
    out = tmp_path / "rec"
    code, said, err = riskguard(*ASKED, out)
    first, *_, last = said.splitlines()
    assert (code, first) == (0, f"recording {SYMBOL} of bybit into {out}")
    assert last == f"stopped; all that was heard is in {out}"
    assert "BTC-1m.csv +3" in said
    assert "Traceback" not in err


def test_a_program_is_told_at_the_end_and_nothing_else_stands_there(riskguard, tmp_path) -> None:
    out = tmp_path / "rec"
    code, said, err = riskguard(*ASKED, out, "--json")
    told = json.loads(said)
    assert code == 0
    assert told["rows"]["BTC-1m.csv"] == 3
    assert told | {"rows": {}} == {
        "folder": str(out), "exchange": "bybit", "feeds": [], "symbols": [SYMBOL], "rows": {},
        "late": 0, "lost": 0,
    }  # fmt: skip
    assert err.startswith(f"recording {SYMBOL} of bybit into {out}\n")


def test_rows_that_are_lost_are_told_and_the_code_is_1(riskguard, tmp_path, monkeypatch) -> None:
    def full(handle: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(table.os, "write", full)
    code, said, err = riskguard(*ASKED, tmp_path / "rec", "--json")
    assert code == 1
    assert json.loads(said)["lost"] > 0
    assert "the disk refused to the end" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--for", "\u00b2s"), "is no time"),
        (("--for", "1e3s"), "is no time"),
        (("--for", "0s"), "is no time"),
        (("--for", ""), "--for is empty"),
        (("--out", ""), "--out is empty"),
        (("--symbol", " "), "--symbol is empty"),
        (("--exchange", ""), "--exchange is empty"),
        (("--settings", "."), "--settings .: "),
        (("--settings", "nowhere.json"), "--settings nowhere.json: "),
        (("--series", "bar"), "--series 'bar' is none"),
    ],
)
def test_wrong_use_is_2_and_records_nothing(
    riskguard, tmp_path, monkeypatch, words: tuple[str, str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = riskguard(*instead([*ASKED, "rec"], *words))
    assert (code, out) == (2, "")
    assert said in err
    assert list(tmp_path.iterdir()) == []
