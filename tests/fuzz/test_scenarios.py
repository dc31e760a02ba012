"""Random scenarios, and all that ever failed: the engines agree, keep their limits, and let nothing out but answers."""

from __future__ import annotations

import os
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fuzz.author import alone_in_group, write_scenario
from tests.fuzz.play import Play, difference
from tests.fuzz.scenario import Move, Scenario, dump, load
from tests.fuzz.shrink import shrink
from tests.support.rig import ENGINES

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.json"))
SCENARIOS = int(os.environ.get("NATSCTL_DIFFERENTIAL_EXAMPLES", "2000"))
_PARTS = 4
_OVERHEAD_BYTES = 400_000
"""What a play of a dozen sessions may take besides their output: unfinished input, subscriptions, cached matches."""


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_what_once_failed_fails_no_more(path: Path) -> None:
    assert difference(ENGINES[0], "pure", load(path.read_text(encoding="utf-8"))) == ""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", range(_PARTS))
def test_both_engines_play_any_scenario_alike(part: int) -> None:
    for seed in range(part, SCENARIOS, _PARTS):
        text = difference(ENGINES[0], "pure", write_scenario(seed))
        assert not text, f"python -m tests.fuzz --seed {seed} --scenarios 1\n{text}"


@pytest.mark.parametrize("name", ENGINES)
def test_peers_that_take_nothing_cost_no_more_than_the_limits_say(name: str) -> None:
    for seed in range(100):
        play = Play(name, _flood(write_scenario(seed)))
        tracemalloc.start()
        try:
            play.perform()
            play.seen.clear()
            play.recorder.events.clear()
            owed = sum(peer.session.pending_bytes for peer in play.peers)
            assert tracemalloc.get_traced_memory()[0] < owed + _OVERHEAD_BYTES, f"seed {seed}"
        finally:
            tracemalloc.stop()
        play.finish()


def _flood(scenario: Scenario) -> Scenario:
    """The same scenario three times over, and nobody takes anything."""
    moves = tuple(move for move in scenario.moves if move.verb not in ("drain", "send", "block"))
    blocked = tuple(Move("block", who, 1) for who in range(12))
    return replace(scenario, relief=0, moves=(*moves[:5], *blocked, *moves * 3))


def test_a_scenario_is_the_same_from_its_seed_and_from_its_file() -> None:
    for seed in range(50):
        scenario = write_scenario(seed)
        assert write_scenario(seed) == scenario
        assert load(dump(scenario)) == scenario


def test_a_failing_scenario_is_shrunk_to_what_makes_it_fail() -> None:
    scenario = write_scenario(1)
    spoilt = replace(
        scenario, moves=(*scenario.moves[:9], Move("feed", 0, 0, b"PUB a 1\r\nneedle"), *scenario.moves[9:])
    )
    small = shrink(spoilt, lambda trial: any(b"needle" in move.data for move in trial.moves))
    assert [move.data for move in small.moves] == [b"needle"]


@pytest.mark.parametrize(
    ("line", "renamed"),
    [
        (b"SUB a q 1\r\n", b"SUB a q.7.1 1\r\n"),
        (b"sub\t a  queue-of-many \r 2 \n", b"sub\t a queue-of-.7.2 2\r\n"),
        (b"SUB \na q 1\n", b"SUB \na q.7.1 1\r\n"),
        (b"SUB a 1\r\n", b"SUB a 1\r\n"),
        (b"SUB a b c d\r\n", b"SUB a b c d\r\n"),
    ],
)
def test_each_queue_subscription_is_alone_in_its_group(line: bytes, renamed: bytes) -> None:
    assert alone_in_group(7, line) == renamed
