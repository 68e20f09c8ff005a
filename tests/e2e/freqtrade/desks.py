"""Where a test leaves the desk that the strategy of its bot is to ask."""

from __future__ import annotations

from typing import Any

LEFT: list[Any] = []
