"""The reading half of a connection: each batch of bytes goes to its session, and nobody keeps the others waiting.

A connection that fills the buffer again and again gives way after a few reads; one that feeds receivers who are nearly
full waits for them; one whose CONNECT is being judged is not read from.

Task: everything here runs on the broker's loop.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

from natsctl.broker.logs import Logger
from natsctl.broker.pinger import Pinger
from natsctl.broker.stall import Stall
from natsctl.engine.api import Engine, Link, Session
from natsctl.errors import ClosedReason
from natsctl.units import format_duration

__all__ = ["Intake", "IntakeHost"]

_BULK_BYTES = 8192
"""Output that came of a read of this size goes out at once; that of smaller ones with what else this turn brings."""
_FULL_READS_PER_TURN = 2
"""After so many reads that filled the buffer, one after the other, everybody else has a turn."""


class IntakeHost(Protocol):
    """What reading needs of the broker."""

    log: Logger
    engine: Engine
    read_buffer: memoryview
    """Shared by all connections: it is empty between two calls of the loop."""

    def flush_touched(self) -> Sequence[Session | Link]:
        """Flush every connection whose session got output; returns these sessions."""

    def flush_soon(self) -> None:
        """Do so when the loop has read from everybody who had something to say."""


class Intake(asyncio.BufferedProtocol, ABC):
    """A connection, as far as it is read from.

    Args:
        loop: The broker's.

    Attributes:
        session: Opened by the other half, when there is a transport.
        tag: What begins each log line of this connection.
        last_activity: When it last published, subscribed or was delivered to, on the loop's clock.
    """

    __slots__ = (
        "_draining",
        "_feeds_full",
        "_full_reads",
        "_landing",
        "_last_stall_warning",
        "_stall",
        "_transport",
        "last_activity",
        "loop",
        "pinger",
        "session",
        "tag",
    )

    session: Session | Link
    pinger: Pinger
    _host: IntakeHost

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.tag = ""
        self.last_activity = loop.time()
        self._transport: asyncio.Transport | None = None
        self._stall = Stall(self._go_on_reading)
        self._feeds_full = False
        self._last_stall_warning = 0.0
        self._landing: memoryview | None = None
        self._full_reads = 0
        self._draining = False

    @abstractmethod
    def abort(self, reason: ClosedReason) -> None:
        """End the connection now; its output is lost."""

    @abstractmethod
    def debug(self, text: str) -> None:
        """Log a line of this connection's life."""

    def get_buffer(self, sizehint: int) -> memoryview:
        """Lend room for one read: the broker's buffer, or the place where a large payload belongs."""
        self._landing = self.session.landing()
        return self._host.read_buffer if self._landing is None else self._landing

    def buffer_updated(self, nbytes: int) -> None:
        """Take in what was read, and send what came of it."""
        if self._draining:
            return
        host, session = self._host, self.session
        now = self.loop.time()
        in_msgs, n_subscriptions, pings = session.in_msgs, session.n_subscriptions, session.pings
        host.engine.now = now
        if self._feeds_full:
            host.flush_touched()  # what is touched below is touched by this connection
        try:
            if self._landing is None:
                session.feed(host.read_buffer[:nbytes])
            else:
                session.landed(nbytes)
        except MemoryError:
            host.log.error(f"{self.tag} - out of memory")
            self.abort(ClosedReason.READ_ERROR)
        if session.in_msgs != in_msgs:
            self.last_activity = self.pinger.last_heard = now
        elif session.n_subscriptions != n_subscriptions:
            self.last_activity = now
        if session.pings != pings:
            self.pinger.last_heard = now
        stalled = session.take_stalled()
        self._feeds_full = bool(stalled)
        if stalled:
            self._stall_for(stalled, nbytes)
        elif nbytes < _BULK_BYTES:
            host.flush_soon()
        else:
            host.flush_touched()
        if session.held:
            self._pause_reading()
        elif nbytes == len(host.read_buffer):
            self._count_full_read()
        else:
            self._full_reads = 0

    def _stall_for(self, stalled: Sequence[Session | Link], n_bytes: int) -> None:
        """Send what there is, and let the producer wait for those who are nearly full even then."""
        touched = {session for session in self._host.flush_touched() if session.closed is None} - {self.session}
        full = {session for session in stalled if session.is_over_stall_mark()}
        others = touched - full
        if full and all(session.pending_bytes for session in others):
            self._stall.wait_for((s.owner._stall for s in full), (s.owner._stall for s in others), n_bytes)
            self._pause_reading()

    def _count_full_read(self) -> None:
        self._full_reads += 1
        if self._full_reads >= _FULL_READS_PER_TURN:
            # uvloop would go on reading from this socket for a good while before it looks at another one.
            self._full_reads = 0
            self._pause_reading()
            self.loop.call_soon(self._take_turn)

    def _take_turn(self) -> None:
        if self._transport is not None and not (self.session.held or self._stall.is_waiting):
            self._resume_reading()

    # ---- stalls

    def _release_producers(self) -> None:
        if self._stall.is_waited_for and not self.session.is_over_stall_mark():
            self._stall.release(is_empty=not self.session.pending_bytes)

    def _go_on_reading(self, timed_out: bool) -> None:
        """A stall is over."""
        if timed_out:
            self.debug(f"Timed out of fast producer stall ({format_duration(self._stall.patience_s)})")
            now = self.loop.time()
            if now - self._last_stall_warning >= 1:  # a stalled producer stalls a hundred times a second
                self._last_stall_warning = now
                text = f"Producer was stalled for a total of {format_duration(self._stall.patience_s)}"
                self._host.log.warn(f"{self.tag} - {text}")
        if not self.session.held:
            self._resume_reading()

    def _pause_reading(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
