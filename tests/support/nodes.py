"""Clusters of real processes, of our servers and of the official one."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import nats
from nats.aio.client import Client

from tests.support.http import ask, monitor_port
from tests.support.process import NATSCTL, ServerProcess, nats_server, running_server

__all__ = ["Node", "Nodes", "free_ports", "running_nodes", "until"]

PATIENCE_S = 30.0


async def until(holds: Callable[[], object], what: str = "") -> None:
    """Wait until something holds that no event tells of."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, what or "waited in vain"
        await asyncio.sleep(0.01)


def free_ports(count: int) -> list[int]:
    """Find ports of 127.0.0.1 that nobody listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


class Node:
    """One server of a cluster.

    Attributes:
        kind: ``natsctl`` or ``nats-server``.
        route_port: Where it takes routes; the same after a restart.
    """

    def __init__(self, kind: str, name: str, route_port: int, config: str, directory: Path, engine: str) -> None:
        self.kind, self.name, self.route_port = kind, name, route_port
        self._config, self._directory, self._engine = config, directory, engine
        self._stack = ExitStack()
        self.server: ServerProcess
        self._monitor_port = 0

    def start(self) -> None:
        """Run it."""
        command: Sequence[str] = NATSCTL if self.kind == "natsctl" else nats_server()
        self._directory.mkdir(parents=True, exist_ok=True)
        for old in self._directory.glob("*.ports"):
            old.unlink()
        self.server = self._stack.enter_context(running_server(command, self._directory, self._config, self._engine))
        self._monitor_port = monitor_port(self.server)

    def stop(self) -> None:
        """End it in order."""
        self._stack.close()

    def kill(self) -> None:
        """End it at once, without a word to anybody."""
        self.server.process.kill()
        self.server.process.wait()
        self._stack.close()

    def page(self, path: str) -> Any:
        """Read a page of its monitoring."""
        return ask(self._monitor_port, path).document

    def peers(self) -> list[str]:
        """Names of the servers it has routes to, each once for each connection of its own."""
        return sorted(dict((row["remote_id"], row["remote_name"]) for row in self.page("/routez")["routes"]).values())

    async def until_peers(self, names: list[str]) -> None:
        """Wait until it has routes to these servers and no others."""
        await until(lambda: self.peers() == names, f"{self.name} has no routes to exactly {names}")

    async def until_wanted(self, subject: str) -> None:
        """Wait until it knows that somebody elsewhere in the cluster wants a subject."""

        def knows() -> bool:
            routes = self.page("/routez?subs=1")["routes"]
            return any(subject in row.get("subscriptions_list", ()) for row in routes)

        await until(knows, f"{self.name} does not know that {subject} is wanted")

    async def connect(self, **options: Any) -> Client:
        """Connect an official client."""
        return await nats.connect(f"nats://127.0.0.1:{self.server.port}", **options)


class Nodes(list[Node]):
    """The servers of one cluster."""

    async def until_full(self) -> None:
        """Wait until each that runs is connected to each other one."""
        running = [node for node in self if node.server.process.poll() is None]
        for node in running:
            await node.until_peers(sorted(other.name for other in running if other is not node))


@contextmanager
def running_nodes(
    directory: Path,
    kinds: Sequence[str],
    *,
    by_seed: bool = False,
    more: str = "",
    config: str = "",
    engine: str = "auto",
    scheme: str = "nats://",
) -> Iterator[Nodes]:
    """Run a cluster until the block ends.

    Args:
        directory: For the files of all.
        kinds: One for each node.
        by_seed: Whether all know the first one alone; else each knows all, itself too.
        more: Further lines of each ``cluster`` block.
        config: Further lines of each configuration.
        engine: Which of ours to use.
        scheme: What the URLs of routes begin with, a login included.
    """
    ports = free_ports(len(kinds))
    known = ports[:1] if by_seed else ports
    routes = ", ".join(f'"{scheme}127.0.0.1:{port}"' for port in known)
    nodes = Nodes()
    try:
        for index, (kind, port) in enumerate(zip(kinds, ports, strict=True)):
            block = f'cluster {{ name: C, listen: "127.0.0.1:{port}", routes: [{routes}]\n{more} }}'
            text = f'server_name: n{index}\nhttp: "127.0.0.1:-1"\n{block}\n{config}\n'
            nodes.append(Node(kind, f"n{index}", port, text, directory / f"n{index}", engine))
            nodes[-1].start()
        yield nodes
    finally:
        for node in nodes:
            node.stop()
