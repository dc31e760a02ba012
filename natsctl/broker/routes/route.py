"""One route: a connection to another server of the cluster, and what is said on it before messages flow.

Who connected says CONNECT and INFO at once, the other one INFO; then each tells the other what is wanted there.

Source: nats-server ``route.go`` (createRoute, processRouteConnect, processRouteInfo).
Task: everything here runs on the broker's loop.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from natsctl.broker.auth import is_bcrypt
from natsctl.broker.channel import Host
from natsctl.broker.link import LinkChannel
from natsctl.broker.routes.documents import Gossip, RouteConnect, RouteInfo
from natsctl.broker.routes.logins import is_admitted, is_known
from natsctl.config.options import ClusterOptions
from natsctl.config.urls import ServerUrl
from natsctl.engine.api import Link, LinkGrant, LinkKind
from natsctl.errors import ClosedReason, WireError
from natsctl.protocol.documents import decode_lenient, encode_info
from natsctl.protocol.quote import go_quote

__all__ = ["Cluster", "Origin", "Route"]

_MAX_PING_INTERVAL_S = 30.0
_NO_DEDICATED_ROUTE = "Not possible to have a dedicated route for account"
"""What nats-server says when it finds out that no account can have a route of its own to us; it does not ask again."""


@dataclass(slots=True)
class Origin:
    """Why a server is connected to.

    Attributes:
        url: Where it is.
        is_configured: Whether the configuration says so; else another server told of it.
        gossip: What to do with the news of it.
    """

    url: ServerUrl
    is_configured: bool
    gossip: int = Gossip.DEFAULT


class Cluster(Protocol):
    """What a route needs of those who know the others."""

    @property
    def options(self) -> ClusterOptions:
        """The ``cluster`` block."""

    def info(self, gossip: int = Gossip.DEFAULT) -> RouteInfo:
        """What we say of ourselves."""

    def connect_line(self, url: ServerUrl) -> bytes:
        """What we say first where we connect."""

    def accept_name(self, name: str, is_dynamic: bool, server_id: str) -> bool:
        """Whether a server of a cluster of this name belongs here, perhaps because we take the name."""

    def enter(self, route: Route) -> bool:
        """Count a server in, whose INFO has come; False when it is connected already."""

    def hear(self, route: Route, info: RouteInfo) -> None:
        """A server tells news of itself, or of another one."""

    def leave(self, route: Route, reason: ClosedReason) -> None:
        """A route has ended."""


class Route(LinkChannel):
    """A route on a socket.

    Args:
        host: The broker.
        cid: The connection's number.
        loop: The broker's.
        cluster: Who knows the other servers.
        origin: Why we connected; None where the other server did.
    """

    __slots__ = (
        "_cluster",
        "_has_logged_in",
        "_verifying",
        "is_entered",
        "must_return",
        "origin",
        "remote",
    )

    kind = "Router"
    id_name = "rid"
    peer_kind = "Route"

    def __init__(
        self, host: Host, cid: int, loop: asyncio.AbstractEventLoop, cluster: Cluster, origin: Origin | None
    ) -> None:
        super().__init__(host, cid, loop)
        self._cluster = cluster
        self.origin = origin
        self._has_logged_in = self.did_solicit
        self._verifying: asyncio.Future[bool] | None = None
        self.remote = RouteInfo()
        """What the other server said of itself."""
        self.is_entered = False
        """Whether it is the route to that server."""
        self.must_return = False
        """Whether to connect again when it ends, though nobody configured it."""

    @property
    def did_solicit(self) -> bool:
        """Whether we connect when it is not there."""
        return self.origin is not None

    # ---- what a channel asks

    def _open_session(self) -> Link:
        link = self._host.engine.open_link(LinkKind.ROUTE, self, self)
        link.tracing = self._host.log.trace_enabled
        return link

    def _begin(self) -> None:
        if self._cluster.options.tls is None:
            self.greet()

    def greet(self) -> None:
        """Say who we are."""
        line = encode_info(self._cluster.info(self.origin.gossip if self.origin is not None else Gossip.DEFAULT))
        if self.origin is not None:
            self.debug("Route connect msg sent")
            line = self._cluster.connect_line(self.origin.url) + line
        self.session.write(line)
        self._host.log.info(f"{self.tag} - Route connection created")
        self.start_auth_timer(self._cluster.options.auth_timeout_s)
        self._host.flush_touched()

    def admit(self) -> None:
        """Wait for what the other server says of itself, as since the greeting."""

    def _ping_interval_s(self) -> float:
        return min(self._cluster.options.ping_interval_s or self._host.options.ping_interval_s, _MAX_PING_INTERVAL_S)

    def _ping_max(self) -> int:
        return self._cluster.options.ping_max or self._host.options.ping_max

    def _write_deadline_s(self) -> float:
        return self._cluster.options.write_deadline_s or self._host.options.write_deadline_s

    def _may_retry_writing(self) -> bool:
        return self._cluster.options.write_timeout != "close"

    def _note_end(self, reason: ClosedReason) -> None:
        if self._verifying is not None:
            self._verifying.cancel()
        remote = f" - Remote: {self.remote.server_name}" if self.remote.server_name else ""
        self._host.log.info(f"{self.tag} - Router connection closed: {reason.value}{remote}")
        self._cluster.leave(self, reason)

    # ---- CONNECT

    def on_connect(self, link: Link, document: bytes) -> None:
        """The other server logs in."""
        if self._has_logged_in:
            self.refuse(ClosedReason.PROTOCOL_VIOLATION, "unexpected CONNECT")
            return
        try:
            connect = decode_lenient(document, RouteConnect, "CONNECT")
        except ValueError as error:
            link.fail(WireError(ClosedReason.PROTOCOL_VIOLATION, log=str(error)))
            return
        options = self._cluster.options
        if options.knows_certificates:
            self._settle_login(connect, is_known(options, self.tls, self.debug))
        elif is_bcrypt(options.password):
            link.hold()
            self._verifying = self.loop.run_in_executor(None, is_admitted, options, connect)
            self._verifying.add_done_callback(lambda verified: self._verified(connect, verified))
        else:
            self._settle_login(connect, is_admitted(options, connect))

    def _verified(self, connect: RouteConnect, verified: asyncio.Future[bool]) -> None:
        self._verifying = None
        if verified.cancelled() or self.session.closed is not None:
            return
        self._settle_login(connect, verified.result())
        self.session.go_on()
        self._resume_reading()
        self._host.flush_touched()

    def _settle_login(self, connect: RouteConnect, is_right: bool) -> None:
        if not is_right:
            given = connect.user.encode("utf-8", "replace")
            claimed = f" - User {go_quote(given)}" if given else ""
            text = f"authentication error{claimed}"
            reason = ClosedReason.AUTHENTICATION_FAILURE
            self.session.fail(WireError(reason, wire="Authorization Violation", log=text))
        elif connect.lang:
            self.refuse(ClosedReason.INCORRECT_PORT, "attempted to connect to route port")
        elif connect.gateway:
            gateway = go_quote(connect.gateway.encode("utf-8", "replace"))
            self.refuse(ClosedReason.WRONG_GATEWAY, f"Rejecting connection from gateway {gateway} on the Route port")
        elif not self._cluster.accept_name(connect.cluster, connect.cluster_dynamic, connect.name):
            theirs, ours = (
                go_quote(name.encode("utf-8", "replace")) for name in (connect.cluster, self._cluster.info().cluster)
            )
            text = f"Rejecting connection, cluster name {theirs} does not match {ours}"
            self.refuse(ClosedReason.CLUSTER_NAME_CONFLICT, text)
        else:
            self._has_logged_in = True

    # ---- INFO

    def on_info(self, link: Link, document: bytes) -> None:
        """The other server says who it is, or what has changed."""
        if not self._has_logged_in:
            reason = ClosedReason.AUTHENTICATION_FAILURE
            link.fail(WireError(reason, wire="Authorization Violation", log="authentication error"))
            return
        try:
            info = decode_lenient(document, RouteInfo, "INFO")
        except ValueError as error:
            link.fail(WireError(ClosedReason.PROTOCOL_VIOLATION, log=str(error)))
            return
        if self.is_entered:
            self._cluster.hear(self, info)
        else:
            self._meet(info)

    def _meet(self, info: RouteInfo) -> None:
        """Take in the first INFO."""
        us = self._cluster.info()
        self.remote = info
        if info.server_id == us.server_id or not info.server_id:
            self.close(ClosedReason.DUPLICATE_ROUTE)
        elif info.client_id:
            self.error("attempted to connect to wrong port")
            self.close(ClosedReason.INCORRECT_PORT)
        elif info.cluster and not self._cluster.accept_name(info.cluster, info.cluster_dynamic, info.server_id):
            self.close(ClosedReason.CLUSTER_NAME_CONFLICT)
        elif info.server_name == us.server_name:
            self.error(f"Remote server has a duplicate name: {go_quote(info.server_name.encode('utf-8', 'replace'))}")
            self.close(ClosedReason.DUPLICATE_SERVER_NAME)
        elif info.route_account:
            # It is about to find out that we have no routes for single accounts, and will hang up for good.
            self.debug(f"Ignoring a route for account {go_quote(info.route_account.encode('utf-8', 'replace'))}")
        elif not self._cluster.enter(self):
            self.debug(f"Detected duplicate remote route {go_quote(info.server_id.encode('utf-8', 'replace'))}")
            self.close(ClosedReason.DUPLICATE_ROUTE)

    def join(self, grant: LinkGrant) -> None:
        """Exchange interest and messages from now on."""
        self.stop_auth_timer()
        self.is_entered = True
        self.debug(f"Registering remote route {go_quote(self.remote.server_id.encode('utf-8', 'replace'))}")
        self.session.join(grant)
        self.settle()

    def tell(self, info: RouteInfo) -> None:
        """Send news of ourselves, or of another server."""
        self.session.write(encode_info(info))

    def on_peer_error(self, link: Link, text: str) -> None:
        """The other server says why it will hang up."""
        if text.startswith(_NO_DEDICATED_ROUTE):
            self.debug(f"Route Error '{text}'")
            self.close(ClosedReason.CLIENT_CLOSED)
        else:
            super().on_peer_error(link, text)
