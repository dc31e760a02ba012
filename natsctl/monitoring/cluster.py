"""Find the monitoring ports of the servers of a cluster, starting from one.

``/routez`` tells the address and the server id of each peer, but no server knows the monitoring ports of the others.
The guess is that they use the scheme, the port and the base path of the server asked; it is checked by reading the
``/varz`` there: only a server with the id that the route has counts as found. Servers that share a machine have a
monitoring port each: on this machine the ports beside the one asked are tried, for that is where people put them; on
others nobody knocks at ports that were not named, and such servers are told by name, to be given one by one.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from natsctl.errors import NatsctlError
from natsctl.monitoring.reader import Reader

__all__ = ["MAX_SERVERS", "Peer", "find_peers"]

MAX_SERVERS = 256

_GAPS = 2
"""Ports beside those of as many servers as are known, for servers that are down."""
_KNOCK_S = 1.0
_MAX_PORT = 65535


@dataclass(frozen=True, slots=True)
class Peer:
    """A server of the cluster.

    Attributes:
        server_id: Its id.
        name: Its name, or "" where the server asked does not tell.
        url: The base URL where its monitoring is, or was looked for.
        error: Why its monitoring was not found there, or "".
    """

    server_id: str
    name: str
    url: str
    error: str = ""


async def find_peers(seed: Reader, open_reader: Callable[[str], Reader]) -> list[Peer]:
    """Find the other servers of a cluster, through one and then through those found.

    Args:
        seed: The server to begin with.
        open_reader: Makes a reader of a base URL, with the certificates and timeouts of ``seed``. It is closed again.

    Returns:
        At most ``MAX_SERVERS`` peers, without the seed itself, in the order they were met.

    Raises:
        LinkError: The seed cannot be read.
    """
    found: dict[str, Peer] = {(await seed.varz()).server_id: Peer("", "", "")}
    peers = await _neighbours(seed, found, open_reader)
    asked = [peer for peer in peers if not peer.error]
    while asked:
        async with AsyncExitStack() as stack:
            readers = [await stack.enter_async_context(open_reader(peer.url)) for peer in asked]
            met: list[Peer] = []
            for reader in readers:
                try:
                    met += await _neighbours(reader, found, open_reader)
                except NatsctlError:
                    continue  # it was there a moment ago; the poll will tell
        peers += met
        asked = [peer for peer in met if not peer.error]
    return peers


async def _neighbours(reader: Reader, found: dict[str, Peer], open_reader: Callable[[str], Reader]) -> list[Peer]:
    """The servers at the other ends of the routes that were not met before, which are noted in ``found``."""
    routes = (await reader.routez()).routes
    new = {route.remote_id: route for route in routes if route.remote_id not in found and route.ip}
    guesses = [
        Peer(route.remote_id, route.remote_name, _at(reader.url, route.ip))
        for route in list(new.values())[: MAX_SERVERS - len(found)]
    ]
    peers = await asyncio.gather(*(_checked(guess, open_reader) for guess in guesses))
    if any(peer.error and _is_loopback(urlsplit(peer.url).hostname) for peer in peers):
        beside = await _beside(reader.url, len({route.remote_id for route in routes}) + _GAPS, open_reader)
        peers = [beside.get(peer.server_id, peer) if peer.error else peer for peer in peers]
    found.update((peer.server_id, peer) for peer in peers)
    return list(peers)


async def _beside(url: str, n_ports: int, open_reader: Callable[[str], Reader]) -> dict[str, Peer]:
    """The servers of this machine whose monitoring ports are near one of them, by their ids."""
    parts = urlsplit(url)
    if not _is_loopback(parts.hostname) or parts.port is None:
        return {}
    ports = range(max(1, parts.port - n_ports), min(_MAX_PORT, parts.port + n_ports) + 1)
    urls = [_with_port(url, port) for port in ports if port != parts.port]
    found = await asyncio.gather(*(_there(each, open_reader) for each in urls))
    return {peer.server_id: peer for peer in found if peer}


async def _there(url: str, open_reader: Callable[[str], Reader]) -> Peer | None:
    try:
        async with asyncio.timeout(_KNOCK_S), open_reader(url) as reader:
            varz = await reader.varz()
    except (NatsctlError, TimeoutError):
        return None
    return Peer(varz.server_id, varz.server_name, url)


async def _checked(guess: Peer, open_reader: Callable[[str], Reader]) -> Peer:
    try:
        async with open_reader(guess.url) as reader:
            varz = await reader.varz()
    except NatsctlError as error:
        return Peer(guess.server_id, guess.name, guess.url, str(error))
    if varz.server_id != guess.server_id:
        return Peer(guess.server_id, guess.name, guess.url, f"{guess.url} is the monitoring of another server")
    return Peer(guess.server_id, varz.server_name or guess.name, guess.url)


def _is_loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _with_port(url: str, port: int) -> str:
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return urlunsplit(parts._replace(netloc=f"{host}:{port}"))


def _at(url: str, ip: str) -> str:
    parts = urlsplit(url)
    host = f"[{ip}]" if ":" in ip else ip
    return urlunsplit(parts._replace(netloc=f"{host}:{parts.port}" if parts.port else host))
