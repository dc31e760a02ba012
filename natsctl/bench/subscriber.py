"""A client that receives: it counts every message, and reads the stamps of those that carry one."""

from __future__ import annotations

from collections import Counter, defaultdict

from natsctl.bench.client import IDLE_S, Client, Clock
from natsctl.bench.frames import number_width
from natsctl.bench.histogram import Latencies
from natsctl.bench.ledger import Ledger
from natsctl.bench.outcome import Outcome, Role
from natsctl.bench.plan import Plan, Target
from natsctl.bench.reader import FrameReader, Run
from natsctl.bench.stamp import STAMP_BYTES, TIME_BITS, by_publisher, make_mark, read_stamps

__all__ = ["Subscriber"]


class Subscriber(Client):
    """Receives until it is stopped."""

    role = Role.SUBSCRIBER

    def __init__(self, plan: Plan, target: Target, index: int, clock: Clock) -> None:
        super().__init__(plan, target, index, clock)
        self._latencies = Latencies()
        self._ledgers: defaultdict[int, Ledger] = defaultdict(Ledger)
        self._origin = make_mark(plan.run_id, 0)

    def greeting(self) -> bytes:
        """Subscribe."""
        queue = f" {self.plan.queue}" if self.plan.queue else ""
        return f"SUB {self.plan.listens}{queue} 1\r\n".encode()

    def pump(self, now_us: int) -> float:
        """Send nothing."""
        del now_us
        return IDLE_S

    def on_run(self, run: Run) -> None:
        """Count messages, and note which they are."""
        now_us = (self._reader.received_ns - self._clock.start_ns) // 1000
        n = self._read_stamps(run, now_us) if self.plan.is_stamped else run.n
        outcome = self.outcome
        if not n:
            return
        if outcome.end_us >= 0:
            outcome.longest_gap_us = max(outcome.longest_gap_us, now_us - outcome.end_us)
        outcome.count(n, n * (run.size + run.header_size), now_us)

    def conclude(self) -> Outcome:
        """Add latencies and ledgers to the counts."""
        if self.plan.is_stamped:
            self.outcome.latencies = self._latencies.encode()
            self.outcome.arrivals = {publisher: ledger.arrivals() for publisher, ledger in self._ledgers.items()}
            self.outcome.n_reordered = sum(ledger.reordered for ledger in self._ledgers.values())
        return self.outcome

    def _make_reader(self) -> FrameReader:
        plan, subjects = self.plan, b""
        if plan.n_publishers and plan.n_subjects > 1:
            escaped = plan.subject.encode().replace(b".", rb"\.")
            subjects = rb"%s\.[0-9]{%d}" % (escaped, number_width(plan))
        return FrameReader(self.on_run, self._on_line, subjects=subjects)

    def _read_stamps(self, run: Run, now_us: int) -> int:
        """Note messages and latencies; how many were of this run."""
        if run.size < STAMP_BYTES:
            self.outcome.n_foreign += run.n
            return 0
        keys, marks = read_stamps(run.data, run.start, run.stride, run.n)
        times = Counter(marks)  # full batches have one time for all of their messages
        ours = self._origin >> TIME_BITS
        if any(mark >> TIME_BITS != ours for mark in times):
            keys = [key for key, mark in zip(keys, marks, strict=True) if mark >> TIME_BITS == ours]
            self.outcome.n_foreign += run.n - len(keys)
            times = Counter({mark: n for mark, n in times.items() if mark >> TIME_BITS == ours})
        now = self._origin + now_us
        for mark, n in times.items():
            self._latencies.add(now - mark, n)
        if keys:
            for publisher, numbers in by_publisher(keys).items():
                self._ledgers[publisher].take(numbers)
        return len(keys)
