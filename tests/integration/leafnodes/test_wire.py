"""What a hub answers on the wire, beside the official one: who is let in, and what ends a connection."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.leaves import NATSCTL, OFFICIAL, leaf_server, running, until_joined, until_said
from tests.support.nodes import Node, free_ports
from tests.support.wire import WireClient

LIMITED = """{publish: {allow: ["up.>"], deny: "up.no"}, subscribe: {allow: ["down.>"], deny: "down.no"}}"""
ACCOUNTS = f"""
cluster {{ name: HC, listen: "127.0.0.1:-1" }}
accounts {{
  A {{ users: [{{user: a, password: ap, permissions: {LIMITED}}}] }}
  B {{ users: [{{user: b, password: bp}}, {{user: c, password: cp, allowed_connection_types: [STANDARD]}}] }}
  ONE {{ users: [{{user: one, password: p}}], limits {{ max_leafnodes: 1 }} }}
  FEW {{ users: [{{user: few, password: p}}], limits {{ max_subs: 2, max_payload: 5 }} }}
}}
"""
B = {"user": "b", "pass": "bp", "version": "2.15.0", "name": "S1"}
A = {"user": "a", "pass": "ap", "version": "2.15.0"}


@pytest.fixture(scope="module", params=[NATSCTL, OFFICIAL])
def hub(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    (port,) = free_ports(1)
    node = leaf_server(
        request.param, "hub", tmp_path_factory.mktemp("hub"), hub=port, leaf="min_version: 2.9.0", more=ACCOUNTS
    )
    with running(node):
        yield node


def connect(**fields: object) -> bytes:
    return b"CONNECT " + json.dumps(fields).encode() + b"\r\n"


async def conversation(hub: Node, *lines: bytes) -> list[str]:
    """What the hub says to these lines, without what is its own affair, until it has answered a PING or hung up."""
    async with await WireClient.open(hub.route_port) as client:
        for line in lines:
            await client.send(line)
        await client.send(b"PING\r\n")
        frames: list[bytes] = []
        try:
            while (frame := await client.read()) != b"PONG":
                frames.append(frame)
        except EOFError:
            frames.append(b"(closed)")
    own = (b"PING", b"LS+ $SYS.", b"LS+ $LDS.", b"LS+ $JS.", b"INFO")
    return [frame.decode() for frame in frames if not frame.startswith(own)]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (B, []),
        ({**B, "pass": "wrong"}, ["-ERR 'Authorization Violation'", "(closed)"]),
        ({"name": "x"}, ["-ERR 'Authorization Violation'", "(closed)"]),
        ({"user": "c", "pass": "cp"}, ["-ERR 'Authorization Violation'", "(closed)"]),
        ({**B, "lang": "go"}, ["-ERR 'attempted to connect to leaf node port'", "(closed)"]),
        ({**B, "cluster": "a b"}, ["-ERR 'cluster name cannot contain spaces'", "(closed)"]),
        ({**B, "cluster": "HC"}, ["-ERR 'remote leafnode has same cluster name'", "(closed)"]),
        ({**B, "gateway": "G"}, ["-ERR 'Rejecting connection from gateway \"G\" on the leafnode port'", "(closed)"]),
        (
            {**B, "version": "2.8.4"},
            ["-ERR 'connection rejected since minimum version required is \"2.9.0\"'", "(closed)"],
        ),
        ({**B, "user": 7}, ["(closed)"]),
        ({**B, "deny_pub": ["", "a..b", "a b c"]}, []),
    ],
)
async def test_who_is_let_in(hub: Node, fields: dict[str, Any], expected: list[str]) -> None:
    assert await conversation(hub, connect(**fields)) == expected


@pytest.mark.parametrize("line", [b"CONNECT {x\r\n", b"CONNECT []\r\n", b"INFO {x\r\n"])
async def test_documents_that_cannot_be_read_end_the_connection(hub: Node, line: bytes) -> None:
    assert await conversation(hub, line) == ["(closed)"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([b"LS+ foo\r\n", b"LS+ foo q 3\r\n", b"LS- foo\r\n", b"LS- foo q\r\n", b"LS- never.told\r\n"], []),
        ([b"ls+ foo\r\n", b"lmsg foo 2\r\nhi\r\n"], []),
        ([b"LMSG foo 2000000\r\n"], ["-ERR 'Maximum Payload Violation'", "(closed)"]),
        ([b"LS+ " + b"a" * 70000 + b"\r\n"], ["-ERR 'maximum control line exceeded'", "(closed)"]),
        ([b"LS+ foo bar\r\n"], ["(closed)"]),
    ],
)
async def test_what_a_leafnode_may_say(hub: Node, lines: list[bytes], expected: list[str]) -> None:
    assert await conversation(hub, connect(**B), *lines) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([b"LS+ down.1\r\n", b"LMSG up.1 2\r\nhi\r\n"], []),
        ([b"LS+ $LDS.AAAAAAAAAAAAAAAAAAAAAA\r\n"], []),
        ([b"LS+ foo\r\n"], ["-ERR 'Permissions Violation for Subscription to \"foo\"'", "(closed)"]),
        ([b"LS+ down.no\r\n"], ["-ERR 'Permissions Violation for Subscription to \"down.no\"'", "(closed)"]),
        ([b"LS+ >\r\n"], []),
        ([b"LMSG foo 1\r\nx\r\n"], ["-ERR 'Permissions Violation for Publish to \"foo\"'", "(closed)"]),
        ([b"LMSG up.no 1\r\nx\r\n"], ["-ERR 'Permissions Violation for Publish to \"up.no\"'", "(closed)"]),
    ],
)
async def test_what_is_not_permitted_ends_the_connection(hub: Node, lines: list[bytes], expected: list[str]) -> None:
    assert await conversation(hub, connect(**A), *lines) == expected


async def test_a_hub_tells_what_is_permitted(hub: Node) -> None:
    async with await WireClient.open(hub.route_port) as client:
        assert client.info["client_id"] > 0
        assert client.info["leafnode_urls"] == [f"127.0.0.1:{hub.route_port}"]
        assert (client.info["nonce"] != "", client.info["cluster"]) == (True, "HC")
        await client.send(connect(**A))
        info = json.loads((await client.read())[5:])
        assert (info["connect_info"], info["remote_account"]) == (True, "A")
        assert info["import"] == {"allow": ["down.>"], "deny": ["down.no"]}
        assert info["export"] == {"allow": ["up.>"], "deny": ["up.no"]}


async def test_limits_of_an_account_hold_for_leafnodes(hub: Node) -> None:
    one = {"user": "one", "pass": "p", "version": "2.15.0"}
    async with await WireClient.open(hub.route_port) as client:
        await client.send(connect(**one, name="first"))
        await client.sync()
        assert await conversation(hub, connect(**one, name="second")) == [
            "-ERR 'maximum account active connections exceeded'",
            "(closed)",
        ]
    few = connect(user="few", version="2.15.0", **{"pass": "p"})
    assert await conversation(hub, few, b"LS+ a\r\nLS+ b\r\nLS+ c\r\n") == ["-ERR 'maximum subscriptions exceeded'"]
    assert await conversation(hub, few, b"LMSG a 9\r\n") == ["-ERR 'Maximum Payload Violation'", "(closed)"]


async def test_a_server_that_comes_again_replaces_itself(hub: Node) -> None:
    fields = {**B, "server_id": "S", "cluster": "X", "remote_account": "L"}
    async with await WireClient.open(hub.route_port) as first:
        await first.send(connect(**fields))
        await first.sync()
        assert await conversation(hub, connect(**fields)) == []
        assert b"-ERR 'Duplicate Remote LeafNode Connection'" in await first.read_to_end()
    await until_said(hub, "Replacing connection from same server")


async def test_who_says_nothing_is_sent_away(hub: Node) -> None:
    async with await WireClient.open(hub.route_port) as client:
        assert await client.read_to_end() == [b"-ERR 'Authentication Timeout'"]


async def test_what_a_leafnode_knows_is_forgotten_with_it(hub: Node) -> None:
    before = hub.page("/varz")["subscriptions"]
    async with await WireClient.open(hub.route_port) as client:
        await client.send(connect(**{**B, "name": "brief"}))
        await client.send(b"".join(b"LS+ wanted.%d\r\n" % number for number in range(1000)))
        await client.sync()
        await until_joined(hub, ["brief"])
        assert hub.page("/varz")["subscriptions"] >= before + 1000
    await until_joined(hub, [])
    assert hub.page("/varz")["subscriptions"] == before
