"""One client connection: the shell between a transport and its engine session.

The loop calls :meth:`Connection.buffer_updated` for each batch of bytes; the session takes them, and whoever got output
by it is flushed before the loop goes on. Output waits in the session, not in the transport: at most one chunk is handed
over at a time, so that what is unsent is known exactly.

Task: everything here runs on the broker's loop.
"""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import UTC, datetime
from random import uniform
from typing import Protocol, cast

from natsctl.broker.auth import Login
from natsctl.broker.logs import Logger
from natsctl.config import Options
from natsctl.engine.api import Engine, Session
from natsctl.errors import ClosedReason, WireError
from natsctl.protocol.documents import Connect
from natsctl.protocol.quote import go_quote
from natsctl.units import format_duration

__all__ = ["Connection", "Host"]

_FIRST_PING_S = 2.0
_FIRST_PING_JITTER = 0.2
_STALL_S = 0.010
_LINGER_S = 0.25
"""How long a refused peer is still read from, so that its unread bytes do not reset the connection under the -ERR."""
_CHUNK_BYTES = 65536
_RTT_VALID_S = 3600.0


class Host(Protocol):
    """What a connection needs of the broker."""

    options: Options
    log: Logger
    engine: Engine
    read_buffer: memoryview
    """Shared by all connections: it is empty between two calls of the loop."""

    def connection_made(self, connection: Connection) -> None:
        """Register a new connection: open its session and greet it, or refuse it."""

    def connection_closed(self, connection: Connection, reason: ClosedReason) -> None:
        """A connection takes no more part; its last output may still be on the way."""

    def connection_lost(self, connection: Connection) -> None:
        """The socket of a connection is gone."""

    def flush_touched(self) -> None:
        """Flush every connection whose session got output."""


class _Backlog:
    """Ages of unsent output: how far it reached at which time.

    Units: seconds on the loop's clock; offsets count bytes since the connection began.
    """

    __slots__ = ("_marks", "_slot_s", "sent")

    def __init__(self, deadline_s: float) -> None:
        self._slot_s = deadline_s / 64
        self._marks: deque[list[float]] = deque()
        self.sent = 0

    def note(self, pending_bytes: int, now: float) -> None:
        end = self.sent + pending_bytes
        if self._marks and now - self._marks[-1][1] < self._slot_s:
            self._marks[-1][0] = end
        elif not self._marks or end > self._marks[-1][0]:
            self._marks.append([end, now])

    def oldest_at(self) -> float | None:
        while self._marks and self._marks[0][0] <= self.sent:
            self._marks.popleft()
        return self._marks[0][1] if self._marks else None

    def restart(self, now: float) -> None:
        for mark in self._marks:
            mark[1] = now


