"""The cluster as this server sees it: who is connected, who should be, and what clients are told of it.

Source: nats-server ``route.go`` (startRouteAcceptLoop, addRoute, removeRoute, processImplicitRoute,
forwardNewRouteInfoToKnownServers), ``server.go`` (updateServerINFOAndSendINFOToClients).
Task: everything here runs on the broker's loop.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from typing import Protocol

import msgspec

from natsctl.broker.auth import compile_permissions
from natsctl.broker.channel import Host
from natsctl.broker.identity import Identity
from natsctl.broker.listener import join_address
from natsctl.broker.registry import Registry, Traffic
from natsctl.broker.routes.addresses import client_urls
from natsctl.broker.routes.caller import Caller
from natsctl.broker.routes.documents import Gossip, RouteInfo
from natsctl.broker.routes.encryption import RouteTls
from natsctl.broker.routes.introduction import connect_line, introduce
from natsctl.broker.routes.port import RoutePort
from natsctl.broker.routes.route import Origin, Route
from natsctl.config.options import ClusterOptions
from natsctl.config.urls import ServerUrl, server_url
from natsctl.engine.api import LinkGrant
from natsctl.errors import ClosedReason

__all__ = ["LeafnodeUrls", "Mesh", "MeshHost"]


class LeafnodeUrls(Protocol):
    """Where leafnodes connect, which each server of a cluster tells of all."""

    @property
    def own_urls(self) -> list[str]:
        """Where they reach this server."""

    def hear_of_peer(self, server_id: str, urls: Sequence[str]) -> None:
        """Learn where they reach another server; no URLs: nowhere."""


class MeshHost(Host, Protocol):
    """What the mesh needs of the broker."""

    identity: Identity
    registry: Registry
    host: str
    port: int
    """Where clients connect."""

    @property
    def leafnodes(self) -> LeafnodeUrls:
        """Where leafnodes connect."""

    def tell_clients(self) -> None:
        """Send INFO anew to all clients that understand it."""


class Mesh:
    """The routes of a broker. See :class:`natsctl.broker.routes.route.Cluster` for what they ask of it.

    Args:
        host: The broker.

    Attributes:
        routes: The servers that are connected, by id.
    """

    def __init__(self, host: MeshHost) -> None:
        self._host = host
        self.routes: dict[str, Route] = {}
        self._moved = Traffic()
        self._own_urls: list[str] = []
        self._port = RoutePort(self._make)
        self._caller = Caller(host, self._port.call, self._is_there)
        self._is_open = False

    @property
    def options(self) -> ClusterOptions:
        """The ``cluster`` block."""
        return self._host.options.cluster

    @property
    def host(self) -> str:
        """Where routes are listened for."""
        return self._port.host

    @property
    def port(self) -> int:
        """The port for routes."""
        return self._port.port

    # ---- life

    def bind(self) -> None:
        """Bind the port for routes, and take a cluster name if there is none.

        Raises:
            ServerError: The address cannot be bound.
        """
        identity, options = self._host.identity, self.options
        self._port.bind(options)
        self._caller.own = self._port.own
        self.secure(RouteTls.of(options, self._host.log))
        if not identity.cluster:
            identity.cluster, identity.cluster_is_dynamic = secrets.token_hex(11), True
        self.follow_clients()

    def secure(self, tls: RouteTls | None) -> None:
        """Encrypt new routes so, or not at all."""
        self._port.secure(tls, self.options)

    async def open(self) -> None:
        """Take routes, and connect to those configured."""
        identity, log = self._host.identity, self._host.log
        log.info(f"Cluster name is {identity.cluster}")
        if identity.cluster_is_dynamic:
            log.warn("Cluster name was dynamically generated, consider setting one")
        log.info(f"Listening for route connections on {join_address(self.host, self.port)}")
        self._is_open = True
        await self._port.open()
        for url in self.options.routes:
            self._caller.call(Origin(server_url(url), is_configured=True))

    def stop_listening(self) -> None:
        """Take no more routes, and connect to nobody any more."""
        self._is_open = False
        self._caller.stop()
        self._port.close()

    # ---- reload

    def follow(self, before: ClusterOptions) -> None:
        """Take over changed options; routes that are there go on, unless what may come and go has changed."""
        options, identity = self.options, self._host.identity
        if options.name and options.name != identity.cluster:
            self._take_name(options.name, is_dynamic=False)
        self.follow_clients()
        if before.permissions == options.permissions:
            info = self.info()
            for route in self.routes.values():
                route.tell(info)
            return
        for route in tuple(self.routes.values()):
            route.must_return = True
            route.close(ClosedReason.CLIENT_CLOSED)

    def follow_log(self) -> None:
        """Trace, or trace no more."""
        for route in self.routes.values():
            route.session.tracing = self._host.log.trace_enabled

    def follow_clients(self) -> None:
        """Say where clients connect now."""
        self._own_urls = client_urls(self._host.options.client_advertise, self._host.host, self._host.port)
        self._renew_urls()

    def follow_routes(self, before: ClusterOptions) -> None:
        """Connect to servers that have become known, and leave those that should not be known any more."""
        now, known = _by_address(self.options), _by_address(before)
        for address in known.keys() - now.keys():
            self._caller.forget(address)
            for route in self._called_at(address):
                route.origin = None
                route.close(ClosedReason.ROUTE_REMOVED)
                self._host.log.info(f"Removed route {address}")
        for address, url in now.items():
            if url == known.get(address):
                continue
            origin = Origin(url, is_configured=True)
            self._caller.forget(address)
            connected = self._called_at(address)
            for route in connected:
                route.origin = origin  # another login, for the next time
            if not connected:
                self._caller.call(origin)

    def _called_at(self, address: str) -> list[Route]:
        return [each for each in self.routes.values() if each.origin is not None and each.origin.url.address == address]

    # ---- the end

    def enter_lame_duck(self) -> None:
        """Tell the other servers to send us no more clients, and our own clients where else to go."""
        self._own_urls = []
        self._renew_urls()
        info = self.info()
        info.ldm = True
        for route in self.routes.values():
            route.tell(info)

    def _make(self, origin: Origin | None) -> Route:
        return Route(self._host, self._host.registry.next_cid(), asyncio.get_running_loop(), self, origin)

    # ---- what we say of ourselves

    def info(self, gossip: int = Gossip.DEFAULT) -> RouteInfo:
        """Make our INFO for other servers."""
        info = introduce(self._host, (self.host, self.port), gossip)
        info.connect_urls = [] if self.options.no_advertise else self._own_urls
        info.leafnode_urls = self._host.leafnodes.own_urls
        return info

    def connect_line(self, url: ServerUrl) -> bytes:
        """Make our CONNECT for a server."""
        return connect_line(self._host, url)

    def accept_name(self, name: str, is_dynamic: bool, server_id: str) -> bool:
        """Whether a server of a cluster of this name belongs here, perhaps because we take the name.

        A name that was made up gives way to one that was configured, and to a made-up one that sorts behind it.
        """
        identity = self._host.identity
        if name == identity.cluster:
            return True
        if not name or not identity.cluster_is_dynamic or (is_dynamic and name < identity.cluster):
            return False
        self._take_name(name, is_dynamic)
        for other, route in tuple(self.routes.items()):
            if other != server_id:
                route.close(ClosedReason.CLUSTER_NAME_CONFLICT)
        return True

    def _take_name(self, name: str, is_dynamic: bool) -> None:
        identity = self._host.identity
        identity.cluster, identity.cluster_is_dynamic = name, is_dynamic
        self._host.log.info(f"Cluster name updated to {name}")
        self._host.tell_clients()

    # ---- who is there

    def enter(self, route: Route) -> bool:
        """Count a server in, whose INFO has come; False when it is connected already."""
        info = route.remote
        known = self.routes.get(info.server_id)
        if known is not None:
            self._inherit(known, route)
            # The other side may have kept the other connection and close this one: then somebody must begin anew.
            known.must_return = True
            return False
        self.routes[info.server_id] = route
        if not info.ip:
            info.ip = f"nats-route://{join_address(route.ip, info.port)}/"
        options = self._host.options
        permissions = compile_permissions(self.options.permissions)
        route.join(LinkGrant(headers=info.headers and not options.no_header_support, permissions=permissions))
        self._spread(route)
        self._renew_urls()
        self._host.leafnodes.hear_of_peer(info.server_id, info.leafnode_urls)
        return True

    def _is_there(self, origin: Origin) -> bool:
        """Whether the server at an address is connected; its route then stands for the one that was wanted."""
        for route in self.routes.values():
            at = self._origin_of(route.remote)
            if at is not None and at.url.address == origin.url.address:
                if route.origin is None or origin.is_configured:
                    route.origin = origin
                return True
        return False

    def _inherit(self, known: Route, lost: Route) -> None:
        """Let a route stand for another one to the same server, so that it is called again when it ends."""
        if lost.origin is not None and (known.origin is None or lost.origin.is_configured):
            known.origin = lost.origin

    def leave(self, route: Route, reason: ClosedReason) -> None:
        """A route has ended: call again who should be there."""
        server_id = route.remote.server_id
        if self.routes.get(server_id) is route:
            del self.routes[server_id]
            self._moved.add(route.session)
            self._renew_urls()
            self._host.leafnodes.hear_of_peer(server_id, [])
        if reason is ClosedReason.TLS_HANDSHAKE_FAILURE:
            self._port.note_failed_handshake(route)
        if not self._is_open or reason is ClosedReason.ROUTE_REMOVED:
            return
        known, log = self.routes.get(server_id), self._host.log
        if known is not None:
            self._inherit(known, route)
            log.debug(f'Not attempting reconnect for solicited route, already connected to "{server_id}"')
        elif server_id == self._host.identity.server_id:
            log.debug("Detected route to self, ignoring")
        elif (origin := self._way_back(route)) is not None:
            log.debug(f"Attempting reconnect for solicited route {origin.url.address}")
            self._caller.call_again(origin)

    def _way_back(self, route: Route) -> Origin | None:
        if route.origin is not None:
            is_lost = (route.is_entered and not route.remote.ldm) or route.origin.is_configured or route.must_return
            return route.origin if is_lost else None
        return self._origin_of(route.remote) if route.must_return else None

    def _origin_of(self, info: RouteInfo, gossip: int = Gossip.DEFAULT) -> Origin | None:
        try:
            url = server_url(info.ip)
        except ValueError:
            return None
        options = self.options
        if info.auth_required:
            url = ServerUrl(url.host, url.port, options.user, options.password, has_password=True)
        return Origin(url, is_configured=False, gossip=gossip)

    # ---- news

    def hear(self, route: Route, info: RouteInfo) -> None:
        """A server tells news of itself, or of another one."""
        if info.server_id != route.remote.server_id:
            self._hear_of(info)
            return
        if info.ldm:
            route.remote.ldm, route.remote.connect_urls = True, []
            self._renew_urls()
            self._host.leafnodes.hear_of_peer(info.server_id, [])
        else:
            route.remote.import_, route.remote.export = info.import_, info.export

    def _hear_of(self, info: RouteInfo) -> None:
        identity = self._host.identity
        if info.server_id == identity.server_id or info.server_id in self.routes or info.route_account:
            return
        if info.cluster and info.cluster != identity.cluster:
            return
        origin = self._origin_of(info, info.gossip_mode)
        if origin is None:
            self._host.log.error("Error parsing URL from INFO")
        elif not {origin.url.address.lower(), join_address(info.host, info.port).lower()} & self._configured():
            self._caller.call(origin)

    def _configured(self) -> set[str]:
        return {server_url(url).address.lower() for url in self.options.routes}

    def _spread(self, route: Route) -> None:
        """Tell the others of a new server, so that they connect to it."""
        origin, info = route.origin, route.remote
        is_by_gossip = origin is not None and not origin.is_configured and origin.gossip != Gossip.OVERRIDE
        if is_by_gossip or info.gossip_mode == Gossip.DISABLED:
            return
        for other in self.routes.values():
            if other is route:
                continue
            if origin is not None:
                mode = Gossip.OVERRIDE if origin.is_configured else Gossip.DEFAULT
            else:
                is_configured = other.origin is not None and other.origin.is_configured
                mode = Gossip.OVERRIDE if is_configured else Gossip.DISABLED
            other.tell(msgspec.structs.replace(info, gossip_mode=mode))

    def _renew_urls(self) -> None:
        """Tell clients when the servers have changed that they could connect to."""
        identity = self._host.identity
        others = (url for route in self.routes.values() for url in route.remote.connect_urls)
        urls = [] if self.options.no_advertise else list(dict.fromkeys([*self._own_urls, *others]))
        if set(urls) != set(identity.connect_urls):
            identity.connect_urls = urls
            if self._is_open:
                self._host.tell_clients()

    # ---- what monitoring shows

    def traffic(self) -> Traffic:
        """What all routes have moved since the start."""
        total = Traffic()
        total.add(self._moved)
        for route in self.routes.values():
            total.add(route.session)
        return total


def _by_address(options: ClusterOptions) -> dict[str, ServerUrl]:
    urls = map(server_url, options.routes)
    return {url.address: url for url in urls}
