"""The sender against a peer that takes everything: it must not be the bottleneck, and it keeps the protocol."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from natsctl.bench.conductor import Conductor
from natsctl.bench.plan import Plan, Target
from natsctl.bench.result import Result, evaluate

SINK = r"""
import socket, sys

def serve(client, mode):
    client.sendall(b'INFO {"max_payload": 1048576, "headers": true} \r\n')
    tail, total, asked = b"", 0, False
    buffer = bytearray(1 << 20)
    while n := client.recv_into(buffer):
        total += n
        tail = (tail + buffer[max(0, n - 64):n])[-64:]
        if mode == "pings" and not asked and total > 10_000_000:
            client.sendall(b"PING\r\n")
            asked = True
        if asked and b"PONG\r\n" in buffer[:n]:
            print("ponged", flush=True)
            asked = False
        if b"PING\r\n" in tail:
            client.sendall(b"PONG\r\n")
            tail = b""
    print("total", total, flush=True)

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
serve(listener.accept()[0], sys.argv[1])
"""
"""A server that answers the last PING, and throws the rest away."""

FRAME_BYTES = len(b"PUB hi 16\r\n") + 16 + 2
FLOOR_PER_S = 1_000_000
"""What even a machine that is busy with other tests must reach; a quiet one reaches ten times as much."""


@contextmanager
def sink(mode: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen([sys.executable, "-c", SINK, mode], stdout=subprocess.PIPE, text=True)
    with process:
        try:
            assert process.stdout is not None
            yield process, f"nats://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


def publish(url: str, n_msgs: int) -> Result:
    plan = Plan("hi", n_msgs=n_msgs, size=16)
    plan.check()
    return evaluate(plan, Conductor(plan, Target((url,))).run(lambda progress: None))


def test_millions_of_messages_leave_in_a_second_and_every_byte_of_them_arrives() -> None:
    with sink("plain") as (process, url):
        result = publish(url, 5_000_000)
        assert process.stdout is not None
        total = int(process.stdout.readline().removeprefix("total "))
    assert result.accounting.offered == 5_000_000
    assert result.publishers.msgs_per_s > FLOOR_PER_S
    assert 0 <= total - 5_000_000 * FRAME_BYTES < 1000  # CONNECT and PINGs


def test_a_ping_in_the_middle_is_answered() -> None:
    with sink("pings") as (process, url):
        publish(url, 2_000_000)
        assert process.stdout is not None
        assert process.stdout.readline() == "ponged\n"
