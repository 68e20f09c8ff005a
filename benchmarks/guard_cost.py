"""What the guard adds to a Backtrader run: decisions made beforehand, and streamed."""

from __future__ import annotations

from benchmarks.measuring import ratio, say
from benchmarks.reference import minutes, pack, traded

BARS = 100_000


def main() -> None:
    frame = minutes(BARS)
    ruleset = pack(frame)
    bare = traded(frame, "bare")
    for how, goal in (("track", 1.05), ("stream", 1.25)):
        if traded(frame, how, ruleset) != bare:
            raise SystemExit(f"guard_{how}: fills differ from those of the bare run")
        cost = ratio(lambda how=how: traded(frame, how, ruleset), lambda: traded(frame, "bare"))
        name = "guard_preloaded" if how == "track" else "guard_streaming"
        say(name, cost, "x_of_bare", goal)


if __name__ == "__main__":
    main()
