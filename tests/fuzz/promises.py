"""What holds for every text that is read as rules, whatever stands in it."""

from __future__ import annotations

from dataclasses import replace

from riskguard.engine.compile import compile_rules
from riskguard.errors import RuleError
from riskguard.language.binding import sourced
from riskguard.language.reader import read_text
from riskguard.language.ruleset import RuleSet
from riskguard.language.source import lines_of
from riskguard.market import HOUR
from tests.language.typos import outside, spans

__all__ = ["kept"]

# files are looked for beside it: there are none
NAME = "/nowhere/rules.yaml"


def kept(text: str) -> bool:
    """Check the promises on one text; say whether it was accepted."""
    rules, found = read_text(text, NAME)
    lines = lines_of(text)[1]
    own = [one for one in found if one.path == NAME]
    assert not [one for one in own if outside(one, lines)], "a place outside the file"
    assert all(one.render() and one.message for one in found), "nothing said"
    failed = any(one.severity == "error" for one in found)
    assert failed == (rules is None), "errors and rules, or neither"
    if rules is None:
        return False
    assert not [at for at in spans(rules) if not at.path and outside(at, lines)], "a place outside"
    again, told = read_text(text, NAME)
    assert (again, told) == (rules, found), "another answer the second time"
    assert again is not None
    assert again.hash == rules.hash == replace(rules, hash="").hash, "another hash"
    compiled(rules)
    return True


def compiled(rules: RuleSet) -> None:
    """Compile the rules for a guard: nothing but the floor of a source may be lacking."""
    each = rules if rules.every else replace(rules, every=HOUR)
    try:
        compile_rules(sourced(each, {}))
    except RuleError as refused:
        lacking = {one.code for one in refused.diagnostics}
    else:
        lacking = set()
    assert lacking <= {"RG509"}
