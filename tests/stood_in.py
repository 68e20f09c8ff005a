"""Rules that no adapter can do whole, and what each of them has to say of that at its start."""

from __future__ import annotations

from pathlib import Path

__all__ = ["STANDS_IN", "passing", "stood_in"]

RULES = """\
version: 1
symbol: BTC
guards: [BTC, ETH]
every: {every}
rules:
  fallen:
    when: close < 60
    clear: close > 70
    do: {{hedge: 50%, block_entries: long}}
    fallback: {{exposure_cap: 40%}}
"""
STANDS_IN = "fallen: this bot cannot do hedge 50%; exposure_cap 40% stands in for it"


def stood_in(folder: Path, every: str = "1h") -> Path:
    """Write them."""
    path = folder / "stood_in.yaml"
    path.write_text(RULES.format(every=every), encoding="utf-8")
    return path


def passing(*names: str) -> str:
    """Return what is said of symbols that nobody guards."""
    return f"orders in {', '.join(names)} pass: these rules do not guard them"
