"""Feeds of plug-ins: checked, tried again, quarantined; never trusted, never waited for."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from riskguard import Event, Session
from riskguard.errors import AdapterError, DataError
from riskguard.feeds import plugged
from riskguard.feeds import vendors as module
from riskguard.feeds.plugged import Vendor
from riskguard.feeds.recorded import recorded
from riskguard.feeds.recorder import record
from riskguard.feeds.vendors import Vendors
from riskguard.history.history import History
from riskguard.live.ticker import Ticker
from riskguard.market import DAY, HOUR, MINUTE, SECOND
from riskguard.plugins import PluginError
from tests.feeds.ending import ended
from tests.plugged import Installed

SYMBOL = "BTC/USDT:USDT"
NOW = 1_770_300_000_000_000_000
FEED = """
from riskguard import Event
SAID, ASKED, CLOCK = [], [], [0]

class Measure:
    api = (1, 0)
    series = ("liquidations", "bars")
    values = {"fear_greed": ("index", "1d")}
    every = 0.1
    coverage = "sampled"

    def __init__(self, symbols):
        self.symbols = symbols

    def poll(self, since):
        ASKED.append(since)
        found = SAID.pop(0) if SAID else []
        if isinstance(found, BaseException):
            raise found
        return found() if callable(found) else found
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    (tmp_path / "site").mkdir()
    found = Installed(tmp_path / "site", monkeypatch)
    found.allow("acme", "other")
    monkeypatch.setattr(module, "FIRST", 0.01)
    return found


def feed(install: Installed, code: str = FEED, name: str = "acme", of: str = "acme") -> Any:
    """Install a feed and return its module, once it is loaded."""
    found = install(name, code, kind="feeds", of=of)
    Vendor(name, (SYMBOL,), lambda: NOW)
    return sys.modules[found]


def value(at: int = NOW, number: object = 20.0, series: str = "fear_greed") -> Event:
    return Event(at, "value", "*", {"series": series, "value": number})


def liquidation(at: int = NOW, **more: object) -> Event:
    data = {"liquidated_side": "long", "notional_usd": 1e6, **more}
    return Event(at, "liquidation", SYMBOL, data, source="bybit", id="1")


def run(
    until: Callable[[list[Event], Vendors], bool],
    *names: str,
    take: Callable[[Event], object] | None = None,
) -> tuple[list[Event], Vendors]:
    """Run feeds until something holds of what they told."""
    told: list[Event] = []
    feeds = Vendors(names or ("acme",), (SYMBOL,), take or told.append, now=lambda: NOW)

    async def fed() -> None:
        running = asyncio.ensure_future(feeds.run())
        while not until(told, feeds):
            assert not running.done()
            await asyncio.sleep(0.005)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(asyncio.wait_for(fed(), 60))
    return told, feeds


def test_what_it_tells_is_passed_on_in_its_name(install: Installed) -> None:
    acme = feed(install)
    alive = Event(NOW, "alive", SYMBOL, {"series": "liq.long"})
    acme.SAID += [[value(NOW - DAY), liquidation()], (), iter([alive, value()])]
    told, feeds = run(lambda told, _: len(told) == 4)
    assert {one.source for one in told} == {"acme"}
    assert [one.kind for one in told] == ["value", "liquidation", "alive", "value"]
    assert acme.ASKED[:3] == [0, NOW, NOW]
    assert feeds.silent() == {}


