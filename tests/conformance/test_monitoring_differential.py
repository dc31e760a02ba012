"""The official nats-server's monitoring port beside ours, after the same traffic."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.http import ask, monitor_port
from tests.support.process import NATSCTL, nats_server, running_server
from tests.support.rig import ENGINES
from tests.support.wire import WireClient


def shape(value: Any) -> Any:
    """Keys in their order, and kinds of values."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        # nats-server lists subscriptions in no order.
        items = sorted(value, key=lambda item: item["sid"]) if value and "sid" in value[0] else value
        return [shape(inner) for inner in items]
    return "number" if type(value) in (int, float) else type(value).__name__


def ordered(value: Any) -> Any:
    return [(key, ordered(inner)) for key, inner in value.items()] if isinstance(value, dict) else value


OWN = {"natsctl", "git_commit", "feature_flags", "imports"}


def without_own(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_own(inner) for key, inner in value.items() if key not in OWN}
    return [without_own(inner) for inner in value] if isinstance(value, list) else value


@pytest.fixture(scope="module", params=ENGINES)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """The monitoring ports of nats-server and ours after the same traffic."""
    config = 'http: "127.0.0.1:-1", server_name: s, server_tags: [a], max_subscriptions: 100'
    with (
        running_server(nats_server(), tmp_path_factory.mktemp("theirs"), config) as theirs,
        running_server(NATSCTL, tmp_path_factory.mktemp("ours"), config, request.param) as ours,
    ):
        clients = [asyncio.run(talk(server.port)) for server in (theirs, ours)]
        yield monitor_port(theirs), monitor_port(ours)
        for client in clients:
            client.close()


async def talk(port: int) -> WireClient:
    gone = await WireClient.open(port, name="gone", lang="l", version="1")
    await gone.send(b"SUB x 1\r\n")
    await gone.sync()
    await gone.leave()
    client = await WireClient.open(port, name="here", lang="l", version="1")
    await client.send(b"SUB foo 1\r\nSUB bar q 2\r\nSUB once 3\r\nUNSUB 3 5\r\nPUB foo 2\r\nhi\r\n")
    await client.sync()
    return client


@pytest.mark.parametrize(
    "path",
    [
        "/varz",
        "/connz",
        "/connz?subs=1",
        "/connz?subs=detail&auth=1",
        "/connz?state=closed",
        "/connz?state=closed&subs=detail",
        "/connz?state=any",
        "/connz?cid=99",
        "/connz?acc=NOPE",
        "/subsz",
        "/subsz?subs=1&test=foo",
        "/subsz?subs=1&test=nobody",
        "/routez",
        "/leafz",
        "/gatewayz",
        "/jsz",
        "/accountz",
        "/accountz?acc=$G",
        "/accstatz",
        "/accstatz?unused=1",
        "/ipqueuesz",
    ],
)
def test_a_document_has_nats_servers_keys_in_its_order(both: tuple[int, int], path: str) -> None:
    ask(both[0], "/varz"), ask(both[1], "/varz")
    theirs, ours = (without_own(ask(port, path).document) for port in both)
    for page in (theirs, ours):
        page.pop("http_req_stats", None)
    assert ordered(shape(ours)) == ordered(shape(theirs))


@pytest.mark.parametrize(
    "path",
    [
        "/connz?subs=xx&auth=xx",
        "/connz?limit=99999999999999999999",
        "/connz?cid=-1",
        "/connz?sort=stop",
        "/connz?sort=bogus&limit=x",
        "/connz?acc=NOPE&sort=bogus",
        "/connz?state=b%C3%B6se",
        "/subsz?test=foo.*",
        "/subsz?subs=detail",
        "/routez?subs=xx",
        "/leafz?subs=detail",
        "/accountz?acc=NOPE",
        "/accstatz?unused=xx",
        "/gatewayz?accs=xx",
        "/jsz?raft=xx",
        "/jsz?offset=x",
        "/ipqueuesz?all=xx",
        "/raftz",
        "/nope",
        "/healthz",
        "/healthz?js-enabled=xx",
        "/healthz?stream=S",
        "/healthz?consumer=C&details=1",
        "/healthz?stream=S&account=$G",
    ],
)
def test_an_answer_is_nats_servers_to_the_byte(both: tuple[int, int], path: str) -> None:
    theirs, ours = (ask(port, path) for port in both)
    assert (ours.status, ours.headers["content-type"], ours.text) == (
        theirs.status,
        theirs.headers["content-type"],
        theirs.text,
    )


def test_json_is_laid_out_as_nats_servers(both: tuple[int, int]) -> None:
    for path in ("/connz?state=any&subs=detail", "/subsz?subs=1", "/jsz"):
        ours = ask(both[1], path)
        assert ours.text == json.dumps(ours.document, indent=2, ensure_ascii=False).replace(">", "\\u003e")
