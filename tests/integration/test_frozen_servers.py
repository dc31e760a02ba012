"""Servers that stop reading without going away: they are cut, others feel nothing, and memory stays bounded.

A process that is stopped by a signal keeps its connections, as a machine does that swaps or a debugger that waits.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.flood import BLOCK, Flood, Follower
from tests.support.leaves import NATSCTL, OFFICIAL, PURE, leaf_server, running, until_joined
from tests.support.nodes import Node, free_ports, running_nodes, until
from tests.support.wire import WireClient

SIZE = 2048
MAX_PENDING = 8 << 20
OVERHEAD_BYTES = 48 << 20
"""What a server may take besides: read and output buffers of who reads, the allocator's slack."""
WINDOW = 2 * BLOCK
"""Messages the flood may be ahead of a reader."""
LIMITS = f'max_pending: {MAX_PENDING}\nwrite_deadline: "500ms"\nping_interval: "60s"\n'


@contextmanager
def frozen(node: Node) -> Iterator[None]:
    """Stop a process, and let it go on."""
    os.kill(node.server.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(node.server.process.pid, signal.SIGCONT)


async def flood_until(happened: Callable[[], bool], near: Node, reader: Follower) -> int:
    """Publish as fast as a reader takes it until something has happened; returns the most memory of the server."""
    async with await WireClient.open(near.server.port, protocol=0) as client:
        flood = Flood(client, b"flood", SIZE)
        most_bytes = 0
        while not happened():
            await flood.send()
            most_bytes = max(most_bytes, near.server.memory_bytes())
            while flood.sent - reader.received > WINDOW:
                await reader.read()
        assert await client.sync() == []
        reader.until = flood.sent
        await reader.follow()
    return most_bytes


def rows(node: Node, page: str) -> dict[str, dict[str, Any]]:
    """The links of a server by the name of the other end: those with subscriptions, where one has several."""
    found: dict[str, dict[str, Any]] = {}
    for row in node.page(f"/{page.removesuffix('s')}z?subs=1")[page]:
        name = row.get("remote_name") or row["name"]
        if "flood" not in found.get(name, {}).get("subscriptions_list", ()):
            found[name] = row
    return found


async def until_wanted(node: Node, page: str, names: list[str]) -> None:
    """Wait until these servers, and no others, are known to want the flood."""

    def known() -> list[str]:
        return sorted(name for name, row in rows(node, page).items() if "flood" in row.get("subscriptions_list", ()))

    await until(lambda: known() == names, f"{node.name} does not know that {names} want it")


async def gets_the_next(client: WireClient, sender: WireClient) -> None:
    """See that a message gets through to a client that may have older ones to read."""
    await sender.send(b"PUB flood 5\r\nagain\r\n")
    while await client.read() != b"MSG flood 1 5\r\nagain":
        pass


async def freeze(near: Node, ice: Node, other: Node, page: str) -> None:
    """Flood a server's neighbours, one of which is frozen, and see that it alone is cut, and comes back.

    Args:
        near: Where the flood comes in.
        ice: Who is frozen.
        other: Where a reader is who gets everything, in order and once.
        page: ``routes`` or ``leafs``: what the links of ``near`` are.
    """
    peers = sorted(rows(near, page))
    remaining = [name for name in peers if name != ice.name]

    def cuts() -> int:
        count: int = near.page("/varz")["slow_consumer_stats"][page]
        return count

    reader = await Follower.open(other.server.port, b"flood", SIZE)
    async with (
        reader.client,
        await WireClient.open(ice.server.port, protocol=0) as lost,
        await WireClient.open(near.server.port, protocol=0) as sender,
    ):
        await lost.send(b"SUB flood 1\r\n")
        await lost.sync()
        await until_wanted(near, page, peers)
        before = near.server.memory_bytes()
        with frozen(ice):
            most_bytes = await flood_until(lambda: cuts() > 0 and sorted(rows(near, page)) == remaining, near, reader)
        if near.kind == NATSCTL:
            assert cuts() == 1
            assert most_bytes - before < MAX_PENDING + OVERHEAD_BYTES
        assert "Slow Consumer Detected" in near.server.log()
        await until_wanted(near, page, peers)
        await gets_the_next(lost, sender)


@pytest.mark.parametrize(
    ("kinds", "engine"),
    [
        pytest.param((NATSCTL, NATSCTL, NATSCTL), "auto", id="ours"),
        pytest.param((NATSCTL, OFFICIAL, NATSCTL), "pure", id="an official one"),
        pytest.param((OFFICIAL, NATSCTL, NATSCTL), "auto", id="ours, cut by an official one"),
    ],
)
async def test_a_server_of_the_cluster_that_freezes_is_cut_and_comes_back(
    kinds: tuple[str, ...], engine: str, tmp_path: Path
) -> None:
    with running_nodes(tmp_path, kinds, config=LIMITS, engine=engine) as nodes:
        await nodes.until_full()
        near, ice, other = nodes
        await freeze(near, ice, other, "routes")
        await nodes.until_full()


@pytest.mark.parametrize(("hub", "spoke"), [(NATSCTL, NATSCTL), (PURE, OFFICIAL), (OFFICIAL, NATSCTL)])
async def test_a_leafnode_that_freezes_is_cut_and_comes_back(hub: str, spoke: str, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    near = leaf_server(hub, "hub", tmp_path, hub=port, more=LIMITS)
    ice, other = (
        leaf_server(spoke, name, tmp_path, remotes=[f"nats://127.0.0.1:{port}"], more=LIMITS)
        for name in ("ice", "other")
    )
    with running(near, ice, other):
        await until_joined(near, ["ice", "other"])
        await freeze(near, ice, other, "leafs")


@pytest.mark.parametrize(("hub", "spoke"), [(NATSCTL, NATSCTL), (OFFICIAL, PURE)])
async def test_a_hub_that_freezes_is_left_and_found_again(hub: str, spoke: str, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    ice = leaf_server(hub, "ice", tmp_path, hub=port, more=LIMITS)
    near = leaf_server(spoke, "spoke", tmp_path, remotes=[f"nats://127.0.0.1:{port}"], more=LIMITS)
    with running(ice, near):
        await until_joined(near, ["ice"])
        await freeze(near, ice, near, "leafs")
