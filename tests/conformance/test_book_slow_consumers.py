"""The listings of chapter 9 of "Practical NATS": slow consumers, as the server and as clients see them.

Each is played to both servers. Where nats-server 2.15 says more than the page, its words are expected.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import SlowConsumerError

from tests.support.http import ask, monitor_port
from tests.support.nodes import running_nodes, until
from tests.support.process import NATSCTL, ServerProcess, nats_server, running_server
from tests.support.wire import WireClient

FOO, BAR = bytes(1024) + b"A" * 1024, bytes(128) + b"B" * 1024
"""What the publishers of 9-2 and 9-3 send, each on the subject of its name."""
BLOCK = b"PUB foo %d\r\n%b\r\n" % (len(FOO), FOO) * 100
PATIENCE_S = 15.0
MAX_PENDING = 'max_pending: 2097152, write_deadline: "2s"'
LIMITS = {
    MAX_PENDING: ("MaxPending of 2097152 Exceeded", "Slow Consumer (Pending Bytes)"),
    'write_deadline: "500ms"': (
        r"WriteDeadline of 500ms exceeded with \d+ chunks of \d+ total bytes\.",
        "Slow Consumer (Write Deadline)",
    ),
}
"""Setting to what the log says, and why the connection was closed."""

SUBSCRIBER = """
import asyncio, sys, nats

async def main():
    async def disconnected():
        print("Disconnected", flush=True)

    async def reconnected():
        print("Reconnected", flush=True)

    async def block(msg):
        if msg.data == b"block":
            print("Blocked", flush=True)
            sys.stdin.readline()

    nc = await nats.connect(
        sys.argv[1], name="slow", reconnect_time_wait=0.05, max_reconnect_attempts=-1,
        disconnected_cb=disconnected, reconnected_cb=reconnected,
    )
    await nc.subscribe("foo", cb=block)
    await nc.flush()
    print("Subscribed", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""
"""9-6: a subscriber that blocks in its handler, and tells of its connection."""


@dataclass(frozen=True)
class Monitored:
    """A server with a monitoring port."""

    process: ServerProcess
    http: int
    is_ours: bool

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.process.port}"

    def page(self, path: str) -> Any:
        return ask(self.http, path).document

    def row(self, name: str, query: str = "") -> dict[str, Any]:
        """What /connz says of a client; nothing when it is not there."""
        rows = self.page(f"/connz{query}")["connections"]
        return next((row for row in rows if row.get("name") == name), {})

    def slow_consumers(self) -> int:
        """How often clients were too slow; nats-server may count one twice whose last write was still under way."""
        varz = self.page("/varz")
        count: int = varz["slow_consumer_stats"]["clients"]
        assert varz["slow_consumers"] == count
        return count


