"""A guard in a live process: its clock, its memory on disk, its operator."""

from __future__ import annotations
