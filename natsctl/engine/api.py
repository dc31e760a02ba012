"""The seam between the data plane and the broker.

An engine is bytes in, bytes out: it parses, matches, delivers and counts, and knows no socket, no log and no clock
(the broker tells it the time). The broker opens sessions, feeds them what arrived, and after each batch collects the
sessions that were touched, to take their output. In the other direction the engine calls a :class:`Handler`, and only
when something changes: never once per message, except while a session is traced.

Everything happens on one thread, and no call blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, Protocol

from natsctl.engine.permissions import Permissions
from natsctl.engine.sublist import SublistStats
from natsctl.errors import ClosedReason, WireError

__all__ = [
    "Arrow",
    "Counters",
    "Delivery",
    "Engine",
    "Grant",
    "Handler",
    "InternalSession",
    "Limits",
    "Link",
    "LinkGrant",
    "LinkHandler",
    "LinkInterest",
    "LinkKind",
    "Session",
    "SublistStats",
    "SubscriptionView",
]


class Arrow(Enum):
    """Direction of a trace line."""

    IN = "<<-"
    OUT = "->>"
    INTERNAL = "<->"


@dataclass(slots=True)
class Limits:
    """What every session of an engine is held to.

    Units: bytes, except ``max_sub_tokens`` (tokens) and ``cache_size`` (subjects).
    """

    max_control_line: int = 4096
    max_pending: int = 67108864
    max_sub_tokens: int = 0
    """0: no limit."""
    drop_instead_of_stall: bool = False
    """Drop messages for a receiver that is over its stall mark, instead of stalling the sender."""
    cache_size: int = 8192
    """Match results remembered per account; 0 remembers none."""


@dataclass(slots=True)
class Grant:
    """What the broker decided about a CONNECT.

    Units: ``max_payload`` bytes, -1 unlimited; ``max_subscriptions`` 0 unlimited.
    """

    account: str = "$G"
    verbose: bool = True
    pedantic: bool = True
    echo: bool = True
    headers: bool = False
    no_responders: bool = False
    max_payload: int = 1048576
    max_subscriptions: int = 0
    permissions: Permissions | None = None


class LinkKind(Enum):
    """What a connection to another server is.

    Who hears of whose interest, and so gets its messages: clients of everybody's; a route, of clients' and spokes';
    a spoke, of everybody's but its own; a hub, of clients' and spokes'.
    """

    ROUTE = "route"
    """A server of the same cluster."""
    SPOKE = "spoke"
    """A leafnode that connected here."""
    HUB = "hub"
    """The server that a leafnode of ours connected to."""


@dataclass(slots=True)
class LinkGrant:
    """What the broker decided about a link.

    Attributes:
        account: The account a leafnode is bound to; routes name one in each line.
        headers: Whether the peer takes messages with headers; else it gets them without.
        permissions: What the peer may publish (send here) and subscribe to (be sent from here).
        max_payload: Units: bytes.
        max_subscriptions: Of what the peer may want; 0 is no limit.
    """

    account: str = ""
    headers: bool = True
    permissions: Permissions | None = None
    max_payload: int = 67108864
    max_subscriptions: int = 0


class LinkInterest(NamedTuple):
    """What a peer told that it wants: ``weight`` members of a queue group, or 1."""

    account: str
    subject: bytes
    queue: bytes | None
    weight: int


class Delivery(NamedTuple):
    """A message that reached an internal session.

    Attributes:
        source: The session that published it; None when it came from the broker itself.
    """

    subject: bytes
    reply: bytes
    header: bytes
    payload: bytes
    source: Session | None


class SubscriptionView(NamedTuple):
    """One subscription, for those who look at a session from outside."""

    subject: bytes
    queue: bytes | None
    sid: bytes
    delivered: int
    max_msgs: int


class Counters(Protocol):
    """Traffic since the start: messages, and payload bytes (headers included, control lines not)."""

    in_msgs: int
    in_bytes: int
    out_msgs: int
    out_bytes: int


class Session(Counters, Protocol):
    """One peer. The engine makes it; the broker hangs its connection on ``owner``."""

    owner: Any
    """Whose session it is; None after :meth:`dispose`."""
    stalls: int
    """Times this session, as a producer, ran into a receiver over its stall mark."""
    pings: int
    """PINGs received."""
    pending_bytes: int
    """Output not yet known to be sent."""
    closed: ClosedReason | None

    @property
    def account(self) -> str:
        """Name of the account it belongs to."""

    @property
    def tracing(self) -> bool:
        """Whether the handler hears of each line and payload."""

    @tracing.setter
    def tracing(self, on: bool) -> None: ...

    @property
    def n_subscriptions(self) -> int:
        """Subscriptions held now."""

    @property
    def granted(self) -> bool:
        """Whether a CONNECT was accepted, or none was needed."""

    @property
    def held(self) -> bool:
        """Whether input waits for the broker's answer to a CONNECT; feed nothing until then."""

    def feed(self, data: bytes | memoryview) -> None:
        """Take in bytes as they arrived, cut anywhere; nothing of ``data`` is kept.

        Raises:
            MemoryError: The session must be closed; the engine and all other sessions are as they should be.
        """

    def landing(self) -> memoryview | None:
        """Where the next bytes are best read to, because much of a large payload is still to come; else None."""

    def landed(self, n_bytes: int) -> None:
        """Tell that so many bytes were read to where :meth:`landing` said; instead of :meth:`feed`."""

    def grant(self, grant: Grant) -> None:
        """Accept the CONNECT, and go on with held input; from the second grant on, subscriptions are dropped."""

    def fail(self, error: WireError) -> None:
        """End the session: send ``-ERR`` if the error has one, tell the handler, take no more input."""

    def close(self, reason: ClosedReason) -> None:
        """End the session without a word; the first reason counts.

        Its subscriptions receive no more, but can still be looked at.
        """

    def dispose(self) -> None:
        """Let go of all that leads back here, once the session is closed and nobody looks at it any more."""

    def write(self, line: bytes) -> None:
        """Queue a protocol line of the broker's (INFO, PING) behind the output that is there."""

    def send_error(self, text: str) -> None:
        """Queue ``-ERR '<text>'``; the session goes on."""

    def has_output(self) -> bool:
        """Whether :meth:`take` would give anything."""

    def take(self) -> bytes | memoryview:
        """Take a part of the queued output, up to about 512 KiB, or a large payload.

        It stays in ``pending_bytes`` until :meth:`sent`.
        """

    def compact(self) -> None:
        """Pack the queued output; call it after a batch when the peer cannot be written to."""

    def sent(self, n_bytes: int) -> None:
        """Tell that taken output left the process."""

    def take_stalled(self) -> Sequence[Session | Link]:
        """The receivers over their stall mark that this session fed since the last call, each once."""

    def is_over_stall_mark(self) -> bool:
        """Whether senders should wait for this session (three quarters of max_pending)."""

    def subscriptions(self) -> Iterator[SubscriptionView]:
        """The subscriptions held now, oldest first; those it had when it was closed."""

    def regrant(self, grant: Grant) -> list[SubscriptionView]:
        """Replace the grant by another one in the same account; returns the subscriptions that it ended."""


