"""The pure engine: the reference data plane, in plain Python.

Follow a message: :class:`~natsctl.engine.session.PureSession` cuts the bytes into operations and asks the account's
sublist who is interested; :mod:`~natsctl.engine.routing` makes deliveries of it; each lands in the outbox of a
:class:`~natsctl.engine.receiver.PureReceiver`, from where the broker takes it.
"""

from __future__ import annotations

from typing import Any

from natsctl.engine.api import Delivery, Grant
from natsctl.engine.routing import Account, Message, Plane, Subscription, deliver_all
from natsctl.engine.session import PureSession

__all__ = ["PureEngine", "PureInternalSession"]


class PureInternalSession:
    """A peer inside the broker. See :class:`natsctl.engine.api.InternalSession`."""

    __slots__ = ("_account", "_inbox", "_plane")

    def __init__(self, plane: Plane, account: Account) -> None:
        self._plane = plane
        self._account = account
        self._inbox: list[Delivery] = []

    def subscribe(self, subject: bytes, queue: bytes | None = None) -> None:
        """Receive messages on a subject."""
        self._account.sublist.insert(Subscription(self, subject, queue, b""))

    def publish(self, subject: bytes, payload: bytes, *, reply: bytes = b"", header: bytes = b"") -> int:
        """Send a message; returns how many subscriptions it reached."""
        size = len(header) + len(payload)
        args = (subject, reply, b"%d" % len(header), b"%d" % size, len(header), size)
        return deliver_all(self._account.sublist.match(subject), Message(None, args, header + payload + b"\r\n"))

    def deliver(self, sub: Subscription, message: Message) -> bool:
        """Take a message."""
        if not self._inbox:
            self._plane.touched_internal.append(self)
        header, payload = message.body[: message.header_size], message.body[message.header_size : -2]
        self._inbox.append(Delivery(message.subject, message.reply, header, payload, message.source))
        return True

    def take(self) -> list[Delivery]:
        """The messages that came since the last call."""
        taken, self._inbox = self._inbox, []
        return taken


class PureEngine(Plane):
    """See :class:`natsctl.engine.api.Engine`."""

    __slots__ = ()

    name = "pure"

    def open(self, owner: Any, grant: Grant | None) -> PureSession:
        """Open a client session; without a grant it must CONNECT first."""
        return PureSession(self, owner, grant)

    def open_internal(self, account: str) -> PureInternalSession:
        """Open a session of the broker itself in an account."""
        return PureInternalSession(self, self.account(account))

    def collect(self) -> list[PureSession]:
        """The client sessions with new output since the last call."""
        touched, self.touched = self.touched, []
        return touched

    def collect_internal(self) -> list[PureInternalSession]:
        """The internal sessions with new messages since the last call."""
        touched, self.touched_internal = self.touched_internal, []
        return touched
