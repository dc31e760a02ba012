"""What passes between the clients of a hub and those of its leafnode, whichever server is which."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import NoRespondersError

from tests.support.leaves import (
    NATSCTL,
    OFFICIAL,
    PURE,
    Together,
    join,
    leaf_server,
    running,
    until_joined,
)
from tests.support.nodes import Node, free_ports, until

PAIRINGS = [(NATSCTL, NATSCTL), (NATSCTL, OFFICIAL), (OFFICIAL, NATSCTL), (PURE, PURE), (OFFICIAL, PURE)]
TIMEOUT_S = 10.0


@pytest.fixture(scope="module", params=PAIRINGS, ids=["-hub-".join(each) for each in PAIRINGS])
def servers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Node]]:
    hub_kind, spoke_kind = request.param
    folder: Path = tmp_path_factory.mktemp("leafnodes")
    (port,) = free_ports(1)
    hub = leaf_server(hub_kind, "hub", folder, hub=port)
    spoke = leaf_server(spoke_kind, "spoke", folder, remotes=[f"nats://127.0.0.1:{port}"])
    with running(hub, spoke):
        yield hub, spoke


@pytest.fixture
async def together(servers: tuple[Node, Node]) -> AsyncIterator[Together]:
    sides = await join(*servers)
    yield sides
    await sides.close()


def both_ways(together: Together) -> tuple[tuple[Client, Client], tuple[Client, Client]]:
    return (together.near, together.far), (together.far, together.near)


async def test_messages_pass_whole_and_once(together: Together) -> None:
    for here, there in both_ways(together):
        subscription = await here.subscribe("news.*")
        wider = await here.subscribe("news.>")
        await together.settle()
        for size in (0, 1, 4096, 300_000, 1_000_000):
            payload = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
            await there.publish("news.today", payload, headers={"Size": str(size)})
            for each in (subscription, wider):
                found = await each.next_msg(TIMEOUT_S)
                assert (found.subject, found.data, found.headers) == ("news.today", payload, {"Size": str(size)})
        await together.settle()
        assert (subscription.pending_msgs, wider.pending_msgs) == (0, 0)
        await subscription.unsubscribe()
        await wider.unsubscribe()


async def test_requests_are_answered_across(together: Together) -> None:
    for here, there in both_ways(together):

        async def answer(message: Msg) -> None:
            await message.respond(b"to " + message.data)

        subscription = await here.subscribe("help", cb=answer)
        await together.settle()
        answers = await asyncio.gather(*(there.request("help", b"%d" % n, TIMEOUT_S) for n in range(50)))
        assert [each.data for each in answers] == [b"to %d" % n for n in range(50)]
        await subscription.unsubscribe()
        await together.settle()
        with pytest.raises(NoRespondersError):
            await there.request("help", b"", TIMEOUT_S)


async def test_a_queue_group_spans_both_sides(together: Together) -> None:
    got: Counter[bytes] = Counter()
    members: Counter[int] = Counter()
    n_sent = 200
    for number, client in enumerate((together.near, together.near, together.far)):

        async def take(message: Msg, number: int = number) -> None:
            got[message.data] += 1
            members[number] += 1

        await client.subscribe("work", queue="workers", cb=take)
    watcher = await together.far.subscribe("work")
    await together.settle()
    for here, _ in both_ways(together):
        for number in range(n_sent):
            await here.publish("work", b"%d" % number)
        await here.flush()
    await until(lambda: got.total() >= 2 * n_sent)
    await together.settle()
    assert set(got.values()) == {2}
    assert len(got) == n_sent
    assert watcher.pending_msgs == 2 * n_sent
    assert members[2] and members[0] + members[1]


async def test_a_message_for_nobody_on_the_other_side_stays_here(
    servers: tuple[Node, Node], together: Together
) -> None:
    def moved() -> list[int]:
        return [row["in_msgs"] + row["out_msgs"] for node in servers for row in node.page("/leafz")["leafs"]]

    subscription = await together.near.subscribe("local")
    await subscription.unsubscribe()
    await together.settle()
    await until(lambda: moved() == moved())
    before = moved()
    for client in (together.near, together.far):
        await client.publish("local", b"x")
        await client.flush()
    assert moved() == before


async def test_monitoring_shows_both_ends(servers: tuple[Node, Node], together: Together) -> None:
    hub, spoke = servers
    await together.near.subscribe("seen.from.afar")
    await together.settle()
    for node, peer, is_spoke in ((hub, spoke, False), (spoke, hub, True)):
        await until_joined(node, [peer.name])
        (row,) = node.page("/leafz?subs=1")["leafs"]
        assert (row["is_spoke"], row["account"], row["ip"]) == (is_spoke, "$G", "127.0.0.1")
        assert ("seen.from.afar" in row["subscriptions_list"]) == is_spoke
        assert [row["port"] for row in spoke.page("/leafz")["leafs"]] == [hub.route_port]
        varz = node.page("/varz")
        assert varz["leafnodes"] == 1
        assert ("port" in varz["leaf"], "remotes" in varz["leaf"]) == (not is_spoke, is_spoke)
    assert hub.page("/leafz?acc=NOBODY")["leafs"] == []
