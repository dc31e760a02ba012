"""Starts the processes of a run together, follows them, and gathers what they did.

No worker outlives the conductor: its end of a pipe closes with it, and that ends the worker.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from natsctl.bench.outcome import Outcome, Role
from natsctl.bench.plan import Plan, Target
from natsctl.bench.worker import Counted, Done, Go, Ready, Stop, work
from natsctl.errors import BenchError, NatsctlError

__all__ = ["Conductor", "Course", "Progress"]

_LOOK_S = 0.1
_HEAD_START_S = 0.02
"""Workers hear of the start before it comes."""
_SETTLE_S = 0.25
"""What servers of a cluster get to tell each other of subscriptions."""
_QUIET_S = 2.0
"""When nothing has come for so long, nothing more will come."""
_OVERTIME_S = 2.0
_STOP_S = 8.0
_MAX_CLIENTS = 400
"""Clients of a process; select() takes no more than 1024 sockets."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is.

    Units: messages; ``fraction`` of the run from 0 to 1, 0 while that is not known.
    """

    published: int
    delivered: int
    fraction: float
    elapsed_s: float
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Course:
    """What came of a run, before it is evaluated.

    Attributes:
        outcomes: Of each client, by role and index.
        busy: Role to the greatest share of its time that a process of this role did not wait.
        failure: What ended the run before its time.
        is_partial: It was stopped, or failed.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    busy: dict[Role, float] = field(default_factory=dict)
    failure: NatsctlError | None = None
    is_partial: bool = False


@dataclass(slots=True, eq=False)
class _Worker:
    process: SpawnProcess
    pipe: Connection
    role: Role
    is_ready: bool = False
    is_stopped: bool = False
    done: Done | None = None
    n_msgs: dict[int, int] = field(default_factory=dict)


