"""Play random scenarios to both engines for as long as you like: ``python -m tests.fuzz --minutes 60``.

On a difference it tells the seed, shrinks the scenario, keeps it in the corpus (the suite replays it), and exits 1.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from random import SystemRandom

from tests.fuzz.author import write_scenario
from tests.fuzz.play import difference
from tests.fuzz.scenario import dump
from tests.fuzz.shrink import shrink
from tests.support.rig import ENGINES

CORPUS = Path(__file__).parent / "corpus"
_PROGRESS_S = 30.0


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description="Compare the engines on random scenarios."
    )
    parser.add_argument("--minutes", type=float, default=1.0, help="how long (default: 1)")
    parser.add_argument("--seed", type=int, help="seed of the first scenario; the next has the next number")
    parser.add_argument("--scenarios", type=int, default=sys.maxsize, help="stop after so many")
    return parser.parse_args()


def main() -> int:
    """Play scenarios until the time is over or one fails."""
    options = arguments()
    if "native" not in ENGINES:
        print("the native engine was not built: there is nothing to compare", file=sys.stderr)
        return 2
    first = options.seed if options.seed is not None else SystemRandom().randrange(1 << 32)
    started = told = time.monotonic()
    seed = first
    print(f"seed {first}", flush=True)
    while seed < first + options.scenarios and time.monotonic() < started + options.minutes * 60:
        if text := difference("native", "pure", write_scenario(seed)):
            keep(seed, text)
            return 1
        seed += 1
        if time.monotonic() - told >= _PROGRESS_S:
            told = time.monotonic()
            print(f"{told - started:.0f} s: {seed - first} scenarios, no difference", flush=True)
    print(f"{seed - first} scenarios in {time.monotonic() - started:.0f} s, no difference")
    return 0


def keep(seed: int, text: str) -> None:
    """Tell of a difference, and keep the scenario."""
    print(f"seed {seed}: {text}\nagain: python -m tests.fuzz --seed {seed} --scenarios 1\nshrinking …", flush=True)
    small = shrink(write_scenario(seed), lambda scenario: bool(difference("native", "pure", scenario)))
    path = CORPUS / f"seed-{seed}.json"
    path.write_text(dump(small), encoding="utf-8")
    print(f"{len(small.moves)} moves left, kept in {path}")


if __name__ == "__main__":
    sys.exit(main())
