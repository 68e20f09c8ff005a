"""Sources that name several venues: prices alone, which all venues tell alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from riskguard.errors import DataError
from riskguard.language.rewriting import parted
from riskguard.language.ruleset import input_of
from riskguard.market import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from riskguard.language.ruleset import RuleSet

    Sources = Mapping[str, str | Sequence[str]]

__all__ = ["BAR", "comparable", "venues_of"]

BAR = ("close", "open", "high", "low")
FORM = 'a source is a name ("binance"), for a price a list of names too (["binance", "bybit"])'


def venues_of(sources: Sources, symbol: str, name: str) -> tuple[str, ...]:
    """Return the venues that tell a price, () where no list of them is given.

    All prices of a bar come from the same venues.
    """
    for one in BAR if name in BAR else (name,):
        found = sources.get(f"{symbol}.{one}" if symbol else one, "")
        if not isinstance(found, str):
            return tuple(found)
    return ()


def comparable(ruleset: RuleSet, sources: Sources) -> None:
    """Refuse sources of which several cannot be compared.

    Raises:
        DataError: one is neither name nor list of names, no price, or unclear.
    """
    for key, source in sources.items():
        if not isinstance(source, str):
            _list(key, source)
            _price(key, ruleset, source[0])
            _whole_bar(key, source, sources)


def _list(key: str, source: object) -> None:
    """Refuse what is no list of different names."""
    if not isinstance(source, list | tuple) or not source:
        _refuse(f"{key!r} comes from {source!r}", FORM)
    for name in source:
        if not isinstance(name, str) or not name:
            _refuse(f"a venue of {key!r} is called {name!r}", FORM)
        if source.count(name) > 1:
            _refuse(f"{key!r} comes from {name!r} twice", "name each venue once: it has one voice")
    if len(source) == 1:
        _refuse(f"{key!r} comes from {source!r}", f'one venue is written "{source[0]}", no list')


def _price(key: str, ruleset: RuleSet, first: str) -> None:
    """Refuse what is no price, or is told under another name."""
    symbol, name = parted(key)
    if name not in CATALOGUE and not {key, name} & ruleset.inputs.keys():
        _refuse(f"{key!r} comes from several venues: no series is called so", "mend the name")
    if symbol and symbol == ruleset.symbol:
        _refuse(f"{key!r} comes from several venues", f'the guarded symbol is named "{name}" alone')
    spec = input_of(ruleset, symbol, name).spec
    own = name in BAR or name not in CATALOGUE
    if spec.dimension != "price" or spec.kind != "level" or not own:
        why = "open interest, funding and flows are another figure on each venue"
        fix = f'{why}: name the one that your rules mean, {{"{key}": "{first}"}}'
        _refuse(f"{key!r} comes from several venues, and only prices can be compared", fix)


def _whole_bar(key: str, source: Sequence[str], sources: Sources) -> None:
    """Refuse bars whose prices are told by different venues."""
    symbol, name = parted(key)
    for one in BAR if name in BAR else ():
        other = f"{symbol}.{one}" if symbol else one
        if other in sources and sources[other] != source:
            names = ", ".join(f'"{venue}"' for venue in source)
            fix = f'name the venues of a bar once: {{"{key}": [{names}]}}'
            _refuse(f"{key!r} and {other!r} come from different venues", fix)


def _refuse(message: str, fix: str) -> NoReturn:
    raise DataError(f"sources: {message}", help=fix)
