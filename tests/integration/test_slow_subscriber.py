"""One subscriber that never reads among fast ones: it is cut, they get everything, and memory stays bounded.

``python -m tests.integration.test_slow_subscriber`` tells how much the fast ones lose in speed. It depends on how long
one looks: until the slow one is cut its senders are stalled, as nats-server does it; from then on nothing is lost.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

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
_CONFIG = f'max_pending: {_MAX_PENDING}, write_deadline: "60s"'
_CUT = f"Slow Consumer Detected: MaxPending of {_MAX_PENDING} Exceeded"


async def market(server: ServerProcess, n_messages: int, *, with_slow: bool) -> tuple[float, int]:
    """Send so many messages to the fast, and perhaps to a slow one; returns seconds and the most memory seen."""
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

        began = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(publish())
            for follower in followers:
                tasks.create_task(follower.follow())
        elapsed_s = time.monotonic() - began
        for follower in followers:
            assert await follower.client.sync() == []
        return elapsed_s, most_bytes


async def test_a_subscriber_that_never_reads_is_cut_and_costs_no_one_a_message(tmp_path: Path) -> None:
    with running_server(NATSCTL, tmp_path, _CONFIG) as server:
        before = server.memory_bytes()
        _, most_bytes = await market(server, 500 * BLOCK, with_slow=True)
        assert server.log().count(_CUT) == 1
        assert server.log().count("Slow Consumer") == 1
        assert most_bytes - before < _MAX_PENDING + _OVERHEAD_BYTES


async def test_without_one_nobody_is_cut(tmp_path: Path) -> None:
    with running_server(NATSCTL, tmp_path, _CONFIG) as server:
        await market(server, 100 * BLOCK, with_slow=False)
        assert "Slow Consumer" not in server.log()


def main() -> None:
    """Compare the speed of the fast with and without a slow one among them, in pairs, and print the median."""
    parser = argparse.ArgumentParser(prog="python -m tests.integration.test_slow_subscriber")
    parser.add_argument("--messages", type=int, default=2_000_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--nats-server", action="store_true", help="measure the official server instead")
    options = parser.parse_args()
    command = nats_server() if options.nats_server else NATSCTL
    n_messages = options.messages // BLOCK * BLOCK
    ratios = []
    with tempfile.TemporaryDirectory() as directory, running_server(command, Path(directory), _CONFIG) as server:
        before = server.memory_bytes()
        for _ in range(options.pairs):
            alone_s, _ = asyncio.run(market(server, n_messages, with_slow=False))
            beside_s, most_bytes = asyncio.run(market(server, n_messages, with_slow=True))
            ratios.append(alone_s / beside_s)
            print(
                f"{n_messages / alone_s:,.0f}/s without, {n_messages / beside_s:,.0f}/s with a slow one: "
                f"{ratios[-1]:.2f}, {(most_bytes - before) / (1 << 20):.0f} MiB"
            )
        assert server.log().count(_CUT) == options.pairs
    print(f"median {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
