"""One connection of a worker: it answers PING, comes back when it was lost, and leaves the rest to its role."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from abc import ABC, abstractmethod

from natsctl.bench.handshake import Link, open_link, refusal
from natsctl.bench.outcome import Outage, Outcome, Role
from natsctl.bench.plan import Plan, Target
from natsctl.bench.reader import FrameReader, Run
from natsctl.errors import LinkError, NatsctlError, UsageError, WireError

__all__ = ["IDLE_S", "Client", "Clock"]

IDLE_S = 3600.0
"""A wait with no end of its own."""
_RETRY_S = 0.1
_REOPENING_S = 0.02
"""How often to look whether a connection is back."""
_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Clock:
    """Time since the start of the run, on the system's monotonic clock, which all processes share.

    Attributes:
        start_ns: The zero of all times; 0 before the start is known.
    """

    def __init__(self) -> None:
        self.start_ns = 0

    def now_us(self) -> int:
        """Microseconds since the start."""
        return (time.monotonic_ns() - self.start_ns) // 1000


class Client(ABC):
    """A connection that sends and counts; roles are its subclasses.

    Attributes:
        outcome: What it has done so far.
        is_finished: Nothing more is to be done.
    """

    role: Role

    def __init__(self, plan: Plan, target: Target, index: int, clock: Clock) -> None:
        self.plan = plan
        self.outcome = Outcome(self.role, index)
        self.is_finished = False
        self._clock = clock
        self._target = target
        self._reader = self._make_reader()
        self._link: Link | None = None
        self._reopening: _Reopening | None = None
        self._batch = memoryview(b"")
        self._control = bytearray()
        self._pongs_due = 0
        self._last_words = ""

    def __str__(self) -> str:
        return f"{self.role} {self.outcome.index + 1}"

    def open(self) -> None:
        """Connect for the first time; blocks.

        Raises:
            NatsctlError: It is not possible, or the plan does not fit the server.
        """
        link = open_link(self._target, self.outcome.index)
        if self.plan.message_size > link.max_payload:
            link.socket.close()
            size = self.plan.message_size
            raise UsageError(f"a message of {size} bytes exceeds max_payload {link.max_payload} of the server")
        if self.plan.headers and not link.has_headers:
            link.socket.close()
            raise UsageError("the server takes no headers")
        self._use(link)

    def close(self) -> None:
        """Disconnect."""
        if self._link:
            self._link.socket.close()
        self._link = None

    @property
    def socket(self) -> socket.socket | None:
        """What to wait for input on; None while there is no connection."""
        return self._link.socket if self._link else None

    @property
    def wants_read(self) -> bool:
        """Whether input is taken now."""
        return True

    @property
    def has_output(self) -> bool:
        """Whether it waits for the server to take something."""
        return bool(self._batch or self._control)

    @property
    def is_synced(self) -> bool:
        """Whether the server has handled everything sent so far."""
        return self._link is not None and not self._pongs_due and not self.has_output

    def advance(self) -> float:
        """Send what can be sent now; seconds until there is more to do.

        Raises:
            NatsctlError: The connection did not come back.
        """
        if self._reopening is not None:
            return self._look_for_link(self._reopening)
        try:
            if not self._flush() or not self._clock.start_ns:
                return IDLE_S
            wait_s = self.pump(self._clock.now_us())
            self._flush()
        except OSError as error:
            self._lose(str(error.strerror or error).lower())
            return 0.0
        return wait_s

    def receive(self) -> None:
        """Read what has come.

        Raises:
            NatsctlError: The server refused something for good.
        """
        link = self._link
        if link is None:
            return
        try:
            n_bytes = self._reader.read_from(link.socket)
            while isinstance(link.socket, ssl.SSLSocket) and n_bytes:
                n_bytes = self._reader.read_from(link.socket)  # what TLS has decrypted makes no socket readable
            if not n_bytes:
                self._lose(self._last_words or "closed by the server")
        except _WOULD_BLOCK:
            pass
        except WireError as error:
            self._lose(str(error))
        except OSError as error:
            self._lose(self._last_words or str(error.strerror or error).lower())

    def stop(self) -> None:
        """End in good order: what is open is finished, nothing new begun."""
        self.is_finished = True

    def conclude(self) -> Outcome:
        """Give what it did, complete."""
        return self.outcome

    @abstractmethod
    def pump(self, now_us: int) -> float:
        """Produce output if it is time, all earlier output having left; seconds until there is more to do."""

    @abstractmethod
    def on_run(self, run: Run) -> None:
        """Take messages."""

    def greeting(self) -> bytes:
        """What is to be said first on every new connection."""
        return b""

    def on_synced(self) -> None:  # noqa: B027  # most roles do nothing then
        """The server has handled everything sent so far."""

    def on_lost(self) -> None:  # noqa: B027  # as above
        """The connection is gone, and what was not sent with it."""

    def sync(self) -> None:
        """Ask the server for a sign that everything was handled."""
        self._control += b"PING\r\n"
        self._pongs_due += 1

    def say(self, data: bytes) -> None:
        """Send something small."""
        self._control += data

    def _make_reader(self) -> FrameReader:
        return FrameReader(self.on_run, self._on_line)

    def _on_line(self, line: bytes) -> None:
        if line == b"PING":
            self._control += b"PONG\r\n"
        elif line == b"PONG":
            self._pongs_due -= 1
            if not self._pongs_due:
                self.on_synced()
        elif line.startswith(b"-ERR"):
            if error := refusal(line):
                raise error
            self._last_words = line[4:].strip(b" '").decode(errors="replace").lower()

    def _flush(self) -> bool:
        """Write as much as goes; whether everything went."""
        link = self._link
        if link is None:
            return False
        try:
            while self._batch:
                self._batch = self._batch[link.socket.send(self._batch) :]
            while self._control:
                del self._control[: link.socket.send(self._control)]
        except _WOULD_BLOCK:
            return False
        return True

    def _use(self, link: Link) -> None:
        self._link = link
        self._last_words = ""
        self._reader.reset()
        self._control += self.greeting()
        self.sync()

    def _lose(self, reason: str) -> None:
        self.close()
        self.on_lost()
        self._batch = memoryview(b"")
        self._control.clear()
        self._pongs_due = 0
        now_us = self._clock.now_us()
        self.outcome.outages.append(Outage(now_us, reason))
        self._reopening = _Reopening(self._target, self.outcome.index)
        self._reopening.start()

    def _look_for_link(self, reopening: _Reopening) -> float:
        if reopening.is_alive():
            return _REOPENING_S
        self._reopening = None
        if reopening.link is None:
            raise reopening.failure or LinkError("connection lost")
        self.outcome.outages[-1].end_us = self._clock.now_us()
        self._use(reopening.link)
        return 0.0


class _Reopening(threading.Thread):
    """Seeks a server, beside the connections of the worker that still work."""

    def __init__(self, target: Target, turn: int) -> None:
        super().__init__(daemon=True)
        self.link: Link | None = None
        self.failure: NatsctlError | None = None
        self._target = target
        self._turn = turn

    def run(self) -> None:
        deadline = time.monotonic() + self._target.max_outage_s
        while self.link is None:
            try:
                self.link = open_link(self._target, self._turn)
            except LinkError as error:
                self.failure = error
                if time.monotonic() > deadline:
                    return
                time.sleep(_RETRY_S)
            except NatsctlError as error:
                self.failure = error
                return
