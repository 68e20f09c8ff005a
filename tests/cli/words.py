"""Words of a command line, changed by a test."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["instead"]


def instead(words: Sequence[object], *change: object) -> list[object]:
    """Return words in which options have other values; one that is not there is added."""
    kept = list(words)
    for option, value in zip(change[::2], change[1::2], strict=True):
        if option in kept:
            kept[kept.index(option) + 1] = value
        else:
            kept += [option, value]
    return kept
