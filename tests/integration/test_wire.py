"""Clients over sockets: what they are greeted with, what ends them, and that others do not notice."""

from __future__ import annotations

import asyncio
import re
import resource
import socket
import struct
from contextlib import ExitStack
from pathlib import Path

import pytest

from natsctl.broker import Broker
from natsctl.config import Options
from natsctl.config.options import AuthorizationOptions, User
from natsctl.errors import ClosedReason
from tests.support.process import NATSCTL, running_server
from tests.support.wire import WireClient

ALWAYS = {
    "server_id",
    "server_name",
    "version",
    "proto",
    "go",
    "host",
    "port",
    "headers",
    "max_payload",
    "client_id",
    "client_ip",
    "api_lvl",
    "xkey",
}
SOMEBODY = AuthorizationOptions(users=[User("u", "p")])
UNKNOWN = b"-ERR 'Unknown Protocol Operation'"


async def closed_reasons(broker: Broker, count: int) -> list[ClosedReason]:
    """Why connections were closed, once so many were."""
    for _ in range(1000):
        if len(broker.registry.closed) >= count:
            break
        await asyncio.sleep(0.01)  # no event tells of it
    return [connection.reason for connection in broker.registry.closed]


# ---- INFO


async def test_a_client_is_told_where_it_is_and_who_it_is() -> None:
    async with Broker() as broker, await WireClient.open(broker.port) as client:
        info = client.info
        assert info.keys() == ALWAYS
        assert (info["host"], info["port"], info["client_ip"]) == ("127.0.0.1", broker.port, "127.0.0.1")
        assert (info["proto"], info["headers"], info["max_payload"], info["client_id"]) == (1, True, 1048576, 5)
        assert info["server_id"].startswith("N")
        assert info["server_name"] == info["server_id"]


async def test_info_tells_what_the_options_say() -> None:
    options = Options(
        host="127.0.0.1",
        port=-1,
        server_name="mine",
        client_advertise="nats.example:4333",
        max_payload=77,
        no_header_support=True,
        authorization=SOMEBODY,
    )
    async with Broker(options) as broker, await WireClient.open(broker.port) as client:
        info = client.info
        assert (info["server_name"], info["host"], info["port"]) == ("mine", "nats.example", 4333)
        assert (info["max_payload"], info["headers"], info["auth_required"]) == (77, False, True)


async def test_a_login_that_nobody_needs_is_not_required() -> None:
    options = Options(host="127.0.0.1", port=-1, authorization=SOMEBODY, no_auth_user="u")
    async with Broker(options) as broker, await WireClient.open(broker.port) as client:
        assert client.info.keys() == ALWAYS


@pytest.mark.parametrize(("protocol", "n_infos"), [(0, 0), (1, 1)])
async def test_a_second_info_follows_the_first_pong_of_those_who_know_it(protocol: int, n_infos: int) -> None:
    async with Broker() as broker, await WireClient.open(broker.port, protocol=protocol) as client:
        await client.sync()
        frames = await client.sync()
        assert [frame[:5] for frame in frames] == [b"INFO "] * n_infos
        if frames:
            assert b'"connect_info":true' in frames[0]
            assert b'"remote_account":"$G"' in frames[0]
        assert await client.sync() == []


# ---- limits of connections


async def test_one_connection_too_many_is_greeted_and_refused() -> None:
    async with Broker(max_connections=2) as broker, await WireClient.open(broker.port):
        first = await WireClient.open(broker.port)
        async with await WireClient.open(broker.port) as third:
            assert await third.read_to_end() == [b"-ERR 'maximum connections exceeded'"]
        assert await closed_reasons(broker, 1) == [ClosedReason.MAX_CONNECTIONS_EXCEEDED]
        await first.leave()
        await closed_reasons(broker, 2)
        async with await WireClient.open(broker.port, protocol=0) as third:
            assert await third.sync() == []


async def test_a_client_that_leaves_is_forgotten() -> None:
    async with Broker() as broker:
        client = await WireClient.open(broker.port, name="me", lang="x", version="1")
        await client.send(b"SUB foo 1\r\nPUB foo 2\r\nhi\r\n")
        await client.leave()
        assert await closed_reasons(broker, 1) == [ClosedReason.CLIENT_CLOSED]
        (left,) = broker.registry.closed
        assert (left.name, left.lang, left.version, left.account) == ("me", "x", "1", "$G")
        assert (left.in_msgs, left.in_bytes, left.out_msgs, left.out_bytes) == (1, 2, 1, 2)
        assert broker.engine.n_subscriptions("$G") == 4  # the broker's own services
        assert list(broker.registry) == []


async def test_what_came_before_the_end_of_input_is_answered() -> None:
    async with Broker() as broker, await WireClient.open(broker.port, protocol=0) as client:
        await client.send(b"SUB foo 1\r\nPUB foo 2\r\nhi\r\nPING\r\n")
        client.socket.shutdown(1)
        assert await client.read_to_end() == [b"MSG foo 1 2\r\nhi", b"PONG"]


