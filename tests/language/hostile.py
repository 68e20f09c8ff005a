"""Texts that no trader writes: each is refused with a place, quickly and in little memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["HEAD", "HOSTILE", "LARGE", "MEBIBYTE", "rule"]

MEBIBYTE = 1 << 20
HEAD = "version: 1\n"
DO = "do: {exposure_cap: 50%}"


def rule(when: str, more: str = "latch: true") -> str:
    """Return a file of one rule."""
    return f"{HEAD}rules:\n  r:\n    when: {when}\n    {more}\n    {DO}\n"


def rules(count: int, body: Callable[[int], str]) -> str:
    """Return a file of many rules, the body of each written in braces."""
    return f"{HEAD}rules:\n" + "".join(f"  r{n}: {{{body(n)}}}\n" for n in range(count))


def defined(lines: list[str], when: str = "d0") -> str:
    """Return a file of definitions and one rule that reads `when`."""
    body = "".join(f"  {line}\n" for line in lines)
    return f"{HEAD}define:\n{body}rules:\n  r: {{when: {when}, latch: true, {DO}}}\n"


def filled(text: str, filler: str = "#", most: int = MEBIBYTE) -> str:
    """Return the text with a comment behind it that makes the file as large as it may be."""
    return text + filler * ((most - len(text.encode())) // len(filler.encode()))


def ladder(count: int, enter: Callable[[int], int], back: Callable[[int], str]) -> str:
    """Return a file of stages, each with the threshold it is entered below and its way back."""
    stages = "".join(
        f"  - {{stage: s{n}, enter: close < {enter(n)}, recover: close {back(n)}, {DO}}}\n"
        for n in range(count)
    )
    return f"{HEAD}stages:\n{stages}"


def lines(count: int) -> str:
    """Return lines of a group in brackets."""
    return ", ".join(f"close < {n + 1}" for n in range(count))


def breadths(forms: int, symbols: int, line: str) -> str:
    names = ", ".join(f"S{n}" for n in range(symbols))
    body = f"when: {{breadth: {{of: [{names}], at_least: 1, where: {line}}}}}, latch: true, {DO}"
    return f"{HEAD}symbols: [{names}]\n" + rules(forms, lambda _: body).removeprefix(HEAD)


def symbols_of_their_own(count: int, size: int) -> str:
    own = "".join(f"  S{n}: {{disable: [r0]}}\n" for n in range(count))
    each = rules(size, lambda n: f"when: close < {n + 1}, latch: true, {DO}")
    return f"{each}per_symbol:\n{own}"


def overrides(count: int) -> str:
    params = "".join(f"  p{n}: 5\n" for n in range(count))
    changes = "".join(f"  params.p{n}: 6\n" for n in range(count))
    tail = f"override:\n{changes}rules:\n  r: {{when: close < nobody, latch: true, {DO}}}\n"
    return f"{HEAD}params:\n{params}{tail}"


def named(names: int, readers: int, width: int = 8) -> str:
    """Return many parameters, and as many lines that name none of them."""
    params = "".join(f"  p{n:0{width}}: 5\n" for n in range(names))
    read = "".join(f"        - close < q{n:0{width}}\n" for n in range(readers))
    return f"{HEAD}params:\n{params}rules:\n  r:\n    when:\n      all:\n{read}    {DO}\n"


LIQUIDATIONS = (
    "{{liquidations: {{side: long, window: 4h, at_least: 3x average(7d), floor: ${}M, source: s}}}}"
)
WORDS = "1+" * 90 + "1"
LONG = "9" * 5_000
BIG = MEBIBYTE - 200

# what is wrong with the text of a file, and the text
TEXTS: dict[str, Callable[[], str]] = {
    # ---------------------------------------------------- YAML
    "aliases": lambda: "a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    "merge keys": lambda: "a: &a {x: 1}\nb: {<<: [*a, *a, *a]}\n",
    "merge key alone": lambda: HEAD + "<<: {rules: {}}\n",
    "tag": lambda: HEAD + "name: !!python/object/apply:os.system [echo]\n",
    "local tag": lambda: HEAD + "name: !x y\n",
    "directive": lambda: "%YAML 1.3\n---\nversion: 1\n",
    "tag directive": lambda: "%TAG ! tag:example.org,2000:\n---\nversion: 1\n",
    "thousands of directives": lambda: "%TAG !a{n}! tag:x\n".replace("{n}", "1") * 30_000,
    "two documents": lambda: HEAD + "---\nversion: 1\n",
    "documents without end": lambda: "---\n" * 250_000,
    "document ends": lambda: HEAD + "...\n" * 250_000,
    "explicit key": lambda: "? version\n: 1\n? [a, b]\n: {}\n",
    "a list as key": lambda: HEAD + "? [a, [b]]\n: c\nrules: {}\n",
    "a map as key": lambda: HEAD + "{a: b}: c\nrules: {}\n",
    "null": lambda: "~\n",
    "a list": lambda: "- version: 1\n",
    "a text": lambda: "version\n",
    "a number": lambda: "5\n",
    "empty": lambda: "",
    "only comments": lambda: filled("", "# nothing\n"),
    "only spaces": lambda: " " * BIG,
    "only line ends": lambda: "\n" * BIG,
    "only carriage returns": lambda: "\r" * BIG,
    "only tabs": lambda: "\t" * BIG,
    "lines of tabs": lambda: "\t\n" * (BIG // 2),
    "only dashes": lambda: "-" * BIG,
    "dashes and spaces": lambda: "- " * (BIG // 2),
    "only colons": lambda: ":" * BIG,
    "colons and spaces": lambda: ": " * (BIG // 2),
    "only question marks": lambda: "? " * (BIG // 2),
    "only commas": lambda: "," * BIG,
    "only dollars": lambda: "$" * BIG,
    "only bars": lambda: "|" * BIG,
    "only at signs": lambda: "@" * BIG,
    "only percent signs": lambda: "%" * BIG,
    "only quotes": lambda: "'" * BIG,
    "only double quotes": lambda: '"' * BIG,
    "only backslashes": lambda: '"' + "\\" * BIG,
    "only brackets": lambda: "[" * BIG,
    "only braces": lambda: "{" * BIG,
    "brackets side by side": lambda: "[" + "[]," * (BIG // 3) + "]",
    "closing brackets": lambda: "]" * BIG,
    "brackets, 2,000 levels": lambda: HEAD + "rules: " + "[" * 2_000 + "]" * 2_000 + "\n",
    "brackets, 65 levels": lambda: HEAD + "rules: " + "[" * 65 + "]" * 65 + "\n",
    "brackets, 62 levels": lambda: rule("[" * 62 + "]" * 62),
    "braces, 65 levels": lambda: rule("{all: [" * 31 + "close < 1" + "]}" * 31),
    "nots, 65 levels": lambda: rule("{not: " * 62 + "close < 1" + "}" * 62),
    "blocks, 5,000 levels": lambda: "".join(" " * n + "a:\n" for n in range(1_400)),
    "dashes, 5,000 levels": lambda: "- " * 5_000 + "a\n",
    "a line of flow entries": lambda: HEAD + "tags: [" + "a, " * (BIG // 3) + "a]\n",
    "a line of flow pairs": lambda: HEAD + "rules: {" + "a: b, " * (BIG // 6) + "}\n",
    "a line of missing values": lambda: HEAD + "rules: {" + f"a: {' ' * 99}, " * 9_900 + "}\n",
    "an open line of flow pairs": lambda: HEAD + "rules: {" + "a: b, " * 3_000,
    "a key of a mebibyte": lambda: HEAD + "a" * BIG + ": 1\n",
    "a quoted key of a mebibyte": lambda: HEAD + "'" + "a" * BIG + "': 1\n",
    "an explicit key of a mebibyte": lambda: HEAD + "? " + "a" * BIG + "\n: 1\n",
    "a key of 1,000 letters": lambda: HEAD + "a" * 1_000 + ": 1\nrules: {}\n",
    "a literal of a mebibyte": lambda: HEAD + "every: |\n" + "  a\n" * (BIG // 4),
    "a folded text of a mebibyte": lambda: HEAD + "every: >\n" + "  a\n" * (BIG // 4),
    "an open quote and a mebibyte": lambda: HEAD + "name: '" + "a\n " * (BIG // 3),
    "19,999 values": lambda: HEAD + "tags:\n" + "- a\n" * 19_994 + "nobody: 1\n",
    "20,001 values": lambda: HEAD + "tags:\n" + "- a\n" * 20_001,
    "indentation that wanders": lambda: HEAD + "rules:\n" + "   a: 1\n  b: 1\n" * 9_000,
    # ---------------------------------------------------- characters
    "NUL": lambda: HEAD + "name: \x00\n",
    "NULs": lambda: "\x00" * BIG,
    "lines of bells": lambda: "\x07\n" * (BIG // 2),
    "escape sequences": lambda: HEAD + "name: \x1b]0;x\x07\n",
    "escaped NUL": lambda: HEAD + 'every: "\\0"\nrules: {}\n',
    "escaped escape": lambda: HEAD + 'every: "\\e[31m"\nrules: {}\n',
    "escaped surrogate": lambda: HEAD + 'every: "\\ud800"\nrules: {}\n',
    "escaped surrogates, a pair": lambda: HEAD + 'every: "\\ud83d\\ude00"\nrules: {}\n',
    "escaped beyond Unicode": lambda: HEAD + 'every: "\\UFFFFFFFF"\nrules: {}\n',
    "escaped far beyond Unicode": lambda: HEAD + 'every: "\\U00110000"\nrules: {}\n',
    "lone surrogate": lambda: HEAD + "name: \ud800\n",
    "line separator": lambda: HEAD + "name: a\u2028b\n",
    "paragraph separator": lambda: HEAD + "name: a\u2029b\n",
    "next line": lambda: HEAD + "name: a\x85b\n",
    "mark in the middle": lambda: HEAD + "\ufeffrules: {}\n",
    "two marks": lambda: "\ufeff\ufeff" + HEAD,
    "right-to-left override in a name": lambda: rule("close < 1").replace("r:", "r\u202e:"),
    "right-to-left override in a line": lambda: rule("close < 1\u202e0"),
    "isolates in a line": lambda: rule("close \u2066< 1\u2069"),
    "zero-width joiner in a name": lambda: rule("cl\u200dose < 1"),
    "zero-width space in a key": lambda: rule("close < 1").replace("when", "wh\u200ben"),
    "soft hyphen": lambda: rule("clo\xadse < 1"),
    "Hangul filler": lambda: rule("\u3164 < 1"),
    "Cyrillic letter": lambda: rule("cl\u043ese < 1"),
    "full-width sign": lambda: rule("close \uff1c 1"),
    "full-width digits": lambda: rule("close < \uff11\uff10"),
    "Arabic digits": lambda: rule("close < \u0661\u0660"),
    "Arabic digits in a count": lambda: rule("{at_least: \u0661, of: [close < 1, close < 2]}"),
    "superscript in a count": lambda: rule("{at_least: \u00b2, of: [close < 1, close < 2]}"),
    "combining marks": lambda: rule("close < 1" + "\u0301" * 1_000),
    "minus that is none": lambda: rule("close < \u22125"),
    "ideographic space": lambda: rule("close\u3000<\u30001 2"),
    "emoji": lambda: rule("\U0001f600 < 1"),
    "tag characters": lambda: rule("close < 1\U000e0041"),
    "private use": lambda: rule("close < \ue000"),
    "replacement characters": lambda: rule("\ufffd" * 1_000),
    "lines of zero width": lambda: HEAD + "\u200b\n" * 200_000,
    "a name of letters beyond ASCII": lambda: HEAD + "\u0101\n" * 300_000,
    # ---------------------------------------------------- numbers and words
    "a number of 5,000 digits": lambda: rule(f"close < {LONG}"),
    "a count of 5,000 digits": lambda: rule(f"{{at_least: {LONG}, of: [close < 1, close < 2]}}"),
    "closes of 5,000 digits": lambda: rule(f"close < 1 for {LONG} closes"),
    "bars of 5,000 digits": lambda: rule(f"close.low({LONG} bars) < 1"),
    "an exponent of 5,000 digits": lambda: rule(f"close < 1e{LONG}"),
    "an exponent of 4 digits": lambda: rule("close < 1e9999"),
    "a fraction of 5,000 digits": lambda: rule(f"close < 0.{LONG}%5"),
    "a duration of 5,000 digits": lambda: rule("close < 1", f"min_hold: {LONG}h"),
    "a version of 5,000 digits": lambda: f"version: {LONG}\n",
    "a priority of 5,000 digits": lambda: rule("close < 1", f"priority: {LONG}"),
    "a stop of 5,000 digits": lambda: rule("close < 1").replace(
        "exposure_cap: 50%", f"stop: {LONG} ATR"
    ),
    "hours of 5,000 digits": lambda: rule(f'{{during: {{from: "{LONG}:00", to: "9:00"}}}}'),
    "groups of digits": lambda: rule("close < 1" + ",000" * 1_500 + ";"),
    "a mebibyte of digits": lambda: rule("9" * BIG),
    "a mebibyte of digits and a unit": lambda: rule("close < " + "9" * BIG + "q"),
    "a mebibyte of grouped digits": lambda: rule('"close < 1' + ",000" * (BIG // 4) + '"'),
    "a mebibyte of underscores": lambda: rule("close < 1" + "_" * BIG),
    "a mebibyte of dollars": lambda: rule("$" * BIG),
    "a mebibyte of minuses": lambda: rule("close < " + "-" * BIG + "1"),
    "a mebibyte of spaced minuses": lambda: rule("close < " + "- " * (BIG // 2) + "1"),
    "a mebibyte of brackets": lambda: rule("(" * BIG),
    "a mebibyte of quoted brackets": lambda: rule("'" + "(" * BIG + "'"),
    "a mebibyte of sums": lambda: rule("close < " + "1+" * (BIG // 2) + "1"),
    "a mebibyte of dots": lambda: rule("close" + ".a" * (BIG // 2)),
    "a mebibyte of commas": lambda: rule("'close.low(" + "1," * (BIG // 2) + "'"),
    "a mebibyte of calls": lambda: rule("'" + "a(" * (BIG // 2) + "'"),
    "a mebibyte of letters": lambda: rule("a" * BIG + " < 1"),
    "a mebibyte of letters in two": lambda: rule("a" * (BIG // 2) + " < " + "b" * (BIG // 2)),
    "a mebibyte of words": lambda: rule("a " * (BIG // 2)),
    "a mebibyte of spaces": lambda: rule("'close <" + " " * BIG + "nobody'"),
    "a mebibyte of line ends": lambda: rule("'close <" + "\n\n     " * (BIG // 7) + "nobody'"),
    "a mebibyte, folded": lambda: rule(">\n" + "      close <\n" * (BIG // 14)),
    "a mebibyte, escaped": lambda: rule('"' + "\\u0061" * (BIG // 6) + '"'),
    "a mebibyte of for": lambda: rule("close < 1 for " + "for " * (BIG // 4)),
    "a mebibyte of not": lambda: rule("not " * (BIG // 4)),
    "brackets in a line": lambda: rule("(" * 199 + "close" + ")" * 199 + " < 1"),
    "minuses in a line": lambda: rule("close < " + "-" * 190 + "clsoe"),
    "calls in a line": lambda: rule('"' + "close.low(" * 60 + "1h" + ")" * 60 + ' < 1"'),
    "an unknown measure of a mebibyte": lambda: rule("close." + "a" * BIG + "(4h) < 1"),
    "a symbol of a mebibyte": lambda: rule("A" * BIG + ".close < 1"),
    "a stage of a mebibyte": lambda: rule("stage >= " + "a" * BIG),
    "an action of a mebibyte": lambda: rule("close < 1").replace("50%", "5" * BIG + "%"),
    "a time zone of a mebibyte": lambda: HEAD + "timezone: " + "a/" * (BIG // 2) + "\n",
    "a time zone above": lambda: HEAD + "timezone: ../../etc/passwd\nrules: {}\n",
    "a time zone from the root": lambda: HEAD + "timezone: /etc/passwd\nrules: {}\n",
    "a time zone with NUL": lambda: HEAD + 'timezone: "a\\0b"\nrules: {}\n',
    "a time zone that is a folder": lambda: HEAD + "timezone: Europe\nrules: {}\n",
    "an average of spaces": lambda: rule(
        "{liquidations: {side: long, window: 4h, at_least: 3x average("
        + " " * 4_000
        + "x, floor: $5M}}"
    ),
    "an average of quoted spaces": lambda: rule(
        "{liquidations: {side: long, window: 4h, at_least: '3x average(" + " " * 6_000 + "x'}}"
    ),
    "a buffer of spaces": lambda: rule(
        "{support_lost: {levels: [5], buffer: '1 atr(" + " " * 6_000 + "x'}}"
    ),
    "an average of a mebibyte": lambda: rule(
        "{liquidations: {side: long, window: 4h, at_least: '" + "x" * BIG + " average(7d)'}}"
    ),
    "a long form that writes a line": lambda: rule(
        "{liquidations: {side: long, window: '4h) >= $5 for 2h #', at_least: 3x average(7d)}}"
    ),
    "a holder that writes a line": lambda: rule(
        "{unrealised_loss: {holder: 'a.units < 5 or close', at_least: $5M}}"
    ),
    "a range of dots": lambda: HEAD + "params:\n  s: {value: 1, range: " + "." * BIG + "}\n",
    "days of a mebibyte": lambda: rule(
        "{during: {days: " + "mon-" * (BIG // 4) + ', from: "08:00", to: "09:00"}}'
    ),
    # ---------------------------------------------------- many
    "20,000 unknown keys": lambda: HEAD + "".join(f"k{n}: 1\n" for n in range(9_990)),
    "20,000 unknown keys, alike": lambda: HEAD + "".join(f"rule{n}: 1\n" for n in range(9_990)),
    "10,000 doubled keys": lambda: HEAD + "name: a\n" * 9_990,
    "10,000 wrong names": lambda: rules(1_900, lambda n: f"when: close < 1, {DO}, X{n}: 5"),
    "1,900 rules without do": lambda: rules(1_900, lambda n: f"when: close < {n + 1}"),
    "1,900 rules with a wrong line": lambda: rules(1_900, lambda n: f"when: clsoe{n} < 1, {DO}"),
    "1,900 wrong lines in one line": lambda: (
        HEAD
        + "rules: {"
        + "".join(f"r{n}: {{when: clsoe{n} < 1, {DO}}}, " for n in range(1_900))
        + "}\n"
    ),
    "2,000 rules": lambda: rules(2_000, lambda n: f"when: close < {n + 1}, {DO}") + "nobody: 1\n",
    "2,001 rules": lambda: rules(2_001, lambda n: f"when: close < {n + 1}, {DO}"),
    "2,000 rules of 40 words": lambda: rules(
        2_000, lambda n: f"when: close < {'1+' * 98}{n}, {DO}"
    ),
    "9,000 names, all mistaken": lambda: named(4_500, 8_000),
    "long names, all mistaken": lambda: named(4_000, 4_000, 60),
    "9,000 definitions in a chain": lambda: defined([f"d{n}: d{n + 1}" for n in range(9_900)]),
    "9,000 definitions in a circle": lambda: defined(
        [f"d{n}: d{(n + 1) % 9_900}" for n in range(9_900)]
    ),
    "9,000 definitions, backwards": lambda: defined(
        [f"d{n}: d{n - 1}" for n in range(1, 9_900)] + ["d0: close < nobody"], "d9899"
    ),
    "definitions that double": lambda: defined(
        ["d0: close < nobody"] + [f"d{n}: {{all: [d{n - 1}, d{n - 1}]}}" for n in range(1, 3_000)],
        "d2999",
    ),
    "definitions that double, 140 levels": lambda: defined(
        ["d0: close < 5"]
        + [f"d{n}: {{any: [d{n - 1}, {{not: d{n - 1}}}]}}" for n in range(1, 70)]
        + ["nobody: {all: []}"],
        "d69",
    ),
    "1,900 rules that allow": lambda: (
        rules(1_600, lambda n: f"when: close < {n + 1}, {DO}, allow: [RG417]") + "nobody: 1\n"
    ),
    "a thousand allowances": lambda: (
        rules(1_000, lambda n: f"when: close < {n + 1}, {DO}")
        + "allow: ["
        + "RG417, " * 9_000
        + "nobody]\n"
    ),
    "1,800 stages, all alike": lambda: ladder(1_800, lambda _: 5, lambda _: "> 9"),
    "1,800 stages the wrong way": lambda: ladder(1_800, lambda n: n + 5, lambda n: f"> {n + 9}"),
    "1,800 stages never left": lambda: ladder(
        1_800, lambda n: 9_000 - n, lambda n: f"< {9_005 - n}"
    ),
    "breadth of 6,000": lambda: breadths(1, 6_000, "close < nobody"),
    "breadth of 6,000, long lines": lambda: breadths(1, 6_000, "close < " + WORDS) + "nobody: 1\n",
    "breadth of 100, often": lambda: breadths(170, 100, "close < " + WORDS) + "nobody: 1\n",
    "1,900 liquidations of one source": lambda: rules(
        1_900, lambda _: f"when: {LIQUIDATIONS.format(0)}"
    ),
    "900 floors of one source": lambda: rules(900, lambda _: f"when: {LIQUIDATIONS.format(1)}"),
    "1,000 symbols of their own": lambda: symbols_of_their_own(1_000, 100),
    "90 symbols of their own": lambda: symbols_of_their_own(90, 1_000),
    "4,900 overrides": lambda: overrides(4_900),
    "4,900 overrides of nothing": lambda: (
        HEAD + "override:\n" + "".join(f"  rules.r{n}.when: close < 1\n" for n in range(9_900))
    ),
    "9,000 to disable": lambda: (
        HEAD + "rules: {}\ndisable: [" + "".join(f"r{n}, " for n in range(9_000)) + "]\n"
    ),
    "9,000 files to extend": lambda: (
        HEAD + "extends: [" + "".join(f"./f{n}.yaml, " for n in range(9_000)) + "]\n"
    ),
    "9,000 packs to extend": lambda: (
        HEAD + "extends: [" + "".join(f"pack:p{n}@1, " for n in range(9_000)) + "]\n"
    ),
    "a mebibyte of lines with words": lambda: (
        filled(rules(1_900, lambda n: f"when: close < {'1+' * 98}{n}, {DO}"), "\n") + "nobody: 1\n"
    ),
    "a comment of a mebibyte": lambda: filled(rule("close < nobody") + "# "),
    "an error at the end of a mebibyte": lambda: filled("# ", "a\n# ") + "\nversion: 2\n",
}

# texts that may be read, as large as they may be
LARGE: dict[str, Callable[[], str]] = {
    "2,000 rules": lambda: rules(2_000, lambda n: f"when: close < {n + 1}, {DO}"),
    "1,990 rules that clear": lambda: rules(
        1_990, lambda n: f"when: close < {n + 1}, clear: close > {n + 9} for 24h, {DO}"
    ),
    "1,600 rules that allow": lambda: rules(
        1_600, lambda n: f"when: close < {n + 1}, {DO}, allow: [RG417]"
    ),
    "1,800 stages": lambda: ladder(1_800, lambda n: 9_000 - n, lambda n: f"> {9_005 - n}"),
    "breadth of 6,000": lambda: breadths(1, 6_000, "close < 5"),
    "900 liquidations": lambda: rules(
        900, lambda _: f"when: {LIQUIDATIONS.format(5)}, latch: true, {DO}"
    ),
    "4,900 overrides": lambda: overrides(4_900).replace("nobody", "5"),
    "definitions that double": lambda: defined(
        ["d0: close < 5"] + [f"d{n}: {{any: [d{n - 1}, {{not: d{n - 1}}}]}}" for n in range(1, 48)],
        "d47",
    ),
    "nots, 62 levels": lambda: rule("{not: " * 58 + "close < 1" + "}" * 58),
    "a group of 12,000": lambda: rule(f"{{any: [{lines(12_000)}]}}"),
    "6,000 of a group of 12,000": lambda: rule(f"{{at_least: 6000, of: [{lines(12_000)}]}}"),
    "groups of 6,000 against each other": lambda: rule(
        f"{{any: [{lines(6_000)}]}}", f"clear: {{any: [{lines(6_000).replace('<', '>')}]}}"
    ),
    "20 symbols of their own": lambda: symbols_of_their_own(20, 90),
    "a comment of a mebibyte": lambda: filled(rule("close < 5") + "# "),
}

# bytes that are no text, or no text as UTF-8
BYTES: dict[str, Callable[[], bytes]] = {
    "UTF-16 with a mark": lambda: HEAD.encode("utf-16"),
    "UTF-16, little end": lambda: HEAD.encode("utf-16-le"),
    "UTF-16, big end": lambda: HEAD.encode("utf-16-be"),
    "UTF-32": lambda: HEAD.encode("utf-32"),
    "Latin-1": lambda: (HEAD + "name: caf\xe9\n").encode("latin-1"),
    "CESU-8": lambda: HEAD.encode() + b"name: \xed\xa0\xbd\xed\xb8\x80\n",
    "overlong": lambda: HEAD.encode() + b"name: \xc0\xaf\n",
    "cut off": lambda: HEAD.encode() + b"name: \xf0\x9f",
    "compressed": lambda: b"\x1f\x8b\x08\x00" + bytes(range(256)) * 8,
    "an image": lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8,
    "all bytes": lambda: bytes(range(256)) * 4_096,
    "zeros": lambda: b"\x00" * MEBIBYTE,
    "one byte too many": lambda: b"#" * (MEBIBYTE + 1),
    "a mebibyte of 0xff": lambda: b"\xff" * MEBIBYTE,
}


def _encoded(text: Callable[[], str]) -> Callable[[], bytes]:
    return lambda: text().encode("utf-8", "surrogatepass")


HOSTILE: dict[str, Callable[[], bytes]] = {
    **{name: _encoded(text) for name, text in TEXTS.items()},
    **BYTES,
}
