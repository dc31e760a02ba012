"""What a thousand clients leave behind that come, ask, and go, again and again: nothing."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from typing import NamedTuple

import pytest

from natsctl import Broker, Options
from natsctl.config.options import ClusterOptions
from tests.support.wire import PATIENCE_S, WireClient

N_CLIENTS = 1000
N_AT_ONCE = 100


class Left(NamedTuple):
    """What there is while nobody is connected."""

    descriptors: int
    tasks: int
    subscriptions: int
    objects: int


def member(routes: list[str]) -> Broker:
    """A broker of a cluster that remembers no client that is gone."""
    cluster = ClusterOptions(host="127.0.0.1", port=-1, name="growth", routes=routes)
    return Broker(Options(host="127.0.0.1", port=-1, cluster=cluster, max_closed_clients=1))


async def visit(port: int, n: int) -> None:
    """Connect, ask for something under a name of one's own, take the answer, and go; every other one in a hurry."""
    client = await WireClient.open(port, protocol=0)
    await client.send(b"SUB inbox.%d.* 1\r\nSUB work.%d group 2\r\nPUB inbox.%d.x 2\r\nhi\r\n" % (n, n, n))
    assert await client.sync() == [b"MSG inbox.%d.x 1 2\r\nhi" % n]
    if n % 2:
        await client.leave()
    else:
        client.close()


async def crowd(ports: list[int]) -> None:
    for start in range(0, N_CLIENTS, N_AT_ONCE):
        await asyncio.gather(*(visit(ports[n % 2], n) for n in range(start, start + N_AT_ONCE)))


def n_subscriptions(brokers: list[Broker]) -> int:
    return sum(broker.engine.n_subscriptions() for broker in brokers)


async def left(brokers: list[Broker], n_own: int) -> Left:
    """Count, when all clients are gone and the other server knows."""
    async with asyncio.timeout(PATIENCE_S):
        while any(broker.registry.open for broker in brokers) or n_subscriptions(brokers) > n_own:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    gc.collect()
    n_descriptors = len(os.listdir("/proc/self/fd"))
    return Left(n_descriptors, len(asyncio.all_tasks()), n_subscriptions(brokers), len(gc.get_objects()))


@pytest.mark.skipif(sys.platform != "linux", reason="counts descriptors in /proc")
async def test_a_thousand_clients_that_come_and_go_leave_nothing_behind() -> None:
    async with member([]) as one, member([f"nats-route://127.0.0.1:{one.mesh.port}"]) as two:
        brokers, ports = [one, two], [one.port, two.port]
        async with asyncio.timeout(PATIENCE_S):
            while not (one.mesh.routes and two.mesh.routes):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        n_own = n_subscriptions(brokers)
        await crowd(ports)
        before = await left(brokers, n_own)
        for _ in range(3):
            await crowd(ports)
        after = await left(brokers, n_own)
        assert after[:3] == before[:3]
        assert after.objects - before.objects < N_CLIENTS // 10
