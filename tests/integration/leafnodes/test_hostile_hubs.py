"""Hubs that are none, say nonsense, or nothing: a leafnode stays away from them, and tries again."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from natsctl.broker import Broker
from natsctl.config.options import LeafOptions, Options, RemoteOptions, TlsOptions
from natsctl.errors import ClosedReason
from tests.support.nodes import until
from tests.support.tls import Pki

HUB: dict[str, Any] = {
    "server_id": "HUB",
    "server_name": "hub",
    "version": "2.15.1",
    "proto": 1,
    "headers": True,
    "max_payload": 1048576,
    "client_id": 1,
    "nonce": "abc",
    "leafnode_urls": ["127.0.0.1:1"],
}
PATIENCE_S = 15.0


def info(**fields: object) -> bytes:
    return b"INFO " + json.dumps(HUB | fields).encode() + b" \r\n"


class Line:
    """One connection to a hub that a test plays."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def read(self) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.readline()

    async def read_until(self, beginning: bytes) -> bytes:
        while not (line := await self.read()).startswith(beginning):
            assert line, f"closed before {beginning!r}"
        return line

    async def rest(self) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            with suppress(ConnectionError):
                return await self.reader.read()
        return b""

    def say(self, data: bytes) -> None:
        self.writer.write(data)


@asynccontextmanager
async def hub() -> AsyncIterator[tuple[int, Callable[[], Any]]]:
    """Listen; gives the port, and a function that waits for the next connection."""
    lines: asyncio.Queue[Line] = asyncio.Queue()
    server = await asyncio.start_server(lambda r, w: lines.put_nowait(Line(r, w)), "127.0.0.1", 0)
    taken: list[Line] = []

    async def take() -> Line:
        async with asyncio.timeout(PATIENCE_S):
            taken.append(await lines.get())
        return taken[-1]

    try:
        yield server.sockets[0].getsockname()[1], take
    finally:
        server.close()
        while not lines.empty():
            taken.append(lines.get_nowait())
        for line in taken:
            line.writer.transport.abort()
            with suppress(ConnectionError):
                await line.writer.wait_closed()


def spoke(port: int, **remote: Any) -> Broker:
    remotes = [RemoteOptions(urls=[f"nats://u:secret@127.0.0.1:{port}"], **remote)]
    leafnodes = LeafOptions(remotes=remotes, reconnect_s=0.05)
    return Broker(Options(host="127.0.0.1", port=-1, server_name="spoke", leafnodes=leafnodes))


@pytest.mark.parametrize(
    ("greeting", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "Unknown|parser"),
        (b"INFO {x\r\n", "malformed|invalid"),
        (b"INFO []\r\n", "INFO takes a JSON object, found list"),
        (info(port="7422"), "Expected `int`"),
        (info(client_id=0), "attempted to connect to wrong port"),
        (info(leafnode_urls=None), "attempted to connect to wrong port"),
        (b"INFO " + b"x" * 200_000, "maximum control line exceeded"),
        (b"\x00\xff" * 1000 + b"\n", "parser"),
        (b"LS+ foo\r\n", "parser"),
        (b"CONNECT {}\r\n", "a hub says no CONNECT"),
    ],
)
async def test_what_is_no_hub_is_left_and_tried_again(
    greeting: bytes, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "natsctl.broker")
    async with hub() as (port, take), spoke(port) as broker:
        for _ in range(2):
            line = await take()
            line.say(greeting)
            assert b"secret" not in await line.rest()
        assert broker.leafnodes.joined == []
    assert any(word in caplog.text for word in words.split("|")), caplog.text
    assert "secret" not in caplog.text


async def test_a_hub_that_says_nothing_is_left(caplog: pytest.LogCaptureFixture) -> None:
    async with hub() as (port, take), spoke(port, first_info_timeout_s=0.1):
        assert await (await take()).rest() == b""
        line = await take()
        line.say(b"INFO {")
        assert await line.rest() == b""
        await take()


async def test_a_hub_that_never_lets_in_is_stale(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "natsctl.broker")
    async with hub() as (port, take), spoke(port):
        line = await take()
        line.say(info(info_on_connect=True))
        await line.read_until(b"CONNECT")
        await line.rest()
        await until(lambda: "Leafnode connection closed: Stale Connection - Remote: hub" in caplog.text)


async def test_a_leafnode_introduces_itself() -> None:
    async with hub() as (port, take), spoke(port, deny_imports=["a", "b"]) as broker:
        line = await take()
        line.say(info())
        connect = json.loads((await line.read_until(b"CONNECT"))[8:])
        assert connect == {
            "version": "2.15.1",
            "user": "u",
            "pass": "secret",
            "server_id": broker.identity.server_id,
            "name": "spoke",
            "cluster": "spoke",
            "headers": True,
            "deny_pub": ["a", "b"],
            "compress_mode": "not supported",
            "remote_account": "$G",
            "protocol": 1,
        }
        assert (await line.read_until(b"LS+ $LDS.")).strip() == b"LS+ " + broker.leafnodes.loop_mark("$G")


