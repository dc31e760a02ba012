"""The sockets of routes: the port that is listened on, and TLS on both sides.

Source: nats-server ``route.go`` (startRouteAcceptLoop, saveRouteTLSName), ``client.go`` (doTLSClientHandshake).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from ipaddress import ip_address

from natsctl.broker.listener import BACKLOG, ListenError, listen
from natsctl.broker.routes.addresses import own_addresses
from natsctl.broker.routes.encryption import RouteTls
from natsctl.broker.routes.route import Origin, Route
from natsctl.broker.tls.handshake import Handshake
from natsctl.broker.tls.outgoing import OutgoingHandshake
from natsctl.config.options import ClusterOptions
from natsctl.config.urls import server_url
from natsctl.errors import ServerError

__all__ = ["RoutePort"]

_ANY_HOST = "0.0.0.0"


class RoutePort:
    """Where routes begin.

    Args:
        make: Makes a route, for a server that connects or one that is called.

    Attributes:
        host: What is listened on, as the next.
        own: Addresses by which we would call ourselves.
    """

    def __init__(self, make: Callable[[Origin | None], Route]) -> None:
        self._make = make
        self.host, self.port = "", 0
        self.own: frozenset[tuple[str, int]] = frozenset()
        self._sockets: list[socket.socket] = []
        self._servers: list[asyncio.Server] = []
        self._tls: RouteTls | None = None
        self._tls_name = ""
        """Whose certificate a server must have of which only the IP address is known."""

    # ---- life

    def bind(self, options: ClusterOptions) -> None:
        """Bind the port.

        Raises:
            ServerError: It cannot be bound.
        """
        self.host = options.host or _ANY_HOST
        try:
            self._sockets = listen(self.host, options.port)
        except ListenError as error:
            raise ServerError(f"Error listening on router port: {options.port} - {error.reason}") from None
        addresses = [each.getsockname() for each in self._sockets]
        self.port = addresses[0][1]
        self.own = own_addresses([each[0] for each in addresses], self.port)

    async def open(self) -> None:
        """Take routes."""
        loop = asyncio.get_running_loop()
        for sock in self._sockets:
            self._servers.append(await loop.create_server(self._accept, sock=sock, backlog=BACKLOG))
        self._sockets = []

    def close(self) -> None:
        """Take no more routes."""
        for sock in self._sockets:
            sock.close()
        for server in self._servers:
            server.close()
        if self._tls is not None:
            self._tls.incoming.close()

    def secure(self, tls: RouteTls | None, options: ClusterOptions) -> None:
        """Encrypt new routes so, or not at all."""
        if self._tls is not None:
            self._tls.incoming.close()
        self._tls = tls
        hosts = (server_url(url).host for url in options.routes)
        self._tls_name = next((host for host in hosts if not _is_ip(host)), "")

    # ---- connections

    def _accept(self) -> asyncio.BufferedProtocol:
        route = self._make(None)
        return route if self._tls is None else Handshake(self._tls.incoming, route)

    def call(self, origin: Origin) -> asyncio.BufferedProtocol:
        """Give the protocol for a server that is called."""
        route = self._make(origin)
        if self._tls is None:
            return route
        host = origin.url.host
        name = self._tls_name if self._tls_name and _is_ip(host) else host
        return OutgoingHandshake(self._tls.outgoing, route, name)

    def note_failed_handshake(self, route: Route) -> None:
        """Expect the next time that a server known by its address has a certificate for that."""
        if route.origin is not None and _is_ip(route.origin.url.host):
            self._tls_name = ""


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