async def test_thousands_of_silent_connections_disturb_nobody(tmp_path: Path) -> None:
    n_silent = 2500
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 2 * n_silent)), hard))
    with ExitStack() as silent, running_server(NATSCTL, tmp_path) as server:
        for _ in range(n_silent // 100):
            opened = await asyncio.gather(*(WireClient.open(server.port) for _ in range(100)))
            for each in opened:
                silent.callback(each.close)
        async with await WireClient.open(server.port, protocol=0) as client:
            assert client.info["client_id"] == 5 + n_silent
            for number in range(200):
                await client.send(b"SUB s.%d %d\r\nPUB s.%d 0\r\n\r\n" % (number, number, number))
            assert len(await client.sync()) == 200


# ---- hostile input


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
        b"\x00" * 100_000,
        bytes(range(256)) * 100,
        b"MSG foo 1 2\r\nhi\r\n",
    ],
    ids=["HTTP", "TLS", "zeros", "binary", "a server's verb"],
)
async def test_what_is_no_client_is_told_and_closed(data: bytes) -> None:
    async with Broker() as broker, await WireClient.open(broker.port, protocol=0) as other:
        async with await WireClient.open(broker.port) as client:
            await client.send(data)
            assert await client.read_to_end() == [UNKNOWN]
        assert await closed_reasons(broker, 1) == [ClosedReason.PROTOCOL_VIOLATION]
        assert await other.sync() == []


@pytest.mark.parametrize(
    ("line", "error", "reason"),
    [
        (b"SUB " + b"x" * 5000, b"maximum control line exceeded", ClosedReason.MAX_CONTROL_LINE_EXCEEDED),
        (b"PUB foo 1048577\r\n", b"Maximum Payload Violation", ClosedReason.MAX_PAYLOAD_EXCEEDED),
        (b'CONNECT {"protocol":2}\r\n', b"invalid client protocol", ClosedReason.BAD_CLIENT_PROTOCOL_VERSION),
        (
            b'CONNECT {"no_responders":true}\r\n',
            b"no responders requires headers support",
            ClosedReason.NO_RESPONDERS_REQUIRES_HEADERS,
        ),
        (b'CONNECT {"account":"A"}\r\n', b"Authorization Violation", ClosedReason.AUTHENTICATION_FAILURE),
    ],
)
async def test_what_is_too_much_is_told_and_closed(line: bytes, error: bytes, reason: ClosedReason) -> None:
    async with Broker() as broker, await WireClient.open(broker.port) as client:
        await client.send(line)
        assert await client.read_to_end() == [b"-ERR '%b'" % error]
        assert await closed_reasons(broker, 1) == [reason]


@pytest.mark.parametrize(
    "line", [b"CONNECT {\r\n", b'CONNECT {"verbose":1}\r\n', b"PUB foo\r\n", b"HPUB f 0 0\r\n\r\n", b"INFO x\r\n"]
)
async def test_what_is_ill_formed_is_closed_without_a_word(line: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with Broker() as broker, await WireClient.open(broker.port) as client:
        await client.send(line)
        assert await client.read_to_end() == []
        assert await closed_reasons(broker, 1) == [ClosedReason.PROTOCOL_VIOLATION]
        assert re.search(r"127\.0\.0\.1:\d+ - cid:5 - \S", caplog.text)


async def test_an_endless_line_or_payload_costs_a_process_no_memory(tmp_path: Path) -> None:
    with running_server(NATSCTL, tmp_path) as server:
        async with await WireClient.open(server.port, protocol=0) as other:
            await other.sync()
            before = server.memory_bytes()
            for start in (b"PUB ", b"PUB foo 1048576\r\n", b"PUB foo 999999999\r\n", b"SUB\t", b"CONNECT {"):
                async with await WireClient.open(server.port) as client:
                    await client.send(start + b"x" * 4_000_000)
                    await client.read_to_end()
            assert server.memory_bytes() - before < 8_000_000
            assert await other.sync() == []


# ---- pings


async def test_a_client_that_answers_no_ping_is_stale(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "natsctl.broker")
    async with Broker(ping_interval_s=0.05, ping_max=2) as broker, await WireClient.open(broker.port) as client:
        assert await client.read_to_end() == [b"PING", b"PING", b"-ERR 'Stale Connection'"]
        assert await closed_reasons(broker, 1) == [ClosedReason.STALE_CONNECTION]
        assert broker.stale_connections.total() == 1
        assert "Stale Client Connection - Closing" in caplog.text


async def test_a_client_that_answers_stays() -> None:
    async with Broker(ping_interval_s=0.05, ping_max=1) as broker, await WireClient.open(broker.port) as client:
        for _ in range(5):
            assert await client.read() == b"PING"
            await client.send(b"PONG\r\n")
        assert broker.registry.open[5].pinger.rtt_s > 0


# ---- the end


async def test_a_broker_that_stops_sends_what_is_queued_and_closes_without_a_word() -> None:
    broker = Broker()
    await broker.start()
    async with await WireClient.open(broker.port, protocol=0) as client:
        await client.send(b"SUB foo 1\r\nPUB foo 500000\r\n" + b"x" * 500_000 + b"\r\n")
        await client.sync()
        await client.send(b"PUB foo 2\r\nhi\r\n")
        assert await client.read() == b"MSG foo 1 2\r\nhi"
        stopping = asyncio.create_task(broker.stop())
        assert await client.read_to_end() == []
        await stopping
        assert await closed_reasons(broker, 1) == [ClosedReason.SERVER_SHUTDOWN]


async def test_a_broker_stops_although_a_client_has_just_vanished() -> None:
    broker = Broker()
    await broker.start()
    client = await WireClient.open(broker.port, protocol=0)
    await client.sync()
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()  # with a reset, which the broker has not seen yet when it stops
    await broker.stop()
    await broker.wait_stopped()
    assert not list(broker.registry)
