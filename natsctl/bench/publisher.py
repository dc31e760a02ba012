"""A client that publishes, from frames rendered before."""

from __future__ import annotations

from natsctl.bench.client import IDLE_S, Client, Clock
from natsctl.bench.frames import Ring
from natsctl.bench.outcome import Role
from natsctl.bench.pace import make_pace
from natsctl.bench.plan import Plan, Target, shares
from natsctl.bench.reader import Run
from natsctl.bench.stamp import make_mark

__all__ = ["Publisher"]


class Publisher(Client):
    """Publishes its share of the messages, then has the server confirm them with a PONG.

    A message counts as published when all of it was handed to the system. What a lost connection had not taken is sent
    on the next one, under the same number.
    """

    role = Role.PUBLISHER

    def __init__(self, plan: Plan, target: Target, index: int, clock: Clock) -> None:
        super().__init__(plan, target, index, clock)
        self._ring = Ring(plan, index)
        self._pace = make_pace(plan, index)
        self._n_msgs = shares(plan.n_planned, plan.n_publishers)[index] if plan.n_planned else 1 << 62
        self._origin = make_mark(plan.run_id, 0)
        self._n_in_batch = 0
        self._is_stopped = False
        self._is_confirming = False

    def pump(self, now_us: int) -> float:
        """Count the batch that has left, and send the next one."""
        outcome = self.outcome
        if self._n_in_batch:
            self._count(self._n_in_batch, now_us)
        if outcome.start_us < 0:
            outcome.start_us = now_us
        if self._is_stopped or outcome.n_msgs >= self._n_msgs or now_us >= self.plan.end_us:
            return self._confirm()
        number = outcome.n_msgs
        n = min(self._pace.due(now_us) - number, self._ring.batch, self._n_msgs - number)
        if n > 0:
            marks = self._pace.times_us(number, n, now_us, origin=self._origin)
            self._batch = self._ring.take(number, n, marks)
            self._n_in_batch = len(self._batch) // self._ring.stride
            return 0.0
        return min(self._pace.wait_s(number, now_us), (self.plan.end_us - now_us) / 1e6)

    def stop(self) -> None:
        """Publish no more, and have confirmed what was published."""
        self._is_stopped = True
        if self.socket is None:
            self.is_finished = True

    def on_run(self, run: Run) -> None:
        """Take nothing: a publisher subscribes to nothing."""

    def on_synced(self) -> None:
        """Everything published has been handled."""
        if self._is_confirming:
            self.outcome.end_us = self._clock.now_us()
            self.is_finished = True

    def on_lost(self) -> None:
        """Count what left before the connection broke."""
        if self._n_in_batch:
            whole = (self._n_in_batch * self._ring.stride - len(self._batch)) // self._ring.stride
            self._count(whole, self._clock.now_us())
        self._is_confirming = False
        self.is_finished = self._is_stopped

    def _count(self, n: int, now_us: int) -> None:
        self._n_in_batch = 0
        self.outcome.count(n, n * self.plan.message_size, now_us)
        self.outcome.last_sent_us = now_us

    def _confirm(self) -> float:
        if not self._is_confirming:
            self._is_confirming = True
            self.sync()
        return IDLE_S