class Link(Counters, Protocol):
    """A connection to another server: a route or a leafnode.

    It is fed and emptied like a :class:`Session`. At first only CONNECT, INFO, PING, PONG and -ERR are understood; from
    :meth:`join` on it tells the peer what is wanted here, whenever that changes, and exchanges messages.
    """

    kind: LinkKind
    owner: Any
    stalls: int
    pings: int
    pending_bytes: int
    closed: ClosedReason | None

    @property
    def tracing(self) -> bool:
        """Whether the handler hears of each line and payload."""

    @tracing.setter
    def tracing(self, on: bool) -> None: ...

    @property
    def n_subscriptions(self) -> int:
        """Subjects and queue groups the peer wants."""

    @property
    def account(self) -> str:
        """The account of a leafnode; empty for a route."""

    @property
    def joined(self) -> bool:
        """Whether it exchanges interest and messages."""

    @property
    def held(self) -> bool:
        """Whether input waits for :meth:`go_on`; feed nothing until then."""

    def hold(self) -> None:
        """Take in nothing behind the line that is being handled, until :meth:`go_on`."""

    def go_on(self) -> None:
        """Take in what was held."""

    def join(self, grant: LinkGrant) -> None:
        """Exchange interest and messages from now on."""

    def feed(self, data: bytes | memoryview) -> None:
        """As that of :class:`Session`."""

    def landing(self) -> memoryview | None:
        """As that of :class:`Session`."""

    def landed(self, n_bytes: int) -> None:
        """As that of :class:`Session`."""

    def fail(self, error: WireError) -> None:
        """End the link: send ``-ERR`` if the error has one, tell the handler, take no more input."""

    def close(self, reason: ClosedReason) -> None:
        """End the link without a word, and forget what the peer wanted; the first reason counts."""

    def dispose(self) -> None:
        """As that of :class:`Session`."""

    def write(self, line: bytes) -> None:
        """Queue a protocol line of the broker's (INFO, CONNECT, PING) behind the output that is there."""

    def send_error(self, text: str) -> None:
        """Queue ``-ERR '<text>'``; the link goes on."""

    def has_output(self) -> bool:
        """As that of :class:`Session`."""

    def take(self) -> bytes | memoryview:
        """As that of :class:`Session`."""

    def compact(self) -> None:
        """As that of :class:`Session`."""

    def sent(self, n_bytes: int) -> None:
        """As that of :class:`Session`."""

    def take_stalled(self) -> Sequence[Session | Link]:
        """Nobody: who sends over a link is not held back for those it feeds."""

    def is_over_stall_mark(self) -> bool:
        """As that of :class:`Session`."""

    def interests(self) -> Iterator[LinkInterest]:
        """What the peer wants, oldest first."""


