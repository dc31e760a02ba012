"""Servers of a cluster that are killed and come back under load: what survivors pass on comes, and comes once.

``natsctl bench`` is the bookkeeper. It numbers every message, so that its account tells losses from duplicates.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.nodes import Node, running_nodes
from tests.support.wire import WireClient

OURS, OFFICIAL = "natsctl", "nats-server"
ENOUGH = 1000
"""Messages of each kind before a server is killed, and again after it."""
LOADS = {
    "news": ("-np", "2", "-ns", "2", "--rate", "2000"),
    "work": ("-np", "2", "-ns", "4", "--queue", "crew", "--rate", "2000"),
    "questions": ("--request", "-np", "2", "-ns", "2", "--inflight", "4", "--rate", "1000"),
}
"""Subject to what goes over it."""


@contextmanager
def bench(servers: list[Node], subject: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a load until it is stopped; its clients are spread over the servers in turn."""
    urls = ",".join(f"nats://127.0.0.1:{node.server.port}" for node in servers)
    command = [sys.executable, "-m", "natsctl", "bench", "-s", urls, "--json", "-n", "10000000", *arguments, subject]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def account(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Give the document of a load that was stopped, when all that was on the way has come."""
    output, errors = process.communicate(timeout=30)
    assert output, errors
    document: dict[str, Any] = json.loads(output)
    return document


class Listener:
    """One who counts what goes over the subjects of the loads."""

    def __init__(self, client: WireClient) -> None:
        self._client = client

    async def hear_enough(self) -> None:
        """Wait until there was enough on every subject from now on."""
        heard: Counter[bytes] = Counter()
        while any(heard[subject.encode()] < ENOUGH for subject in (*LOADS, "everybody")):
            frame = await self._client.read()
            if frame == b"PING":
                await self._client.send(b"PONG\r\n")
            heard[frame.split(b" ", 2)[1] if frame.startswith(b"MSG ") else frame] += 1


@pytest.mark.parametrize(
    ("kinds", "engine", "victim"),
    [
        pytest.param((OURS, OURS, OURS), "auto", 0, id="ours of ours"),
        pytest.param((OURS, OURS, OURS), "pure", 2, id="ours of ours, pure"),
        pytest.param((OURS, OURS, OFFICIAL), "auto", 2, id="the official one of three"),
        pytest.param((OFFICIAL, OURS, OFFICIAL), "auto", 1, id="ours beside two official ones"),
    ],
)
async def test_whoever_is_killed_the_others_pass_on_all_they_take_once(
    kinds: tuple[str, ...], engine: str, victim: int, tmp_path: Path
) -> None:
    with running_nodes(tmp_path, kinds, by_seed=True, engine=engine) as nodes, ExitStack() as stack:
        await nodes.until_full()
        survivors = [node for node in nodes if node is not nodes[victim]]
        loads = {subject: stack.enter_context(bench(survivors, subject, *how)) for subject, how in LOADS.items()}
        # Each server has a publisher and a subscriber of this one, both of the server's number.
        everybody = stack.enter_context(bench(nodes, "everybody", "-np", "3", "-ns", "3", "--rate", "1500"))
        async with await WireClient.open(survivors[0].server.port, protocol=0) as client:
            await client.send(b"SUB * 1\r\n")
            listener = Listener(client)
            await listener.hear_enough()
            nodes[victim].kill()
            await listener.hear_enough()
        assert [node.peers() for node in survivors] == [[survivors[1].name], [survivors[0].name]]
        for process in (everybody, *loads.values()):
            process.send_signal(signal.SIGINT)

        for subject, load in loads.items():
            document = account(load)
            books = document["accounting"]
            assert (subject, books["lost"], books["duplicated"], document["outages"]) == (subject, 0, 0, [])
            assert books["delivered"] == books["expected"] >= 2 * ENOUGH
        document = account(everybody)
        assert document["accounting"]["duplicated"] == 0
        clients = sorted(outage["client"] for outage in document["outages"])
        assert clients == [f"publisher {victim + 1}", f"subscriber {victim + 1}"]
        assert document["accounting"]["lost"] <= lost_at_most(document)


def lost_at_most(document: dict[str, Any]) -> int:
    """How much the clients of a server can miss that was killed: what came while they were away, and was on the way."""
    assert all(outage["duration_s"] is not None for outage in document["outages"]), "somebody did not come back"
    away_s: float = max(outage["duration_s"] for outage in document["outages"])
    rate_per_s: float = document["setting"]["rate_per_s"]
    return round((away_s + 0.5) * rate_per_s)


@pytest.mark.parametrize(
    ("kinds", "engine"),
    [
        pytest.param((OURS, OURS, OURS), "auto", id="ours"),
        pytest.param((OURS, OFFICIAL, OURS), "pure", id="ours to one of each"),
        pytest.param((OURS, OURS, OFFICIAL), "auto", id="an official one to ours"),
    ],
)
async def test_whoever_comes_back_gets_all_from_the_first_message_on(
    kinds: tuple[str, ...], engine: str, tmp_path: Path
) -> None:
    with running_nodes(tmp_path, kinds, engine=engine) as nodes:
        await nodes.until_full()
        *others, late = nodes
        late.kill()
        is_over = asyncio.Event()
        publishing = [asyncio.create_task(count_aloud(node, is_over)) for node in others]
        await asyncio.to_thread(late.start)
        heard: dict[str, list[int]] = {node.name: [] for node in others}
        async with await WireClient.open(late.server.port, protocol=0) as client:
            await client.send(b"SUB number.* 1\r\n")  # maybe before there is a route

            async def hear_one() -> None:
                frame = await client.read()
                if frame.startswith(b"MSG "):
                    heard[frame.split(b" ")[1].decode().removeprefix("number.")].append(int(frame[-8:]))

            while any(len(numbers) < ENOUGH for numbers in heard.values()):
                await hear_one()
            is_over.set()
            ends = dict(zip(heard, await asyncio.gather(*publishing), strict=True))
            while any(heard[name][-1] < end - 1 for name, end in ends.items()):
                await hear_one()
            assert await client.sync() == []
        assert all(numbers == list(range(numbers[0], ends[name])) for name, numbers in heard.items())


async def count_aloud(node: Node, is_over: asyncio.Event) -> int:
    """Publish numbers; returns how many there were."""
    n = 0
    async with await WireClient.open(node.server.port, protocol=0) as client:
        while not is_over.is_set():
            await client.send(b"PUB number.%b 8\r\n%08d\r\n" % (node.name.encode(), n))
            n += 1
            await asyncio.sleep(0.0002)  # a pace that any machine keeps
        await client.sync()
    return n
