"""Find what is shipped beside the code: rule packs and strategies."""

from __future__ import annotations

from pathlib import Path

__all__ = ["shipped"]


def shipped(kind: str) -> Path:
    """Return the folder of "rules" or "strategies", in a checkout and in a wheel alike."""
    package = Path(__file__).resolve().parent
    installed = package / "share" / kind
    return installed if installed.is_dir() else package.parent / kind
