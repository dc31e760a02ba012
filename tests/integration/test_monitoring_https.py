"""The monitoring port over TLS: what is read there, and what hostile clients cannot do to it or to messages."""

from __future__ import annotations

import asyncio
import gc
import logging
import ssl
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest

from natsctl.broker import Broker
from natsctl.broker.monitor import http
from natsctl.broker.tls.negotiation import Negotiation
from natsctl.broker.tls.transport import TlsTransport
from natsctl.config.options import Options
from natsctl.pki.keys import KeyPolicy
from tests.support.tls import HALF_HELLO, Pair, Pki, TlsClient, first_record
from tests.support.wire import PATIENCE_S, WireClient

REQUEST = b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


def broker_with(pki: Pki, *pairs: Pair, **tls: Any) -> Broker:
    options = Options(host="127.0.0.1", port=-1, tls=pki.options(*pairs, **tls), https_port=-1, allow_non_tls=True)
    return Broker(options)


async def connect(broker: Broker) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", int(broker.monitor_url.rpartition(":")[2]))


async def converse(broker: Broker, sent: bytes, context: ssl.SSLContext | None = None) -> bytes:
    """Send bytes, perhaps encrypted, and read to the end."""
    reader, writer = await connect(broker)
    answer = b""
    async with asyncio.timeout(PATIENCE_S):
        if context is not None:
            await writer.start_tls(context, server_hostname="127.0.0.1")
        writer.write(sent)
        with suppress(OSError):
            while chunk := await reader.read(65536):
                answer += chunk
    writer.close()
    return answer


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(int(PATIENCE_S / 0.01)):
        if holds():
            return
        await asyncio.sleep(0.01)  # no event tells of it
    raise AssertionError("it never came to that")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_one_connection_reads_many_pages(pki: Pki, version: ssl.TLSVersion) -> None:
    context = pki.trust()
    context.maximum_version = version
    last = b"GET /connz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    async with broker_with(pki) as broker:
        answer = await converse(broker, REQUEST % b"/varz" + REQUEST % b"/healthz" + last, context)
    assert answer.count(b"HTTP/1.1 200 OK") == 3
    assert b'"https_port"' in answer and b'"connections"' in answer


async def test_a_long_page_arrives_whole(pki: Pki) -> None:
    async with broker_with(pki) as broker, AsyncExitStack() as stack:
        for _ in range(10):
            client = await stack.enter_async_context(await WireClient.open(broker.port, protocol=0))
            await client.send(b"".join(b"SUB %b.%d %d\r\n" % (b"x" * 200, n, n) for n in range(500)))
            await client.sync()
        request = b"GET /connz?subs=1 HTTP/1.0\r\n\r\n"
        answer = await converse(broker, request, pki.trust())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"200 OK" in head
    assert len(body) > 1_000_000
    assert body.count(b"x" * 200) == 5000


async def test_who_forgot_the_s_of_https_is_told_so(pki: Pki, caplog: pytest.LogCaptureFixture) -> None:
    async with broker_with(pki) as broker:
        answer = await converse(broker, REQUEST % b"/varz")
    assert answer.startswith(b"HTTP/1.0 400 Bad Request\r\n\r\n")
    assert b"Client sent an HTTP request to an HTTPS server." in answer
    assert "TLS handshake error from 127.0.0.1:" in caplog.text
    assert "client sent an HTTP request to an HTTPS server" in caplog.text


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"SSH-2.0-x\r\n", "first record does not look like a TLS handshake"),
        (b"\x16\x03\x01\xff\xff" + b"x" * 40, "first record does not look like a TLS handshake"),
        (b"\x16\x03\x01\x00\x20" + b"x" * 32, "tls: "),
        (HALF_HELLO, "i/o timeout"),
        (b"", "i/o timeout"),
    ],
)
async def test_what_is_no_handshake_ends_and_is_logged(
    pki: Pki, caplog: pytest.LogCaptureFixture, sent: bytes, words: str
) -> None:
    async with broker_with(pki, timeout_s=0.2) as broker:
        answer = await converse(broker, sent)
        assert answer[:1] in (b"", b"\x15")  # nothing, or an alert
        (line,) = [record for record in caplog.records if "TLS handshake error" in record.message]
        assert b"200 OK" in await converse(broker, b"GET /healthz HTTP/1.0\r\n\r\n", pki.trust())
    assert line.levelno == logging.ERROR
    assert words in line.message


async def test_a_storm_of_handshakes_holds_no_message_up(pki: Pki) -> None:
    """With such a key two hundred signatures take a second, if not several."""
    slow = pki.issue("slow", "127.0.0.1", key=KeyPolicy("rsa", 4096))
    async with broker_with(pki, slow, timeout_s=30.0) as broker, AsyncExitStack() as stack:
        plain = await stack.enter_async_context(await WireClient.open(broker.port, protocol=0))
        hello = first_record(pki.trust())
        writers = [(await connect(broker))[1] for _ in range(200)]
        for writer in writers:
            stack.callback(writer.close)
            writer.write(hello)
        slowest = 0.0
        for _ in range(20):
            begun = time.perf_counter()
            assert await plain.sync() == []
            slowest = max(slowest, time.perf_counter() - begun)
        assert slowest < 0.3
        assert b"200 OK" in await converse(broker, b"GET /healthz HTTP/1.0\r\n\r\n", pki.trust())


async def test_encrypted_connections_leave_nothing_for_the_garbage_collector(pki: Pki) -> None:
    """It would search everything there is, and everybody would wait for it."""
    gc.collect()
    gc.disable()
    try:
        async with broker_with(pki) as broker:
            for _ in range(3):
                assert b"200 OK" in await converse(broker, b"GET /healthz HTTP/1.0\r\n\r\n", pki.trust())
                await converse(broker, b"SSH-2.0-x\r\n")
                async with await TlsClient.open(broker.port, pki.trust(), protocol=0) as client:
                    await client.sync()
            await until(lambda: not [each for each in gc.get_objects() if isinstance(each, TlsTransport | Negotiation)])
    finally:
        gc.enable()


async def test_handshakes_that_stand_still_are_pushed_out_by_new_connections(
    pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "_MAX_CONNECTIONS", 5)
    async with broker_with(pki, timeout_s=30.0) as broker, AsyncExitStack() as stack:
        readers = []
        for _ in range(20):
            reader, writer = await connect(broker)
            stack.callback(writer.close)
            writer.write(HALF_HELLO)
            readers.append(reader)
        assert b"200 OK" in await converse(broker, b"GET /healthz HTTP/1.0\r\n\r\n", pki.trust())
        async with asyncio.timeout(PATIENCE_S):
            for reader in readers[:15]:
                with suppress(OSError):
                    assert await reader.read() == b""


async def test_a_stop_in_the_middle_of_handshakes_is_orderly(pki: Pki) -> None:
    async with AsyncExitStack() as stack:
        async with broker_with(pki, timeout_s=30.0) as broker:
            for sent in 10 * [HALF_HELLO, first_record(pki.trust())]:
                _, writer = await connect(broker)
                stack.callback(writer.close)
                writer.write(sent)
            begun = time.monotonic()
        assert time.monotonic() - begun < 0.9  # nobody is waited for