@pytest.fixture(params=["natsctl", "nats-server"])
def command(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return NATSCTL if request.param == "natsctl" else nats_server()


@pytest.fixture
def config() -> str:
    """Further lines of the configuration."""
    return ""


@pytest.fixture
def server(command: tuple[str, ...], tmp_path: Path, config: str) -> Iterator[Monitored]:
    with running_server(command, tmp_path, f'logtime = false\nhttp = "127.0.0.1:-1"\n{config}\n') as running:
        yield Monitored(running, monitor_port(running), command == NATSCTL)


async def flood(server: Monitored, name: str) -> list[int]:
    """Publish as 9-2 does until a client is gone; returns what was pending for it, each time that this had changed."""
    pending = [0]
    async with await WireClient.open(server.process.port, protocol=0) as publisher:
        while row := server.row(name):
            if row["pending_bytes"] != pending[-1]:
                pending.append(row["pending_bytes"])
            await publisher.send(BLOCK)
            assert await publisher.sync() == []
    return pending


async def test_9_2_and_9_3_publishers(server: Monitored) -> None:
    publisher = await nats.connect(server.url, name="publisher")
    for _ in range(100):
        await publisher.publish("foo", FOO)
        await publisher.publish("bar", BAR)
    await publisher.flush()
    # nats-server counts what it has read when it has nothing more to read.
    await until(lambda: server.row("publisher")["in_msgs"] == 200)
    assert server.row("publisher")["in_bytes"] == 100 * (2048 + 1152)
    await publisher.close()


@pytest.mark.parametrize("config", LIMITS)
async def test_9_4_and_9_5_a_subscriber_that_blocks_is_seen_before_it_is_cut(server: Monitored, config: str) -> None:
    said, reason = LIMITS[config]
    async with await WireClient.open(
        server.process.port, receive_buffer=4096, name="slow", lang="x", version="0"
    ) as slow:
        await slow.send(b"SUB foo 1\r\n")
        await slow.sync()
        before = server.row("slow")
        pending = await flood(server, "slow")
    assert sum(more > less for less, more in pairwise(pending)) >= 3, "nobody could have seen it coming"
    row = server.row("slow", "?state=closed")
    assert (row["cid"], row["reason"]) == (before["cid"], reason)
    assert row["stop"] > row["start"]
    assert row["out_msgs"] > 1000
    assert row["out_bytes"] == row["out_msgs"] * len(FOO)
    assert server.slow_consumers() in ((1,) if server.is_ours else (1, 2))
    tag = re.escape(f'[INF] 127.0.0.1:{before["port"]} - cid:{before["cid"]} - "v0:x:slow"')
    assert re.search(rf"^\[\d+\] {tag} - Slow Consumer Detected: {said}$", server.process.log(), re.MULTILINE)


@pytest.mark.parametrize("config", [MAX_PENDING])
async def test_9_6_and_9_7_a_subscriber_that_was_cut_comes_back_each_time(server: Monitored) -> None:
    slow = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SUBSCRIBER, server.url, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert slow.stdin is not None
    assert slow.stdout is not None
    says = aiter(slow.stdout)
    try:
        async with asyncio.timeout(PATIENCE_S), await WireClient.open(server.process.port, protocol=0) as publisher:
            assert await anext(says) == b"Subscribed\n"
            for times in (1, 2):
                await publisher.send(b"PUB foo 5\r\nblock\r\n")
                assert await anext(says) == b"Blocked\n"
                await flood(server, "slow")
                slow.stdin.write(b"\n")
                assert [await anext(says), await anext(says)] == [b"Disconnected\n", b"Reconnected\n"]
                await until(lambda: server.row("slow").get("subscriptions"))
                assert server.slow_consumers() in range(times, times + 1 if server.is_ours else 2 * times + 1)
    finally:
        slow.kill()
        await slow.communicate()


async def test_9_8_and_9_9_a_client_gives_up_what_it_cannot_follow(server: Monitored) -> None:
    told: list[str] = []
    removed = asyncio.Event()
    bars: asyncio.Queue[Msg] = asyncio.Queue()
    foo: Subscription

    async def block(_: Msg) -> None:
        await removed.wait()

    async def give_up(error: Exception) -> None:
        if isinstance(error, SlowConsumerError) and not removed.is_set():
            removed.set()
            told.extend((f"Error: {error}", f'Removing subscription on "{error.subject}"'))
            await foo.unsubscribe()

    subscriber = await nats.connect(server.url, name="subscriber", error_cb=give_up)
    foo = await subscriber.subscribe("foo", cb=block, pending_msgs_limit=8192, pending_bytes_limit=8 << 20)
    await subscriber.subscribe("bar", cb=bars.put)
    await subscriber.flush()
    async with await WireClient.open(server.process.port, protocol=0) as publisher:
        while not removed.is_set():
            await publisher.send(BLOCK + b"PUB bar %d\r\n%b\r\n" % (len(BAR), BAR))
            await publisher.sync()
            assert (await asyncio.wait_for(bars.get(), PATIENCE_S)).data == BAR
        await subscriber.flush()
        await publisher.send(b"PUB bar 5\r\nafter\r\n")
        assert (await asyncio.wait_for(bars.get(), PATIENCE_S)).data == b"after"
    assert told[0].startswith("Error: nats: slow consumer, messages dropped")
    assert told[1] == 'Removing subscription on "foo"'
    assert server.row("subscriber")["subscriptions"] == 1
    assert server.slow_consumers() == 0
    await subscriber.close()


@pytest.mark.parametrize("kind", ["natsctl", "nats-server"])
async def test_9_10_a_server_can_be_a_slow_consumer_too(kind: str, tmp_path: Path) -> None:
    with running_nodes(tmp_path, [kind, kind], config='logtime = false\nwrite_deadline: "500ms"\n') as nodes:
        await nodes.until_full()
        near, slow = nodes
        client = await slow.connect()
        await client.subscribe("foo")
        await client.flush()
        await near.until_wanted("foo")
        n_routes = []
        async with await WireClient.open(near.server.port, protocol=0) as publisher:
            os.kill(slow.server.process.pid, signal.SIGSTOP)
            try:
                while "Router connection closed: Slow Consumer" not in near.server.log():
                    n_routes.append(near.page("/routez")["num_routes"])
                    await publisher.send(BLOCK)
                    assert await publisher.sync() == []
                await until(lambda: near.page("/routez")["num_routes"] == max(n_routes) - 1)
            finally:
                os.kill(slow.server.process.pid, signal.SIGCONT)
        varz = near.page("/varz")
        assert varz["slow_consumer_stats"]["routes"] >= 1
        assert varz["slow_consumer_stats"]["clients"] == 0
        said = (
            r"- rid:\d+ - Slow Consumer Detected: WriteDeadline of 500ms exceeded with \d+ chunks of \d+ total bytes\."
        )
        assert re.search(said, near.server.log())
        assert "Router connection closed: Slow Consumer (Write Deadline) - Remote: n1" in near.server.log()
        await nodes.until_full()
        await client.close()
