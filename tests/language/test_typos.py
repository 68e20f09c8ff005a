"""A slip of one key: an error at its place, no change, or a change that nobody can see."""

from __future__ import annotations

from collections import Counter

from riskguard.language.reader import load_rules, read_text
from riskguard.language.source import lines_of
from tests.counts import counts
from tests.language.typos import PACKS, outside, spans, typos


@counts(1_000, 12_000)
def test_a_typo_raises_nothing_but_diagnostics_inside_the_file(count: int, measured):
    meant = {pack: load_rules(pack) for pack in PACKS}
    texts = {pack: pack.read_text(encoding="utf-8") for pack in PACKS}
    said = {pack: {one.code for one in read_text(texts[pack], str(pack))[1]} for pack in PACKS}
    came = Counter()
    for pack, wrong in typos(count, seed=20260212):
        rules, found = read_text(wrong, str(pack))
        lines = lines_of(wrong)[1]
        own = [one for one in found if one.path == str(pack)]
        assert not [one.render() for one in own if outside(one, lines)], wrong
        assert all(one.message for one in found)
        if rules is None:
            assert any(one.severity == "error" for one in found), wrong
            came["refused"] += 1
            continue
        assert not [at for at in spans(rules) if not at.path and outside(at, lines)], wrong
        if rules.hash == meant[pack].hash:
            came["harmless"] += 1
        else:
            came["silent" if {one.code for one in found} <= said[pack] else "warned"] += 1
    shares = ", ".join(
        f"{came[kind] / count:.1%} {words}"
        for kind, words in (
            ("refused", "are errors"),
            ("warned", "change the meaning with a warning"),
            ("silent", "change it without a word"),
            ("harmless", "change nothing"),
        )
    )
    measured(f"{count:,} typos in {len(PACKS)} packs: {shares}")
    assert came["refused"] > count / 3
    assert came["silent"] < count / 10, shares
