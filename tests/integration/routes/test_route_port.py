"""The port for routes, and peers of all kinds that speak to it by hand."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace

import bcrypt
import pytest

from natsctl.broker import Broker
from natsctl.errors import ClosedReason
from tests.support.nodes import until
from tests.support.routes import ALONE, clustered, info_line, joined, login_line, stranger
from tests.support.wire import WireClient

SECRETIVE = replace(ALONE, user="ru", password="rp")


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    async with clustered() as running:
        yield running


async def answers(broker: Broker, line: bytes) -> list[bytes]:
    """What a stranger hears until it is cut off, after it has said something."""
    async with stranger(broker) as peer:
        await peer.send(line)
        return await peer.read_to_end()


# ---- the conversation


async def test_a_peer_is_offered_neither_pools_nor_compression_nor_leaf_traffic(broker: Broker) -> None:
    async with stranger(broker) as peer:
        assert peer.info["server_name"] == "us"
        assert (peer.info["host"], peer.info["port"]) == ("127.0.0.1", broker.mesh.port)
        assert peer.info["cluster"] == "C"
        assert peer.info["connect_urls"] == [f"127.0.0.1:{broker.port}"]
        assert not {"route_pool_size", "compression", "lnoc", "client_id", "ip", "auth_required"} & peer.info.keys()


async def test_a_peer_hears_what_is_wanted_and_gets_it(broker: Broker) -> None:
    async with await WireClient.open(broker.port, protocol=0) as client:
        await client.send(b"SUB foo 1\r\nSUB foo q 2\r\n")
        await client.sync()
        async with joined(broker) as peer:
            heard = [frame for frame in peer.frames if frame.startswith(b"RS+")]
            await peer.sync()
            await peer.send(b"RMSG $G foo | q 2\r\nhi\r\n")
            assert {await client.read(), await client.read()} == {b"MSG foo 1 2\r\nhi", b"MSG foo 2 2\r\nhi"}
            await peer.send(b"RS+ $G bar\r\n")
            await peer.sync()
            await client.send(b"PUB bar reply 2\r\nho\r\n")
            assert await peer.read() == b"RMSG $G bar reply 2\r\nho"
            assert heard == []  # all of it came before the PONG


async def test_interest_is_told_before_anything_else(broker: Broker) -> None:
    async with await WireClient.open(broker.port, protocol=0) as client, stranger(broker) as peer:
        await client.send(b"SUB foo 1\r\nSUB foo q 2\r\n")
        await client.sync()
        await peer.send(login_line() + info_line())
        frames = await peer.sync()
        assert b"RS+ $G foo" in frames
        assert b"RS+ $G foo q 1" in frames


async def test_a_message_from_one_peer_goes_to_no_other(broker: Broker) -> None:
    async with joined(broker, "P1") as first, joined(broker, "P2") as second:
        await first.sync()  # the news of the second one
        await second.send(b"RS+ $G foo\r\n")
        assert [frame for frame in await second.sync() if frame.startswith(b"RS+")] == []
        await first.send(b"RMSG $G foo 2\r\nhi\r\n")
        assert await first.sync() == []
        assert await second.sync() == []


# ---- who is sent away


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (login_line(cluster="X"), b"""-ERR 'Rejecting connection, cluster name "X" does not match "C"'"""),
        (login_line(lang="python3"), b"-ERR 'attempted to connect to route port'"),
        (login_line(gateway="G"), b"""-ERR 'Rejecting connection from gateway "G" on the Route port'"""),
        (info_line(), b"-ERR 'Authorization Violation'"),
        (b"RS+ $G foo\r\n", b"-ERR 'Unknown Protocol Operation'"),
        (b"GET / HTTP/1.1\r\n\r\n", b"-ERR 'Unknown Protocol Operation'"),
        (b"\x16\x03\x01" + b"\0" * 100, b"-ERR 'Unknown Protocol Operation'"),
        (login_line() + login_line(), b"-ERR 'unexpected CONNECT'"),
    ],
    ids=["other-cluster", "client", "gateway", "no-login", "too-early", "http", "tls", "twice"],
)
async def test_who_does_not_belong_here_is_told_so(broker: Broker, line: bytes, error: bytes) -> None:
    assert (await answers(broker, line))[-1:] == [error]
    assert not broker.mesh.routes


@pytest.mark.parametrize("line", [b"CONNECT {\r\n", login_line() + b"INFO []\r\n", login_line() + b"INFO {]\r\n"])
async def test_documents_that_are_none_end_the_connection(broker: Broker, line: bytes) -> None:
    assert await answers(broker, line) == []


async def test_a_line_without_end_is_not_waited_for(broker: Broker) -> None:
    assert (await answers(broker, login_line() + b"INFO " + b"x" * 200_000))[-1:] == [
        b"-ERR 'maximum control line exceeded'"
    ]


@pytest.mark.parametrize(
    ("claimed", "is_right"),
    [({"user": "ru", "pass": "rp"}, True), ({"user": "ru", "pass": "x"}, False), ({"user": "x", "pass": "rp"}, False)],
)
@pytest.mark.parametrize("secret", ["rp", bcrypt.hashpw(b"rp", bcrypt.gensalt(4)).decode()], ids=["plain", "bcrypt"])
async def test_a_peer_must_know_user_and_password(
    claimed: dict[str, str], is_right: bool, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with clustered(cluster=replace(SECRETIVE, password=secret)) as broker:
        async with stranger(broker) as peer:
            assert peer.info["auth_required"]
            await peer.send(login_line(**claimed) + info_line())
            if is_right:
                await peer.sync()
                assert "PEER" in broker.mesh.routes
                return
            assert (await peer.read_to_end())[-1:] == [b"-ERR 'Authorization Violation'"]
        assert f'authentication error - User "{claimed["user"]}"' in caplog.text
        assert "rp" not in caplog.text


async def test_who_says_nothing_is_not_waited_for() -> None:
    async with clustered(cluster=replace(ALONE, timeout_s=0.05)) as broker, stranger(broker) as silent:
        assert await silent.read_to_end() == [b"-ERR 'Authentication Timeout'"]
        async with stranger(broker) as half:
            await half.send(login_line())
            assert await half.read_to_end() == [b"-ERR 'Authentication Timeout'"]


async def test_a_server_of_our_own_name_is_sent_away(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    assert await answers(broker, login_line() + info_line(server_name="us")) == []
    assert 'Remote server has a duplicate name: "us"' in caplog.text


async def test_we_are_not_our_own_peer(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "natsctl.broker")
    assert await answers(broker, login_line() + info_line(server_id=broker.identity.server_id)) == []
    assert f"Router connection closed: {ClosedReason.DUPLICATE_ROUTE.value}" in caplog.text


async def test_of_two_connections_to_one_server_the_first_stays(broker: Broker) -> None:
    async with joined(broker) as first:
        async with stranger(broker) as second:
            await second.send(login_line() + info_line())
            assert await second.read_to_end() == []
        assert await first.sync() == []
        assert len(broker.mesh.routes) == 1


async def test_a_route_for_one_account_is_left_to_notice_that_there_are_none(broker: Broker) -> None:
    async with joined(broker), stranger(broker) as second:
        await second.send(login_line() + info_line(route_account="$SYS") + b"PING\r\n")
        assert await second.read() == b"PONG"
        assert len(broker.mesh.routes) == 1


# ---- who is lost


async def test_a_peer_that_answers_no_ping_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "natsctl.broker")
    cluster = replace(ALONE, ping_interval_s=0.05, ping_max=1)
    async with clustered(cluster=cluster) as broker:
        async with joined(broker) as peer:
            assert (await peer.read_to_end())[-2:] == [b"PING", b"-ERR 'Stale Connection'"]
        assert broker.stale_connections["Router"] == 1
        assert "Stale Router Connection - Closing" in caplog.text


async def test_a_peer_that_reads_nothing_is_cut_and_its_memory_freed(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "natsctl.broker")
    async with (
        clustered(max_pending=2_000_000, max_payload=65536, write_deadline_s=60.0) as broker,
        joined(broker) as peer,
        await WireClient.open(broker.port, protocol=0) as client,
    ):
        await peer.send(b"RS+ $G flood\r\n")
        await peer.sync()
        while broker.mesh.routes:
            await client.send(b"PUB flood 65536\r\n" + b"x" * 65536 + b"\r\n")
            await client.sync()
        assert broker.slow_consumers == {"Router": 1}
        assert "Slow Consumer Detected: MaxPending of 2000000 Exceeded" in caplog.text


async def wants_flood(broker: Broker, receive_buffer: int) -> WireClient:
    """A peer to which far more is going to be on its way than the kernel takes."""
    peer = await WireClient.open(broker.mesh.port, receive_buffer=receive_buffer)
    await peer.send(login_line() + info_line() + b"RS+ $G flood\r\n")
    await peer.sync()
    return peer


async def flood(broker: Broker) -> None:
    async with await WireClient.open(broker.port, protocol=0) as client:
        for _ in range(400):
            await client.send(b"PUB flood 100000\r\n" + b"x" * 100_000 + b"\r\n")
        await client.sync()


async def test_a_peer_that_takes_nothing_for_the_write_deadline_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "natsctl.broker")
    async with clustered(cluster=replace(ALONE, write_deadline_s=0.1)) as broker:
        peer = await wants_flood(broker, 4096)
        await flood(broker)
        await until(lambda: not broker.mesh.routes)
        assert broker.slow_consumers == {"Router": 1}
        assert "Slow Consumer Detected: WriteDeadline of 100ms exceeded with " in caplog.text
        assert "Router connection closed: Slow Consumer (Write Deadline)" in caplog.text
        peer.close()


async def test_interest_goes_with_the_peer(broker: Broker) -> None:
    async with await WireClient.open(broker.port, no_responders=True) as client:
        await client.sync()
        async with joined(broker) as peer:
            await peer.send(b"RS+ $G service\r\n")
            await peer.sync()
            await client.send(b"PUB service reply 0\r\n\r\n")
            assert (await peer.read()).startswith(b"RMSG $G service reply 0")
        await until(lambda: not broker.mesh.routes)
        await client.send(b"SUB reply 1\r\nPUB service reply 0\r\n\r\n")
        frames = [frame for frame in await client.sync() if not frame.startswith(b"INFO")]
        assert len(frames) == 1
        assert b"503" in frames[0]


# ---- what clients hear


async def test_clients_hear_of_servers_as_they_come_and_go(broker: Broker) -> None:
    async with await WireClient.open(broker.port, protocol=1) as client, await WireClient.open(broker.port) as old:
        assert client.info["connect_urls"] == [f"127.0.0.1:{broker.port}"]
        assert client.info["cluster"] == "C"
        await client.sync()
        assert (await client.read()).startswith(b"INFO")  # the one after the first PONG
        async with joined(broker, connect_urls=["10.0.0.1:4222"]) as peer:
            news = json.loads((await client.read())[5:])
            assert news["connect_urls"] == [f"127.0.0.1:{broker.port}", "10.0.0.1:4222"]
            await peer.send(info_line(ldm=True, connect_urls=["10.0.0.1:4222"]))
            assert json.loads((await client.read())[5:])["connect_urls"] == [f"127.0.0.1:{broker.port}"]
        assert await client.sync() == []
        assert await old.sync() == []


async def test_without_advertising_nobody_hears_of_anybody() -> None:
    async with clustered(cluster=replace(ALONE, no_advertise=True)) as broker:
        async with joined(broker, connect_urls=["10.0.0.1:4222"]) as peer:
            assert "connect_urls" not in peer.info
        async with await WireClient.open(broker.port) as client:
            assert "connect_urls" not in client.info


async def test_what_is_advertised_is_what_others_are_told() -> None:
    cluster = replace(ALONE, advertise="example.net:6333")
    async with clustered(cluster=cluster, client_advertise="example.net:4333") as broker, stranger(broker) as peer:
        assert (peer.info["host"], peer.info["port"]) == ("example.net", 6333)
        assert peer.info["ip"] == "nats-route://example.net:6333/"
        assert peer.info["connect_urls"] == ["example.net:4333"]


async def test_a_hundred_peers_leave_nothing_behind(broker: Broker) -> None:
    tasks, subscriptions = len(asyncio.all_tasks()), broker.engine.n_subscriptions("$G")
    for number in range(100):
        async with joined(broker, f"P{number}") as peer:
            await peer.send(b"RS+ $G foo.%d\r\n" % number)
            await peer.sync()
    await until(lambda: not broker.mesh.routes)
    await until(lambda: len(asyncio.all_tasks()) <= tasks)
    assert broker.engine.n_subscriptions("$G") == subscriptions
