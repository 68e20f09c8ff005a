"""Work in parts, on as many cores as there are; what comes of it is in the order of the parts.

numpy lets go of the interpreter while it counts, so that threads do. Nothing depends on how many
there are, or on which of them is first.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Part = TypeVar("Part")
Made = TypeVar("Made")

__all__ = ["in_parts"]

MOST = 4  # more wait for memory rather than count


def in_parts(work: Callable[[Part], Made], parts: Iterable[Part]) -> Iterator[Made]:
    """Yield what `work` makes of each part; only a few parts are made ahead."""
    cores = min(MOST, os.cpu_count() or 1)
    left = iter(parts)
    with ThreadPoolExecutor(cores) as pool:
        while some := list(islice(left, 2 * cores)):
            yield from pool.map(work, some)
