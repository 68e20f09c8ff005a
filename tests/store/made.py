"""States whose content can be told from its numbers, so that any of it can be checked."""

from __future__ import annotations

import random
from pathlib import Path

from riskguard.store import ACTION_DONE, PRUNED, Entry, Restored, Store, canonical

MINUTE = 60_000_000_000
ABOUT = {"rules": "hash", "text": "version: 1\n", "sources": {"oi": "bybit"}}


def entry(seq: int) -> Entry:
    """Return the transition that always has this number."""
    if seq % 7 == 0:
        return Entry(seq * MINUTE, ACTION_DONE, {"id": f"action {seq}"})
    return Entry(seq * MINUTE, "rule", {"rule": f"R{seq}", "value": seq / 3, "big": str(seq**20)})


def sample(seq: int) -> tuple[int, dict[str, object]]:
    """Return the input that always has this number."""
    return seq * MINUTE, {"symbol": "BTC", "values": {"close": 90_000 + seq / 7}}


def blob(transition: int, given: int, size: int = 0) -> str:
    """Return the snapshot that is always made after these two."""
    return canonical([transition, given, "x" * size])


class Writer:
    """Commits what its numbers say, at random; `step` returns whether it was acknowledged."""

    def __init__(self, store: Store, seed: int) -> None:
        self.store, self.dice = store, random.Random(seed)
        self.inputs = ends(store)[1]

    def step(self) -> bool:
        dice, store = self.dice, self.store
        given = [sample(self.inputs + 1 + n) for n in range(dice.randrange(4))]
        self.inputs += len(given)
        made = [entry(store.seq + 1 + n) for n in range(dice.choice([0, 1, 1, 3]))]
        snapshot = None
        if dice.random() < 0.6:
            after = store.seq + len(made)
            snapshot = blob(after, self.inputs, dice.choice([0, 100, 8_000]))
        about = ABOUT if dice.random() < 0.1 else None
        done = store.commit(made, inputs=given, rule_hash="hash", snapshot=snapshot, about=about)
        if dice.random() < 0.05:
            done = store.prune(dice.choice([dice.randrange(store.seq + 2), store.seq]) * MINUTE)
        return done


def ends(store: Store) -> tuple[int, ...]:
    return store._pending.ends


def wrong(found: Restored) -> str:
    """Return what is wrong with a state that a `Writer` wrote, or nothing."""
    if found.lost:
        return f"lost: {found.lost}"
    last = found.snapshot
    after, given = (last.after_transition, last.after_input) if last else (0, 0)
    if last and last.body != blob(after, given, len(last.body) - len(blob(after, given))):
        return f"snapshot {last.seq}"
    for number, event in enumerate(found.transitions, start=after + 1):
        if event.seq != number or (event.kind != PRUNED and event[2:] != told(number)):
            return f"transition {number}: {event}"
        if event.kind == ACTION_DONE and event.body["id"] not in found.done:
            return f"{event.body['id']} is not done"
    for number, one in enumerate(found.inputs, start=given + 1):
        if one != (number, *sample(number)):
            return f"input {number}: {one}"
    numbers = {int(name.removeprefix("action ")) for name in found.done}
    strays = {number for number in numbers if number % 7 or number > found.seq}
    return f"done: {strays}" if strays or not found.whole else ""


def told(seq: int) -> tuple[object, ...]:
    made = entry(seq)
    return made.event_ns, "hash", made.kind, made.body


def written(folder: Path, steps: int, seed: int = 1) -> Restored:
    """Write a state and return what it restores."""
    with Store(folder) as store:
        writer = Writer(store, seed)
        assert all(writer.step() for _ in range(steps))
    with Store(folder) as store:
        return store.restored
