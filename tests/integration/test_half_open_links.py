"""Links whose other end says nothing: nobody tells that it is gone, or it was never there."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.cable import Cable
from tests.support.leaves import NATSCTL, OFFICIAL, PURE, join, leaf_server, running, until_joined, until_said
from tests.support.nodes import free_ports, until
from tests.support.routes import ALONE, clustered
from tests.support.wire import WireClient, connect_line

PINGS = 'ping_interval: "200ms"\nping_max: 2\n'


@pytest.fixture
def mute() -> Iterator[int]:
    """A port where the kernel takes connections, and nobody ever speaks: a server that is frozen."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


async def test_a_route_to_one_who_says_nothing_is_given_up_and_tried_again(
    mute: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "natsctl.broker")
    cluster = replace(ALONE, timeout_s=0.1, routes=[f"nats://127.0.0.1:{mute}"])
    async with clustered(cluster=cluster) as broker:
        await until(lambda: caplog.text.count("Router connection closed: Authentication Timeout") >= 2)
        assert not broker.mesh.routes


@pytest.mark.parametrize("kind", [NATSCTL, OFFICIAL])
async def test_a_hub_that_says_nothing_is_given_up_and_tried_again(mute: int, kind: str, tmp_path: Path) -> None:
    remote = f"url: 'nats://127.0.0.1:{mute}', first_info_timeout: '100ms'"
    spoke = leaf_server(kind, "spoke", tmp_path, remotes=[remote])
    with running(spoke):
        await until_said(spoke, "Leafnode connection closed: ", times=2)
        assert spoke.page("/leafz")["leafs"] == []


async def test_a_leafnode_that_answers_no_ping_is_given_up(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    hub = leaf_server(NATSCTL, "hub", tmp_path, hub=port, more=PINGS)
    with running(hub):
        async with await WireClient.open(port) as peer:
            await peer.send(connect_line(name="peer", version="2.15.1"))
            assert (await peer.read_to_end())[-1] == b"-ERR 'Stale Connection'"
        await until_joined(hub, [])
        assert hub.page("/varz")["stale_connection_stats"]["leafs"] == 1


@pytest.mark.parametrize(("hub_kind", "spoke_kind"), [(NATSCTL, PURE), (NATSCTL, OFFICIAL), (OFFICIAL, NATSCTL)])
async def test_a_leafnode_behind_a_network_that_was_cut_comes_back(
    hub_kind: str, spoke_kind: str, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    hub = leaf_server(hub_kind, "hub", tmp_path, hub=port, more=PINGS)
    async with Cable(port) as cable:
        spoke = leaf_server(spoke_kind, "spoke", tmp_path, remotes=[f"nats://127.0.0.1:{cable.port}"], more=PINGS)
        with running(hub, spoke):
            together = await join(hub, spoke)
            inbox = await together.far.subscribe("orders")
            await together.settle()
            cable.cut()
            await asyncio.gather(until_joined(hub, []), until_joined(spoke, []))
            await together.near.publish("orders", b"lost")
            await together.near.flush()
            cable.mend()
            await asyncio.gather(until_joined(hub, ["spoke"]), until_joined(spoke, ["hub"]))
            await together.settle()
            await together.near.publish("orders", b"after")
            assert (await inbox.next_msg(10)).data == b"after"
            assert inbox.pending_msgs == 0
            await together.close()
