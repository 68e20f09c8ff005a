"""A folder for each trading framework, with its door in front; and what they share."""

from __future__ import annotations
