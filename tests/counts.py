"""How often a random test is run: cut to fit `make test`, whole in `make soak`."""

from __future__ import annotations

import pytest

__all__ = ["counts"]


def counts(quick: int, whole: int) -> pytest.MarkDecorator:
    """Return what runs a test with `count` cases: `quick` by default, `whole` under `soak`.

    `make coverage` runs none of them: every line is reached by a test that names its scenario.
    """
    cases = [pytest.param(quick, id=f"{quick:,}", marks=pytest.mark.counted)]
    if whole > quick:
        marks = (pytest.mark.counted, pytest.mark.soak)
        cases.append(pytest.param(whole, id=f"{whole:,}", marks=marks))
    return pytest.mark.parametrize("count", cases)
