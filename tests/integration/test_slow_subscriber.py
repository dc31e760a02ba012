"""One subscriber that never reads among fast ones: it is cut, they get everything, and memory stays bounded.

``python -m tests.integration.test_slow_subscriber`` tells how much the fast ones lose in speed, and what the slow one
costs the server: until it is cut there is one more to deliver to, from then on nothing. Nobody waits for it.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from natsctl.engine import available
from tests.support.flood import BLOCK, Flood, Follower
from tests.support.process import NATSCTL, ServerProcess, nats_server, running_server
from tests.support.wire import WireClient

_SUBJECT = b"market"
_SIZE = 128
_N_FAST = 3
_MAX_PENDING = 16 << 20
_OVERHEAD_BYTES = 48 << 20
"""What a server may take besides: read and output buffers of the fast ones, the allocator's slack."""
_WINDOW = 20_000
"""Messages the flood may be ahead of the slowest of the fast: they are to be fast."""


def config(max_pending: int = _MAX_PENDING) -> str:
    """Lines of ``nats.conf``: only bytes cut the slow one, not time."""
    return f'max_pending: {max_pending}, write_deadline: "60s"'


def cut(max_pending: int = _MAX_PENDING) -> str:
    """What the server logs when it cuts the slow one."""
    return f"Slow Consumer Detected: MaxPending of {max_pending} Exceeded"


@dataclass(frozen=True, slots=True)
class Run:
    """What one flood took.

    Attributes:
        elapsed_s: From the first message until all of the fast have the last one.
        cpu_s: The server's part.
        most_bytes: The most memory of the server that was seen meanwhile.
    """

    elapsed_s: float
    cpu_s: float
    most_bytes: int


def cpu_s(server: ServerProcess) -> float:
    """Processor time the server has taken so far."""
    times = psutil.Process(server.process.pid).cpu_times()
    return times.user + times.system


async def market(server: ServerProcess, n_messages: int, *, with_slow: bool) -> Run:
    """Send so many messages to the fast, and perhaps to a slow one."""
    with ExitStack() as stack:
        followers = [await Follower.open(server.port, _SUBJECT, _SIZE) for _ in range(_N_FAST)]
        clients = [follower.client for follower in followers]
        if with_slow:
            slow = await WireClient.open(server.port, receive_buffer=4096, protocol=0)
            await slow.send(b"SUB %b 1\r\n" % _SUBJECT)
            assert await slow.sync() == []
            clients.append(slow)
        sender = await WireClient.open(server.port, protocol=0)
        for client in (sender, *clients):
            stack.callback(client.close)
        flood = Flood(sender, _SUBJECT, _SIZE)
        most_bytes = 0

        async def publish() -> None:
            nonlocal most_bytes
            for follower in followers:
                follower.until = n_messages
            while flood.sent < n_messages:
                await flood.send()
                most_bytes = max(most_bytes, server.memory_bytes())
                while flood.sent - min(follower.received for follower in followers) > _WINDOW:  # noqa: ASYNC110
                    await asyncio.sleep(0)  # the followers read meanwhile; an event for each read would slow them

        began, cpu_began_s = time.monotonic(), cpu_s(server)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(publish())
            for follower in followers:
                tasks.create_task(follower.follow())
        run = Run(time.monotonic() - began, cpu_s(server) - cpu_began_s, most_bytes)
        for follower in followers:
            assert await follower.client.sync() == []
        return run


@pytest.mark.parametrize(("engine", "n_blocks"), [(name, 500 if name == "native" else 150) for name in available()])
async def test_a_subscriber_that_never_reads_is_cut_and_costs_no_one_a_message(
    tmp_path: Path, engine: str, n_blocks: int
) -> None:
    with running_server(NATSCTL, tmp_path, config(), engine) as server:
        before = server.memory_bytes()
        run = await market(server, n_blocks * BLOCK, with_slow=True)
        assert server.log().count(cut()) == 1
        assert server.log().count("Slow Consumer") == 1
        assert run.most_bytes - before < _MAX_PENDING + _OVERHEAD_BYTES


async def test_without_one_nobody_is_cut(tmp_path: Path) -> None:
    with running_server(NATSCTL, tmp_path, config()) as server:
        await market(server, 100 * BLOCK, with_slow=False)
        assert "Slow Consumer" not in server.log()


def main() -> None:
    """Compare the fast with and without a slow one among them, in pairs, and print the medians."""
    parser = argparse.ArgumentParser(prog="python -m tests.integration.test_slow_subscriber")
    parser.add_argument("--messages", type=int, default=2_000_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--max-pending", type=int, default=_MAX_PENDING)
    parser.add_argument("--engine", choices=("native", "pure"), default="native")
    parser.add_argument("--nats-server", action="store_true", help="measure the official server instead")
    options = parser.parse_args()
    command = nats_server() if options.nats_server else NATSCTL
    n_messages = options.messages // BLOCK * BLOCK
    speeds, alone_s, beside_s = [], 0.0, 0.0
    lines = config(options.max_pending)
    with (
        tempfile.TemporaryDirectory() as directory,
        running_server(command, Path(directory), lines, options.engine) as server,
    ):
        before = server.memory_bytes()
        for _ in range(options.pairs):
            alone = asyncio.run(market(server, n_messages, with_slow=False))
            beside = asyncio.run(market(server, n_messages, with_slow=True))
            speeds.append(alone.elapsed_s / beside.elapsed_s)
            alone_s += alone.cpu_s
            beside_s += beside.cpu_s
            print(
                f"{n_messages / alone.elapsed_s:,.0f}/s without, {n_messages / beside.elapsed_s:,.0f}/s with a slow "
                f"one: {speeds[-1]:.2f}, {(beside.most_bytes - before) / (1 << 20):.0f} MiB"
            )
        n_cut = server.log().count(cut(options.max_pending))
    print(f"median {statistics.median(speeds):.2f}, {beside_s / alone_s:.2f} times the processor time, {n_cut} cut")


if __name__ == "__main__":
    main()
