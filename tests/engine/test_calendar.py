"""Windows that the calendar begins, and hours by wall clock, against the calendar itself."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from riskguard.engine.calendar import Calendar, Hours
from riskguard.engine.measures.calendar import CALENDAR
from riskguard.engine.states import state_of
from riskguard.engine.windows import Tape, Window
from riskguard.language.ruleset import During
from riskguard.market import DAY, HOUR, MINUTE, SECOND

ZONES = ["UTC", "Europe/London", "America/New_York", "Asia/Kolkata", "America/Havana"]
SCALE = 100


def at(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * SECOND


def midnight(now: int, zone: str, *, week: bool) -> int:
    """The last instant before `now` at which a new date (a Monday) began, minute by minute."""
    zone_of, then = ZoneInfo(zone), now - 1
    then -= then % MINUTE

    def opens(instant: int) -> bool:
        here = datetime.fromtimestamp(instant // SECOND, zone_of)
        before = datetime.fromtimestamp(instant // SECOND - 60, zone_of)
        return here.date() > before.date() and (not week or here.weekday() == 0)

    while not opens(then):
        then -= MINUTE
    return then


@pytest.mark.parametrize("zone", ZONES)
def test_a_day_begins_where_the_date_changes(zone: str) -> None:
    pick = random.Random(zone)
    begin = Calendar(f"today@{zone}").begin
    # the clocks change within these days
    for _ in range(60):
        now = at("2026-03-01") + pick.randrange(40 * 24 * 60) * MINUTE + pick.choice([0, 1, SECOND])
        assert begin(now) == midnight(now, zone, week=False)


def test_a_week_begins_on_monday() -> None:
    begin = Calendar("this_week@Europe/London").begin
    pick = random.Random(7)
    for _ in range(20):
        now = at("2026-10-20") + pick.randrange(14 * 24 * 60) * MINUTE
        assert begin(now) == midnight(now, "Europe/London", week=True)


def test_midnight_itself_belongs_to_the_day_that_ends() -> None:
    begin = Calendar("today@UTC").begin
    assert begin(at("2026-02-05")) == at("2026-02-04")
    assert begin(at("2026-02-05") + 1) == at("2026-02-05")
    assert Calendar("this_week@UTC").begin(at("2026-02-09")) == at("2026-02-02")


# ---------------------------------------------------------------- measures since midnight


def oracle(function: str, seen: list[tuple[int, float]], now: int, begun: int) -> float:
    """The measure recomputed from everything seen."""
    endpoint = function in {"change", "drop", "rise"}
    inside = [value for ts, value in seen if begun < ts <= now]
    start = seen[0][0] - (0 if endpoint else HOUR) if seen else now
    if not seen or start > begun or 10 * len(inside) < 9 * ((now - begun) // HOUR):
        return math.nan
    ts, last = seen[-1]
    current = last if now - ts <= 2 * HOUR else math.nan
    if endpoint:
        before = [(ts, value) for ts, value in seen if ts <= begun]
        if not before or begun - before[-1][0] > 2 * HOUR or not before[-1][1]:
            return math.nan
        rose, fell = current / before[-1][1] - 1, 1 - current / before[-1][1]
        return {"change": rose, "drop": max(fell, 0.0), "rise": max(rose, 0.0)}[function]
    if function == "sum":
        return sum(round(value * SCALE) for value in inside) / SCALE
    if not inside:
        return math.nan
    if function == "mean":
        return sum(round(value * SCALE) for value in inside) / (SCALE * len(inside))
    if function == "drawdown":
        return 1 - current / max(inside)
    return max(inside) if function == "high" else min(inside)


@pytest.mark.parametrize("function", sorted(CALENDAR))
@pytest.mark.parametrize("window", ["today", "this_week"])
def test_a_measure_since_midnight_is_what_the_day_holds(function: str, window: str) -> None:
    known = 0
    for seed in range(12):
        pick = random.Random(f"{function} {window} {seed}")
        zone, holes = pick.choice(ZONES), pick.choice([0.0, 0.02, 0.3])
        tape = Tape(interval=HOUR, fresh=2 * HOUR, bar=True, scale=SCALE)
        state = state_of(Window(function, "close", 0, calendar=f"{window}@{zone}"), [tape])
        seen: list[tuple[int, float]] = []
        now = at("2026-03-20")
        for _ in range(500):
            now += HOUR * (pick.randrange(2, 9) if pick.random() < 0.01 else 1)
            if pick.random() >= holes:
                value = round(pick.uniform(1, 100), 2)
                tape.push(now, value)
                seen.append((now, value))
            got = state.read(now)
            begun = Calendar(f"{window}@{zone}").begin(now)
            wanted = oracle(function, seen, now, begun)
            assert got == wanted or (math.isnan(got) and math.isnan(wanted)), (seed, now)
            known += not math.isnan(got)
            assert state.seen(now) <= state.wanted(now) == now - begun
            if pick.random() < 0.1:
                tape.clock.trim(now)
    assert known > 1_000


def test_a_drawdown_from_the_first_sample_never_warms_up() -> None:
    tape = Tape(interval=HOUR, fresh=2 * HOUR, scale=SCALE)
    state = state_of(Window("drawdown", "equity", 0, calendar="all"), [tape])
    found = []
    for hour, value in enumerate([100.0, 120.0, 90.0, 60.0]):
        tape.push(hour * HOUR, value)
        found.append(round(state.read(hour * HOUR), 9))
    assert found == [0.0, 0.0, 0.25, 0.5]
    assert state.wanted(4 * HOUR) == 0
    assert math.isnan(state.read(9 * HOUR))


# ---------------------------------------------------------------- hours


LONDON = During((0, 1, 2, 3, 4), 8 * HOUR, 16 * HOUR + 30 * MINUTE, "Europe/London")
NIGHT = During((4,), 22 * HOUR, 2 * HOUR, "America/New_York")


def test_hours_are_half_open() -> None:
    inside = Hours(LONDON).inside
    assert [
        inside(at(f"2026-02-05T{clock}")) for clock in ("07:59", "08:00", "16:29", "16:30")
    ] == [
        False,
        True,
        True,
        False,
    ]
    assert not inside(at("2026-02-07T12:00"))  # a Saturday


def test_hours_past_midnight_belong_to_the_day_they_begin_on() -> None:
    inside = Hours(NIGHT).inside
    friday = at("2026-02-06T22:00", "America/New_York")
    assert [inside(friday + step * HOUR) for step in (-1, 0, 3, 4)] == [False, True, True, False]
    assert not inside(friday - DAY + 3 * HOUR)


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_hours_follow_the_wall_clock_over_daylight_saving(day: str) -> None:
    inside = Hours(During(tuple(range(7)), 8 * HOUR, 9 * HOUR, "Europe/London")).inside
    zone, start = ZoneInfo("Europe/London"), datetime.fromisoformat(day).replace(tzinfo=UTC)
    for minutes in range(0, 3 * 24 * 60, 5):
        moment = start - timedelta(days=1) + timedelta(minutes=minutes)
        wanted = moment.astimezone(zone).hour == 8
        assert inside(int(moment.timestamp()) * SECOND) == wanted


def test_a_whole_day_ends_at_midnight() -> None:
    inside = Hours(During((0,), 0, DAY, "UTC")).inside
    monday = at("2026-02-09")
    assert [inside(monday + hour * HOUR) for hour in (-1, 0, 23, 24)] == [False, True, True, False]
