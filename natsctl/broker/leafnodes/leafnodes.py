"""All leafnodes of a broker: the port where they come in, the hubs it connects to, and who is there.

Source: nats-server ``leafnode.go`` (startLeafNodeAcceptLoop, solicitLeafNodeRemotes, validateLeafNode).
Task: everything here runs on the broker's loop.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import socket
import string
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from natsctl.broker.auth import GLOBAL_ACCOUNT, Authenticator, Login
from natsctl.broker.leafnodes.accepted import AcceptedLeaf
from natsctl.broker.leafnodes.documents import API_LEVEL, LeafInfo
from natsctl.broker.leafnodes.leaf import Leaf, LeafHost
from natsctl.broker.leafnodes.logins import leaf_authenticator, open_login
from natsctl.broker.leafnodes.remote import Remote
from natsctl.broker.listener import BACKLOG, ListenError, advertised, join_address, listen, reachable
from natsctl.broker.registry import Traffic
from natsctl.broker.routes.addresses import client_urls
from natsctl.broker.tls.handshake import Handshake
from natsctl.broker.tls.security import Security
from natsctl.config.options import LeafOptions, RemoteOptions
from natsctl.config.urls import LEAFNODE_PORT, server_url
from natsctl.errors import ServerError
from natsctl.protocol.documents import PROTOCOL_RELEASE, encode_info

__all__ = ["Leafnodes"]

_ANY_HOST = "0.0.0.0"
_PROTOCOL = 1
_NUID_CHARACTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_NUID_LENGTH = 22


class Leafnodes:
    """The leafnodes of a broker.

    Args:
        host: The broker.

    Attributes:
        security: How leafnodes are encrypted; None in clear.
        address: Where leafnodes are listened for, host and port.
        parted_at: When a connection was last closed because of a loop, on the loop's clock.
    """

    def __init__(self, host: LeafHost) -> None:
        self.host = host
        self.security: Security | None = None
        self._logins_of = host.options
        self._authenticator = leaf_authenticator(host.options)
        self.open: dict[int, Leaf] = {}
        self.address = ("", 0)
        self.parted_at = -math.inf
        self.remotes: list[Remote] = []
        self._ended: defaultdict[str, Traffic] = defaultdict(Traffic)
        self._marks: dict[str, bytes] = {}
        self._peer_urls: dict[str, list[str]] = {}
        self._sockets: list[socket.socket] = []
        self._servers: list[asyncio.Server] = []

    @property
    def options(self) -> LeafOptions:
        """The ``leafnodes`` block."""
        return self.host.options.leafnodes

    @property
    def authenticator(self) -> Authenticator:
        """Who may come."""
        if self._logins_of is not self.host.options:  # they were reloaded
            self._logins_of = self.host.options
            self._authenticator = leaf_authenticator(self._logins_of)
        return self._authenticator

    @property
    def open_login(self) -> Login:
        """What everybody is, where nobody need log in."""
        return open_login(self.host.options)

    @property
    def cluster_name(self) -> str:
        """What this side calls its cluster; a server alone is one by itself."""
        return self.host.identity.cluster or self.host.identity.server_name

    @property
    def url(self) -> str:
        """Where leafnodes on this machine connect: ``nats://127.0.0.1:7422``."""
        host, port = self.address
        return f"{'nats' if self.security is None else 'tls'}://{reachable(host)}:{port}"

    # ---- life

    def bind(self) -> None:
        """Bind the port for leafnodes, if there is to be one.

        Raises:
            ServerError: The address cannot be bound.
        """
        options = self.options
        if not options.port:
            return
        host = options.host or _ANY_HOST
        try:
            self._sockets = listen(host, options.port)
        except ListenError as error:
            raise ServerError(f"Error listening on leafnode port: {options.port} - {error.reason}") from None
        self.address = (host, self._sockets[0].getsockname()[1])
        if options.tls is not None:
            self.security = Security(options.tls, allows_plain=False, log=self.host.log)
        self.host.log.info(f"Listening for leafnode connections on {join_address(*self.address)}")

    async def open_up(self) -> None:
        """Take leafnodes, and connect to the hubs that are configured."""
        loop = asyncio.get_running_loop()
        for sock in self._sockets:
            self._servers.append(await loop.create_server(lambda: self._accept(loop), sock=sock, backlog=BACKLOG))
        self._sockets = []
        self.remotes = [Remote(self, options) for options in self.options.remotes if not options.disabled]
        for remote in self.remotes:
            remote.start()

    def _accept(self, loop: asyncio.AbstractEventLoop) -> asyncio.BufferedProtocol:
        leaf = AcceptedLeaf(self, loop)
        return leaf if self.security is None else Handshake(self.security, leaf)

    def stop_listening(self) -> None:
        """Take no more leafnodes, and connect to nobody any more."""
        for remote in self.remotes:
            remote.stop()
        for sock in self._sockets:
            sock.close()
        for server in self._servers:
            server.close()
        if self.security is not None:
            self.security.close()

    def follow_remotes(self, before: LeafOptions) -> None:
        """Leave the hubs that are not configured any more, or disabled now, and connect to those that are new."""
        wanted = {options.identity: options for options in self.options.remotes}
        for options in before.remotes:
            now = wanted.get(options.identity)
            if now is None:
                self.host.log.info(f"Reloaded: LeafNode Remote {_shown(options)} removed")
            elif now.disabled != options.disabled:
                state = str(now.disabled).lower()
                self.host.log.info(f"Reloaded: LeafNode Remote {_shown(options)} Disabled value is: {state}")
        active = {identity for identity, options in wanted.items() if not options.disabled}
        for remote in self.remotes:
            if remote.options.identity not in active:
                remote.leave()
        self.remotes = [remote for remote in self.remotes if remote.options.identity in active]
        known = {remote.options.identity for remote in self.remotes}
        for identity in active - known:
            remote = Remote(self, wanted[identity])
            self.remotes.append(remote)
            remote.start()

    # ---- who is there

    def __iter__(self) -> Iterator[Leaf]:
        """The connections, oldest first."""
        return iter(tuple(self.open.values()))

    def add(self, leaf: Leaf) -> None:
        """There is one more connection."""
        self.open[leaf.cid] = leaf

    def remove(self, leaf: Leaf) -> None:
        """A connection takes no more part."""
        if self.open.pop(leaf.cid, None) is not None:
            self._ended[leaf.account].add(leaf.session)

    @property
    def joined(self) -> list[Leaf]:
        """The connections that exchange messages, oldest first."""
        return [leaf for leaf in self if leaf.session.joined]

    def in_account(self, account: str) -> int:
        """Connections that are bound to an account."""
        return sum(leaf.account == account for leaf in self.joined)

    def traffic(self) -> dict[str, Traffic]:
        """What leafnodes have moved since the start, by account."""
        found = defaultdict(Traffic, {account: replace(ended) for account, ended in self._ended.items()})
        for leaf in self:
            found[leaf.account].add(leaf.session)
        return found

    def duplicates_of(self, leaf: AcceptedLeaf, account: str) -> list[AcceptedLeaf]:
        """Other connections of the same server that bind the same accounts."""
        if leaf.connect is None or not leaf.connect.server_id:
            return []
        return [
            other
            for other in self.joined
            if isinstance(other, AcceptedLeaf)
            and other is not leaf
            and other.connect is not None
            and other.account == account
            and (other.connect.server_id, other.connect.remote_account)
            == (leaf.connect.server_id, leaf.connect.remote_account)
        ]

    def loop_mark(self, account: str) -> bytes:
        """The subject by which an account finds loops: nobody else's, and unknown before."""
        if account not in self._marks:
            nuid = "".join(secrets.choice(_NUID_CHARACTERS) for _ in range(_NUID_LENGTH))
            self._marks[account] = f"$LDS.{nuid}".encode()
        return self._marks[account]

    # ---- what this hub says of itself

    def info(self) -> LeafInfo:
        """Make the INFO of this hub, without what is for one connection alone."""
        identity, options = self.host.identity, self.host.options
        host, port = self._advertised
        return LeafInfo(
            server_id=identity.server_id,
            server_name=identity.server_name,
            version=PROTOCOL_RELEASE,
            proto=_PROTOCOL,
            go=identity.runtime,
            host=host,
            port=port,
            headers=not options.no_header_support,
            auth_required=True,
            tls_required=self.options.tls is not None,
            tls_verify=self.options.tls is not None and self.options.tls.wants_certificate,
            max_payload=options.max_payload,
            ip=join_address(host, port),
            cluster=identity.cluster,
            api_lvl=API_LEVEL,
            info_on_connect=True,
            leafnode_urls=self.urls,
        )

    @property
    def _advertised(self) -> tuple[str, int]:
        return advertised(self.options.advertise, *self.address)

    @property
    def own_urls(self) -> list[str]:
        """Where leafnodes reach this server, for the other servers of its cluster to tell."""
        if not self.address[1] or self.options.no_advertise:
            return []
        return client_urls(self.options.advertise, *self.address)

    @property
    def urls(self) -> list[str]:
        """Where leafnodes reach this hub, at whichever of its servers."""
        others = (url for urls in self._peer_urls.values() for url in urls)
        own = self.own_urls or [join_address(*self._advertised)]
        return list(dict.fromkeys([*own, *others]))

    def hear_of_peer(self, server_id: str, urls: Sequence[str]) -> None:
        """Learn where another server of the cluster takes leafnodes, and tell those who are here; no URLs: nowhere."""
        if list(urls) == self._peer_urls.get(server_id, []):
            return
        self._peer_urls[server_id] = list(urls)
        if not urls:
            del self._peer_urls[server_id]
        line = encode_info(self.info())
        for leaf in self.joined:
            if isinstance(leaf, AcceptedLeaf):
                leaf.session.write(line)
        self.host.flush_touched()


def _shown(options: RemoteOptions) -> str:
    """A hub as the log names it, without the secrets in its URLs: a user alone is a token."""
    urls = []
    for text in options.urls:
        url = server_url(text, LEAFNODE_PORT)
        login = f"{url.user}:xxxxx@" if url.has_password else "xxxxx@" if url.user else ""
        urls.append(f'"{text.partition("://")[0]}://{login}{url.address}"')
    return f'urls=[{" ".join(urls)}], account="{options.account or GLOBAL_ACCOUNT}"'
