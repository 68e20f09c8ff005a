"""Rule files written from memory: all that is wrong is told at once, and nothing besides."""

from __future__ import annotations

import re

import pytest

from riskguard.language.reader import read_text

pytestmark = pytest.mark.usefixtures("loader")

# behind # stand the codes of a line and what is to be written there
FILES = {
    "in the words of another tool": """\
version: 1.0                        # RG141 write "version: 1"
symbol: BTC
timeframe: 4h                       # RG123 did you mean 'every'?
parameters:                         # RG123 did you mean 'params'?
  support: 75,000
  oi_drop: 4.4%
  liq: 150 million                  # RG111 write 150M
rules:                              # RG147 write "my_rule:" instead of "- name: my_rule"
  - name: Support lost              # RG154 write support_lost
    if: close < support and oi.change(24h) < -oi_drop  # RG123 did you mean 'when'? RG104 one
    then: sell 50%                  # RG123 did you mean 'do'? RG120 write "do: {reduce_by: 50%}"
    until: close > support for 3 days  # RG123 did you mean 'clear'? RG111 write 3d
  - name: cascade
    if: liq.long > liq in 24h       # RG123 did you mean 'when'? RG109 a window stands in brackets
    then: close all                 # RG123 did you mean 'do'? RG120 write "do: {close: all}"
""",
    "in words": """\
version: 1
rules:
  bitcoin crash:                    # RG154 write bitcoin_crash
    when:
      - BTC drops 10% in 24h        # RG130 put "all:" or "any:" RG106 close.drop(24h) >= 10%
      - funding rate > 0.05%        # RG106 write funding
      - fear and greed below 20     # RG104 write fear_greed
    action:                         # RG123 did you mean 'do'?
      - close: 100%                 # RG120 leave out the dashes RG127 did you mean 'all'?
      - block: longs                # RG123 did you mean 'block_entries'?
      - alert: crash                # RG123 did you mean 'notify'?
    cooldown: 12 hours              # RG111 write 12h
    clear: when funding < 1bp       # RG106 leave out 'when'
""",
    "a ladder by keys": """\
version: 1
stages:                             # RG150 start each with "- stage: name"
  caution:
    when: close < 75k for 2 candles # RG123 did you mean 'enter'? RG111 write 2 closes
    do:
      max_exposure: 70%             # RG123 did you mean 'exposure_cap'?
      leverage: 3                   # RG123 did you mean 'leverage_cap'?
  out:
    enter: liq.long.sum(24h) > $150m  # RG112 write $150M
    recover: liq.long.sum(24h) < $50M
    do:
    close: all                      # RG120 indent it by two more spaces
""",
    "without its version": """\
rules:                              # RG140 make the first line "version: 1"
  support_lost:
    when: clsoe < 75_000            # RG201 did you mean 'close'?
    do: {exposure_cap: 0.5}         # RG303 write 50%
""",
}
REMARK = re.compile(r" *# (RG.*)$", re.MULTILINE)


@pytest.mark.parametrize("name", FILES)
def test_all_that_is_wrong_is_told_at_once(name: str):
    text = FILES[name]
    _, found = read_text(REMARK.sub("", text), "memory.yaml")
    wanted = []
    for number, line in enumerate(text.splitlines(), 1):
        remark = REMARK.search(line)
        told = re.findall(r"(RG\d+) (.*?)(?= RG\d|$)", remark[1]) if remark else []
        wanted += [(number, code, words) for code, words in told]
    assert sorted((one.line, one.code) for one in found) == sorted(
        (line, code) for line, code, _ in wanted
    )
    for line, code, words in wanted:
        helps = [one.help for one in found if (one.line, one.code) == (line, code)]
        assert words in helps[0]
