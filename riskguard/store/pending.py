"""What waits to be stored: sealed at once, so that the chain runs on whatever the disk does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.store.database import CHAINS, Batch
from riskguard.store.rows import (
    ACTION_DONE,
    EVERY,
    PRUNED,
    Chain,
    Entry,
    anchored,
    canonical,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from riskguard.store.rows import Body, Row

__all__ = ["Pending"]

WIDEST = 2**63  # what a column of integers holds
MOST = 100_000  # rows of a table that wait; beyond them those that wait are given up
FORGET = {
    "transition": "DELETE FROM transition WHERE seq <= ?",
    "input": "DELETE FROM input WHERE seq <= ?",
}
GIVE_UP = {
    "transition": "DELETE FROM transition WHERE seq > ?",
    "input": "DELETE FROM input WHERE seq > ?",
}
ANCHORS = "DELETE FROM anchor WHERE chain = ? AND seq < ?"


class Pending:
    """The ends of the chains in memory, and the rows between them and the database."""

    def __init__(self, chains: Mapping[str, Chain], done: Iterable[str] = ()) -> None:
        self.chains, self.done = chains, set(done)
        self.batch = Batch.empty()
        self._stored = self.ends

    @classmethod
    def new(cls, state: str, created: str, version: str, after: int) -> Pending:
        """Return what a new state begins with; its transitions go on behind a number."""
        pending = cls({name: Chain(name) for name in (*CHAINS, "snapshot")})
        named = {"state": state, "created": created, "riskguard": version}
        pending.batch.meta.update(identity=canonical(named), about="{}")
        if after:
            pending.chains["transition"].seq = after
            pending.batch.anchor.append(anchored("transition", after, after, 0))
        return pending

    @property
    def ends(self) -> tuple[int, ...]:
        """Return the number of the newest row of each table, stored or not."""
        return tuple(chain.seq for chain in self.chains.values())

    @property
    def waits(self) -> bool:
        """Tell whether anything is to be stored."""
        return any(self.batch)

    def take(
        self,
        entries: Iterable[Entry],
        inputs: Iterable[tuple[int, Body]],
        rule_hash: str,
        snapshot: str | None,
        about: Body | None,
    ) -> None:
        """Seal what is to be stored; nothing is taken of what cannot be written whole.

        Raises:
            TypeError: A body is not JSON.
            ValueError: A number is not finite, a time beyond 64 bits, a text no Unicode.

        """
        samples = [(_time(ts), canonical(body)) for ts, body in inputs]
        events = [(_time(ns), _text(kind), canonical(body), body) for ns, kind, body in entries]
        actions = [(ns, _text(body["id"])) for ns, kind, _, body in events if kind == ACTION_DONE]
        _text(rule_hash + (snapshot or ""))
        told = None if about is None else canonical(about)
        for ts, text in samples:
            self._add("input", ts, text)
        for ns, kind, text, _ in events:
            self._add("transition", self.chains["input"].seq, ns, rule_hash, kind, text)
        for ns, action in actions:
            if action not in self.done:
                self.done.add(action)
                self._add("done_action", ns, action)
        if snapshot is not None:
            self._remember(rule_hash, snapshot)
        if told is not None:
            self.batch.meta["about"] = told

    def sealed(self) -> Batch:
        """Return what is to be stored, with where the tables end after it."""
        ends = {name: [chain.seq, chain.crc] for name, chain in self.chains.items()}
        self.batch.meta["heads"] = canonical(ends)
        return self.batch

    def stored(self) -> None:
        """Take note that all that waited is stored."""
        self.batch, self._stored = Batch.empty(), self.ends

    def forget(self, cuts: Mapping[str, tuple[int, int]], before: int, rule_hash: str) -> None:
        """Have rows up to a number deleted, anchors in their place, and it written down."""
        for name, (cut, crc) in cuts.items():
            self.batch.first.extend([(FORGET[name], (cut,)), (ANCHORS, (name, cut))])
            self.batch.anchor.append(anchored(name, cut, cut, crc))
        if cuts:
            told = Entry(before, PRUNED, {name: cut for name, (cut, _) in cuts.items()})
            self.take([told], (), rule_hash, None, None)

    def _remember(self, rule_hash: str, snapshot: str) -> None:
        chain = self.chains["snapshot"]
        chain.crc = 0  # the one before may be gone: a snapshot stands for itself
        after = (self.chains["transition"].seq, self.chains["input"].seq)
        self.batch.snapshot[:] = [chain.add(*after, rule_hash, snapshot)]

    def _add(self, name: str, *columns: int | str) -> None:
        chain, rows = self.chains[name], _rows(self.batch, name)
        rows.append(chain.add(*columns))
        if len(rows) > MOST and name in GIVE_UP:
            self._give_up(chain, rows)
        elif chain.seq % EVERY == 0:
            self.batch.anchor.append(anchored(name, chain.seq, 0, chain.crc))

    def _give_up(self, chain: Chain, rows: list[Row]) -> None:
        """Give up the rows that wait: memory is bounded, and an anchor tells how many are gone."""
        stored = self._stored[CHAINS.index(chain.name)]
        rows.clear()
        kept = (row for row in self.batch.anchor if row[0] != chain.name or row[1] <= stored)
        self.batch.anchor[:] = [*kept]
        gone = chain.seq - stored
        self.batch.anchor.append(anchored(chain.name, chain.seq, gone, chain.crc))
        self.batch.first.append((GIVE_UP[chain.name], (stored,)))  # of a commit that was in doubt


def _rows(batch: Batch, name: str) -> list[Row]:
    return batch[CHAINS.index(name)]  # type: ignore[return-value] # the first three are the chains


def _time(ns: int) -> int:
    if type(ns) is not int or not -WIDEST <= ns < WIDEST:
        raise ValueError(f"{ns!r} is no time in nanoseconds: whole numbers of 64 bits are")
    return ns


def _text(text: str) -> str:
    text.encode()  # what cannot be encoded now could never be stored
    return text
