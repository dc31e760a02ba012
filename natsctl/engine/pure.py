"""The pure engine: the reference data plane, in plain Python.

Follow a message: :class:`~natsctl.engine.session.ClientSession` cuts the bytes into operations, :class:`PureSession`
asks the account's sublist who is interested, :mod:`~natsctl.engine.routing` makes deliveries of it, and each lands in
the outbox of a :class:`~natsctl.engine.receiver.PureReceiver`, from where the broker takes it.
"""

from __future__ import annotations

from typing import Any

from natsctl.engine import grammar
from natsctl.engine.api import Delivery, Grant
from natsctl.engine.grammar import PublishArgs
from natsctl.engine.receiver import PureReceiver
from natsctl.engine.routing import Account, Message, Plane, Subscription, deliver_all
from natsctl.engine.session import ClientSession
from natsctl.engine.sublist import NOBODY

__all__ = ["PureEngine", "PureInternalSession", "PureSession"]

_CRLF = b"\r\n"
_match_publish = grammar.PUBLISH.match


class PureSession(ClientSession, PureReceiver):
    """One client. See :class:`natsctl.engine.api.Session` for the public face."""

    __slots__ = (
        "_announced",
        "_held",
        "_introduced",
        "_need",
        "_ping_watch",
        "_rest",
        "granted",
        "in_bytes",
        "in_msgs",
        "owner",
        "pings",
    )

    def __init__(self, plane: Plane, owner: Any, grant: Grant | None) -> None:
        PureReceiver.__init__(self, plane, grant or Grant(max_payload=-1))
        self.owner = owner
        self._begin(grant is not None)

    def _take_whole(self, data: bytes, at: int) -> int:
        """Publish as long as whole and faultless PUBs and HPUBs follow; returns where something else begins."""
        end = len(data)
        max_line = self._plane.limits.max_control_line
        while self.closed is None:
            found = _match_publish(data, at)
            if found is None:
                break
            _, subject, reply, header_text, size_text = found.groups()
            start, size = found.end(), int(size_text)
            header_size = int(header_text) if header_text is not None else 0
            stop = start + size + 2
            if (
                stop > end
                or data[stop - 2 : stop] != _CRLF
                or size > self._max_payload
                or start - at > max_line
                or (header_text is not None and (header_size > size or not self._grant.headers))
            ):
                break
            args = (subject, reply or b"", header_text or b"", size_text, header_size, size)
            self._publish(args, data[start:stop])
            at = stop
        return at

    def _route(self, args: PublishArgs, body: bytes) -> int:
        """Deliver a message; returns to how many."""
        interested = self._account.sublist.match(args[0])
        return 0 if interested is NOBODY else deliver_all(interested, Message(self, args, body))


class PureInternalSession:
    """A peer inside the broker. See :class:`natsctl.engine.api.InternalSession`."""

    __slots__ = ("_account", "_inbox", "_plane")

    def __init__(self, plane: Plane, account: Account) -> None:
        self._plane = plane
        self._account = account
        self._inbox: list[Delivery] = []

    def subscribe(self, subject: bytes, queue: bytes | None = None) -> None:
        """Receive messages on a subject."""
        self._account.insert(Subscription(self, subject, queue, b""))

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