async def test_what_was_said_in_clear_before_tls_does_not_count(pki: Pki, caplog: pytest.LogCaptureFixture) -> None:
    """Somebody on the way could have said it, and it would look as if the hub had."""
    async with hub() as (port, take), spoke(port, tls=TlsOptions(ca_file=str(pki.ca))):
        line = await take()
        line.say(info(tls_required=True) + info(connect_info=True))
        assert await line.rest() == b""
        await take()
    assert "the server went on in clear" in caplog.text


async def test_a_hub_that_answers_a_hello_with_nonsense_is_left(pki: Pki, caplog: pytest.LogCaptureFixture) -> None:
    async with hub() as (port, take), spoke(port, tls=TlsOptions(ca_file=str(pki.ca), timeout_s=0.2)):
        line = await take()
        line.say(info(tls_required=True))
        await asyncio.wait_for(line.reader.readexactly(5), PATIENCE_S)
        line.say(b"-ERR 'no'\r\n" * 100)
        await line.rest()
        line = await take()  # and one that says nothing more
        line.say(info(tls_required=True))
        await line.rest()
        await take()
    assert "TLS leafnode handshake error: tls: first record does not look like a TLS handshake" in caplog.text


async def test_new_rights_take_effect_by_a_new_connection() -> None:
    async with hub() as (port, take), spoke(port):
        line = await take()
        line.say(info(info_on_connect=True))
        await line.read_until(b"CONNECT")
        line.say(info(connect_info=True))
        await line.read_until(b"LS+ $LDS.")
        line.say(info(connect_info=True, export={"deny": ["foo"]}))
        await line.rest()
        await take()


async def test_rights_that_name_no_subjects_match_nothing() -> None:
    odd = ["", " ", "a..b", "a b c", "ok", "\x00", "q grp"]
    async with hub() as (port, take), spoke(port) as broker:
        line = await take()
        line.say(info(**{"import": {"allow": odd, "deny": odd[:4]}, "export": {"allow": odd, "deny": odd[:4]}}))
        await line.read_until(b"LS+ $LDS.")
        line.say(b"LS+ ok\r\nLS+ other\r\nPING\r\n")
        await line.read_until(b"PONG")
        (leaf,) = broker.leafnodes.joined
        assert [interest.subject for interest in leaf.session.interests()] == [b"ok"]


async def test_the_servers_a_hub_tells_of_are_bounded() -> None:
    async with hub() as (port, take), spoke(port) as broker:
        line = await take()
        line.say(info(leafnode_urls=["[", "no port", *(f"127.0.0.1:{number}" for number in range(1, 3000))]))
        await line.read_until(b"LS+ $LDS.")
        (remote,) = broker.leafnodes.remotes
        assert len(remote.servers.addresses) == 1025
        line.say(info(leafnode_urls=[]) + b"PING\r\n")
        await line.read_until(b"PONG")
        assert [address.port for address in remote.servers.addresses] == [port]


async def test_a_message_that_is_not_permitted_is_dropped_and_the_hub_kept() -> None:
    async with hub() as (port, take), spoke(port, deny_imports=["no"]) as broker:
        line = await take()
        line.say(info())
        await line.read_until(b"LS+ $LDS.")
        line.say(b"LMSG no 2\r\nhi\r\nLMSG yes 2\r\nhi\r\nPING\r\n")
        await line.read_until(b"PONG")
        (leaf,) = broker.leafnodes.joined
        assert (leaf.session.in_msgs, leaf.session.closed) == (2, None)


async def test_a_hub_that_does_not_read_is_a_slow_consumer() -> None:
    options = LeafOptions(reconnect_s=0.05, write_deadline_s=0.3, write_timeout="close")
    async with hub() as (port, take):
        options.remotes = [RemoteOptions(urls=[f"nats://127.0.0.1:{port}"])]
        async with Broker(Options(host="127.0.0.1", port=-1, leafnodes=options)) as broker:
            line = await take()
            line.say(info())
            await line.read_until(b"LS+ $LDS.")
            line.say(b"LS+ flood\r\nPING\r\n")
            await line.read_until(b"PONG")
            line.writer.transport.pause_reading()
            (leaf,) = broker.leafnodes.joined
            publisher = broker.engine.open_internal("$G")
            for _ in range(200):
                publisher.publish(b"flood", b"x" * 65536)
            broker.flush_touched()
            await until(lambda: leaf.session.closed is ClosedReason.SLOW_CONSUMER_WRITE_DEADLINE)
            assert broker.slow_consumers["Leafnode"] == 1
            await take()


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))
