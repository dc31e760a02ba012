"""Leafnodes that come and go leave nothing behind."""

from __future__ import annotations

import asyncio
import gc
import json

from natsctl.broker import Broker
from natsctl.broker.leafnodes.leaf import Leaf
from natsctl.config.options import LeafOptions, Options, RemoteOptions
from natsctl.errors import ClosedReason
from tests.support.nodes import until
from tests.support.wire import WireClient

ROUNDS = 300


def leaves_in_memory() -> int:
    gc.collect()
    return sum(isinstance(each, Leaf) for each in gc.get_objects())


async def test_accepted_leafnodes_are_forgotten() -> None:
    leafnodes = LeafOptions(host="127.0.0.1", port=-1)
    async with Broker(Options(host="127.0.0.1", port=-1, leafnodes=leafnodes)) as broker:
        _, port = broker.leafnodes.address
        n_before = broker.engine.n_subscriptions()
        for number in range(ROUNDS):
            async with await WireClient.open(port) as client:
                document = {"name": f"n{number}", "server_id": f"id{number}", "headers": True}
                await client.send(b"CONNECT " + json.dumps(document).encode() + b"\r\nLS+ foo\r\nLS+ bar q 2\r\n")
                if number % 2:
                    await client.sync()
        await until(lambda: not broker.leafnodes.open)
        assert broker.engine.n_subscriptions() == n_before
        await until(lambda: leaves_in_memory() == 0)
        assert broker.leafnodes.traffic().keys() <= {"", "$G"}


async def test_solicited_leafnodes_are_forgotten() -> None:
    remotes: list[RemoteOptions] = []
    spoke_options = LeafOptions(remotes=remotes, reconnect_s=0.001)
    hub_options = LeafOptions(host="127.0.0.1", port=-1)
    async with Broker(Options(host="127.0.0.1", port=-1, server_name="hub", leafnodes=hub_options)) as hub:
        remotes.append(RemoteOptions(urls=[hub.leafnodes.url]))
        async with Broker(Options(host="127.0.0.1", port=-1, server_name="spoke", leafnodes=spoke_options)) as spoke:
            await until(lambda: spoke.leafnodes.joined)
            n_tasks = len(asyncio.all_tasks())
            for _ in range(50):
                (leaf,) = hub.leafnodes.joined
                await until(lambda: spoke.leafnodes.joined)
                leaf.abort(ClosedReason.CLIENT_CLOSED)
                await until(lambda: hub.leafnodes.joined)
            del leaf
            assert len(asyncio.all_tasks()) <= n_tasks + 1
            await until(lambda: leaves_in_memory() <= 2)
    await until(lambda: leaves_in_memory() == 0)
