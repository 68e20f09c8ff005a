"""A rule set as the text of a rule file that is read as an equal one, with an equal hash.

What is printed is the meaning, in one form: long forms as the lines and groups they stand for,
holds and caps as figures (a parameter that was named there stays declared), each on_missing as
high up as it holds. Names, descriptions and help go along; comments are not known here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.language.writing.clauses import Clauses
from riskguard.language.writing.declaring import input_block, noted, parameter_node
from riskguard.language.writing.layout import laid_out
from riskguard.language.writing.numerals import duration_text
from riskguard.language.writing.variants import changes
from riskguard.language.writing.wording import keyed, named, row

if TYPE_CHECKING:
    from riskguard.language.ruleset import RuleSet
    from riskguard.language.source import Mapping, Node

__all__ = ["printed", "unfolded"]


def printed(rules: RuleSet) -> str:
    """Return the text of a rule file for rules as they were read (not bound to data).

    >>> from riskguard.language.reader import load_rules, read_text
    >>> rules = load_rules("rules/feb-2026.yaml")
    >>> again, _ = read_text(printed(rules), "printed.yaml")
    >>> again == rules, again.hash == rules.hash
    (True, True)
    """
    return "".join(f"{text}\n" for text, _ in laid_out(unfolded(rules)))


def unfolded(rules: RuleSet) -> Mapping:
    """Return the rules as the nodes of a rule file; each node stands where its words did."""
    clauses = Clauses(rules)
    own = {name: one for name, one in rules.inputs.items() if not noted(one)}
    sections: dict[str, Node | str | None] = {
        "inputs": named({name: input_block(one, rules.every) for name, one in own.items()}),
        "params": named({name: parameter_node(one) for name, one in rules.params.items()}),
        "define": named({name: clauses.definition(name) for name in rules.define}),
        "stages": row(map(clauses.stage, rules.stages)) if rules.stages else None,
        "rules": named({rule.name: clauses.rule(rule) for rule in rules.rules}),
        "per_symbol": named({symbol: changes(rules, symbol) for symbol in rules.per_symbol}),
    }
    return keyed(_header(rules) | sections)


def _header(rules: RuleSet) -> dict[str, Node | str | None]:
    every = None if rules.every is None else duration_text(rules.every)
    found: dict[str, Node | str | None] = {"version": "1"}
    found |= {"name": rules.name or None, "description": rules.description or None}
    found |= {"severity": _but("warning", rules.severity), "symbol": rules.symbol or None}
    found["symbols"] = row(rules.symbols) if rules.symbols else None
    guards = rules.guards
    found["guards"] = _but("symbol", guards) if isinstance(guards, str) else row(guards)
    found |= {"every": every, "evaluate": _but("bar_close", rules.evaluate)}
    return found | {"timezone": _but("UTC", rules.timezone), "blind": _but("block", rules.blind)}


def _but(default: str, word: str) -> str | None:
    return word if word != default else None
