"""Power loss: what was written and not synced may be there, be gone, or be half there."""

from __future__ import annotations

import random
from pathlib import Path

from riskguard.store import Restored, Store, database
from riskguard.store import store as store_module
from riskguard.store.files import Damage, named
from riskguard.store.lock import Mark
from riskguard.store.starting import _believed
from tests.counts import counts
from tests.store.made import Writer, ends, wrong
from tests.store.vfs import watched

SECTOR = 512
STEPS = 12  # commits of one history
IMAGES = 50  # made of one history


class History:
    """The writes of one run from a state at rest, and what was acknowledged behind which."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.log: list[tuple[str, str, int, bytes]] = []
        self.acked: list[tuple[int, tuple[int, ...]]] = []
        Store(folder).close()
        with watched(self._watch), Store(folder) as store:
            self.first = {"state.db": (folder / "state.db").read_bytes(), "state.db-wal": b""}
            self.log.clear()
            self.acked.append((0, ends(store)))
            writer = Writer(store, seed)
            for _ in range(STEPS):
                assert writer.step()
                self.acked.append((len(self.log), ends(store)))
            self.state = store._state
            self.log = self.log[:]  # the end of a run is no part of it

    def _watch(self, what: str, path: str, offset: int, data: bytes) -> None:
        name = path.rpartition("/")[2]
        if what in {"write", "truncate", "sync"} and name in {"state.db", "state.db-wal"}:
            self.log.append((what, name, offset, data))

    def image(self, dice: random.Random) -> tuple[dict[str, bytearray], tuple[int, ...]]:
        """Return what a disk holds after a cut, and what had been acknowledged by then."""
        cut = dice.randrange(len(self.log) + 1)
        disk = {name: bytearray(content) for name, content in self.first.items()}
        synced = dict.fromkeys(disk, 0)
        for number, (what, name, _, _) in enumerate(self.log[:cut]):
            if what == "sync":
                synced[name] = number
        mood = dice.choice([0.0, 0.2, 0.5, 0.8, 1.0])  # how much of the rest reached the disk
        for number, step in enumerate(self.log[:cut]):
            if number < synced[step[1]]:
                apply(disk[step[1]], step)
            elif dice.random() < mood:
                apply(disk[step[1]], torn(step, dice))
        return disk, [known for at, known in self.acked if at <= cut][-1]


def apply(disk: bytearray, step: tuple[str, str, int, bytes]) -> None:
    what, _, offset, data = step
    if what == "truncate":
        del disk[offset:]
    elif what == "write":
        disk.extend(bytes(max(0, offset + len(data) - len(disk))))
        disk[offset : offset + len(data)] = data


def torn(step: tuple[str, str, int, bytes], dice: random.Random) -> tuple[str, str, int, bytes]:
    """Return a write as it is, or what some of its sectors would have written."""
    what, name, offset, data = step
    if what != "write" or dice.random() < 0.7:
        return step
    begin = dice.randrange(0, len(data), SECTOR) if len(data) > SECTOR else 0
    end = min(len(data), begin + SECTOR * dice.randrange(1, 9))
    return what, name, offset + begin, data[begin:end]


def opened(folder: Path, disk: dict[str, bytearray], mark: Mark) -> Restored | str:
    files = named(folder)
    for name, content in disk.items():
        (folder / name).write_bytes(content)
    files.sides()[1].unlink(missing_ok=True)
    try:
        found = _believed(files, mark)
    except Damage as damage:
        return str(damage)
    assert found is not None
    return found.restored


@counts(2_500, 1_000_000)
def test_after_a_power_loss_all_that_was_acknowledged_is_there(count: int, quick: Path, measured):
    dice, lost = random.Random(20260212), []
    place = quick / "image"
    place.mkdir(mode=0o700)
    for number in range(count // IMAGES):
        history = History(quick / str(number), dice.getrandbits(32))
        for _ in range(IMAGES):
            disk, acked = history.image(dice)
            found = opened(place, disk, Mark(1, "", history.state, acked))
            if isinstance(found, str) or wrong(found) or found.seq < acked[0]:
                lost.append((number, found))
    assert not lost
    measured(
        f"{count:,} crash images of {count // IMAGES:,} histories (writes dropped, reordered,"
        " torn): 0 damaged, 0 acknowledged lost"
    )


def test_the_images_would_show_a_store_that_does_not_sync(quick: Path, monkeypatch):
    lax = [text.replace("FULL", "NORMAL") for text in database.SETTINGS]
    monkeypatch.setattr(database, "SETTINGS", lax)
    monkeypatch.setattr(store_module, "settled", lambda _: None)  # a checkpoint syncs, too
    dice, lost = random.Random(3), 0
    place = quick / "image"
    place.mkdir(mode=0o700)
    for number in range(4):
        history = History(quick / str(number), dice.getrandbits(32))
        for _ in range(IMAGES):
            disk, acked = history.image(dice)
            lost += isinstance(opened(place, disk, Mark(1, "", history.state, acked)), str)
    assert lost > 20
