"""One connection of any kind: the shell between a transport and its engine session.

The loop calls :meth:`Channel.buffer_updated` for each batch of bytes; the session takes them, and whoever got output
by it is flushed before the loop goes on.

Task: everything here runs on the broker's loop.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import ClassVar, Protocol, cast

from natsctl.broker.intake import Intake, IntakeHost
from natsctl.broker.pinger import Pinger
from natsctl.broker.tls.session import TlsSession
from natsctl.broker.writer import Writer
from natsctl.config import Options
from natsctl.engine.api import Link, Session
from natsctl.errors import ClosedReason, WireError
from natsctl.units import format_duration

__all__ = ["SLOW_CONSUMER", "Channel", "Host"]

SLOW_CONSUMER = (ClosedReason.SLOW_CONSUMER_PENDING_BYTES, ClosedReason.SLOW_CONSUMER_WRITE_DEADLINE)
"""Why a connection is closed that does not take what it gets."""

_LINGER_S = 0.25
"""How long a refused peer is still read from, so that its unread bytes do not reset the connection under the -ERR."""
_CHUNK_BYTES = 65536


class Host(IntakeHost, Protocol):
    """What a connection needs of the broker."""

    options: Options
    slow_consumers: Counter[str]
    """By kind of connection, as the next."""
    stale_connections: Counter[str]

    def socket_made(self, channel: Channel) -> None:
        """There is one more socket."""

    def socket_lost(self, channel: Channel) -> None:
        """The socket of a connection is gone."""


class Channel(Intake):
    """A connection of some kind on a socket.

    Args:
        host: The broker.
        cid: The connection's number.
        loop: The broker's.
    """

    __slots__ = (
        "_auth_timer",
        "_ending",
        "_host",
        "_linger_timer",
        "_out_msgs_seen",
        "_writer",
        "cid",
        "ip",
        "port",
        "started_at",
        "stopped_at",
        "tls",
    )

    kind: ClassVar[str]
    """How the log names such a connection: ``Client``."""
    id_name: ClassVar[str]
    """How the log names its number: ``cid``."""
    peer_kind: ClassVar[str] = ""
    """How the log names the peer where it is a server: ``Route``."""

    _writer: Writer
    _host: Host

    def __init__(self, host: Host, cid: int, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._host = host
        self.cid = cid
        self.ip, self.port = "", 0
        self.tls: TlsSession | None = None
        """How it is encrypted; None in clear."""
        self.started_at = datetime.now(UTC)
        self.stopped_at: datetime | None = None
        self._out_msgs_seen = 0
        self._ending = False
        self._auth_timer: asyncio.TimerHandle | None = None
        self._linger_timer: asyncio.TimerHandle | None = None

    # ---- what a kind of connection decides

    @abstractmethod
    def _open_session(self) -> Session | Link:
        """Open the session of a new connection."""

    @abstractmethod
    def _begin(self) -> None:
        """Speak first, or refuse; session, writer and pinger are there."""

    @abstractmethod
    def greet(self) -> None:
        """Send what comes first, over a transport that is as it will be."""

    @abstractmethod
    def admit(self) -> None:
        """Wait for the CONNECT, over a transport that is as it will be."""

    @abstractmethod
    def _note_end(self, reason: ClosedReason) -> None:
        """The connection takes no more part; its last output may still be on the way."""

    def _make_pinger(self) -> Pinger:
        options = self._host.options
        return Pinger(
            options.ping_interval_s,
            options.ping_max,
            kind=self.kind,
            send=self._ping,
            on_stale=self._go_stale,
            note=self.debug,
        )

    def _write_deadline_s(self) -> float:
        return self._host.options.write_deadline_s

    def _may_retry_writing(self) -> bool:
        return self._host.options.write_timeout == "retry"

    def _make_writer(self, transport: asyncio.Transport) -> Writer:
        return Writer(
            transport,
            self.session,
            deadline_s=self._write_deadline_s(),
            may_retry=self._may_retry_writing(),
            on_deadline=self._miss_deadline,
            on_recovered=self._recover,
            on_drained=self._release_producers,
        )

    # ---- what the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start talking."""
        self._transport = transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        transport.set_write_buffer_limits(high=0)
        peer = transport.get_extra_info("peername") or ("", 0)
        self.ip, self.port = peer[0], peer[1]
        self.retag()
        self.session = self._open_session()
        self._host.socket_made(self)
        self._writer = self._make_writer(transport)
        self.pinger = self._make_pinger()
        self._begin()

    def eof_received(self) -> None:
        """The peer has said all: let the transport close."""

    def pause_writing(self) -> None:
        """The transport holds bytes that the kernel did not take."""
        self._writer.paused = True

    def resume_writing(self) -> None:
        """The transport is empty again: hand over more."""
        self._writer.resume()
        if self._ending:
            self._await_taking()
            self._end_when_flushed()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        self._finish(ClosedReason.CLIENT_CLOSED if exc is None else ClosedReason.READ_ERROR)
        self._transport = None
        if self._linger_timer is not None:
            self._linger_timer.cancel()
        self._host.socket_lost(self)
        # Nothing leads back here from now on: connections come and go by thousands, and if the garbage collector had to
        # find them, everybody else would wait for it.
        self._writer.stop()  # closing may have given it something to watch
        del self._writer, self.pinger, self._stall
        self.session.dispose()

    def secure(self, transport: asyncio.Transport, session: TlsSession) -> None:
        """Go on over TLS."""
        self.tls = session
        self._transport = transport
        self._writer.move(transport)

    # ---- output and its back pressure

    def flush(self) -> None:
        """Hand queued output to the transport as far as the kernel takes it."""
        if self._transport is None:
            return
        self._writer.flush()
        if self.session.out_msgs != self._out_msgs_seen:
            self._out_msgs_seen = self.session.out_msgs
            self.last_activity = self._host.engine.now

    def relieve(self) -> None:
        """Hand over what the kernel takes, and tell the session what has left by now, before it is cut for it."""
        if self._transport is None:
            return
        if not self._writer.paused:
            self._writer.flush()
        elif self.session.pending_bytes > self._host.options.max_pending:
            self._writer.measure()

    def _miss_deadline(self, *, is_late: bool, gives_up: bool) -> None:
        n_bytes = self.session.pending_bytes
        self._note_slow_consumer(
            f"{'State' if is_late else 'Detected'}: "
            f"WriteDeadline of {format_duration(self._writer.deadline_s)} exceeded "
            f"with {-(-n_bytes // _CHUNK_BYTES)} chunks of {n_bytes} total bytes."
        )
        if gives_up:
            self.abort(ClosedReason.SLOW_CONSUMER_WRITE_DEADLINE)

    def _recover(self, took_s: float) -> None:
        self._host.log.info(f"{self.tag} - Slow Consumer Recovered: Flush took {took_s:.3f}s")

    def overflow(self) -> None:
        """The session is over max_pending."""
        self._note_slow_consumer(f"Detected: MaxPending of {self._host.options.max_pending} Exceeded")
        self.abort(ClosedReason.SLOW_CONSUMER_PENDING_BYTES)

    def _note_slow_consumer(self, text: str) -> None:
        self._host.slow_consumers[self.kind] += 1
        self._host.log.info(f"{self.tag} - Slow Consumer {text}")

    # ---- CONNECT

    def start_auth_timer(self, timeout_s: float) -> None:
        """Give the peer this long to CONNECT."""
        self._auth_timer = self.loop.call_later(timeout_s, self._miss_auth)

    def stop_auth_timer(self) -> None:
        """The peer has shown itself."""
        if self._auth_timer is not None:
            self._auth_timer.cancel()
            self._auth_timer = None

    def _miss_auth(self) -> None:
        self.debug("Authentication Timeout")
        self.session.fail(WireError(ClosedReason.AUTHENTICATION_TIMEOUT, wire="Authentication Timeout"))

    def settle(self) -> None:
        """The CONNECT was answered: go on reading, and time the pings from here."""
        self.pinger.connected()
        self._resume_reading()

    def retag(self) -> None:
        """Make the tag anew, from what is known by now."""
        host = f"[{self.ip}]" if ":" in self.ip else self.ip
        self.tag = " - ".join((f"{host}:{self.port} - {self.id_name}:{self.cid}", *self._tag_parts()))

    def _tag_parts(self) -> Sequence[str]:
        """What the tag says besides address and number."""
        return ()

    # ---- pings

    @property
    def rtt_s(self) -> float:
        """Last round trip."""
        return self.pinger.rtt_s

    def _ping(self) -> None:
        if self.session.tracing:
            self._host.log.trace(f"{self.tag} - ->> [PING]")
        self.session.write(b"PING\r\n")
        self._host.flush_touched()

    def _go_stale(self) -> None:
        self._host.stale_connections[self.kind] += 1
        self.session.fail(WireError(ClosedReason.STALE_CONNECTION, wire="Stale Connection"))

    def debug(self, text: str) -> None:
        """Log a line of this connection's life."""
        if self._host.log.debug_enabled:
            self._host.log.debug(f"{self.tag} - {text}")

    # ---- the end

    @property
    def reason(self) -> ClosedReason | None:
        """Why it was closed."""
        return self.session.closed

    def close(self, reason: ClosedReason) -> None:
        """End the connection after its queued output."""
        self._finish(reason)
        if self._transport is None or self._transport.is_closing() or self._ending:
            return
        self._ending = True
        self._await_taking()
        self.flush()
        self._end_when_flushed()

    def _await_taking(self) -> None:
        """Give what is left up when nothing leaves for the write deadline: who does not read cannot keep the socket."""
        if self._linger_timer is not None:
            self._linger_timer.cancel()
        if self._transport is not None:
            patience_s = max(self._writer.deadline_s, _LINGER_S)
            self._linger_timer = self.loop.call_later(patience_s, self._transport.abort)

    def unsent_bytes(self) -> int:
        """Output that is still in the process."""
        if self._transport is None:
            return 0
        self._writer.measure()
        return self.session.pending_bytes

    def _end_when_flushed(self) -> None:
        if self._transport is None or self._draining or not self._writer.is_idle:
            return
        self._draining = True
        if self._linger_timer is not None:
            self._linger_timer.cancel()
        with suppress(OSError):  # asyncio's own loop tells here of a peer that is gone already
            self._transport.write_eof()
        self._resume_reading()
        self._linger_timer = self.loop.call_later(_LINGER_S, self._transport.abort)

    def drop(self, reason: ClosedReason) -> None:
        """End the connection after what its transport holds; queued output is lost."""
        self._finish(reason)
        if self._transport is not None and not self._ending:
            self._ending = self._draining = True
            self._linger_timer = self.loop.call_later(_LINGER_S, self._transport.abort)
            self._transport.close()

    def abort(self, reason: ClosedReason) -> None:
        """End the connection now; its output is lost."""
        self._finish(reason)
        if self._transport is not None:
            self._transport.abort()

    def _finish(self, reason: ClosedReason) -> None:
        if self.stopped_at is not None:
            return
        self.stopped_at = datetime.now(UTC)
        self.stop_auth_timer()
        self.pinger.stop()
        self._writer.stop()
        self.session.close(reason)
        self._note_end(self.session.closed or reason)
        self._stall.stop()
        self._host.flush_soon()  # other servers are told what nobody wants any more
