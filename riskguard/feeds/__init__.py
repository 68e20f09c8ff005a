"""Feeds: what exchanges send, as events of one meaning; live, recorded, and recorded again."""

from __future__ import annotations
