"""A cluster that runs on this machine, from the first process to the last."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType

from natsctl.errors import NatsctlError, ServerError
from natsctl.monitoring.reader import Reader
from natsctl.ops.cluster.kit import Kit
from natsctl.ops.cluster.node import NodeProcess

__all__ = ["Exit", "LocalCluster"]

Exit = tuple[NodeProcess, int]
"""A node that has ended, and its exit code; the negative number of the signal that ended it."""

_POLL_S = 0.1
_READ_S = 2.0


class LocalCluster:
    """All nodes of a kit, running until the end of the block.

    Task: for callers on one event loop.

    Args:
        kit: What to run.
        command: The server.
        on_line: Told each line a node logs.
    """

    def __init__(self, kit: Kit, command: tuple[str, ...], on_line: Callable[[str, str], Awaitable[None]]) -> None:
        self.kit = kit
        self.nodes = tuple(NodeProcess(node, command, on_line) for node in kit.nodes)
        self._events: asyncio.Queue[Exit | OSError] = asyncio.Queue()
        self._following: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> LocalCluster:
        try:
            for node in self.nodes:
                await node.start()
                self._following.append(asyncio.create_task(self._follow(node), name=f"follow {node.node.name}"))
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def form(self, timeout_s: float) -> None:
        """Wait until every node has a route to every other.

        Raises:
            ServerError: A node ended before, or it took too long.
        """
        forming = asyncio.ensure_future(self._wait_for_mesh())
        ending = asyncio.ensure_future(self.next_exit())
        try:
            done, _ = await asyncio.wait((forming, ending), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if ending in done:
                node, code = ending.result()
                raise ServerError(f"{node.node.name} cannot run (exit code {code}): {node.last_line}")
            if not done:
                raise ServerError(f"the nodes have not all found each other within {timeout_s:g} s")
            forming.result()
        finally:
            forming.cancel()
            ending.cancel()

    async def next_exit(self) -> Exit:
        """Wait for the next node that ends.

        Raises:
            OSError: What nodes log cannot be handed on any more.
        """
        event = await self._events.get()
        if isinstance(event, OSError):
            raise event
        return event

    async def _follow(self, node: NodeProcess) -> None:
        try:
            self._events.put_nowait((node, await node.follow()))
        except OSError as error:
            self._events.put_nowait(error)

    async def _wait_for_mesh(self) -> None:
        for node in self.kit.nodes:
            async with Reader(node.monitor_url, tls=self.kit.tls, timeout_s=_READ_S) as reader:
                while True:
                    if len(await _linked(reader)) >= len(self.kit.nodes) - 1:
                        break
                    await asyncio.sleep(_POLL_S)  # no event tells of it

    async def _stop(self) -> None:
        """End all nodes; a second signal, which cancels, ends them at once."""
        stopping = asyncio.ensure_future(self._stop_nodes())
        while not stopping.done():
            try:
                await asyncio.shield(stopping)
            except asyncio.CancelledError:
                for node in self.nodes:
                    node.kill()

    async def _stop_nodes(self) -> None:
        for task in self._following:
            task.cancel()
        await asyncio.gather(*self._following, return_exceptions=True)
        await asyncio.gather(*(node.stop() for node in self.nodes))


async def _linked(reader: Reader) -> set[str]:
    """Give the servers that one has routes to; none while it is not there yet."""
    try:
        return {route.remote_id for route in (await reader.routez()).routes}
    except NatsctlError:
        return set()
