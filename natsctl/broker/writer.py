"""Output on its way out: from a session to the transport, no faster than the peer takes it.

Output waits in the session, not in the transport: at most one chunk is handed over at a time, so that what is unsent is
known exactly, and how old its oldest byte is.

Source: nats-server ``client.go`` (flushOutbound, handleWriteTimeout).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from natsctl.engine.api import Link, Session

__all__ = ["DeadlineHandler", "Writer"]

_SLOTS_PER_DEADLINE = 64
"""Output queued within one such part of the write deadline shares an age: the bookkeeping stays small."""


class DeadlineHandler(Protocol):
    """Hears of a missed deadline."""

    def __call__(self, *, is_late: bool, gives_up: bool) -> None:
        """Output is older than it may be.

        Args:
            is_late: Whether it had been before, and nothing has changed.
            gives_up: Whether nobody waits any longer.
        """


class _Mark:
    """How far the output reached at a time; offsets count bytes since the connection began."""

    __slots__ = ("at", "end")

    def __init__(self, end: int, at: float) -> None:
        self.end = end
        self.at = at


class Writer:
    """Writes one session's output.

    Args:
        transport: Where to; its write buffer limit must be 0.
        session: Whose output.
        deadline_s: How old an unsent byte may get; 0 has no end.
        may_retry: Whether a missed deadline is forgiven while the peer still takes something.
        on_deadline: Called when the deadline was missed.
        on_recovered: Called when everything that was late has left, with the time it took.
        on_drained: Called after each write, when less is pending than before.
    """

    __slots__ = (
        "_in_flight",
        "_late_since",
        "_loop",
        "_marks",
        "_may_retry",
        "_on_deadline",
        "_on_drained",
        "_on_recovered",
        "_sent",
        "_sent_before",
        "_session",
        "_timer",
        "_transport",
        "deadline_s",
        "paused",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        session: Session | Link,
        *,
        deadline_s: float,
        may_retry: bool,
        on_deadline: DeadlineHandler,
        on_recovered: Callable[[float], None],
        on_drained: Callable[[], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._session = session
        self.deadline_s = deadline_s
        self._may_retry = may_retry
        self._on_deadline = on_deadline
        self._on_recovered = on_recovered
        self._on_drained = on_drained
        self._in_flight = 0
        self._sent = self._sent_before = 0
        self._marks: deque[_Mark] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._late_since: float | None = None
        self.paused = False
        """Whether the transport still holds bytes of the last chunk."""

    @property
    def is_idle(self) -> bool:
        """Whether everything has left the process."""
        return not (self.paused or self._session.has_output())

    def flush(self) -> None:
        """Hand queued output to the transport as far as the kernel takes it."""
        session, transport = self._session, self._transport
        while not self.paused and session.has_output():
            chunk = session.take()
            transport.write(chunk)
            self._in_flight = len(chunk)
            self.measure()
            self.paused = self._in_flight > 0
        if self.paused:
            session.compact()
            self._mark()
        self._on_drained()

    def resume(self) -> None:
        """The transport is empty again: hand over more."""
        self.paused = False
        self.measure()
        self.flush()

    def measure(self) -> None:
        """Tell the session how much of the chunk in flight has left by now."""
        if self._in_flight:
            # Encrypted it is a little longer than the chunk.
            unsent = min(self._transport.get_write_buffer_size(), self._in_flight)
            self._session.sent(self._in_flight - unsent)
            self._sent += self._in_flight - unsent
            self._in_flight = unsent

    def move(self, transport: asyncio.Transport) -> None:
        """Write to another transport; the peer has answered to what went to the one before."""
        if self._in_flight:
            self._session.sent(self._in_flight)
            self._sent += self._in_flight
            self._in_flight = 0
        self._transport = transport
        self.paused = False

    def stop(self) -> None:
        """Watch no deadline any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _mark(self) -> None:
        if self.deadline_s <= 0:
            return
        now = self._loop.time()
        end = self._sent + self._session.pending_bytes
        if self._marks is None:
            self._marks = deque()
        if self._marks and now - self._marks[-1].at < self.deadline_s / _SLOTS_PER_DEADLINE:
            self._marks[-1].end = end
        elif not self._marks or end > self._marks[-1].end:
            self._marks.append(_Mark(end, now))
        if self._timer is None:
            self._await_deadline()

    def _await_deadline(self) -> None:
        self._sent_before = self._sent
        self._timer = self._loop.call_later(self.deadline_s, self._check)

    def _check(self) -> None:
        self._timer = None
        self.measure()
        marks = self._marks
        while marks and marks[0].end <= self._sent:
            marks.popleft()
        if not marks:
            self._marks = None
            if self._late_since is not None:
                self._on_recovered(self._loop.time() - self._late_since)
                self._late_since = None
            return
        # A mark is as old as the first byte it stands for; the last one may be younger by a slot.
        due = marks[0].at + self.deadline_s * (1 + 1 / _SLOTS_PER_DEADLINE)
        now = self._loop.time()
        if now < due:
            self._timer = self._loop.call_later(due - now, self._check)
        else:
            gives_up = not (self._may_retry and self._sent > self._sent_before)
            self._on_deadline(is_late=self._late_since is not None, gives_up=gives_up)
            if not gives_up:
                self._late_since = self._late_since or marks[0].at
                for mark in marks:
                    mark.at = now
                self._await_deadline()
