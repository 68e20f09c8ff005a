"""How often a random test is run: cut to fit `make test`, whole in `make soak`."""

from __future__ import annotations

import pytest

__all__ = ["counts"]


def counts(quick: int, whole: int) -> pytest.MarkDecorator:
    """Return what runs a test with `count` cases: `quick` by default, `whole` under `soak`."""
    cases = [pytest.param(quick, id=f"{quick:,}")]
    if whole > quick:
        cases.append(pytest.param(whole, id=f"{whole:,}", marks=pytest.mark.soak))
    return pytest.mark.parametrize("count", cases)