class Weird(str):
    __slots__ = ()

    def __eq__(self, _: object) -> bool:
        raise SystemExit

    __hash__ = str.__hash__


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (lambda: [value(number=float("nan"))], "value is not finite"),
        (lambda: [value(number="20")], "value is no number"),
        (lambda: [value(number=b"20")], "value is no number"),
        (lambda: [value(number=True)], "value is no number"),
        (lambda: [value(number=10**400)], "value is not finite"),
        (lambda: [value(series="my_secret")], "it brings no value my_secret"),
        (lambda: [value(series="bars")], "it brings no value bars"),
        (lambda: [value(number=1), "x"], "str is no Event"),
        (lambda: "x", "str is no Event"),
        (lambda: None, "'NoneType' object is not iterable"),
        (lambda: 5, "'int' object is not iterable"),
        (lambda: iter(value, None), "more than 1,000 events at once"),
        (lambda: [liquidation(liquidated_side="Buy")], "neither long nor short"),
        (lambda: [liquidation(surprise=1)], "unknown field 'surprise'"),
        (lambda: [liquidation(NOW + 6 * SECOND)], "lies in the future"),
        (lambda: [liquidation(at=0)], "no positive whole number"),
        (lambda: [liquidation(at=1.5)], "no positive whole number"),
        (lambda: [Event(NOW, "operator", "*", {"do": "release"})], "it brings no operator"),
        (lambda: [Event(NOW, "account", "*", {"equity": 1e9})], "it brings no account"),
        (lambda: [Event(NOW, "clock", "*")], "it brings no clock"),
        (lambda: [Event(NOW, "funding", SYMBOL, {"rate": 0.1})], "it brings no funding"),
        (lambda: [Event(NOW, "alive", SYMBOL, {"series": "oi"})], "it brings no alive oi"),
        (lambda: [Event(NOW, "value", "ETH", {"series": "fear_greed", "value": 1.0})], "nobody"),
        (lambda: [Event(NOW, Weird("value"), "*", {})], "SystemExit"),
        (lambda: [Event(NOW, "value", "*", [1])], "no mapping"),
        (lambda: [Event(NOW, "bar", SYMBOL, {"close": 1.0, "interval_ns": HOUR})], "one minute"),
        (lambda: [Event(NOW, "sideways", SYMBOL, {})], "kind 'sideways'"),
        (lambda: ValueError("\x1b[2J" + "x" * 9000), "ValueError: \\x1b[2J"),
        (KeyboardInterrupt, "KeyboardInterrupt"),
        (lambda: SystemExit("bye"), "SystemExit: bye"),
    ],
)
def test_one_that_raises_or_tells_nonsense_is_quarantined_and_nothing_of_it_is_passed_on(
    install: Installed, told: Callable[[], object], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugged, "MOST_EVENTS", 1000)
    acme = feed(install)
    raised = isinstance(told(), BaseException)
    acme.SAID += [*[told() if raised else told for _ in range(3)], [value()]]
    came, feeds = run(lambda _, feeds: feeds.vendors[0].quarantined)
    assert came == []
    (said,) = feeds.silent().values()
    assert said.startswith("quarantined until the next start: ")
    assert why in said
    assert len(said) < 300
    assert said.isprintable()
    assert len(acme.ASKED) == 3


def test_one_that_cannot_be_reached_is_tried_for_ever(install: Installed) -> None:
    acme = feed(install)
    acme.SAID += [ConnectionError("no route"), TimeoutError(), OSError("dns"), OSError("dns")]
    seen: list[dict[str, str]] = []

    def until(told: list[Event], feeds: Vendors) -> bool:
        seen.append(feeds.silent())
        if len(acme.ASKED) > 4 and not acme.SAID and not told:
            acme.SAID.append([value()])
        return bool(told)

    told, feeds = run(until)
    assert [one.data["value"] for one in told] == [20.0]
    assert {"feed acme": "ConnectionError: no route"} in seen
    assert feeds.silent() == {}


def test_faults_count_in_a_row_only(install: Installed) -> None:
    acme = feed(install)
    for _ in range(4):
        acme.SAID += [ValueError("a"), ValueError("b"), [value()]]
    _, feeds = run(lambda told, _: len(told) == 4)
    assert not feeds.vendors[0].quarantined


