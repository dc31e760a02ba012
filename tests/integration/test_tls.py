"""Clients over TLS: how they get in, what keeps them out, and who is not disturbed by it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
import shutil
import ssl
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from natsctl.broker import Broker
from natsctl.config.options import Options, User
from natsctl.errors import ClosedReason, ConfigError
from natsctl.pki.keys import KeyPolicy
from natsctl.pki.presented import PresentedCertificate
from tests.support.tls import HALF_HELLO, Pair, Pki, TlsClient, first_record
from tests.support.wire import PATIENCE_S, WireClient, connect_line

GARBAGE = b"\x17\x03\x03\x00\x20" + b"x" * 32


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def alice(pki: Pki) -> Pair:
    return pki.issue("alice", "alice@example.com", "alice.example.com", cn="alice")


def broker_with(pki: Pki, *pairs: Pair, users: list[User] | None = None, **tls: object) -> Broker:
    options = Options(host="127.0.0.1", port=-1, tls=pki.options(*pairs, **tls))
    options.authorization.users = users or []
    return Broker(options)


async def reasons(broker: Broker, n_closed: int = 1) -> list[ClosedReason]:
    """Why connections were closed, once there are so many."""
    await until(lambda: len(broker.registry.closed) >= n_closed)
    return [closed.reason for closed in broker.registry.closed]


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(int(PATIENCE_S / 0.01)):
        if holds():
            return
        await asyncio.sleep(0.01)  # no event tells of it
    raise AssertionError("it never came to that")


# ---- who gets in


async def test_info_comes_in_clear_and_everything_else_encrypted(pki: Pki) -> None:
    async with broker_with(pki) as broker, await TlsClient.open(broker.port, pki.trust(), protocol=0) as client:
        assert (client.info["tls_required"], "tls_verify" in client.info) == (True, False)
        assert broker.url.startswith("tls://")
        await client.send(b"SUB greetings 1\r\n")
        await client.send(b"PUB greetings 5\r\nhello\r\n")
        assert await client.sync() == [b"MSG greetings 1 5\r\nhello"]


@pytest.mark.parametrize("size", [1, 16384, 300_000, 1_000_000])
async def test_payloads_of_any_size_arrive_whole(pki: Pki, size: int) -> None:
    payload = bytes(range(256)) * (size // 256 + 1)
    message = b"%d\r\n%b\r\n" % (size, payload[:size])
    async with broker_with(pki) as broker, await TlsClient.open(broker.port, pki.trust(), protocol=0) as client:
        await client.send(b"SUB foo 1\r\n" + b"PUB foo " + message)
        await client.send((b"PUB foo " + message) * 3)
        assert await client.sync() == [b"MSG foo 1 " + message[:-2]] * 4


async def test_a_connect_that_comes_right_behind_the_handshake_is_not_lost(pki: Pki) -> None:
    """A client may send its last record of the handshake and its first of the protocol in one piece."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = pki.trust().wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    async with broker_with(pki) as broker, await WireClient.open(broker.port) as client:
        loop = asyncio.get_running_loop()
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                await client.send(outgoing.read())
                incoming.write(await loop.sock_recv(client.socket, 65536))
        tls.write(b'CONNECT {"verbose":false}\r\nPING\r\n')
        await client.send(outgoing.read())
        incoming.write(await loop.sock_recv(client.socket, 65536))
        assert tls.read() == b"PONG\r\n"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_the_page_of_connections_tells_how_each_is_encrypted(pki: Pki, version: ssl.TLSVersion) -> None:
    context = pki.trust()
    context.maximum_version = version
    async with broker_with(pki) as broker, await TlsClient.open(broker.port, context) as client:
        await client.sync()
        (connection,) = broker.registry.open.values()
        assert connection.tls is not None
        assert connection.tls.version == version.name.removeprefix("TLSv").replace("_", ".")
        assert connection.tls.suite.startswith("TLS_")
        assert not connection.tls.is_first


async def test_tls_may_come_first(pki: Pki) -> None:
    async with broker_with(pki, handshake_first_s=math.inf) as broker:
        async with await TlsClient.open(broker.port, pki.trust(), first=True) as client:
            await client.sync()
            assert client.info["tls_required"]
            assert [c.tls.is_first for c in broker.registry if c.tls] == [True]
        async with await TlsClient.connect(broker.port) as impatient:
            await impatient.send(b"PING\r\n")
            assert await impatient.end() == []  # nothing in clear, not even INFO


