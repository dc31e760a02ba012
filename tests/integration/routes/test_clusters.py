"""Clusters of three processes, of our servers and official ones, as official clients see them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from tests.support.nodes import Node, Nodes, running_nodes, until

OURS, OFFICIAL = "natsctl", "nats-server"
TOPOLOGIES = [
    ("auto", OURS, OURS, OURS),
    ("pure", OURS, OURS, OURS),
    ("auto", OURS, OURS, OFFICIAL),
    ("auto", OFFICIAL, OURS, OFFICIAL),
    ("pure", OURS, OFFICIAL, OFFICIAL),
]
TIMEOUT_S = 10.0


@pytest.fixture(params=[True, False], ids=["by-seed", "full-list"])
def by_seed(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(params=TOPOLOGIES, ids=["-".join(each) for each in TOPOLOGIES])
def nodes(request: pytest.FixtureRequest, by_seed: bool, tmp_path: Path) -> Iterator[Nodes]:
    engine, *kinds = request.param
    with running_nodes(tmp_path, kinds, by_seed=by_seed, engine=engine) as running:
        yield running


@pytest.fixture
async def clients(nodes: Nodes) -> AsyncIterator[list[Client]]:
    await nodes.until_full()
    connected = [await node.connect() for node in nodes]
    yield connected
    for client in connected:
        await client.close()


async def wanted_everywhere(nodes: Nodes, subject: str, *, but: Node) -> None:
    for node in nodes:
        if node is not but:
            await node.until_wanted(subject)


async def test_messages_queues_and_requests_cross_the_cluster(nodes: Nodes, clients: list[Client]) -> None:
    await check_subscriptions(nodes, clients)
    await check_queue_groups(nodes, clients)
    await check_requests(nodes, clients)


async def check_subscriptions(nodes: Nodes, clients: list[Client]) -> None:
    """Each subscription gets each message once, with its headers, wherever it was published."""
    subscriptions = [await client.subscribe("news.*") for client in clients]
    for node, client in zip(nodes, clients, strict=True):
        await client.flush()
        await wanted_everywhere(nodes, "news.*", but=node)
    for number, client in enumerate(clients):
        await client.publish(f"news.{number}", b"hello", headers={"From": str(number)})
        await client.flush()
    for subscription in subscriptions:
        found = [await subscription.next_msg(TIMEOUT_S) for _ in clients]
        assert sorted((each.subject, (each.headers or {})["From"]) for each in found) == [
            (f"news.{number}", str(number)) for number in range(len(clients))
        ]
        assert subscription.pending_msgs == 0
        await subscription.unsubscribe()


async def check_queue_groups(nodes: Nodes, clients: list[Client]) -> None:
    """Each message reaches one member of the group, wherever members and publishers are."""
    got: Counter[bytes] = Counter()
    members: Counter[int] = Counter()
    n_sent = 300

    for number, client in enumerate(clients):

        async def take(message: Msg, number: int = number) -> None:
            got[message.data] += 1
            members[number] += 1

        await client.subscribe("work", "crew", cb=take)
        await client.flush()
    for node in nodes:
        await wanted_everywhere(nodes, "work", but=node)
    for number in range(n_sent):
        await clients[number % len(clients)].publish("work", b"%d" % number)
    for client in clients:
        await client.flush()
    await until(lambda: got.total() >= n_sent, f"only {got.total()} came")
    await asyncio.gather(*(client.flush() for client in clients))
    assert got == {b"%d" % number: 1 for number in range(n_sent)}
    assert set(members) == {0, 1, 2}


async def check_requests(nodes: Nodes, clients: list[Client]) -> None:
    """A request is answered by a service on another server."""

    async def answer(message: Msg) -> None:
        await message.respond(b"re: " + message.data)

    await clients[0].subscribe("service", cb=answer)
    await clients[0].flush()
    await wanted_everywhere(nodes, "service", but=nodes[0])
    for client in clients:
        assert (await client.request("service", b"help", timeout=TIMEOUT_S)).data == b"re: help"


async def test_clients_hear_of_all_servers(nodes: Nodes, clients: list[Client]) -> None:
    ports = {str(node.server.port) for node in nodes}
    for node in nodes:
        assert {url.rpartition(":")[2] for url in node.page("/varz")["connect_urls"]} == ports
    await until(lambda: all({str(url.port) for url in client.servers} == ports for client in clients))


async def test_a_server_that_was_killed_is_missed_by_nobody_and_comes_back(nodes: Nodes, clients: list[Client]) -> None:
    publisher, subscriber, lost = clients
    await until(lambda: len(lost.servers) == len(nodes))
    got: list[bytes] = []
    reached = asyncio.Event()

    async def take(message: Msg) -> None:
        got.append(message.data)
        if message.data == b"last":
            reached.set()

    await subscriber.subscribe("stream", cb=take)
    await subscriber.flush()
    await wanted_everywhere(nodes, "stream", but=nodes[1])
    for number in range(1000):
        await publisher.publish("stream", b"%d" % number)
        if number == 500:
            await publisher.flush()
            nodes[2].kill()
    await publisher.publish("stream", b"last")
    await asyncio.wait_for(reached.wait(), TIMEOUT_S)
    assert got == [*(b"%d" % number for number in range(1000)), b"last"]
    await until(lambda: lost.is_connected and lost.connected_url and lost.connected_url.port != nodes[2].server.port)
    assert nodes[0].peers() == ["n1"]
    nodes[2].start()
    await nodes.until_full()
    back = await nodes[2].connect()
    subscription = await back.subscribe("again")
    await back.flush()
    await wanted_everywhere(nodes, "again", but=nodes[2])
    await publisher.publish("again", b"hello")
    assert (await subscription.next_msg(TIMEOUT_S)).data == b"hello"
    await back.close()
