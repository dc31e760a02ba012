"""The monitoring ports that a check reads."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from natsctl.errors import LinkError
from natsctl.monitoring.cluster import find_peers
from natsctl.monitoring.reader import Reader
from natsctl.ops.check.result import Result, Status
from natsctl.ops.pages import Ports

__all__ = ["opened_readers"]


@contextlib.asynccontextmanager
async def opened_readers(ports: Ports, result: Result) -> AsyncIterator[list[Reader]]:
    """Open readers of all ports until the end of the block, with the whole cluster where that is asked for.

    Args:
        ports: Which ports.
        result: Told of servers whose monitoring was not found.

    Raises:
        UsageError: A certificate cannot be loaded.
    """

    def open_reader(url: str) -> Reader:
        return Reader(url, tls=ports.tls, timeout_s=ports.timeout_s)

    async with AsyncExitStack() as stack:
        readers = [await stack.enter_async_context(open_reader(url)) for url in ports.urls]
        peers = []
        if ports.cluster:
            with contextlib.suppress(LinkError):  # a server that does not answer is told when it is read
                peers = await find_peers(readers[0], open_reader)
        for peer in peers:
            if peer.error:
                result.say(
                    Status.WARNING, f"the monitoring of {peer.name or peer.server_id} was not found: {peer.error}"
                )
            elif peer.url not in ports.urls:
                readers.append(await stack.enter_async_context(open_reader(peer.url)))
        yield readers
