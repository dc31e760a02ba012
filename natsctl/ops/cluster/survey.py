"""Reading the state of a cluster, from one of its servers on."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from natsctl.errors import NatsctlError
from natsctl.monitoring.cluster import MAX_SERVERS, Peer, find_peers
from natsctl.monitoring.documents import Routez, Varz
from natsctl.monitoring.reader import Reader
from natsctl.monitoring.times import parse_time
from natsctl.ops.cluster.status import ClusterStatus, LostRoute, Member
from natsctl.ops.pages import Ports

__all__ = ["Survey"]

_RESOLVE_S = 2.0
_NS = 10**9


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one server told, and what the others should know of it."""

    member: Member
    varz: Varz | None = None
    routez: Routez | None = None


class Survey:
    """Reads all servers of a cluster, as often as wanted.

    Those that were there once stay in the picture when they do not answer any more.

    Args:
        ports: The servers to begin with; the others are found through their routes.
    """

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._readers = {url: self._open(url) for url in ports.urls}
        self._last: dict[str, Member] = {}

    async def __aenter__(self) -> Survey:
        return self

    async def __aexit__(self, *exception: object) -> None:
        for reader in self._readers.values():
            await reader.aclose()

    async def read(self) -> ClusterStatus:
        """Find who is there, and read them all.

        Raises:
            LinkError: No server answers.
        """
        unseen = await self._discover()
        readings = await asyncio.gather(*(self._read(reader) for reader in self._readers.values()))
        by_id = {reading.member.server_id or reading.member.url: reading for reading in readings}
        members = [reading.member for reading in by_id.values()]
        members += [
            Member(peer.url, peer.server_id, peer.name, peer.error, is_expected=False)
            for peer in unseen
            if peer.server_id not in by_id
        ]
        members.sort(key=lambda member: (member.name, member.url))
        return ClusterStatus(tuple(members), tuple(await _lost_routes(list(by_id.values()), members)))

    async def _discover(self) -> list[Peer]:
        """Open readers of servers met for the first time, and give those whose monitoring was not found."""
        failure: NatsctlError | None = None
        for reader in list(self._readers.values()):
            try:
                peers = await find_peers(reader, self._open)
            except NatsctlError as error:
                failure = failure or error
                continue
            known = {member.server_id for member in self._last.values()}
            for peer in peers:
                if not peer.error and peer.server_id not in known and peer.url not in self._readers:
                    self._readers[peer.url] = self._open(peer.url)
            return [peer for peer in peers if peer.error]
        assert failure is not None
        raise failure

    async def _read(self, reader: Reader) -> _Reading:
        try:
            routez = await reader.routez()  # first, so that connecting does not count for the clock
            before_ns, before_mono = time.time_ns(), time.monotonic_ns()
            varz = await reader.varz()
            round_trip_ns = time.monotonic_ns() - before_mono
        except NatsctlError as error:
            last = self._last.get(reader.url, Member(reader.url))
            return _Reading(Member(reader.url, last.server_id, last.name, str(error)))
        member = _member(reader.url, varz, routez, before_ns, round_trip_ns)
        self._last[reader.url] = member
        return _Reading(member, varz, routez)

    def _open(self, url: str) -> Reader:
        return Reader(url, tls=self._ports.tls, timeout_s=self._ports.timeout_s)


def _member(url: str, varz: Varz, routez: Routez, before_ns: int, round_trip_ns: int) -> Member:
    member = Member(
        url,
        server_id=varz.server_id,
        name=varz.server_name,
        cluster=varz.cluster.name,
        version=varz.version,
        connections=varz.connections,
        slow_consumers=varz.slow_consumers,
        precision_s=round_trip_ns / 2 / _NS,
        linked=frozenset(route.remote_id for route in routez.routes),
    )
    try:
        now_ns, start_ns = parse_time(varz.now), parse_time(varz.start)
    except ValueError:
        return member
    skew_ns = now_ns - (before_ns + round_trip_ns // 2)
    return replace(member, uptime_s=(now_ns - start_ns) / _NS, skew_s=skew_ns / _NS)


async def _lost_routes(readings: Sequence[_Reading], members: Sequence[Member]) -> list[LostRoute]:
    """Find configured routes that lead to none of the servers.

    Addresses say little where servers are known by several names, so a server that has a route for each other address
    in its configuration is not looked at.
    """
    places = await _places(readings, members)
    lost: dict[str, list[str]] = {}
    for reading in readings:
        if reading.varz is None:
            continue
        own = places.get(reading.member.server_id, set())
        wanted = {url: await _endpoints(url) for url in reading.varz.cluster.urls[:MAX_SERVERS]}
        others = {url: ends for url, ends in wanted.items() if ends and not ends & own}
        if len(reading.member.linked) >= len(others):
            continue
        everybody = set().union(*places.values())
        for url, ends in others.items():
            if not ends & everybody and not {(ip, 0) for ip, _ in ends} & everybody:
                lost.setdefault(url, []).append(reading.member.label)
    return [LostRoute(address, tuple(sorted(wanted_by))) for address, wanted_by in sorted(lost.items())]


async def _places(readings: Sequence[_Reading], members: Sequence[Member]) -> dict[str, set[tuple[str, int]]]:
    """Where each server takes routes: addresses under which others see it, and its port; 0 stands for any."""
    ips: dict[str, set[str]] = {member.server_id: set() for member in members}
    ports: dict[str, int] = {}
    for reading in readings:
        for route in reading.routez.routes if reading.routez else ():
            ips.setdefault(route.remote_id, set()).add(route.ip)
        if reading.varz is not None:
            hosts = (urlsplit(reading.member.url).hostname or "", reading.varz.cluster.addr)
            ips[reading.member.server_id] |= set().union(*[await _resolve(host) for host in hosts])
            ports[reading.member.server_id] = reading.varz.cluster.cluster_port
    return {server_id: {(ip, ports.get(server_id, 0)) for ip in found} for server_id, found in ips.items()}


async def _endpoints(address: str) -> set[tuple[str, int]]:
    """Where ``host:port`` leads; nowhere when it cannot be read or resolved."""
    try:
        parts = urlsplit(f"//{address}")
        host, port = parts.hostname or "", parts.port or 0
    except ValueError:
        return set()
    return {(ip, port) for ip in await _resolve(host)}


async def _resolve(host: str) -> Iterable[str]:
    with contextlib.suppress(OSError, TimeoutError, UnicodeError):
        async with asyncio.timeout(_RESOLVE_S):
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
        return {str(entry[4][0]) for entry in found}
    return set()
