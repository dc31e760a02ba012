"""The ports for routes and leafnodes under attack: strangers are cut off, and nobody else feels it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random

import pytest

from natsctl.engine import available
from tests.support.flood import Flood, Follower
from tests.support.leaves import leaf_server, until_joined
from tests.support.nodes import Node, running_nodes, until
from tests.support.routes import info_line, login_line
from tests.support.wire import PATIENCE_S, WireClient, connect_line

TIMEOUT = "authorization { timeout: 0.5 }"
CONFIG = f'leafnodes {{ listen: "127.0.0.1:-1", {TIMEOUT} }}\nping_interval: "60s"\nmax_payload: 65536\n'
N_SILENT = 1000
GIANT = bytes(1 << 20).replace(b"\0", b"x")
RATE = 2000
SIZE = 128
GROWTH_BYTES = 8 << 20
"""What a server may take more after an attack than after the one before."""
TOO_LATE = b"-ERR 'Authentication Timeout'"
_numbers = count()


def login(kind: str) -> bytes:
    """What a server says that is let in; each has a name of its own."""
    name = f"STRANGER{next(_numbers)}"
    if kind == "route":
        return login_line(name=name) + info_line(server_id=name)
    return connect_line(name=name, version="2.15.1")


@dataclass(frozen=True)
class Victim:
    """A server under attack, one of two of a cluster, with a leafnode.

    Attributes:
        kind: ``route`` or ``leaf``: which port is attacked.
        port: That port.
    """

    node: Node
    kind: str
    port: int

    def links(self) -> list[tuple[str, int]]:
        """The connections to other servers: a new one would have a new number."""
        routes, leafs = self.node.page("/routez")["routes"], self.node.page("/leafz")["leafs"]
        return [(row["ip"], row["port"]) for row in (*routes, *leafs)]

    def n_descriptors(self) -> int:
        return len(list(Path(f"/proc/{self.node.server.process.pid}/fd").iterdir()))

    async def stranger(self) -> WireClient:
        return await WireClient.open(self.port)


@pytest.fixture(scope="module", params=available())
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Node]]:
    directory = tmp_path_factory.mktemp("pair")
    with running_nodes(directory, ["natsctl"] * 2, config=CONFIG, more=TIMEOUT, engine=request.param) as nodes:
        spoke = leaf_server("natsctl", "spoke", directory, remotes=[f"nats://127.0.0.1:{leaf_port(nodes[0])}"])
        spoke.start()
        yield [*nodes, spoke]
        spoke.stop()


@pytest.fixture(params=["route", "leaf"])
async def victim(request: pytest.FixtureRequest, pair: list[Node]) -> Victim:
    node, other, _ = pair
    await node.until_peers([other.name])
    await until_joined(node, ["spoke"])
    return Victim(node, request.param, node.route_port if request.param == "route" else leaf_port(node))


def leaf_port(node: Node) -> int:
    found = re.search(r"Listening for leafnode connections on \S+:(\d+)", node.server.log())
    assert found, node.server.log()
    return int(found[1])


@asynccontextmanager
async def undisturbed(victim: Victim, pair: list[Node]) -> AsyncIterator[None]:
    """See that messages of other servers keep coming, all and in order, over the links that were there before."""
    node, *others = pair
    links = victim.links()
    subjects = [b"from.%s" % other.name.encode() for other in others]
    followers = [await Follower.open(node.server.port, subject, SIZE) for subject in subjects]
    for other, subject in zip(others, subjects, strict=True):
        await wanted(other, subject.decode())
    senders = [await WireClient.open(other.server.port, protocol=0) for other in others]
    floods = [Flood(sender, subject, SIZE) for sender, subject in zip(senders, subjects, strict=True)]
    is_over = asyncio.Event()

    async def publish(flood: Flood, follower: Follower) -> None:
        while not is_over.is_set():
            await flood.send(RATE)
        follower.until = flood.sent

    async with asyncio.TaskGroup() as tasks:
        for flood, follower in zip(floods, followers, strict=True):
            tasks.create_task(publish(flood, follower))
            tasks.create_task(follower.follow())
        yield
        is_over.set()
    for client in (*senders, *(follower.client for follower in followers)):
        client.close()
    assert victim.links() == links


async def wanted(node: Node, subject: str) -> None:
    """Wait until a server has heard that somebody elsewhere wants a subject."""
    pages = (("/routez?subs=1", "routes"), ("/leafz?subs=1", "leafs"))
    await until(
        lambda: any(
            subject in row.get("subscriptions_list", ()) for page, rows in pages for row in node.page(page)[rows]
        )
    )


async def leaves_nothing(victim: Victim, attack: Callable[[], Awaitable[None]]) -> None:
    """Attack twice: what the first time has taken must do for the second one."""
    before = victim.n_descriptors()
    await attack()
    await until(lambda: victim.n_descriptors() <= before)
    taken = victim.node.server.memory_bytes()
    await attack()
    await until(lambda: victim.n_descriptors() <= before)
    assert victim.node.server.memory_bytes() - taken < GROWTH_BYTES


async def test_a_thousand_who_say_nothing_are_sent_away_in_time(victim: Victim, pair: list[Node]) -> None:
    async def attack() -> None:
        strangers = await asyncio.gather(*(victim.stranger() for _ in range(N_SILENT)))
        ends = await asyncio.gather(*(stranger.read_to_end() for stranger in strangers))
        for stranger in strangers:
            stranger.close()
        assert {frame for frames in ends for frame in frames if not frame.startswith(b"INFO")} == {TOO_LATE}

    async with undisturbed(victim, pair):
        await leaves_nothing(victim, attack)


async def test_nonsense_ends_its_connection_and_no_other(victim: Victim, pair: list[Node]) -> None:
    random = Random(9)

    async def rave(begins: bytes) -> None:
        async with await victim.stranger() as stranger:
            await stranger.send(begins + random.randbytes(65536))
            await stranger.read_to_end()

    async def attack() -> None:
        openings = [b"", b"INFO ", b"CONNECT ", b"CONNECT {}\r\n"] * 20
        openings += [login(victim.kind) + more for more in (b"", b"PING\r\n") for _ in range(20)]
        await asyncio.gather(*map(rave, openings))

    async with undisturbed(victim, pair):
        await leaves_nothing(victim, attack)


@pytest.mark.parametrize("logged_in", [False, True])
async def test_lines_and_payloads_that_do_not_end_are_not_kept(
    victim: Victim, pair: list[Node], logged_in: bool
) -> None:
    verbs = {"route": [b"RS+ $G ", b"RMSG $G ", b"INFO {"], "leaf": [b"LS+ ", b"LMSG ", b"INFO {"]}[victim.kind]
    sizes = [b"RMSG $G a 999999999\r\n" if victim.kind == "route" else b"LMSG a 999999999\r\n"]

    async def pour(begins: bytes) -> None:
        async with await victim.stranger() as stranger:
            if logged_in:
                await stranger.send(login(victim.kind))
                await stranger.sync()
            await stranger.send(begins)
            while not stranger.closed:
                await stranger.send(GIANT)
                try:
                    async with asyncio.timeout(0.01):
                        await stranger.receive()
                except TimeoutError:
                    pass

    async def attack() -> None:
        await asyncio.gather(*(pour(begins) for begins in (*verbs, *sizes) for _ in range(5)))

    async with undisturbed(victim, pair):
        await leaves_nothing(victim, attack)


async def test_a_login_byte_by_byte_takes_no_longer_than_another(victim: Victim, pair: list[Node]) -> None:
    async def drip(stranger: WireClient) -> None:
        for byte in login(victim.kind):
            await stranger.send(bytes([byte]))
            await asyncio.sleep(0.05)  # this is what is tested
        raise AssertionError("it was let in")

    async with undisturbed(victim, pair), asyncio.timeout(PATIENCE_S):
        strangers = await asyncio.gather(*(victim.stranger() for _ in range(50)))
        dripping = [asyncio.create_task(drip(stranger)) for stranger in strangers]
        ends = await asyncio.gather(*(stranger.read_to_end() for stranger in strangers))
        for task, stranger in zip(dripping, strangers, strict=True):
            task.cancel()
            stranger.close()
        await asyncio.gather(*dripping, return_exceptions=True)
        assert {frames[-1] for frames in ends} == {TOO_LATE}
