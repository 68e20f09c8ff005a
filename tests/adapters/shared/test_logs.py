"""What adapters log: one visible line a message, no secrets, whatever a venue raised."""

from __future__ import annotations

import io
import logging
import random

from riskguard.adapters.shared.logs import logger
from riskguard.redaction import MARK
from tests.counts import counts
from tests.secret_shapes import hostile


def told(log: logging.Logger, tell) -> str:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    log.addHandler(handler)
    try:
        tell()
    finally:
        log.removeHandler(handler)
    return out.getvalue()


def test_a_message_is_one_line_without_secrets() -> None:
    log = logger("riskguard.test")
    assert logger("riskguard.test") is log
    assert len(log.filters) == 1
    text = "no\nINFO forged \x1b[2J signature=0a1b"
    line = f"WARNING riskguard: no\\nINFO forged \\x1b[2J signature={MARK} 2 times\n"
    assert told(log, lambda: log.warning("riskguard: %s %d times", text, 2)) == line
    helped = "the rules need equity\n  = help: tell it"
    assert told(log, lambda: log.warning(helped)) == "WARNING the rules need equity; tell it\n"


def test_the_trace_of_an_error_ends_with_what_it_said_cleaned() -> None:
    log = logger("riskguard.test")

    def fail() -> None:
        try:
            int("GET https://me:pw@venue.com?apiKey=abc&b=\n forged")
        except ValueError:
            log.exception("riskguard: it failed")

    lines = told(log, fail).splitlines()
    assert lines[0] == "ERROR riskguard: it failed"
    assert lines[1].lstrip().startswith("File ")
    assert lines[-1].startswith("ValueError: invalid literal")
    assert lines[-1].endswith(f"https://{MARK}@venue.com?apiKey={MARK}&b=\\n forged'")
    assert told(log, lambda: log.error("none", exc_info=True)).startswith("ERROR none")  # noqa: LOG014 - what a host may do


@counts(2_000, 100_000)
def test_no_line_of_a_log_can_be_forged(count: int) -> None:
    log, dice = logger("riskguard.test"), random.Random(7)
    for _ in range(count):
        text, secrets = hostile(dice)
        said = told(log, lambda text=text: log.warning("riskguard: %r; %s", ValueError(text), text))
        assert said[:-1].isprintable()
        assert not [one for one in secrets if one in said], text
