"""Contracts that a guard and an adapter have to keep: plain classes that any runner can run."""

from __future__ import annotations
