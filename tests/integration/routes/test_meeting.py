"""How our servers find each other: by configuration, by hearsay, again after a loss, and never twice."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from natsctl.broker import Broker
from natsctl.config.options import Permission, Permissions
from natsctl.errors import ServerError
from tests.support.nodes import free_ports, until
from tests.support.routes import ALONE, calling, clustered, info_line, joined, login_line
from tests.support.wire import WireClient


def peers(broker: Broker) -> set[str]:
    return {route.remote.server_name for route in broker.mesh.routes.values()}


async def until_met(*brokers: Broker) -> None:
    """Wait until each has a route to each other one."""
    names = {broker.identity.server_name for broker in brokers}
    for broker in brokers:
        await until(lambda broker=broker: peers(broker) == names - {broker.identity.server_name}, str(peers(broker)))  # type: ignore[misc]


def sockets(*brokers: Broker) -> int:
    """Open routes, of whatever kind."""
    return sum(channel.kind == "Router" for broker in brokers for channel in broker._sockets)


# ---- by configuration


async def test_a_server_connects_to_the_ones_it_knows() -> None:
    async with clustered("a") as a, clustered("b", cluster=calling(a)) as b:
        await until_met(a, b)
        assert b.mesh.routes[a.identity.server_id].did_solicit
        assert not a.mesh.routes[b.identity.server_id].did_solicit


async def test_a_server_that_comes_later_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    port, own = free_ports(2)
    waiting = replace(ALONE, port=own, routes=[f"nats://127.0.0.1:{port}"])
    async with clustered("a", cluster=waiting) as a:
        await until(lambda: "Error trying to connect to route (attempt 1): dial tcp 127.0.0.1:" in caplog.text)
        assert "connect: connection refused" in caplog.text
        async with clustered("b", cluster=replace(ALONE, port=port)) as b:
            await until_met(a, b)
    assert caplog.text.count("Error trying to connect to route") == 1  # the others are for debugging


async def test_servers_that_know_each_other_end_with_one_connection() -> None:
    ports = free_ports(3)
    urls = [f"nats://127.0.0.1:{port}" for port in ports]
    async with AsyncExitStack() as stack:
        running = await asyncio.gather(
            *(
                stack.enter_async_context(clustered(name, cluster=replace(ALONE, port=port, routes=urls)))
                for name, port in zip("abc", ports, strict=True)
            )
        )
        await until_met(*running)
        await until(lambda: sockets(*running) == 6)  # each of three connections has two ends
        await until_met(*running)


async def test_a_server_does_not_call_itself(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "natsctl.broker")
    (port,) = free_ports(1)
    routes = [f"nats://127.0.0.1:{port}", f"nats://localhost:{port}"]
    async with clustered("a", cluster=replace(ALONE, port=port, routes=routes)) as broker:
        await until(lambda: not broker.mesh._caller._calls)
        assert not broker.mesh.routes
    assert "Route connection created" not in caplog.text


# ---- by hearsay


async def test_who_knows_the_same_server_hears_of_each_other() -> None:
    async with (
        clustered("seed") as seed,
        clustered("a", cluster=calling(seed)) as a,
        clustered("b", cluster=calling(seed)) as b,
        clustered("c", cluster=calling(seed)) as c,
    ):
        await until_met(seed, a, b, c)
        assert sockets(seed, a, b, c) == 12
        implicit = [route for route in (*a.mesh.routes.values(), *b.mesh.routes.values()) if route.origin is not None]
        assert any(not route.origin.is_configured for route in implicit if route.origin is not None)


async def test_clusters_that_are_joined_by_one_server_become_one() -> None:
    async with (
        clustered("a") as a,
        clustered("b", cluster=calling(a)) as b,
        clustered("c") as c,
        clustered("d", cluster=calling(c)) as d,
    ):
        await until_met(a, b)
        await until_met(c, d)
        async with clustered("e", cluster=calling(a, c)) as e:
            await until_met(a, b, c, d, e)


async def test_a_server_that_is_only_heard_of_is_tried_as_often_as_allowed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    (port,) = free_ports(1)
    async with (
        clustered("a", cluster=replace(ALONE, connect_retries=1), connect_error_reports=1) as broker,
        await WireClient.open(broker.mesh.port) as peer,
    ):
        gone = {"server_id": "GONE", "server_name": "gone", "ip": f"nats-route://127.0.0.1:{port}/"}
        await peer.send(login_line() + info_line() + info_line(**gone))
        await peer.sync()
        await until(lambda: "(attempt 2)" in caplog.text)
        await until(lambda: not broker.mesh._caller._calls)
    assert "(attempt 3)" not in caplog.text


# ---- again


@pytest.mark.parametrize("knows", [True, False], ids=["configured", "by-hearsay"])
async def test_a_connection_that_breaks_is_made_again(knows: bool) -> None:
    async with (
        clustered("seed") as seed,
        clustered("a", cluster=calling(seed)) as a,
        clustered("b", cluster=calling(seed)) as b,
    ):
        await until_met(seed, a, b)
        route = a.mesh.routes[(seed if knows else b).identity.server_id]
        assert route._transport is not None
        route._transport.abort()
        await until(lambda: route.stopped_at is not None)
        await until_met(seed, a, b)
        assert sockets(seed, a, b) == 6


async def test_a_server_that_was_restarted_is_found_again() -> None:
    (port,) = free_ports(1)
    fixed = replace(ALONE, port=port)
    async with clustered("b", cluster=replace(ALONE, routes=[f"nats://127.0.0.1:{port}"])) as b:
        for name in ("a1", "a2", "a3"):
            async with clustered(name, cluster=fixed) as a:
                await until_met(a, b)
            await until(lambda: not b.mesh.routes)


async def test_a_server_that_is_configured_is_called_however_many_others_are_told_of() -> None:
    (port,) = free_ports(1)
    fixed = replace(ALONE, port=port)
    patient = replace(ALONE, routes=[f"nats://127.0.0.1:{port}"], connect_retries=1000)
    async with clustered("b", cluster=patient) as b:
        async with clustered("a1", cluster=fixed), joined(b) as peer:
            await until(lambda: peers(b) == {"a1", "peer"})
            for number in range(1100):  # nobody is there
                url = f"nats-route://127.0.{number // 200}.{number % 200 + 2}:1/"
                await peer.send(info_line(server_id=f"GHOST{number}", ip=url))
            await peer.sync()
        await until(lambda: not b.mesh.routes)
        async with clustered("a2", cluster=fixed) as a:
            await until_met(a, b)


# ---- names


async def test_a_name_that_was_made_up_gives_way_to_one_that_was_configured(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "natsctl.broker")
    nameless = replace(ALONE, name="")
    async with clustered("a", cluster=nameless) as a, clustered("b", cluster=calling(a, base=nameless)) as b:
        assert "Cluster name was dynamically generated, consider setting one" in caplog.text
        await until_met(a, b)
        assert a.identity.cluster == b.identity.cluster
        async with clustered("c", cluster=calling(a)) as c:
            await until_met(a, b, c)
            assert {broker.identity.cluster for broker in (a, b, c)} == {"C"}
            assert "Cluster name updated to C" in caplog.text


async def test_servers_of_other_clusters_stay_apart(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "natsctl.broker")
    async with clustered("a") as a, clustered("b", cluster=calling(a, base=replace(ALONE, name="D"))) as b:
        await until(lambda: "Rejecting connection, cluster name" in caplog.text)
        await until(lambda: "Router connection closed: Cluster Name Conflict" in caplog.text)
        assert not a.mesh.routes
        assert not b.mesh.routes


async def test_servers_of_one_name_stay_apart(caplog: pytest.LogCaptureFixture) -> None:
    async with clustered("a") as a, clustered("a", cluster=calling(a)) as b:
        await until(lambda: 'Remote server has a duplicate name: "a"' in caplog.text)
        assert not a.mesh.routes
        assert not b.mesh.routes


# ---- logins and rights


async def test_the_login_of_the_url_is_used_and_given_to_those_heard_of() -> None:
    secretive = replace(ALONE, user="ru", password="r p")
    async with (
        clustered("seed", cluster=secretive) as seed,
        clustered("a", cluster=calling(seed, login="ru:r%20p@", base=secretive)) as a,
        clustered("b", cluster=calling(seed, login="ru:r%20p@", base=secretive)) as b,
    ):
        await until_met(seed, a, b)


async def test_a_wrong_login_is_told_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "natsctl.broker")
    async with (
        clustered("a", cluster=replace(ALONE, user="ru", password="rp")) as a,
        clustered("b", cluster=calling(a, login="ru:secret@")) as b,
    ):
        await until(lambda: "Route Error 'Authorization Violation'" in caplog.text)
        await until(lambda: caplog.text.count('authentication error - User "ru"') >= 2)
        assert not a.mesh.routes
        await until(lambda: not b.mesh.routes)
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    ("rights", "arrives"),
    [
        (Permissions(publish=Permission(allow=["foo.>"])), ["foo.a"]),
        (Permissions(publish=Permission(deny=["foo.>"])), ["bar.a"]),
        (Permissions(subscribe=Permission(allow=["foo.>"])), []),
    ],
    ids=["import", "import-deny", "export"],
)
async def test_what_may_come_in_and_go_out_is_held_to(rights: Permissions, arrives: Sequence[str]) -> None:
    async with (
        clustered("a", cluster=replace(ALONE, permissions=rights)) as a,
        clustered("b", cluster=calling(a)) as b,
        await WireClient.open(a.port, protocol=0) as reader,
        await WireClient.open(b.port, protocol=0) as writer,
    ):
        await until_met(a, b)
        await reader.send(b"SUB foo.* 1\r\nSUB bar.* 2\r\nSUB end 3\r\n")
        await reader.sync()
        await asyncio.sleep(0)
        route = b.mesh.routes[a.identity.server_id]
        wanted = {subject for subject in (b"foo.*", b"bar.*", b"end") if a_imports(rights, subject)}
        await until(lambda: wanted <= {interest.subject for interest in route.session.interests()})
        await writer.send(b"PUB foo.a 0\r\n\r\nPUB bar.a 0\r\n\r\n")
        await writer.sync()
        for subject in arrives:
            assert (await reader.read()).split()[1].decode() == subject


def a_imports(rights: Permissions, subject: bytes) -> bool:
    """Whether the broker with these rights asks for a subject at all."""
    imported = rights.publish
    head = subject.decode().split(".")[0]
    if imported.allow is not None:
        return any(allowed.split(".")[0] == head for allowed in imported.allow)
    return not any(denied.split(".")[0] == head for denied in imported.deny)


# ---- ports and their owners


async def test_a_port_that_is_taken_stops_the_start() -> None:
    async with clustered("a") as a:
        with pytest.raises(ServerError, match="Error listening on router port: "):
            async with clustered("b", cluster=replace(ALONE, port=a.mesh.port)):
                pass


async def test_a_port_for_clients_is_no_route(caplog: pytest.LogCaptureFixture) -> None:
    async with (
        Broker(host="127.0.0.1", port=-1) as wrong,
        clustered("b", cluster=replace(ALONE, routes=[f"nats://127.0.0.1:{wrong.port}"])) as b,
    ):
        await until(lambda: "attempted to connect to wrong port" in caplog.text)
        assert not b.mesh.routes


async def test_a_server_that_leaves_in_order_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "natsctl.broker")
    async with clustered("a") as a, clustered("b", cluster=calling(a), lame_duck_grace_period_s=0.0) as b:
        await until_met(a, b)
        assert len(a.identity.connect_urls) == 2
        async with await WireClient.open(b.port, protocol=1) as client:
            await client.sync()
            await b.lame_duck()
        await until(lambda: len(a.identity.connect_urls) == 1)
