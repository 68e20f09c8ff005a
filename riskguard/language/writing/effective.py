"""The file in effect: what a rule file comes to with all it extends, changes and is set to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from riskguard.errors import RuleError
from riskguard.language.joining.addresses import replaced_parameter, value_of, with_value
from riskguard.language.joining.composition import compose_file
from riskguard.language.reader import read_rules, read_text
from riskguard.language.reading.allowances import codes
from riskguard.language.rewriting import respelt
from riskguard.language.ruleset import Span
from riskguard.language.source import Listing, Mapping, text_of
from riskguard.language.writing.layout import laid_out
from riskguard.language.writing.naming import Names
from riskguard.language.writing.numerals import number_text
from riskguard.language.writing.placing import placed
from riskguard.language.writing.printing import unfolded
from riskguard.language.writing.wording import row, word

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping as Table
    from pathlib import Path

    from riskguard.language.ruleset import Parameter, RuleSet
    from riskguard.language.source import Node
    from riskguard.language.writing.layout import Row

__all__ = ["SET", "Effective", "effective"]

SET = Span(path="--set")
UNUSED = frozenset({"RG211", "RG212"})
ALL_SYMBOLS = frozenset({"per_symbol"})


@dataclass(frozen=True, slots=True)
class Effective:
    """A file in effect: its nodes, which know where they come from, and what it means."""

    root: Mapping
    rules: RuleSet
    told: frozenset[str]  # codes of the warnings that the file itself is given
    allowed: frozenset[str]  # codes that its authors allow somewhere
    later: frozenset[str]  # those of them that only data can bring

    def rows(self, *, by_origin: bool = False) -> list[Row]:
        """Return its lines: a rule file that is read as `rules`.

        Warnings that the author silences where they stand are allowed for the whole file. That a
        name is of no use any more is told, unless the author allows it.

        Raises:
            RuleError: It is too large for one file.

        """
        lines = laid_out(self.root, by_origin=by_origin)
        again, found = read_text("".join(f"{line.text}\n" for line in lines), "the file in effect")
        if again is None:
            raise RuleError([one for one in found if one.severity == "error"])
        if again.hash != self.rules.hash:
            raise RuntimeError("the file in effect does not mean what the file means")
        loud = {one.code for one in found} - self.told - (UNUSED - self.allowed)
        wanted = sorted(loud | (self.later - codes(self.root)))
        return laid_out(_allowing(self.root, wanted), by_origin=by_origin) if wanted else lines


def effective(
    path: str | Path, *, settings: Table[str, str], symbol: str = "", expand: bool = False
) -> Effective:
    """Return what a rule file comes to, for one symbol or ("") for all.

    `expand` gives every long form as the lines and groups it stands for.

    Raises:
        RuleError: with every diagnostic, if there is an error among them.
    """
    rules, found = read_rules(path, settings=settings)
    composed = compose_file(path)
    if rules is None or not isinstance(composed.root, Mapping):
        raise RuleError(found)
    root, own = composed.root, frozenset[str]()
    later = frozenset(one.code for one in rules.allowed)
    if symbol in composed.per_symbol:
        variant = composed.per_symbol[symbol]
        root, own, rules = variant.root, variant.params, rules.per_symbol[symbol]
    elif symbol:
        root, rules = _of_symbol(root, rules, symbol)
    root = _set(root, (rules.params[name] for name in settings.keys() - own))
    told = frozenset(one.code for one in found)
    allowed = frozenset(code for one in composed.roots for code in codes(one))
    shown = placed(unfolded(rules), root, Names(rules)) if expand else root
    return Effective(shown, rules, told, allowed, later)


def _of_symbol(root: Mapping, rules: RuleSet, symbol: str) -> tuple[Mapping, RuleSet]:
    """Return the file as it holds for a symbol that has no rules of its own."""
    pairs = (pair for pair in root.items if text_of(pair[0]) not in ALL_SYMBOLS)
    root, rules = replace(root, items=tuple(pairs)), replace(rules, per_symbol={}, hash="")
    if rules.symbol:
        return root, rules
    first, *rest = root.items
    named = (word("symbol"), word(symbol))
    return (
        replace(root, items=(first, named, *rest)),
        replace(respelt(rules, symbol), symbol=symbol, hash=""),
    )


def _set(root: Mapping, parameters: Iterable[Parameter]) -> Mapping:
    """Return the file with the values of parameters that were set in the place of its own."""
    for one in parameters:  # each is one of the file's
        params = cast("Mapping", value_of(root, "params"))
        old = cast("Node", value_of(params, one.name))
        figure = one.value if one.value is not None else next(iter(one.by_source.values()))
        new = word(number_text(figure, one.dimension), SET)
        held = value_of(old, "by_source")
        if isinstance(old, Mapping) and isinstance(held, Mapping):
            # a setting holds for sources that are not named, too
            old = with_value(old, "by_source", None, with_value(held, "other", None, new))
        params = with_value(params, one.name, None, replaced_parameter(old, new))
        root = with_value(root, "params", None, params)
    return root


def _allowing(root: Mapping, codes: list[str]) -> Mapping:
    """Return the file with warnings allowed beside those it allows already."""
    old = value_of(root, "allow")
    kept = old.items if isinstance(old, Listing) else (old,) if old is not None else ()
    return with_value(root, "allow", word("allow"), row([*kept, *codes]))