class InternalSession(Protocol):
    """A peer inside the broker: no bytes, messages."""

    @property
    def account(self) -> str:
        """Name of the account it belongs to."""

    def subscriptions(self) -> Iterator[SubscriptionView]:
        """The subscriptions held, oldest first."""

    def subscribe(self, subject: bytes, queue: bytes | None = None) -> None:
        """Receive messages on a subject."""

    def publish(self, subject: bytes, payload: bytes, *, reply: bytes = b"", header: bytes = b"") -> int:
        """Send a message; returns how many subscriptions it reached."""

    def take(self) -> list[Delivery]:
        """The messages that came since the last call."""


class Handler(Protocol):
    """What the broker is told. Any method may call back into the session."""

    def on_connect(self, session: Session, document: bytes) -> None:
        """A CONNECT came: answer with ``grant`` or ``fail``, now or later; input is held until then."""

    def on_unauthenticated(self, session: Session) -> None:
        """Another verb came before any CONNECT was granted: ``grant`` it as it is, or ``fail``."""

    def on_info(self, session: Session, document: bytes) -> None:
        """An INFO came from a client; ``fail`` when it cannot be read."""

    def on_ping(self, session: Session) -> None:
        """The first PING since the first CONNECT was answered."""

    def on_pong(self, session: Session) -> None:
        """A PONG came."""

    def on_violation(self, session: Session, text: str) -> None:
        """A permission or limit was hit and the peer told; the session goes on."""

    def on_protocol_error(self, session: Session, error: WireError) -> None:
        """The session was ended; what it still has to send is in its output."""

    def on_pressure(self, session: Session) -> None:
        """The session passed max_pending by what the engine knows: call ``sent`` if more has left by now."""

    def on_slow_consumer(self, session: Session) -> None:
        """The session is over max_pending and was closed; its output is gone."""

    def on_trace(self, session: Session, arrow: Arrow, verb: bytes, args: bytes) -> None:
        """A line was received or sent (only while tracing)."""

    def on_trace_payload(self, session: Session, arrow: Arrow, payload: bytes, header_size: int) -> None:
        """A non-empty payload was received or sent (only while tracing)."""


class LinkHandler(Protocol):
    """What the broker is told of one link. Any method may call back into it."""

    def on_connect(self, link: Link, document: bytes) -> None:
        """A CONNECT came: ``join``, ``hold``, or ``fail``."""

    def on_info(self, link: Link, document: bytes) -> None:
        """An INFO came."""

    def on_pong(self, link: Link) -> None:
        """A PONG came."""

    def on_peer_error(self, link: Link, text: str) -> None:
        """The peer sent ``-ERR '<text>'``; it will close the connection as a rule."""

    def on_loop_mark(self, link: Link, subject: bytes) -> None:
        """The peer told interest in a ``$LDS.`` subject, by which leafnodes find loops; ``fail`` if it is our own."""

    def on_violation(self, link: Link, text: str) -> None:
        """A permission was hit; the link goes on unless it is ended here."""

    def on_protocol_error(self, link: Link, error: WireError) -> None:
        """The link was ended; what it still has to send is in its output."""

    def on_pressure(self, link: Link) -> None:
        """The link passed max_pending by what the engine knows: call ``sent`` if more has left by now."""

    def on_slow_consumer(self, link: Link) -> None:
        """The link is over max_pending and was closed; its output is gone."""

    def on_trace(self, link: Link, arrow: Arrow, verb: bytes, args: bytes) -> None:
        """A line was received or sent (only while tracing)."""

    def on_trace_payload(self, link: Link, arrow: Arrow, payload: bytes, header_size: int) -> None:
        """A non-empty payload was received or sent (only while tracing)."""


class Engine(Protocol):
    """A data plane: sessions in accounts, and the messages between them."""

    name: str
    """``pure`` or ``native``."""
    now: float
    """Seconds on the broker's monotonic clock, set before each feed; only the right to answer runs out by it."""
    limits: Limits

    def open(self, owner: Any, grant: Grant | None) -> Session:
        """Open a client session; without a grant it must CONNECT first."""

    def open_link(self, kind: LinkKind, owner: Any, handler: LinkHandler) -> Link:
        """Open the session of a connection to another server."""

    def mark_loops(self, account: str, subject: bytes) -> None:
        """Tell leafnodes of interest in a ``$LDS.`` subject, which nobody has: one that hears of it twice is a loop."""

    def open_internal(self, account: str) -> InternalSession:
        """Open a session of the broker itself in an account; other servers do not hear of what it wants."""

    def collect(self) -> Sequence[Session | Link]:
        """The client sessions and links with new output since the last call, each once."""

    def collect_internal(self) -> Sequence[InternalSession]:
        """The internal sessions with new messages since the last call, each once."""

    def n_subscriptions(self, account: str | None = None) -> int:
        """Subscriptions in one account, or in all."""

    def sublist_stats(self, account: str | None = None) -> SublistStats:
        """Statistics of one account's sublist, or of all together."""

    def internal_sessions(self) -> Sequence[InternalSession]:
        """The broker's own sessions, oldest first."""
