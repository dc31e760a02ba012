"""One leafnode connection, whoever made it.

Task: everything here runs on the broker's loop.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Iterator
from typing import Protocol

from natsctl.broker.auth import Authenticator, Login
from natsctl.broker.channel import Host
from natsctl.broker.identity import Identity
from natsctl.broker.leafnodes.documents import LeafInfo, decode_info
from natsctl.broker.link import LinkChannel
from natsctl.broker.registry import Registry
from natsctl.broker.tls.security import Security
from natsctl.config.options import LeafOptions
from natsctl.engine.api import Link, LinkGrant, LinkKind, SubscriptionView
from natsctl.engine.permissions import Permissions
from natsctl.errors import ClosedReason, WireError

__all__ = ["LOOP_DELAY_S", "Leaf", "LeafHome", "LeafHost"]

LOOP_DELAY_S = 30.0
"""How long a leafnode stays away after a loop, and after a name or a right that somebody has to correct."""
_NEW_S = 0.5
"""How long a connection counts as the one that closed a circle."""
_LOOP_GRACE_S = 1.0
"""How long the others give it to go; also how long it takes at most until all know that one has gone."""
_LOOP_STEP_S = 0.1
"""From the turn of one server to that of the next, where several connections are as new."""
_MARK = b"$LDS."
_NO_LIMIT_BYTES = 2**31 - 1


class LeafHost(Host, Protocol):
    """What leafnodes need of the broker."""

    identity: Identity
    registry: Registry


class LeafHome(Protocol):
    """What a connection needs of all leafnodes together."""

    host: LeafHost
    security: Security | None
    parted_at: float
    """When a connection was last closed because of a loop, on the loop's clock."""

    @property
    def authenticator(self) -> Authenticator:
        """Who may come."""

    @property
    def open_login(self) -> Login:
        """What everybody is, where nobody need log in."""

    @property
    def options(self) -> LeafOptions:
        """The ``leafnodes`` block."""

    @property
    def cluster_name(self) -> str:
        """What this side calls its cluster."""

    def info(self) -> LeafInfo:
        """Make the INFO of this hub, without what is for one connection alone."""

    def add(self, leaf: Leaf) -> None:
        """There is one more connection."""

    def remove(self, leaf: Leaf) -> None:
        """A connection takes no more part."""

    def loop_mark(self, account: str) -> bytes:
        """The subject by which an account finds loops."""

    def in_account(self, account: str) -> int:
        """Connections that are bound to an account."""


