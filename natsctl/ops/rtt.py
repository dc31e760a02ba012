"""Round trips to every address of every server."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from natsctl.errors import NatsctlError
from natsctl.ops.connection import connect
from natsctl.ops.settings import Settings

__all__ = ["RoundTrips", "measure_rtt"]


@dataclass(frozen=True, slots=True)
class RoundTrips:
    """What one address of a server answered.

    Units: seconds.
    """

    server: str
    address: str
    """``ip:port``; empty when the name does not resolve."""
    rtt_s: tuple[float, ...] = ()
    error: NatsctlError | str | None = None

    @property
    def average_s(self) -> float:
        """Mean of all round trips."""
        return sum(self.rtt_s) / len(self.rtt_s)


async def measure_rtt(settings: Settings, iterations: int) -> AsyncIterator[RoundTrips]:
    """Connect to each address behind each server and time PING and PONG; failures are results too.

    Args:
        settings: Where to; the name of the server stays the one its certificate must show.
        iterations: Round trips per address.
    """
    for server in settings.completed().servers or ():
        parts = urlsplit(server)
        try:
            found = await asyncio.get_running_loop().getaddrinfo(parts.hostname, parts.port, type=socket.SOCK_STREAM)
        except OSError as error:
            yield RoundTrips(server, "", error=f"{error.strerror or error}".lower())
            continue
        for ip in dict.fromkeys(str(entry[4][0]) for entry in found):
            address = f"[{ip}]:{parts.port}" if ":" in ip else f"{ip}:{parts.port}"
            there = replace(settings, servers=(f"{parts.scheme}://{address}",))
            yield await _measure(there, server, address, parts.hostname, iterations)


async def _measure(settings: Settings, server: str, address: str, hostname: str | None, iterations: int) -> RoundTrips:
    try:
        async with connect(settings, tls_hostname=hostname) as connection:
            return RoundTrips(server, address, tuple([await connection.rtt() for _ in range(iterations)]))
    except NatsctlError as error:
        return RoundTrips(server, address, error=error)
