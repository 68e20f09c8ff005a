"""Text of others, before it is kept or shown: secrets are taken out of it, by shape and by name.

What a venue, a plug-in, a rule file or a person says may hold a key: an address with a password, a
header, a signature in a query. Names of markets and series, ids, and the hashes of rules and states
(64 digits of hex, a UUID) are no prose, and stay as they are; so a signature of that shape is known
by its name alone. The same text always becomes the same, and what was cleaned stays as it is.
"""

from __future__ import annotations

import re

__all__ = ["MARK", "redacted"]

MARK = "***"
# where one of these words stands in a name, whatever it is called beside it
NAMED = re.compile(
    "apikey|secret|password|passwd|passphrase|signature|authori[sz]ation|credential|privatekey"
    "|accesskey|listenkey|(?:access|api|bapi|x|ftx)sign$|token$|cookie|sessionid|mnemonic"
    "|seedphrase|jwt"
)
# words that name other things as well: what they name has to look like a secret too
DOUBTFUL = frozenset({"auth", "hmac", "key", "otp", "pass", "pwd", "sig", "sign"})
PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
COLOUR = r"(?:\x1b|\\x1b|\\u001b|\\033)\[[\d;?]*[A-Za-z]"  # of a terminal
BREAK = re.compile(
    rf"({COLOUR}|\\(?:x[\da-f]{{2}}|u[\da-f]{{4}}|[nrt]))"
)  # a word may begin behind it
UNSEEN = r"\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff"
# a name and what parts it from its value: `a: 1`, `a=1`, `"a": "1"`, `('a', '1')`, `--a 1`, `<a>1`
NAME = re.compile(
    r"""(?:(?P<flag>(?<![\w-])--)|(?P<tag><)|(?<![\w.-]))(?P<name>\w[\w.-]*)
    (?P<sep>(?(tag)>|(?!))|(?(flag)\ +|(?!))|\\*["']?\]?\s*(?:=>|[:=])\s*
    |\\*["']\s*,\s*(?=b?\\*["']))""",
    re.VERBOSE,
)
VALUE = re.compile(
    rf"""(?:{COLOUR})*(?:b?(?P<quote>\\*["'])(?P<inner>(?:\\[\s\S]|[^\\])*?)
    (?P<end>(?<!\\)(?P=quote)|\Z)|(?P<bare>[^\s&"'<>{UNSEEN}]+))""",
    re.VERBOSE,
)
# what such a header holds ends with its line or its quote
HEADER = re.compile(
    r"""(?i)((?:proxy-)?authorization|(?:set-)?cookie)"""
    r"""((?>\\*["']?\s*[:=]\s*b?\\*["']?))(?!\*{3})[^\r\n"'\\]+"""
)
USER = re.compile(r"""(://)[^\s/?\#"'<>]*@""")
PEM = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
)
SHAPES = re.compile(
    r"""(?i:(?<=\bbearer\ )|(?<=\bbasic\ ))[\w.~+/=-]{12,}
    |\beyJ[\w-]{8,}(?:\.[\w-]*){1,4}  # a JSON web token
    |\b(?:gh[opsur]|github_pat|glpat|npm|xox[abeoprs]|xapp|[prs]k|whsec|pypi|hf|shpat)[_-][\w-]{16,}
    |\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[\w-]{30,}|\bSG\.[\w-]{16,}\.[\w-]{16,}
    |(?:\bbot|\b)\d{6,12}:[\w-]{30,}  # of a bot of Telegram
    |(?<=/api/webhooks/)\d+/[\w-]+|(?<=hooks\.slack\.com/services/)[\w/]+
    |\b0x[0-9a-fA-F]{64}\b|\b(?=\d*[a-fA-F])[\da-fA-F]{96,}\b
    # random letters and digits: in base 64 with its padding, or longer than ids of orders are
    |(?<![\w+/])(?=[a-z+/]*[\dA-Z])(?=[\d+/A-Z]*[a-z])(?=[\d+/a-z]*[A-Z])
        [A-Za-z\d+/]{22,}={1,2}(?!\w)
    |(?<![\w+/-])(?!(?:0x)?[\da-fA-F]+\b)(?=[a-zA-Z]*\d)(?=[a-z\d]*[A-Z])(?=[A-Z\d]*[a-z])
        [a-zA-Z\d]{36,}(?!\w)
    """,
    re.VERBOSE,
)


def redacted(text: str) -> str:
    """Return a text with a mark in the place of each secret in it.

    >>> redacted("GET https://me:pw@api.venue.com/v5?symbol=BTC&api_key=4f9a&sign=0b1c2d3e4f5a")
    'GET https://***@api.venue.com/v5?symbol=BTC&api_key=***&sign=***'
    """
    pieces = [PEM.sub(MARK, text)]
    if "\x1b" in text or "\\" in text:
        pieces = [_named(SHAPES.sub(MARK, piece)) for piece in BREAK.split(pieces[0])]
    else:
        pieces = [SHAPES.sub(MARK, pieces[0])]
    text = USER.sub(rf"\1{MARK}@", "".join(pieces))
    return _named(HEADER.sub(rf"\1\2{MARK}", text))


def _named(text: str) -> str:
    """Return a text with a mark in the place of what is named as secrets are."""
    found, done = list[str](), 0
    for pair in NAME.finditer(text):
        value = VALUE.match(text, pair.end())
        if value is None or pair.start() < done:  # it stands in a value that is gone
            continue
        quote, inner = value["quote"] or "", value["inner"] or value["bare"] or MARK
        apart = bool(quote or pair["flag"] or pair["tag"] or pair["sep"] == "=")
        if not inner.startswith(MARK) and _secret(pair["name"], inner, apart=apart):
            found += text[done : pair.end()], quote, MARK, value["end"] or ""
            done = value.end()
    return "".join((*found, text[done:]))


def _secret(name: str, value: str, *, apart: bool) -> bool:
    """Say whether a name is one of secrets, and what it names may be one.

    `apart` are both where no sentence holds them together: in a query, in JSON, on a command line.
    """
    plain = re.sub(r"[\W_]", "", name).lower()
    if NAMED.search(plain):
        return True
    if DOUBTFUL.isdisjoint(part.lower() for part in PARTS.findall(name)):
        return False
    if apart and len(value) >= 8:
        return True
    mixed = any(one.isdigit() for one in value) and any(one.isalpha() for one in value)
    return len(value) >= 20 or (len(value) >= 12 and mixed)
