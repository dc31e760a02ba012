"""A broker that goes away: slowly as a lame duck, or at once, with everything delivered that it had accepted."""

from __future__ import annotations

import asyncio
import errno
import json
import socket
from time import monotonic

import pytest

from natsctl.broker import Broker
from natsctl.broker.logs import Logger
from natsctl.broker.logs.line import Level
from natsctl.broker.logs.sink import Sink
from natsctl.config import Options
from tests.support.rig import ENGINES
from tests.support.wire import WireClient

GRACE = Options(host="127.0.0.1", port=-1, lame_duck_duration_s=1.0, lame_duck_grace_period_s=0.3)


class Lines(Sink):
    """A log to be read."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, level: Level, text: str) -> None:
        self.lines.append(text)


async def connected(broker: Broker, protocol: int = 1) -> WireClient:
    client = await WireClient.open(broker.port, protocol=protocol)
    await client.sync()
    await client.sync()
    return client


async def test_a_lame_duck_asks_clients_to_leave_and_closes_the_rest_one_by_one() -> None:
    log = Lines()
    broker = Broker(GRACE, log=Logger(log))
    await broker.start()
    clients = [await connected(broker) for _ in range(4)]
    begin = monotonic()
    duck = asyncio.create_task(broker.lame_duck())
    ends = []
    for client in clients:
        info = json.loads((await client.read())[5:])
        assert info["ldm"]
    with socket.socket() as late:
        assert late.connect_ex(("127.0.0.1", broker.port)) == errno.ECONNREFUSED
    for client in clients:
        assert await client.read_to_end() == []
        ends.append(monotonic() - begin)
        client.close()
    await duck
    assert ends[0] >= GRACE.lame_duck_grace_period_s
    assert ends[-1] - ends[0] >= 0.2, "all at once"
    assert monotonic() - begin < 3
    await broker.wait_stopped()
    assert log.lines[-4:] == [
        "Entering lame duck mode, stop accepting new clients",
        "Closing existing clients",
        "Initiating Shutdown...",
        "Server Exiting..",
    ]


async def test_only_clients_that_understand_it_are_asked() -> None:
    async with (
        Broker(GRACE) as broker,
        await connected(broker, protocol=0) as old,
        await WireClient.open(broker.port) as stranger,
    ):
        duck = asyncio.create_task(broker.lame_duck())
        assert await old.read_to_end() == []
        assert await stranger.read_to_end() == []
        await duck


async def test_clients_are_served_in_the_time_of_grace() -> None:
    async with Broker(GRACE) as broker, await connected(broker) as client:
        duck = asyncio.create_task(broker.lame_duck())
        await client.send(b"SUB x 1\r\nPUB x 1\r\ny\r\n")
        assert (await client.sync())[-1] == b"MSG x 1 1\r\ny"
        assert await client.read_to_end() == []
        await duck


async def test_without_clients_a_lame_duck_ends_at_once() -> None:
    broker = Broker(lame_duck_duration_s=60.0)
    await broker.start()
    async with asyncio.timeout(5):
        await broker.lame_duck()


async def test_a_second_call_changes_nothing() -> None:
    log = Lines()
    async with Broker(GRACE, log=Logger(log)) as broker, await connected(broker) as client:
        duck = asyncio.create_task(broker.lame_duck())
        await client.read()
        await broker.lame_duck()
        assert await client.read_to_end() == []
        await duck
    assert log.lines.count("Entering lame duck mode, stop accepting new clients") == 1


async def test_the_time_is_shared_out_among_many_clients() -> None:
    async with Broker(lame_duck_duration_s=0.4, lame_duck_grace_period_s=0.0) as broker:
        clients = [await WireClient.open(broker.port) for _ in range(600)]
        begin = monotonic()
        await broker.lame_duck()
        assert monotonic() - begin < 4
        for client in clients:
            assert await client.read_to_end() == []
            client.close()


# ---- at once

N_MESSAGES = 4000
PAYLOAD = b"x" * 1024
PUBLISH = b"PUB load 1024\r\n" + PAYLOAD + b"\r\n"


@pytest.mark.parametrize("engine", ENGINES)
async def test_what_was_accepted_is_delivered_to_those_who_read(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NATSCTL_ENGINE", engine)
    broker = Broker()
    await broker.start()
    readers = [await WireClient.open(broker.port, receive_buffer=4096, protocol=0) for _ in range(2)]
    for reader in readers:
        await reader.send(b"SUB load 1\r\n")
        await reader.sync()
    publisher = await WireClient.open(broker.port, protocol=0)
    # A reader that publishes, too: what it sent and nobody took must not cost it what it is yet to read.
    await publisher.send(b"SUB load 1\r\n" + PUBLISH * N_MESSAGES)
    accepted = asyncio.create_task(publisher.read_to_end())
    session = broker.registry.open[7].session
    for _ in range(1_000_000):  # no event tells of it
        if session.in_msgs == N_MESSAGES:
            break
        await asyncio.sleep(0)
    assert session.in_msgs == N_MESSAGES
    await readers[0].send(PUBLISH)
    stopping = asyncio.create_task(broker.stop())
    for reader in readers:
        frames = await reader.read_to_end()
        assert len(frames) >= N_MESSAGES
    assert len(await accepted) >= N_MESSAGES
    await stopping
    for client in (*readers, publisher):
        client.close()


async def test_a_stop_goes_on_when_whoever_asked_for_it_gives_up() -> None:
    log = Lines()
    broker = Broker(log=Logger(log))
    await broker.start()
    async with await connected(broker) as client:
        impatient = asyncio.create_task(broker.stop())
        await asyncio.sleep(0)
        impatient.cancel()
        assert await client.read_to_end() == []
    await broker.stop()
    assert log.lines[-2:] == ["Initiating Shutdown...", "Server Exiting.."]
    assert log.lines.count("Initiating Shutdown...") == 1


async def test_who_takes_nothing_does_not_hold_the_stop_up() -> None:
    broker = Broker()
    await broker.start()
    stuck = await WireClient.open(broker.port, receive_buffer=4096, protocol=0)
    await stuck.send(b"SUB load 1\r\n")
    await stuck.sync()
    publisher = await WireClient.open(broker.port, protocol=0)
    await publisher.send(PUBLISH * N_MESSAGES)
    await publisher.sync()
    begin = monotonic()
    await broker.stop()
    assert monotonic() - begin < 4
    stuck.close()
    publisher.close()