async def test_who_does_not_begin_with_tls_in_time_gets_info_in_clear(pki: Pki) -> None:
    async with broker_with(pki, handshake_first_s=0.05) as broker:
        for first in (True, False):
            async with await TlsClient.open(broker.port, pki.trust(), first=first) as client:
                await client.sync()
        assert [closed.tls.is_first for closed in broker.registry.closed if closed.tls] in ([True], [True, False])


async def test_clients_may_do_without_tls_where_that_is_allowed(pki: Pki) -> None:
    options = Options(host="127.0.0.1", port=-1, tls=pki.options(), allow_non_tls=True)
    async with (
        Broker(options) as broker,
        await TlsClient.open(broker.port, pki.trust(), protocol=0) as secret,
        await WireClient.open(broker.port, protocol=0) as clear,
    ):
        assert broker.url.startswith("nats://")
        assert (clear.info["tls_available"], "tls_required" in clear.info) == (True, False)
        await clear.send(b"SUB foo 1\r\n")
        await clear.sync()
        await secret.send(b"PUB foo 2\r\nhi\r\n")
        await secret.sync()
        assert await clear.sync() == [b"MSG foo 1 2\r\nhi"]


async def test_of_several_certificates_that_for_the_name_asked_for_is_shown(pki: Pki) -> None:
    other = pki.issue("other", "nats.example.com", "*.cluster.example.com")
    async with broker_with(pki, pki.server, other) as broker:
        shown = {}
        for name in ("localhost", "nats.example.com", "a.cluster.example.com"):
            async with await TlsClient.open(broker.port, pki.trust(), name=name) as client:
                shown[name] = client.tls.getpeercert(binary_form=True)
    assert shown["nats.example.com"] == shown["a.cluster.example.com"] != shown["localhost"]


# ---- who does not


@pytest.mark.parametrize(
    ("sent", "level", "words"),
    [
        (b"PING\r\n", "DEBUG", "first record does not look like a TLS handshake"),
        (b"GET / HTTP/1.1\r\n\r\n", "DEBUG", "first record does not look like a TLS handshake"),
        (b"\x16\x03\x01\xff\xff" + b"x" * 40, "DEBUG", "first record does not look like a TLS handshake"),
        (b"\x16\x03\x01\x00\x20" + b"x" * 32, "ERROR", "tls: "),
        (GARBAGE, "DEBUG", "first record does not look like a TLS handshake"),
    ],
)
async def test_what_is_no_handshake_is_refused(
    pki: Pki, caplog: pytest.LogCaptureFixture, sent: bytes, level: str, words: str
) -> None:
    caplog.set_level(logging.DEBUG, "natsctl.broker")
    async with broker_with(pki) as broker, await TlsClient.connect(broker.port) as client:
        await client.greeting()
        await client.send(sent)
        await client.end()
        assert await reasons(broker) == [ClosedReason.TLS_HANDSHAKE_FAILURE]
    (line,) = [r for r in caplog.records if "TLS handshake error: " in r.message]
    assert line.levelname == level
    assert words in line.message


async def test_half_a_hello_and_silence_is_cut_off_after_the_timeout(pki: Pki) -> None:
    async with broker_with(pki, timeout_s=0.2) as broker, await TlsClient.connect(broker.port) as client:
        await client.greeting()
        await client.send(HALF_HELLO)
        assert await client.end() == []
        assert await reasons(broker) == [ClosedReason.TLS_HANDSHAKE_FAILURE]


