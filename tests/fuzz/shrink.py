"""A failing scenario made small enough to read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from tests.fuzz.scenario import Scenario

__all__ = ["shrink"]

PartsT = TypeVar("PartsT", bytes, tuple[Any, ...])


def shrink(scenario: Scenario, fails: Callable[[Scenario], bool]) -> Scenario:
    """Leave out moves, and bytes of what arrives, until nothing can go without it failing no more."""
    smaller = _shrink_once(scenario, fails)
    while smaller != scenario:
        scenario, smaller = smaller, _shrink_once(smaller, fails)
    return scenario


def _shrink_once(scenario: Scenario, fails: Callable[[Scenario], bool]) -> Scenario:
    moves = _leave_out(scenario.moves, lambda moves: fails(replace(scenario, moves=moves)))
    for n, move in enumerate(moves):
        if move.verb != "feed":
            continue
        before, behind = moves[:n], moves[n + 1 :]

        def fails_with(data: bytes) -> bool:
            return fails(replace(scenario, moves=(*before, move._replace(data=data), *behind)))  # noqa: B023 (called at once)

        moves = (*before, move._replace(data=_leave_out(move.data, fails_with)), *behind)
    return replace(scenario, moves=moves)


def _leave_out(parts: PartsT, fails: Callable[[PartsT], bool]) -> PartsT:
    step = len(parts)
    while step:
        at = 0
        while at < len(parts):
            fewer = parts[:at] + parts[at + step :]
            if fails(fewer):
                parts = fewer
            else:
                at += step
        step //= 2
    return parts
