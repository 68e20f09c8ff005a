"""One `Guard.update` with the pack feb-2026, over its own scenario."""

from __future__ import annotations

from benchmarks.measuring import cpu, say
from riskguard.adapters.backtrader import CAPABILITIES
from riskguard.engine.guard import Guard
from riskguard.history import History
from riskguard.language.binding import bind
from riskguard.language.reader import load_rules
from riskguard.shipped import shipped


def main() -> None:
    history = History.read("feb-2026")
    ruleset = bind(
        load_rules(shipped("rules") / "feb-2026.yaml"),
        symbol=history.symbol,
        every=history.every,
        carried=history.inputs(),
        capabilities=CAPABILITIES,
    ).ruleset
    samples = list(history.samples())

    def run() -> None:
        update = Guard(ruleset).update
        for sample in samples:
            update(sample)

    best = min(cpu(run) for _ in range(10))
    bars = history.bars().ts.size
    say("feb_2026_update", best / len(samples) * 1e6, "us_per_sample", None)
    say("feb_2026_bar", best / bars * 1e6, "us_per_bar_of_five_symbols", None)


if __name__ == "__main__":
    main()
