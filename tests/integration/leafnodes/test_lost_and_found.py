"""Hubs that go away and come back, hubs of several servers, and circles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.leaves import NATSCTL, OFFICIAL, Together, join, leaf_server, running, until_joined, until_said
from tests.support.nodes import Node, free_ports, until

PAIRINGS = [(NATSCTL, NATSCTL), (NATSCTL, OFFICIAL), (OFFICIAL, NATSCTL)]
TIMEOUT_S = 10.0


async def passes(together: Together) -> None:
    """See that a message gets across in both directions."""
    for here, there in ((together.near, together.far), (together.far, together.near)):
        subscription = await here.subscribe("still.there")
        await together.settle()
        await there.publish("still.there", b"yes")
        assert (await subscription.next_msg(TIMEOUT_S)).data == b"yes"
        await subscription.unsubscribe()


@pytest.mark.parametrize(("hub_kind", "spoke_kind"), PAIRINGS)
async def test_a_leafnode_comes_back_to_a_hub_that_was_killed(hub_kind: str, spoke_kind: str, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    hub = leaf_server(hub_kind, "hub", tmp_path, hub=port)
    spoke = leaf_server(spoke_kind, "spoke", tmp_path, remotes=[f"nats://127.0.0.1:{port}"])
    with running(hub, spoke):
        await until_joined(spoke, ["hub"])
        wanted = await (far := await spoke.connect()).subscribe("wanted.before")
        for _ in range(2):
            hub.kill()
            await until_joined(spoke, [])
            await until_said(spoke, "Error trying to connect as leafnode to remote server")
            hub.start()
            together = await join(hub, spoke)
            await passes(together)
            await together.near.publish("wanted.before", b"again")
            assert (await wanted.next_msg(TIMEOUT_S)).data == b"again"
            await together.close()
        assert "(attempt 1): dial tcp 127.0.0.1" in spoke.server.log()
        assert "connection refused" in spoke.server.log()
        await far.close()


@pytest.mark.parametrize(("hub_kind", "spoke_kind"), PAIRINGS)
async def test_a_hub_sees_that_a_leafnode_was_killed(hub_kind: str, spoke_kind: str, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    hub = leaf_server(hub_kind, "hub", tmp_path, hub=port)
    spoke = leaf_server(spoke_kind, "spoke", tmp_path, remotes=[f"nats://127.0.0.1:{port}"])
    with running(hub, spoke):
        await (await join(hub, spoke)).close()
        spoke.kill()
        await until_joined(hub, [])
        await until_said(hub, " - Remote: spoke")
        spoke.start()
        await (await join(hub, spoke)).close()


@pytest.mark.parametrize(("hub_kind", "spoke_kind"), PAIRINGS)
async def test_a_leafnode_goes_to_a_server_that_it_was_told_of(hub_kind: str, spoke_kind: str, tmp_path: Path) -> None:
    leaf_ports, route_ports = free_ports(2), free_ports(2)
    hubs = [
        leaf_server(
            hub_kind,
            f"hub{number}",
            tmp_path,
            hub=leaf_ports[number],
            more=f'cluster {{ name: HUB, listen: "127.0.0.1:{route_ports[number]}", '
            f'routes: ["nats://127.0.0.1:{route_ports[0]}"] }}',
        )
        for number in range(2)
    ]
    spoke = leaf_server(spoke_kind, "spoke", tmp_path, remotes=[f"nats://127.0.0.1:{leaf_ports[0]}"])
    with running(*hubs, spoke):
        await until_joined(spoke, ["hub0"])
        for hub in hubs:
            await hub.until_peers([other.name for other in hubs if other is not hub])
        for hub in hubs:  # also clients of the server that the leafnode is not connected to
            together = await join(hub, spoke)
            await passes(together)
            await together.close()
        hubs[0].kill()
        await until_joined(spoke, ["hub1"])
        together = await join(hubs[1], spoke)
        await passes(together)
        await together.close()


async def test_of_two_servers_the_one_is_taken_that_answers(tmp_path: Path) -> None:
    dead, port = free_ports(2)
    hub = leaf_server(OFFICIAL, "hub", tmp_path, hub=port)
    urls = f"urls: ['nats://127.0.0.1:{dead}', 'nats://127.0.0.1:{port}'], no_randomize: true"
    spoke = leaf_server(NATSCTL, "spoke", tmp_path, remotes=[urls])
    with running(hub, spoke):
        await (await join(hub, spoke)).close()
        assert f'remote server "127.0.0.1:{dead}" (attempt 1)' in spoke.server.log()


@pytest.mark.parametrize("kinds", [(NATSCTL, OFFICIAL, NATSCTL), (OFFICIAL, NATSCTL, OFFICIAL), (NATSCTL,) * 3])
async def test_a_chain_of_leafnodes_passes_everything_on(kinds: tuple[str, str, str], tmp_path: Path) -> None:
    ports = free_ports(2)
    hub = leaf_server(kinds[0], "hub", tmp_path, hub=ports[0])
    middle = leaf_server(kinds[1], "middle", tmp_path, hub=ports[1], remotes=[f"nats://127.0.0.1:{ports[0]}"])
    edge = leaf_server(kinds[2], "edge", tmp_path, remotes=[f"nats://127.0.0.1:{ports[1]}"])
    with running(hub, middle, edge):
        for one, other in ((hub, edge), (middle, edge), (hub, middle)):
            together = await join(one, other)
            await passes(together)
            await together.close()


def circle(kinds: Sequence[str], folder: Path, reconnect: str = "2s") -> list[Node]:
    """Describe leafnodes each of which has the next one for its hub; in two seconds the other connections stand."""
    ports = free_ports(len(kinds))
    return [
        leaf_server(
            kind,
            f"n{index}",
            folder,
            hub=ports[index],
            remotes=[f"nats://127.0.0.1:{ports[(index + 1) % len(kinds)]}"],
            reconnect=reconnect,
        )
        for index, kind in enumerate(kinds)
    ]


LOOP = 'Loop detected for leafnode account="$G". Delaying attempt to reconnect for 30s'


@pytest.mark.parametrize(("number", "reconnect"), [(2, "2s"), (3, "2s"), (3, "50ms")])
async def test_of_a_circle_one_connection_goes(number: int, reconnect: str, tmp_path: Path) -> None:
    nodes = circle([NATSCTL] * number, tmp_path, reconnect)
    with running(*nodes):
        await until(lambda: any(LOOP in node.server.log() for node in nodes))
        for other in nodes[1:]:
            together = await join(nodes[0], other)
            await passes(together)
            await together.close()
        assert sum(node.page("/leafz")["leafnodes"] for node in nodes) == 2 * (number - 1)


async def test_a_circle_with_the_official_server_is_found(tmp_path: Path) -> None:
    nodes = circle([OFFICIAL, NATSCTL], tmp_path)
    with running(*nodes):
        for node in nodes:
            await until_said(node, LOOP)


@pytest.mark.parametrize(("hub_kind", "spoke_kind"), PAIRINGS)
async def test_a_leafnode_of_the_same_cluster_name_is_refused(hub_kind: str, spoke_kind: str, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    cluster = 'cluster { name: SAME, listen: "127.0.0.1:-1" }'
    hub = leaf_server(hub_kind, "hub", tmp_path, hub=port, more=cluster)
    spoke = leaf_server(spoke_kind, "spoke", tmp_path, remotes=[f"nats://127.0.0.1:{port}"], more=cluster)
    with running(hub, spoke):
        await until_said(hub, "Leafnode connection closed: Cluster Names Identical")
        await until_said(spoke, "with same cluster name error. Delaying attempt to reconnect for 30s")
        assert spoke.page("/leafz")["leafs"] == []
