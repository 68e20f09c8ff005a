"""One file for each trading framework; each imports its framework, nothing imports them."""

from __future__ import annotations