class Conductor:
    """One run.

    Args:
        plan: What to do; checked.
        target: Where.
        n_processes: For publishers, and as many for subscribers; 0 decides by the number of processors.
    """

    def __init__(self, plan: Plan, target: Target, n_processes: int = 0) -> None:
        self._plan = plan
        self._target = target
        self._n_processes = n_processes
        self._workers: list[_Worker] = []
        self._stop = threading.Event()
        self._course = Course()
        self._start_ns = 0

    def stop(self) -> None:
        """End the run early, in good order; may be called from a signal handler or another thread."""
        self._stop.set()

    def run(self, on_progress: Callable[[Progress], None]) -> Course:
        """Do all of it; a failure in the middle is part of the course.

        Raises:
            NatsctlError: It could not even begin.
        """
        try:
            self._launch()
            self._await(lambda worker: worker.is_ready)
            if self._course.failure:
                raise self._course.failure
            if not self._stop.is_set():
                self._follow(on_progress)
            self._finish(on_progress)
        finally:
            self._end_processes()
        return self._course

    def _launch(self) -> None:
        plan = self._plan
        offering, taking = Role.PUBLISHER, Role.SUBSCRIBER
        if plan.is_request:
            offering, taking = Role.REQUESTER, Role.RESPONDER
        context = multiprocessing.get_context("spawn")
        with _keyboard_held():
            for role, n_clients in ((taking, plan.n_subscribers), (offering, plan.n_publishers)):
                n_processes = self._count_processes(n_clients)
                for first in range(n_processes):
                    ours, theirs = context.Pipe()
                    indexes = range(first, n_clients, n_processes)
                    args = (theirs, plan, self._target, role, indexes)
                    process = context.Process(target=work, args=args, daemon=True, name=f"{role}s {first + 1}")
                    process.start()
                    theirs.close()
                    self._workers.append(_Worker(process, ours, role))

    def _count_processes(self, n_clients: int) -> int:
        wanted = self._n_processes or max(1, (os.cpu_count() or 1) // 2)
        return min(n_clients, max(wanted, -(-n_clients // _MAX_CLIENTS)))

    def _await(self, arrived: Callable[[_Worker], bool]) -> None:
        """Wait until all workers have come to a point, one has failed, or the run is stopped."""
        while not self._stop.is_set() and not self._course.failure and not all(map(arrived, self._workers)):
            self._hear()

    def _follow(self, on_progress: Callable[[Progress], None]) -> None:
        settle_s = _SETTLE_S if len(self._target.servers) > 1 else _HEAD_START_S
        self._start_ns = time.monotonic_ns() + round(settle_s * 1e9)
        for worker in self._workers:
            self._tell(worker, Go(self._start_ns))
        end_s = self._plan.duration_s or float("inf")
        last_delivered, last_news = 0, time.monotonic()
        while True:
            notes = self._hear()
            if self._stop.is_set() or self._course.failure:
                if not self._plan.n_publishers:
                    return
                self._stop_workers(offering=True)  # what they have published is still delivered
            progress = self._progress(notes)
            on_progress(progress)
            has_sent = all(worker.done for worker in self._workers if worker.role.offers)
            if progress.delivered > last_delivered or not has_sent:
                last_delivered, last_news = progress.delivered, time.monotonic()
            is_quiet = time.monotonic() - last_news > _QUIET_S
            if not self._plan.n_publishers:
                is_quiet = progress.elapsed_s >= end_s
            if has_sent and (is_quiet or self._is_delivered()):
                return
            if progress.elapsed_s > end_s + _OVERTIME_S + self._target.timeout_s:
                return

    def _finish(self, on_progress: Callable[[Progress], None]) -> None:
        """Stop who still works, and gather the outcomes."""
        course = self._course
        course.is_partial = self._stop.is_set() or course.failure is not None
        self._stop_workers(offering=True)
        self._stop_workers(offering=False)
        deadline = time.monotonic() + _STOP_S
        while not all(worker.done for worker in self._workers) and time.monotonic() < deadline:
            on_progress(self._progress(self._hear()))
        for worker in self._workers:
            done = worker.done
            if done is None:
                course.failure = course.failure or BenchError(f"a process of {worker.role}s does not end")
                continue
            course.outcomes += done.outcomes
            busy = 1 - done.waited_us / done.worked_us if done.worked_us else 0.0
            course.busy[worker.role] = max(busy, course.busy.get(worker.role, 0.0))
        course.outcomes.sort(key=lambda outcome: (not outcome.role.offers, outcome.index))

    def _stop_workers(self, *, offering: bool) -> None:
        for worker in self._workers:
            if worker.role.offers is offering and not worker.done and not worker.is_stopped:
                self._tell(worker, Stop())
                worker.is_stopped = True

    def _hear(self) -> list[str]:
        """Take what workers say within a moment; what is to be told of it."""
        notes: list[str] = []
        pipes = {worker.pipe: worker for worker in self._workers if not worker.done}
        for pipe in wait(list(pipes), _LOOK_S):
            assert isinstance(pipe, Connection)
            worker = pipes[pipe]
            try:
                word = pipe.recv()
            except (EOFError, ConnectionResetError):
                word = _account_for_dead(worker)
            if isinstance(word, Ready):
                worker.is_ready = True
            elif isinstance(word, Counted):
                worker.n_msgs = word.n_msgs
                notes += word.outages
            elif isinstance(word, Done):
                worker.done = word
                worker.n_msgs = {outcome.index: outcome.n_msgs for outcome in word.outcomes}
                self._course.failure = self._course.failure or word.failure
        return notes

    def _tell(self, worker: _Worker, word: object) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # its end is heard of on the next look
            worker.pipe.send(word)

    def _progress(self, notes: list[str]) -> Progress:
        plan = self._plan
        published = self._total(offers=True)
        delivered = self._total(offers=False)
        elapsed_s = max(0.0, (time.monotonic_ns() - self._start_ns) / 1e9) if self._start_ns else 0.0
        shares = []
        if n_msgs := plan.n_planned:
            shares.append(published / n_msgs if plan.n_publishers else delivered / (n_msgs * plan.n_groups))
        if plan.duration_s:
            shares.append(elapsed_s / plan.duration_s)
        return Progress(published, delivered, min(1.0, max(shares, default=0.0)), elapsed_s, tuple(notes))

    def _is_delivered(self) -> bool:
        plan = self._plan
        if plan.is_request or not plan.n_subscribers:
            return True
        published = self._total(offers=True) if plan.n_publishers else plan.n_msgs
        if not published and not plan.n_publishers:
            return False
        each = [n for worker in self._workers if not worker.role.offers for n in worker.n_msgs.values()]
        if plan.queue:
            return sum(each) >= published
        return len(each) == plan.n_subscribers and min(each) >= published

    def _total(self, *, offers: bool) -> int:
        return sum(sum(worker.n_msgs.values()) for worker in self._workers if worker.role.offers is offers)

    def _end_processes(self) -> None:
        for worker in self._workers:
            worker.pipe.close()
        for worker in self._workers:
            worker.process.join(1.0 if worker.done else 0.0)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()


def _account_for_dead(worker: _Worker) -> Done:
    """Speak for a process that was killed: what it counted is known, when is not."""
    worker.process.join()
    outcomes = tuple(Outcome(worker.role, index, n_msgs=n) for index, n in worker.n_msgs.items())
    failure = BenchError(f"a process of {worker.role}s ended with exit code {worker.process.exitcode}")
    return Done(outcomes, failure=failure)


@contextlib.contextmanager
def _keyboard_held() -> Iterator[None]:
    """Keep Ctrl-C until the block ends, and for good from the processes started in it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
