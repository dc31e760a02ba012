"""Readers that are too slow: cut by bytes or by time, their senders slowed, everybody else undisturbed."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from natsctl.broker import Broker
from natsctl.errors import ClosedReason
from tests.support.process import NATSCTL, ServerProcess, running_server
from tests.support.wire import PATIENCE_S, WireClient

PAYLOAD = b"x" * 65536
PUBLISH = b"PUB foo %d\r\n%b\r\n" % (len(PAYLOAD), PAYLOAD)
SMALL_BUFFER = 4096


@asynccontextmanager
async def subscriber(port: int, receive_buffer: int = 0) -> AsyncIterator[WireClient]:
    async with await WireClient.open(port, receive_buffer=receive_buffer, protocol=0) as client:
        await client.send(b"SUB foo 1\r\n")
        assert await client.sync() == []
        yield client


async def n_messages(client: WireClient) -> int:
    """How many messages a client has got, all of them whole."""
    frames = [frame for frame in await client.sync() if frame.startswith(b"MSG ")]
    assert all(frame.endswith(PAYLOAD) for frame in frames)
    return len(frames)


async def end_of(broker: Broker) -> ClosedReason:
    """Why the first connection was closed."""
    for _ in range(int(PATIENCE_S / 0.01)):
        if broker.registry.closed:
            return broker.registry.closed[0].reason
        await asyncio.sleep(0.01)  # no event tells of it
    raise AssertionError("nobody was closed")


async def test_a_reader_over_max_pending_is_cut_and_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "natsctl.broker")
    async with (
        Broker(max_pending=2_000_000) as broker,
        subscriber(broker.port, SMALL_BUFFER) as slow,
        subscriber(broker.port) as quick,
        await WireClient.open(broker.port, protocol=0) as sender,
    ):
        received = 0
        for _ in range(200):
            await sender.send(PUBLISH)
            received += await n_messages(quick)
        assert await sender.sync() == []
        assert received + await n_messages(quick) == 200
        assert await end_of(broker) is ClosedReason.SLOW_CONSUMER_PENDING_BYTES
        assert broker.slow_consumers.total() == 1
        assert "Slow Consumer Detected: MaxPending of 2000000 Exceeded" in caplog.text
        while await slow.receive():
            pass
        assert len(slow.frames) < 200


async def test_a_reader_that_misses_the_write_deadline_is_cut_and_nobody_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "natsctl.broker")
    async with (
        Broker(write_deadline_s=0.3) as broker,
        subscriber(broker.port, SMALL_BUFFER),
        subscriber(broker.port) as quick,
        await WireClient.open(broker.port, protocol=0) as sender,
    ):
        await sender.send(PUBLISH * 100)
        assert await sender.sync() == []
        assert await n_messages(quick) == 100
        assert await end_of(broker) is ClosedReason.SLOW_CONSUMER_WRITE_DEADLINE
        assert broker.slow_consumers.total() == 1
        assert re.search(
            r"cid:5 - Slow Consumer Detected: WriteDeadline of 300ms exceeded with \d+ chunks of \d+ total bytes\.",
            caplog.text,
        )
        assert await quick.sync() == []


async def test_a_reader_that_moves_within_the_deadline_is_not_cut() -> None:
    async with (
        Broker(write_deadline_s=0.5) as broker,
        subscriber(broker.port, SMALL_BUFFER) as slow,
        await WireClient.open(broker.port, protocol=0) as sender,
    ):
        await sender.send(PUBLISH * 100)
        await asyncio.sleep(0.2)  # part of the time it has
        assert await n_messages(slow) == 100
        await asyncio.sleep(0.6)  # more than it would have had
        await sender.send(PUBLISH)
        await sender.sync()
        assert await n_messages(slow) == 1
        assert not broker.registry.closed


async def test_a_fast_sender_is_slowed_and_nothing_lost_for_a_reader_that_catches_up() -> None:
    n_sent = 600
    async with (
        Broker(max_pending=4_000_000) as broker,
        subscriber(broker.port, SMALL_BUFFER) as reader,
        await WireClient.open(broker.port, protocol=0) as sender,
    ):
        producer = broker.registry.open[6].session
        sending = asyncio.create_task(sender.send(PUBLISH * n_sent))
        for _ in range(100_000):
            if producer.stalls:
                break
            await asyncio.sleep(0)
        assert producer.stalls > 0
        received = 0
        while received < n_sent:
            assert await reader.receive(), "cut although it reads"
            received += sum(frame.endswith(PAYLOAD) for frame in reader.frames)
            reader.frames.clear()
        await sending
        assert await sender.sync() == []
        assert broker.slow_consumers.total() == 0


async def test_beside_a_reader_that_keeps_up_a_sender_waits_for_nobody(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "natsctl.broker")
    async with (
        Broker(max_pending=2_000_000) as broker,
        subscriber(broker.port, SMALL_BUFFER),
        subscriber(broker.port) as quick,
        await WireClient.open(broker.port, protocol=0) as sender,
    ):
        while not broker.registry.closed:
            await sender.send(PUBLISH)
            await quick.read()
        assert broker.registry.closed[0].reason is ClosedReason.SLOW_CONSUMER_PENDING_BYTES
        assert broker.registry.open[7].session.stalls > 0
        assert "stall" not in caplog.text


async def test_a_sender_waits_for_a_full_reader_while_the_others_are_behind_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "natsctl.broker")
    async with (
        Broker(max_pending=16_000_000) as broker,
        subscriber(broker.port, SMALL_BUFFER),
        await WireClient.open(broker.port, protocol=0) as sender,
        await WireClient.open(broker.port, protocol=0) as bystander,
    ):
        await sender.send(PUBLISH * 80)
        await sender.sync()
        async with subscriber(broker.port, SMALL_BUFFER):  # so much less behind that it is never nearly full
            sending = asyncio.create_task(sender.send(PUBLISH * 300))
            while caplog.text.count("Timed out of fast producer stall") < 3:
                assert not broker.registry.closed, "cut before the sender has waited"
                await bystander.send(b"PING\r\n")  # its output is no sign of a receiver that keeps up
                await asyncio.sleep(0)
            sending.cancel()


async def test_without_the_stall_messages_are_dropped_and_the_reader_stays() -> None:
    async with (
        Broker(max_pending=2_000_000, no_fast_producer_stall=True) as broker,
        subscriber(broker.port, SMALL_BUFFER) as reader,
        await WireClient.open(broker.port, protocol=0) as sender,
    ):
        await sender.send(PUBLISH * 300)
        assert await sender.sync() == []
        received = await n_messages(reader)
        assert 20 < received < 300
        assert broker.registry.open[6].session.stalls == 0
        await sender.send(PUBLISH)
        await sender.sync()
        assert await n_messages(reader) == 1
        assert not broker.registry.closed


async def settled_memory(server: ServerProcess, limit_bytes: int) -> int:
    """The memory of a process, as soon as it is below a limit, else after a while."""
    for _ in range(100):
        if server.memory_bytes() < limit_bytes:
            break
        await asyncio.sleep(0.02)
    return server.memory_bytes()


async def test_stuck_readers_cost_a_process_no_more_than_max_pending_each(tmp_path: Path) -> None:
    config = 'max_pending: 4000000, write_deadline: "30s"'
    with running_server(NATSCTL, tmp_path, config) as server:
        async with await WireClient.open(server.port, protocol=0) as sender:
            await sender.sync()
            before = server.memory_bytes()
            for _ in range(5):
                async with subscriber(server.port, SMALL_BUFFER):
                    # Small messages: a backlog must cost its bytes, not an object per message.
                    await sender.send(b"PUB foo 1\r\nx\r\n" * 100_000)
                    assert await sender.sync() == []
                    assert server.memory_bytes() - before < 20_000_000
                    await sender.send(PUBLISH * 200)
                    assert await sender.sync() == []
            assert await settled_memory(server, before + 20_000_000) - before < 20_000_000
        assert server.log().count("Slow Consumer Detected: MaxPending of 4000000 Exceeded") == 5
