"""An engine without a broker: sessions fed by hand, and every event kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from natsctl.engine import available, create
from natsctl.engine.api import Arrow, Grant, Limits, Link, LinkGrant, LinkKind, Session
from natsctl.errors import WireError
from tests.support.frames import split_frames

__all__ = ["ENGINES", "Client", "LinkRecorder", "MakeRig", "Recorder", "Rig", "quiet"]

ENGINES = available()
"""Every engine there is; the tests of the data plane run over each."""


class Recorder:
    """A handler that keeps what it was told, and answers each CONNECT as the rig says.

    Attributes:
        events: ``(client's name, event, …)`` in order.
    """

    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []
        self.answer: Callable[[Session, bytes], None] = lambda session, document: session.grant(quiet())
        self.answer_unauthenticated: Callable[[Session], None] = lambda session: session.grant(quiet())
        self.measure: Callable[[Session], None] = lambda session: None

    def _note(self, session: Session, *event: Any) -> None:
        self.events.append((session.owner, *event))

    def on_connect(self, session: Session, document: bytes) -> None:
        self._note(session, "connect", document)
        self.answer(session, document)

    def on_unauthenticated(self, session: Session) -> None:
        self._note(session, "unauthenticated")
        self.answer_unauthenticated(session)

    def on_info(self, session: Session, document: bytes) -> None:
        self._note(session, "info", document)

    def on_ping(self, session: Session) -> None:
        self._note(session, "ping")

    def on_pong(self, session: Session) -> None:
        self._note(session, "pong")

    def on_violation(self, session: Session, text: str) -> None:
        self._note(session, "violation", text)

    def on_protocol_error(self, session: Session, error: WireError) -> None:
        self._note(session, "error", error.reason, error.wire, error.log)

    def on_pressure(self, session: Session) -> None:
        self.measure(session)

    def on_slow_consumer(self, session: Session) -> None:
        self._note(session, "slow consumer")

    def on_trace(self, session: Session, arrow: Arrow, verb: bytes, args: bytes) -> None:
        self._note(session, arrow, verb, args)

    def on_trace_payload(self, session: Session, arrow: Arrow, payload: bytes, header_size: int) -> None:
        self._note(session, arrow, payload, header_size)


def quiet(**changes: Any) -> Grant:
    """A grant as most clients ask for it: no +OK, not pedantic, with headers."""
    return Grant(**({"verbose": False, "pedantic": False, "headers": True} | changes))


class LinkRecorder:
    """A handler of links that keeps what it was told among a recorder's events."""

    def __init__(self, events: list[tuple[Any, ...]]) -> None:
        self.events = events

    def _note(self, link: Link, *event: Any) -> None:
        self.events.append((link.owner, *event))

    def on_connect(self, link: Link, document: bytes) -> None:
        self._note(link, "connect", document)

    def on_info(self, link: Link, document: bytes) -> None:
        self._note(link, "info", document)

    def on_pong(self, link: Link) -> None:
        self._note(link, "pong")

    def on_peer_error(self, link: Link, text: str) -> None:
        self._note(link, "peer error", text)

    def on_loop_mark(self, link: Link, subject: bytes) -> None:
        self._note(link, "loop mark", subject)

    def on_violation(self, link: Link, text: str) -> None:
        self._note(link, "violation", text)

    def on_protocol_error(self, link: Link, error: WireError) -> None:
        self._note(link, "error", error.reason, error.wire, error.log)

    def on_pressure(self, link: Link) -> None:
        pass

    def on_slow_consumer(self, link: Link) -> None:
        self._note(link, "slow consumer")

    def on_trace(self, link: Link, arrow: Arrow, verb: bytes, args: bytes) -> None:
        self._note(link, arrow, verb, args)

    def on_trace_payload(self, link: Link, arrow: Arrow, payload: bytes, header_size: int) -> None:
        self._note(link, arrow, payload, header_size)


SessionT = TypeVar("SessionT", Session, Link)


class Client(Generic[SessionT]):
    """One session of a rig, with the network done by hand."""

    def __init__(self, rig: Rig, session: SessionT) -> None:
        self.session: SessionT = session
        self._rig = rig
        self._unread = b""

    def send(self, data: bytes) -> None:
        """Feed bytes, in one piece."""
        self.session.feed(data)

    def received(self) -> list[bytes]:
        """Take all output, tell that it left, and give the frames since the last call."""
        data = self._unread + self.drain()
        frames, self._unread = split_frames(data)
        return frames

    def drain(self) -> bytes:
        """Take all output as bytes, and tell that it left."""
        output = bytearray()
        while self.session.has_output():
            chunk = self.session.take()
            output += chunk
            self.session.sent(len(chunk))
        return bytes(output)

    def ask(self, data: bytes) -> list[bytes]:
        """Send bytes and give what came of it."""
        self.send(data)
        return self.received()

    def events(self) -> list[tuple[Any, ...]]:
        """What the handler was told of this client, without its name."""
        return [event[1:] for event in self._rig.recorder.events if event[0] == self.session.owner]

    def counters(self) -> tuple[int, int, int, int]:
        """In and out: messages, bytes, messages, bytes."""
        session = self.session
        return session.in_msgs, session.in_bytes, session.out_msgs, session.out_bytes


class Rig:
    """One engine with its recorder.

    Args:
        name: A key of :data:`ENGINES`.
        **limits: Fields of :class:`~natsctl.engine.api.Limits`.
    """

    def __init__(self, name: str, **limits: Any) -> None:
        self.recorder = Recorder()
        self.link_recorder = LinkRecorder(self.recorder.events)
        self.engine = create(self.recorder, Limits(**limits), name)
        self._n_clients = 0

    def link(self, kind: LinkKind, **grant: Any) -> Client[Link]:
        """Open a link that has joined; a leafnode in $G unless the grant says otherwise."""
        found = self.link_stranger(kind)
        found.session.join(LinkGrant(**({} if kind is LinkKind.ROUTE else {"account": "$G"}) | grant))
        return found

    def link_stranger(self, kind: LinkKind) -> Client[Link]:
        """Open a link about which nothing was decided."""
        self._n_clients += 1
        return Client(self, self.engine.open_link(kind, f"{kind.value} {self._n_clients}", self.link_recorder))

    def client(self, **changes: Any) -> Client[Session]:
        """Open a session that needs no CONNECT, granted as :func:`quiet` with changes."""
        return self._open(quiet(**changes))

    def stranger(self) -> Client[Session]:
        """Open a session that must CONNECT first."""
        return self._open(None)

    def _open(self, grant: Grant | None) -> Client[Session]:
        self._n_clients += 1
        return Client(self, self.engine.open(f"client {self._n_clients}", grant))


MakeRig = Callable[..., Rig]
"""Takes the limits of a :class:`Rig`."""