class Leaf(LinkChannel):
    """A leafnode connection.

    Args:
        leafnodes: All of them.
        loop: The broker's.

    Attributes:
        account: The account it is bound to on this side; empty until that is known.
        server_name: What the other server calls itself.
    """

    __slots__ = ("_joined_at", "account", "leafnodes", "server_name")

    kind = "Leafnode"
    id_name = "lid"
    peer_kind = "Leafnode"
    link_kind: LinkKind
    _host: LeafHost

    def __init__(self, leafnodes: LeafHome, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(leafnodes.host, leafnodes.host.registry.next_cid(), loop)
        self.leafnodes = leafnodes
        self.account = ""
        self.server_name = ""
        self._joined_at = 0.0

    # ---- what a channel asks

    def _open_session(self) -> Link:
        link = self._host.engine.open_link(self.link_kind, self, self)
        link.tracing = self._host.log.trace_enabled
        self.leafnodes.add(self)
        return link

    def _write_deadline_s(self) -> float:
        return self.leafnodes.options.write_deadline_s or super()._write_deadline_s()

    def _may_retry_writing(self) -> bool:
        return self.leafnodes.options.write_timeout != "close"

    def _note_end(self, reason: ClosedReason) -> None:
        peer = f" - Remote: {self.server_name}" if self.server_name else ""
        self._host.log.info(f"{self.tag} - Leafnode connection closed: {reason.value}{peer}")
        self.leafnodes.remove(self)
        self._host.registry.keep(self, reason)

    # ---- what monitoring shows of it

    @property
    def name(self) -> str:
        """What the leafnode called itself when it logged in; a hub does not."""
        return ""

    @property
    def lang(self) -> str:
        """Only clients have one."""
        return ""

    @property
    def version(self) -> str:
        """Release of the leafnode, as it said when it logged in."""
        return ""

    @property
    def user(self) -> str:
        """Name the leafnode is logged in as, or wanted to be."""
        return ""

    def subscriptions(self) -> Iterator[SubscriptionView]:
        """What the other server wants; there is no sid, nor are deliveries counted one by one."""
        for interest in self.session.interests():
            sid = b" ".join(filter(None, (interest.subject, interest.queue)))
            yield SubscriptionView(interest.subject, interest.queue, sid, delivered=0, max_msgs=0)

    # ---- what the engine tells

    @abstractmethod
    def on_connect(self, link: Link, document: bytes) -> None:
        """The peer says who it is."""

    @abstractmethod
    def on_info(self, link: Link, document: bytes) -> None:
        """The peer tells of itself."""

    def on_loop_mark(self, link: Link, subject: bytes) -> None:
        """Somebody knows the mark of an account; if it is ours, it went in a circle.

        All who are in a circle learn of it at once, and one connection must go: the one that closed it. Where several
        are as new, whose mark comes first in order parts one, and the others see in their turn that theirs is gone.
        """
        if subject != self.leafnodes.loop_mark(self.account):
            return
        now = self.loop.time()
        marks = (each.subject for each in self.session.interests() if each.subject.startswith(_MARK))
        delay_s = _LOOP_STEP_S * sum(mark < subject for mark in marks)
        if now - self._joined_at >= _NEW_S or now - self.leafnodes.parted_at < _LOOP_GRACE_S:
            delay_s += _LOOP_GRACE_S
        if delay_s:
            self.loop.call_later(delay_s, self._part_if_told, subject)
        else:
            self._part()

    def _part_if_told(self, mark: bytes) -> None:
        if self.stopped_at is None and any(interest.subject == mark for interest in self.session.interests()):
            self._part()

    def _part(self) -> None:
        self.leafnodes.parted_at = self.loop.time()
        self.stay_away(LOOP_DELAY_S)
        self._take_back()
        self.refuse(ClosedReason.PROTOCOL_VIOLATION, self._loop_text())

    def _take_back(self) -> None:
        """Drop what was not sent yet: our marks would come back another way, and part what holds without the loop."""
        while not self._writer.paused and self.session.has_output():
            self.session.sent(len(self.session.take()))

    def on_peer_error(self, link: Link, text: str) -> None:
        """The peer says what is wrong; it hangs up itself where it has to."""
        self.error(f"Leafnode Error '{text}'")
        if "Loop detected" in text:
            self.stay_away(LOOP_DELAY_S)
            link.fail(WireError(ClosedReason.PROTOCOL_VIOLATION, log=self._loop_text()))

    def _loop_text(self) -> str:
        return (
            f'Loop detected for leafnode account="{self.account}". Delaying attempt to reconnect for {LOOP_DELAY_S:g}s'
        )

    def stay_away(self, delay_s: float) -> None:
        """Do not connect again for so long; for the side that connects."""

    # ---- together

    def join(
        self, *, headers: bool, permissions: Permissions | None, max_payload: int, max_subscriptions: int = 0
    ) -> None:
        """Exchange interest and messages from now on.

        Args:
            headers: Whether the peer takes them.
            permissions: What the peer may do.
            max_payload: The largest that it may send, -1 for any.
            max_subscriptions: What it may want at once; 0 for any number.
        """
        self._joined_at = self.loop.time()
        self._host.engine.mark_loops(self.account, self.leafnodes.loop_mark(self.account))
        self.session.join(
            LinkGrant(
                self.account,
                headers=headers and not self._host.options.no_header_support,
                permissions=permissions,
                max_payload=max_payload if max_payload >= 0 else _NO_LIMIT_BYTES,
                max_subscriptions=max(max_subscriptions, 0),
            )
        )
        self.settle()

    def hear(self, document: bytes) -> LeafInfo | None:
        """Read an INFO; one that cannot be read ends the connection."""
        try:
            return decode_info(document)
        except ValueError as error:
            self.session.fail(WireError(ClosedReason.PROTOCOL_VIOLATION, log=str(error)))
            return None
