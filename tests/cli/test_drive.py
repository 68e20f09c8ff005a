"""`riskguard drive freqtrade` against a bot that answers as freqtrade does.

The driver is tested with real freqtrade in tests/e2e/freqtrade/test_drive.py.
"""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from riskguard.live.session import Session
from tests.stood_in import STANDS_IN, passing, stood_in

HOUR_MS = 3_600_000
RULES = """\
version: 1
symbol: BTC
guards: all
every: 1h
rules:
  out: {when: close < 60_000, clear: close > 90_000, do: {exposure_cap: 50%}}
"""
COLUMNS = ["date", "open", "high", "low", "close", "volume", "enter_long", "__date_ts"]


class Bot(ThreadingHTTPServer):
    """A bot with one trade of 2 BTC; it does what it is told."""

    def __init__(self, price: float) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.price, self.state, self.amount = price, "running", 2.0
        self.calls: list[str] = []

    def answer(self, call: str, body: dict) -> object:
        if call == "GET /show_config":
            return {"state": self.state, "timeframe": "1h", "bot_name": "mine"}
        if call == "GET /whitelist":
            return {"whitelist": ["BTC/USDT", "ETH/USDT"]}
        if call.startswith("GET /pair_candles"):
            first = time.time_ns() // 10**6 // HOUR_MS * HOUR_MS - 40 * HOUR_MS
            price = self.price
            rows = [
                [None, price, price, price, price, 1.0, 0, first + hour * HOUR_MS]
                for hour in range(40)
            ]
            return {"columns": COLUMNS, "timeframe_ms": HOUR_MS, "data": rows}
        if call == "GET /status":
            trade = {
                "trade_id": 7, "pair": "BTC/USDT", "amount": self.amount, "is_short": False,
                "nr_of_successful_entries": 1, "orders": [], "amount_precision": 0.001,
                "precision_mode": 4,
            }  # fmt: skip
            return [trade] if self.amount else []
        if call == "GET /balance":
            return {"total_bot": 100_000.0}
        self.calls.append(call)
        if call == "POST /pause":
            self.state = "paused"
        if call == "POST /forceexit":
            self.amount -= body.get("amount", self.amount) // 0.001 * 0.001
        return {}


class Answers(BaseHTTPRequestHandler):
    def respond(self) -> None:
        call = f"{self.command} {self.path.removeprefix('/api/v1')}"
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        allowed = self.headers["Authorization"] == "Basic dTpw"  # u:p
        found = json.dumps(self.server.answer(call, body) if allowed else {}).encode()
        self.send_response(200 if allowed else 401)
        self.send_header("Content-Length", str(len(found)))
        self.end_headers()
        self.wfile.write(found)

    do_GET = do_POST = respond  # noqa: N815 - as http.server calls them

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def bot(request) -> Iterator[Bot]:
    with Bot(getattr(request, "param", 50_000.0)) as found:
        thread = threading.Thread(target=found.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield found
        found.shutdown()


@pytest.fixture(autouse=True)
def ends_as_before() -> Iterator[None]:
    """Let SIGTERM end this process again: a driver takes it for its own."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def words(bot, tmp_path) -> list[object]:
    rules, login = tmp_path / "rules.yaml", tmp_path / "login"
    rules.write_text(RULES, encoding="utf-8")
    login.write_text("u:p\n", encoding="utf-8")
    login.chmod(0o600)
    url = f"http://127.0.0.1:{bot.server_port}"
    return [
        "drive", "freqtrade", rules, "--url", url, "--login", login, "--state", tmp_path / "state",
        "--once",
    ]  # fmt: skip


def test_a_bot_is_paused_and_reduced_once_over_two_lives(riskguard, bot, words) -> None:
    code, out, err = riskguard(*words)
    assert (code, err) == (0, "")
    assert bot.calls == ["POST /pause", "POST /forceexit"]
    assert bot.amount == pytest.approx(1.0)
    assert "driving mine at http://127.0.0.1:" in out
    assert "POST /pause\n" in out
    assert riskguard(*words).code == 0
    assert bot.calls == ["POST /pause", "POST /forceexit"]


def test_the_start_says_what_stands_in_and_which_pairs_nobody_guards(
    riskguard, words, tmp_path
) -> None:
    text = stood_in(tmp_path).read_text(encoding="utf-8")
    (tmp_path / "rules.yaml").write_text(text.replace("[BTC, ETH]", "[BTC]"), encoding="utf-8")
    code, out, _ = riskguard(*words)
    assert code == 0
    notes = [line for line in out.splitlines() if line.startswith("note: ")]
    paused = "while anything limits, the bot is paused: no pair enters then"
    assert notes == [f"note: {one}" for one in (STANDS_IN, passing("ETH/USDT"), paused)]


@pytest.mark.parametrize("bot", [100_000.0], indirect=True)
def test_a_bot_that_nothing_limits_is_left_alone(riskguard, bot, words) -> None:
    assert riskguard(*words).code == 0
    assert bot.calls == []


def test_a_login_that_others_can_read_is_refused(riskguard, words, tmp_path) -> None:
    (tmp_path / "login").chmod(0o644)
    code, _, err = riskguard(*words)
    assert code == 2
    assert "others can read it" in err
    assert "chmod 600" in err


def test_a_wrong_login_says_where_to_look(riskguard, words, tmp_path) -> None:
    (tmp_path / "login").write_text("u:other", encoding="utf-8")
    code, _, err = riskguard(*words)
    assert code == 1
    assert "freqtrade refuses GET /show_config: 401" in err


def test_rules_that_read_what_no_bot_tells_are_refused(riskguard, words, tmp_path) -> None:
    text = RULES.replace("close < 60_000", "oi.change(24h) <= -5%").replace(
        "close > 90_000", "oi.change(24h) >= 0%"
    )
    (tmp_path / "rules.yaml").write_text(text, encoding="utf-8")
    code, _, err = riskguard(*words)
    assert code == 1
    assert "oi" in err


@pytest.mark.parametrize("series", ["trades.lost.sum(24h) >= 2", "pnl.realised.sum(24h) <= -$9"])
def test_rules_on_closed_trades_which_the_driver_does_not_ask_for_are_refused(
    riskguard, words, tmp_path, series
) -> None:
    rule = f"  bad: {{when: {series}, do: {{block_entries: both}}}}\n"
    (tmp_path / "rules.yaml").write_text(RULES + rule, encoding="utf-8")
    code, _, err = riskguard(*words)
    assert code == 1
    assert series.partition(".sum")[0] in err


def test_a_state_that_another_process_holds_is_left_to_it(riskguard, words, tmp_path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    with Session(tmp_path / "rules.yaml", state):
        assert riskguard(*words).code == 5


def test_without_a_pair_of_the_rules_it_asks_which(riskguard, words, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(RULES.replace("BTC", "SOL"), encoding="utf-8")
    code, _, err = riskguard(*words)
    assert code == 2
    assert "--benchmark" in err
