"""Stalls: who waits for whom, and what ends it."""

from __future__ import annotations

import asyncio

import pytest

from natsctl.broker.stall import Stall


class Peer:
    """A connection's part in stalls, and how its own waits ended: whether each ran into its time limit."""

    def __init__(self) -> None:
        self.ends: list[bool] = []
        self.stall = Stall(self.ends.append)


@pytest.fixture
def peers() -> tuple[Peer, ...]:
    return tuple(Peer() for _ in range(4))


async def test_it_lasts_until_the_last_of_the_full_has_drained(peers: tuple[Peer, ...]) -> None:
    producer, first, second, _ = peers
    producer.stall.wait_for([first.stall, second.stall], [], 100)
    assert producer.stall.is_waiting
    assert first.stall.is_waited_for
    first.stall.release()
    assert producer.ends == []
    second.stall.release()
    assert producer.ends == [False]
    assert not producer.stall.is_waiting
    assert not (first.stall.is_waited_for or second.stall.is_waited_for)


async def test_it_ends_as_soon_as_somebody_has_nothing_left(peers: tuple[Peer, ...]) -> None:
    producer, full, other, third = peers
    producer.stall.wait_for([full.stall], [other.stall, third.stall], 100)
    other.stall.release()
    third.stall.release()
    assert producer.ends == []
    other.stall.release(is_empty=True)
    assert producer.ends == [False]
    assert not (full.stall.is_waited_for or third.stall.is_waited_for)


async def test_one_of_the_full_that_has_nothing_left_ends_it_too(peers: tuple[Peer, ...]) -> None:
    producer, first, second, _ = peers
    producer.stall.wait_for([first.stall, second.stall], [], 100)
    first.stall.release(is_empty=True)
    assert producer.ends == [False]


async def test_all_who_wait_for_a_receiver_go_on_together(peers: tuple[Peer, ...]) -> None:
    first, second, receiver, _ = peers
    first.stall.wait_for([receiver.stall], [], 100)
    second.stall.wait_for([receiver.stall], [], 100)
    receiver.stall.release()
    assert first.ends == second.ends == [False]


@pytest.mark.parametrize(("n_bytes", "patience_s"), [(1, 0.010), (65536, 0.010), (262144, 0.040)])
async def test_it_has_a_time_limit_for_what_was_read(peers: tuple[Peer, ...], n_bytes: int, patience_s: float) -> None:
    producer, full, _, _ = peers
    ended = asyncio.Event()

    def on_end(timed_out: bool) -> None:
        assert timed_out
        ended.set()

    producer.stall = Stall(on_end)
    producer.stall.wait_for([full.stall], [], n_bytes)
    assert producer.stall.patience_s == patience_s
    await asyncio.wait_for(ended.wait(), 5)
    assert not producer.stall.is_waiting
    assert not full.stall.is_waited_for


async def test_a_receiver_that_is_gone_keeps_nobody_waiting(peers: tuple[Peer, ...]) -> None:
    producer, full, other, _ = peers
    producer.stall.wait_for([full.stall], [other.stall], 100)
    other.stall.stop()
    assert producer.ends == []
    full.stall.stop()
    assert producer.ends == [False]


async def test_a_producer_that_is_gone_is_not_told_of_the_end(peers: tuple[Peer, ...]) -> None:
    producer, full, other, _ = peers
    producer.stall.wait_for([full.stall], [other.stall], 100)
    producer.stall.stop()
    assert not producer.stall.is_waiting
    assert not (full.stall.is_waited_for or other.stall.is_waited_for)
    assert producer.ends == []