async def test_a_client_without_a_certificate_is_refused_where_one_is_demanded(
    pki: Pki, alice: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    async with broker_with(pki, verify=True) as broker:
        async with await TlsClient.open(broker.port, pki.trust(alice)) as client:
            await client.sync()
            assert client.info["tls_verify"]
        async with await TlsClient.open(broker.port, pki.trust()) as client:
            assert await client.end() == []
        assert ClosedReason.TLS_HANDSHAKE_FAILURE in await reasons(broker, 2)
    assert "tls: client didn't provide a certificate" in caplog.text


async def test_a_certificate_of_somebody_elses_ca_is_refused(
    pki: Pki, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stranger = Pki(tmp_path).issue("stranger")
    async with (
        broker_with(pki, verify=True) as broker,
        await TlsClient.open(broker.port, pki.trust(stranger)) as client,
    ):
        assert await client.end() == []
    assert "tls: failed to verify certificate: x509: " in caplog.text


async def test_an_old_version_is_refused(pki: Pki) -> None:
    context = pki.trust()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with broker_with(pki, min_version="1.3") as broker:
        with pytest.raises(OSError, match=r"(?i)protocol version"):
            await TlsClient.open(broker.port, context)


async def test_only_the_suites_that_were_chosen_are_offered(pki: Pki) -> None:
    chosen = ["TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"]
    context = pki.trust()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with broker_with(pki, cipher_suites=chosen) as broker:
        async with await TlsClient.open(broker.port, context) as client:
            await client.sync()
            assert [c.tls.suite for c in broker.registry if c.tls] == chosen
        context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
        with pytest.raises(OSError, match=r"(?i)handshake failure"):
            await TlsClient.open(broker.port, context)


async def test_a_public_key_that_is_not_pinned_is_refused(pki: Pki, alice: Pair) -> None:
    bob = pki.issue("bob")
    pin = PresentedCertificate(ssl.PEM_cert_to_DER_cert(alice.certificate.read_text())).public_key_sha256
    async with broker_with(pki, verify=True, pinned_certs=[pin.upper()]) as broker:
        async with await TlsClient.open(broker.port, pki.trust(alice)) as client:
            await client.sync()
        async with await TlsClient.open(broker.port, pki.trust(bob)) as client:
            assert await client.end() == []


async def test_handshakes_above_the_limit_are_told_to_come_later(pki: Pki, caplog: pytest.LogCaptureFixture) -> None:
    async with broker_with(pki, connection_rate_limit=2) as broker:
        answers: list[list[bytes]] = []
        for _ in range(4):
            async with await TlsClient.connect(broker.port) as client:
                await client.greeting()
                if len(answers) < 2:
                    await client.encrypt(pki.trust())
                    answers.append(await client.sync())
                else:
                    answers.append(await client.end())
        assert answers[2:] == [[b"-ERR 'Connection throttling is active. Please try again later.'"]] * 2
        await until(lambda: "Rejected 2 connections due to TLS rate limiting" in caplog.text)


async def test_a_record_that_is_none_ends_the_connection_and_no_other(pki: Pki) -> None:
    async with (
        broker_with(pki) as broker,
        await TlsClient.open(broker.port, pki.trust()) as other,
        await TlsClient.open(broker.port, pki.trust()) as client,
    ):
        await client.sync()
        client.send_past_encryption(GARBAGE)
        await client.end()
        assert await reasons(broker) == [ClosedReason.READ_ERROR]
        await other.sync()


async def test_who_asks_for_a_second_handshake_is_cut_off_and_no_other(pki: Pki) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl: apt-get install openssl")
    async with (
        broker_with(pki, handshake_first_s=math.inf) as broker,
        await TlsClient.open(broker.port, pki.trust(), first=True) as other,
    ):
        command = ("openssl", "s_client", "-tls1_2", "-connect", f"127.0.0.1:{broker.port}")
        client = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL)
        assert client.stdin is not None and client.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            await client.stdout.readuntil(b"INFO {")
            client.stdin.write(b"R\n")
            await client.wait()  # on its own: its input stays open
        assert await reasons(broker) == [ClosedReason.READ_ERROR]
        await other.sync()


# ---- who one is


@pytest.mark.parametrize("name", ["alice@example.com", "alice.example.com", "CN=alice"])
async def test_a_certificate_is_a_login(pki: Pki, alice: Pair, name: str) -> None:
    async with (
        broker_with(pki, verify_and_map=True, users=[User(name), User("bob")]) as broker,
        await TlsClient.open(broker.port, pki.trust(alice), user="bob") as client,
    ):
        await client.sync()
        assert [connection.user for connection in broker.registry] == [name]


async def test_a_certificate_that_is_nobodys_is_refused(pki: Pki, alice: Pair) -> None:
    async with (
        broker_with(pki, verify_and_map=True, users=[User("bob@example.com")]) as broker,
        await TlsClient.open(broker.port, pki.trust(alice), user="bob@example.com") as client,
    ):
        assert await client.end() == [b"-ERR 'Authorization Violation'"]
        assert await reasons(broker) == [ClosedReason.AUTHENTICATION_FAILURE]


async def test_a_certificate_is_no_password(pki: Pki, alice: Pair) -> None:
    user = User("alice@example.com", password="secret")
    async with broker_with(pki, verify_and_map=True, users=[user]) as broker:
        async with await TlsClient.open(broker.port, pki.trust(alice), protocol=0) as client:
            assert await client.end() == [b"-ERR 'Authorization Violation'"]
        async with await TlsClient.open(broker.port, pki.trust(alice)) as client:
            await client.send(connect_line(**{"pass": "secret"}))
            await client.sync()


# ---- who is not disturbed


async def test_a_thousand_handshakes_at_once_hold_nobody_up(pki: Pki) -> None:
    """With such a key two hundred signatures take a second, if not several."""
    slow = pki.issue("slow", "127.0.0.1", key=KeyPolicy("rsa", 4096))
    options = Options(host="127.0.0.1", port=-1, tls=pki.options(slow, timeout_s=30.0), allow_non_tls=True)
    async with Broker(options) as broker, AsyncExitStack() as stack:
        plain = await stack.enter_async_context(await WireClient.open(broker.port, protocol=0))
        hostile = [await stack.enter_async_context(await TlsClient.connect(broker.port)) for _ in range(1000)]
        hello = first_record(pki.trust())
        for client in hostile[:200]:
            await client.send(hello)
        for client in hostile[200:]:
            await client.send(HALF_HELLO)
        slowest = 0.0
        for _ in range(20):
            begun = time.perf_counter()
            assert await plain.sync() == []
            slowest = max(slowest, time.perf_counter() - begun)
        assert slowest < 0.5
        async with await TlsClient.open(broker.port, pki.trust()) as late:
            await late.sync()


async def test_a_reader_that_is_too_slow_is_cut_and_nobody_else(pki: Pki) -> None:
    options = Options(host="127.0.0.1", port=-1, tls=pki.options(), max_pending=2_000_000)
    message = b"65536\r\n%b\r\n" % (b"x" * 65536)
    async with (
        Broker(options) as broker,
        await TlsClient.open(broker.port, pki.trust(), protocol=0) as slow,
        await TlsClient.open(broker.port, pki.trust(), protocol=0) as quick,
        await TlsClient.open(broker.port, pki.trust(), protocol=0) as sender,
    ):
        for reader in (slow, quick):
            await reader.send(b"SUB foo 1\r\n")
            assert await reader.sync() == []
        received = 0
        for _ in range(200):
            await sender.send(b"PUB foo " + message)
            received += len(await quick.sync())
        assert await sender.sync() == []
        received += len(await quick.sync())
        assert received == 200
        assert await reasons(broker) == [ClosedReason.SLOW_CONSUMER_PENDING_BYTES]
        slow.abort()


async def test_a_stop_in_the_middle_of_handshakes_is_orderly(pki: Pki) -> None:
    async with AsyncExitStack() as stack:
        async with broker_with(pki) as broker:
            for _ in range(50):
                client = await stack.enter_async_context(await TlsClient.connect(broker.port))
                await client.greeting()
                await client.send(HALF_HELLO)
            begun = time.monotonic()
        assert time.monotonic() - begun < 0.9  # nobody is waited for
        assert set(await reasons(broker, 50)) == {ClosedReason.SERVER_SHUTDOWN}


# ---- what cannot be


async def test_a_broker_without_its_certificate_does_not_start(pki: Pki, tmp_path: Path) -> None:
    for pair, words in (
        (Pair(tmp_path / "nope.pem", pki.server.key), "no such file"),
        (Pair(pki.server.certificate, pki.issue("else").key), "the key is that of another certificate"),
        (Pair(pki.server.key, pki.server.key), "are the files swapped"),
    ):
        with pytest.raises(ConfigError, match=words):
            await broker_with(pki, pair).start()


def test_fingerprints_are_those_of_openssl(alice: Pair) -> None:
    der = ssl.PEM_cert_to_DER_cert(alice.certificate.read_text())
    assert PresentedCertificate(der).sha256 == hashlib.sha256(der).hexdigest()
