"""A leafnode connection that we made to a hub.

Source: nats-server ``leafnode.go`` (processLeafnodeInfo, sendLeafConnect, leafProcessErr).
Task: everything here runs on the broker's loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from natsctl.broker.auth import GLOBAL_ACCOUNT
from natsctl.broker.leafnodes.documents import LeafConnect, LeafInfo, decode_info, encode_connect
from natsctl.broker.leafnodes.leaf import LOOP_DELAY_S, Leaf, LeafHome
from natsctl.broker.leafnodes.rights import rights_of_hub
from natsctl.broker.leafnodes.servers import HubServer, HubServers
from natsctl.broker.leafnodes.signing import prove
from natsctl.config.options import RemoteOptions
from natsctl.engine.api import Link, LinkKind
from natsctl.errors import AuthError, ClosedReason, WireError
from natsctl.protocol.documents import PROTOCOL_RELEASE
from natsctl.units import format_duration

__all__ = ["SolicitedLeaf"]

_CONNECT_INFO_TIMEOUT_S = 2.0
_VERSION_DELAY_S = 5.0
_PROTOCOL = 1
_DELAYS = {
    "remote leafnode has same cluster name": ("with same cluster name error", LOOP_DELAY_S),
    "connection rejected since minimum version required": ("due to minimum version requirement", _VERSION_DELAY_S),
    "Permissions Violation": ("by a permission of the hub", LOOP_DELAY_S),
}
"""What a hub says, and how long coming again makes no sense then."""


class SolicitedLeaf(Leaf):
    """The leafnode's end of a connection.

    Args:
        leafnodes: All of them.
        loop: The broker's.
        remote: The hub, as configured.
        server: The one that is called.
        servers: All of the hub's, which it may tell more of.

    Attributes:
        gone: Set when the socket is lost.
        delay_s: How long not to come again.
    """

    __slots__ = (
        "_greeting_timer",
        "_joined_as",
        "_remote",
        "_server",
        "_servers",
        "delay_s",
        "gone",
    )

    link_kind = LinkKind.HUB

    def __init__(
        self,
        leafnodes: LeafHome,
        loop: asyncio.AbstractEventLoop,
        remote: RemoteOptions,
        server: HubServer,
        servers: HubServers,
    ) -> None:
        super().__init__(leafnodes, loop)
        self.account = remote.account or GLOBAL_ACCOUNT
        self.gone = asyncio.Event()
        self.delay_s = 0.0
        self._remote = remote
        self._server = server
        self._servers = servers
        self._greeting_timer: asyncio.TimerHandle | None = None
        self._joined_as: tuple[object, object] | None = None
        """What the hub said that it lets pass."""

    # ---- what a channel asks

    def _begin(self) -> None:
        self._host.log.info(f"{self.tag} - Leafnode connection created for account: {self.account}")
        self._expect(self._remote.first_info_timeout_s, self._miss_greeting)

    def greet(self) -> None:
        """The hub speaks first."""

    def admit(self) -> None:
        """The hub decides that."""

    def _note_end(self, reason: ClosedReason) -> None:
        self._expect_no_more()
        super()._note_end(reason)

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        super().connection_lost(exc)
        self.gone.set()

    # ---- what is waited for

    def _expect(self, timeout_s: float, miss: Callable[[], None]) -> None:
        self._expect_no_more()
        self._greeting_timer = self.loop.call_later(timeout_s, miss)

    def _expect_no_more(self) -> None:
        if self._greeting_timer is not None:
            self._greeting_timer.cancel()
            self._greeting_timer = None

    def _miss_greeting(self) -> None:
        """Nothing came, or not even a whole line."""
        self.abort(ClosedReason.READ_ERROR)

    def _miss_connect_info(self) -> None:
        self.debug("Stale Leaf Node Connection - Closing")
        self.abort(ClosedReason.STALE_CONNECTION)

    def stay_away(self, delay_s: float) -> None:
        """Do not connect again for so long."""
        self.delay_s = delay_s

    # ---- what the hub says

    def wants_tls(self, line: bytes) -> bool:
        """Tell from the first line of the hub whether TLS comes next.

        Raises:
            WireError: It must come, and the hub does not have it.
        """
        verb, _, document = line.strip().partition(b" ")
        try:
            info = decode_info(document) if verb.upper() == b"INFO" else LeafInfo()
        except ValueError:
            return False  # it will be refused when it is read again
        must = self._server.wants_tls or self._remote.tls is not None
        if must and not info.tls_required:
            text = "the hub does not offer TLS, which the configuration of this remote demands"
            raise WireError(ClosedReason.TLS_HANDSHAKE_FAILURE, log=text)
        return info.tls_required

    def on_connect(self, link: Link, document: bytes) -> None:
        """Who is called says no CONNECT."""
        self.refuse(ClosedReason.PROTOCOL_VIOLATION, "a hub says no CONNECT")

    def on_info(self, link: Link, document: bytes) -> None:
        """The hub introduces itself, lets us in, or tells what has changed."""
        info = self.hear(document)
        if info is None:
            return
        if not self.server_name:
            self._introduce(info)
        elif not link.joined:
            if info.connect_info:
                self._enter(info)
        elif info.connect_info and self._joined_as != (info.import_, info.export):
            self.error("The hub changed our permissions")
            self.close(ClosedReason.CLIENT_CLOSED)
            return
        if info.leafnode_urls is not None:
            self._servers.learn(info.leafnode_urls)

    def _introduce(self, info: LeafInfo) -> None:
        """The first INFO: is it a hub at all? Then say who we are."""
        if not info.client_id or info.leafnode_urls is None:
            text = "attempted to connect to wrong port"
            self.session.fail(WireError(ClosedReason.INCORRECT_PORT, log=text))
            return
        self.server_name = info.server_name or info.server_id
        try:
            connect = self._connect(info)
        except AuthError as error:
            self.session.fail(WireError(ClosedReason.AUTHENTICATION_FAILURE, log=str(error)))
            return
        self.session.write(encode_connect(connect))
        self.debug("Remote leafnode connect msg sent")
        if info.info_on_connect:
            self._expect(_CONNECT_INFO_TIMEOUT_S, self._miss_connect_info)
        else:
            self._enter(info)

    def _connect(self, info: LeafInfo) -> LeafConnect:
        identity, server, remote = self._host.identity, self._server, self._remote
        proof = prove(remote, info.nonce)
        connect = LeafConnect(
            version=PROTOCOL_RELEASE,
            nkey=proof.nkey,
            jwt=proof.jwt,
            sig=proof.signature,
            server_id=identity.server_id,
            name=identity.server_name,
            cluster=self.leafnodes.cluster_name,
            headers=not self._host.options.no_header_support,
            deny_pub=remote.deny_imports,
            compress_mode="not supported",
            remote_account=self.account,
            protocol=_PROTOCOL,
        )
        if not (proof.nkey or proof.jwt) and server.user:
            connect.user = server.user
            if server.password is None:  # alone it may also be a token
                connect.auth_token = server.user
            else:
                connect.password = server.password
        return connect

    def _enter(self, info: LeafInfo) -> None:
        """The hub has let us in."""
        self._expect_no_more()
        self._joined_as = (info.import_, info.export)
        self.join(headers=info.headers, permissions=rights_of_hub(info, self._remote), max_payload=-1)

    def on_peer_error(self, link: Link, text: str) -> None:
        """The hub says what is wrong; it hangs up itself where it has to."""
        super().on_peer_error(link, text)
        for beginning, (why, delay_s) in _DELAYS.items():
            if text.startswith(beginning):
                self.stay_away(delay_s)
                delay = format_duration(delay_s)
                self.error(f"Leafnode connection dropped {why}. Delaying attempt to reconnect for {delay}")

    def on_violation(self, link: Link, text: str) -> None:
        """The hub holds us to our rights, we do not punish it for its own mistakes."""
        self.debug(text)
