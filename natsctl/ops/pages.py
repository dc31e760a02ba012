"""Reading single pages of monitoring ports: the bytes the server sent, and the document in them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from natsctl.errors import NatsctlError
from natsctl.monitoring.cluster import Peer, find_peers
from natsctl.monitoring.documents import Document
from natsctl.monitoring.reader import Param, Reader, TLSFiles

__all__ = ["Page", "Pages", "Ports"]

D = TypeVar("D", bound=Document)


@dataclass(frozen=True, slots=True)
class Ports:
    """Monitoring ports, and how to reach them.

    Attributes:
        urls: Base URLs.
        tls: Certificates, for those on HTTPS.
        timeout_s: How long an answer may take.
        cluster: Also the ports of the other servers of the cluster.
    """

    urls: tuple[str, ...]
    tls: TLSFiles = field(default_factory=TLSFiles)
    timeout_s: float = 10.0
    cluster: bool = False


@dataclass(frozen=True, slots=True)
class Page(Generic[D]):
    """What one server answered, or why it did not.

    Attributes:
        server: The base URL.
        body: The document as the server sent it.
        document: The same, typed; None when reading failed.
        error: Why it failed, or None.
    """

    server: str
    body: bytes = b""
    document: D | None = None
    error: NatsctlError | None = None


class Pages:
    """The same page of one or many servers, read as often as wanted over kept connections."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._readers = [self._reader(url) for url in ports.urls]

    async def __aenter__(self) -> Pages:
        return self

    async def __aexit__(self, *exception: object) -> None:
        for reader in self._readers:
            await reader.aclose()

    async def join_cluster(self) -> list[Peer]:
        """Read from now on also the other servers of the cluster, found through the first one.

        Returns:
            Those whose monitoring was not found, with the reason.

        Raises:
            LinkError: The first server does not answer.
        """
        peers = await find_peers(self._readers[0], self._reader)
        known = {reader.url for reader in self._readers}
        self._readers += [self._reader(peer.url) for peer in peers if not peer.error and peer.url not in known]
        return [peer for peer in peers if peer.error]

    async def read(self, name: str, kind: type[D], params: Mapping[str, Param]) -> list[Page[D]]:
        """Read a page of all servers at once, in the order the servers were given."""
        return list(await asyncio.gather(*(_page(reader, name, kind, params) for reader in self._readers)))

    def _reader(self, url: str) -> Reader:
        return Reader(url, tls=self._ports.tls, timeout_s=self._ports.timeout_s)


async def _page(reader: Reader, name: str, kind: type[D], params: Mapping[str, Param]) -> Page[D]:
    """Read a page of one server; what goes wrong is part of the result."""
    try:
        return Page(reader.url, *await reader.page(name, kind, params))
    except NatsctlError as error:
        return Page(reader.url, error=error)
