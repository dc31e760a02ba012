"""A leafnode that connected to us.

Source: nats-server ``leafnode.go`` (createLeafNode, processLeafNodeConnect, addLeafNodeConnection).
Task: everything here runs on the broker's loop.
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
from collections.abc import Sequence
from typing import Protocol

from natsctl.broker.auth import Login, is_bcrypt, verify_password
from natsctl.broker.leafnodes.documents import LeafConnect, decode_connect
from natsctl.broker.leafnodes.leaf import Leaf, LeafHome
from natsctl.broker.leafnodes.rights import rights_of_leafnode, told_rights
from natsctl.config.options import UNLIMITED
from natsctl.engine.api import Link, LinkKind
from natsctl.errors import ClosedReason, WireError
from natsctl.protocol.documents import encode_info
from natsctl.protocol.quote import go_quote

__all__ = ["AcceptedLeaf", "HubHome"]

_NONCE_BYTES = 11
_VERSION = re.compile(r"v?(\d{1,9})\.(\d{1,9})\.(\d{1,9})", re.ASCII)


class HubHome(LeafHome, Protocol):
    """What an accepted connection needs besides."""

    def duplicates_of(self, leaf: AcceptedLeaf, account: str) -> Sequence[AcceptedLeaf]:
        """Other connections of the same server that bind the same accounts."""


class AcceptedLeaf(Leaf):
    """The hub's end of a leafnode connection."""

    __slots__ = ("_nonce", "_verifying", "connect", "login")

    leafnodes: HubHome

    link_kind = LinkKind.SPOKE

    def __init__(self, leafnodes: HubHome, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(leafnodes, loop)
        self.connect: LeafConnect | None = None
        self.login = Login()
        self._nonce = base64.urlsafe_b64encode(os.urandom(_NONCE_BYTES)).rstrip(b"=").decode()
        self._verifying: asyncio.Future[bool] | None = None

    # ---- what a channel asks

    def _begin(self) -> None:
        self._host.log.info(f"{self.tag} - Leafnode connection created")
        security = self.leafnodes.security
        if security is None or not security.options.handshake_first_s:
            self.greet()
        if security is None:
            self.admit()

    def greet(self) -> None:
        """Send the first INFO."""
        info = self.leafnodes.info()
        info.client_id, info.nonce = self.cid, self._nonce
        self.session.write(encode_info(info))
        self._host.flush_touched()

    def admit(self) -> None:
        """Wait for the CONNECT."""
        self.start_auth_timer(self.leafnodes.options.auth_timeout_s)

    def _note_end(self, reason: ClosedReason) -> None:
        if self._verifying is not None:
            self._verifying.cancel()
        super()._note_end(reason)

    # ---- what monitoring shows of it

    @property
    def name(self) -> str:
        """What the leafnode calls itself."""
        return self.connect.name if self.connect is not None else ""

    @property
    def version(self) -> str:
        """Release of the leafnode."""
        return self.connect.version if self.connect is not None else ""

    @property
    def user(self) -> str:
        """Name it is logged in as, or wanted to be."""
        claimed = self.connect.nkey or self.connect.user if self.connect is not None else ""
        return self.login.name or claimed

    # ---- what the engine tells

    def on_info(self, link: Link, document: bytes) -> None:
        """A leafnode may ask for compression by an INFO, which it does not get."""
        self.hear(document)

    def on_violation(self, link: Link, text: str) -> None:
        """What is not permitted ends the connection; what is too much is merely not taken."""
        if text.startswith("Permissions"):
            log = f"{text} - Check other side configuration"
            link.fail(WireError(ClosedReason.PROTOCOL_VIOLATION, wire=text, log=log))
        else:
            self.error(text)
            link.send_error(text)

    def on_connect(self, link: Link, document: bytes) -> None:
        """Find out who it is (bcrypt in a thread), and let it in or not."""
        try:
            if self.connect is not None:
                raise ValueError("a second CONNECT")
            connect = self.connect = decode_connect(document)
        except ValueError as error:
            link.fail(WireError(ClosedReason.PROTOCOL_VIOLATION, log=str(error)))
            return
        self.stop_auth_timer()
        authenticator = self.leafnodes.authenticator
        if not authenticator.is_required:
            self._accept(connect, self.leafnodes.open_login)
            return
        found = authenticator.find(connect.login(), self._nonce, self.tls, self.debug)
        if found is None:
            self._refuse(connect)
            return
        login, given = found
        if given is None:
            self._accept(connect, login)
        elif is_bcrypt(login.secret):
            link.hold()
            self._verifying = self.loop.run_in_executor(None, verify_password, login.secret, given)
            self._verifying.add_done_callback(lambda verified: self._verified(connect, login, verified))
        elif verify_password(login.secret, given):
            self._accept(connect, login)
        else:
            self._refuse(connect)

    def _verified(self, connect: LeafConnect, login: Login, verified: asyncio.Future[bool]) -> None:
        self._verifying = None
        if verified.cancelled() or self.session.closed is not None:
            return
        if verified.result():
            self._accept(connect, login)
            self.session.go_on()
        else:
            self._refuse(connect)
        self._host.flush_touched()

    def _refuse(self, connect: LeafConnect) -> None:
        log = self.leafnodes.authenticator.failure_text(connect.login())
        error = WireError(ClosedReason.AUTHENTICATION_FAILURE, wire="Authorization Violation", log=log)
        self.session.fail(error)

    # ---- letting in

    def _accept(self, connect: LeafConnect, login: Login) -> None:
        """Let it in, unless it is no leafnode that could be here."""
        for find_fault in (self._fault_of_place, self._fault_of_limits):
            fault = find_fault(connect, login)
            if fault is not None:
                self.refuse(*fault)
                return
        self.server_name = connect.name
        self.login = login
        self.account = login.account
        self._replace_duplicates()
        self._send_connect_info()
        self.join(
            headers=connect.headers,
            permissions=rights_of_leafnode(login.rules, connect.deny_pub),
            max_payload=login.max_payload(self._host.options.max_payload),
            max_subscriptions=login.limits.max_subscriptions,
        )

    def _fault_of_place(self, connect: LeafConnect, login: Login) -> tuple[ClosedReason, str] | None:
        """Why it must not be connected here, whoever it is."""
        cluster, min_version = self.leafnodes.cluster_name, self.leafnodes.options.min_version
        if connect.lang:
            return ClosedReason.INCORRECT_PORT, "attempted to connect to leaf node port"
        if " " in connect.cluster:
            return ClosedReason.PROTOCOL_VIOLATION, "cluster name cannot contain spaces"
        if connect.cluster and connect.cluster == cluster:
            return ClosedReason.CLUSTER_NAMES_IDENTICAL, "remote leafnode has same cluster name"
        if connect.gateway:
            text = f"Rejecting connection from gateway {go_quote(connect.gateway.encode())} on the leafnode port"
            return ClosedReason.WRONG_GATEWAY, text
        if min_version and _version(connect.version) < _version(min_version):
            self._send_connect_info()  # without it the other side would not listen for the reason
            text = f'connection rejected since minimum version required is "{min_version}"'
            return ClosedReason.MINIMUM_VERSION_REQUIRED, text
        return None

    def _fault_of_limits(self, connect: LeafConnect, login: Login) -> tuple[ClosedReason, str] | None:
        """Why the account takes no more."""
        n_leafnodes = self.leafnodes.in_account(login.account)
        n_connections = n_leafnodes + self.leafnodes.host.registry.in_account(login.account)
        limits = login.limits
        if UNLIMITED != limits.max_leafnodes <= n_leafnodes or UNLIMITED != limits.max_connections <= n_connections:
            return ClosedReason.MAX_ACCOUNT_CONNECTIONS_EXCEEDED, "maximum account active connections exceeded"
        return None

    def _replace_duplicates(self) -> None:
        """Who comes again has lost the connection there was, whether we know it yet or not."""
        for other in self.leafnodes.duplicates_of(self, self.account):
            reason = ClosedReason.DUPLICATE_LEAFNODE
            other.refuse(reason, reason.value)
            self._host.log.warn(f"{self.tag} - Replacing connection from same server")

    def _send_connect_info(self) -> None:
        info = self.leafnodes.info()
        info.client_id, info.connect_info, info.remote_account = self.cid, True, self.login.account
        info.import_, info.export = told_rights(self.login.rules)
        self.session.write(encode_info(info))


def _version(text: str) -> tuple[int, ...]:
    found = _VERSION.match(text)
    return tuple(map(int, found.groups())) if found else ()
