"""A client that answers requests with what they hold."""

from __future__ import annotations

from natsctl.bench.client import IDLE_S, Client
from natsctl.bench.outcome import Role
from natsctl.bench.plan import DEFAULT_REPLY_QUEUE
from natsctl.bench.reader import FrameReader, Run

__all__ = ["Responder"]

_MAX_OUTPUT_BYTES = 1024 * 1024


class Responder(Client):
    """Answers until it is stopped; it reads no more while its answers are not taken."""

    role = Role.RESPONDER

    def greeting(self) -> bytes:
        """Subscribe, as a member of a queue group."""
        return f"SUB {self.plan.listens} {self.plan.queue or DEFAULT_REPLY_QUEUE} 1\r\n".encode()

    @property
    def wants_read(self) -> bool:
        """Whether there is room for more answers."""
        return len(self._control) < _MAX_OUTPUT_BYTES

    def pump(self, now_us: int) -> float:
        """Send nothing of its own."""
        del now_us
        return IDLE_S

    def on_run(self, run: Run) -> None:
        """Answer a request."""
        now_us = (self._reader.received_ns - self._clock.start_ns) // 1000
        args = run.line.split()
        n_sizes = 2 if run.line.startswith(b"HMSG") else 1
        if len(args) == 3 + n_sizes:
            return  # nobody wants an answer
        self.say(b"PUB %s %d\r\n%s\r\n" % (args[3], run.size, run.data[run.start : run.start + run.size]))
        self.outcome.count(1, run.size + run.header_size, now_us)

    def _make_reader(self) -> FrameReader:
        return FrameReader(self.on_run, self._on_line, joins=False)