def test_one_that_hangs_is_told_of_and_the_others_go_on(
    install: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SLOW", 0.05)
    code = FEED.replace('("liquidations", "bars")', "()").replace("fear_greed", "mood")
    acme, other = feed(install), feed(install, code, "other", "rival")
    go = threading.Event()
    acme.SAID.append(lambda: go.wait(60) and [])
    other.SAID += [[value(series="mood")] for _ in range(3)]
    seen: list[dict[str, str]] = []

    def until(told: list[Event], feeds: Vendors) -> bool:
        seen.append(feeds.silent())
        return len(told) == 3 and bool(seen[-1])

    told, _ = run(until, "acme", "other")
    go.set()
    assert {one.source for one in told} == {"other"}
    assert seen[-1]["feed acme"].startswith("has not answered for ")


def test_a_quarantined_one_makes_a_guard_blind_and_ends_nothing(
    install: Installed, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        "version: 1\nsymbol: BTC\nevery: 1h\ninputs: {fear_greed: {max_age: 2d}}\n"
        "rules: {fear: {when: fear_greed <= 10, clear: fear_greed >= 20, do: {exposure_cap: 50%}}}"
    )
    acme, clock = feed(install), [NOW]
    ticker = Ticker(wall=lambda: clock[0], elapsed=lambda: clock[0] - NOW)
    acme.SAID += [[value(NOW - SECOND, 5.0)], *[ValueError("broken")] * 3]

    with Session(rules, tmp_path / "state", ticker=ticker) as session:
        close = {"close": 100.0, "interval_ns": HOUR}
        session.take(Event(NOW - HOUR, "bar", "BTC", close))
        run(lambda _, feeds: feeds.vendors[0].quarantined, take=session.take)
        session.take(Event(NOW, "bar", "BTC", close))
        clock[0] += 5 * SECOND
        assert session.tick().exposure_cap == 0.5
        for hour in range(1, 60):
            clock[0] = NOW + hour * HOUR
            session.take(Event(clock[0], "bar", "BTC", close))
            clock[0] += 5 * SECOND
            session.tick()
        assert session.decision.blind == ("fear_greed",)
        assert session.decision.block_entries == "both"
        assert session.decision.exposure_cap == 0.5


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("def poll", "def other", "has no method poll()"),
        ('("liquidations", "bars")', '"bars"', "has `series` that are none of bars, "),
        ('("liquidations", "bars")', '("bras",)', "has `series` that are none of bars, "),
        ('("liquidations", "bars")', "5", "has `series` that are none of bars, "),
        ('{"fear_greed": ("index", "1d")}', "5", "has `values` that are not "),
        ('("index", "1d")', '"index"', 'brings fear_greed without ("index", "1d")'),
        ('("index", "1d")', '("index", "1w")', 'brings fear_greed without ("index", "1d")'),
        ('("index", "1d")', '("euros", "1d")', "a unit of price, usd, "),
        ('("index", "1d")', '("usd", "1d")', "brings fear_greed in usd, which is in index"),
        ('"fear_greed"', '"os.system.x"', "'os.system.x' that is no name"),
        ('"fear_greed"', '"close"', "'close' that is no name of a series of its own"),
        ('"fear_greed"', '"f\\u00e9ar"', "'f\u00e9ar' that is no name"),
        ('"fear_greed"', '"a" * 9000', "that is no name of a series of its own"),
        ('"fear_greed"', "7", "'7' that is no name of a series of its own"),
        ("every = 0.1", "every = 0", "has an `every` that is not 0.1 to 86,400 seconds"),
        ("every = 0.1", "every = float('nan')", "has an `every` that is not "),
        ("every = 0.1", "every = '1s'", "has an `every` that is not "),
        ('"sampled"', '"half"', "has a `coverage` that is neither full nor sampled"),
        ("self.symbols = symbols", "raise SystemExit(7)", "cannot be made: SystemExit: 7"),
        ("symbols):", "):", "cannot be made: TypeError: "),
        ("api = (1, 0)", "api = (2, 0)", "wants interface 2.0, this riskguard has 1.0"),
        ("api = (1, 0)", "", "does not say which interface it was written for"),
    ],
)
def test_one_that_does_not_fit_is_refused_at_the_start(
    install: Installed, old: str, new: str, why: str
) -> None:
    assert old in FEED
    install("acme", FEED.replace(old, new), kind="feeds")
    threads = set(threading.enumerate())
    with pytest.raises(PluginError) as refused:
        Vendors(["acme"], (SYMBOL,), print)
    assert why in str(refused.value)
    assert str(refused.value).startswith("plug-in 'acme' of acme 0.1 ")
    assert len(str(refused.value)) < 400
    assert set(threading.enumerate()) <= threads


def test_one_that_brings_nothing_is_refused(install: Installed) -> None:
    code = FEED.replace('("liquidations", "bars")', "()")
    install("acme", code.replace('{"fear_greed": ("index", "1d")}', "{}"), kind="feeds")
    with pytest.raises(PluginError, match="brings nothing"):
        Vendors(["acme"], (SYMBOL,), print)


