"""A process of the load generator: several clients of one kind, taken in turn by one loop.

Task: the main thread of the process owns everything; only the search for a lost server has threads of its own.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

from natsctl.bench.client import Client, Clock
from natsctl.bench.outcome import Outcome, Role
from natsctl.bench.plan import Plan, Target
from natsctl.bench.publisher import Publisher
from natsctl.bench.requester import Requester
from natsctl.bench.responder import Responder
from natsctl.bench.subscriber import Subscriber
from natsctl.errors import AuthError, NatsctlError

__all__ = ["Counted", "Done", "Go", "Ready", "Stop", "work"]

_REPORT_S = 0.1
_STOP_S = 3.0
"""How long the end may take: what is still open then is left."""
_CLIENTS: dict[Role, type[Client]] = {
    Role.PUBLISHER: Publisher,
    Role.SUBSCRIBER: Subscriber,
    Role.REQUESTER: Requester,
    Role.RESPONDER: Responder,
}


@dataclass(frozen=True, slots=True)
class Ready:
    """To the conductor: all clients are connected, and subscribed."""


@dataclass(frozen=True, slots=True)
class Go:
    """To a worker: begin. Units: ``start_ns`` on the monotonic clock, the zero of all times."""

    start_ns: int


@dataclass(frozen=True, slots=True)
class Counted:
    """To the conductor: messages of each client so far, by index."""

    n_msgs: dict[int, int]
    outages: tuple[str, ...] = ()
    """What happened to connections since the last time, in words."""


@dataclass(frozen=True, slots=True)
class Stop:
    """To a worker: begin nothing new, and say what was done."""


@dataclass(frozen=True, slots=True)
class Done:
    """To the conductor: the end of a worker.

    Units: ``waited_us`` of ``worked_us`` passed in waiting, for the server or for the time to send.
    """

    outcomes: tuple[Outcome, ...]
    waited_us: int = 0
    worked_us: int = 0
    failure: NatsctlError | None = None


def work(pipe: Connection, plan: Plan, target: Target, role: Role, indexes: Sequence[int]) -> None:
    """Run one process: connect, wait for the start, do the work, send what came of it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the conductor decides how a run ends
    clock = Clock()
    clients = [_CLIENTS[role](plan, target, index, clock) for index in indexes]
    loop = _Loop(pipe, clients)
    failure: NatsctlError | None = None
    try:
        for client in clients:
            loop.current = client
            client.open()
        if loop.run_until_synced() and isinstance(go := _await_start(pipe), Go):
            clock.start_ns = go.start_ns
            time.sleep(max(0.0, -clock.now_us() / 1e6))
            loop.run()
    except NatsctlError as error:
        failure = error
        if loop.worked_us or isinstance(error, AuthError):  # otherwise it holds for all of them
            error.args = (f"{loop.current}: {error}",)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        os._exit(1)  # the conductor is gone, and nobody is left to report to
    for client in clients:
        client.close()
    pipe.send(Done(tuple(client.conclude() for client in clients), loop.waited_us, loop.worked_us, failure))


def _await_start(pipe: Connection) -> object:
    pipe.send(Ready())
    return pipe.recv()


class _Loop:
    """Advances each client, waits until a socket or the time says more, reads.

    Attributes:
        current: The client that is at work.
    """

    def __init__(self, pipe: Connection, clients: list[Client]) -> None:
        self.current = clients[0]
        self.waited_us = 0
        self.worked_us = 0
        self._pipe = pipe
        self._clients = clients
        self._is_over = False
        self._n_outages = {client: 0 for client in clients}

    def run_until_synced(self) -> bool:
        """Have the servers take what is said first; False when the run was stopped before."""
        while not self._is_over and not all(client.is_synced for client in self._clients):
            self._turn(_REPORT_S)
        self.waited_us = 0
        return not self._is_over

    def run(self) -> None:
        """Work until all clients have finished."""
        began = time.monotonic()
        next_report, end = began + _REPORT_S, float("inf")
        while not all(client.is_finished for client in self._clients) and time.monotonic() < end:
            self._turn(_REPORT_S)
            now = time.monotonic()
            if now >= next_report:
                self._report()
                next_report = now + _REPORT_S
            self.worked_us = round((now - began) * 1e6)
            if self._is_over and end == float("inf"):
                end = now + _STOP_S
                for client in self._clients:
                    client.stop()

    def _turn(self, limit_s: float) -> None:
        wait_s = limit_s
        for client in self._clients:
            if not client.is_finished:
                self.current = client
                wait_s = min(wait_s, client.advance())
        connected = {client.socket.fileno(): client for client in self._clients if client.socket}
        reads = [number for number, client in connected.items() if client.wants_read]
        writes = [number for number, client in connected.items() if client.has_output]
        # select() waits for microseconds, where epoll and poll round up to milliseconds: a pace needs the former.
        began = time.monotonic_ns()
        readable, _, _ = select.select([self._pipe.fileno(), *reads], writes, [], max(0.0, wait_s))
        if wait_s > 0:
            self.waited_us += (time.monotonic_ns() - began) // 1000
        for source in readable:
            if source not in connected:
                self._is_over = isinstance(self._pipe.recv(), Stop)
            else:
                self.current = connected[source]
                self.current.receive()

    def _report(self) -> None:
        counts = {client.outcome.index: client.outcome.n_msgs for client in self._clients}
        self._pipe.send(Counted(counts, tuple(self._new_outages())))

    def _new_outages(self) -> list[str]:
        lines = []
        for client in self._clients:
            outages = client.outcome.outages
            lines += [f"{client}: connection lost: {outage.reason}" for outage in outages[self._n_outages[client] :]]
            self._n_outages[client] = len(outages)
        return lines
