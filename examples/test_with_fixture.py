"""Tests with a broker of their own: the fixture `nats_server` is there as soon as natsctl is installed."""

from __future__ import annotations

import asyncio
import socket

import nats
import pytest
from nats.aio.msg import Msg

from natsctl.testing import BrokerThread


async def serve_prices(url: str, ready: asyncio.Event) -> None:
    """Be the service under test: it knows the price of everything, from the environment only where NATS is."""

    async def tell(msg: Msg) -> None:
        await msg.respond(b"4.20")

    client = await nats.connect(url, reconnect_time_wait=0.05)
    try:
        await client.subscribe("price", cb=tell)
        await client.flush()
        ready.set()
        await asyncio.Event().wait()
    finally:
        await client.close()


async def ask(url: str) -> bytes:
    """Start the service, ask it once, and stop it."""
    ready = asyncio.Event()
    service = asyncio.create_task(serve_prices(url, ready))
    await ready.wait()
    client = await nats.connect(url)
    answer = await client.request("price", b"tea")
    await client.close()
    service.cancel()
    await asyncio.wait([service])
    return answer.data


def test_the_service_knows_the_price(nats_server: BrokerThread) -> None:
    """The broker runs in a thread of its own: it does not care how, or whether, a test runs an event loop."""
    assert asyncio.run(ask(nats_server.url)) == b"4.20"


@pytest.mark.nats_server(config_text="authorization { token: sesame }")
def test_the_service_logs_in(nats_server: BrokerThread) -> None:
    """The marker tells the broker of one test what it should be like."""
    assert asyncio.run(ask(f"nats://sesame@127.0.0.1:{nats_server.port}")) == b"4.20"


def test_a_blocking_client_needs_nothing_but_a_socket(nats_server: BrokerThread) -> None:
    """The protocol is text, and any client will do."""
    with socket.create_connection((nats_server.host, nats_server.port), timeout=5) as sock:
        sock.sendall(b"SUB greetings 1\r\nPUB greetings 5\r\nhello\r\n")
        lines = sock.makefile("rb")
        assert lines.readline().startswith(b"INFO ")
        assert [lines.readline() for _ in range(4)] == [b"+OK\r\n", b"+OK\r\n", b"MSG greetings 1 5\r\n", b"hello\r\n"]
