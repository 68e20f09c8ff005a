"""Sound states, laid out again with one of their files harmed."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

from riskguard.store import Journal, Restored, Store, store
from riskguard.store.files import Damage, named
from riskguard.store.starting import _believed
from tests.store.made import blob, entry, sample

MOMENT = 1_770_300_000_000_000_000
BAD = "state.db.bad-20260205T140000Z"  # what is set aside at that moment


def foreign(path: Path, statement: str) -> None:
    """Have another program change a database."""
    with sqlite3.connect(path) as db:
        db.execute(statement)
    db.close()


class Kept:
    """A sound state, what it restores, and its files as bytes, the log full or empty."""

    def __init__(self, folder: Path, *, logged: bool) -> None:
        self.files = named(folder)
        self.store = Store(folder)
        for number in range(1, 41):
            snapshot = blob(number, number, 3_000) if number in {5, 9} else None
            made = {"inputs": [sample(number)], "rule_hash": "hash", "snapshot": snapshot}
            if logged and number == 31:
                store.settled, settled = (lambda _: None), store.settled
            assert self.store.commit([entry(number)], **made)
        if logged:
            store.settled = settled
        self.mark = self.store._lock.mark
        names = ["state.db", "state.db-wal"]
        self.bytes = {name: (folder / name).read_bytes() for name in names}
        self.restored = Journal(folder).restored()
        self.events = Journal(folder).transitions()
        self.store.close()

    def lay(self, name: str, content: bytes) -> None:
        for side in self.files.sides():
            side.unlink(missing_ok=True)
        for known, sound in self.bytes.items():
            (self.files.folder / known).write_bytes(content if known == name else sound)

    def believed(self) -> Restored | str:
        try:
            assert self.files.look()
            found = _believed(self.files, self.mark)
        except Damage as damage:
            return str(damage)
        assert found is not None
        return found.restored


def harmed(sound: bytes, dice: random.Random) -> bytes:
    """Return a file with a bit flipped, bytes overwritten, a sector gone, an end cut off, …"""
    spoiled = bytearray(sound)
    place = dice.randrange(len(sound))
    sector = place // 512 * 512
    match dice.randrange(12):
        case 0:
            return sound[:place]
        case 1:
            return sound[: place // 4096 * 4096]
        case 2:
            spoiled[sector : sector + 512] = bytes(512)
        case 3:
            length = dice.randrange(1, 200)
            spoiled[place : place + length] = dice.randbytes(length)
        case 4:  # a page in the place of another
            other = dice.randrange(len(sound)) // 4096 * 4096
            page = place // 4096 * 4096
            spoiled[page : page + 4096] = sound[other : other + 4096]
        case _:
            spoiled[place] ^= 1 << dice.randrange(8)
    return bytes(spoiled)