def test_ctrl_c_while_one_is_made_ends_the_start(install: Installed) -> None:
    code = FEED.replace("self.symbols = symbols", "raise KeyboardInterrupt")
    install("acme", code, kind="feeds")
    with pytest.raises(KeyboardInterrupt):
        Vendors(["acme"], (SYMBOL,), print)


def test_one_that_is_not_allowed_or_offered_twice_is_not_imported(install: Installed) -> None:
    found = install("pager", FEED, kind="feeds")
    with pytest.raises(PluginError, match="RISKGUARD_PLUGINS=pager"):
        Vendors(["pager"], (SYMBOL,), print)
    install("acme", FEED, kind="feeds", of="one")
    install("acme", FEED, kind="feeds", of="two")
    with pytest.raises(PluginError, match=r"offered by one 0\.1 and two 0\.1"):
        Vendors(["acme"], (SYMBOL,), print)
    with pytest.raises(PluginError, match=r"no plug-in 'os\.system' is installed"):
        Vendors(["os.system"], (SYMBOL,), print)
    assert found not in sys.modules


def test_one_series_comes_from_one_feed(install: Installed) -> None:
    feed(install)
    feed(install, FEED, "other", "rival")
    with pytest.raises(AdapterError, match="liquidations would come from plug-in acme and from"):
        Vendors(["acme", "other"], (SYMBOL,), print)
    with pytest.raises(AdapterError, match="bars would come from bybit and from plug-in acme"):
        Vendors(["acme"], (SYMBOL,), print, taken=("bars",), other="bybit")
    for names in (["acme", "acme"], "acme"):
        assert [one.name for one in Vendors(names, (SYMBOL,), print).vendors] == ["acme"]


def minutes(first: int, last: int) -> list[list[Event]]:
    """Return polls of a feed that is a venue of its own, a minute each."""
    prices = dict.fromkeys(("open", "high", "low", "close"), 70_000.0)
    polls = []
    for number in range(first, last):
        start = NOW - HOUR + number * MINUTE
        end = start + MINUTE
        polls.append([
            *(Event(start + one * 5 * SECOND, "alive", SYMBOL, {"series": "liq.long"})
              for one in range(13)),
            liquidation(start + SECOND),
            Event(end, "bar", SYMBOL, {**prices, "interval_ns": MINUTE}),
            value(end, 20.0 + number),
        ])  # fmt: skip
    return polls


def test_a_venue_of_ones_own_is_recorded_resumed_and_read_back(
    install: Installed, tmp_path: Path
) -> None:
    acme, out = feed(install), tmp_path / "rec"

    def recording(first: int, last: int) -> None:
        """Record until it is asked once more, when all has been told."""
        told: list[dict[str, str]] = []
        acme.SAID += minutes(first, last)
        asked = len(acme.ASKED) + last - first
        recorder = record(
            None, (SYMBOL,), out, plugins=("acme",), tell=lambda _, faults: told.append(faults)
        )
        asyncio.run(ended(recorder, lambda: len(acme.ASKED) > asked))
        assert told[-1] == {}

    recording(0, 5)
    recording(5, 8)
    assert sorted(one.name for one in out.glob("*.csv")) == [
        "BTC-1m.csv", "BTC-fear_greed-1d.csv", "BTC-liquidations-1m.csv",
    ]  # fmt: skip
    history = History.read(out)
    assert len(history.bars("BTC").ts) == 8
    kept = {key: (one.source, one.grade, one.coverage) for key, one in history.series.items()}
    assert kept["BTC.fear_greed"] == ("acme", "vendor", "full")
    assert kept["BTC.liq.long"] == ("acme", "vendor", "sampled")
    events = list(recorded(out))
    assert {one.source for one in events} == {"acme"}
    values = [one.data["value"] for one in events if one.kind == "value"]
    assert values == [20.0 + number for number in range(8)]
    install("acme2", FEED.replace("1d", "1h"), kind="feeds", of="rival")
    install.allow("acme2")
    with pytest.raises(DataError, match="holds a recording of acme, acme: BTC"):
        asyncio.run(record(None, (SYMBOL,), out, plugins=("acme2",)))
