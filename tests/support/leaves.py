"""Hubs and leafnodes: real processes, of our server and the official one, and what passes between their clients."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg

from tests.support.nodes import Node, until

__all__ = ["NATSCTL", "OFFICIAL", "PURE", "Together", "join", "leaf_server", "running", "until_joined", "until_said"]

NATSCTL, PURE, OFFICIAL = "natsctl", "natsctl/pure", "nats-server"
_PATIENCE_S = 15.0
_numbers = count()


def leaf_server(
    kind: str,
    name: str,
    directory: Path,
    *,
    hub: int = 0,
    remotes: Sequence[str] = (),
    leaf: str = "",
    more: str = "",
    reconnect: str = "100ms",
) -> Node:
    """Describe a server that takes leafnodes, or is one, or both.

    Args:
        kind: ``natsctl``, ``natsctl/pure`` or ``nats-server``.
        name: Its name.
        directory: For its files.
        hub: The port where it takes leafnodes; 0 takes none.
        remotes: What stands between the braces of each of its remotes; a URL may stand alone.
        leaf: Further lines of the ``leafnodes`` block.
        more: Further lines of the configuration.
        reconnect: How long it waits between attempts, or a little longer.
    """
    blocks = ", ".join(f"{{ url: '{each}' }}" if "://" in each.split(" ")[0] else f"{{ {each} }}" for each in remotes)
    listen = f'listen: "127.0.0.1:{hub}"' if hub else ""
    config = (
        f'server_name: {name}\nhttp: "127.0.0.1:-1"\ndebug: true\n'
        f"leafnodes {{ {listen}\nreconnect: {reconnect}\n{leaf}\nremotes: [{blocks}] }}\n{more}\n"
    )
    program, _, engine = kind.partition("/")
    return Node(program, name, hub, config, directory / name, engine or "auto")


@contextmanager
def running(*nodes: Node) -> Iterator[None]:
    """Run servers until the block ends."""
    with ExitStack() as stack:
        for node in nodes:
            node.start()
            stack.callback(node.stop)
        yield


async def until_joined(node: Node, names: Sequence[str]) -> None:
    """Wait until a server has leafnode connections with exactly these servers."""
    await until(lambda: sorted(row["name"] for row in node.page("/leafz")["leafs"]) == sorted(names))


async def until_said(node: Node, text: str, times: int = 1) -> None:
    """Wait until a server has logged something."""
    await until(lambda: node.server.log().count(text) >= times, f"{node.name} does not say {text}")


class Together:
    """Two clients at different servers, who know when the servers know what each wants.

    Args:
        near: A client.
        far: A client of another server.
    """

    def __init__(self, near: Client, far: Client) -> None:
        self.near, self.far = near, far

    async def settle(self) -> None:
        """Wait until what was wanted before is known on both sides.

        Interest and messages come in order, so a message that comes by a new interest has passed all older ones.
        """
        number = next(_numbers)
        arrived = [asyncio.Event(), asyncio.Event()]
        sides = [(self.near, self.far), (self.far, self.near)]
        subscriptions = []
        for index, (here, _) in enumerate(sides):

            async def arrive(_: Msg, index: int = index) -> None:
                arrived[index].set()

            subscriptions.append(await here.subscribe(f"settle.{number}.{index}", cb=arrive))
            await here.flush()

        async def knock() -> None:
            while True:
                for index, (_, there) in enumerate(sides):
                    await there.publish(f"settle.{number}.{index}")
                await asyncio.sleep(0.01)  # no event tells that the other side is there

        knocking = asyncio.ensure_future(knock())
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await asyncio.gather(*(each.wait() for each in arrived))
        finally:
            knocking.cancel()
        for subscription in subscriptions:
            await subscription.unsubscribe()

    async def close(self) -> None:
        """Let both go."""
        for client in (self.near, self.far):
            await client.close()


async def join(hub: Node, spoke: Node, **options: Any) -> Together:
    """Connect a client to each side."""
    together = Together(await hub.connect(**options), await spoke.connect(**options))
    await together.settle()
    return together