class Connection(asyncio.BufferedProtocol):
    """A client on a socket.

    Args:
        host: The broker.
        cid: The connection's number.
    """

    __slots__ = (
        "_auth_timer",
        "_backlog",
        "_deadline_timer",
        "_draining",
        "_ending",
        "_host",
        "_in_flight",
        "_last_stall_warning",
        "_linger_timer",
        "_paused",
        "_ping_sent_at",
        "_ping_timer",
        "_pings_out",
        "_stall_timer",
        "_stalled_by_me",
        "_transport",
        "_waiting_for",
        "account",
        "cid",
        "connect",
        "ip",
        "last_activity",
        "last_in",
        "login",
        "loop",
        "nonce",
        "port",
        "rtt_s",
        "session",
        "started_at",
        "stopped_at",
        "tag",
        "verifying",
    )

    session: Session

    def __init__(self, host: Host, cid: int, loop: asyncio.AbstractEventLoop) -> None:
        self._host = host
        self.cid = cid
        self.loop = loop
        self._transport: asyncio.Transport | None = None
        self.ip, self.port = "", 0
        self.tag = ""
        self.nonce = ""
        self.connect: Connect | None = None
        self.login = Login()
        self.account = ""
        self.verifying: asyncio.Future[bool] | None = None
        self.started_at = datetime.now(UTC)
        self.stopped_at: datetime | None = None
        self.last_activity = self.last_in = loop.time()
        self.rtt_s = 0.0
        self._ping_sent_at = 0.0
        self._pings_out = 0
        self._paused = False
        self._ending = False
        self._draining = False
        self._in_flight = 0
        self._backlog = _Backlog(host.options.write_deadline_s)
        self._waiting_for: set[Connection] | None = None
        self._stalled_by_me: set[Connection] | None = None
        self._last_stall_warning = 0.0
        self._auth_timer: asyncio.TimerHandle | None = None
        self._ping_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None
        self._deadline_timer: asyncio.TimerHandle | None = None
        self._linger_timer: asyncio.TimerHandle | None = None

    # ---- what the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start talking."""
        self._transport = transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        transport.set_write_buffer_limits(high=0)
        peer = transport.get_extra_info("peername") or ("", 0)
        self.ip, self.port = peer[0], peer[1]
        self.retag()
        self._host.connection_made(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Lend the broker's read buffer for one read."""
        return self._host.read_buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take in what was read, and send what came of it."""
        if self._draining:
            return
        host = self._host
        now = self.loop.time()
        session = self.session
        seen = session.in_msgs + session.pings
        host.engine.now = now
        session.feed(bytes(host.read_buffer[:nbytes]))
        self.last_activity = now
        if session.in_msgs + session.pings != seen:
            self.last_in = now
        host.flush_touched()
        if session.held:
            self._pause_reading()
        else:
            self._stall([receiver.owner for receiver in session.take_stalled() if receiver.is_over_stall_mark()])

    def eof_received(self) -> None:
        """The peer has said all: let the transport close."""

    def pause_writing(self) -> None:
        """The transport holds bytes that the kernel did not take."""
        self._paused = True

    def resume_writing(self) -> None:
        """The transport is empty again: hand over more."""
        self._paused = False
        self.measure()
        self.flush()
        if self._ending:
            self._end_when_flushed()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        reason = ClosedReason.CLIENT_CLOSED if exc is None else ClosedReason.READ_ERROR
        self._transport = None
        self._finish(reason)
        if self._linger_timer is not None:
            self._linger_timer.cancel()
        self._host.connection_lost(self)

    # ---- output

    def flush(self) -> None:
        """Hand queued output to the transport as far as the kernel takes it."""
        transport, session = self._transport, self.session
        if transport is None:
            return
        while not self._paused and session.has_output():
            chunk = session.take()
            transport.write(chunk)
            unsent = transport.get_write_buffer_size()
            session.sent(len(chunk) - unsent)
            self._backlog.sent += len(chunk) - unsent
            self._in_flight = unsent
            if unsent:
                self._paused = True
        if self._paused:
            session.compact()
            self._backlog.note(session.pending_bytes, self.loop.time())
            self._watch_deadline()
        self._release_waiters()

    def measure(self) -> None:
        """Tell the session how much of the chunk in flight has left by now."""
        if self._in_flight:
            unsent = self._transport.get_write_buffer_size() if self._transport is not None else 0
            self.session.sent(self._in_flight - unsent)
            self._backlog.sent += self._in_flight - unsent
            self._in_flight = unsent

    def _watch_deadline(self) -> None:
        if self._deadline_timer is None and self._host.options.write_deadline_s > 0:
            self._deadline_timer = self.loop.call_later(self._host.options.write_deadline_s, self._check_deadline)

    def _check_deadline(self) -> None:
        self._deadline_timer = None
        sent_before = self._backlog.sent
        self.measure()
        oldest = self._backlog.oldest_at()
        if oldest is None or self._transport is None:
            return
        deadline = self._host.options.write_deadline_s
        left = oldest + deadline * 65 / 64 - self.loop.time()
        if left > 0:
            self._deadline_timer = self.loop.call_later(left, self._check_deadline)
        elif self._host.options.write_timeout == "retry" and self._backlog.sent > sent_before:
            self._backlog.restart(self.loop.time())
            self._watch_deadline()
        else:
            self._cut_for_deadline(deadline)

    def _cut_for_deadline(self, deadline: float) -> None:
        n_bytes = self.session.pending_bytes
        n_chunks = -(-n_bytes // _CHUNK_BYTES)
        self._host.log.info(
            f"{self.tag} - Slow Consumer Detected: WriteDeadline of {format_duration(deadline)} "
            f"exceeded with {n_chunks} chunks of {n_bytes} total bytes."
        )
        self.abort(ClosedReason.SLOW_CONSUMER_WRITE_DEADLINE)

    # ---- the fast producer stall

    def _stall(self, receivers: list[Connection]) -> None:
        """Read no more until the receivers have drained, for ten milliseconds at most."""
        if not receivers:
            return
        self._pause_reading()
        self._waiting_for = set(receivers)
        for receiver in receivers:
            if receiver._stalled_by_me is None:
                receiver._stalled_by_me = set()
            receiver._stalled_by_me.add(self)
        self._stall_timer = self.loop.call_later(_STALL_S, self._end_stall, True)

    def _end_stall(self, timed_out: bool) -> None:
        if self._stall_timer is None:
            return
        self._stall_timer.cancel()
        self._stall_timer = None
        for receiver in self._waiting_for or ():
            if receiver._stalled_by_me is not None:
                receiver._stalled_by_me.discard(self)
        self._waiting_for = None
        if timed_out:
            self._host.log.debug(f"{self.tag} - Timed out of fast producer stall ({format_duration(_STALL_S)})")
            self._warn_of_stall()
        if not self.session.held:
            self._resume_reading()

    def _warn_of_stall(self) -> None:
        now = self.loop.time()
        if now - self._last_stall_warning >= 1:  # a stalled producer stalls a hundred times a second
            self._last_stall_warning = now
            self._host.log.warn(f"{self.tag} - Producer was stalled for a total of {format_duration(_STALL_S)}")

    def _release_waiters(self) -> None:
        if self._stalled_by_me and not self.session.is_over_stall_mark():
            for producer in tuple(self._stalled_by_me):
                if producer._waiting_for is not None:
                    producer._waiting_for.discard(self)
                    if not producer._waiting_for:
                        producer._end_stall(timed_out=False)
            self._stalled_by_me = None

    def _pause_reading(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    # ---- CONNECT

    def introduce(self, connect: Connect) -> None:
        """Remember what the client said of itself."""
        self.stop_auth_timer()
        self.connect = connect
        self.retag()

    def settle(self) -> None:
        """The CONNECT was answered: go on reading, and time the pings from here."""
        if self.rtt_s == 0.0:
            self.rtt_s = max((datetime.now(UTC) - self.started_at).total_seconds(), 1e-9)
        interval = min(self._host.options.ping_interval_s, _FIRST_PING_S)
        self._schedule_ping(interval * uniform(1, 1 + _FIRST_PING_JITTER))
        self._resume_reading()

    def retag(self) -> None:
        """Make the tag that begins each log line of this connection."""
        host = f"[{self.ip}]" if ":" in self.ip else self.ip
        parts = [f"{host}:{self.port} - cid:{self.cid}"]
        if self.connect is not None:
            version = f"v{self.connect.version}" if self.connect.version else ""
            named = ":".join(part for part in (version, self.connect.lang, self.connect.name) if part)
            if named:
                parts.append(go_quote(named.encode("utf-8", "replace")))
        if self.login.label:
            parts.append(go_quote(f"{self.login.account}/{self.login.label}".encode()))
        self.tag = " - ".join(parts)

    # ---- timers

    def start_auth_timer(self, timeout_s: float) -> None:
        """Give the client this long to CONNECT."""
        self._auth_timer = self.loop.call_later(timeout_s, self._miss_auth)

    def stop_auth_timer(self) -> None:
        """The client has shown itself."""
        if self._auth_timer is not None:
            self._auth_timer.cancel()
            self._auth_timer = None

    def _miss_auth(self) -> None:
        self._host.log.debug(f"{self.tag} - Authentication Timeout")
        self.session.fail(WireError(ClosedReason.AUTHENTICATION_TIMEOUT, wire="Authentication Timeout"))

    def start_ping_timer(self) -> None:
        """Ping from now on, before any CONNECT too."""
        self._schedule_ping(self._host.options.ping_interval_s)

    def _schedule_ping(self, delay_s: float) -> None:
        if self._ping_timer is not None:
            self._ping_timer.cancel()
        self._ping_timer = self.loop.call_later(delay_s, self._on_ping_timer)

    def _on_ping_timer(self) -> None:
        options, log = self._host.options, self._host.log
        log.debug(f"{self.tag} - Client Ping Timer")
        now = self.loop.time()
        quiet_s = now - self.last_in
        needs_rtt = self._ping_sent_at == 0.0 or now - self._ping_sent_at > _RTT_VALID_S
        if quiet_s < options.ping_interval_s and not needs_rtt:
            log.debug(
                f"{self.tag} - Delaying PING due to remote client data or ping {format_duration(round(quiet_s))} ago"
            )
        elif self._pings_out + 1 > options.ping_max:
            log.debug(f"{self.tag} - Stale Client Connection - Closing")
            self.session.fail(WireError(ClosedReason.STALE_CONNECTION, wire="Stale Connection"))
            return
        else:
            self.ping()
        self._schedule_ping(options.ping_interval_s)

    def ping(self) -> None:
        """Send a PING."""
        self._pings_out += 1
        self._ping_sent_at = self.loop.time()
        if self.session.tracing:
            self._host.log.trace(f"{self.tag} - ->> [PING]")
        self.session.write(b"PING\r\n")
        self.flush()

    def ponged(self) -> None:
        """A PONG came."""
        if self._pings_out:
            self._pings_out = 0
            self.rtt_s = max(self.loop.time() - self._ping_sent_at, 1e-9)

    # ---- the end

    def close(self, reason: ClosedReason) -> None:
        """End the connection after its queued output."""
        self._finish(reason)
        if self._transport is None or self._transport.is_closing() or self._ending:
            return
        self._ending = True
        # Who does not read cannot keep the socket: what is left is given up after the write deadline.
        patience_s = max(self._host.options.write_deadline_s, _LINGER_S)
        self._linger_timer = self.loop.call_later(patience_s, self._transport.abort)
        self.flush()
        self._end_when_flushed()

    def _end_when_flushed(self) -> None:
        transport = self._transport
        if transport is None or self._draining or self._paused or self.session.has_output():
            return
        self._draining = True
        if self._linger_timer is not None:
            self._linger_timer.cancel()
        transport.write_eof()
        self._resume_reading()
        self._linger_timer = self.loop.call_later(_LINGER_S, transport.abort)

    def abort(self, reason: ClosedReason) -> None:
        """End the connection now; its output is lost."""
        self._finish(reason)
        if self._transport is not None:
            self._transport.abort()

    def _finish(self, reason: ClosedReason) -> None:
        if self.stopped_at is not None:
            return
        self.stopped_at = datetime.now(UTC)
        for timer in (self._auth_timer, self._ping_timer, self._deadline_timer, self._stall_timer):
            if timer is not None:
                timer.cancel()
        if self.verifying is not None:
            self.verifying.cancel()
        self.session.close(reason)
        reason = self.session.closed or reason
        self._host.log.debug(f"{self.tag} - Client connection closed: {reason.value}")
        self._host.connection_closed(self, reason)
        waiters, self._stalled_by_me = self._stalled_by_me, None
        for producer in waiters or ():
            if producer._waiting_for is not None:
                producer._waiting_for.discard(self)
                if not producer._waiting_for:
                    producer._end_stall(timed_out=False)
