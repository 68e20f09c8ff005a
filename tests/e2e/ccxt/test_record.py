"""`riskguard record` as it is typed: killed, started again, refused a second time."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from riskguard import Event, Fit, Intent, Session
from riskguard.feeds.recorded import recorded
from riskguard.feeds.recording import Recording
from riskguard.feeds.table import instant, rows
from riskguard.feeds.venues import VENUES
from riskguard.live.ticker import Ticker
from riskguard.market import HOUR, MINUTE, SECOND
from tests.stub import bybit
from tests.stub.server import Stub

ROOT = Path(__file__).resolve().parents[3]
DEAF = 15 * SECOND  # between a kill and the next start

RULES = """\
version: 1
symbol: BTC
every: 1h
inputs:
  liq.long: {max_age: 2h}
rules:
  cascade:
    when: liq.long.sum(24h).times_avg(7d, min=1d) >= 3
    clear: liq.long.sum(24h).times_avg(7d, min=1d) < 1.5
    do: {block_entries: both}
"""


def started(folder: Path, *more: str) -> subprocess.Popen[str]:
    command = [
        sys.executable, "-m", "riskguard", "record", "--exchange", "bybit", "--symbol",
        "BTC/USDT:USDT", "--out", "rec", "--settings", "settings.json", *more,
    ]  # fmt: skip
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def until(found: Callable[[], object], seconds: float) -> None:
    ends = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.2)


def listening(stub: Stub) -> bool:
    """Say whether a recorder has subscribed to the liquidations."""
    return any(stub.sockets.values())


def told_of(path: Path) -> list[tuple[int, dict[str, float]]]:
    return list(rows(path)) if path.exists() else []


def stamps(path: Path) -> list[int]:
    return [ts for ts, _ in told_of(path)]


def test_killed_and_started_again_a_recording_goes_on_and_leaves_its_gap(tmp_path: Path) -> None:
    liquidations, bars = tmp_path / "rec/BTC-liquidations-1m.csv", tmp_path / "rec/BTC-1m.csv"
    with Stub() as stub:
        settings = {"urls": bybit.urls(stub.port), "enableRateLimit": False}
        (tmp_path / "settings.json").write_text(json.dumps(settings))
        first = started(tmp_path)
        until(lambda: listening(stub) or first.poll() is not None, 120)
        assert first.poll() is None, first.communicate()[0]
        # a whole minute is heard, with two equal liquidations of one message in it
        begins = (time.time_ns() + 3 * SECOND) // MINUTE * MINUTE + MINUTE
        until(lambda: time.time_ns() > begins + 2 * SECOND, 90)
        one = {"side": "long", "price": 70_000.0, "quantity": 2.0}
        assert stub.control_now(liquidation=[one, one]) == 1
        until(lambda: any(one["liq_long_usd"] for _, one in told_of(liquidations)), 120)
        first.send_signal(signal.SIGKILL)
        first.wait(60)
        until(lambda: not stub.sockets, 60)
        heard, killed = stamps(liquidations)[-1], time.time_ns()
        time.sleep(DEAF / SECOND)  # a quicker start would leave a minute nine tenths heard
        again = started(tmp_path)
        until(lambda: (again.poll() is not None) or listening(stub), 120)
        second = started(tmp_path, "--for", "2s")
        said = second.communicate(timeout=60)[0]
        assert second.returncode == 5, said
        assert "another process records into rec" in said
        until(lambda: stamps(bars)[-1] > heard, 120)
        again.send_signal(signal.SIGTERM)
        said = again.communicate(timeout=60)[0]
        assert again.returncode == 0, said
        assert "all that was heard is in rec" in said
    assert stamps(bars) == sorted(set(stamps(bars)))
    found = dict(rows(liquidations))
    assert found[heard]["liq_long_usd"] == 280_000.0
    for start in deaf_in(killed):
        assert start not in found
    told = list(recorded(tmp_path / "rec"))
    assert {event.kind for event in told} >= {"bar", "funding", "liquidation", "alive"}
    assert all(event.ts <= time.time_ns() + SECOND for event in told)
    (tmp_path / "rules.yaml").write_text(RULES)
    young = heard + 3 * HOUR
    goes_on(tmp_path / "rec", young)
    said = advised(tmp_path, young)
    goes_on(tmp_path / "rec", said)
    for before in (HOUR, -SECOND):
        assert (advised(tmp_path, said - before) == 0) == (before < 0)


def deaf_in(killed: int) -> list[int]:
    """Return the minutes of which more than a tenth lies in the gap after a kill (ns)."""
    first = killed // MINUTE * MINUTE
    spans = [
        (start, min(killed + DEAF, start + MINUTE) - max(killed, start))
        for start in (first, first + MINUTE)
    ]
    found = [start for start, span in spans if span > MINUTE // 10]
    assert found
    return found


def advised(folder: Path, until: int) -> int:
    """Prime a session from what was recorded; return when it says it will be warm, 0: it is."""
    ticker = Ticker(wall=lambda: until, elapsed=lambda: until)
    fit = Fit(sources={"liq.long": "bybit"})
    state = folder / f"state-{until}"
    with Session(folder / "rules.yaml", state, fit=fit, ticker=ticker) as session:
        session.prime(one for one in recorded(folder / "rec") if one.ts <= until)
        session.tick()
        entry = Intent(until, "BTC/USDT:USDT", "buy", 1.0, 0.0, price=70_000.0)
        said = " ".join(reason.text for reason in session.decide(entry).reasons)
        found = re.search(r"riskguard record --out FOLDER.* or wait until (\S+)", said)
        assert bool(found) == bool(session.decision.priming)
        if found is None:
            assert session.decide(entry).answer == "allow", said
            return 0
        return instant(found[1].replace("Z", ":00Z"))


def goes_on(folder: Path, until: int) -> None:
    """Record on in the same folder, by another process, until that time comes."""
    recording = Recording(folder, VENUES["bybit"], ("BTC/USDT:USDT",))
    prices = dict.fromkeys(("open", "high", "low", "close"), 70_000.0)
    first = max(stamps(folder / "BTC-1m.csv")) + MINUTE
    for end in range(first + MINUTE, until + MINUTE, MINUTE):
        for back in range(55, -1, -5):
            recording.take(told_at(end - back * SECOND, "alive", series="liq.long"))
        recording.take(told_at(end, "bar", **prices, volume=1.0, interval_ns=MINUTE))
        if end % HOUR == 0:
            recording.flush(end + 10 * SECOND)
    recording.flush(until + MINUTE)


def told_at(ts: int, kind: str, **data: object) -> Event:
    return Event(ts, kind, "BTC/USDT:USDT", data, source="bybit")
