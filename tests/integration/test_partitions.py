"""A cluster whose network is cut in silence, and mended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from natsctl import Broker, Options
from natsctl.config.options import ClusterOptions
from natsctl.errors import ClosedReason
from tests.support.cable import Cable
from tests.support.wire import PATIENCE_S, WireClient

_PING_S = 0.2


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that no event tells."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@dataclass
class Cluster:
    """Servers, each reached by the others over a cable of its own."""

    brokers: list[Broker]
    cables: list[Cable]

    @property
    def n_routes(self) -> list[int]:
        return [len(broker.mesh.routes) for broker in self.brokers]

    async def is_whole(self) -> None:
        n = len(self.brokers)
        await until(lambda: self.n_routes == [n - 1] * n)


@asynccontextmanager
async def cluster(n: int) -> AsyncIterator[Cluster]:
    """Run a full mesh."""
    async with AsyncExitStack() as stack:
        cables = [await stack.enter_async_context(Cable(0)) for _ in range(n)]
        urls = [f"nats-route://127.0.0.1:{cable.port}" for cable in cables]
        brokers = []
        for i, cable in enumerate(cables):
            options = ClusterOptions(
                host="127.0.0.1",
                port=-1,
                name="cables",
                routes=[url for url in urls if url != urls[i]],
                advertise=f"127.0.0.1:{cable.port}",
                ping_interval_s=_PING_S,
                ping_max=2,
            )
            broker = Broker(Options(host="127.0.0.1", port=-1, server_name=f"n{i}", cluster=options))
            await stack.enter_async_context(broker)
            cable.target = broker.mesh.port
            brokers.append(broker)
        found = Cluster(brokers, cables)
        await found.is_whole()
        yield found


async def ask(client: WireClient, data: bytes) -> list[bytes]:
    """Send something, and read all that is there when it was handled."""
    await client.send(data)
    return await client.sync()


def n_interests(broker: Broker, subject: bytes) -> int:
    """How many other servers want a subject, as far as one has heard."""
    links = [route.session for route in broker.mesh.routes.values()]
    return sum(interest.subject == subject for link in links for interest in link.interests())


async def test_a_partition_is_noticed_and_heals() -> None:
    async with cluster(3) as found, AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(await WireClient.open(broker.port, protocol=0)) for broker in found.brokers
        ]
        lonely, *others = clients
        await ask(lonely, b"SUB before 1\r\nSUB always 3\r\n")
        await until(lambda: all(n_interests(broker, b"before") for broker in found.brokers[1:]))
        for cable in found.cables:
            cable.cut()
        await until(lambda: found.n_routes == [0, 0, 0])
        await ask(lonely, b"SUB during 2\r\nUNSUB 1\r\n")
        assert await ask(lonely, b"PUB during 4\r\nhere\r\n") == [b"MSG during 2 4\r\nhere"]
        for cable in found.cables:
            cable.mend()
        await found.is_whole()
        await until(lambda: all(n_interests(broker, b"during") for broker in found.brokers[1:]))
        assert not any(n_interests(broker, b"before") for broker in found.brokers)
        for client in others:
            await ask(client, b"PUB before 1\r\nx\r\nPUB always 1\r\nx\r\nPUB during 5\r\nthere\r\n")
        heard = [await lonely.read() for _ in range(2 * len(others))]
        assert sorted(heard) == [b"MSG always 3 1\r\nx"] * 2 + [b"MSG during 2 5\r\nthere"] * 2
        assert await ask(lonely, b"") == [], "each came once"


async def test_one_lost_link_comes_back_and_the_others_carry_on() -> None:
    async with cluster(3) as found, AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(await WireClient.open(broker.port, protocol=0)) for broker in found.brokers
        ]
        for client in clients:
            await ask(client, b"SUB all 1\r\n")
        await until(lambda: all(n_interests(broker, b"all") == 2 for broker in found.brokers))
        for route in tuple(found.brokers[0].mesh.routes.values()):
            route.abort(ClosedReason.READ_ERROR)
        await found.is_whole()
        await until(lambda: all(n_interests(broker, b"all") == 2 for broker in found.brokers))
        for client in clients:
            await client.send(b"PUB all 2\r\nhi\r\n")
        for client in clients:
            assert [await client.read() for _ in clients] == [b"MSG all 1 2\r\nhi"] * 3
            assert await ask(client, b"") == []
