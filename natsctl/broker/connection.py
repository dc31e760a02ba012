"""One client connection: a channel that logs in.

Task: everything here runs on the broker's loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Protocol

from natsctl.broker.auth import Login
from natsctl.broker.channel import Channel, Host
from natsctl.engine.api import Session, SubscriptionView
from natsctl.errors import ClosedReason
from natsctl.protocol.documents import Connect
from natsctl.protocol.quote import go_quote

__all__ = ["ClientHost", "Connection"]


class ClientHost(Host, Protocol):
    """What a client's connection needs of the broker."""

    def open_session(self, connection: Connection) -> Session:
        """Open the session of a new connection."""

    def connection_ready(self, connection: Connection) -> None:
        """Greet a new connection, or refuse it."""

    def greet(self, connection: Connection) -> None:
        """Send the first INFO."""

    def admit(self, connection: Connection) -> None:
        """Let a connection whose transport is decided log in."""

    def connection_closed(self, connection: Connection, reason: ClosedReason) -> None:
        """A connection takes no more part; its last output may still be on the way."""


class Connection(Channel):
    """A client on a socket.

    Args:
        host: The broker.
        cid: The connection's number.
        loop: The broker's.
    """

    __slots__ = ("account", "connect", "login", "nonce", "verifying")

    kind = "Client"
    id_name = "cid"

    session: Session
    _host: ClientHost

    def __init__(self, host: ClientHost, cid: int, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(host, cid, loop)
        self.nonce = ""
        self.connect: Connect | None = None
        self.login = Login()
        self.account = ""
        """Account it is counted to; empty before a CONNECT was accepted, and without any."""
        self.verifying: asyncio.Future[bool] | None = None

    # ---- what a channel asks

    def _open_session(self) -> Session:
        return self._host.open_session(self)

    def _begin(self) -> None:
        self.debug("Client connection created")
        self._host.connection_ready(self)

    def greet(self) -> None:
        """Send the first INFO."""
        self._host.greet(self)

    def admit(self) -> None:
        """Let the client log in."""
        self._host.admit(self)

    def _note_end(self, reason: ClosedReason) -> None:
        if self.verifying is not None:
            self.verifying.cancel()
        self.debug(f"Client connection closed: {reason.value}")
        self._host.connection_closed(self, reason)

    # ---- CONNECT

    def introduce(self, connect: Connect) -> None:
        """Remember what the client said of itself."""
        self.stop_auth_timer()
        self.connect = connect
        self.retag()

    def _tag_parts(self) -> Sequence[str]:
        parts = []
        if self.connect is not None:
            version = f"v{self.connect.version}" if self.connect.version else ""
            named = ":".join(part for part in (version, self.connect.lang, self.connect.name) if part)
            if named:
                parts.append(go_quote(named.encode("utf-8", "replace")))
        if self.login.label:
            parts.append(go_quote(f"{self.login.account}/{self.login.label}".encode("utf-8", "replace")))
        return parts

    def follow_options(self) -> None:
        """Take over what a reload has changed of pings and deadlines; a timer that runs goes on to its end."""
        options = self._host.options
        self.pinger.interval_s, self.pinger.max_out = options.ping_interval_s, options.ping_max
        self._writer.deadline_s = options.write_deadline_s

    # ---- what monitoring shows of it

    @property
    def name(self) -> str:
        """What the client calls itself."""
        return self.connect.name if self.connect is not None else ""

    @property
    def lang(self) -> str:
        """Language of the client's library."""
        return self.connect.lang if self.connect is not None else ""

    @property
    def version(self) -> str:
        """Version of the client's library."""
        return self.connect.version if self.connect is not None else ""

    @property
    def user(self) -> str:
        """Name it is logged in as, or wanted to be."""
        claimed = self.connect.nkey or self.connect.user if self.connect is not None else ""
        return self.login.name or claimed

    def subscriptions(self) -> Iterator[SubscriptionView]:
        """Its subscriptions, oldest first."""
        return self.session.subscriptions()
