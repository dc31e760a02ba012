"""A thousand subscribers coming and going while a publisher floods others, who must not notice.

``python -m tests.integration.test_churn --rate 1000000 --seconds 10`` does it for longer and tells the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import socket
import struct
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest

from tests.support.flood import BLOCK, Flood, Follower
from tests.support.process import NATSCTL, ServerProcess, running_server
from tests.support.wire import WireClient, connect_line

_SUBJECT = b"churn.fixed"
_SIZE = 16
_N_FIXED = 2
_N_CHURNING = 1000
_WINDOW = 200_000
"""Messages the flood may be ahead of the slowest reader: this is no test of slow consumers."""
_RESET = struct.pack("ii", 1, 0)
_GREETING = connect_line(protocol=0)


class Crowd:
    """Subscribers that come, change their mind and leave without a word.

    Attributes:
        came: How many connected.
    """

    def __init__(self, port: int, seed: int) -> None:
        self.came = 0
        self._port = port
        self._random = Random(seed)
        self._sockets: list[socket.socket] = []
        self._passing: list[socket.socket] = []
        """Those that get the flood, and leave before they are too slow for it."""

    def move(self) -> None:
        """Let one come, and another one go or change its subscriptions."""
        if len(self._sockets) < _N_CHURNING:
            self._come()
        who = self._random.randrange(len(self._sockets))
        if len(self._sockets) < _N_CHURNING or self._random.random() < 0.3:
            lines = b"UNSUB %d\r\nSUB churn.fixed.%d 9\r\n" % (self._random.randint(1, 4), who)
            self._sockets[who].sendall(lines)
        else:
            self._leave(who)

    def _come(self) -> None:
        self.came += 1
        sock = socket.create_connection(("127.0.0.1", self._port))
        lines = b"SUB churn.*.%d 1\r\nSUB *.nobody 2\r\nSUB _INBOX.%d.* 3\r\nSUB churn.fixed.> 4\r\n"
        sock.sendall(_GREETING + lines % (self.came, self.came))
        if self.came % 50:
            self._sockets.append(sock)
            return
        sock.sendall(self._random.choice((b"SUB churn.> 5\r\n", b"SUB * 5\r\nSUB *.fixed 6\r\nUNSUB 6 20\r\n")))
        self._passing.append(sock)
        if len(self._passing) > 3:
            self._end(self._passing.pop(0))

    def _leave(self, who: int) -> None:
        sock = self._sockets[who]
        self._sockets[who] = self._sockets[-1]
        self._sockets.pop()
        self._end(sock)

    def _end(self, sock: socket.socket) -> None:
        if self._random.random() < 0.5:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        sock.close()

    def disperse(self) -> None:
        """Let all leave."""
        for sock in (*self._sockets, *self._passing):
            self._end(sock)


async def churn(port: int, *, seconds: float, rate: float, n_come: int) -> tuple[int, int]:
    """Flood and churn for so long and until so many have come; returns messages sent and subscribers that came."""
    with ExitStack() as stack:
        followers = [await Follower.open(port, _SUBJECT, _SIZE) for _ in range(_N_FIXED)]
        sender = await WireClient.open(port, protocol=0)
        for client in (sender, *(follower.client for follower in followers)):
            stack.callback(client.close)
        flood, crowd = Flood(sender, _SUBJECT, _SIZE), Crowd(port, seed=1)
        stack.callback(crowd.disperse)
        until = time.monotonic() + seconds

        async def publish() -> None:
            while time.monotonic() < until or crowd.came < n_come:
                crowd.move()
                await flood.send(rate)
                while flood.sent - min(follower.received for follower in followers) > _WINDOW:  # noqa: ASYNC110
                    await asyncio.sleep(0)  # the followers read meanwhile; an event for each read would slow them
            for follower in followers:
                follower.until = flood.sent

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(publish())
            for follower in followers:
                tasks.create_task(follower.follow())
        for follower in followers:
            assert await follower.client.sync() == []
    return flood.sent, crowd.came


async def test_fixed_subscribers_lose_nothing_while_a_thousand_others_come_and_go(tmp_path: Path) -> None:
    allow_sockets(2 * _N_CHURNING)
    with running_server(NATSCTL, tmp_path) as server:
        sent, came = await churn(server.port, seconds=2, rate=0, n_come=1200)
        assert came >= 1200
        assert sent >= 100 * BLOCK
        assert "Slow Consumer" not in server.log()


def allow_sockets(n_sockets: int) -> None:
    """Let this process, and those it starts, have so many open files and some."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < n_sockets + 200:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, n_sockets + 200), hard))


def test_an_idle_connection_costs_ten_kibibytes_at_most(tmp_path: Path) -> None:
    n_idle = 5000
    allow_sockets(n_idle)
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < n_idle:
        pytest.skip(f"this machine does not let a process have {n_idle} sockets")
    with running_server(NATSCTL, tmp_path) as server, ExitStack() as stack:
        _connect(server, stack, 100)
        before = server.memory_bytes()
        _connect(server, stack, n_idle)
        assert (server.memory_bytes() - before) / n_idle <= 10 * 1024


def _connect(server: ServerProcess, stack: ExitStack, n_connections: int) -> None:
    sockets = []
    for _ in range(n_connections):
        sock = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        sock.sendall(_GREETING + b"PING\r\n")
        sockets.append(sock)
    for sock in sockets:
        while not sock.recv(4096).endswith(b"PONG\r\n"):
            pass


def main() -> None:
    """Churn as the command line says and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.integration.test_churn")
    parser.add_argument("--rate", type=float, default=1_000_000, help="messages per second; 0: all that goes")
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    allow_sockets(2 * _N_CHURNING)
    with tempfile.TemporaryDirectory() as directory, running_server(NATSCTL, Path(directory)) as server:
        began = time.monotonic()
        sent, came = asyncio.run(churn(server.port, seconds=options.seconds, rate=options.rate, n_come=_N_CHURNING))
        elapsed_s = time.monotonic() - began
    print(f"{sent} messages to each of {_N_FIXED} in {elapsed_s:.1f} s ({sent / elapsed_s:,.0f}/s), nothing lost")
    print(f"{came} subscribers came, {came / elapsed_s:,.0f}/s")


if __name__ == "__main__":
    main()
