"""Reading single pages of monitoring ports: the bytes the server sent, and the document in them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from natsctl.errors import NatsctlError
from natsctl.monitoring.cluster import Peer, find_peers
from natsctl.monitoring.diagnosis import explain_answer, explain_status
from natsctl.monitoring.documents import Document, Healthz, decode
from natsctl.monitoring.reader import Param, Reader, TLSFiles

__all__ = ["Page", "PageReader", "Pages", "Ports"]

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


class PageReader(Reader):
    """A reader that also keeps what the server sent."""

    async def page(self, name: str, kind: type[D], params: Mapping[str, Param]) -> Page[D]:
        """Read a page; what goes wrong is part of the result.

        Args:
            name: Its name, as ``varz``.
            kind: The document it holds.
            params: The parameters of its query; None and False stand for those that are not sent.
        """
        query = {
            key: "1" if value is True else str(value) for key, value in params.items() if value not in (None, False)
        }
        try:
            status, headers, body = await self._answer(name, query)
            # A server that is not healthy says so in a document, with a status for load balancers.
            if status != 200 and not (kind is Healthz and body.startswith(b"{")):
                raise explain_status(self.url, name, status, headers, body)
            try:
                return Page(self.url, body, decode(body, kind))
            except ValueError as error:
                raise explain_answer(self.url, name, headers, body, error) from None
        except NatsctlError as error:
            return Page(self.url, error=error)


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
        return list(await asyncio.gather(*(reader.page(name, kind, params) for reader in self._readers)))

    def _reader(self, url: str) -> PageReader:
        return PageReader(url, tls=self._ports.tls, timeout_s=self._ports.timeout_s)
