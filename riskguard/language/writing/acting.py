"""Actions as a rule file writes them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from riskguard.language.ruleset import Actions, Span, Stop
from riskguard.language.schema import ACTIONS
from riskguard.language.source import Mapping
from riskguard.language.writing.numerals import number_text
from riskguard.language.writing.wording import word

if TYPE_CHECKING:
    from riskguard.language.schema import Action

__all__ = ["action_block", "asked_texts"]

NONE = Actions()


def action_block(do: Actions, span: Span) -> Mapping:
    """Return the block of `do` or `fallback`."""
    texts = asked_texts(do)
    if not texts:  # what asks for nothing has said so
        texts = {"reduce_only": "false"}
    return Mapping(tuple((word(key, span), word(text, span)) for key, text in texts.items()), span)


def asked_texts(do: Actions) -> dict[str, str]:
    """Return what is asked for as it is written, by its key; plug-ins come last."""
    texts = {key: _text(key, getattr(do, key)) for key in ACTIONS if _asked(do, key)}
    return texts | {f"plugin.{name}": text for name, text in do.plugins}


def _asked(do: Actions, key: str) -> bool:
    return bool(getattr(do, key) != getattr(NONE, key))


def _text(key: str, value: object) -> str:
    """Return the value of an action as it is written."""
    action: Action = ACTIONS[key]
    if isinstance(value, Stop):
        if value.share is not None:
            return number_text(value.share, "share")
        return f"{_digits(value.atr or 0.0)} ATR"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number_text(value, "ratio" if action.kind == "multiple" else "share")
    return str(value)


def _digits(value: float) -> str:
    """Return a number in digits alone: a stop is read without groups and exponents."""
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
