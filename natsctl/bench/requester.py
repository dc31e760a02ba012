"""A client that asks, and measures how long the answers take."""

from __future__ import annotations

from natsctl.bench.client import IDLE_S, Client, Clock
from natsctl.bench.frames import make_payload, publish_line, subjects_of
from natsctl.bench.histogram import Latencies
from natsctl.bench.outcome import Outcome, Role
from natsctl.bench.pace import make_pace
from natsctl.bench.plan import Plan, Target, shares
from natsctl.bench.reader import FrameReader, Run

__all__ = ["Requester"]

_BURST = 256
"""Requests to begin before answers are read."""


class Requester(Client):
    """Keeps its requests in flight, at a rate or as fast as answers come.

    The reply subject names the request: ``<inbox>.<number>``. A request that is not answered in time is lost.
    """

    role = Role.REQUESTER

    def __init__(self, plan: Plan, target: Target, index: int, clock: Clock) -> None:
        super().__init__(plan, target, index, clock)
        self._inbox = f"{plan.inbox_prefix}.{plan.run_id:06x}.{index}.".encode()
        self._subjects = subjects_of(plan, index)
        self._body = make_payload(plan) + b"\r\n"
        self._pace = make_pace(plan, index)
        self._n_msgs = shares(plan.n_planned, plan.n_publishers)[index] if plan.n_planned else 1 << 62
        self._timeout_us = round(target.timeout_s * 1e6)
        self._asked: dict[int, tuple[int, int]] = {}
        self._latencies = Latencies()
        self._is_stopped = False

    def greeting(self) -> bytes:
        """Subscribe to the inbox."""
        return b"SUB %s* 1\r\n" % self._inbox

    def pump(self, now_us: int) -> float:
        """Give up what is overdue, and ask what is due."""
        outcome = self.outcome
        if outcome.start_us < 0:
            outcome.start_us = now_us
        self._expire(now_us)
        if self._is_stopped or outcome.n_offered >= self._n_msgs or now_us >= self.plan.end_us:
            self.is_finished = not self._asked
            return self._until_expiry_s(now_us)
        number = outcome.n_offered
        room = self.plan.in_flight - len(self._asked)
        n = min(room, self._pace.due(now_us) - number, self._n_msgs - number, _BURST)
        if n <= 0:
            wait_s = self._pace.wait_s(number, now_us) if room else IDLE_S
            return min(max(wait_s, 0.0), (self.plan.end_us - now_us) / 1e6, self._until_expiry_s(now_us))
        for time_us in self._pace.times_us(number, n, now_us):
            self._ask(time_us, now_us)
        return 0.0 if self.plan.in_flight > len(self._asked) else IDLE_S

    def stop(self) -> None:
        """Ask no more; answers are still taken, unless there is no connection."""
        self._is_stopped = True
        if self.socket is None:
            self.is_finished = True

    def on_run(self, run: Run) -> None:
        """Take an answer."""
        now_us = (self._reader.received_ns - self._clock.start_ns) // 1000
        number = int(run.line.split(b" ", 2)[1].removeprefix(self._inbox))
        asked = self._asked.pop(number, None)
        if asked is None:
            self.outcome.n_repeated += 1
            return
        if run.header_size and run.data.startswith(b"NATS/1.0 503", run.start - run.header_size):
            self.outcome.n_refused += 1
            self.is_finished = not self.outcome.n_msgs  # nobody ever answered, and nobody will
            return
        outcome = self.outcome
        if outcome.n_msgs:
            outcome.longest_gap_us = max(outcome.longest_gap_us, now_us - outcome.end_us)
        self._latencies.add(now_us - asked[0])
        outcome.count(1, run.size + run.header_size, now_us)
        outcome.last_sent_us = now_us

    def conclude(self) -> Outcome:
        """Add the latencies to the counts."""
        self.outcome.latencies = self._latencies.encode()
        return self.outcome

    def _make_reader(self) -> FrameReader:
        return FrameReader(self.on_run, self._on_line, joins=False)

    def _ask(self, time_us: int, now_us: int) -> None:
        number = self.outcome.n_offered
        self._asked[number] = (time_us, now_us + self._timeout_us)
        self.outcome.n_offered += 1
        subject = self._subjects[number % len(self._subjects)]
        self.say(publish_line(subject, self.plan, b"%s%d" % (self._inbox, number)) + self._body)

    def _expire(self, now_us: int) -> None:
        """Forget the requests that were not answered in time; the oldest is always the first."""
        while self._asked:
            number, (_, deadline_us) = next(iter(self._asked.items()))
            if deadline_us > now_us:
                return
            del self._asked[number]

    def _until_expiry_s(self, now_us: int) -> float:
        oldest = next(iter(self._asked.values()), None)
        return max(0.0, (oldest[1] - now_us) / 1e6) if oldest else IDLE_S
