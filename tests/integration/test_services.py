"""What clients ask servers under ``$SYS`` about the account they are in: the same of both servers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from natsctl.broker import Broker
from tests.support.process import NATSCTL, ServerProcess, nats_server, running_server
from tests.support.wire import WireClient, connect_line

CONFIG = """
server_name: "one", server_tags: ["eu"]
accounts { A { users: [ {user: alice, password: a} ] }, B { users: [ {user: bob, password: b} ] } }
"""
CONNZ, STATZ, SERVER_CONNZ = (
    f"$SYS.REQ.{name}" for name in ("ACCOUNT.PING.CONNZ", "ACCOUNT.PING.STATZ", "SERVER.PING.CONNZ")
)


@pytest.fixture(scope="module", params=["natsctl", "nats-server"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    command = NATSCTL if request.param == "natsctl" else nats_server()
    with running_server(command, tmp_path_factory.mktemp(request.param), CONFIG) as running:
        yield running


async def logged_in(server: ServerProcess, user: str) -> WireClient:
    client = await WireClient.open(server.port)
    login = {"user": user, "pass": user[0], "name": f"client of {user}"}
    await client.send(connect_line(**login) + b"SUB inbox 1\r\nSUB rides.* 2\r\n")
    assert await client.sync() == []
    return client


async def asked(client: WireClient, subject: str, body: str = "") -> Any:
    await client.send(f"PUB {subject} inbox {len(body)}\r\n{body}\r\n".encode())
    while not (answer := await client.read()).startswith(b"MSG "):
        assert answer.startswith((b"INFO ", b"PING"))
    return json.loads(answer.partition(b"\r\n")[2])


@pytest.mark.parametrize("subject", [CONNZ, SERVER_CONNZ])
async def test_an_account_sees_its_own_connections_and_no_others(server: ServerProcess, subject: str) -> None:
    async with await logged_in(server, "bob"), await logged_in(server, "alice") as alice:
        for body in ("", '{"acc": "B"}'):
            answer = await asked(alice, subject, body)
            assert answer["server"]["name"] == "one"
            assert answer["data"]["total"] == 1
            assert [row["name"] for row in answer["data"]["connections"]] == ["client of alice"]


async def test_a_request_chooses_as_the_query_of_a_page_does(server: ServerProcess) -> None:
    async with await logged_in(server, "alice") as alice:
        listed = (await asked(alice, CONNZ, '{"subscriptions": true, "auth": true, "limit": 5}'))["data"]
        assert listed["limit"] == 5
        assert sorted(listed["connections"][0]["subscriptions_list"]) == ["inbox", "rides.*"]
        assert listed["connections"][0]["authorized_user"] == "alice"
        detailed = (await asked(alice, CONNZ, '{"subscriptions_detail": true, "state": 2}'))["data"]
        own = [row for row in detailed["connections"] if "stop" not in row]
        assert sorted(sub["subject"] for sub in own[0]["subscriptions_list_detail"]) == ["inbox", "rides.*"]
        assert (await asked(alice, CONNZ, '{"offset": 1}'))["data"]["connections"] == []


async def test_an_account_sees_what_it_moved(server: ServerProcess) -> None:
    async with await logged_in(server, "bob"), await logged_in(server, "alice") as alice:
        (stat,) = (await asked(alice, STATZ, '{"accounts": ["B"]}'))["data"]["account_statz"]
        assert [stat["acc"], stat["conns"]] == ["A", 1]
        assert stat["received"]["msgs"] >= 1


async def test_a_request_that_cannot_be_meant_is_refused(server: ServerProcess) -> None:
    async with await logged_in(server, "alice") as alice:
        malformed = await asked(alice, CONNZ, "{bad")
        assert malformed["error"]["code"] == 400
        assert "data" not in malformed
        unknown = await asked(alice, CONNZ, '{"sort": "zork"}')
        assert unknown["error"] == {"code": 500, "description": "invalid sorting option: zork"}
        assert unknown["data"] is None


@pytest.mark.parametrize(
    "body", ['{"server_name": "two"}', '{"tags": ["us"]}', '{"domain": "hub"}', '{"cluster": "K"}']
)
async def test_only_the_server_that_is_meant_answers(server: ServerProcess, body: str) -> None:
    async with await logged_in(server, "alice") as alice:
        await alice.send(f"PUB {CONNZ} inbox {len(body)}\r\n{body}\r\n".encode())
        answer = await asked(alice, CONNZ, '{"server_name": "on", "tags": ["eu"], "limit": 7}')
        assert answer["data"]["limit"] == 7


async def test_more_requests_than_can_wait_do_not_hold_up_messages() -> None:
    async with Broker(port=-1) as broker, await WireClient.open(broker.port, verbose=False) as client:
        n_requests = 1000
        await client.send(b"SUB inbox 1\r\nSUB rides 2\r\n")
        await client.send(f"PUB {CONNZ} inbox 0\r\n\r\n".encode() * n_requests + b"PUB rides 0\r\n\r\n")
        frames = await client.read_until(b"MSG rides 2 0\r\n")
        assert len(frames) < n_requests
